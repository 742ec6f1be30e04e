//! Entries of a journal for the tests of this crate.
use std::collections::BTreeMap;

use reflexe_model::{Content, Entry, Head, Header, Kind, Origin, Payload, Precision, Status, When, ZoneSource};

/// An entry as a device writes it at a moment, knowing the entries of others up to `seen`. Its hash is its id: both are unique.
pub(crate) fn written(
    id: &str,
    writer: &str,
    actor: &str,
    seq: u64,
    seen: BTreeMap<String, Head>,
    stamp: &str,
    payload: &Payload,
) -> Entry {
    let header = Header {
        entry_id: id.into(),
        case_id: "c".into(),
        seq,
        writer: writer.into(),
        prev: None,
        seen,
        kind: Kind::Note,
        recorded_at: stamp.into(),
        supersedes: None,
        about: None,
        body_hash: String::new(),
        attachments: vec![],
    };
    let content = Content {
        when: When {
            text: stamp.into(),
            start: stamp.into(),
            end: None,
            precision: Precision::Second,
            approx: false,
            tz_source: ZoneSource::Default,
        },
        actor: actor.into(),
        recorded_by: actor.into(),
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
        data: Some(serde_json::to_value(payload).expect("a payload is JSON")),
    };
    Entry { header, hash: id.into(), signature: String::new(), salt: None, content: Some(content) }
}

/// Entry `seq` of a writer who knows of nobody else.
pub(crate) fn entry(writer: &str, seq: u64, payload: &Payload) -> Entry {
    let stamp = format!("2026-11-22T10:00:{seq:02}Z");
    written(&format!("{writer}{seq}"), writer, "M. Durand", seq, BTreeMap::new(), &stamp, payload)
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
