//! Adds and reads entries, beside an import if one runs. What [`Journal::add`] returned is on the disk.
use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use reflexe_model::{Entry, Kind, Payload};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use sha2::{Digest as _, Sha256};

use super::{chain, commit, device::Device, doubt, draft::Draft, known::Memory, sums, verify, words};
use crate::{
    error::{Doing, Error},
    folder::{self, Case},
    manifest,
    seal::Sealed,
    store,
};

/// Largest attachment, in bytes, unless the caller says otherwise.
pub const ATTACHMENT_LIMIT: u64 = 512 << 20;

/// The journal of a case, open for writing. Any number of processes may hold one at once.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    db: Connection,
    case_id: String,
    device: Device,
}

impl Journal {
    /// Opens the journal of a case, with this device's key. An older case is brought up to date first.
    ///
    /// # Errors
    /// When the folder is no case or is newer, the case must be brought up to date while another process writes to it, or no
    /// key can be made.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_as(dir, Device::load(dir)?)
    }

    /// The same with a given device.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_as(dir: &Path, device: Device) -> Result<Self, Error> {
        let path = dir.join("case.sqlite");
        if store::needs_migration(&path)? {
            drop(Case::open(dir)?);
        }
        let db = store::open_beside(&path)?;
        let case_id = store::case_id(&db, &path)?;
        Ok(Self { dir: dir.to_owned(), db, case_id, device })
    }

    /// The device that writes; its warning, if any, is for the person.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The case folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The case's id.
    pub fn case_id(&self) -> &str {
        &self.case_id
    }

    /// Writes an entry. When this returns, it is on the disk.
    ///
    /// # Errors
    /// When the title is empty or too long, an attachment is not there, or the case cannot be written.
    pub fn add(&mut self, draft: &Draft) -> Result<Entry, Error> {
        if matches!(draft.kind, Kind::Correction | Kind::Redaction) {
            return Err(Error::NotByAdd);
        }
        self.write(|tx, journal| journal.append(tx, draft, None))
    }

    /// Writes several entries, all or none.
    ///
    /// # Errors
    /// As [`Journal::add`].
    pub fn add_all(&mut self, drafts: &[Draft]) -> Result<Vec<Entry>, Error> {
        if drafts.iter().any(|d| matches!(d.kind, Kind::Correction | Kind::Redaction)) {
            return Err(Error::NotByAdd);
        }
        self.write(|tx, journal| drafts.iter().map(|draft| journal.append(tx, draft, None)).collect())
    }

    /// Replaces what an entry says; the old one stays and is shown struck through. The draft's kind does not matter.
    ///
    /// # Errors
    /// When there is no such entry, its content is gone, no reason is given, or the entry holds data that are changed by a new
    /// entry of their own (an answer, a state).
    pub fn correct(&mut self, id: &str, reason: &str, draft: &Draft) -> Result<Entry, Error> {
        let old = self.superseded(id, reason)?;
        // What an import of notes or a correction puts beside the text is not what the entry sets.
        let beside = |p| matches!(p, Payload::Fact { name, .. } if name == "imported_note" || name == "correction");
        let sets = old.content.as_ref().is_some_and(|c| c.data.is_some()) && !Payload::of(&old).is_some_and(beside);
        if sets || draft.content.data.is_some() {
            return Err(Error::NotCorrectable { id: id.to_owned() });
        }
        let facts = words::facts([("reason", reason.trim().to_owned())]);
        let mut draft = draft.clone().with(&Payload::Fact { name: "correction".into(), facts });
        draft.kind = Kind::Correction;
        self.write(|tx, journal| journal.append(tx, &draft, Some(id)))
    }

    /// Destroys what an entry says, also on the disk; that it was there, when and by which device stays, and so does the reason.
    /// Files that only redacted entries have attached are removed. Copies of the case made before still hold all of it.
    ///
    /// # Errors
    /// When there is no such entry, its content is gone already, or no reason is given.
    pub fn redact(&mut self, id: &str, reason: &str, by: &str) -> Result<Entry, Error> {
        let old = self.superseded(id, reason)?;
        if old.header.kind == Kind::Redaction {
            return Err(Error::NotCorrectable { id: id.to_owned() });
        }
        let title = reflexe_model::Text::new("Contenu retiré", "content removed");
        let facts = words::facts([("reason", reason.trim().to_owned())]);
        let mut draft = Draft::fact(Kind::Redaction, "redaction", &title, facts, Timestamp::now());
        draft.content.actor = by.trim().to_owned();
        draft.content.recorded_by = by.trim().to_owned();
        reason.trim().clone_into(&mut draft.content.body);
        let entry = self.write(|tx, journal| {
            let entry = journal.append(tx, &draft, Some(id))?;
            empty(tx, &old.hash)?;
            Ok(entry)
        })?;
        remove_attachments(&self.dir, &self.entries()?)?;
        Ok(entry)
    }

    /// Copies a file to the attachments; returns its SHA-256, to be named in a draft. At most `limit` bytes.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than `limit`, or the case cannot be written.
    pub fn attach(&self, path: &Path, limit: u64) -> Result<String, Error> {
        let source = File::open(path).map_err(Error::io(Doing::Reading, path))?;
        let folder = self.dir.join("attachments");
        fs::create_dir_all(&folder).map_err(Error::io(Doing::Writing, &folder))?;
        let staged = folder.join(format!(".{}-{}", std::process::id(), chain::hex(&super::device::random::<4>()?)));
        let result = copy_hashed(source, path, &staged, limit).and_then(|sha256| {
            let target = folder.join(&sha256);
            fs::rename(&staged, &target).map_err(Error::io(Doing::Moving, &target))?;
            crate::commit::sync_folder(&folder)?;
            Ok(sha256)
        });
        if result.is_err() {
            folder::remove(&staged)?;
        }
        result
    }

    /// Every entry, in the order in which a journal is told.
    ///
    /// # Errors
    /// When the manifest cannot be read, or holds an entry that is none.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        entries(&self.db)
    }

    /// An entry by id, or by the beginning of one if only one begins so.
    ///
    /// # Errors
    /// When none or several do, or the manifest cannot be read.
    pub fn entry(&self, id: &str) -> Result<Entry, Error> {
        let mut found: Vec<Entry> = self.entries()?.into_iter().filter(|e| e.header.entry_id.starts_with(id)).collect();
        match (found.pop(), found.is_empty() && !id.is_empty()) {
            (Some(entry), true) => Ok(entry),
            _ => Err(Error::NoSuchEntry { id: id.to_owned() }),
        }
    }

    /// Writes a file below the case folder, whole or not at all, and records its name and hash. Killed at any moment, it leaves
    /// either the file as an entry tells it, or no file of that name: never one that the journal contradicts.
    ///
    /// # Errors
    /// When the file or the entry cannot be written.
    pub fn export(&mut self, path: &Path, bytes: &[u8]) -> Result<Entry, Error> {
        let folder = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder).map_err(Error::io(Doing::Writing, folder))?;
        let staged = folder.join(format!("{}.{}.new", folder::name(path), std::process::id()));
        let result = self.replace(path, &staged, bytes);
        if result.is_err() {
            folder::remove(&staged)?;
        }
        result
    }

    fn replace(&mut self, path: &Path, staged: &Path, bytes: &[u8]) -> Result<Entry, Error> {
        let written = File::create(staged).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
        written.map_err(Error::io(Doing::Writing, staged))?;
        let sha256 = folder::hash(staged).map_err(Error::io(Doing::Reading, staged))?;
        // The file of before goes first: the entry is about the next one.
        folder::remove(path)?;
        let entry = self.add(&words::exported(&folder::relative(&self.dir, path), &sha256, Timestamp::now()))?;
        fs::rename(staged, path).map_err(Error::io(Doing::Moving, path))?;
        Ok(entry)
    }

    /// Records that the head of the journal was given out (`to`: to whom, on paper, by telephone, by mail) and by whom.
    /// The entry's fact `head` is what was given out: it covers everything before the entry.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub fn anchor(&mut self, to: &str, by: &str) -> Result<Entry, Error> {
        let head = verify::head(&readable(&self.db)?.0);
        self.add(&words::anchored(&head, to, by, Timestamp::now()))
    }

    /// Adds the SHA-256 of originals that had none, with an entry for each. Problems are the caller's to tell.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn seal(&mut self, sealed: &[Sealed]) -> Result<(), Error> {
        self.write(|tx, journal| {
            for one in sealed {
                let Sealed::Sha256 { id, sha256 } = one else { continue };
                let number = manifest::number(id).ok_or_else(|| Error::NoSuchEvidence { id: id.clone() })?;
                let sql = "UPDATE evidence SET sha256 = ?2 WHERE number = ?1 AND sha256 IS NULL";
                if tx.execute(sql, (number, sha256)).map_err(Error::in_journal)? == 1 {
                    let sql = "SELECT blake3 FROM evidence WHERE number = ?";
                    let digest = tx.query_row(sql, [number], |row| row.get(0)).map_err(Error::in_journal)?;
                    journal.append(tx, &words::sealed(number, digest, sha256, Timestamp::now()), None)?;
                }
            }
            Ok(())
        })
    }

    fn append(&self, tx: &Transaction<'_>, draft: &Draft, supersedes: Option<&str>) -> Result<Entry, Error> {
        for sha256 in &draft.attachments {
            let path = self.dir.join("attachments").join(sha256);
            if chain::unhex(sha256).is_none_or(|h| h.len() != 32) || !path.is_file() {
                return Err(Error::NoSuchAttachment { path });
            }
        }
        commit::append(tx, &self.case_id, &self.device, draft, supersedes, Timestamp::now())
    }

    fn superseded(&self, id: &str, reason: &str) -> Result<Entry, Error> {
        if reason.trim().is_empty() {
            return Err(Error::NoReason);
        }
        let old = self.entries()?.into_iter().find(|e| e.header.entry_id == id);
        let old = old.ok_or_else(|| Error::NoSuchEntry { id: id.to_owned() })?;
        if old.content.is_none() { Err(Error::AlreadyRedacted { id: id.to_owned() }) } else { Ok(old) }
    }

    /// One transaction that holds the write lock from its beginning.
    fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>, &Self) -> Result<T, Error>) -> Result<T, Error> {
        let database = store::database(&self.dir.join("case.sqlite"));
        let tx = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate).map_err(&database)?;
        let done = work(&tx, self)?;
        tx.commit().map_err(&database)?;
        // The entry is written. What could not be renewed speaks of an earlier state, and `verify` tells so.
        let _ = sums::refresh(&mut self.db, &self.dir, &self.device);
        let _ = remember(&self.db, &self.case_id, &self.device);
        Ok(done)
    }
}

