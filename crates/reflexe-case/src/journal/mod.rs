//! The main courante: entries that are only ever added, hashed, signed and chained per writing device.
//!
//! [`Journal`] adds and reads entries, beside an import if one runs; [`verify`] says whether anything of a case was changed
//! since it was written; [`merge`] unites two copies of a case; [`bundle`] hands one over, encrypted. [`when`], [`quick`] and
//! [`notes`] read what people type, pure functions of text, time, zone and names.
pub mod bundle;
pub mod chain;
mod commit;
mod device;
mod doubt;
mod draft;
mod evidence;
pub mod folder_risk;
mod known;
mod merge;
pub mod notes;
pub mod quick;
mod store;
mod sums;
mod union;
mod verify;
pub mod when;
mod words;

pub use device::Device;
pub use doubt::Written;
pub use draft::{Draft, TITLE};
pub use merge::{MergeReport, NotMerged, merge};
pub use store::{ATTACHMENT_LIMIT, Journal};
pub use union::{compare, union};
pub use verify::{Problem, Verified, Writer, check, head, head_short, verify, verify_from};

pub(crate) use commit::append;
pub(crate) use evidence::{Why, adopt, commitments, contradicted, digest, record_evidence};
pub(crate) use store::{pending, remember};
pub(crate) use sums::{is_leftover, refresh};
pub(crate) use words::renamed;
