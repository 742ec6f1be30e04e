//! Evidence in: recognise a file from its content, read it as a stream, normalise its records into the tables of
//! `evidence/tables`, and account for every row (read = kept + duplicate + rejected).
#![allow(clippy::module_name_repetitions)]

/// Data files found under `evidence/` at build.
pub mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
pub mod spec;
