//! Names and words of the journal's exports.
use reflexe_model::{Content, Kind, Lang, Precision, Status};
use serde::Serialize;

use crate::show::visible;

/// The name of a value of the model, as JSON writes it.
pub(crate) fn name<T: Serialize>(value: &T) -> String {
    // Values of the model's closed lists are texts in JSON.
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The offset of an RFC 3339 moment: `+01:00`, `Z`.
pub(crate) fn offset(moment: &str) -> &str {
    let time = moment.find('T').unwrap_or(0);
    moment[time..].find(['+', '-', 'Z']).map_or("", |at| &moment[time + at..])
}

/// Day and minute of an RFC 3339 moment, as it was meant: `2026-11-22 14:32`.
pub(crate) fn minute(moment: &str) -> String {
    moment.get(..16).unwrap_or(moment).replace('T', " ")
}

/// The hour as it was told, with its offset: `≈ 14:10 – 14:25 +01:00`; as it was typed where no hour is known, nothing for a day.
pub(crate) fn hour(c: &Content) -> String {
    let moment = minute(&c.when.start);
    let time = moment.split_once(' ').map_or("", |(_, time)| time);
    let about = if c.when.approx { "≈ " } else { "" };
    let end = c.when.end.as_deref().and_then(|e| e.get(11..16)).map_or(String::new(), |e| format!(" – {e}"));
    match c.when.precision {
        Precision::Day => String::new(),
        Precision::Unknown => visible(&c.when.text, 40),
        _ => visible(&format!("{about}{time}{end} {}", offset(&c.when.start)), 64),
    }
}

/// That an entry was written more than ten minutes after what it tells.
pub(crate) fn late(recorded_at: &str, c: &Content, lang: Lang) -> Option<String> {
    let recorded: jiff::Timestamp = recorded_at.parse().ok()?;
    let minutes = (recorded.as_second() - c.when.instant()?.as_second()) / 60;
    let known = !matches!(c.when.precision, Precision::Unknown | Precision::Day);
    (known && minutes > 10).then(|| {
        let (days, hours, rest) = (minutes / 1440, minutes / 60, minutes % 60);
        let span = match (days, hours) {
            (0, 0) => format!("{rest} min"),
            (0, _) => format!("{hours} h {rest:02}"),
            _ if lang == Lang::Fr => format!("{days} j {} h", hours % 24),
            _ => format!("{days} d {} h", hours % 24),
        };
        if lang == Lang::Fr { format!("écrit {span} plus tard") } else { format!("written {span} later") }
    })
}

/// A flag, in words; `None` for one that is not known.
pub(crate) fn flag(flag: &str, lang: Lang) -> Option<&'static str> {
    let (fr, en) = match flag {
        "in_summary" => ("au résumé", "in the summary"),
        "important" => ("important", "important"),
        "legitimate" => ("légitime", "legitimate"),
        _ => return None,
    };
    Some(if lang == Lang::Fr { fr } else { en })
}

/// What an entry tells, in words.
pub(crate) fn kind(kind: Kind, lang: Lang) -> &'static str {
    let (fr, en) = match kind {
        Kind::Event => ("événement", "event"),
        Kind::Action => ("action", "action"),
        Kind::Decision => ("décision", "decision"),
        Kind::Observation => ("constat", "observation"),
        Kind::Communication => ("échange", "communication"),
        Kind::Answer => ("réponse", "answer"),
        Kind::Severity => ("gravité", "severity"),
        Kind::Evidence => ("preuve", "evidence"),
        Kind::Deadline => ("échéance", "deadline"),
        Kind::System => ("logiciel", "product"),
        Kind::Correction => ("correction", "correction"),
        Kind::Redaction => ("retrait", "removal"),
        Kind::Note => ("note", "note"),
    };
    if lang == Lang::Fr { fr } else { en }
}

/// State of an action, in words.
pub(crate) fn status(status: Status, lang: Lang) -> &'static str {
    let (fr, en) = match status {
        Status::Planned => ("à faire", "to be done"),
        Status::Doing => ("en cours", "under way"),
        Status::Done => ("fait", "done"),
        Status::Failed => ("échec", "failed"),
        Status::Cancelled => ("abandonné", "given up"),
    };
    if lang == Lang::Fr { fr } else { en }
}
