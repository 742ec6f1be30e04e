//! The closed lists of the product's vocabulary.
use serde::{Deserialize, Serialize};

/// A language of the product. Both are always written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// French.
    Fr,
    /// English.
    En,
}

/// A sentence in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// French.
    pub fr: String,
    /// English.
    pub en: String,
}

impl Text {
    /// Both languages at once.
    pub fn new(fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { fr: fr.into(), en: en.into() }
    }

    /// The sentence in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Fr => &self.fr,
            Lang::En => &self.en,
        }
    }
}

/// What a check, a finding or an item says. The order is the one in which the worst wins
/// (`design`: compromise > suspicious > weakness > unknown > info > ok).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The evidence covers the question and shows nothing.
    Ok,
    /// Context for the reader.
    Info,
    /// Evidence is missing, truncated or not logged.
    Unknown,
    /// A setting weaker than recommended, no trace of a hostile hand.
    Weakness,
    /// A typical act of an attacker that may have a legitimate reading: somebody must be asked.
    Suspicious,
    /// The rows themselves show a hostile act.
    Compromise,
}

impl Verdict {
    /// The word used in JSON, TOML and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Unknown => "unknown",
            Self::Weakness => "weakness",
            Self::Suspicious => "suspicious",
            Self::Compromise => "compromise",
        }
    }
}

/// How much of what a check needs was covered by the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CoverageLevel {
    /// Nothing of what the check needs is proven to be covered.
    None,
    /// A part of it.
    Partial,
    /// All of it.
    Full,
}

/// What an evidence file claims to hold of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every object of the kind.
    Full,
    /// A documented filter was applied.
    Filtered,
    /// Only what a tool disliked: absence proves nothing.
    FindingsOnly,
    /// Nobody knows.
    Unknown,
}

impl Scope {
    /// The word used in the column `scope`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Filtered => "filtered",
            Self::FindingsOnly => "findings_only",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether an incident of an action's type is established. `refuted` is said by people only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// Established.
    Confirmed,
    /// Signs that somebody must check.
    Suspected,
    /// The machine looked at everything it needs and found nothing.
    NotConfirmed,
    /// A person excluded it.
    Refuted,
    /// Not enough evidence.
    Unknown,
}

impl ActionState {
    /// The word used in JSON and TOML.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Suspected => "suspected",
            Self::NotConfirmed => "not_confirmed",
            Self::Refuted => "refuted",
            Self::Unknown => "unknown",
        }
    }
}
