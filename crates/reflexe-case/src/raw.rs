//! The originals, and the very bytes of a row in them.
use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use rusqlite::OptionalExtension as _;

use crate::{
    decode,
    error::{Doing, Error},
    folder::Case,
    manifest,
};

/// Where a row stands in an evidence file: its columns `evidence_id`, `src_member`, `src_offset`, `src_length`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowLocator {
    /// Evidence file, `e7`.
    pub evidence_id: String,
    /// `utf8:` if offset and length count in the file's text as UTF-8 (it is in another encoding); none for plain bytes.
    pub member: Option<String>,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
}

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
    /// When the original is missing or has another size than when it was imported, or the row is not inside it.
    pub fn raw_record(&self, row: &RowLocator, limit: usize) -> Result<RawRecord, Error> {
        let id = || row.evidence_id.clone();
        let original = self.original(&row.evidence_id)?;
        let path = &original.path;
        let mut file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::OriginalMissing { id: id(), path: path.clone(), in_place: original.in_place },
            _ => Error::io(Doing::Reading, path)(error),
        })?;
        if file.metadata().map_err(Error::io(Doing::Reading, path))?.len() != original.size {
            return Err(Error::OriginalChanged { id: id(), path: path.clone() });
        }
        let RowLocator { offset, length, .. } = *row;
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
        let sql = "SELECT coalesce(blake3, sha256), origin, in_place, size FROM evidence WHERE number = ?";
        let read = |row: &rusqlite::Row<'_>| {
            let in_place = row.get(2)?;
            let path = if in_place {
                PathBuf::from(row.get::<_, String>(1)?)
            } else {
                self.dir().join(manifest::original(&row.get::<_, String>(0)?))
            };
            Ok(Original { path, in_place, size: row.get(3)? })
        };
        self.db.query_row(sql, [number], read).optional().map_err(self.database())?.ok_or_else(missing)
    }
}

struct Original {
    path: PathBuf,
    in_place: bool,
    size: u64,
}
