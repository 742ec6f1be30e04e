//! Unites another copy of a case with this one: entries, attachments, evidence. Nothing is overwritten; what cannot be brought
//! over is listed and written down.
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use reflexe_model::Entry;

use super::{chain, commit, evidence, store, union, verify, words};
use crate::{
    error::{Doing, Error},
    folder::{self, Case},
    import::{self, FileOutcome, ImportOptions},
    importer::Readers,
    manifest,
    walk::Found,
};

/// Evidence of the other copy that is not in this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotMerged {
    /// Its path as given there.
    pub path: String,
    /// SHA-256 of its bytes.
    pub digest: String,
}

/// What a merge did.
#[derive(Debug)]
pub struct MergeReport {
    /// Entries that this copy did not have.
    pub entries: usize,
    /// Entries whose content the other copy had removed, and that lost it here too.
    pub redacted: usize,
    /// Attached files that came.
    pub attachments: usize,
    /// Evidence that was imported from the other copy: its ids here.
    pub evidence: Vec<String>,
    /// Evidence that only the other copy has: its original is not there, or could not be read.
    pub missing: Vec<NotMerged>,
    /// The case afterwards, verified.
    pub verified: verify::Verified,
}

/// Merges another copy of the same case into this one. Done twice, the second time changes nothing.
///
/// # Errors
/// When the other folder is another case, one is an exercise and the other is not, or a folder cannot be read or written.
pub fn merge(case: &mut Case, other: &Path, options: &ImportOptions<'_>) -> Result<MergeReport, Error> {
    case.writable()?;
    let from = Case::open_for_reading(other)?;
    let exercise = from.is_exercise()? != case.is_exercise()?;
    if exercise || from.id()? != case.id()? {
        return Err(Error::OtherCase { dir: other.to_owned(), exercise });
    }
    // All of them: what a copy proves heals what the other does not.
    let mine = store::readable(&case.db)?.0;
    let theirs = store::readable(&from.db)?.0;
    let attachments = attachments(case, other, &mine, &theirs)?;
    let (entries, redacted) = entries(case, &mine, theirs)?;
    let (evidence, missing) = originals(case, &from, options)?;
    let known = evidence::elsewhere(&case.entries()?);
    let news: Vec<String> = missing.iter().map(|m| m.digest.clone()).filter(|s| !known.contains(s)).collect();
    if entries > 0 || !news.is_empty() {
        let (id, now) = (case.id()?, Timestamp::now());
        let tx = case.begin()?;
        commit::append(&tx, &id, case.device()?, &words::merged(entries, &news, now), None, now)?;
        tx.commit().map_err(case.database())?;
    }
    store::remove_attachments(case.dir(), &case.entries()?)?;
    case.renew_sums()?;
    let verified = verify::verify(case.dir())?;
    Ok(MergeReport { entries, redacted, attachments, evidence, missing, verified })
}

/// Adds the entries that this copy lacks and applies the other's redactions; counts both.
fn entries(case: &Case, mine: &[Entry], theirs: Vec<Entry>) -> Result<(usize, usize), Error> {
    let all = union::union(mine.iter().cloned().chain(theirs));
    let (mut new, mut redacted) = (0, 0);
    let tx = case.begin()?;
    for entry in &all {
        match mine.iter().find(|m| m.hash == entry.hash) {
            None => {
                commit::insert(&tx, entry)?;
                new += 1;
            }
            Some(held) if held.content.is_some() && entry.content.is_none() => {
                store::empty(&tx, &entry.hash)?;
                redacted += 1;
            }
            // A copy that proves itself heals one that does not.
            Some(held) if held != entry => {
                tx.execute("DELETE FROM entry WHERE hash = ?", [&entry.hash]).map_err(case.database())?;
                commit::insert(&tx, entry)?;
            }
            Some(_) => {}
        }
    }
    tx.commit().map_err(case.database())?;
    Ok((new, redacted))
}

/// Copies attached files that this copy lacks and whose bytes are those that the entry names.
fn attachments(case: &Case, other: &Path, mine: &[Entry], theirs: &[Entry]) -> Result<usize, Error> {
    let target = case.dir().join("attachments");
    let mut copied = 0;
    let both = union::union(mine.iter().chain(theirs).cloned());
    for sha256 in both.iter().filter(|e| e.content.is_some()).flat_map(|e| &e.header.attachments) {
        let (from, to) = (other.join("attachments").join(sha256), target.join(sha256));
        if chain::unhex(sha256).is_none_or(|h| h.len() != 32) || to.exists() || !is_plain(&from) {
            continue;
        }
        if folder::hash(&from).map_err(Error::io(Doing::Reading, &from))? != *sha256 {
            continue; // verification of either copy names it
        }
        let staged = case.staging_dir().join("attachment");
        fs::copy(&from, &staged).map_err(Error::io(Doing::Reading, &from))?;
        File::options().write(true).open(&staged).and_then(|f| f.sync_all()).map_err(Error::io(Doing::Writing, &staged))?;
        fs::rename(&staged, &to).map_err(Error::io(Doing::Moving, &to))?;
        copied += 1;
    }
    Ok(copied)
}

fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.is_file())
}

/// Imports the other copy's originals as any evidence is imported.
fn originals(case: &mut Case, from: &Case, options: &ImportOptions<'_>) -> Result<(Vec<String>, Vec<NotMerged>), Error> {
    let (mut added, mut missing) = (Vec::new(), Vec::new());
    let wanted: Vec<_> = from.evidence_files()?;
    let mut todo = Vec::new();
    for file in wanted {
        if !case.holds(&file)? {
            todo.push(file);
        }
    }
    if todo.is_empty() {
        return Ok((added, missing));
    }
    let mut readers = Readers::open(case, options.progress)?;
    for file in todo {
        let path: PathBuf = if file.in_place { file.origin.clone() } else { from.dir().join(manifest::original(file.digest())) };
        let same = is_plain(&path) && file.is(&path).unwrap_or(false);
        let outcome = if same {
            let found = Found { path, shown: file.path.clone(), origin: file.origin.clone(), size: file.size };
            import::one(case, &found, options, &mut readers)?
        } else {
            FileOutcome::Failed { reason: reflexe_model::Text::new("original absent", "no original") }
        };
        match outcome {
            FileOutcome::Imported { id, .. } | FileOutcome::AlreadyImported { id } => added.push(id),
            FileOutcome::Unrecognised { .. } | FileOutcome::Failed { .. } => {
                missing.push(NotMerged { digest: file.digest().to_owned(), path: file.path });
            }
        }
    }
    Ok((added, missing))
}
