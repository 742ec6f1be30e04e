//! The journal as people read it: each entry once, with the text that stands, its corrections and what was removed.
use std::collections::BTreeMap;

use reflexe_model::{Content, Entry, Kind, Origin, standing};

/// An entry with everything that came after it.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// The entry as it was first written.
    pub entry: &'a Entry,
    /// The content that stands; `None` if it was removed.
    pub content: Option<&'a Content>,
    /// Its corrections, in order.
    pub corrections: Vec<&'a Entry>,
    /// The entries that removed content from it.
    pub redactions: Vec<&'a Entry>,
    /// Corrections written without knowing of each other: both are shown, nobody chose yet.
    pub conflict: bool,
}

impl Told<'_> {
    /// What it tells: the kind of the first entry, whatever corrected it.
    pub fn kind(&self) -> Kind {
        self.entry.header.kind
    }

    /// Whether people wrote it, or it is a decision, or nobody can say any more: what a journal shows at first.
    pub fn is_by_people(&self) -> bool {
        self.kind() == Kind::Decision || self.content.is_none_or(|c| c.origin != Origin::Generated)
    }
}

/// The entries in the order in which they are told. A correction or removal of an entry that is not there stands by itself.
pub fn tell(entries: &[Entry]) -> Vec<Told<'_>> {
    let by_id: BTreeMap<&str, &Entry> = entries.iter().map(|e| (e.header.entry_id.as_str(), e)).collect();
    let root = |entry: &Entry| -> Option<String> {
        let mut at = entry;
        // At most as many steps as there are entries: whoever forged a circle does not hold us up.
        for _ in 0..=entries.len() {
            match at.header.supersedes.as_deref() {
                None => return Some(at.header.entry_id.clone()),
                Some(id) => at = by_id.get(id)?,
            }
        }
        None
    };
    let mut after: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
    let mut roots = Vec::new();
    for entry in entries {
        match (&entry.header.supersedes, root(entry)) {
            (Some(_), Some(id)) => after.entry(id).or_default().push(entry),
            _ => roots.push(entry),
        }
    }
    let mut told: Vec<Told<'_>> = roots
        .into_iter()
        .map(|entry| {
            let mut later = after.remove(&entry.header.entry_id).unwrap_or_default();
            later.sort_by(|a, b| (&a.header.recorded_at, &a.header.entry_id).cmp(&(&b.header.recorded_at, &b.header.entry_id)));
            let (redactions, corrections): (Vec<_>, Vec<_>) = later.into_iter().partition(|e| e.header.kind == Kind::Redaction);
            let heads = standing(&corrections);
            let last = heads.iter().max_by_key(|e| (&e.header.recorded_at, &e.header.entry_id));
            let content = last.map_or(entry.content.as_ref(), |e| e.content.as_ref());
            Told { entry, content, conflict: heads.len() > 1, corrections, redactions }
        })
        .collect();
    told.sort_by_cached_key(|t| {
        let when = t.content.and_then(|c| c.when.instant()).unwrap_or(t.entry.order().0);
        (when, t.entry.header.recorded_at.clone(), t.entry.header.entry_id.clone())
    });
    told
}
