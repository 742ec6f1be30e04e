//! The case folder: what was given as evidence, what came of it, and the originals, so that every claim can be opened.
//!
//! [`Case`] opens or creates the folder; [`import`] brings files in, each wholly or not at all; the manifest then answers
//! which evidence there is ([`Case::evidence`]), whose it is ([`Case::tenants`]), which Parquet files make up a table
//! ([`Case::table_files`]) and what the bytes of a row are ([`Case::raw_record`]).
//!
//! It does not know what an audit log is: reading is the business of `reflexe-evidence`, judging of the engine.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod closed;
mod commit;
mod declare;
mod decode;
mod error;
mod error_journal;
mod folder;
mod import;
mod importer;
mod index;
pub mod journal;
mod manifest;
mod raw;
mod seal;
mod store;
mod tenants;
mod unread;
mod walk;

pub use declare::Declaration;
pub use error::{BundleFault, Doing, Error};
pub use folder::{Case, DEFAULT_DIR};
pub use import::{FileOutcome, FileResult, ImportOptions, ImportReport, Progress, import, import_with};
pub use importer::{Importer, Readers};
pub use manifest::EvidenceFile;
pub use raw::RawRecord;
pub use seal::{Sealed, Unsealed};
pub use tenants::{CaseTenant, Provenance, Tenants};
