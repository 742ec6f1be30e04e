//! What the engine looks up before it judges: lists about principals, hostile links, populations.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_fiche::{Catalogue, Signal, coverage::Gap, value::Value};

use crate::{EngineError, Session, rows};

/// Lists about principals that built-in signs look at.
pub(super) struct Sets {
    pub vips: BTreeSet<String>,
    pub privileged: BTreeSet<String>,
    pub guests: BTreeSet<String>,
    pub legitimate: BTreeMap<String, String>,
    pub answered: BTreeSet<String>,
}

impl Sets {
    /// Reads the lists that the built-in signs in use look at.
    pub(super) fn read(session: &Session, in_use: &dyn Fn(&str) -> bool) -> Result<Self, EngineError> {
        let set = |sign: &str, sql: &str| {
            if in_use(sign) {
                Ok::<_, EngineError>(session.strings(sql)?.into_iter().collect::<BTreeSet<_>>())
            } else {
                Ok(BTreeSet::new())
            }
        };
        let legitimate =
            rows::all(&session.sql("select lower(object) as object, who from input.legit where object is not null")?)
                .into_iter()
                .filter_map(|row| {
                    let text = |c: &str| row.get(c).and_then(|v| v.first()).and_then(Value::as_text).map(str::to_owned);
                    Some((text("object")?, text("who").unwrap_or_default()))
                })
                .collect();
        Ok(Self {
            vips: set("subject_is_vip", "select distinct lower(principal) from input.vip where principal is not null")?,
            privileged: set(
                "subject_is_privileged",
                "with holder as (
                   select a.principal_id, a.principal_upn from role_assignment a join ref.role r on r.template_id = a.role_template_id
                   where r.privileged and coalesce(a.principal_type, 'user') <> 'group'
                   union all
                   select m.member_id, m.member_upn from role_assignment a join ref.role r on r.template_id = a.role_template_id
                   join group_member m on m.group_id = a.principal_id where r.privileged
                 )
                 select lower(principal_id) from holder where principal_id is not null
                 union select lower(principal_upn) from holder where principal_upn is not null
                 union select lower(u.user_principal_name) from entra_user u join holder h on h.principal_id = u.id
                   where u.user_principal_name is not null",
            )?,
            guests: set("subject_is_guest", "select distinct lower(user_principal_name) from entra_user where user_type = 'Guest' and user_principal_name is not null")?,
            legitimate,
            answered: session.strings("select distinct question from input.answer where question is not null")?.into_iter().collect(),
        })
    }
}

/// Links that signals declare hostile.
pub(super) fn hostile_links(session: &Session, signals: &[&Signal]) -> Result<BTreeSet<String>, EngineError> {
    let mut out = BTreeSet::new();
    for signal in signals {
        for (kind, column) in &signal.def.hostile {
            let sql = format!(
                "select distinct lower(cast({column} as varchar)) from signal.{} where {column} is not null",
                signal.name
            );
            out.extend(session.strings(&sql)?.into_iter().filter(|v| !v.is_empty()).map(|v| format!("{kind}:{v}")));
        }
    }
    Ok(out)
}

/// Signals that say of which time a log proves nothing, if there is anything for them to find.
pub(super) fn ending<'c>(session: &Session, catalogue: &'c Catalogue) -> Result<Vec<&'c Signal>, EngineError> {
    let mut out = Vec::new();
    for signal in &catalogue.signals {
        let Some(ends) = &signal.def.ends_coverage else { continue };
        if session.sql(&ends.when)?.iter().any(|batch| batch.num_rows() > 0) {
            out.push(signal);
        }
    }
    Ok(out)
}

/// Times of which signals say that a log proves nothing.
pub(super) fn gaps(session: &Session, signals: &[&Signal]) -> Result<Vec<Gap>, EngineError> {
    let mut out = Vec::new();
    for signal in signals {
        let Some(c) = &signal.def.ends_coverage else { continue };
        let sql = format!(
            "select {} as t, {} as op, {} as who, {} as since, {} as until from signal.{}",
            c.table, c.operation, c.subject, c.from, c.to, signal.name
        );
        out.extend(rows::all(&session.sql(&sql)?).into_iter().filter_map(|row| {
            let all = |column: &str| row.get(column).into_iter().flatten();
            let texts = |column: &str| all(column).filter_map(Value::as_text).map(str::to_owned);
            Some(Gap {
                subject: texts("who").next()?.to_lowercase(),
                table: texts("t").next()?,
                operations: texts("op").collect(),
                from: all("since").next()?.as_time()?,
                to: all("until").next().and_then(Value::as_time),
            })
        }));
    }
    Ok(Gap::united(out))
}

/// Members of the populations over which needs are counted (`per = "table.column"`).
pub(super) fn populations(session: &Session, catalogue: &Catalogue) -> Result<BTreeMap<String, BTreeSet<String>>, EngineError> {
    let mut out = BTreeMap::new();
    let all = catalogue.checks.iter().flat_map(|c| c.def.needs.values().chain(c.def.better_with.values()));
    for per in all.filter_map(|n| n.per.as_ref()) {
        if let Some((table, column)) = per.split_once('.')
            && !out.contains_key(per)
        {
            let sql = format!("select distinct {column} from {table} where {column} is not null");
            out.insert(per.clone(), session.strings(&sql)?.into_iter().collect());
        }
    }
    Ok(out)
}
