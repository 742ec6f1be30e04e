//! Reads an event file on several threads, with a result that does not depend on how many.
//!
//! The file is cut into stretches whose size depends on the file alone. A thread guesses where the first record of its
//! stretch starts; when its turn comes the guess must be where the stretch before it ended, else the stretch is read again
//! from there. Which records are new is decided in that order, and tables are written in that order; reading, filtering
//! and encoding go on beside each other.
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringArray},
    buffer::BooleanBuffer,
    compute::FilterBuilder,
    datatypes::Int64Type,
};
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use reflexe_model::{RowCount, RowId};

use super::{
    columns,
    sink::{Collected, Counts, FileFacts, Primary, Sink, Source, Spare, TABLES},
};
use crate::{
    dedup::{Decision, DedupIndex},
    error::Error,
    period::Days,
    reader::{
        csv::{CsvRecords, cells},
        json::JsonRecords,
        keys::{Object, Slots},
        window::Window,
    },
    recognise::{Container, Plan},
    spec::Table,
    text::record_text,
    write::{Batch, PartWriter, TableBuilder, encode, layout, numbers},
};

/// Stretches of a file at most as long, and at least.
const LONGEST: u64 = 160 << 20;
const SHORTEST: u64 = 4 << 20;
/// Stretches of a file between those lengths.
const STRETCHES: u64 = 16;
/// Index of `src_line` among the columns of a batch.
const LINE: usize = 8;
/// All tables that are written: those of a sink, then `row_copy` and `ingest_issue`.
const WRITTEN: usize = TABLES + 2;
const COPY: usize = TABLES;
const ISSUE: usize = TABLES + 1;

/// What a source gave in the whole file.
#[derive(Debug, Clone, Default)]
pub struct SourceCount {
    /// Accounting.
    pub rows: RowCount,
    /// Days of the records.
    pub days: Days,
    /// Records that lost something, by flag and operation.
    pub lost: BTreeMap<(&'static str, String), u64>,
    /// Records that have something else in the place of an id.
    pub no_id: u64,
    /// Records that follow another of the same id.
    pub shared_id: u64,
    /// Records cut where Excel cuts a cell.
    pub excel: u64,
    /// Classes of records that were met, where the source has classes.
    pub classes: BTreeSet<&'static str>,
    /// Rows written by table of a sink.
    pub tables: [u64; TABLES],
}

/// What the whole file gave.
#[derive(Debug, Default)]
pub struct Totals {
    /// Counts by source.
    pub sources: BTreeMap<Source, SourceCount>,
    /// Rows by source and tenant, copies included: a file of copies is its tenant's too.
    pub tenants: BTreeMap<(Source, String), u64>,
    /// Rows that a richer copy replaces.
    pub superseded: Vec<RowId>,
    /// Records that are a copy of one of another file, by the number of that file.
    pub repeats: BTreeMap<u32, u64>,
    /// Domains of the organisation.
    pub domains: BTreeSet<String>,
    /// Records by the `ResultCount` that they carry.
    pub result_counts: BTreeMap<u64, u64>,
    /// Codes of rejects, counted.
    pub codes: BTreeMap<&'static str, u64>,
    /// Records rejected that belong to no source.
    pub rejected: u64,
    /// A page names a next page.
    pub next_link: bool,
    /// Stretches that had to be read twice.
    pub read_again: u64,
    /// Rows of `ingest_issue` and `row_copy`.
    pub issues: u64,
    /// The same.
    pub copies: u64,
}

/// Names of the tables of a sink.
pub fn table_names() -> [&'static str; TABLES] {
    tables().map(|t| t.name.as_str())
}

fn tables() -> [&'static Table; TABLES] {
    [
        columns::Ual::get().table,
        columns::Property::get().table,
        columns::Signin::get().table,
        columns::Audit::get().table,
        columns::Change::get().table,
    ]
}

/// A stretch, read.
struct Stretch {
    found: Collected,
    first: u64,
    /// Newlines between where reading began and `first`.
    lines_before: u64,
    end: u64,
    /// Newlines between where reading began and `end`.
    lines: u64,
    next_link: bool,
    window: Window,
}

/// A file to be read, and where its tables go.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// The text in UTF-8.
    pub path: &'a Path,
    /// Its path as the person gave it.
    pub shown: &'a str,
    /// Its size.
    pub size: u64,
    /// How it is read.
    pub plan: &'a Plan,
    /// Evidence number.
    pub file_no: u32,
    /// Staging folder.
    pub out_dir: &'a Path,
    /// Threads; the output does not depend on it.
    pub threads: usize,
    /// Told the number of bytes read so far.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

struct Job<'a> {
    path: &'a Path,
    shown: &'a str,
    size: u64,
    plan: &'a Plan,
    done: &'a AtomicU64,
    progress: &'a (dyn Fn(u64) + Sync),
}

