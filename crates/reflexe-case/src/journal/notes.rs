//! Notes taken elsewhere: a table (CSV, XLSX) or pasted lines become drafts, shown before they are written. No row is dropped: one
//! that is not understood becomes a note with a warning, a repeated one is flagged, and each keeps its own text and number.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use calamine::{Data, Reader as _};
use jiff::tz::TimeZone;
use reflexe_model::{Content, Entry, Kind, Origin, Payload, Precision, Text, When, ZoneSource};
use sha2::{Digest as _, Sha256};

use super::{
    chain,
    draft::Draft,
    quick::{self, Known},
    when::{self, WhenError},
};
use crate::error::{Doing, Error};

/// Which column says what, by position from 0. What no column says is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Date, or date and time.
    pub date: Option<usize>,
    /// Time.
    pub time: Option<usize>,
    /// Zone or offset.
    pub zone: Option<usize>,
    /// Who acted or informed.
    pub person: Option<usize>,
    /// What happened.
    pub text: Option<usize>,
    /// Accounts, devices, addresses.
    pub accounts: Option<usize>,
}

/// A row as it would be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NoteRow {
    /// Number in the source, from 1 (a header counts).
    pub row: usize,
    /// The entry.
    pub draft: Draft,
    /// What should be looked at before it is written.
    pub warnings: Vec<Text>,
    /// The same moment, person and text stands in the journal, or earlier in these notes.
    pub duplicate: bool,
}

/// A table of notes, cut into cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name of the source, for the origin of each entry.
    pub name: String,
    /// Rows of cells; the first may be headers.
    pub rows: Vec<Vec<String>>,
    /// Number of the first row in the source.
    pub first: usize,
}

/// Headers by what they mean, in small letters.
const HEADERS: [(&[&str], fn(&mut Mapping) -> &mut Option<usize>); 6] = [
    (
        &[
            "date",
            "jour",
            "day",
            "datetime",
            "horodatage",
            "timestamp",
            "quand",
            "when",
            "date/heure",
            "date et heure",
            "when_text",
        ],
        |m| &mut m.date,
    ),
    (&["heure", "time", "hour", "hh:mm"], |m| &mut m.time),
    (&["fuseau", "fuseau horaire", "zone", "timezone", "tz", "time zone"], |m| &mut m.zone),
    (&["personne", "qui", "nom", "auteur", "acteur", "intervenant", "person", "who", "name", "author", "actor", "user"], |m| {
        &mut m.person
    }),
    (
        &[
            "description",
            "texte",
            "action",
            "évènement",
            "événement",
            "evenement",
            "quoi",
            "note",
            "commentaire",
            "message",
            "text",
            "event",
            "what",
            "details",
            "détails",
            "comment",
            "title",
            "titre",
        ],
        |m| &mut m.text,
    ),
    (
        &[
            "comptes",
            "compte",
            "machines",
            "cibles",
            "cible",
            "comptes/machines",
            "accounts",
            "account",
            "targets",
            "target",
            "assets",
            "hosts",
        ],
        |m| &mut m.accounts,
    ),
];

/// Guesses what the columns mean from the first row. `None` if it holds no header that tells a text.
pub fn guess(table: &Table) -> Option<Mapping> {
    let mut mapping = Mapping::default();
    for (column, cell) in table.rows.first()?.iter().enumerate() {
        let header = cell.trim_start_matches('\u{feff}').trim().to_lowercase();
        if let Some((_, slot)) = HEADERS.iter().find(|(words, _)| words.contains(&header.as_str())) {
            slot(&mut mapping).get_or_insert(column);
        }
    }
    mapping.text.is_some().then_some(mapping)
}

/// Reads a CSV file; the delimiter is the one of `;`, `,`, tab and `|` that cuts most rows alike. UTF-8, else Windows-1252.
///
/// # Errors
/// When the file cannot be read or is no CSV.
pub fn csv(path: &Path) -> Result<Table, Error> {
    let bytes = std::fs::read(path).map_err(Error::io(Doing::Reading, path))?;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode(&bytes).0.into_owned(),
    };
    let cut = |delimiter: u8| -> Result<Vec<Vec<String>>, csv::Error> {
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
        reader.records().map(|r| Ok(r?.iter().map(str::to_owned).collect())).collect()
    };
    let score = |rows: &Vec<Vec<String>>| {
        let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
        rows.iter().filter(|r| r.len() > 1).for_each(|r| *widths.entry(r.len()).or_default() += 1);
        widths.into_iter().map(|(width, n)| (n, width)).max().unwrap_or((0, 0))
    };
    let best = b";,\t|".iter().filter_map(|d| cut(*d).ok()).max_by_key(score);
    let rows = best.ok_or_else(|| Error::Notes { path: path.to_owned(), what: "CSV".into() })?;
    Ok(Table { name: name(path), rows, first: 1 })
}

