//! Simulated tenants with known truth: a scenario becomes the files that the collecting tools write, of any size,
//! with the truth beside them.
//!
//! One generator serves the demonstration, the tests, the exercises and the benchmarks. The same options give the same
//! bytes. Everything is fictional: organisations of example.com, addresses and networks of the ranges kept for documentation.
//!
//! `OUT/evidence/` is what a responder would have been handed; `OUT/truth.json` says what really happened, record by record.
mod acts;
mod audit;
mod background;
mod collection;
mod graph;
mod hard;
mod output;
mod rng;
mod scuba;
mod settings;
mod signin;
mod story;
mod tenant;
mod text;
mod truth;
mod ual;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

pub use collection::simulate;
pub use story::Both;

/// Form of the unified audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UalFormat {
    /// Bare `AuditData` objects, one a line (the tool's SOF-ELK form).
    Jsonl,
    /// The cmdlet's columns; the other logs then come as JSON arrays.
    Csv,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parts {
    /// All that a responder would have.
    All,
    /// The unified audit log alone, in one file: for benchmarks.
    UalOnly,
}

/// What to simulate.
#[derive(Debug, Clone, Serialize)]
pub struct Options {
    /// Name of a scenario.
    pub scenario: String,
    /// Number of people.
    pub users: u32,
    /// Days that the logs reach back.
    pub days: u32,
    /// Number of records of the unified audit log.
    pub events: u64,
    /// Chance: another seed gives other people, identifiers and times of everyday events.
    pub seed: u64,
    /// Last moment of the logs.
    pub end: Timestamp,
    /// Form of the unified audit log.
    pub ual: UalFormat,
    /// What is written.
    pub parts: Parts,
}

impl Options {
    /// A small tenant over the whole window: enough for every check, quick to judge.
    pub fn new(scenario: &str) -> Self {
        Options {
            scenario: scenario.to_owned(),
            users: 20,
            days: 180,
            events: 20_000,
            seed: 1,
            end: Timestamp::constant(1_774_980_000, 0), // 2026-03-31T18:00:00Z, a Tuesday
            ual: UalFormat::Jsonl,
            parts: Parts::All,
        }
    }
}

/// Least number of people: the cast of a story and some others.
pub const LEAST_USERS: u32 = 12;
/// Least number of days: the longest story fits.
pub const LEAST_DAYS: u32 = 30;

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Folder of the evidence.
    pub evidence: PathBuf,
    /// The truth.
    pub truth: PathBuf,
    /// Tenant id.
    pub tenant_id: String,
    /// Records of the unified audit log, repeated ones included.
    pub ual_records: u64,
    /// Repeated ones among them.
    pub ual_repeated: u64,
    /// Its files.
    pub ual_files: u64,
    /// Sign-ins of people and applications.
    pub sign_ins: u64,
    /// Directory audit records.
    pub directory_audits: u64,
    /// Steps of the story.
    pub steps: usize,
}

/// A scenario of the catalogue.
#[derive(Debug, Clone, Serialize)]
pub struct ScenarioInfo {
    /// Name, as [`Options::scenario`] wants it.
    pub name: String,
    /// What it is.
    pub title: Both,
}

/// The scenarios that come with the product.
pub fn scenarios() -> Result<Vec<ScenarioInfo>, Error> {
    Ok(story::list()?.into_iter().map(|(name, title)| ScenarioInfo { name, title }).collect())
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such scenario.
    #[error("no scenario is called `{name}`; there are: {known}")]
    UnknownScenario {
        /// As asked.
        name: String,
        /// What exists.
        known: String,
    },
    /// A scenario that contradicts itself.
    #[error("the scenario cannot be played: {0}")]
    Scenario(String),
    /// Options out of bounds.
    #[error("{0}")]
    Options(String),
    /// The place is taken.
    #[error("{} already holds a simulation; choose another folder or remove it", .0.display())]
    Exists(PathBuf),
    /// The disk refused.
    #[error("cannot write {}: {source}; check the free space and the rights of the folder", path.display())]
    Write {
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    fn write(path: &Path, source: std::io::Error) -> Self {
        Error::Write { path: path.to_owned(), source }
    }
}
