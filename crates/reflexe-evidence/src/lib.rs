//! Evidence in: recognise a file from its content, read it as a stream, normalise its records into the tables of
//! `evidence/tables`, and account for every row (read = kept + duplicate + rejected).
#![allow(clippy::module_name_repetitions)]

/// Data files found under `evidence/` at build.
pub mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
pub mod catalogue;
pub mod coverage_log;
pub mod dedup;
pub mod error;
pub mod events;
pub mod hash;
pub mod import;
pub mod obtain;
pub mod period;
pub mod reader;
pub mod reason;
pub mod recognise;
pub mod report;
pub mod spec;
pub mod state;
pub mod text;
pub mod write;