/// Reads the first sheet of an XLSX (or ODS, XLS) file that holds anything.
///
/// # Errors
/// When the file cannot be read as a spreadsheet.
pub fn spreadsheet(path: &Path) -> Result<Table, Error> {
    let wrong = |e: &dyn std::fmt::Display| Error::Notes { path: path.to_owned(), what: e.to_string() };
    let mut book = calamine::open_workbook_auto(path).map_err(|e| wrong(&e))?;
    for sheet in book.sheet_names() {
        let range = book.worksheet_range(&sheet).map_err(|e| wrong(&e))?;
        if range.is_empty() {
            continue;
        }
        let first = range.start().map_or(1, |(row, _)| row as usize + 1);
        let rows = range.rows().map(|row| row.iter().map(cell).collect()).collect();
        return Ok(Table { name: name(path), rows, first });
    }
    Ok(Table { name: name(path), rows: Vec::new(), first: 1 })
}

/// A cell as text; a date as `2026-11-22 14:32:00`, an hour alone as `14:32:00`.
fn cell(data: &Data) -> String {
    match data {
        Data::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            if at.as_f64() < 1.0 {
                format!("{hour:02}:{minute:02}:{second:02}")
            } else if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
        }
        other => other.to_string(),
    }
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What a table would become. `header` says that the first row is none of the notes.
pub fn preview(table: &Table, mapping: &Mapping, header: bool, known: &Known<'_>, journal: &[Entry]) -> Vec<NoteRow> {
    let mut seen = keys(journal);
    let rows = table.rows.iter().enumerate().skip(usize::from(header));
    rows.filter(|(_, row)| row.iter().any(|c| !c.trim().is_empty()))
        .map(|(n, row)| {
            let raw = row.join(" | ");
            let (draft, warnings) = from_row(row, mapping, known);
            finish(&table.name, table.first + n, raw, draft, warnings, &mut seen)
        })
        .collect()
}

fn from_row(row: &[String], mapping: &Mapping, known: &Known<'_>) -> (Draft, Vec<Text>) {
    let get = |column: Option<usize>| column.and_then(|c| row.get(c)).map_or("", |c| c.trim());
    let mut warnings = Vec::new();
    let stamp = [get(mapping.date), get(mapping.time), get(mapping.zone)].into_iter().filter(|s| !s.is_empty());
    let stamp = stamp.collect::<Vec<_>>().join(" ");
    let zone = get(mapping.zone);
    // A zone's name (`Europe/Paris`) holds for this row; an offset is part of the time.
    let (stamp, zone) = match TimeZone::get(zone) {
        Ok(named) if zone.contains('/') => (stamp.trim_end_matches(zone).trim_end().to_owned(), named),
        _ => (stamp, known.zone.clone()),
    };
    let when = match when::parse(&stamp, known.now, &zone) {
        Ok((when, "")) => when,
        Ok((when, left)) => {
            warnings.push(Text::new(
                format!("« {left} » n’a pas été compris dans la date."),
                format!("“{left}” in the date was not understood."),
            ));
            when
        }
        Err(error) => {
            warnings.push(error.text());
            unknown(&stamp, known)
        }
    };
    let mut text = get(mapping.text).to_owned();
    if text.is_empty() {
        warnings.push(Text::new("Pas de texte : toute la ligne est reprise.", "No text: the whole row is taken."));
        text = row.join(" | ");
    }
    let person = get(mapping.person);
    if person.is_empty() {
        warnings.push(Text::new("Pas de nom : la personne qui importe est notée.", "No name: the person who imports is noted."));
    }
    let mut draft = Draft::new(Kind::Note, when, if person.is_empty() { known.me } else { person }, &text);
    known.me.clone_into(&mut draft.content.recorded_by);
    let accounts = get(mapping.accounts).split([',', ';', '\n']).map(str::trim).filter(|a| !a.is_empty());
    draft.content.targets = accounts.map(str::to_owned).collect();
    (draft, warnings)
}

/// A moment that could not be read: the day it was imported, precision unknown, the text as it stood.
fn unknown(text: &str, known: &Known<'_>) -> When {
    let start = known.now.to_zoned(known.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    When { text: text.to_owned(), start, end: None, precision: Precision::Unknown, approx: true, tz_source: ZoneSource::Default }
}

/// What pasted lines would become, one entry a line. A line that is only a date holds for those below it.
pub fn pasted(name: &str, text: &str, known: &Known<'_>, journal: &[Entry]) -> Vec<NoteRow> {
    let mut seen = keys(journal);
    let mut day: Option<String> = None;
    let mut rows = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let alone = when::parse(line.trim(), known.now, &known.zone);
        if let Ok((when, "")) = &alone
            && when.precision == Precision::Day
        {
            day = when.start.get(..10).map(str::to_owned);
        }
        let mut warnings = Vec::new();
        // The day stands before a line only if the line brings a time and no day of its own.
        let time_first = line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        let dated = day.as_ref().filter(|_| time_first).map(|day| format!("{day} {}", line.trim_start()));
        let dated = dated.filter(|l| {
            let both = (when::parse(l, known.now, &known.zone), &alone);
            matches!(both, (Ok((with, left)), Ok((_, right))) if left == *right && with.precision != Precision::Day)
        });
        let read = dated.as_deref().unwrap_or(line);
        let mut draft = match quick::parse(read, known) {
            Ok(draft) => draft,
            Err(error) => {
                warnings.push(error.text());
                Draft::new(Kind::Note, unknown("", known), known.me, line)
            }
        };
        if draft.content.when.text.is_empty() && warnings.is_empty() {
            warnings.push(WhenError::None.text());
            draft.content.when = unknown("", known);
        }
        rows.push(finish(name, n + 1, line.to_owned(), draft, warnings, &mut seen));
    }
    rows
}