impl Case {
    /// Every entry of the journal that proves itself, in the order in which it is told; [`Case::doubts`] names the others.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        entries(&self.db)
    }
}

/// Every entry of a manifest that proves itself, in the order in which a journal is told.
pub(crate) fn entries(db: &Connection) -> Result<Vec<Entry>, Error> {
    let (mut all, _) = doubt::proven(readable(db)?.0, &own_id(db)?);
    all.sort_by_cached_key(Entry::order);
    Ok(all)
}

/// The ids of entries that do not prove themselves.
pub(crate) fn left_out(db: &Connection) -> Result<Vec<String>, Error> {
    let (entries, mut unreadable) = readable(db)?;
    unreadable.extend(doubt::proven(entries, &own_id(db)?).1);
    Ok(unreadable)
}

/// The entries of the product whose content speaks of a word, if they prove themselves.
pub(crate) fn about(db: &Connection, word: &str) -> Result<Vec<Entry>, Error> {
    let id = own_id(db)?;
    let sql = "WHERE kind = 'system' AND instr(content, ?1) > 0";
    let found = rows_where(db, sql, [word])?.into_iter().filter_map(|(_, entry)| entry.ok());
    let proven =
        |e: &Entry| chain::is_hashed(e) && chain::is_signed(e) && chain::body_holds(e) == Some(true) && e.header.case_id == id;
    Ok(found.filter(proven).collect())
}

