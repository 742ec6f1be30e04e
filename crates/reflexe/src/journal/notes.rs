//! Notes taken elsewhere: shown as they were understood, written only when asked.
use std::{io::Read as _, path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use reflexe_case::journal::{
    Draft,
    notes::{self, Mapping, NoteRow, Table},
    quick::Known,
};
use reflexe_fiche::say::clean;
use reflexe_model::Lang;
use reflexe_report::journal::one_line;

use crate::desk::Desk;

/// Longest text that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// Shows what notes would become; with `write`, writes what is not in the journal yet.
pub(super) fn import(desk: &mut Desk, file: &Path, columns: Option<&str>, write: bool) -> Result<ExitCode> {
    let mapping = columns.map(|c| mapping(c, desk)).transpose()?;
    let rows = read(desk, file, mapping)?;
    for row in &rows {
        show(row, desk.lang);
    }
    let drafts: Vec<Draft> = rows.iter().filter(|r| !r.duplicate).map(|r| r.draft.clone()).collect();
    let (all, double, warned) =
        (rows.len(), rows.len() - drafts.len(), rows.iter().filter(|r| !r.duplicate && !r.warnings.is_empty()).count());
    match desk.lang {
        Lang::Fr => outln!("{all} lignes, {double} déjà présentes, {warned} à relire."),
        Lang::En => outln!("{all} rows, {double} there already, {warned} to be looked at."),
    }
    if !write {
        outln!(
            "{}",
            desk.pick(
                "Rien n’est écrit. Pour écrire : la même commande avec --write.",
                "Nothing is written. To write: the same command with --write."
            )
        );
        return Ok(ExitCode::SUCCESS);
    }
    let written = desk.journal.add_all(&drafts)?.len();
    desk.reload()?;
    match desk.lang {
        Lang::Fr => outln!("{written} écritures ajoutées."),
        Lang::En => outln!("{written} entries added."),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(row: &NoteRow, lang: Lang) {
    outln!("{:>4}  {}", row.row, one_line(&row.draft.content, lang));
    for warning in &row.warnings {
        // A warning quotes the row: each of its words is cleaned, so that the sentence stays whole.
        outln!("      ! {}", warning.get(lang).split(' ').map(clean).collect::<Vec<_>>().join(" "));
    }
}

fn read(desk: &Desk, file: &Path, given: Option<Mapping>) -> Result<Vec<NoteRow>> {
    let (people, accounts) = (desk.known_people(), super::accounts(desk)?);
    let known = Known { now: desk.now(), zone: desk.zone.clone(), me: &desk.me, people: &people, accounts: &accounts };
    let ending = file.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let table = match ending.as_str() {
        "csv" | "tsv" => notes::csv(file)?,
        "xlsx" | "xlsm" | "xls" | "xlsb" | "ods" => notes::spreadsheet(file)?,
        _ => {
            if given.is_some() {
                bail!(
                    desk.pick("--columns ne vaut que pour un tableau (CSV, XLSX).", "--columns is for a table only (CSV, XLSX).")
                        .to_owned()
                );
            }
            return Ok(notes::pasted(&source(file, desk), &text(file)?, &known, &desk.entries));
        }
    };
    let guessed = notes::guess(&table);
    let Some(mapping) = given.or(guessed) else { bail!(unknown_columns(&table, desk)) };
    Ok(notes::preview(&table, &mapping, guessed.is_some(), &known, &desk.entries))
}

/// The lines of a file, or of the standard input.
fn text(file: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let mut source: Box<dyn std::io::Read> = match file.to_str() {
        Some("-") => Box::new(std::io::stdin().lock()),
        _ => Box::new(std::fs::File::open(file).with_context(|| file.display().to_string())?),
    };
    let read = source.by_ref().take(LONGEST + 1).read_to_end(&mut bytes).with_context(|| file.display().to_string())?;
    if read as u64 > LONGEST {
        bail!("{}: > {} MiB", file.display(), LONGEST >> 20);
    }
    String::from_utf8(bytes)
        .map(|t| t.trim_start_matches('\u{feff}').to_owned())
        .with_context(|| format!("{}: UTF-8", file.display()))
}

fn source(file: &Path, desk: &Desk) -> String {
    match file.to_str() {
        Some("-") => desk.pick("entrée standard", "standard input").to_owned(),
        _ => file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
    }
}

/// What to type when no header says what the columns hold.
fn unknown_columns(table: &Table, desk: &Desk) -> String {
    let first = table.rows.first().map(|row| row.iter().enumerate()).into_iter().flatten();
    let cells: Vec<String> = first.map(|(n, cell)| format!("{}: {}", n + 1, clean(cell))).collect();
    let ask = desk.pick(
        "Aucun titre de colonne reconnu. Dites ce que contient chaque colonne, par exemple --columns date=1,time=2,person=3,text=4,accounts=5. Première ligne :",
        "No column header is known. Say what each column holds, for instance --columns date=1,time=2,person=3,text=4,accounts=5. First row:",
    );
    format!("{ask} {}", cells.join(" | "))
}

/// Reads `date=1,time=2,person=3,text=4,accounts=5`.
fn mapping(text: &str, desk: &Desk) -> Result<Mapping> {
    let mut mapping = Mapping::default();
    for pair in text.split(',') {
        let wrong = || {
            let why = desk.pick(
                "attendu : date, time, zone, person, text ou accounts, puis = et le numéro de la colonne (à partir de 1)",
                "expected: date, time, zone, person, text or accounts, then = and the number of the column (from 1)",
            );
            format!("{} : {why}", clean(pair))
        };
        let (name, column) = pair.split_once('=').with_context(wrong)?;
        let column = column.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1)).with_context(wrong)?;
        let slot = match name.trim().to_lowercase().as_str() {
            "date" => &mut mapping.date,
            "time" => &mut mapping.time,
            "zone" => &mut mapping.zone,
            "person" => &mut mapping.person,
            "text" => &mut mapping.text,
            "accounts" => &mut mapping.accounts,
            _ => bail!(wrong()),
        };
        *slot = Some(column);
    }
    if mapping.text.is_none() {
        bail!(
            desk.pick("--columns doit dire où est le texte (text=…).", "--columns must say where the text is (text=…).")
                .to_owned()
        );
    }
    Ok(mapping)
}