/// What is decided in the order of the file.
struct Turn<'a> {
    next: usize,
    position: u64,
    lines: u64,
    rows: [u64; WRITTEN],
    dedup: &'a mut DedupIndex,
    totals: Totals,
    failed: Option<Error>,
}

/// What is written in the order of the file.
struct Output {
    next: usize,
    waiting: BTreeMap<usize, Encoded>,
    writers: [Option<PartWriter>; WRITTEN],
}

type Encoded = Vec<(usize, Vec<ArrowColumnChunk>)>;

/// Reads the file, decides, and writes its tables.
///
/// # Errors
/// When the file cannot be read or a table cannot be written.
pub fn run(work: &Work<'_>, dedup: &mut DedupIndex) -> Result<Totals, Error> {
    let Work { path, shown, size, plan, file_no, out_dir, threads, progress } = *work;
    let done = AtomicU64::new(0);
    let job = Job { path, shown, size, plan, done: &done, progress };
    let length = (size / STRETCHES).clamp(SHORTEST, LONGEST);
    let count = (size.saturating_sub(plan.start)).div_ceil(length).max(1) as usize;
    let turn = Mutex::new(Turn {
        next: 0,
        position: plan.start,
        // the header of a CSV takes lines too
        lines: lines_before(path, plan.start).map_err(Error::read(shown))?,
        rows: [0; WRITTEN],
        dedup,
        totals: Totals::default(),
        failed: None,
    });
    let output = Mutex::new(Output { next: 0, waiting: BTreeMap::new(), writers: [const { None }; WRITTEN] });
    let ready = Condvar::new();
    let counter = AtomicUsize::new(0);
    let work = || {
        let mut window = None;
        let mut spare = Spare::default();
        loop {
            let k = counter.fetch_add(1, Ordering::Relaxed);
            if k >= count || lock(&turn).failed.is_some() {
                return;
            }
            let start = plan.start + k as u64 * length;
            let bound = if k + 1 == count { u64::MAX } else { start + length };
            if let Err(error) = one(&job, k, start, bound, file_no, out_dir, &turn, &ready, &output, &mut window, &mut spare) {
                lock(&turn).failed.get_or_insert(error);
                ready.notify_all();
                return;
            }
        }
    };
    let threads = threads.clamp(1, count);
    if threads == 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
    }
    let turn = turn.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = turn.failed {
        return Err(error);
    }
    let output = output.into_inner().unwrap_or_else(PoisonError::into_inner);
    for writer in output.writers.into_iter().flatten() {
        writer.close()?;
    }
    let mut totals = turn.totals;
    totals.issues = turn.rows[ISSUE];
    totals.copies = turn.rows[COPY];
    Ok(totals)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // a thread that panicked has its error reported by the scope; the data is not used after that
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lines_before(path: &Path, start: u64) -> io::Result<u64> {
    let mut window = Window::open(path)?;
    window.seek(0)?;
    while (window.bytes().len() as u64) < start && window.more(0)? {}
    let head = &window.bytes()[..(start as usize).min(window.bytes().len())];
    Ok(memchr::memchr_iter(b'\n', head).count() as u64)
}

