//! From bytes to records: a window over the file, JSON and CSV record streams, and the values inside a record.
mod block;
pub mod csv;
pub mod json;
pub mod keys;
pub mod scan;
pub mod value;
pub mod window;

/// A record longer than this is rejected: no real record comes near it, and memory must stay bounded.
pub const MAX_RECORD: usize = 64 << 20;

/// One record met in a file, or something that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Offset in the file.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    /// Newlines before it since the stream was positioned.
    pub line: u64,
    /// Why it cannot be read, if it cannot.
    pub bad: Option<Bad>,
}

/// Why a record cannot be read. The word is the `code` of its `ingest_issue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// The file ends inside the record.
    Truncated,
    /// It is not JSON.
    Json,
    /// Its quotes or its number of fields do not fit the header.
    Csv,
    /// It is longer than [`MAX_RECORD`].
    TooLong,
}

impl Bad {
    /// The `code` of the issue.
    pub fn code(self) -> &'static str {
        match self {
            Self::Truncated => "record_truncated",
            Self::Json => "record_not_json",
            Self::Csv => "row_malformed",
            Self::TooLong => "record_too_long",
        }
    }
}
