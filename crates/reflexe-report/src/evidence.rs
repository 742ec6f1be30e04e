//! What an import recognised, row by row, and what it did not and why.
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reflexe_model::{EvidenceInfo, Lang, RowCount, Unrecognised};

use crate::{
    show::{span, visible, wrap},
    words::Words,
};

/// Longest path shown, in characters.
const PATH: usize = 200;
/// Width of the text.
const WIDTH: usize = 100;

/// What was recognised with its row accounting, what was not with the reason, and what lay beside.
pub fn evidence_text(evidence: &[EvidenceInfo], unrecognised: &[Unrecognised], lang: Lang) -> String {
    let w = Words(lang);
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        for part in wrap(text, WIDTH - indent) {
            out.push_str(&format!("{:indent$}{part}\n", ""));
        }
    };
    if evidence.is_empty() {
        line(0, w.no_evidence());
    }
    for file in evidence {
        line(0, &format!("○ {}", visible(&file.path, PATH)));
        line(4, &format!("{} · {}", visible(&file.source, PATH), w.accounting(file.rows)));
        let period = span(file.from, file.to, lang);
        if !period.is_empty() {
            line(4, &format!("{period} UTC"));
        }
        for note in &file.notes {
            line(4, &visible(note.get(lang), 2000));
        }
    }
    let (beside, problems): (Vec<_>, Vec<_>) = unrecognised.iter().partition(|u| u.harmless);
    for file in &problems {
        line(0, &format!("? {}", visible(&file.path, PATH)));
        let reason = visible(file.reason.get(lang), 2000);
        let why = if file.unread { reason } else { format!("{}{}{reason}", w.unrecognised(), w.colon()) };
        line(4, &why);
    }
    for file in &beside {
        line(0, &format!("– {}", visible(&file.path, PATH)));
        line(4, &visible(file.reason.get(lang), 2000));
    }
    if !evidence.is_empty() {
        let total = total(evidence);
        line(0, &format!("{}{}{}", w.files(files(evidence)), w.colon(), w.accounting(total)));
    }
    out
}

/// The period that each source covers, in the order of the sources.
pub(crate) fn periods(evidence: &[EvidenceInfo]) -> Vec<(&str, Timestamp, Timestamp)> {
    let mut out: BTreeMap<&str, (Timestamp, Timestamp)> = BTreeMap::new();
    for (source, from, to) in evidence.iter().filter_map(|e| Some((e.source.as_str(), e.from?, e.to?))) {
        out.entry(source).and_modify(|p| *p = (p.0.min(from), p.1.max(to))).or_insert((from, to));
    }
    out.into_iter().map(|(source, (from, to))| (source, from, to)).collect()
}

/// Number of files: one that holds several kinds of thing has several entries.
pub(crate) fn files(evidence: &[EvidenceInfo]) -> usize {
    evidence.iter().map(|e| (&e.path, &e.id)).collect::<BTreeSet<_>>().len()
}

/// What an answer rests on, where files were given that could not be read.
pub fn rests_on(evidence: &[EvidenceInfo], unrecognised: &[Unrecognised], lang: Lang) -> Option<String> {
    let unread = unrecognised.iter().filter(|u| u.unread).count();
    (unread > 0).then(|| Words(lang).rests_on(files(evidence), unread))
}

/// All rows together.
pub(crate) fn total(evidence: &[EvidenceInfo]) -> RowCount {
    evidence.iter().fold(RowCount::default(), |mut sum, e| {
        sum.add(e.rows);
        sum
    })
}
