//! What reads one file. The case needs no more of the readers than this, so that tests can make them fail.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use jiff::Timestamp;
use reflexe_evidence::{
    dedup::DedupIndex,
    error::Error,
    import::{FileInput, ImportContext, Outcome, import_file},
};

use crate::{folder::Case, index};

/// Reads files into Parquet tables, one after the other.
pub trait Importer {
    /// Reads a file; its tables go to `out_dir`, and nowhere else.
    ///
    /// # Errors
    /// When the file cannot be read or its tables cannot be written. The case then calls [`Importer::forget`].
    fn import(
        &mut self,
        file: &FileInput<'_>,
        out_dir: &Path,
        threads: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Outcome, Error>;

    /// The file imported last is about to be committed.
    ///
    /// # Errors
    /// When what the importer knows of it cannot be saved.
    fn keep(&mut self) -> Result<(), Error>;

    /// The file imported last is not in the case after all.
    ///
    /// # Errors
    /// When what was saved of it cannot be removed.
    fn forget(&mut self) -> Result<(), Error>;
}

/// The readers of `reflexe-evidence`, with the record ids of the whole case.
#[derive(Debug)]
pub struct Readers {
    dedup: DedupIndex,
    now: Timestamp,
}

impl Readers {
    /// Opens the index of record ids of a case; one that cannot be believed is made again, which is told.
    ///
    /// # Errors
    /// When the index or the manifest cannot be read, or the index cannot be made again.
    pub fn open(case: &Case, progress: &dyn crate::Progress) -> Result<Self, crate::Error> {
        if let Some(why) = index::doubt(case)? {
            progress.say(&index::sentence(&why));
            index::rebuild(case)?;
        }
        let mut dedup = DedupIndex::open(&case.index_dir())?;
        let held: std::collections::BTreeSet<u32> = case.evidence_files()?.iter().map(|f| f.number).collect();
        dedup.retain(&|number| held.contains(&number))?;
        Ok(Self { dedup, now: Timestamp::now() })
    }

    /// With another clock: a date later than that cannot be believed.
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }
}

impl Importer for Readers {
    fn import(
        &mut self,
        file: &FileInput<'_>,
        out_dir: &Path,
        threads: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Outcome, Error> {
        let mut context = ImportContext { out_dir, dedup: &mut self.dedup, now: self.now, threads, progress };
        // Evidence is written by attackers: a mistake of ours that one file brings out must not keep the others from being read.
        // What the readers hold of the file is dropped by `forget`.
        catch_unwind(AssertUnwindSafe(|| import_file(file, &mut context))).unwrap_or_else(|cause| {
            let what = cause.downcast_ref::<&str>().map(ToString::to_string).or_else(|| cause.downcast_ref::<String>().cloned());
            Err(Error::Internal { path: file.shown_path.to_owned(), what: what.unwrap_or_else(|| "panic".to_owned()) })
        })
    }

    fn keep(&mut self) -> Result<(), Error> {
        self.dedup.flush()
    }

    fn forget(&mut self) -> Result<(), Error> {
        self.dedup.rollback()
    }
}
