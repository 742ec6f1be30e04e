//! Rows into Parquet: [`TableBuilder`] collects typed rows of one table, [`write_part`] writes them.
pub(crate) mod layout;
mod parquet;
mod table;

pub(crate) use parquet::ROW_GROUP;
pub use parquet::{PartWriter, encode, numbers, write_part};
pub use table::{Batch, Provenance, TableBuilder};
