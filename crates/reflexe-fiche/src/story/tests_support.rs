//! Findings for the tests of this crate.
use jiff::Timestamp;
use reflexe_model::{Finding, Link, Text, Verdict};

use super::StoryInputs;

/// A suspicious event of weight 70, stage S4, undated, without links.
pub(crate) fn finding(id: &str, check: &str, subject: &str) -> Finding {
    Finding {
        id: id.into(),
        check: check.into(),
        items: vec![],
        verdict: Verdict::Suspicious,
        decisive: false,
        weight: 70,
        stage: "S4".into(),
        subject: subject.into(),
        key: String::new(),
        actor: None,
        first_seen: None,
        last_seen: None,
        count: 1,
        text: Text::new(format!("{check} sur {subject}"), format!("{check} on {subject}")),
        attack: vec![],
        signs: vec![],
        points: 0,
        could_be: None,
        missing: vec![],
        links: vec![],
        in_context: false,
        class: "event".into(),
        also_suspects: None,
        beneficiaries: vec![],
        fingerprint: "f0".into(),
        rows_total: 1,
        rows: vec![],
    }
}

/// One hostile address, nothing else.
pub(crate) fn inputs() -> StoryInputs {
    StoryInputs { hostile: ["ip:203.0.113.66".to_owned()].into(), ..StoryInputs::default() }
}

/// `2026-11-<day>T<hour>:00:00Z`.
pub(crate) fn at(day: i8, hour: i8) -> Timestamp {
    format!("2026-11-{day:02}T{hour:02}:00:00Z").parse().expect("a valid instant")
}

pub(crate) fn link(kind: &str, value: &str) -> Link {
    Link { kind: kind.into(), value: value.into() }
}