/// Origin, raw text and the mark of a duplicate.
fn finish(
    name: &str,
    row: usize,
    raw: String,
    mut draft: Draft,
    mut warnings: Vec<Text>,
    seen: &mut BTreeSet<String>,
) -> NoteRow {
    draft.content.origin = Origin::Imported(format!("{name}#{row}"));
    let duplicate = !seen.insert(key(&draft.content));
    if duplicate {
        warnings.push(Text::new(
            "Même heure, même personne, même texte qu’une autre écriture.",
            "Same time, person and text as another entry.",
        ));
    }
    let facts = super::words::facts([("file", name.to_owned()), ("row", row.to_string()), ("raw", raw)]);
    let draft = draft.with(&Payload::Fact { name: "imported_note".into(), facts });
    NoteRow { row, draft, warnings, duplicate }
}

fn keys(journal: &[Entry]) -> BTreeSet<String> {
    journal.iter().filter_map(|e| e.content.as_ref().map(key)).collect()
}

/// What makes two notes the same: moment, person, text. Where no moment is known, its words: the day of the import is none.
fn key(c: &Content) -> String {
    let moment = match c.when.instant() {
        Some(at) if c.when.precision != Precision::Unknown => at.to_string(),
        _ => c.when.text.clone(),
    };
    let text = chain::hex(&Sha256::digest(if c.body.is_empty() { &c.title } else { &c.body }.trim()));
    format!("{moment}\u{0}{}\u{0}{text}", c.actor.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known<'static> {
        Known {
            now: "2026-11-22T18:00:00+01:00".parse().unwrap(),
            zone: when::default_zone(),
            me: "R. Martin",
            people: &[],
            accounts: &[],
        }
    }

    #[test]
    fn a_table_is_guessed_and_no_row_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.csv");
        let text = "Date;Heure;Qui;Description;Comptes\n22/11/2026;14:32;Dupont;\"Appel; prestataire\";adm-x, adm-y\n\
                    22/11/2026;14:32;Dupont;\"Appel; prestataire\";adm-x, adm-y\n;;;;\n25/10/2026;02:30;;Coupure;\nn’importe quoi\n";
        std::fs::write(&path, text).unwrap();
        let table = csv(&path).unwrap();
        let mapping = guess(&table).unwrap();
        let rows = preview(&table, &mapping, true, &known(), &[]);
        assert_eq!(
            rows.iter().map(|r| (r.row, r.duplicate)).collect::<Vec<_>>(),
            [(2, false), (3, true), (5, false), (6, false)]
        );
        let c = &rows[0].draft.content;
        assert!(rows[0].warnings.is_empty(), "{:?}", rows[0].warnings);
        assert_eq!(
            (c.title.as_str(), c.actor.as_str(), c.when.start.as_str()),
            ("Appel; prestataire", "Dupont", "2026-11-22T14:32:00+01:00")
        );
        assert_eq!((c.targets.len(), &c.origin), (2, &Origin::Imported("notes.csv#2".into())));
        assert!(rows[2].warnings.iter().any(|w| w.fr.contains("deux fois")), "{:?}", rows[2].warnings);
        assert_eq!(rows[2].draft.content.when.precision, Precision::Unknown);
        assert!(rows[3].draft.content.title.contains("n’importe quoi"));
        let latin = [&b"qui;texte\nAnna;\xe9t\xe9\n"[..]].concat();
        std::fs::write(&path, latin).unwrap();
        assert_eq!(csv(&path).unwrap().rows[1][1], "été");
    }

    #[test]
    fn pasted_lines_take_the_day_above_them() {
        let rows = pasted("collé", "21 novembre 2026\n14:32 appel\n\nsans heure\n22/11 09:00 autre\n14:32 appel", &known(), &[]);
        let starts: Vec<_> = rows.iter().map(|r| (r.row, &r.draft.content.when.start[..16], r.duplicate)).collect();
        assert_eq!(starts[1], (2, "2026-11-21T14:32", false));
        assert_eq!(starts[3], (5, "2026-11-22T09:00", false));
        assert_eq!(starts[4], (6, "2026-11-21T14:32", true));
        assert!(!rows[2].warnings.is_empty() && rows[2].draft.content.title == "sans heure");
        assert_eq!(rows.len(), 5);
    }
}