#[allow(clippy::too_many_arguments, reason = "the body of the worker's loop")]
fn one<'a>(
    job: &Job<'_>,
    k: usize,
    start: u64,
    bound: u64,
    file_no: u32,
    out_dir: &Path,
    turn: &Mutex<Turn<'a>>,
    ready: &Condvar,
    output: &Mutex<Output>,
    window: &mut Option<Window>,
    spare: &mut Spare,
) -> Result<(), Error> {
    let fail = || Error::read(job.shown);
    let take = |window: &mut Option<Window>| match window.take() {
        Some(window) => Ok(window),
        None => Window::open(job.path),
    };
    // the first stretch starts where the file does; a guess is made where records can be told apart
    let lead = match &job.plan.container {
        Container::Json(layout) => JsonRecords::lead(layout),
        Container::Csv(_) => Some(1),
    };
    let guess = match lead {
        _ if k == 0 => Some((start, None)),
        Some(lead) => Some((start.saturating_sub(lead), Some(start))),
        None => None,
    };
    let mut read = match guess {
        Some((from, align)) => Some(stretch(job, take(window).map_err(fail())?, from, align, bound, spare).map_err(fail())?),
        None => None,
    };

    let mut guard = lock(turn);
    while guard.next != k {
        if guard.failed.is_some() {
            return Ok(());
        }
        guard = ready.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
    if guard.failed.is_some() {
        return Ok(());
    }
    let position = guard.position;
    let right = read.as_ref().is_some_and(|s| s.first == position || k == 0);
    if !right {
        let used = read.take().map(|s| s.window).or_else(|| window.take());
        let opened = match used {
            Some(window) => window,
            None => Window::open(job.path).map_err(fail())?,
        };
        guard.totals.read_again += 1;
        read = Some(stretch(job, opened, position, None, bound, spare).map_err(fail())?);
    }
    let Some(stretch) = read else {
        return Err(Error::Internal { path: job.shown.to_owned(), what: "a stretch was not read".to_owned() });
    };
    // `lines` counts the newlines before the stretch's first record
    let base = guard.lines - stretch.lines_before.min(guard.lines);
    guard.lines = base + stretch.lines;
    guard.position = stretch.end;
    let decided = decide(&mut guard, stretch.found, file_no, stretch.next_link);
    guard.next += 1;
    drop(guard);
    ready.notify_all();
    *window = Some(stretch.window);
    let pieces = decided?;

    let mut encoded = Vec::new();
    for Piece { table, first_row, rows, batch, mask } in pieces {
        let batch = add_lines(batch, base);
        for group in layout::groups(&batch, mask.as_ref()) {
            let many = group.as_ref().map_or(rows, BooleanArray::true_count);
            let ids = match &group {
                Some(group) => ranks(group, mask.as_ref(), &numbers(batch.table, rows, file_no, first_row))?,
                None => numbers(batch.table, rows, file_no, first_row),
            };
            let group = group.as_ref().map(|group| FilterBuilder::new(group).optimize().build());
            for from in (0..many).step_by(crate::write::ROW_GROUP) {
                let many = crate::write::ROW_GROUP.min(many - from);
                // Column by column: what a filter copies lives only until it is encoded.
                let columns = batch.columns.iter().map(|column| match &group {
                    Some(group) => Ok(group.filter(column)?.slice(from, many)),
                    None => Ok(column.slice(from, many)),
                });
                encoded.push((table, encode(batch.table, ids.slice(from, many), columns)?));
            }
        }
        if let Some(slot) = spare.get_mut(table) {
            *slot = Some(TableBuilder::again(batch));
        }
    }
    let mut out = lock(output);
    out.waiting.insert(k, encoded);
    loop {
        let next = out.next;
        let Some(groups) = out.waiting.remove(&next) else { break };
        for (table, chunks) in groups {
            let writer = match &mut out.writers[table] {
                Some(writer) => writer,
                slot => slot.insert(PartWriter::create(out_dir, written(table), file_no, 0)?),
            };
            writer.append(chunks)?;
        }
        out.next += 1;
    }
    Ok(())
}

/// The numbers of a group's rows: every row that stays has one, in the order of the file.
fn ranks(group: &BooleanArray, kept: Option<&BooleanArray>, numbers: &ArrayRef) -> Result<ArrayRef, Error> {
    let of_kept = match kept {
        Some(kept) => arrow::compute::filter(group, kept),
        None => Ok(Arc::new(group.clone()) as ArrayRef),
    };
    let mask = of_kept.map_err(|e| Error::table("row_id")(e.into()))?;
    arrow::compute::filter(numbers, mask.as_boolean()).map_err(|e| Error::table("row_id")(e.into()))
}

fn written(table: usize) -> &'static Table {
    match table {
        COPY => columns::Copy::get().table,
        ISSUE => columns::Issue::get().table,
        t => tables()[t],
    }
}

