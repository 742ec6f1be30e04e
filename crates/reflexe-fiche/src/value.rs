//! A value of a column, as judging and wording see it.
use std::collections::BTreeSet;

use jiff::Timestamp;

/// One value. NULL is the absence of a value in a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A yes or no.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A number with decimals, in thousandths: ordered and comparable.
    Milli(i64),
    /// An instant.
    Time(Timestamp),
    /// A text.
    Text(String),
}

/// The distinct values of a column over the folded rows, sorted. Empty: unknown.
pub type Values = BTreeSet<Value>;

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The value as one text, the same in every language: for keys and links.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(t) => t.clone(),
            Self::Int(n) => n.to_string(),
            Self::Bool(b) => b.to_string(),
            Self::Milli(n) => format!("{n}e-3"),
            Self::Time(t) => t.to_string(),
        }
    }

    /// The instant, if it is one.
    pub fn as_time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(t) => Some(*t),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Milli(n) => Some(n / 1000),
            _ => None,
        }
    }
}
