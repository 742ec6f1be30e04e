//! Every import commits, in the journal, to what the manifest says of a file: its rows and the hash of each of its Parquet
//! parts. A later change of any of them is then found, and the file named.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::Timestamp;
use reflexe_evidence::hash;
use reflexe_model::{Entry, Kind, Payload, Text};
use rusqlite::{Connection, Transaction, TransactionBehavior, types::ValueRef};
use sha2::{Digest as _, Sha256};

use super::{chain, commit, device::Device, draft::Draft, store, verify::Problem, words};
use crate::{
    error::{Doing, Error},
    folder::{self, Case},
    manifest::{self, EvidenceFile},
};

/// What the manifest says of one file, as one text for hashing.
const ROWS: [&str; 5] = [
    "SELECT number, coalesce(blake3, sha256), size, path, origin, in_place, imported_at, domains FROM evidence WHERE number = ?",
    "SELECT position, source, read, kept, duplicate, rejected, time_from, time_to, tenants, tables, notes
     FROM evidence_source WHERE evidence = ? ORDER BY position",
    "SELECT file, table_name, blake3 FROM part WHERE evidence = ? ORDER BY file",
    "SELECT who, declared_at FROM declaration WHERE evidence = ?",
    "SELECT row_id FROM superseded WHERE evidence = ? ORDER BY row_id",
];

/// Digest of the manifest's rows about one file.
pub(crate) fn digest(db: &Connection, number: u32) -> rusqlite::Result<String> {
    let mut hasher = Sha256::new();
    hasher.update("reflexe-evidence-v1");
    for (n, sql) in ROWS.iter().enumerate() {
        let mut statement = db.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([number])?;
        while let Some(row) = rows.next()? {
            hasher.update([b'r', b'0' + n as u8]);
            for column in 0..columns {
                // Type and length first: two lists of values never give the same bytes.
                let (kind, bytes) = match row.get_ref(column)? {
                    ValueRef::Null => (b'n', Vec::new()),
                    ValueRef::Integer(i) => (b'i', i.to_be_bytes().to_vec()),
                    ValueRef::Real(r) => (b'f', r.to_be_bytes().to_vec()),
                    ValueRef::Text(t) => (b't', t.to_vec()),
                    ValueRef::Blob(b) => (b'b', b.to_vec()),
                };
                hasher.update([kind]);
                hasher.update((bytes.len() as u64).to_be_bytes());
                hasher.update(bytes);
            }
        }
    }
    Ok(chain::hex(&hasher.finalize()))
}

/// Why an entry about a file is written. `before`: the digest that the new one replaces.
pub(crate) enum Why {
    /// It came in.
    Imported,
    /// Somebody declares it unfiltered.
    Declared { who: String, before: String },
    /// Its index was made again.
    Indexed { before: String },
}