/// Reads the records that start in `[start, bound)`. With `align`, `from` is a guess and reading begins at the first record
/// at `align` or after it.
fn stretch(job: &Job<'_>, window: Window, from: u64, align: Option<u64>, bound: u64, spare: &mut Spare) -> io::Result<Stretch> {
    let mut sink = Sink::new(spare);
    let mut slots = Slots::default();
    let facts = &job.plan.facts;
    let mut reported = from;
    let mut report = |position: u64| {
        if position >= reported + (4 << 20) {
            let done = job.done.fetch_add(position - reported, Ordering::Relaxed) + position - reported;
            (job.progress)(done.min(job.size));
            reported = position;
        }
    };
    match &job.plan.container {
        Container::Json(layout) => {
            let mut records = JsonRecords::new(window, layout.clone(), from)?;
            if let Some(start) = align {
                records.align(start)?;
            }
            let first = records.settle()?;
            let lines_before = records.lines();
            while let Some(item) = records.next(bound, &mut slots)? {
                if let Some(bad) = item.bad {
                    sink.reject(facts, &item, job.plan.main, bad.code(), "");
                } else {
                    json_record(records.bytes(&item), &item, &mut slots, facts, &mut sink, job.plan.main);
                }
                report(item.offset);
            }
            let (end, lines) = (records.settle()?, records.lines());
            let (found, next_link) = (sink.finish(), records.links > 0);
            Ok(Stretch { found, first, lines_before, end, lines, next_link, window: records.into_window() })
        }
        Container::Csv(dialect) => {
            let mut rows = CsvRecords::new(window, dialect, from)?;
            if let Some(start) = align {
                rows.align(start)?;
            }
            let first = rows.settle()?;
            let lines_before = rows.lines();
            let mut text = Vec::new();
            while let Some(item) = rows.next(bound, &mut slots, &mut text)? {
                if let Some(bad) = item.bad {
                    sink.reject(facts, &item, job.plan.main, bad.code(), "");
                    continue;
                }
                let mut flagged = None;
                if std::str::from_utf8(&text).is_err() {
                    let (decoded, _) = record_text(rows.bytes(&item));
                    let decoded = decoded.into_owned();
                    if !cells(&decoded, dialect, &mut slots, &mut text) {
                        sink.reject(facts, &item, job.plan.main, "text_not_utf8", "");
                        continue;
                    }
                    flagged = Some(with_flag(facts, "encoding_guessed"));
                }
                let text = std::str::from_utf8(&text).unwrap_or_default();
                let o = Object { text, slots: &slots, plain: true };
                let facts = flagged.as_ref().unwrap_or(facts);
                if let Err(reject) = sink.accept(&o, facts, &item) {
                    sink.reject(facts, &item, job.plan.main, reject.code, &reject.detail);
                }
                report(item.offset);
            }
            let (end, lines) = (rows.settle()?, rows.lines());
            let found = sink.finish();
            Ok(Stretch { found, first, lines_before, end, lines, next_link: false, window: rows.into_window() })
        }
    }
}

