//! An entry before it is written: what a person or the product wants to say.
use std::collections::BTreeMap;

use jiff::Timestamp;
use reflexe_model::{Content, Kind, Origin, Payload, Precision, Text, When, ZoneSource};

/// Longest title, in characters.
pub const TITLE: usize = 120;

/// An entry to be written. Only kind, time, actor and title are asked for; the rest of `content` may be filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What it tells.
    pub kind: Kind,
    /// What it says.
    pub content: Content,
    /// The entry that it speaks about.
    pub about: Option<String>,
    /// SHA-256 of files that were attached ([`crate::journal::Journal::attach`]).
    pub attachments: Vec<String>,
}

impl Draft {
    /// An entry typed by a person. A text longer than a title goes whole into the body, and its beginning is the title.
    pub fn new(kind: Kind, when: When, actor: impl Into<String>, text: &str) -> Self {
        let actor = actor.into();
        let (title, body) = titled(text);
        let content = Content {
            when,
            recorded_by: actor.clone(),
            actor,
            origin: Origin::Typed,
            title,
            body,
            targets: Vec::new(),
            links: Vec::new(),
            command: None,
            account_used: None,
            output_digest: None,
            status: None,
            assignee: None,
            due: None,
            effect: None,
            flags: Vec::new(),
            tlp: None,
            pap: None,
            data: None,
        };
        Self { kind, content, about: None, attachments: Vec::new() }
    }

    /// An entry that the product writes: its title in both languages, a name and facts that a program can read.
    pub fn fact(kind: Kind, name: &str, title: &Text, facts: BTreeMap<String, String>, now: Timestamp) -> Self {
        let mut draft = Self::new(kind, at(now), "reflexe", &format!("{} / {}", title.fr, title.en));
        draft.content.origin = Origin::Generated;
        draft.with(&Payload::Fact { name: name.to_owned(), facts })
    }

    /// The same with a payload that folds read.
    #[must_use]
    pub fn with(mut self, payload: &Payload) -> Self {
        // A payload is plain data of this program: texts, numbers, lists; it always has a JSON form.
        self.content.data = serde_json::to_value(payload).ok();
        self
    }
}

/// The present moment, as the clock of the device gives it.
pub(crate) fn at(now: Timestamp) -> When {
    let text = format!("{now:.0}");
    When { start: text.clone(), text, end: None, precision: Precision::Second, approx: false, tz_source: ZoneSource::Typed }
}

/// Title and body of a text: one short line is a title, anything longer is a body with its beginning as the title.
pub(crate) fn titled(text: &str) -> (String, String) {
    let text = text.trim();
    if text.chars().count() <= TITLE && !text.contains('\n') {
        return (text.to_owned(), String::new());
    }
    let line = text.lines().next().unwrap_or_default();
    let mut title: String = line.chars().take(TITLE - 1).collect();
    title.truncate(title.trim_end().len());
    title.push('…');
    (title, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_kept_whole() {
        let long = "mot ".repeat(60);
        let draft = Draft::new(Kind::Note, at(Timestamp::UNIX_EPOCH), "Dupont", &long);
        assert!(draft.content.title.chars().count() <= TITLE && draft.content.title.ends_with('…'));
        assert_eq!(draft.content.body, long.trim());
        let short = Draft::new(Kind::Note, at(Timestamp::UNIX_EPOCH), "Dupont", " appel ");
        assert_eq!((short.content.title.as_str(), short.content.body.as_str()), ("appel", ""));
    }
}
