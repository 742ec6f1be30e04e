//! How a row of evidence is named, inside the engine and on paper.
use serde::{Deserialize, Serialize};

/// A row's number, unique in a case: table number (8 bits) · evidence file number (20) · row in the file (35).
///
/// It never leaves the program: outputs show a [`RowRef`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub i64);

impl RowId {
    /// Bits of the row's number in its file.
    pub const ROW_BITS: u32 = 35;
    /// Bits of the evidence file's number in the case.
    pub const FILE_BITS: u32 = 20;

    /// Packs the three numbers. `table` must be below 128, so that the number stays positive.
    pub fn new(table: u8, file: u32, row: u64) -> Self {
        debug_assert!(table < 128 && file < (1 << Self::FILE_BITS) && row < (1 << Self::ROW_BITS));
        let packed = (u64::from(table) << (Self::ROW_BITS + Self::FILE_BITS)) | (u64::from(file) << Self::ROW_BITS) | row;
        Self(packed.cast_signed())
    }

    /// Number of the table.
    pub fn table(self) -> u8 {
        ((self.0.cast_unsigned() >> (Self::ROW_BITS + Self::FILE_BITS)) & 0xff) as u8
    }

    /// Number of the evidence file in the case (the `7` of evidence id `e7`).
    pub fn file(self) -> u32 {
        ((self.0.cast_unsigned() >> Self::ROW_BITS) & ((1 << Self::FILE_BITS) - 1)) as u32
    }

    /// Number of the row in its file and table, from 0.
    pub fn row(self) -> u64 {
        self.0.cast_unsigned() & ((1 << Self::ROW_BITS) - 1)
    }
}

/// Where a row stands in the evidence, as a reader can look it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRef {
    /// Table of the row.
    pub table: String,
    /// Path of the evidence file, as it was given.
    pub file: String,
    /// Its place, as [`Locator`](crate::Locator) writes it.
    pub locator: String,
    /// Line in the file (or decompressed member), from 1.
    pub line: i64,
    /// The source's own id of the record, if it has one.
    pub record_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_and_unpacks() {
        for (t, f, r) in [(0, 0, 0), (127, (1 << 20) - 1, (1 << 35) - 1), (36, 7, 123_456_789)] {
            let id = RowId::new(t, f, r);
            assert_eq!((id.table(), id.file(), id.row()), (t, f, r));
            assert!(id.0 >= 0);
        }
    }
}