fn json_record(
    bytes: &[u8],
    item: &crate::reader::Item,
    slots: &mut Slots,
    facts: &FileFacts,
    sink: &mut Sink,
    main: Option<Source>,
) {
    let (text, guessed) = record_text(bytes);
    let flagged = guessed.then(|| with_flag(facts, "encoding_guessed"));
    if guessed && slots.scan(text.as_bytes(), 0).is_err() {
        sink.reject(facts, item, main, "text_not_utf8", "");
        return;
    }
    let o = Object { text: &text, slots, plain: false };
    let facts = flagged.as_ref().unwrap_or(facts);
    if let Err(reject) = sink.accept(&o, facts, item) {
        sink.reject(facts, item, main, reject.code, &reject.detail);
    }
}

fn with_flag(facts: &FileFacts, flag: &'static str) -> FileFacts {
    let mut facts = facts.clone();
    facts.flags.push(flag);
    facts
}

/// Rows of a stretch to write.
struct Piece {
    table: usize,
    /// Number of the first row in its table.
    first_row: u64,
    /// Rows that stay.
    rows: usize,
    batch: Batch,
    /// Which rows stay; all where there is none.
    mask: Option<BooleanArray>,
}

/// Decides which records are kept, and gives the rows to write.
fn decide(turn: &mut Turn<'_>, found: Collected, file_no: u32, next_link: bool) -> Result<Vec<Piece>, Error> {
    let Collected { batches, issues, records, counts } = found;
    let Counts { tally, rejected, tenants, domains, result_counts, codes } = counts;
    let totals = &mut turn.totals;
    totals.next_link |= next_link;
    totals.rejected += rejected;
    totals.domains.extend(domains);
    for (count, rows) in result_counts {
        *totals.result_counts.entry(count).or_default() += rows;
    }
    for (code, n) in codes {
        *totals.codes.entry(code).or_default() += n;
    }
    for (source, tally) in tally {
        let count = totals.sources.entry(source).or_default();
        count.rows.read += tally.taken + tally.rejected;
        count.rows.rejected += tally.rejected;
        count.days.extend(&tally.days);
        for (what, n) in tally.lost {
            *count.lost.entry(what).or_default() += n;
        }
        count.no_id += tally.no_id;
        count.shared_id += tally.shared_id;
        count.excel += tally.excel;
        count.classes.extend(tally.classes);
    }
    let specs = tables();
    let mut keep = Keep::new(&batches);
    let mut before = [0; TABLES];
    let mut named: BTreeMap<(Source, u16), u64> = BTreeMap::new();
    for record in &records {
        let table = usize::from(record.table);
        let row = RowId::new(specs[table].number, file_no, turn.rows[table] + keep.kept[table]);
        let decision = turn.dedup.decide(specs[table].number, record.keys, record.richness, row)?;
        *named.entry((record.source, record.tenant)).or_default() += 1;
        let count = turn.totals.sources.entry(record.source).or_default();
        match decision {
            Decision::New => count.rows.kept += 1,
            Decision::Duplicate(of) => {
                count.rows.duplicate += 1;
                *turn.totals.repeats.entry(of.file()).or_default() += 1;
            }
            Decision::Richer(old) => {
                count.rows.duplicate += 1;
                turn.totals.superseded.push(old);
            }
        }
        let rows: [u32; TABLES] = std::array::from_fn(|i| record.ends[i] - before[i]);
        before = record.ends;
        if matches!(decision, Decision::Duplicate(_)) {
            keep.drop(&rows, table);
        } else {
            keep.keep(&rows);
            for (total, n) in count.tables.iter_mut().zip(rows) {
                *total += u64::from(n);
            }
        }
    }
    for ((source, tenant), n) in named {
        let tenant = tenants.get(usize::from(tenant)).cloned().unwrap_or_default();
        *turn.totals.tenants.entry((source, tenant)).or_default() += n;
    }
    let mut out = Vec::new();
    let copies = keep.copies(&batches, &records)?;
    let mut push = |table: usize, rows: usize, batch: Batch, mask: Option<BooleanArray>| {
        if rows > 0 {
            let first_row = turn.rows[table];
            turn.rows[table] += rows as u64;
            out.push(Piece { table, first_row, rows, batch, mask });
        }
    };
    for (i, batch) in batches.into_iter().enumerate() {
        push(i, keep.kept[i] as usize, batch, keep.mask(i));
    }
    push(COPY, copies.rows, copies, None);
    push(ISSUE, issues.rows, issues, None);
    Ok(out)
}

