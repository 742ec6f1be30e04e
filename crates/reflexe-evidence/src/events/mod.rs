//! The three event families, from a record to rows: what a record is, and the rows it becomes.
pub mod address;
mod bags;
mod columns;
mod directory;
mod family;
mod identity;
mod lost;
pub mod names;
pub mod pipeline;
mod signin;
mod sink;
pub mod time;
mod ual;

pub(crate) use columns::Coverage;
pub use family::{Family, family};
pub use identity::{Keys, is_id, record_keys};
pub use lost::LOST;
pub(crate) use signin::class_of_name;
pub use sink::{FileFacts, Primary, Sink, Source, TABLES};
