//! What reflexe says: the text in the terminal, the self-contained HTML report, and the schema of its JSON.
//!
//! Everything here is a pure function of a [`Qualification`](reflexe_model::Qualification): no clock, no files, no rules.
//! Every string of the evidence was chosen by an attacker, so it passes through [`show`] for the terminal and through the
//! escaping of the templates for HTML; no template uses a filter that switches that off.
mod evidence;
mod html;
pub mod journal;
mod json;
mod kit;
mod policy;
mod show;
mod strip;
mod terminal;
mod view;
mod words;

use reflexe_model::{Lang, RowRef, Text, Verdict};

pub use evidence::{evidence_text, rests_on};
pub use html::html;
pub use json::{json, json_line};
pub use kit::{KitInput, kit};
pub use terminal::terminal;

/// The published JSON Schema (draft 2020-12) of `qualify --json`.
pub const SCHEMA_JSON: &str = include_str!("../schema/qualification-1.json");

/// The published JSON Schema of the same for several tenants; it refers to the other by its `$id`.
pub const SCHEMA_SEVERAL_JSON: &str = include_str!("../schema/qualifications-1.json");

/// The word of a verdict, as the report says it.
pub fn verdict_word(verdict: Verdict, lang: Lang) -> &'static str {
    words::Words(lang).verdict(verdict)
}

/// How one kind of missing evidence is got, as the report prints it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObtainText {
    /// Id in `evidence/obtain`.
    pub id: String,
    /// What it is.
    pub title: Text,
    /// Where to click.
    pub portal: Option<Text>,
    /// The command that does the same; shown, never run.
    pub command: Option<String>,
    /// Least role that suffices.
    pub role: Option<Text>,
    /// Licence that is needed.
    pub licence: Option<Text>,
    /// Minutes that it takes.
    pub minutes: u32,
    /// What else to know.
    pub note: Option<Text>,
}

/// Looks up how an export is got, by its id in `evidence/obtain`.
pub type Obtains<'a> = &'a dyn Fn(&str) -> Option<ObtainText>;

/// Reads the original record of a row; else says why it cannot be read, and of which file.
pub type Originals<'a> = &'a dyn Fn(&RowRef) -> Result<String, Text>;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A template failed while rendering.
    #[error(
        "the HTML report could not be rendered: {0}. This is a fault of reflexe: `qualify --json` still gives the whole answer"
    )]
    Template(#[from] askama::Error),
}