/// Writes the journal's entry about a file, in the transaction that writes the manifest's rows.
pub(crate) fn record_evidence(
    tx: &Transaction<'_>,
    case_id: &str,
    device: &Device,
    number: u32,
    why: &Why,
    now: Timestamp,
) -> Result<(), Error> {
    let read = || -> rusqlite::Result<_> {
        let file: (String, u64, String) =
            tx.query_row("SELECT coalesce(blake3, sha256), size, path FROM evidence WHERE number = ?", [number], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })?;
        let rows: (u64, u64, u64, u64, Option<String>, Option<String>, Option<String>) = tx.query_row(
            "SELECT coalesce(sum(read), 0), coalesce(sum(kept), 0), coalesce(sum(duplicate), 0), coalesce(sum(rejected), 0),
                    min(time_from), max(time_to), group_concat(source, ', ') FROM evidence_source WHERE evidence = ?",
            [number],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?)),
        )?;
        Ok((file, rows, digest(tx, number)?))
    };
    let ((digest, size, path), (read, kept, duplicate, rejected, from, to, sources), manifest) =
        read().map_err(Error::in_journal)?;
    let replaces = match why {
        Why::Imported => "",
        Why::Declared { before, .. } | Why::Indexed { before } => before,
    };
    // The same digest again is vouched for by one more device; it replaces nothing.
    let replaces = Some(replaces).filter(|before| **before != manifest).unwrap_or_default().to_owned();
    let mut facts = words::facts([
        ("evidence", format!("e{number}")),
        ("digest", digest),
        ("size", size.to_string()),
        ("path", path.clone()),
        ("sources", sources.unwrap_or_default()),
        ("rows", format!("{read} = {kept} + {duplicate} + {rejected}")),
        ("from", from.unwrap_or_default()),
        ("to", to.unwrap_or_default()),
        ("manifest", manifest),
        ("replaces", replaces),
        // Says that `manifest` covers the files of the index.
        ("index", "1".to_owned()),
    ]);
    facts.retain(|_, v| !v.is_empty());
    let shown = words::short(&path);
    let (name, title) = match why {
        Why::Declared { who, .. } => {
            facts.insert("who".into(), who.clone());
            let said = Text::new(format!("e{number} déclarée complète"), format!("e{number} declared unfiltered"));
            ("declared_unfiltered", said)
        }
        Why::Imported => (
            "evidence",
            Text::new(format!("Preuve e{number} importée : {shown}"), format!("evidence e{number} imported: {shown}")),
        ),
        Why::Indexed { .. } => (
            "evidence",
            Text::new(format!("Index de la preuve e{number} refait"), format!("index of evidence e{number} made again")),
        ),
    };
    let mut draft = Draft::fact(Kind::Evidence, name, &title, facts, now);
    if let Why::Declared { who, .. } = why {
        who.clone_into(&mut draft.content.actor);
    }
    draft.content.links.push(format!("e{number}"));
    commit::append(tx, case_id, device, &draft, None, now)?;
    Ok(())
}

/// What an entry commits to.
pub(crate) struct Commitment {
    pub entry: String,
    pub number: u32,
    pub digest: String,
    pub path: String,
    pub manifest: String,
    /// The device that says so.
    pub writer: String,
    /// Whether it covers the index of the file as well.
    pub indexed: bool,
    replaces: String,
}

/// The commitments that no later one replaces. What was redacted commits to nothing that can be read.
pub(crate) fn commitments(entries: &[Entry]) -> Vec<Commitment> {
    let mut all: Vec<Commitment> = entries
        .iter()
        .filter_map(|entry| {
            let Some(Payload::Fact { name, mut facts }) = Payload::of(entry) else { return None };
            if entry.header.kind != Kind::Evidence || !matches!(name.as_str(), "evidence" | "declared_unfiltered") {
                return None;
            }
            Some(Commitment {
                entry: entry.header.entry_id.clone(),
                number: manifest::number(facts.get("evidence")?)?,
                digest: facts.remove("digest")?,
                path: facts.remove("path").unwrap_or_default(),
                manifest: facts.remove("manifest")?,
                writer: entry.header.writer.clone(),
                indexed: facts.contains_key("index"),
                replaces: facts.remove("replaces").unwrap_or_default(),
            })
        })
        .collect();
    let replaced: BTreeSet<String> = all.iter().map(|c| c.replaces.clone()).collect();
    all.retain(|c| !replaced.contains(&c.manifest));
    all
}

/// Finishes what a creation or a migration began: the journal's first entries, and the hashes of the parts of an older case.
pub(crate) fn adopt(case: &mut Case) -> Result<(), Error> {
    let database = case.database();
    let Some(pending) = store::info(&case.db, "pending").map_err(&database)? else { return Ok(()) };
    let (id, now) = (case.id()?, Timestamp::now());
    let files: Vec<u32> = case.evidence_files()?.iter().map(|f| f.number).collect();
    let mut hashes = Vec::new();
    let parts: Vec<String> = {
        let read = || case.db.prepare("SELECT file FROM part WHERE blake3 = ''")?.query_map([], |r| r.get(0))?.collect();
        let read: rusqlite::Result<Vec<String>> = read();
        read.map_err(&database)?
    };
    for part in parts {
        let path = case.dir().join(&part);
        hashes.push((hash::blake3(&path).map_err(Error::io(Doing::Reading, &path))?.0, part));
    }
    let device = case.device()?;
    let tx = Transaction::new_unchecked(&case.db, TransactionBehavior::Immediate).map_err(&database)?;
    let first = match pending.parse::<u32>() {
        Ok(found) => words::migrated(found, crate::store::FORMAT, &backup(case.dir(), found)?, now),
        Err(_) => words::case_opened(&id, crate::store::FORMAT, now),
    };
    commit::append(&tx, &id, device, &first, None, now)?;
    for (blake3, part) in &hashes {
        tx.execute("UPDATE part SET blake3 = ? WHERE file = ?", (blake3, part)).map_err(&database)?;
    }
    for number in files {
        record_evidence(&tx, &id, device, number, &Why::Imported, now)?;
    }
    tx.execute("DELETE FROM case_info WHERE key = 'pending'", []).map_err(&database)?;
    tx.commit().map_err(&database)?;
    case.renew_sums()
}

