//! The moment a file enters the case: its tables and its original are moved into place, then one transaction of the
//! manifest names them. Whatever happens before that transaction leaves only leftovers, which the next opening removes.
use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
};

use reflexe_evidence::{hash, import::FileReport};
use reflexe_model::RowId;
use rusqlite::Transaction;

use crate::{
    error::{Doing, Error},
    folder::{self, Case},
    index, journal, manifest, unread,
    walk::Found,
};

/// A file that was read completely and waits in the staging folder.
pub(crate) struct Ready<'a> {
    pub number: u32,
    pub file: &'a Found,
    pub report: &'a FileReport,
    /// Folder that holds `<table>/*.parquet`.
    pub tables: &'a Path,
    /// The copy of the original, unless it stays in place.
    pub copy: Option<&'a Path>,
}

impl Case {
    /// Commits a file: afterwards all of it is in the case, even if the power fails.
    pub(crate) fn commit(&mut self, ready: &Ready<'_>) -> Result<(), Error> {
        let mut staged = Vec::new();
        for table in folder::entries(ready.tables)? {
            let name = folder::name(&table);
            staged.extend(folder::entries(&table)?.into_iter().map(|part| (name.clone(), part)));
        }
        let mut parts = self.place_parts(&staged)?;
        for (file, blake3) in index::runs(self, ready.number)? {
            parts.push((file, index::TABLE.to_owned(), blake3));
        }
        if let Some(copy) = ready.copy {
            let original = self.dir().join(manifest::original(&ready.report.blake3));
            let target = original.parent().unwrap_or(self.dir());
            fs::create_dir_all(target).map_err(Error::io(Doing::Writing, target))?;
            fs::rename(copy, &original).map_err(Error::io(Doing::Moving, &original))?;
            together(&[target.to_owned(), self.dir().join("evidence")], sync_folder)?;
        }
        let (database, id, now) = (self.database(), self.id()?, jiff::Timestamp::now());
        let tx = self.begin()?;
        insert(&tx, ready, &parts, now).map_err(&database)?;
        // In the same transaction: no evidence without its entry in the journal, and no entry without its evidence.
        journal::record_evidence(&tx, &id, self.device()?, ready.number, &journal::Why::Imported, now)?;
        tx.commit().map_err(&database)
    }

    /// Moves staged Parquet files, each given with its table, among those of their tables; returns of each its path as the manifest
    /// writes it, its table and its hash.
    pub(crate) fn place_parts(&self, staged: &[(String, PathBuf)]) -> Result<Vec<(String, String, String)>, Error> {
        let tables = self.dir().join("tables");
        let files: Vec<PathBuf> = staged.iter().map(|(_, part)| part.clone()).collect();
        together(&files, sync_file)?;
        let (mut parts, mut folders) = (Vec::new(), BTreeSet::new());
        for (table, part) in staged {
            let folder = tables.join(table);
            if !folder.is_dir() {
                fs::create_dir(&folder).map_err(Error::io(Doing::Writing, &folder))?;
                folders.insert(tables.clone());
            }
            let placed = folder.join(folder::name(part));
            fs::rename(part, &placed).map_err(Error::io(Doing::Moving, &placed))?;
            let (blake3, _) = hash::blake3(&placed).map_err(Error::io(Doing::Reading, &placed))?;
            parts.push((folder::relative(self.dir(), &placed), table.clone(), blake3));
            folders.insert(folder);
        }
        together(&folders.into_iter().collect::<Vec<_>>(), sync_folder)?;
        Ok(parts)
    }
}

fn insert(tx: &Transaction, ready: &Ready<'_>, parts: &[(String, String, String)], now: jiff::Timestamp) -> rusqlite::Result<()> {
    let Ready { number, file, report, copy, .. } = ready;
    tx.execute(
        "INSERT INTO evidence (number, blake3, size, path, origin, in_place, imported_at, domains) VALUES (?,?,?,?,?,?,?,?)",
        (
            number,
            &report.blake3,
            report.size,
            &file.shown,
            file.origin.to_string_lossy(),
            copy.is_none(),
            now.to_string(),
            json(&report.domains)?,
        ),
    )?;
    let mut source = tx.prepare(
        "INSERT INTO evidence_source (evidence, position, source, read, kept, duplicate, rejected, time_from, time_to, tenants, tables, notes)
         VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    )?;
    for (position, s) in (0i64..).zip(&report.sources) {
        source.execute((
            number,
            position,
            &s.source,
            s.rows.read,
            s.rows.kept,
            s.rows.duplicate,
            s.rows.rejected,
            s.from.map(|t| t.to_string()),
            s.to.map(|t| t.to_string()),
            json(&s.tenants)?,
            json(&s.tables)?,
            json(&s.notes)?,
        ))?;
    }
    let mut part = tx.prepare("INSERT INTO part (file, evidence, table_name, blake3) VALUES (?, ?, ?, ?)")?;
    for (path, table, blake3) in parts {
        part.execute((path, number, table, blake3))?;
    }
    let mut superseded = tx.prepare("INSERT OR IGNORE INTO superseded (row_id, evidence) VALUES (?, ?)")?;
    for RowId(row) in &report.superseded {
        superseded.execute((row, number))?;
    }
    unread::forget(tx, &file.shown)
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

/// Does the same with several paths at once: what waits for the disk together waits once, since a file system writes its journal
/// for all of them.
fn together(paths: &[PathBuf], sync: fn(&Path) -> Result<(), Error>) -> Result<(), Error> {
    thread::scope(|scope| {
        // Few enough at a time for any machine.
        for some in paths.chunks(16) {
            let waiting: Vec<_> = some.iter().map(|path| scope.spawn(move || sync(path))).collect();
            for one in waiting {
                one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
        }
        Ok(())
    })
}

fn sync_file(path: &Path) -> Result<(), Error> {
    File::options().write(true).open(path).and_then(|f| f.sync_all()).map_err(Error::io(Doing::Writing, path))
}

/// Has the system write the names in a folder to the disk itself. Windows does so by itself.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    if cfg!(unix) { File::open(path).and_then(|f| f.sync_all()).map_err(Error::io(Doing::Writing, path)) } else { Ok(()) }
}
