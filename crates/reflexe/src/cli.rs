//! The command line. Names of commands and options are stable; help is told in the user's language.
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

/// Qualify a suspected compromise of a Microsoft 365 / Entra ID tenant, offline, from its exports.
#[derive(Debug, Parser)]
#[command(name = "reflexe", version, about)]
pub struct Cli {
    /// Language: fr or en (default: the locale's).
    #[arg(long, global = true, value_enum)]
    pub lang: Option<LangArg>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A language on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LangArg {
    /// French.
    Fr,
    /// English.
    En,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A simulated compromised tenant, judged, with its report.
    Demo {
        /// Folder to write to.
        #[arg(long, default_value = "./reflexe-demo")]
        out: PathBuf,
        /// Do not open the report.
        #[arg(long)]
        no_open: bool,
    },
    /// Import evidence, judge it, print the answer and write the report.
    Qualify {
        /// Files and folders.
        #[arg(required = true)]
        evidence: Vec<PathBuf>,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        import: ImportArgs,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// Import files or folders into a case; say what was recognised and what was not.
    Import {
        /// Files and folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        import: ImportArgs,
    },
    /// Run checks again over a case.
    Check {
        /// Ids of checks or items; everything when none is given.
        ids: Vec<String>,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// Create a case or show what it holds.
    Case {
        /// What to do with the case.
        #[command(subcommand)]
        action: CaseAction,
    },
    /// Ask the tables anything, in SQL.
    Query {
        /// The statement.
        sql: String,
        #[command(flatten)]
        case: CaseArg,
        /// How to print the rows.
        #[arg(long, value_enum, default_value = "table")]
        format: QueryFormat,
    },
    /// Write the report again.
    Report {
        #[command(flatten)]
        case: CaseArg,
        /// Where to write it; the case's folder of reports when not given.
        #[arg(long)]
        out: Option<PathBuf>,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// List the tables and their columns.
    Tables {
        /// Only this table, with its columns.
        name: Option<String>,
    },
    /// List the checks.
    Checks,
    /// List the items of the sheet.
    Items,
    /// List what can be imported.
    Sources,
    /// Write a simulated tenant, with its truth beside it.
    Simulate {
        /// Name of the scenario; without one, the list.
        scenario: Option<String>,
        /// Folder to write to.
        out: Option<PathBuf>,
        /// Seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// People in the tenant.
        #[arg(long, default_value_t = 20)]
        users: u32,
        /// Days of logs.
        #[arg(long, default_value_t = 180)]
        days: u32,
        /// Records of the unified audit log.
        #[arg(long, default_value_t = 20_000)]
        events: u64,
        /// Write the unified audit log alone, in one file.
        #[arg(long)]
        ual_only: bool,
    },
}

/// What to do with a case.
#[derive(Debug, Subcommand)]
pub enum CaseAction {
    /// Create an empty case.
    New {
        /// Its folder.
        dir: PathBuf,
        /// Its title.
        #[arg(long)]
        title: Option<String>,
    },
    /// Show what a case holds.
    Show {
        /// Its folder.
        dir: PathBuf,
    },
}

/// Which case.
#[derive(Debug, Args)]
pub struct CaseArg {
    /// Folder of the case.
    #[arg(long, default_value = "./reflexe-case")]
    pub case: PathBuf,
}

/// How to import.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Leave the originals where they are instead of copying them into the case.
    #[arg(long)]
    pub in_place: bool,
    /// Your name: you declare that these exports were made without any filter.
    #[arg(long, value_name = "NAME")]
    pub unfiltered: Option<String>,
    /// With --unfiltered: start of the period that was asked for (else the first event).
    #[arg(long, value_parser = instant, requires = "unfiltered")]
    pub period_from: Option<Timestamp>,
    /// With --unfiltered: end of that period (else the last event).
    #[arg(long, value_parser = instant, requires = "unfiltered")]
    pub period_to: Option<Timestamp>,
    /// Threads.
    #[arg(long)]
    pub threads: Option<usize>,
}

/// How to judge.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// Start of the window (2026-01-31 or 2026-01-31T08:00:00Z).
    #[arg(long, value_parser = instant)]
    pub from: Option<Timestamp>,
    /// End of the window.
    #[arg(long, value_parser = instant)]
    pub to: Option<Timestamp>,
    /// Suspected start of the incident.
    #[arg(long, value_parser = instant)]
    pub since: Option<Timestamp>,
}

/// How a query's rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueryFormat {
    /// Aligned columns.
    Table,
    /// Comma-separated values.
    Csv,
    /// One JSON object per line.
    Json,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    reflexe_engine::grid::instant(text).ok_or_else(|| format!("{text}: 2026-01-31 / 2026-01-31T08:00:00Z"))
}