/// Name and SHA-256 of the copy of the manifest that a conversion kept.
fn backup(dir: &Path, found: u32) -> Result<(String, String), Error> {
    let name = format!("case.format-{found}.sqlite");
    let path = dir.join(&name);
    let sha256 = folder::hash(&path).map_err(Error::io(Doing::Reading, &path))?;
    Ok((name, sha256))
}

/// What is compared with what the journal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The manifest and the tables: all that an answer is made of.
    Tables,
    /// The originals and the index as well.
    Everything,
}

/// Compares the manifest, the originals and the parts with what the journal committed to.
pub(crate) fn check(db: &Connection, dir: &Path, entries: &[Entry], depth: Depth) -> Result<Vec<Problem>, Error> {
    let mut problems = Vec::new();
    let commitments = commitments(entries);
    let (mut by_digest, mut by_number) = (BTreeMap::<&str, Vec<&Commitment>>::new(), BTreeMap::<u32, &Commitment>::new());
    for c in &commitments {
        by_digest.entry(&c.digest).or_default().push(c);
        by_number.entry(c.number).or_insert(c);
    }
    let sealed = sealed(entries);
    let files = files(db).map_err(Error::in_journal)?;
    for file in &files {
        let mine = by_digest.get(file.digest()).map_or(&[][..], Vec::as_slice);
        let now = digest(db, file.number).map_err(Error::in_journal)?;
        let entry = mine.first().map(|c| c.entry.clone());
        let number = file.number;
        // A SHA-256 that was added after the import must be the one that the journal says.
        let added =
            file.blake3.is_none() || file.sha256.as_ref().is_none_or(|s| sealed.contains(&(file.digest().to_owned(), s.clone())));
        if !added || !mine.iter().any(|c| c.manifest == now) {
            let same = by_number.get(&number).copied();
            problems.push(Problem {
                place: format!("e{number}"),
                entry: mine.first().copied().or(same).map(|c| c.entry.clone()),
                text: contradicted(number),
            });
        }
        if depth == Depth::Everything {
            let path = if file.in_place { file.origin.clone() } else { dir.join(manifest::original(file.digest())) };
            problems.extend(unchanged(dir, &path, file.is(&path), entry));
        }
    }
    let read = || -> rusqlite::Result<Vec<(String, String, bool)>> {
        let sql = "SELECT file, blake3, table_name = ?2 FROM part WHERE ?1 OR table_name <> ?2 ORDER BY file";
        let which = (depth == Depth::Everything, crate::index::TABLE);
        db.prepare(sql)?.query_map(which, |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?.collect()
    };
    let mut runs = Vec::new();
    for (file, blake3, is_run) in read().map_err(Error::in_journal)? {
        let entry = folder::name(Path::new(&file)).split_once('-').and_then(|(n, _)| n.parse::<u32>().ok());
        let entry = entry.and_then(|n| by_number.get(&n)).map(|c| c.entry.clone());
        let path = dir.join(&file);
        let same = hash::blake3(&path).map(|(now, _)| now == blake3);
        if is_run {
            runs.extend((!same.unwrap_or(false)).then_some(file));
        } else {
            problems.extend(unchanged(dir, &path, same, entry));
        }
    }
    if let Some(first) = runs.first() {
        problems.push(Problem::of_file(first, lost_index(first, runs.len())));
    }
    let elsewhere = elsewhere(entries);
    let here: BTreeSet<&str> = files.iter().map(EvidenceFile::digest).collect();
    for c in commitments.iter().filter(|c| !here.contains(&*c.digest) && !elsewhere.contains(&c.digest)) {
        problems.push(Problem {
            place: format!("e{}", c.number),
            entry: Some(c.entry.clone()),
            text: Text::new(
                format!(
                    "La preuve {} ({}) a été retirée du dossier sans écriture. Reprenez-la d’une copie du dossier.",
                    words::short(&c.path),
                    c.digest
                ),
                format!(
                    "Evidence {} ({}) was taken from the case without an entry. Take it from a copy of the case.",
                    words::short(&c.path),
                    c.digest
                ),
            ),
        });
    }
    Ok(problems)
}

/// What to tell of a file of which the manifest says something else than the journal.
pub(crate) fn contradicted(number: u32) -> Text {
    Text::new(
        format!(
            "e{number} : ce que le manifeste en dit (fichier, lignes lues, tables) n’est plus ce qui a été écrit à l’import. Réimportez ce fichier dans un nouveau dossier et comparez."
        ),
        format!(
            "e{number}: what the manifest says of it (file, rows read, tables) is not what was written at import. Import this file into a new case and compare."
        ),
    )
}

/// What to tell of an index that is not as it was written: one sentence, however many files it has.
fn lost_index(first: &str, n: usize) -> Text {
    Text::new(
        format!(
            "{first} : l’index des enregistrements connus manque ou a été modifié hors de reflexe ({n} fichiers). Le prochain import le refait à partir des originaux."
        ),
        format!(
            "{first}: the index of known records is missing or was changed outside reflexe ({n} files). The next import makes it again from the originals."
        ),
    )
}

/// Evidence that another copy of the case had and that could not be brought over: merges say which.
pub(crate) fn elsewhere(entries: &[Entry]) -> BTreeSet<String> {
    let of = |entry: &Entry| match Payload::of(entry) {
        Some(Payload::Fact { name, facts }) if name == "merge" => facts.get("missing").cloned(),
        _ => None,
    };
    entries.iter().filter_map(of).flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Digest and SHA-256 of the originals whose SHA-256 was added after their import.
fn sealed(entries: &[Entry]) -> BTreeSet<(String, String)> {
    let of = |entry: &Entry| match Payload::of(entry) {
        Some(Payload::Fact { name, facts }) if name == "sealed" => {
            Some((facts.get("digest")?.clone(), facts.get("sha256")?.clone()))
        }
        _ => None,
    };
    entries.iter().filter_map(of).collect()
}

fn files(db: &Connection) -> rusqlite::Result<Vec<EvidenceFile>> {
    let sql = "SELECT number, blake3, sha256, size, path, origin, in_place FROM evidence ORDER BY number";
    let file = |row: &rusqlite::Row<'_>| {
        Ok(EvidenceFile {
            number: row.get(0)?,
            blake3: row.get(1)?,
            sha256: row.get(2)?,
            size: row.get(3)?,
            path: row.get(4)?,
            origin: row.get::<_, String>(5)?.into(),
            in_place: row.get(6)?,
            domains: Vec::new(),
            declared_unfiltered_by: None,
        })
    };
    db.prepare(sql)?.query_map([], file)?.collect()
}

/// Whether a file still has the SHA-256 that was written; else what to tell.
pub(crate) fn same_hash(dir: &Path, path: &Path, sha256: &str, entry: Option<String>) -> Option<Problem> {
    unchanged(dir, path, folder::hash(path).map(|now| now == sha256), entry)
}

/// What to tell of a file that is not what was written.
pub(crate) fn unchanged(dir: &Path, path: &Path, same: std::io::Result<bool>, entry: Option<String>) -> Option<Problem> {
    let place = folder::relative(dir, path);
    match same {
        Ok(true) => None,
        Ok(false) => Some(Problem {
            text: Text::new(
                format!("{place} a été modifié depuis son écriture. Reprenez ce fichier d’une copie du dossier."),
                format!("{place} was changed since it was written. Take this file from a copy of the case."),
            ),
            place,
            entry,
        }),
        Err(error) => Some(Problem { entry, ..Problem::unreadable(&place, &error) }),
    }
}
