//! The journal as it is handed out: CSV for people and for machines, a spreadsheet, JSON lines, a page to print. Pure functions
//! of entries; whoever writes the file records it in the journal.
mod csv;
mod html;
mod text;
mod told;
mod words;
mod xlsx;

use reflexe_model::Entry;

pub use self::{
    csv::{Delimiter, csv_human, csv_machine},
    html::{HtmlOptions, journal_html},
    text::{journal_text, one_line},
    told::{Told, tell},
    xlsx::xlsx,
};

/// Why an export could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A row of CSV could not be written.
    #[error("the CSV could not be written: {0}")]
    Csv(String),
    /// The spreadsheet could not be written.
    #[error("the spreadsheet could not be written: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// An entry has no JSON form, or a line is no entry.
    #[error("line {line} of the journal is no entry: {source}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// The page could not be rendered.
    #[error("the page could not be rendered: {0}")]
    Template(#[from] askama::Error),
}

/// One entry a line, whole: the only export that can be verified and read again.
///
/// # Errors
/// When an entry has no JSON form.
pub fn jsonl(entries: &[Entry]) -> Result<String, ExportError> {
    let mut out = String::new();
    for (n, entry) in entries.iter().enumerate() {
        out.push_str(&serde_json::to_string(entry).map_err(|source| ExportError::Json { line: n + 1, source })?);
        out.push('\n');
    }
    Ok(out)
}

/// Reads what [`jsonl`] wrote.
///
/// # Errors
/// When a line is no entry.
pub fn from_jsonl(text: &str) -> Result<Vec<Entry>, ExportError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(n, line)| serde_json::from_str(line).map_err(|source| ExportError::Json { line: n + 1, source })).collect()
}
