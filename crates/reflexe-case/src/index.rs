//! The index of record ids tells which records the case holds. Whoever could change it could have evidence dropped as known, or
//! counted twice: the manifest names the hash of each of its files, the journal commits to that, and an index that is lost, changed
//! or vouched for by another device only is made again from the originals before anything is added.
use std::{collections::BTreeMap, fs};

use reflexe_evidence::{
    dedup::{self, DedupIndex},
    hash,
    import::{FileInput, ImportContext, Outcome, import_file},
};
use reflexe_model::{RowCount, Text};

use crate::{
    error::{Doing, Error},
    folder::{self, Case},
    journal,
};

/// Name under which the manifest lists the files of the index among the parts.
pub(crate) const TABLE: &str = "index";

/// The files of the index that belong to an evidence file, as the manifest writes them, with their hash.
pub(crate) fn runs(case: &Case, number: u32) -> Result<Vec<(String, String)>, Error> {
    let mut found = Vec::new();
    for part in 0.. {
        let path = dedup::run(&case.index_dir(), number, part);
        if !path.is_file() {
            break;
        }
        let (blake3, _) = hash::blake3(&path).map_err(Error::io(Doing::Reading, &path))?;
        found.push((folder::relative(case.dir(), &path), blake3));
    }
    Ok(found)
}

/// Why the index cannot be believed, if it cannot.
///
/// # Errors
/// When the manifest says of a file what no device of the journal does: nothing is added to such a case.
pub(crate) fn doubt(case: &Case) -> Result<Option<Text>, Error> {
    let files = case.evidence_files()?;
    let me = case.device()?.writer();
    // What the journal says of each file: whether this device does.
    let mut said: BTreeMap<String, bool> = BTreeMap::new();
    for c in journal::commitments(&case.entries()?) {
        *said.entry(c.manifest).or_default() |= c.writer == me && c.indexed;
    }
    let named = named(case)?;
    // Whatever lies there under the number of a file would be believed.
    let mut there: BTreeMap<u32, usize> = BTreeMap::new();
    for path in folder::entries(&case.index_dir())? {
        if let Some(number) = folder::name(&path).split('-').next().and_then(|n| n.parse().ok()) {
            *there.entry(number).or_default() += 1;
        }
    }
    for file in &files {
        let number = file.number;
        let digest = journal::digest(&case.db, number).map_err(case.database())?;
        let Some(here) = said.get(&digest) else {
            return Err(Error::Tampered { found: vec![journal::contradicted(number)] });
        };
        if !here {
            return Ok(Some(Text::new(
                format!("vient d’un autre poste ou d’une autre version (e{number})"),
                format!("comes from another device or version (e{number})"),
            )));
        }
        let expected = named.get(&number).map_or(&[][..], Vec::as_slice);
        if there.get(&number).copied().unwrap_or_default() != expected.len() || runs(case, number)? != expected {
            return Ok(Some(Text::new(
                format!("manque ou a été modifié (e{number})"),
                format!("is missing or was changed (e{number})"),
            )));
        }
    }
    Ok(None)
}

/// Makes the index again, as it was: the originals are read once more, in the order of their import.
pub(crate) fn rebuild(case: &Case) -> Result<(), Error> {
    for path in folder::entries(&case.index_dir())? {
        folder::remove(&path)?;
    }
    let mut dedup = DedupIndex::open(&case.index_dir())?;
    let out_dir = case.staging_dir().join("again");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let imported = case.last_import()?.unwrap_or_else(jiff::Timestamp::now);
    let mut counts: BTreeMap<u32, RowCount> = BTreeMap::new();
    for source in case.source_rows()? {
        counts.entry(source.evidence).or_default().add(source.rows);
    }
    let files = case.evidence_files()?;
    for file in &files {
        let path = case.evidence_path(&file.id())?;
        if !path.is_file() {
            return Err(Error::OriginalMissing { id: file.id(), path, in_place: file.in_place });
        }
        if !file.is(&path).map_err(Error::io(Doing::Reading, &path))? {
            return Err(Error::OriginalChanged { id: file.id(), path });
        }
        folder::remove(&out_dir)?;
        fs::create_dir_all(&out_dir).map_err(Error::io(Doing::Writing, &out_dir))?;
        let input = FileInput { path: &path, shown_path: &file.path, file_no: file.number };
        let mut context = ImportContext { out_dir: &out_dir, dedup: &mut dedup, now: imported, threads, progress: &|_| {} };
        let outcome = import_file(&input, &mut context)?;
        folder::remove(&out_dir)?;
        let mut again = RowCount::default();
        if let Outcome::Recognised(report) = &outcome {
            report.sources.iter().for_each(|s| again.add(s.rows));
        }
        // Rows are known by their number: an index of a file that is read otherwise now would speak of other rows.
        if Some(&again) != counts.get(&file.number) {
            return Err(Error::ReadOtherwise { id: file.id() });
        }
        dedup.flush()?;
    }
    let numbers: Vec<u32> = files.iter().map(|f| f.number).collect();
    vouch(case, &numbers)
}

/// Writes the hashes of the index into the manifest, and has this device vouch for them in the journal.
fn vouch(case: &Case, numbers: &[u32]) -> Result<(), Error> {
    let (database, id, now) = (case.database(), case.id()?, jiff::Timestamp::now());
    let tx = case.begin()?;
    for &number in numbers {
        let before = journal::digest(&tx, number).map_err(&database)?;
        tx.execute("DELETE FROM part WHERE evidence = ? AND table_name = ?", (number, TABLE)).map_err(&database)?;
        for (file, blake3) in runs(case, number)? {
            let sql = "INSERT INTO part (file, evidence, table_name, blake3) VALUES (?, ?, ?, ?)";
            tx.execute(sql, (file, number, TABLE, blake3)).map_err(&database)?;
        }
        journal::record_evidence(&tx, &id, case.device()?, number, &journal::Why::Indexed { before }, now)?;
    }
    tx.commit().map_err(&database)
}

/// The files of the index that the manifest names, by evidence, in order.
fn named(case: &Case) -> Result<BTreeMap<u32, Vec<(String, String)>>, Error> {
    let sql = "SELECT evidence, file, blake3 FROM part WHERE table_name = ? ORDER BY evidence, file";
    let mut named: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
    let read = || {
        case.db
            .prepare(sql)?
            .query_map([TABLE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<Vec<(u32, String, String)>>>()
    };
    for (number, file, blake3) in read().map_err(case.database())? {
        named.entry(number).or_default().push((file, blake3));
    }
    Ok(named)
}

/// What is told before the index is made again.
pub(crate) fn sentence(why: &Text) -> Text {
    Text::new(
        format!(
            "L’index des enregistrements connus (index/) {} : il est refait à partir des originaux avant tout ajout.",
            why.fr
        ),
        format!("The index of known records (index/) {}: it is made again from the originals before anything is added.", why.en),
    )
}
