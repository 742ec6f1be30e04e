//! What the engine looks up before it judges: lists about principals, hostile links, populations.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_fiche::{Catalogue, Check, Signal, coverage::Gap, def::CheckDef, value::Value};

use crate::{EngineError, Session, rows};

/// What failed, and so what rests on it: a signal that cannot be read costs the checks that read it, and no other.
#[derive(Debug, Default)]
pub(super) struct Broken {
    /// Signals that failed, by name, with the reason.
    pub signals: BTreeMap<String, String>,
    /// Signs that the engine computes and could not, with the reason.
    signs: BTreeMap<&'static str, String>,
    /// Why it is not known of which time a log proves nothing.
    gaps: Option<String>,
    /// Tables whose members could not be counted, with the reason.
    populations: BTreeMap<String, String>,
}

impl Broken {
    /// Registers signals, given in dependency order.
    pub(super) fn register(&mut self, session: &Session, signals: &[&Signal], params: &dyn Fn(&str) -> Option<String>) {
        for signal in signals {
            let done = match self.under(&signal.sql) {
                Some(cause) => Err(cause),
                None => session.register_signals(&[*signal], params),
            };
            if let Err(error) = done {
                self.signals.insert(signal.name.clone(), error.to_string());
            }
        }
    }

    /// Why a query cannot run: it reads a signal that failed.
    pub(super) fn under(&self, sql: &str) -> Option<EngineError> {
        let read = reflexe_fiche::catalogue::signals_in(sql);
        let (name, message) = self.signals.iter().find(|(name, _)| read.contains(*name))?;
        // A cause that is itself a signal's already names it.
        let named = message.starts_with("signal ");
        Some(EngineError::Rests(if named { message.clone() } else { format!("signal {name}: {message}") }))
    }

    /// What a check could not take into account, beside what its own query met.
    pub(super) fn limits(&self, check: &CheckDef) -> Vec<String> {
        let signs = self.signs.iter().filter(|(sign, _)| check.signs.contains_key(**sign));
        let over_time = self.gaps.iter().filter(|_| check.needs.values().any(|n| n.window)).cloned();
        let tables = check.needs.values().filter_map(|n| self.populations.get_key_value(n.per.as_ref()?));
        let signs = signs.map(|(sign, why)| format!("{sign}: {why}"));
        signs.chain(tables.map(|(table, why)| format!("{table}: {why}"))).chain(over_time).collect()
    }
}

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
    pub(super) fn read(session: &Session, in_use: &dyn Fn(&str) -> bool, broken: &mut Broken) -> Result<Self, EngineError> {
        let mut set = |sign: &'static str, sql: &str| {
            let found = if in_use(sign) { session.strings(sql) } else { Ok(Vec::new()) };
            found.map(BTreeSet::from_iter).unwrap_or_else(|error| {
                broken.signs.insert(sign, error.to_string());
                BTreeSet::new()
            })
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
            vips: set("subject_is_vip", "select distinct lower(principal) from input.vip where principal is not null"),
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
            ),
            guests: set("subject_is_guest", "select distinct lower(user_principal_name) from entra_user where user_type = 'Guest' and user_principal_name is not null"),
            legitimate,
            answered: session.strings("select distinct question from input.answer where question is not null")?.into_iter().collect(),
        })
    }
}

/// Links that signals declare hostile. Where one cannot tell, nobody can say that a session is not hostile.
pub(super) fn hostile_links(session: &Session, signals: &[&Signal], broken: &mut Broken) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for signal in signals {
        for (kind, column) in &signal.def.hostile {
            let name = &signal.name;
            let sql = format!("select distinct lower(cast({column} as varchar)) from signal.{name} where {column} is not null");
            let links = match broken.under(&sql) {
                Some(cause) => Err(cause),
                None => session.strings(&sql),
            };
            match links {
                Ok(links) => out.extend(links.into_iter().filter(|v| !v.is_empty()).map(|v| format!("{kind}:{v}"))),
                Err(error) => {
                    broken.signals.entry(name.clone()).or_insert_with(|| error.to_string());
                    broken.signs.insert("in_context", error.to_string());
                }
            }
        }
    }
    out
}

/// Signals that say of which time a log proves nothing, if there is anything for them to find.
pub(super) fn ending<'c>(session: &Session, catalogue: &'c Catalogue) -> Vec<&'c Signal> {
    let finds = |signal: &&Signal| {
        let Some(ends) = &signal.def.ends_coverage else { return false };
        // What fails here fails, and is told, when the signal is read.
        session.sql(&ends.when).map_or(true, |found| found.iter().any(|batch| batch.num_rows() > 0))
    };
    catalogue.signals.iter().filter(finds).collect()
}

/// Times of which signals say that a log proves nothing.
pub(super) fn gaps(session: &Session, signals: &[&Signal], broken: &mut Broken) -> Vec<Gap> {
    let mut out = Vec::new();
    for signal in signals {
        let Some(c) = &signal.def.ends_coverage else { continue };
        let name = &signal.name;
        let sql = format!(
            "select {} as t, {} as op, {} as who, {} as since, {} as until from signal.{name}",
            c.table, c.operation, c.subject, c.from, c.to
        );
        let found = match broken.under(&sql) {
            Some(cause) => Err(cause),
            None => session.sql(&sql),
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                broken.signals.entry(name.clone()).or_insert_with(|| error.to_string());
                broken.gaps = Some(error.to_string());
                continue;
            }
        };
        out.extend(rows::all(&found).into_iter().filter_map(|row| {
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
    Gap::united(out)
}

/// Members of the populations over which needs are counted (`per = "table.column"`).
pub(super) fn populations(session: &Session, catalogue: &Catalogue, broken: &mut Broken) -> BTreeMap<String, BTreeSet<String>> {
    let mut out = BTreeMap::new();
    let all = catalogue.checks.iter().flat_map(|c: &Check| c.def.needs.values().chain(c.def.better_with.values()));
    for per in all.filter_map(|n| n.per.as_ref()) {
        if let Some((table, column)) = per.split_once('.')
            && !out.contains_key(per)
            && !broken.populations.contains_key(per)
        {
            match session.strings(&format!("select distinct {column} from {table} where {column} is not null")) {
                Ok(members) => drop(out.insert(per.clone(), members.into_iter().collect())),
                Err(error) => drop(broken.populations.insert(per.clone(), error.to_string())),
            }
        }
    }
    out
}
