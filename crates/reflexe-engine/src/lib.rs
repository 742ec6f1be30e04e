//! The engine: checks and queries over the tables, in SQL (Apache DataFusion), in bounded memory.
//!
//! This is the only crate that knows DataFusion: the others never recompile it. SQL sees; `reflexe-fiche` judges.
pub mod cases;
pub mod documents;
pub mod evidence;
mod exchange;
pub mod facts;
pub mod functions;
pub mod grid;
pub mod memory;
mod parts;
mod proof;
pub mod query;
pub mod reference;
pub mod rows;
pub mod run;
pub mod session;
mod targets;

pub use evidence::{Period, Strange};
use reflexe_model::Text;
pub use run::{CheckRun, RunInput, RunResult, run};
pub use session::{Inputs, Options, Rows, Session, TenantFilter};

/// What can go wrong in the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine could not start.
    #[error("the query engine did not start: {0}")]
    Start(String),
    /// A query failed.
    #[error("{0}")]
    Query(#[from] datafusion::error::DataFusionError),
    /// A Parquet file of the case cannot be read, or a temporary one not written.
    #[error("{}: {message}", path.display())]
    Part {
        /// File.
        path: std::path::PathBuf,
        /// Cause.
        message: String,
    },
    /// Arrow data did not fit together.
    #[error("{0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// What is asked is not done: a query that does more than reading, tables that are not whole.
    #[error("{}", .0.en)]
    Refused(Text),
    /// The output could not be written.
    #[error("{0}")]
    Output(#[source] std::io::Error),
    /// A small table was not well formed.
    #[error("{0}")]
    Grid(#[from] grid::GridError),
    /// A signal's query is wrong.
    #[error("signal {name}: {source}")]
    Signal {
        /// Name of the signal.
        name: String,
        /// Cause.
        source: Box<EngineError>,
    },
    /// What something rests on failed.
    #[error("{0}")]
    Rests(String),
    /// A query names a parameter that nobody gives.
    #[error("{place}: no value for the parameter ${name}")]
    Parameter {
        /// Parameter.
        name: String,
        /// File.
        place: String,
    },
    /// The cases of a folder cannot be run.
    #[error("{0}")]
    Case(String),
    /// A check returned something that the contract does not allow.
    #[error("check {check}: {message}")]
    Contract {
        /// Check.
        check: String,
        /// What is wrong.
        message: String,
    },
}
