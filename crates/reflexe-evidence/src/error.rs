//! What can go wrong with a file as a whole. A record that cannot be read is not an error: it is rejected and counted.
use std::path::PathBuf;

/// Why an import stopped. Nothing of the file may be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The evidence cannot be read from disk.
    #[error("cannot read {path}: {source}. Check that the file exists and that you may read it")]
    Read {
        /// File as given.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The case folder cannot be written.
    #[error("cannot write {path}: {source}. Check the free space and the rights on the case folder")]
    Write {
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A table could not be encoded.
    #[error("cannot write table {table}: {source}")]
    Table {
        /// Table.
        table: &'static str,
        /// What the Parquet writer said.
        source: parquet::errors::ParquetError,
    },
    /// A file of the index of record ids is damaged.
    #[error("the index of record ids is damaged: {path}. Delete it and import the evidence again")]
    Index {
        /// File.
        path: PathBuf,
    },
    /// The program contradicts itself; the import is abandoned rather than wrong.
    #[error("internal error while importing {path}: {what}. Please report it")]
    Internal {
        /// File as given.
        path: String,
        /// What was found.
        what: String,
    },
}

impl Error {
    /// A reader's error, with the file that was read.
    pub fn read(path: &str) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    /// A writer's error, with the file that was written.
    pub fn write(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Write { path: path.to_owned(), source }
    }

    /// An encoder's error, with the table that was written.
    pub fn table(table: &'static str) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        move |source| Self::Table { table, source }
    }
}