fn own_id(db: &Connection) -> Result<String, Error> {
    Ok(info(db, "id").map_err(Error::in_journal)?.unwrap_or_default())
}

/// Every entry that can be read, whether it proves itself or not, and the ids of those that cannot.
pub(crate) fn readable(db: &Connection) -> Result<(Vec<Entry>, Vec<String>), Error> {
    let (mut all, mut unreadable) = (Vec::new(), Vec::new());
    for (raw, entry) in rows(db)? {
        match entry {
            Ok(entry) => all.push(entry),
            Err(_) => unreadable.push(raw.entry_id),
        }
    }
    Ok((all, unreadable))
}

/// Takes note, in the home of the device, of where the journal ends now.
pub(crate) fn remember(db: &Connection, case_id: &str, device: &Device) -> Result<(), Error> {
    match device.home() {
        Some(home) => Memory::of(home, case_id).learn(db, Some(&device.writer())),
        None => Ok(()),
    }
}

/// A row of the table as it stands there.
pub(crate) struct Row {
    pub hash: String,
    pub writer: String,
    pub seq: u64,
    pub entry_id: String,
    pub kind: String,
    pub recorded_at: String,
    pub header: String,
}

/// Every row with the entry that it holds, or why it holds none.
pub(crate) fn rows(db: &Connection) -> Result<Vec<(Row, Result<Entry, String>)>, Error> {
    rows_where(db, "", [])
}

