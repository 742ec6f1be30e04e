//! Whose hand: which acts of a finding a suspect or a hostile session did, and whom its deciding acts make suspect in turn.
//! Everything here is said of an act and its author, never of an object or a victim.
use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use reflexe_model::Link;

use super::{Act, Context, Folded};
use crate::{def::Sign, value::Few};

/// The sign: from a hostile session or address.
pub(super) const HOSTILE: &str = "in_context";
/// The sign: the author is a suspect.
pub(super) const SUSPECT: &str = "actor_is_suspect";
/// The signs that say something of the hand and nothing of the act.
pub(super) const CONTEXTUAL: [&str; 2] = [HOSTILE, SUSPECT];

/// Why somebody is a suspect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspicion {
    /// The finding that says so ([`Folded::identity`]); empty when a person does. A finding never supports itself.
    pub by: String,
    /// When his acts are suspect, in microseconds; `None` is always.
    pub period: Option<(i64, i64)>,
}

/// Suspects (lower case), each with what makes him so.
pub type Suspects = BTreeMap<String, BTreeSet<Suspicion>>;

/// Account (lower case) → link that is hostile for it, as `kind:value` → the findings that say so.
pub type Hostile = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The deciding acts of one finding by one hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// The finding.
    pub by: String,
    /// Who did it, lower case, if one person is named.
    pub actor: Option<String>,
    /// Whom it makes suspects too, lower case.
    pub makes: BTreeSet<String>,
    /// The first and the last, if their times are known.
    pub time: Option<(Timestamp, Timestamp)>,
    /// From where, each with the first time.
    pub links: BTreeMap<Link, Option<Timestamp>>,
}

impl Deciding {
    /// Makes suspect whoever did it, and whom it raised, from that act on. An act without a time has no "on".
    pub fn accuse(&self, suspects: &mut Suspects) {
        let Some((first, last)) = self.time else { return };
        let reason = Suspicion { by: self.by.clone(), period: Some(suspect_period(first, last)) };
        // Settings and applications do not act.
        for who in self.actor.iter().chain(&self.makes).filter(|w| w.contains('@')) {
            suspects.entry(who.clone()).or_default().insert(reason.clone());
        }
    }
}

/// When the author of a deciding act is suspect: from it until three days after the last. Own judgement [J].
pub fn suspect_period(first: Timestamp, last: Timestamp) -> (i64, i64) {
    let to = last.checked_add(72.hours()).unwrap_or(last);
    (first.as_microsecond(), to.as_microsecond())
}

/// What the hand of an act is known for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    pub in_context: bool,
    pub suspect: bool,
}

impl Seen {
    pub(super) fn or(self, other: Self) -> Self {
        Self { in_context: self.in_context || other.in_context, suspect: self.suspect || other.suspect }
    }

    /// Looks at one act of a finding.
    pub(super) fn of(act: &Act, folded: &Folded, own: &str, ctx: &Context<'_>) -> Self {
        // A sign-in names nobody but its account.
        let subject = [folded.subject.to_lowercase()].into();
        let hands: &Few<String> = if act.head.actors.is_empty() { &subject } else { &act.head.actors };
        let hostile_for: Vec<_> = hands.iter().filter_map(|who| ctx.hostile_for.get(who)).collect();
        let in_context = act.head.links.iter().any(|l| {
            let link = format!("{}:{}", l.kind, l.value);
            ctx.hostile.contains(&link) || hostile_for.iter().filter_map(|links| links.get(&link)).flatten().any(|by| by != own)
        });
        let within = |(from, to): (i64, i64)| match (act.first, act.last.or(act.first)) {
            (Some(first), Some(last)) => from <= last.as_microsecond() && first.as_microsecond() <= to,
            _ => true,
        };
        let reasons = act.head.actors.iter().filter_map(|who| ctx.suspects.get(who)).flatten();
        let suspect = reasons.into_iter().any(|s| s.by != own && s.period.is_none_or(within));
        Self { in_context, suspect }
    }
}

/// The acts of a decisive finding that carry the signs that decide: a decisive one, or where points decide any that gives points.
pub(super) fn deciding(
    by: &str,
    signs: &[(&str, &Sign)],
    on: &[String],
    by_points: bool,
    acts: &[(Seen, &Act)],
) -> Vec<Deciding> {
    let holds = |name: &str, (seen, act): &(Seen, &Act)| match name {
        HOSTILE => seen.in_context,
        _ => act.head.signs.get(name) == Some(&Some(true)),
    };
    let held: Vec<&(&str, &Sign)> = signs.iter().filter(|(n, _)| on.iter().any(|on| on == n)).collect();
    let decides = |a: &&(Seen, &Act)| {
        held.iter().any(|(n, s)| (s.decisive || (by_points && s.points.is_some_and(|p| p > 0))) && holds(n, a))
    };
    let mut found: Vec<&(Seen, &Act)> = acts.iter().filter(decides).collect();
    if found.is_empty() {
        // What decides is said of no single row.
        found = acts.iter().collect();
    }
    let mut hands: BTreeMap<(Option<&String>, &BTreeSet<String>), Deciding> = BTreeMap::new();
    for (_, act) in found {
        // Two names on one act, and nobody knows whose it was.
        let actor = act.head.actors.first().filter(|_| act.head.actors.len() == 1);
        let hand = hands.entry((actor, &act.head.makes)).or_insert_with(|| Deciding {
            by: by.to_owned(),
            actor: actor.cloned(),
            makes: act.head.makes.clone(),
            time: None,
            links: BTreeMap::new(),
        });
        let time = act.first.map(|first| (first, act.last.unwrap_or(first)));
        hand.time = match (hand.time, time) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        for link in act.head.links.iter().filter(|l| matches!(l.kind.as_str(), "ip" | "session")) {
            let known = hand.links.entry(link.clone()).or_insert(act.first);
            *known = (*known).into_iter().chain(act.first).min();
        }
    }
    hands.into_values().collect()
}
