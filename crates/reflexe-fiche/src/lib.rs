//! The sheet as data, and what follows from it: checks and their judgement, stories, conclusions of the actions, axes,
//! severity, what to fetch next. Pure functions: nothing here reads evidence, runs SQL or asks for the time.
pub mod catalogue;
pub mod coverage;
pub mod def;
pub mod judge;
pub mod say;
pub mod value;
pub mod story;
pub mod severity;
pub mod next;
pub mod conclude;
pub mod axes;

pub use catalogue::{Catalogue, CatalogueError, Check, Signal};
