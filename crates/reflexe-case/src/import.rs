//! An import over many files: each is either wholly in the case or not at all, and what goes wrong with one is said and
//! leaves the others alone.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    thread,
};

use reflexe_evidence::{
    hash,
    import::{FileInput, FileReport, Outcome, SourceReport},
};
use reflexe_model::{EvidenceInfo, RowCount, RowId, Text};

use crate::{
    closed,
    commit::Ready,
    declare::Declaration,
    error::{Doing, Error},
    folder::{self, Case},
    importer::{Importer, Readers},
    unread,
    walk::{self, Found, Listing},
};

/// Told how an import goes. Every method may be left out.
pub trait Progress: Sync {
    /// The files are known.
    fn begin(&self, files: usize, bytes: u64) {
        let _ = (files, bytes);
    }
    /// A file is begun.
    fn file(&self, shown: &str, size: u64) {
        let _ = (shown, size);
    }
    /// So many bytes of the current file were read; from any thread.
    fn read(&self, bytes: u64) {
        let _ = bytes;
    }
    /// Something that the person should know before it goes on.
    fn say(&self, what: &Text) {
        let _ = what;
    }
    /// A file is done with.
    fn done(&self, result: &FileResult) {
        let _ = result;
    }
}

impl Progress for () {}

/// How to import.
pub struct ImportOptions<'a> {
    /// Leave the originals where they are and remember the place, instead of copying them into the case.
    pub in_place: bool,
    /// Worker threads, at least 1. The tables do not depend on it.
    pub threads: usize,
    /// Told how it goes.
    pub progress: &'a dyn Progress,
    /// Who declares that these exports are not filtered, if somebody does.
    pub declared_unfiltered: Option<Declaration>,
}

impl Default for ImportOptions<'_> {
    fn default() -> Self {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Self { in_place: false, threads, progress: &(), declared_unfiltered: None }
    }
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum FileOutcome {
    /// It is in the case now.
    Imported {
        /// Evidence id.
        id: String,
        /// One entry per source.
        sources: Vec<EvidenceInfo>,
    },
    /// The case already held these bytes.
    AlreadyImported {
        /// Evidence id.
        id: String,
    },
    /// No source recognises it.
    Unrecognised {
        /// Why.
        reason: Text,
        /// A document that merely lies beside evidence.
        harmless: bool,
    },
    /// It could not be read.
    Failed {
        /// Why, and what to do.
        reason: Text,
    },
}

/// A file and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FileResult {
    /// Path as given.
    pub path: String,
    /// What became of it.
    pub outcome: FileOutcome,
}

/// What an import did.
#[derive(Debug, Default)]
pub struct ImportReport {
    /// Every file looked at, in order; what could not be listed or was passed over comes first.
    pub files: Vec<FileResult>,
    /// Why the import ended early, if it did: the case can no longer be written, or memory was refused.
    pub stopped: Option<Text>,
    /// Files that were not looked at because of it.
    pub not_tried: Vec<String>,
}

impl ImportReport {
    /// Whether everything that was given is in the case, row for row. Decides the exit code.
    pub fn is_complete(&self) -> bool {
        self.stopped.is_none()
            && self.files.iter().all(|file| match &file.outcome {
                FileOutcome::Imported { sources, .. } => sources.iter().all(|s| s.rows.rejected == 0),
                FileOutcome::AlreadyImported { .. } => true,
                FileOutcome::Unrecognised { harmless, .. } => *harmless,
                FileOutcome::Failed { .. } => false,
            })
    }

    /// Row accounting of the files that were added.
    pub fn rows(&self) -> RowCount {
        let mut total = RowCount::default();
        for file in &self.files {
            if let FileOutcome::Imported { sources, .. } = &file.outcome {
                sources.iter().for_each(|s| total.add(s.rows));
            }
        }
        total
    }

    /// Ids of the evidence that was given, new or not.
    pub fn evidence_ids(&self) -> Vec<String> {
        let id = |file: &FileResult| match &file.outcome {
            FileOutcome::Imported { id, .. } | FileOutcome::AlreadyImported { id } => Some(id.clone()),
            FileOutcome::Unrecognised { .. } | FileOutcome::Failed { .. } => None,
        };
        let ids: BTreeSet<String> = self.files.iter().filter_map(id).collect();
        ids.into_iter().collect()
    }
}

/// Imports files and folders into a case.
///
/// # Errors
/// When the case itself cannot be read or written. What is wrong with a file is in the report.
pub fn import(case: &mut Case, paths: &[PathBuf], options: &ImportOptions<'_>) -> Result<ImportReport, Error> {
    let listing = expected(case, paths, options)?;
    let mut readers = Readers::open(case, options.progress)?;
    read(case, listing, options, &mut readers)
}

/// [`import`] by other readers.
///
/// # Errors
/// As [`import`].
pub fn import_with(
    case: &mut Case,
    paths: &[PathBuf],
    options: &ImportOptions<'_>,
    importer: &mut dyn Importer,
) -> Result<ImportReport, Error> {
    let listing = expected(case, paths, options)?;
    read(case, listing, options, importer)
}

