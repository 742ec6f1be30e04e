//! The journal as CSV, in two profiles: for people, whose spreadsheet must not run what an attacker wrote, and for machines, exact.
use std::collections::BTreeMap;

use reflexe_fiche::say;
use reflexe_model::{Content, Entry, Origin};

use super::{ExportError, words};

/// What separates cells in the profile for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// `;`: spreadsheets set to French.
    Semicolon,
    /// `,`
    Comma,
}

const COLUMNS: [&str; 24] = [
    "entry_id",
    "kind",
    "when_text",
    "when_start_utc",
    "when_end_utc",
    "precision",
    "approx",
    "tz",
    "recorded_at_utc",
    "actor",
    "recorded_by",
    "title",
    "body",
    "targets",
    "links",
    "status",
    "assignee",
    "supersedes",
    "superseded_by",
    "tlp",
    "origin",
    "writer",
    "seq",
    "entry_hash",
];

/// CSV for people: UTF-8 with a mark, every cell quoted, and an apostrophe before what a spreadsheet would run.
///
/// # Errors
/// When a row cannot be written.
pub fn csv_human(entries: &[Entry], delimiter: Delimiter) -> Result<String, ExportError> {
    let delimiter = match delimiter {
        Delimiter::Semicolon => b';',
        Delimiter::Comma => b',',
    };
    let mut builder = csv::WriterBuilder::new();
    builder.delimiter(delimiter).quote_style(csv::QuoteStyle::Always).terminator(csv::Terminator::CRLF);
    let text = write(&builder, entries, &|list| list.join("; "), &say::defused)?;
    Ok(format!("\u{feff}{text}"))
}

/// CSV for machines: exact values, RFC 4180; lists are JSON. Not to be opened in a spreadsheet.
///
/// # Errors
/// When a row cannot be written.
pub fn csv_machine(entries: &[Entry]) -> Result<String, ExportError> {
    let mut builder = csv::WriterBuilder::new();
    builder.terminator(csv::Terminator::CRLF);
    let json = |list: &[String]| serde_json::Value::from(list.to_vec()).to_string();
    write(&builder, entries, &json, &str::to_owned)
}

fn write(
    builder: &csv::WriterBuilder,
    entries: &[Entry],
    list: &dyn Fn(&[String]) -> String,
    cell: &dyn Fn(&str) -> String,
) -> Result<String, ExportError> {
    let mut later: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in entries {
        if let Some(id) = &entry.header.supersedes {
            later.entry(id).or_default().push(entry.header.entry_id.clone());
        }
    }
    let failed = |e: csv::Error| ExportError::Csv(e.to_string());
    let mut out = builder.from_writer(Vec::new());
    out.write_record(COLUMNS).map_err(failed)?;
    for entry in entries {
        let superseded_by = later.get(entry.header.entry_id.as_str()).map_or(String::new(), |l| l.join(" "));
        out.write_record(row(entry, &superseded_by, list).iter().map(|value| cell(value))).map_err(failed)?;
    }
    let bytes = out.into_inner().map_err(|e| ExportError::Csv(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| ExportError::Csv(e.to_string()))
}

fn row(entry: &Entry, superseded_by: &str, list: &dyn Fn(&[String]) -> String) -> [String; 24] {
    let h = &entry.header;
    let c = entry.content.as_ref();
    let of = |get: fn(&Content) -> &str| c.map_or(String::new(), |c| get(c).to_owned());
    let utc = |text: &str| text.parse::<jiff::Timestamp>().map_or_else(|_| text.to_owned(), |t| t.to_string());
    let lists = |get: fn(&Content) -> &Vec<String>| c.map(get).filter(|l| !l.is_empty()).map_or(String::new(), |l| list(l));
    [
        h.entry_id.clone(),
        words::name(&h.kind),
        of(|c| &c.when.text),
        c.map_or(String::new(), |c| utc(&c.when.start)),
        c.and_then(|c| c.when.end.as_deref()).map_or(String::new(), utc),
        c.map_or(String::new(), |c| words::name(&c.when.precision)),
        c.map_or(String::new(), |c| c.when.approx.to_string()),
        c.map_or(String::new(), |c| words::offset(&c.when.start).to_owned()),
        h.recorded_at.clone(),
        of(|c| &c.actor),
        of(|c| &c.recorded_by),
        of(|c| &c.title),
        of(|c| &c.body),
        lists(|c| &c.targets),
        lists(|c| &c.links),
        c.and_then(|c| c.status).map_or(String::new(), |s| words::name(&s)),
        c.and_then(|c| c.assignee.clone()).unwrap_or_default(),
        h.supersedes.clone().unwrap_or_default(),
        superseded_by.to_owned(),
        c.and_then(|c| c.tlp.clone()).unwrap_or_default(),
        c.map_or(String::new(), |c| match &c.origin {
            Origin::Imported(from) => format!("imported({from})"),
            other => words::name(other),
        }),
        h.writer.clone(),
        h.seq.to_string(),
        entry.hash.clone(),
    ]
}
