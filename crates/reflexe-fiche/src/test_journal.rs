//! Entries of a journal for the tests of this crate. Writers `a`, `b` … do not know of each other.
use std::collections::BTreeMap;

use reflexe_model::{Content, Entry, Header, Kind, Origin, Payload, Precision, Status, When, ZoneSource};

/// Entry `seq` of a writer.
pub(crate) fn entry(writer: &str, seq: u64, payload: &Payload) -> Entry {
    let at = format!("2026-11-22T10:00:{seq:02}Z");
    Entry {
        header: Header {
            entry_id: format!("{writer}{seq}"),
            case_id: "c".into(),
            seq,
            writer: writer.into(),
            prev: None,
            seen: BTreeMap::new(),
            kind: Kind::Note,
            recorded_at: at.clone(),
            supersedes: None,
            about: None,
            body_hash: String::new(),
            attachments: vec![],
        },
        hash: String::new(),
        signature: String::new(),
        salt: None,
        content: Some(Content {
            when: When {
                text: String::new(),
                start: at,
                end: None,
                precision: Precision::Second,
                approx: false,
                tz_source: ZoneSource::Default,
            },
            actor: "M. Durand".into(),
            recorded_by: "M. Durand".into(),
            origin: Origin::Typed,
            title: "t".into(),
            body: String::new(),
            targets: vec![],
            links: vec![],
            command: None,
            account_used: None,
            output_digest: None,
            status: None,
            assignee: None,
            due: None,
            effect: None,
            flags: vec![],
            tlp: None,
            pap: None,
            data: Some(serde_json::to_value(payload).expect("a payload")),
        }),
    }
}

pub(crate) fn clock_event(writer: &str, seq: u64, regime: &str, event: &str, at: Option<&str>) -> Entry {
    entry(writer, seq, &Payload::ClockEvent { regime: regime.into(), event: event.into(), at: at.map(str::to_owned) })
}

pub(crate) fn clock_state(writer: &str, seq: u64, regime: &str, state: &str, reason: &str) -> Entry {
    entry(writer, seq, &Payload::ClockState { regime: regime.into(), state: state.into(), reason: reason.into() })
}

pub(crate) fn step(writer: &str, seq: u64, step: &str, target: Option<&str>, status: Status) -> Entry {
    let mut e = entry(writer, seq, &Payload::Step { step: step.into(), target: target.map(str::to_owned) });
    if let Some(c) = &mut e.content {
        c.status = Some(status);
        c.assignee = Some("ADM".into());
    }
    e
}
