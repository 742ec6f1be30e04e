//! From where an account acts: whether an address is new to it. Asked only of the accounts and addresses of deciding acts.
use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use reflexe_evidence::events::address::address;
use reflexe_fiche::{
    judge::{Deciding, Hostile},
    value::Value,
};

use crate::{EngineError, Session, rows, session::quote};

/// How long before a deciding act an address may have been seen first and still be new to the account. Own judgement [J].
const NEW_HOURS: i64 = 24;

/// Acts and sign-ins that an account itself did: table, account, address, time, what shows that it was let in.
const OWN_ACTS: [[&str; 5]; 3] = [
    ["ual_event", "actor_upn", "client_ip", "creation_time", "coalesce(success, true) and operation_key <> 'userloginfailed'"],
    ["signin", "user_principal_name", "ip", "created_date_time", "error_code = 0"],
    ["directory_audit", "actor_upn", "ip", "activity_date_time", "true"],
];

/// Where accounts were seen: account → address → the first time. Filled as accounts are asked for.
pub(super) struct Places<'s> {
    session: &'s Session,
    exits: BTreeSet<String>,
    seen: BTreeMap<String, BTreeMap<String, Timestamp>>,
}

impl<'s> Places<'s> {
    pub(super) fn of(session: &'s Session) -> Result<Self, EngineError> {
        let exits = session.strings("select lower(ip) as ip from input.egress where ip is not null")?;
        Ok(Self { session, exits: exits.into_iter().collect(), seen: BTreeMap::new() })
    }

    /// What deciding acts make hostile for their authors: the session, and an address that was new to the account.
    pub(super) fn hostile(&mut self, deciding: &[&Deciding]) -> Result<Hostile, EngineError> {
        let people = deciding.iter().filter_map(|d| d.actor.as_ref()).filter(|who| who.contains('@'));
        self.look_up(people.filter(|who| !self.seen.contains_key(*who)).cloned().collect())?;
        let mut out = Hostile::new();
        for d in deciding {
            let Some(who) = d.actor.as_ref().filter(|who| who.contains('@')) else { continue };
            for (link, time) in &d.links {
                let hostile = match link.kind.as_str() {
                    "session" => true,
                    "ip" => self.is_new(who, &link.value, *time),
                    _ => false,
                };
                if hostile {
                    let by = out.entry(who.clone()).or_default().entry(format!("{}:{}", link.kind, link.value)).or_default();
                    by.insert(d.by.clone());
                }
            }
        }
        Ok(out)
    }

    /// Whether the account had been seen from elsewhere, and from this address never before the day of the act. The
    /// organisation's exits and Microsoft's own addresses are nobody's.
    fn is_new(&self, who: &str, ip: &str, time: Option<Timestamp>) -> bool {
        let (Some(seen), Some(time)) = (self.seen.get(who), time) else { return false };
        if self.exits.contains(ip) || address(ip).is_none_or(|a| a.kind != "public") {
            return false;
        }
        let Some(first) = seen.get(ip) else { return false };
        let day_before = time.checked_sub(NEW_HOURS.hours()).unwrap_or(time);
        *first >= day_before && seen.iter().any(|(other, before)| other != ip && before < first)
    }

    fn look_up(&mut self, people: BTreeSet<String>) -> Result<(), EngineError> {
        if people.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = people.iter().map(|p| quote(p)).collect();
        let parts: Vec<String> = OWN_ACTS
            .iter()
            .filter(|[table, ..]| self.session.ctx.table_exist(*table).unwrap_or(false))
            .map(|[table, who, ip, time, own]| {
                format!(
                    "select lower({who}) as who, lower({ip}) as ip, min({time}) as t from {table} \
                     where lower({who}) in ({}) and {ip} is not null and {own} group by 1, 2",
                    names.join(", ")
                )
            })
            .collect();
        for who in people {
            self.seen.insert(who, BTreeMap::new());
        }
        for row in rows::all(&self.session.sql(&parts.join(" union all "))?) {
            let first = |c: &str| row.get(c).and_then(|v| v.first());
            let text = |c: &str| first(c).and_then(Value::as_text).map(str::to_owned);
            let (Some(who), Some(ip), Some(time)) = (text("who"), text("ip"), first("t").and_then(Value::as_time)) else {
                continue;
            };
            let earliest = self.seen.entry(who).or_default().entry(ip).or_insert(time);
            *earliest = time.min(*earliest);
        }
        Ok(())
    }
}
