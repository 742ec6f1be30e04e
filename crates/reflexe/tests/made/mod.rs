//! Evidence made for one test: records in the shapes that the services write, put into the exports that people hand over.
//!
//! Everything is fictional. What the records look like is taken from Microsoft's documentation and from public reports,
//! never from the checks: whoever writes evidence here does not read how it is judged.
#![allow(dead_code)] // each test file uses its own part
pub mod audit;
pub mod directory;
pub mod forms;
pub mod judged;
pub mod signin;
pub mod who;
