//! Words that every part of reflexe shares: verdicts, row references, findings, and the qualification that comes out.
//!
//! No I/O and no rules live here. A type here is either a closed list of the product's vocabulary, or a shape that
//! two parts pass to each other. The JSON that `qualify --json` prints is the serialisation of [`Qualification`].
mod answer;
mod journal;
mod locator;
mod qualification;
mod row;
mod words;

pub use answer::*;
pub use journal::*;
pub use locator::{Locator, NotALocator, Place};
pub use qualification::*;
pub use row::{RowId, RowRef};
pub use words::{ActionState, CoverageLevel, Lang, Scope, Text, Verdict};