/// Which rows of a stretch stay.
struct Keep {
    /// One bit a row; empty while every row stays.
    masks: [Vec<bool>; TABLES],
    kept: [u64; TABLES],
    dropped: [u64; TABLES],
    /// Rows of the tables of records that are another copy.
    copies: [Vec<u32>; TABLES],
}

impl Keep {
    fn new(batches: &[Batch]) -> Self {
        Self {
            masks: std::array::from_fn(|i| Vec::with_capacity(batches[i].rows)),
            kept: [0; TABLES],
            dropped: [0; TABLES],
            copies: Default::default(),
        }
    }

    fn keep(&mut self, rows: &[u32; TABLES]) {
        for (i, n) in rows.iter().enumerate() {
            self.kept[i] += u64::from(*n);
            self.masks[i].resize(self.masks[i].len() + *n as usize, true);
        }
    }

    fn drop(&mut self, rows: &[u32; TABLES], table: usize) {
        for (i, n) in rows.iter().enumerate() {
            if i == table && *n > 0 {
                self.copies[i].push(self.masks[i].len() as u32);
            }
            self.dropped[i] += u64::from(*n);
            self.masks[i].resize(self.masks[i].len() + *n as usize, false);
        }
    }

    /// Which rows of a table stay; `None` if all do.
    fn mask(&self, i: usize) -> Option<BooleanArray> {
        let some = self.dropped[i] > 0;
        some.then(|| BooleanArray::new(BooleanBuffer::from(self.masks[i].as_slice()), None))
    }

    /// Rows of `row_copy`: provenance of the copies, and the id of the record.
    fn copies(&self, batches: &[Batch], records: &[Primary]) -> Result<Batch, Error> {
        let c = columns::Copy::get();
        let mut parts: Vec<Vec<ArrayRef>> = Vec::new();
        let mut rows = 0;
        for (i, indices) in self.copies.iter().enumerate().filter(|(_, v)| !v.is_empty()) {
            let batch = &batches[i];
            let take = arrow::array::UInt32Array::from(indices.clone());
            let id = batch
                .table
                .record_id
                .as_deref()
                .and_then(|id| crate::write::TableBuilder::column_of(batch.table, id))
                .unwrap_or_default();
            let columns =
                batch.columns[..c.table_name].iter().chain([&batch.columns[id]]).map(|a| arrow::compute::take(a, &take, None));
            let mut columns = columns.collect::<Result<Vec<_>, _>>().map_err(|e| Error::table(&c.table.name)(e.into()))?;
            let name = StringArray::from_iter_values(std::iter::repeat_n(&batch.table.name, indices.len()));
            columns.insert(c.table_name, Arc::new(name));
            rows += indices.len();
            parts.push(columns);
        }
        debug_assert!(rows <= records.len());
        let width = crate::spec::PROVENANCE.len() - 1 + c.table.columns.len();
        let mut columns = Vec::new();
        for column in 0..if rows == 0 { 0 } else { width } {
            let arrays: Vec<&dyn Array> = parts.iter().map(|p| p[column].as_ref()).collect();
            columns.push(arrow::compute::concat(&arrays).map_err(|e| Error::table(&c.table.name)(e.into()))?);
        }
        Ok(Batch { table: c.table, rows, columns })
    }
}

/// Counts the lines of the stretch from the beginning of the file.
fn add_lines(mut batch: Batch, base: u64) -> Batch {
    if batch.rows > 0 && base > 0 {
        let lines = batch.columns[LINE].as_primitive::<Int64Type>();
        let moved: Int64Array = lines.unary(|n| n + base.cast_signed());
        batch.columns[LINE] = Arc::new(moved);
    }
    batch
}
