//! Moments and states of clocks, as the journal tells them.
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reflexe_model::{Entry, Payload, standing};

/// A moment that a person gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The moment.
    pub at: Timestamp,
    /// As written, with the offset that was meant.
    pub text: String,
    /// Who said so.
    pub who: String,
    /// Others gave another moment, or took it back, without knowing of this one: the earliest counts.
    pub conflict: bool,
    /// Ids of the entries that stand.
    pub entries: Vec<String>,
}

/// What people said of a clock's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StateTold {
    /// `done`, `not_applicable` or `open`.
    pub state: String,
    /// Reference, or why.
    pub reason: String,
    /// They disagree: the clock stays open.
    pub conflict: bool,
}

/// Moments that stand, by (regime, event). A moment that was taken back is absent.
pub fn moments(entries: &[Entry]) -> BTreeMap<(String, String), Moment> {
    let mut groups: BTreeMap<(String, String), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        if let Some(Payload::ClockEvent { regime, event, .. }) = Payload::of(entry) {
            groups.entry((regime, event)).or_default().push(entry);
        }
    }
    let mut out = BTreeMap::new();
    for (key, entries) in groups {
        let heads = standing(&entries);
        // A text that is no moment counts like none: it cannot start a clock, and it shows as a conflict beside one that can.
        let told: Vec<(Option<Timestamp>, String, String)> = heads
            .iter()
            .filter_map(|e| match Payload::of(e) {
                Some(Payload::ClockEvent { at, .. }) => {
                    let text = at.unwrap_or_default();
                    Some((text.parse().ok(), text, e.content.as_ref().map(|c| c.actor.clone()).unwrap_or_default()))
                }
                _ => None,
            })
            .collect();
        let distinct: BTreeSet<Option<Timestamp>> = told.iter().map(|t| t.0).collect();
        if let Some((at, text, who)) = told.into_iter().filter_map(|(at, text, who)| Some((at?, text, who))).min() {
            let entries = heads.iter().map(|e| e.header.entry_id.clone()).collect();
            out.insert(key, Moment { at, text, who, conflict: distinct.len() > 1, entries });
        }
    }
    out
}

/// States that stand, by regime.
pub(super) fn states(entries: &[Entry]) -> BTreeMap<String, StateTold> {
    let mut groups: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        if let Some(Payload::ClockState { regime, .. }) = Payload::of(entry) {
            groups.entry(regime).or_default().push(entry);
        }
    }
    let mut out = BTreeMap::new();
    for (regime, entries) in groups {
        let told: Vec<(String, String)> = standing(&entries)
            .into_iter()
            .filter_map(|e| match Payload::of(e) {
                Some(Payload::ClockState { state, reason, .. }) => Some((state, reason)),
                _ => None,
            })
            .collect();
        let distinct: BTreeSet<&String> = told.iter().map(|t| &t.0).collect();
        let conflict = distinct.len() > 1;
        if let Some((state, reason)) = told.first() {
            let state = if conflict { "open".to_owned() } else { state.clone() };
            out.insert(regime, StateTold { state, reason: reason.clone(), conflict });
        }
    }
    out
}
