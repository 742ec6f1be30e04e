//! What people say in entries of the journal: answers, triage, states of steps, moments of clocks, the severity retained.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Entry;

/// The typed payload of an entry ([`crate::Content::data`]); one shape for each fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)] // A journal holds hundreds of them, not millions: a box would only burden who writes one.
pub enum Payload {
    /// An answer to a question; the last known one stands.
    Answer(Answer),
    /// A person's mark on a finding.
    Triage(Triage),
    /// A containment step: state, owner and due time stand in the entry itself.
    Step {
        /// Id in `fiche/next`.
        step: String,
        /// What it is about (an account, an application), if the step is done once for each.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
    },
    /// The moment from which clocks run: `aware`, `classified_major` … Each regime has its own; none is shared.
    ClockEvent {
        /// Id of the regime.
        regime: String,
        /// Name of the event.
        event: String,
        /// RFC 3339 with offset; `None` takes the moment back.
        at: Option<String>,
    },
    /// The state of a clock that people decide.
    ClockState {
        /// Id of the regime.
        regime: String,
        /// `done` or `not_applicable`; `open` takes it back.
        state: String,
        /// Reference number, or the reason.
        reason: String,
    },
    /// The severity that a person retained.
    Override {
        /// 1 to 4; `None` takes it back.
        level: Option<u8>,
        /// Why.
        reason: String,
        /// The interval that was computed then.
        computed: (u8, u8),
        /// Who countersigned a level outside the interval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        countersigned: Option<String>,
    },
    /// A compromised tenant is held to be circumscribed, by a decision.
    KeepPerimeter {
        /// Whether it is.
        keep: bool,
        /// Why.
        reason: String,
    },
    /// Somebody who works on the case.
    Person(Person),
    /// The time-box.
    Timer {
        /// `started`, `paused`, `resumed`, `extended`, `concluded`.
        what: String,
        /// Minutes that it started with or was extended by.
        #[serde(default)]
        minutes: u32,
    },
    /// What the product did, for `verify` and for the reader: a name and its facts.
    Fact {
        /// `case_opened`, `evidence`, `checks_run`, `severity`, `export`, `anchor`, `merge`, `command_shown`, …
        name: String,
        /// Facts, by name.
        facts: BTreeMap<String, String>,
    },
}

impl Payload {
    /// The payload of an entry; `None` if it has none, was redacted, or is of a kind that this version does not know.
    pub fn of(entry: &Entry) -> Option<Self> {
        serde_json::from_value(entry.content.as_ref()?.data.clone()?).ok()
    }
}

/// How near a value is to the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approx {
    /// Exact.
    #[default]
    Exact,
    /// About.
    About,
    /// At least.
    AtLeast,
    /// At most.
    AtMost,
    /// Between two.
    Range,
}

/// How sure the person is. Low keeps the other value open in the severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Probably.
    Low,
    /// Fairly.
    Medium,
    /// Certain.
    #[default]
    High,
}

/// What an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A finding, by id.
    Finding(String),
    /// A row of the evidence, by locator.
    EvidenceRow(String),
    /// What a person said.
    Witness(String),
    /// The person's own judgement.
    Judgement,
}

/// Why somebody does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DontKnow {
    /// No evidence: which.
    NoEvidence(String),
    /// No access: to what.
    NoAccess(String),
    /// No time.
    NoTime,
    /// Waiting for somebody.
    WaitingFor(String),
    /// Not their field: the role to ask.
    NotMyField(String),
    /// What is known contradicts itself.
    Contradictory,
    /// No reason was given.
    Unsaid,
}

/// A value, by the type of the question: a choice (`yes`, `no`, `confirmed`, `degraded`, `done` …), a count as an interval,
/// named things, text. Several may stand together (yes, and which).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnswerValue {
    /// One of the question's choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    /// Lowest and highest count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<(u64, u64)>,
    /// Named things. `Some(vec![])` says: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Vec<String>>,
    /// Categories of the question (regulated, secret, personal …).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Free text; the amount of a payment; a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A date or moment, as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// An answer to a question. Exactly one of `value`, `dont_know` and `not_applicable` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Id of the question.
    pub question: String,
    /// The value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<AnswerValue>,
    /// How near a count is.
    #[serde(default)]
    pub approx: Approx,
    /// How sure.
    #[serde(default)]
    pub confidence: Confidence,
    /// What it rests on.
    #[serde(default)]
    pub basis: Vec<Basis>,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dont_know: Option<DontKnow>,
    /// The question makes no sense here, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applicable: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Digest of the proposal that was accepted; if the proposal moves later, the answer says so and stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// A person's mark on a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triage {
    /// Id of the finding.
    pub finding: String,
    /// The mark.
    pub mark: Mark,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Fingerprint of the finding when it was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// What a person says of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Wanted and explained.
    Legitimate,
    /// The attacker.
    Malicious,
    /// Cannot say yet.
    Doubtful,
}

/// Somebody who works on the case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Person {
    /// Name.
    pub name: String,
    /// What they do (`RSSI`, `ADM` …).
    #[serde(default)]
    pub role: String,
    /// Organisation.
    #[serde(default)]
    pub organisation: String,
    /// Telephone.
    #[serde(default)]
    pub phone: String,
}
