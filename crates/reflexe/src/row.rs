//! `reflexe row`: the original record behind a locator, with its file, its line, and the rows that were made of it.
use std::{collections::BTreeMap, path::Path, process::ExitCode};

use anyhow::Result;
use reflexe_case::{Case, RawRecord};
use reflexe_engine::{Inputs, rows::Made};
use reflexe_fiche::say;
use reflexe_model::{Lang, Locator, Text};
use serde_json::{Value, json};

use crate::{assemble, commands, original};

/// Longest record that is printed; the longest that the readers take is shorter.
const LIMIT: usize = 64 << 20;

/// A record that was found.
struct Found {
    locator: Locator,
    /// Path as it was given.
    file: String,
    made: Vec<Made>,
    record: RawRecord,
}

/// Prints the records behind some locators. One that cannot be shown is told, and the others are printed all the same.
///
/// # Errors
/// When the case cannot be read.
pub fn run(dir: &Path, locators: &[String], lang: Lang, json: bool) -> Result<ExitCode> {
    let mut asked = Vec::new();
    for text in locators {
        match text.parse::<Locator>() {
            Ok(locator) => asked.push(locator),
            Err(_) => {
                errln!("reflexe: {}", original::not_one(text).get(lang));
                return Ok(ExitCode::from(2));
            }
        }
    }
    let case = commands::existing(dir, lang)?;
    let session = assemble::session(&case, None, assemble::Limits::default(), Inputs::default())?;
    let mut made = session.made_of(&asked)?;
    let files: BTreeMap<String, String> = case.evidence_files()?.into_iter().map(|f| (f.id(), f.path)).collect();
    let mut told = Vec::new();
    let mut all_found = true;
    for locator in asked {
        let name = locator.to_string();
        match found(&case, locator, made.remove(&name).unwrap_or_default(), &files) {
            Ok(found) if json => told.push(found.json()),
            Ok(found) => found.print(lang),
            Err(reason) => {
                all_found = false;
                if json {
                    told.push(json!({ "locator": name, "error": reason }));
                }
                errln!("reflexe: {name}: {}", say::clean_whole(reason.get(lang)));
            }
        }
    }
    if json {
        crate::out::json(&json!({ "schema": "reflexe.rows/1", "rows": told }))?;
    }
    Ok(ExitCode::from(if all_found { 0 } else { 3 }))
}

fn found(case: &Case, locator: Locator, made: Vec<Made>, files: &BTreeMap<String, String>) -> Result<Found, Text> {
    let file = match &locator {
        Locator::Evidence(place) => files.get(&place.evidence_id).cloned().ok_or_else(|| {
            let id = &place.evidence_id;
            Text::new(
                format!("le cas ne contient pas de preuve {id} ; « reflexe case show » montre celles qu’il contient"),
                format!("the case holds no evidence {id}; “reflexe case show” lists what it holds"),
            )
        })?,
        Locator::Known { table, .. } => table.clone(),
    };
    if made.is_empty() && matches!(locator, Locator::Evidence(_)) {
        let shown = say::clean(&file);
        return Err(Text::new(
            format!("aucune ligne du cas n’a été lue à cette place de {shown} ; copiez le repère entier du rapport ou de --json"),
            format!(
                "no row of the case was read at that place of {shown}; copy the whole locator from the report or from --json"
            ),
        ));
    }
    let record = original::read(case, &locator, LIMIT)?;
    Ok(Found { locator, file, made, record })
}

impl Found {
    fn line(&self) -> u64 {
        match &self.locator {
            Locator::Evidence(place) => place.line,
            Locator::Known { line, .. } => *line,
        }
    }

    fn json(&self) -> Value {
        let mut told = json!({
            "locator": self.locator.to_string(), "file": self.file, "line": self.line(), "length": self.record.length,
            "pointer": self.pointer(),
            "rows": self.made.iter().map(|m| json!({ "table": m.table, "record_id": m.record_id })).collect::<Vec<_>>(),
            "record": String::from_utf8_lossy(&self.record.bytes), "cut": self.record.is_cut(),
        });
        // A text cannot hold them: the very bytes stand beside it.
        if std::str::from_utf8(&self.record.bytes).is_err() {
            told["hex"] = self.record.bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().into();
        }
        told
    }

    fn pointer(&self) -> Option<&str> {
        match &self.locator {
            Locator::Evidence(place) => place.pointer.as_deref(),
            Locator::Known { .. } => None,
        }
    }

    fn print(&self, lang: Lang) {
        let (line, bytes, part) = if lang == Lang::Fr { ("ligne", "octets", "partie") } else { ("line", "bytes", "part") };
        outln!("{}", self.locator);
        let pointer = self.pointer().map(|p| format!(" · {part} {}", say::clean(p))).unwrap_or_default();
        outln!("  {} · {line} {} · {} {bytes}{pointer}", say::clean_whole(&self.file), self.line(), self.record.length);
        for made in &self.made {
            outln!("  {} {}", made.table, say::clean(made.record_id.as_deref().unwrap_or("–")));
        }
        let text = String::from_utf8_lossy(&self.record.bytes);
        // Its own line breaks and tabs stay; nothing else that a terminal would obey.
        text.trim_end_matches(['\r', '\n']).split('\n').for_each(|line| {
            let parts: Vec<String> = line.trim_end_matches('\r').split('\t').map(say::clean_whole).collect();
            outln!("{}", parts.join("\t"));
        });
        if self.record.is_cut() {
            outln!("…");
        }
    }
}
