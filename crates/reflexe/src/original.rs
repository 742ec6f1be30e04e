//! The original of a cited row: the one way from a locator to bytes, for the report and for whoever asks.
use reflexe_case::{Case, RawRecord};
use reflexe_engine::reference;
use reflexe_model::{Locator, NotALocator, RowRef, Text};

/// Bytes of a record that the report reads.
const SHOWN: usize = 16 << 10;

/// Reads at most `limit` bytes of a record.
///
/// # Errors
/// With the sentence that says which file is gone or changed, and what to do.
pub fn read(case: &Case, locator: &Locator, limit: usize) -> Result<RawRecord, Text> {
    match locator {
        Locator::Evidence(place) => case.raw_record(place, limit).map_err(|e| e.text()),
        Locator::Known { table, line } => {
            let shipped = table.strip_prefix("ref.").and_then(|name| reference::line(name, *line));
            let line = shipped.ok_or_else(|| match table.as_str() {
                "input" => Text::new(
                    "Cette ligne vient de ce que des personnes ont préparé ou répondu : voyez le dossier de préparation et la main courante.",
                    "This row is what people prepared or answered: see the preparation pack and the journal.",
                ),
                _ => Text::new(
                    format!("Cette version ne livre pas de ligne {locator}."),
                    format!("This version ships no row {locator}."),
                ),
            })?;
            Ok(RawRecord { bytes: line.as_bytes()[..line.len().min(limit)].to_vec(), length: line.len() as u64 })
        }
    }
}

/// The original of a row as the report prints it, cut at a bound.
///
/// # Errors
/// As [`read`].
pub fn shown(case: &Case, row: &RowRef) -> Result<String, Text> {
    let locator = row.locator.parse().map_err(|_| not_one(&row.locator))?;
    let record = read(case, &locator, SHOWN)?;
    let mut text = String::from_utf8_lossy(&record.bytes).into_owned();
    if record.is_cut() {
        text.push('…');
    }
    Ok(text)
}

/// What is said of a text that is not a locator.
pub fn not_one(text: &str) -> Text {
    let shown = reflexe_fiche::say::clean(text);
    Text::new(
        format!("« {shown} » n’est pas un repère. Copiez-en un du rapport ou de --json : {}.", NotALocator::FORM),
        format!("“{shown}” is not a locator. Copy one from the report or from --json: {}.", NotALocator::FORM),
    )
}
