//! The journal as a spreadsheet: text cells only, so that nothing in it can run.
use std::collections::BTreeMap;

use reflexe_model::{Entry, Kind, Lang};
use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet};

use super::{
    ExportError,
    told::{Told, tell},
    words,
};

/// Longest cell that the format allows, in characters (of UTF-16).
const CELL: usize = 32_767;
/// Most rows of a sheet, with its header and the row that says what is left out.
const ROWS: usize = 1_048_576 - 2;

/// The spreadsheet: journal, actions, decisions, accounts, integrity. `verified` is the line about the chain.
///
/// # Errors
/// When it cannot be written.
pub fn xlsx(entries: &[Entry], verified: &str, lang: Lang) -> Result<Vec<u8>, ExportError> {
    let w = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    let told = tell(entries);
    let mut book = Workbook::new();
    let head = [
        w("Date et heure", "Date and time"),
        w("Personne", "Person"),
        w("Description", "Description"),
        w("Comptes et machines", "Accounts and devices"),
        w("Nature", "Kind"),
        w("État", "State"),
        w("Qui fait", "Who does it"),
        w("UTC", "UTC"),
        w("Écrit (UTC)", "Written (UTC)"),
        w("Corrigé", "Corrected"),
        w("Identifiant", "Id"),
    ];
    let widths = [20.0, 18.0, 70.0, 30.0, 14.0, 12.0, 16.0, 20.0, 24.0, 10.0, 38.0];
    type Choose = fn(&Told<'_>) -> bool;
    let sheets: [(&str, Choose); 3] = [
        (w("Journal", "Journal"), |_| true),
        (w("Actions", "Actions"), |t| t.kind() == Kind::Action),
        (w("Décisions", "Decisions"), |t| t.kind() == Kind::Decision),
    ];
    for (name, choose) in sheets {
        let rows = told.iter().filter(|t| choose(t)).map(|t| row(t, lang));
        sheet(&mut book, name, &head, &widths, rows, lang)?;
    }
    let mut targets: BTreeMap<&str, usize> = BTreeMap::new();
    told.iter().filter_map(|t| t.content).flat_map(|c| &c.targets).for_each(|t| *targets.entry(t).or_default() += 1);
    let rows = targets.into_iter().map(|(target, n)| vec![target.to_owned(), n.to_string()]);
    sheet(
        &mut book,
        w("Comptes", "Accounts"),
        &[w("Compte ou machine", "Account or device"), w("Écritures", "Entries")],
        &[50.0, 12.0],
        rows,
        lang,
    )?;
    let columns = [
        w("Poste (clé)", "Device (key)"),
        w("Numéro", "Number"),
        w("Empreinte", "Hash"),
        w("Signature", "Signature"),
        w("Vérification", "Verification"),
    ];
    let rows = entries.iter().enumerate().map(|(n, e)| {
        let said = if n == 0 { verified.to_owned() } else { String::new() };
        vec![e.header.writer.clone(), e.header.seq.to_string(), e.hash.clone(), e.signature.clone(), said]
    });
    sheet(&mut book, w("Intégrité", "Integrity"), &columns, &[66.0, 10.0, 66.0, 40.0, 50.0], rows, lang)?;
    Ok(book.save_to_buffer()?)
}

fn row(told: &Told<'_>, lang: Lang) -> Vec<String> {
    let h = &told.entry.header;
    let Some(c) = told.content else {
        let gone = if lang == Lang::Fr { "[contenu retiré]" } else { "[content removed]" };
        let mut row = vec![String::new(); 11];
        gone.clone_into(&mut row[2]);
        words::kind(told.kind(), lang).clone_into(&mut row[4]);
        row[8].clone_from(&h.recorded_at);
        row[10].clone_from(&h.entry_id);
        return row;
    };
    let about = if c.when.approx { "≈ " } else { "" };
    let text = if c.body.is_empty() { c.title.clone() } else { format!("{}\n{}", c.title, c.body) };
    let corrected = match (told.corrections.len(), told.conflict) {
        (0, _) => String::new(),
        (n, false) => n.to_string(),
        (n, true) => format!("{n} ({})", if lang == Lang::Fr { "en conflit" } else { "in conflict" }),
    };
    vec![
        format!("{about}{} {}", words::minute(&c.when.start), words::offset(&c.when.start)),
        c.actor.clone(),
        text,
        c.targets.join("\n"),
        words::kind(told.kind(), lang).to_owned(),
        c.status.map_or("", |s| words::status(s, lang)).to_owned(),
        c.assignee.clone().unwrap_or_default(),
        c.when.instant().map(|t| t.to_string()).unwrap_or_default(),
        h.recorded_at.clone(),
        corrected,
        h.entry_id.clone(),
    ]
}

fn sheet(
    book: &mut Workbook,
    name: &str,
    columns: &[&str],
    widths: &[f64],
    rows: impl Iterator<Item = Vec<String>>,
    lang: Lang,
) -> Result<(), ExportError> {
    // Written row by row: the strings stand in the cells themselves.
    let sheet: &mut Worksheet = book.add_worksheet_with_constant_memory()?;
    sheet.set_name(name)?;
    for (column, width) in (0u16..).zip(widths) {
        sheet.set_column_width(column, *width)?;
    }
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.set_freeze_panes(1, 0)?;
    for (column, text) in (0u16..).zip(columns) {
        sheet.write_string_with_format(0, column, *text, &bold)?;
    }
    let (mut at, mut left) = (1u32, 0usize);
    for row in rows {
        if at as usize > ROWS {
            left += 1;
            continue;
        }
        for (column, text) in (0u16..).zip(row) {
            sheet.write_string_with_format(at, column, cell(&text), &wrapped)?;
        }
        at += 1;
    }
    if left > 0 {
        let text = if lang == Lang::Fr {
            format!("{left} lignes de plus : voir l’export JSONL.")
        } else {
            format!("{left} more rows: see the JSONL export.")
        };
        sheet.write_string(at, 0, text)?;
    }
    sheet.autofilter(0, 0, at.saturating_sub(1).max(1), u16::try_from(columns.len().saturating_sub(1)).unwrap_or(0))?;
    Ok(())
}

/// What may stand in a cell: no character that XML 1.0 forbids, and no more of them than the format allows.
fn cell(text: &str) -> String {
    let allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let mut units = 0;
    let whole: String = text
        .chars()
        .filter(allowed)
        .take_while(|c| {
            units += c.len_utf16();
            units <= CELL
        })
        .collect();
    if units <= CELL {
        return whole;
    }
    let mut cut = whole;
    while cut.encode_utf16().count() > CELL - 1 {
        cut.pop();
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_what_the_format_allows() {
        assert_eq!(cell("a\u{0}b\u{fffe}c\u{1b}\n"), "abc\n");
        let long = cell(&"é".repeat(40_000));
        assert_eq!(long.encode_utf16().count(), CELL);
        assert!(long.ends_with('…'));
    }
}