/// Lists the files, and writes down that they are to be read.
fn expected(case: &Case, paths: &[PathBuf], options: &ImportOptions<'_>) -> Result<Listing, Error> {
    case.writable()?;
    let listing = walk::list(paths, case.dir());
    options.progress.begin(listing.files.len(), listing.files.iter().map(|f| f.size).sum());
    case.expect(&listing.files)?;
    Ok(listing)
}

fn read(
    case: &mut Case,
    listing: Listing,
    options: &ImportOptions<'_>,
    importer: &mut dyn Importer,
) -> Result<ImportReport, Error> {
    let mut report = ImportReport::default();
    for (path, reason, harmless) in listing.problems {
        report.files.push(FileResult { path, outcome: FileOutcome::Unrecognised { reason, harmless } });
    }
    let mut files = listing.files.iter();
    for file in &mut files {
        options.progress.file(&file.shown, file.size);
        let outcome = match one(case, file, options, importer) {
            Ok(outcome) => outcome,
            Err(error) if is_about_the_file(&error) => FileOutcome::Failed { reason: error.text() },
            // The case cannot be written, or no memory is left: the next file would fare no better.
            Err(error) => {
                report.stopped = Some(error.text());
                report.not_tried.push(file.shown.clone());
                break;
            }
        };
        let done = FileResult { path: file.shown.clone(), outcome };
        options.progress.done(&done);
        report.files.push(done);
    }
    report.not_tried.extend(files.map(|f| f.shown.clone()));
    // What cannot be written now was written before the first file: the case names what was not read either way.
    let mut finish = || {
        case.remember(&report)?;
        if let (Some(said), None) = (&options.declared_unfiltered, &report.stopped) {
            case.declare_unfiltered(said, Some(&report.evidence_ids()))?;
        }
        case.renew_sums()
    };
    if let Err(error) = finish() {
        report.stopped.get_or_insert(error.text());
    }
    Ok(report)
}

/// Whether the other files may go on after this error.
fn is_about_the_file(error: &Error) -> bool {
    matches!(error, Error::Evidence(_) | Error::Io { doing: Doing::Reading, .. }) && !error.is_refused()
}

pub(crate) fn one(
    case: &mut Case,
    file: &Found,
    options: &ImportOptions<'_>,
    importer: &mut dyn Importer,
) -> Result<FileOutcome, Error> {
    if let Some(reason) = closed::reason(&file.path, &file.shown).map_err(Error::io(Doing::Reading, &file.path))? {
        return Ok(FileOutcome::Unrecognised { reason, harmless: false });
    }
    // Only a file of a size that the case holds can be held already: the others are hashed while they are imported.
    if let Some(number) = held(case, file)? {
        return Ok(FileOutcome::AlreadyImported { id: format!("e{number}") });
    }
    if options.in_place && file.origin.to_str().is_none() {
        let reason = Text::new(
            "Ce nom de fichier n’est pas de l’Unicode : il ne peut pas être référencé sur place. Importez-le sans --in-place.",
            "This file name is not Unicode: it cannot be referenced in place. Import it without --in-place.",
        );
        return Ok(FileOutcome::Failed { reason });
    }
    let staging = case.staging_dir();
    let staged = staging.join("file");
    let outcome = stage_and_commit(case, file, options, importer, &staged);
    // Whatever happened, nothing waits any more; an error of the import itself is the one to report.
    match (&outcome, folder::remove(&staged)) {
        (Ok(_), Err(error)) => Err(error),
        _ => outcome,
    }
}