fn rows_where(db: &Connection, which: &str, given: impl rusqlite::Params) -> Result<Vec<(Row, Result<Entry, String>)>, Error> {
    let columns = "hash, writer, seq, entry_id, kind, recorded_at, header, signature, salt, content";
    let sql = format!("SELECT {columns} FROM entry {which} ORDER BY rowid");
    let read = || {
        db.prepare(&sql)?
            .query_map(given, |row| {
                let text = |i: usize| row.get::<_, String>(i);
                let raw = Row {
                    hash: text(0)?,
                    writer: text(1)?,
                    seq: row.get(2)?,
                    entry_id: text(3)?,
                    kind: text(4)?,
                    recorded_at: text(5)?,
                    header: text(6)?,
                };
                let (signature, salt, content): (String, Option<String>, Option<String>) = (text(7)?, row.get(8)?, row.get(9)?);
                let entry = || -> Result<Entry, serde_json::Error> {
                    let header = serde_json::from_str(&raw.header)?;
                    let content = content.as_deref().map(serde_json::from_str).transpose()?;
                    Ok(Entry { header, hash: raw.hash.clone(), signature, salt, content })
                };
                let entry = entry().map_err(|e| e.to_string());
                Ok((raw, entry))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(Error::in_journal)
}

/// Destroys content and salt of an entry; the freed bytes are overwritten (`secure_delete`).
pub(crate) fn empty(tx: &Transaction<'_>, hash: &str) -> Result<(), Error> {
    tx.execute("UPDATE entry SET salt = NULL, content = NULL WHERE hash = ?", [hash]).map_err(Error::in_journal)?;
    Ok(())
}

/// Removes attached files that only redacted entries name.
pub(crate) fn remove_attachments(dir: &Path, entries: &[Entry]) -> Result<(), Error> {
    let named = |gone: bool| {
        let of = entries.iter().filter(move |e| e.content.is_none() == gone);
        of.flat_map(|e| e.header.attachments.iter()).collect::<std::collections::BTreeSet<_>>()
    };
    let kept = named(false);
    for sha256 in named(true).into_iter().filter(|s| !kept.contains(s) && chain::unhex(s).is_some()) {
        folder::remove(&dir.join("attachments").join(sha256))?;
    }
    Ok(())
}

/// Copies and hashes in one pass, refusing what is larger than asked.
fn copy_hashed(mut source: File, from: &Path, to: &Path, limit: u64) -> Result<String, Error> {
    let mut target = File::create_new(to).map_err(Error::io(Doing::Writing, to))?;
    let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0u64, vec![0; 1 << 16]);
    loop {
        let n = source.read(&mut buffer).map_err(Error::io(Doing::Reading, from))?;
        if n == 0 {
            break;
        }
        size += n as u64;
        if size > limit {
            return Err(Error::LargeAttachment { path: from.to_owned(), limit });
        }
        hasher.update(&buffer[..n]);
        target.write_all(&buffer[..n]).map_err(Error::io(Doing::Writing, to))?;
    }
    target.sync_all().map_err(Error::io(Doing::Writing, to))?;
    Ok(chain::hex(&hasher.finalize()))
}

/// Reads one value of the case's facts.
pub(crate) fn info(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT value FROM case_info WHERE key = ?", [key], |row| row.get(0)).optional()
}

/// Whether a creation or a migration is still to be finished.
pub(crate) fn pending(db: &Connection) -> rusqlite::Result<bool> {
    Ok(info(db, "pending")?.is_some())
}
