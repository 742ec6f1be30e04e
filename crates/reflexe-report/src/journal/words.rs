//! Names and words of the journal's exports.
use reflexe_model::{Kind, Lang, Status};
use serde::Serialize;

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
