//! A file of a state source: recognised, read as a stream, written to the case.
use std::{collections::BTreeMap, path::Path};

use reflexe_model::RowId;
use serde_json::{Map, Value};

use super::{
    At, Importer, Origin, Pages, Sink, Source,
    cell::Cell,
    document,
    map::Row,
    recognise::{recognise, recognise_empty},
};
use crate::{
    coverage_log,
    dedup::Decision,
    error::Error,
    events::{Keys, time::timestamp},
    import::{FileInput, FileReport, ImportContext, SourceReport},
    reader::{
        Item,
        csv::{self, CsvRecords, Dialect, Field},
        json::{JsonRecords, layout},
        keys::Slots,
        window::Window,
    },
    recognise::{Header, header},
    text::record_text,
    write::{Provenance, TableBuilder, write_part},
};

/// Records looked at before a file is judged.
const SAMPLE: usize = 200;
/// Bytes looked at for them.
const SAMPLE_BYTES: u64 = 8 << 20;
/// Rows of a table held before they are written.
const HELD: usize = 65_536;

/// What the caller knows of a text file, in UTF-8 by now.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Where the text is.
    pub path: &'a Path,
    /// Its beginning.
    pub head: &'a [u8],
    /// Bytes of byte order mark.
    pub mark: usize,
    /// `utf8:` when offsets refer to the text transcoded to UTF-8.
    pub member: Option<&'a str>,
    /// Flags of every row.
    pub flags: &'a [&'static str],
}

/// Imports a file of a state source, or the log of a collection tool; `None` if it is neither, and then nothing is written.
///
/// # Errors
/// When the file cannot be read or the case cannot be written.
pub fn import(input: &FileInput<'_>, ctx: &mut ImportContext<'_>, known: &Known<'_>) -> Result<Option<FileReport>, Error> {
    let first = known.head.get(known.mark..).unwrap_or_default().trim_ascii_start().first().copied();
    let mut store = Store::new(input, ctx, known);
    let done = match first {
        Some(b'{' | b'[') => json(input, known, &mut store)?,
        Some(b'<') | None => None,
        Some(_) => match coverage_log::import(input, known, &mut store)? {
            Some(done) => Some(done),
            None => table(input, known, &mut store)?,
        },
    };
    let Some((source, summary)) = done else { return Ok(None) };
    let repeats = std::mem::take(&mut store.repeats);
    let tables = store.close()?;
    let report = SourceReport {
        source,
        rows: summary.rows,
        from: summary.span.and_then(|s| timestamp(s.0)),
        to: summary.span.and_then(|s| timestamp(s.1)),
        tenants: summary.tenants,
        notes: summary.notes,
        tables,
    };
    Ok(Some(FileReport {
        sources: vec![report],
        domains: summary.domains.into_iter().collect(),
        repeats,
        ..FileReport::default()
    }))
}

/// The id of the source of a file, with what it gave.
type Done = Option<(String, super::Summary)>;

fn json(input: &FileInput<'_>, known: &Known<'_>, store: &mut Store<'_, '_>) -> Result<Done, Error> {
    let read = Error::read(input.shown_path);
    let stream = || -> std::io::Result<JsonRecords> {
        JsonRecords::new(Window::open(known.path)?, layout(&known.head[known.mark..]), known.mark as u64)
    };
    let mut slots = Slots::default();
    let Some(source) = (|| -> std::io::Result<Option<&'static Source>> {
        let mut sample = stream()?;
        let mut keys: Vec<Vec<String>> = Vec::new();
        while keys.len() < SAMPLE
            && let Some(item) = sample.next(SAMPLE_BYTES, &mut slots)?
        {
            let (text, _) = record_text(sample.bytes(&item));
            if item.bad.is_none()
                && let Ok(raw) = serde_json::from_str(&text)
            {
                keys.push(document::members(raw).into_iter().map(|m| m.0).collect());
            }
        }
        Ok(if keys.is_empty() { recognise_empty(known.head) } else { recognise(&keys, false) })
    })()
    .map_err(read)?
    else {
        return Ok(None);
    };
    let mut importer = Importer::new(source, false, store.ctx.now);
    let mut records = stream().map_err(Error::read(input.shown_path))?;
    while let Some(item) = records.next(u64::MAX, &mut slots).map_err(Error::read(input.shown_path))? {
        let at = at(&item);
        let (text, _) = record_text(records.bytes(&item));
        match (item.bad, serde_json::from_str::<Value>(&text)) {
            (Some(bad), _) => importer.reject(bad.code(), &at, store)?,
            (None, Ok(value)) => importer.record(value, Some(&text), &at, store)?,
            (None, Err(_)) => importer.reject("record_not_json", &at, store)?,
        }
    }
    let pages = Pages { pages: records.pages, links: records.links };
    Ok(Some((source.id.clone(), importer.finish(pages, store)?)))
}

fn at(item: &Item) -> At {
    At { offset: item.offset, length: item.length, line: item.line + 1, pointer: None }
}

