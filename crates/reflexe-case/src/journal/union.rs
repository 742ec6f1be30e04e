//! The union of entries: associative, commutative, idempotent, so that it does not matter who merged what first.
use std::collections::BTreeMap;

use reflexe_model::{Entry, Kind};

use super::chain;

/// Unites entries by hash. A content that one side lost is taken from the other; a redaction that either side holds, signed,
/// empties its entry on both. The result is in order of writer and position.
pub fn union(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut all: BTreeMap<String, Entry> = BTreeMap::new();
    for entry in entries {
        match all.get_mut(&entry.hash) {
            None => {
                all.insert(entry.hash.clone(), entry);
            }
            Some(held) => {
                if entry != *held && better(&entry, held) {
                    *held = entry;
                }
            }
        }
    }
    let redacted: Vec<String> = all
        .values()
        .filter(|e| e.header.kind == Kind::Redaction && chain::is_hashed(e) && chain::is_signed(e))
        .filter_map(|e| e.header.supersedes.clone())
        .collect();
    let mut all: Vec<Entry> = all.into_values().collect();
    for entry in &mut all {
        if entry.header.kind != Kind::Redaction && redacted.contains(&entry.header.entry_id) {
            entry.salt = None;
            entry.content = None;
        }
    }
    all.sort_by(compare);
    all
}

/// Order of writer and position; of a fork, by hash.
pub fn compare(a: &Entry, b: &Entry) -> std::cmp::Ordering {
    let key = |e: &Entry| (e.header.writer.clone(), e.header.seq, e.hash.clone());
    key(a).cmp(&key(b))
}

/// Which of two copies of one entry is kept: the one that proves itself, then the one with content, then the first in the order
/// of bytes. A total order, so that the union does not depend on who comes first.
fn better(new: &Entry, held: &Entry) -> bool {
    let rank = |e: &Entry| {
        let proven = [chain::is_hashed(e), chain::is_signed(e), chain::body_holds(e).unwrap_or(false)];
        (proven, e.content.is_some(), std::cmp::Reverse(chain::canonical(e).unwrap_or_default()))
    };
    rank(new) > rank(held)
}
