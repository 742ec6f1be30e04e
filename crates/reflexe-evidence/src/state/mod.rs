//! Declarative state sources: exports that say how something was. What is particular to each is data
//! (`evidence/sources/<source>/source.toml`); the code here reads any of them.
pub mod cell;
pub mod document;
mod file;
mod importer;
pub mod map;
pub mod path;
mod recognise;
pub mod source;
mod tree;

#[cfg(test)]
mod tests;

pub use file::{Known, Store, import};
pub use importer::{At, Importer, Origin, Pages, Sink, Summary, about, coverage_row, put};
pub use recognise::recognise;
pub use source::{Source, sources};