fn table(input: &FileInput<'_>, known: &Known<'_>, store: &mut Store<'_, '_>) -> Result<Done, Error> {
    let Some(Header { delimiter, titles, rows }) = header(known.head, known.mark) else { return Ok(None) };
    let Some(source) = recognise(std::slice::from_ref(&titles), true) else { return Ok(None) };
    // a title that appears twice must not overwrite the first
    let mut names = titles.clone();
    for n in 1..names.len() {
        if names[..n].contains(&names[n]) {
            names[n] = format!("{} #{}", names[n], n + 1);
        }
    }
    let above = memchr::memchr_iter(b'\n', known.head.get(..rows as usize).unwrap_or_default()).count() as u64;
    let dialect = Dialect { delimiter, columns: titles.len(), wanted: Vec::new() };
    let mut importer = Importer::new(source, true, store.ctx.now);
    let open = || CsvRecords::new(Window::open(known.path)?, &dialect, rows);
    let mut records = open().map_err(Error::read(input.shown_path))?;
    let (mut slots, mut cells, mut fields) = (Slots::default(), Vec::new(), Vec::<Field>::new());
    while let Some(item) = records.next(u64::MAX, &mut slots, &mut cells).map_err(Error::read(input.shown_path))? {
        let at = At { line: item.line + above + 1, ..at(&item) };
        if let Some(bad) = item.bad {
            importer.reject(bad.code(), &at, store)?;
            continue;
        }
        let bytes = records.bytes(&item);
        csv::split(bytes, 0, delimiter, true, &mut fields);
        let mut row = Map::new();
        for (name, field) in names.iter().zip(&fields) {
            cells.clear();
            csv::unquote(bytes, *field, &mut cells);
            // an empty cell is what null became on its way through CSV
            let value = if cells.is_empty() { Value::Null } else { Value::String(record_text(&cells).0.into_owned()) };
            row.insert(name.clone(), value);
        }
        importer.record(Value::Object(row), None, &at, store)?;
    }
    let id = source.csv.clone().unwrap_or_else(|| source.id.clone());
    Ok(Some((id, importer.finish(Pages::default(), store)?)))
}

/// Writes rows to the case.
pub struct Store<'a, 'c> {
    ctx: &'a mut ImportContext<'c>,
    evidence_id: String,
    file_no: u32,
    member: Option<&'a str>,
    flags: &'a [&'static str],
    tables: BTreeMap<u8, Held>,
    /// Rows that are a copy of one of another file, by the number of that file.
    repeats: BTreeMap<u32, u64>,
    counts: BTreeMap<String, u64>,
}

struct Held {
    rows: TableBuilder,
    part: u32,
}

impl<'a, 'c> Store<'a, 'c> {
    fn new(input: &FileInput<'_>, ctx: &'a mut ImportContext<'c>, known: &Known<'a>) -> Self {
        Self {
            ctx,
            evidence_id: input.evidence_id(),
            file_no: input.file_no,
            member: known.member,
            flags: known.flags,
            tables: BTreeMap::new(),
            repeats: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn write(&mut self, row: &Row, origin: &Origin<'_>) -> Result<(), Error> {
        let flags: Vec<&str> = self.flags.iter().copied().chain(row.flags.iter().copied()).collect();
        let held = self.tables.entry(row.table.number).or_insert_with(|| Held { rows: TableBuilder::new(row.table), part: 0 });
        held.rows.row(&Provenance {
            evidence_id: &self.evidence_id,
            source_kind: origin.source,
            scope: origin.scope,
            tenant_id: origin.tenant,
            collected_at: origin.collected,
            flags: &flags,
            offset: origin.at.offset,
            length: origin.at.length,
            line: origin.at.line,
            member: self.member,
            pointer: origin.at.pointer.as_deref(),
        });
        for (column, cell) in &row.cells {
            let Some(at) = TableBuilder::column_of(row.table, &row.table.columns[*column].name) else { continue };
            match cell {
                Cell::Null => {}
                Cell::Text(text) => held.rows.text(at, text),
                Cell::Bool(value) => held.rows.bool(at, *value),
                Cell::Int(value) => match i32::try_from(*value) {
                    Ok(value) if row.table.columns[*column].ty == crate::spec::ColumnType::I32 => held.rows.i32(at, value),
                    _ => held.rows.i64(at, *value),
                },
                Cell::Ts(us) => held.rows.ts(at, *us),
                Cell::List(items) => held.rows.list(at, items.iter().map(String::as_str)),
            }
        }
        *self.counts.entry(row.table.name.clone()).or_default() += 1;
        if held.rows.rows() >= HELD {
            let batch = std::mem::replace(&mut held.rows, TableBuilder::new(row.table)).finish();
            write_part(self.ctx.out_dir, self.file_no, held.part, &batch)?;
            held.part += 1;
        }
        Ok(())
    }

    /// The number that the next row of a table will have, as `write_part` numbers it.
    fn next(&self, row: &Row) -> RowId {
        let n = self.tables.get(&row.table.number).map_or(0, |h| (u64::from(h.part) << 30) + h.rows.rows() as u64);
        RowId::new(row.table.number, self.file_no, n)
    }

    /// Writes what is held; rows written, by table.
    fn close(self) -> Result<BTreeMap<String, u64>, Error> {
        for held in self.tables.into_values() {
            write_part(self.ctx.out_dir, self.file_no, held.part, &held.rows.finish())?;
        }
        Ok(self.counts)
    }
}

impl Sink for Store<'_, '_> {
    fn evidence(&mut self, row: &Row, origin: &Origin<'_>) -> Result<bool, Error> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&row.identity);
        if !row.any_tenant {
            hasher.update(b"\0");
            hasher.update(origin.tenant.unwrap_or_default().as_bytes());
        }
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        let keys = Keys { record: u128::from_le_bytes(key), id: 0 };
        match self.ctx.dedup.decide(row.table.number, keys, 0, self.next(row))? {
            Decision::New => {}
            Decision::Duplicate(of) | Decision::Richer(of) => {
                *self.repeats.entry(of.file()).or_default() += 1;
                return Ok(false);
            }
        }
        self.write(row, origin)?;
        Ok(true)
    }

    fn about(&mut self, row: &Row, origin: &Origin<'_>) -> Result<(), Error> {
        self.write(row, origin)
    }
}
