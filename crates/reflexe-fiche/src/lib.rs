//! The sheet as data, and what follows from it: checks and their judgement, stories, conclusions of the actions, axes,
//! severity, what to fetch next. Pure functions: nothing here reads evidence, runs SQL or asks for the time.
pub mod answers;
pub mod axes;
pub mod catalogue;
pub mod clocks;
pub mod command;
pub mod conclude;
pub mod contacts;
pub mod coverage;
pub mod def;
pub mod hours;
pub mod ics;
pub mod interview;
pub mod items;
pub mod judge;
pub mod next;
pub mod order;
pub mod pack;
pub mod propose;
pub mod question;
pub mod response;
pub mod say;
pub mod severity;
pub mod steps;
pub mod story;
pub mod timebox;
pub mod triage;
pub mod value;

pub use catalogue::{Catalogue, CatalogueError, Check, Signal};

#[cfg(test)]
mod test_journal;