fn stage_and_commit(
    case: &mut Case,
    file: &Found,
    options: &ImportOptions<'_>,
    importer: &mut dyn Importer,
    staged: &Path,
) -> Result<FileOutcome, Error> {
    let number = case.next_number()?;
    let tables = staged.join("tables");
    folder::remove(staged)?;
    fs::create_dir_all(&tables).map_err(Error::io(Doing::Writing, &tables))?;
    // The copy is what is read: what is stored is then what was hashed, even if the original changes meanwhile.
    let copy = if options.in_place { None } else { Some(copy(&file.path, &staged.join("original"))?) };
    let input = FileInput { path: copy.as_ref().map_or(&file.path, |(path, _)| path), shown_path: &file.shown, file_no: number };
    let read = |bytes| options.progress.read(bytes);
    let (outcome, synced) = thread::scope(|scope| {
        let sync = copy.as_ref().map(|(_, handle)| scope.spawn(|| handle.sync_all()));
        let outcome = importer.import(&input, &tables, options.threads.max(1), &read);
        (outcome, sync.map_or(Ok(()), |s| s.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread died")))))
    });
    let mut report = match outcome {
        Ok(Outcome::Recognised(report)) => report,
        Ok(Outcome::Unrecognised { reason, harmless, .. }) => return Ok(FileOutcome::Unrecognised { reason, harmless }),
        Err(error) => {
            importer.forget()?;
            return Err(error.into());
        }
    };
    whose(case, number, &mut report)?;
    let commit = |case: &mut Case, importer: &mut dyn Importer| {
        synced.map_err(Error::io(Doing::Writing, input.path))?;
        importer.keep()?;
        let copy = copy.as_ref().map(|(path, _)| path.as_path());
        case.commit(&Ready { number, file, report: &report, tables: &tables, copy })
    };
    // The file may have changed between its first hash and its import.
    if let Some(number) = case.number_of(&report.blake3)? {
        importer.forget()?;
        return Ok(FileOutcome::AlreadyImported { id: format!("e{number}") });
    }
    if let Err(error) = commit(case, importer) {
        importer.forget()?;
        case.clean()?;
        return Err(error);
    }
    case.sound.imported(number);
    Ok(FileOutcome::Imported { id: input.evidence_id(), sources: infos(&input, report) })
}

/// A source of a file whose every record is a copy, and that names no tenant, is of the tenant of the files that it repeats.
fn whose(case: &Case, number: u32, report: &mut FileReport) -> Result<(), Error> {
    let copies = |s: &SourceReport| s.rows.kept == 0 && s.rows.duplicate > 0 && !s.tenants.keys().any(|t| !t.is_empty());
    if !report.sources.iter().any(copies) {
        return Ok(());
    }
    let tenancy = case.tenancy()?;
    let mut of: BTreeMap<String, u64> = BTreeMap::new();
    for (file, n) in report.repeats.iter().filter(|(file, _)| **file != number) {
        if let Some(tenant) = tenancy.default_of(&format!("e{file}")) {
            *of.entry(tenant.to_owned()).or_default() += n;
        }
    }
    for source in report.sources.iter_mut().filter(|s| copies(s)) {
        source.tenants.extend(of.clone());
    }
    Ok(())
}

fn infos(input: &FileInput<'_>, report: FileReport) -> Vec<EvidenceInfo> {
    let FileReport { blake3, sources, .. } = report;
    let info = |s: reflexe_evidence::import::SourceReport| EvidenceInfo {
        id: input.evidence_id(),
        path: input.shown_path.to_owned(),
        sha256: None,
        blake3: Some(blake3.clone()),
        source: s.source,
        rows: s.rows,
        from: s.from,
        to: s.to,
        notes: s.notes,
    };
    sources.into_iter().map(info).collect()
}

impl Case {
    fn next_number(&self) -> Result<u32, Error> {
        let limit = (1 << RowId::FILE_BITS) - 1;
        let sql = "SELECT coalesce(max(number), 0) + 1 FROM evidence";
        let next = self.db.query_row(sql, [], |row| row.get(0)).map_err(self.database())?;
        if next > limit { Err(Error::TooManyFiles { limit }) } else { Ok(next) }
    }

    /// Remembers the files that are not in the case, and forgets those that are by now.
    fn remember(&mut self, report: &ImportReport) -> Result<(), Error> {
        let database = self.database();
        let tx = self.begin()?;
        let write = || {
            let mut put =
                tx.prepare("INSERT OR REPLACE INTO unrecognised (path, reason_fr, reason_en, harmless) VALUES (?, ?, ?, ?)")?;
            let mut drop = tx.prepare("DELETE FROM unrecognised WHERE path = ?")?;
            for FileResult { path, outcome } in &report.files {
                match outcome {
                    FileOutcome::Unrecognised { reason, harmless } => {
                        put.execute((path, &reason.fr, &reason.en, harmless))?;
                        unread::forget(&tx, path)?;
                    }
                    FileOutcome::Failed { reason } => unread::put(&tx, path, reason)?,
                    FileOutcome::Imported { .. } | FileOutcome::AlreadyImported { .. } => {
                        drop.execute([path])?;
                        unread::forget(&tx, path)?;
                    }
                }
            }
            if let Some(why) = &report.stopped {
                let why = Text::new(format!("pas lu : {}", why.fr), format!("not read: {}", why.en));
                report.not_tried.iter().try_for_each(|path| unread::put(&tx, path, &why))?;
            }
            Ok(())
        };
        write().map_err(&database)?;
        tx.commit().map_err(&database)
    }
}

/// Copies a file; on file systems that share blocks the system does so. The handle is for making it durable.
///
/// A hard link would cost nothing, but then whoever edits the original edits the evidence.
fn copy(from: &Path, to: &Path) -> Result<(PathBuf, File), Error> {
    let mut source = File::open(from).map_err(Error::io(Doing::Reading, from))?;
    let mut target = File::create_new(to).map_err(Error::io(Doing::Writing, to))?;
    // The system does not say which side failed; a full disk is told apart by its kind.
    io::copy(&mut source, &mut target).map_err(Error::io(Doing::Reading, from))?;
    Ok((to.to_owned(), target))
}

/// The number under which the case already holds the bytes of a file.
fn held(case: &Case, file: &Found) -> Result<Option<u32>, Error> {
    let reading = || Error::io(Doing::Reading, &file.path);
    if case.holds_old_size(file.size)? {
        let digests = hash::digests(&file.path).map_err(reading())?;
        return Ok(case.number_of_sha256(&digests.sha256)?.or(case.number_of(&digests.blake3)?));
    }
    if !case.holds_size(file.size)? {
        return Ok(None);
    }
    let (blake3, _) = hash::blake3(&file.path).map_err(reading())?;
    case.number_of(&blake3)
}
