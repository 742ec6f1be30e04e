//! What the files say of their dates: those that nobody can believe are named, and do not count in the period of their file.
use std::collections::BTreeMap;

use anyhow::Result;
use reflexe_engine::{Period, Session};
use reflexe_model::{EvidenceInfo, Text};

/// Dates of a file named one by one.
const NAMED: usize = 5;

/// Records of a file, and of a table, outside the period that somebody asked for.
pub type Outside = BTreeMap<String, BTreeMap<String, u64>>;

/// How many records of each table an option leaves out.
pub fn by_table(outside: &Outside) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for (table, n) in outside.values().flatten() {
        *out.entry(table.clone()).or_default() += n;
    }
    out
}

/// Adds the notes and corrects the periods.
///
/// # Errors
/// When a query fails.
pub fn tell(session: &Session, period: &Period, outside: &Outside, evidence: &mut [EvidenceInfo]) -> Result<()> {
    let mut told: BTreeMap<String, Text> = period.strange_in.iter().map(|(id, n)| (id.clone(), note(period, id, *n))).collect();
    let mut left_out: BTreeMap<&str, &BTreeMap<String, u64>> = outside.iter().map(|(id, tables)| (id.as_str(), tables)).collect();
    for file in evidence {
        let strange = period.strange_in.contains_key(&file.id);
        if let Some(window) = period.window.filter(|_| strange && file.from.is_some()) {
            let span = session.span_of(&file.id, &file.source, &window)?;
            (file.from, file.to) = (span.map(|s| s.0), span.map(|s| s.1));
        }
        // once a file, with its first source
        file.notes.extend(told.remove(&file.id));
        if let Some(tables) = left_out.remove(file.id.as_str()) {
            let n: u64 = tables.values().sum();
            file.notes.push(Text::new(
                format!("{n} enregistrement(s) hors de la période demandée : lus, pas cherchés."),
                format!("{n} record(s) outside the period asked for: read, not searched."),
            ));
        }
    }
    Ok(())
}

fn note(period: &Period, id: &str, n: u64) -> Text {
    let named = period.strange.iter().filter(|s| s.evidence_id == id).take(NAMED);
    let (fr, en): (Vec<String>, Vec<String>) =
        named.map(|s| (format!("ligne {}\u{a0}: {}", s.line, s.at), format!("line {}: {}", s.line, s.at))).unzip();
    let more = n.saturating_sub(fr.len() as u64);
    let rest = |word: &str| if more > 0 { format!(", {word} {more}") } else { String::new() };
    Text::new(
        format!(
            "{n} date(s) à plus de 30 jours de toutes les autres ou après l’import ({}{}) : ces lignes sont jugées, mais ne changent pas la période.",
            fr.join(", "),
            rest("et")
        ),
        format!(
            "{n} date(s) more than 30 days from every other or after the import ({}{}): these rows are judged, and do not change the period.",
            en.join(", "),
            rest("and")
        ),
    )
}
