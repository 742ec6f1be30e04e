//! The main courante: what one entry is, which entry was written knowing which, and what still stands.
//!
//! Nothing is edited: everything that people and the product do is an entry, and every mutable view (answers, triage, state of
//! a step, clocks, severity retained, people) is a fold over entries. How entries are hashed, signed and stored is the business
//! of `reflexe-case`; what they mean is the business of `reflexe-fiche`.
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something happened.
    Event,
    /// Somebody did something; has a [`Status`].
    Action,
    /// A decision.
    Decision,
    /// Triage of a finding or of rows.
    Observation,
    /// A call, a mail, a meeting.
    Communication,
    /// An answer to a question.
    Answer,
    /// The severity, computed or retained by a person.
    Severity,
    /// Evidence came in.
    Evidence,
    /// A legal deadline moved.
    Deadline,
    /// The product: case opened, timer, checks run, export, anchor, merge.
    System,
    /// Replaces an entry (`supersedes`).
    Correction,
    /// Removes the content of an entry (`supersedes`); its header and hash stay.
    Redaction,
    /// Anything else.
    Note,
}

/// How exactly the time of an entry is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// To the second.
    Second,
    /// To the minute.
    Minute,
    /// To a quarter of an hour.
    Quarter,
    /// To the hour.
    Hour,
    /// To the day.
    Day,
    /// Not known.
    Unknown,
}

/// Where the zone of a time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneSource {
    /// Typed with the time.
    Typed,
    /// The case's zone.
    Default,
    /// Evidence: always UTC.
    Evidence,
}

/// When something happened, as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// As typed.
    pub text: String,
    /// The moment, RFC 3339 with the offset that was meant (`2026-11-22T14:32:00+01:00`).
    pub start: String,
    /// End of an interval, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// How exactly it is known.
    pub precision: Precision,
    /// "About".
    #[serde(default)]
    pub approx: bool,
    /// Where the zone comes from.
    pub tz_source: ZoneSource,
}

impl When {
    /// The moment on the world's clock; `None` if the text is no RFC 3339 moment.
    pub fn instant(&self) -> Option<Timestamp> {
        self.start.parse().ok()
    }
}

/// Where an entry comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Typed by a person.
    Typed,
    /// Drawn from evidence.
    Evidence,
    /// A row of an imported file: `file#row`.
    Imported(String),
    /// Copied from paper.
    Transcribed,
    /// Written by the product.
    Generated,
}

/// State of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To be done.
    Planned,
    /// Under way.
    Doing,
    /// Done.
    Done,
    /// Tried and failed.
    Failed,
    /// Given up.
    Cancelled,
}

/// Where a writer's chain stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Position in the chain, from 1.
    pub seq: u64,
    /// Hash of the entry there, lower-case hexadecimal.
    pub hash: String,
}

/// What stays of an entry for ever, also after a redaction. Hashed and signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// UUID version 7, made by the writing device.
    pub entry_id: String,
    /// The case.
    pub case_id: String,
    /// Position in this writer's chain: 1, 2, 3 …
    pub seq: u64,
    /// The writing device: its Ed25519 public key, lower-case hexadecimal.
    pub writer: String,
    /// Hash of this writer's previous entry.
    pub prev: Option<String>,
    /// Where every other writer's chain stood, as far as this one knew.
    pub seen: BTreeMap<String, Head>,
    /// What it tells.
    pub kind: Kind,
    /// When it was written, by the device's clock, UTC, to the millisecond.
    pub recorded_at: String,
    /// The entry that this one corrects or redacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<String>,
    /// The entry that this one speaks about: a change of status, a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// SHA-256 of salt and content.
    pub body_hash: String,
    /// SHA-256 of attached files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
}

/// What an entry says. A redaction removes it and its salt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// When it happened.
    pub when: When,
    /// Who acted or informed: a person, or a service.
    pub actor: String,
    /// Who typed; differs from the actor when transcribing.
    pub recorded_by: String,
    /// Where it comes from.
    pub origin: Origin,
    /// One line, at most 120 characters.
    pub title: String,
    /// Plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Accounts, mailboxes, applications, devices, addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Ids of findings, rows, questions, steps, items, techniques.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// For an action: the command, the account used, the hash of its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// For an action: the account used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_used: Option<String>,
    /// For an action: hash of its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_digest: Option<String>,
    /// For an action: its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// For an action: who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// For an action: due, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Effect that was seen, wanted or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// `in_summary`, `important`, `legitimate`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// Traffic light, if not the case's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<String>,
    /// Permissible actions, if not the case's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pap: Option<String>,
    /// The typed payload of what a fold reads ([`crate::Payload`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What stays.
    pub header: Header,
    /// `SHA-256("reflexe-entry-v1" ‖ canonical header)`, lower-case hexadecimal.
    pub hash: String,
    /// Ed25519 signature over the hash, lower-case hexadecimal.
    pub signature: String,
    /// Salt of the body hash, lower-case hexadecimal; gone after a redaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// What it says; gone after a redaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
}

impl Entry {
    /// Whether this entry's writer knew the other one: same chain and later, or seen.
    pub fn knows(&self, other: &Self) -> bool {
        if self.header.writer == other.header.writer {
            return self.header.seq > other.header.seq;
        }
        self.header.seen.get(&other.header.writer).is_some_and(|head| head.seq >= other.header.seq)
    }

    /// The key of the one order in which a journal is told: moment, then written, then id.
    pub fn order(&self) -> (Timestamp, String, String) {
        let recorded: Timestamp = self.header.recorded_at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let when = self.content.as_ref().and_then(|c| c.when.instant()).unwrap_or(recorded);
        (when, self.header.recorded_at.clone(), self.header.entry_id.clone())
    }
}

/// The entries that no other of these was written in knowledge of: one is the value that stands, several are a conflict.
///
/// Order of the result follows the ids, so that it does not depend on who merged what first.
pub fn standing<'a>(entries: &[&'a Entry]) -> Vec<&'a Entry> {
    let mut heads: Vec<&Entry> = entries.iter().filter(|e| !entries.iter().any(|other| other.knows(e))).copied().collect();
    heads.sort_by(|a, b| a.header.entry_id.cmp(&b.header.entry_id));
    heads.dedup_by(|a, b| a.header.entry_id == b.header.entry_id);
    heads
}
