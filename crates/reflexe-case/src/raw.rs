//! The originals, and the very bytes of a row in them.
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use reflexe_evidence::hash;
use reflexe_model::Place;
use rusqlite::OptionalExtension as _;

use crate::{
    decode,
    error::{Doing, Error},
    folder::Case,
    manifest,
};

/// The bytes of a row, as they stand in the evidence file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// The bytes, or the first of them. Written by anybody: they need not be valid UTF-8.
    pub bytes: Vec<u8>,
    /// Length of the whole record.
    pub length: u64,
}

impl RawRecord {
    /// Whether the record is longer than what was read of it.
    pub fn is_cut(&self) -> bool {
        (self.bytes.len() as u64) < self.length
    }
}

impl Case {
    /// Where the original of an evidence file is.
    ///
    /// # Errors
    /// When the case holds no such evidence, or the manifest cannot be read.
    pub fn evidence_path(&self, evidence_id: &str) -> Result<PathBuf, Error> {
        Ok(self.original(evidence_id)?.path)
    }

    /// Reads the bytes of a row, at most `limit` of them (a single record may be 50 MB).
    ///
    /// # Errors
    /// When the original is missing or is not what was imported, or the row is not inside it.
    pub fn raw_record(&self, row: &Place, limit: usize) -> Result<RawRecord, Error> {
        let id = || row.evidence_id.clone();
        let original = self.original(&row.evidence_id)?;
        let path = &original.path;
        let mut file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::OriginalMissing { id: id(), path: path.clone(), in_place: original.in_place },
            _ => Error::io(Doing::Reading, path)(error),
        })?;
        let same_size = file.metadata().map_err(Error::io(Doing::Reading, path))?.len() == original.size;
        if !same_size || !self.sound.holds(&original).map_err(Error::io(Doing::Reading, path))? {
            return Err(Error::OriginalChanged { id: id(), path: path.clone() });
        }
        let Place { offset, length, .. } = *row;
        let take = length.min(limit as u64);
        match row.member.as_deref() {
            None => {}
            Some(decode::MEMBER) => {
                let bytes = self.decoded.slice(path, offset, take).map_err(Error::io(Doing::Reading, path))?;
                let bytes = bytes.ok_or(Error::OutOfBounds { id: id(), offset, length, size: original.size })?;
                return Ok(RawRecord { bytes, length });
            }
            Some(member) => return Err(Error::NoSuchMember { id: id(), member: member.to_owned() }),
        }
        if offset.checked_add(length).is_none_or(|end| end > original.size) {
            return Err(Error::OutOfBounds { id: id(), offset, length, size: original.size });
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.take(take).read_to_end(&mut bytes))
            .map_err(Error::io(Doing::Reading, path))?;
        Ok(RawRecord { bytes, length })
    }

    fn original(&self, evidence_id: &str) -> Result<Original, Error> {
        let missing = || Error::NoSuchEvidence { id: evidence_id.to_owned() };
        let number = manifest::number(evidence_id).ok_or_else(missing)?;
        let sql = "SELECT blake3, sha256, origin, in_place, size FROM evidence WHERE number = ?";
        let read = |row: &rusqlite::Row<'_>| {
            let (blake3, sha256) = (row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?);
            let in_place = row.get(3)?;
            let path = if in_place {
                PathBuf::from(row.get::<_, String>(2)?)
            } else {
                self.dir().join(manifest::original(blake3.as_deref().or(sha256.as_deref()).unwrap_or_default()))
            };
            Ok(Original { number, path, in_place, size: row.get(4)?, blake3, sha256 })
        };
        self.db.query_row(sql, [number], read).optional().map_err(self.database())?.ok_or_else(missing)
    }
}

struct Original {
    number: u32,
    path: PathBuf,
    in_place: bool,
    size: u64,
    blake3: Option<String>,
    sha256: Option<String>,
}

/// Whether each original is still what was imported. A file may keep its size and its date and be another; it is read whole once
/// in the life of a process, and not at all when this process imported it.
#[derive(Debug, Default)]
pub(crate) struct Sound(RefCell<BTreeMap<u32, bool>>);

impl Sound {
    /// This process has just read this file whole.
    pub(crate) fn imported(&self, number: u32) {
        self.0.borrow_mut().insert(number, true);
    }

    fn holds(&self, original: &Original) -> io::Result<bool> {
        if let Some(known) = self.0.borrow().get(&original.number) {
            return Ok(*known);
        }
        let same = match &original.blake3 {
            Some(blake3) => hash::blake3(&original.path)?.0 == *blake3,
            None => Some(hash::digests(&original.path)?.sha256) == original.sha256,
        };
        self.0.borrow_mut().insert(original.number, same);
        Ok(same)
    }
}
