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
    /// Your name, as the journal shall say it (default: REFLEXE_ME, else the name of the session).
    #[arg(long, global = true)]
    pub me: Option<String>,
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
    /// The checks with their verdicts; or some of them whole, with what they found and how that was judged.
    Check {
        /// Ids of checks or items to tell whole; one line for each check when none is given.
        ids: Vec<String>,
        /// Judge anew, even if nothing changed.
        #[arg(long)]
        again: bool,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// Create a case, show it, verify it, merge copies of it, hand it over.
    Case {
        /// What to do with the case.
        #[command(subcommand)]
        action: CaseAction,
    },
    /// The original records behind locators, as the report and --json name them.
    Row {
        /// Locators: e7@offset+length:line.
        #[arg(required = true)]
        locators: Vec<String>,
        #[command(flatten)]
        case: CaseArg,
    },
    /// Ask the tables anything, in SQL that only reads.
    Query {
        /// The statement.
        sql: String,
        #[command(flatten)]
        case: CaseArg,
        /// How to print the rows.
        #[arg(long, value_enum, default_value = "table")]
        format: QueryFormat,
        /// Memory that it may hold before it spills to disk (256M, 2G); a share of what is free when not given.
        #[arg(long, value_parser = memory)]
        memory: Option<usize>,
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
    /// The journal of the incident (main courante).
    Journal {
        #[command(flatten)]
        case: CaseArg,
        /// What to do with the journal.
        #[command(subcommand)]
        action: JournalAction,
    },
    /// Be led through the questions that only people can answer, up to a conclusion.
    Ask {
        /// Prolong the time-box by 15 minutes, for this reason.
        #[arg(long)]
        extend: Option<String>,
        /// Stop the clock of the time-box.
        #[arg(long)]
        pause: bool,
        /// Let the clock run again.
        #[arg(long, conflicts_with = "pause")]
        resume: bool,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// Answer a question.
    Answer {
        /// Id of the question; without one, the questions and what was answered.
        question: Option<String>,
        /// The answer, as one types it in the interview (yes, no, confirmed, 30, about 30, names after commas).
        value: Option<String>,
        /// How sure: low, medium, high.
        #[arg(long)]
        confidence: Option<String>,
        /// Nobody knows, and why.
        #[arg(long, conflicts_with = "value")]
        dont_know: Option<String>,
        /// The question makes no sense here, and why.
        #[arg(long, conflicts_with = "value")]
        not_applicable: Option<String>,
        /// Why, or who said so.
        #[arg(long)]
        because: Option<String>,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// The findings and what people made of them; or say of some whether they are legitimate, malicious or doubtful.
    Triage {
        /// Id of a finding; or an account, for all of its findings that nobody judged yet.
        #[arg(requires = "mark")]
        finding: Option<String>,
        /// legitimate, malicious or doubtful.
        mark: Option<String>,
        /// Why, or who explained it.
        #[arg(long)]
        because: Option<String>,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// The severity: computed, why, how far from the next level; or the one that a person retains.
    Severity {
        /// Retain this level (1 to 4).
        #[arg(long, requires = "because")]
        retain: Option<u8>,
        /// Take the retained level back.
        #[arg(long, conflicts_with = "retain")]
        release: bool,
        /// Hold a compromised tenant to be circumscribed all the same (yes or no).
        #[arg(long, requires = "because")]
        keep_perimeter: Option<String>,
        /// Why.
        #[arg(long)]
        because: Option<String>,
        /// Who countersigns a level outside the computed interval.
        #[arg(long)]
        countersigned: Option<String>,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// What to do now, in order, with the commands to show; or the state of one step.
    Steps {
        /// Id of the step, to say its state.
        step: Option<String>,
        /// planned, doing, done, failed or cancelled.
        #[arg(requires = "step")]
        status: Option<String>,
        /// The account or application that it is about.
        #[arg(long)]
        target: Option<String>,
        /// Who does it.
        #[arg(long)]
        owner: Option<String>,
        /// Due: 15:30, 22/11 18:00 …
        #[arg(long)]
        due: Option<String>,
        /// Effect that was seen, wanted or not.
        #[arg(long)]
        effect: Option<String>,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// Legal deadlines: which may apply, from when, until when.
    Clocks {
        /// What to do with the clocks; the list when not given.
        #[command(subcommand)]
        action: Option<ClockAction>,
        #[command(flatten)]
        case: CaseArg,
        #[command(flatten)]
        judge: JudgeArgs,
    },
    /// Who to call, and who is there now.
    Contacts {
        #[command(flatten)]
        case: CaseArg,
    },
    /// The preparation pack: the organisation's own version of the sheet.
    Prepare {
        /// What to do with the pack.
        #[command(subcommand)]
        action: PrepareAction,
    },
    /// Words explained.
    Glossary {
        /// Only words that contain this.
        word: Option<String>,
    },
    /// Attacks explained.
    Attacks {
        /// Only this technique, or words that contain this.
        word: Option<String>,
    },
    /// List the tables and their columns.
    Tables {
        /// Only this table, with its columns.
        name: Option<String>,
    },
    /// List the checks.
    Checks,
    /// Run the cases of the checks in a folder, as their author sees them: nothing is compiled.
    Cases {
        /// Only checks whose id starts so.
        starts: Vec<String>,
        /// The folder of the sheet; else the one that REFLEXE_FICHE_DIR names, else ./fiche.
        #[arg(long)]
        fiche: Option<PathBuf>,
    },
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
    /// Verify that nothing was changed since it was written: journal, evidence, tables, reports.
    Verify {
        /// Its folder.
        dir: PathBuf,
    },
    /// Bring in what another copy of the same case holds.
    Merge {
        /// Its folder.
        dir: PathBuf,
        /// Folder of the other copy.
        other: PathBuf,
    },
    /// Write the whole case into one encrypted file, to hand it over. The passphrase is asked for.
    Pack {
        /// Its folder.
        dir: PathBuf,
        /// File to write (.rfx).
        out: PathBuf,
    },
    /// Open what `pack` wrote into a new folder. The passphrase is asked for.
    Unpack {
        /// The file.
        bundle: PathBuf,
        /// Folder to make.
        dir: PathBuf,
    },
    /// Say who works on the case, or list them.
    People {
        /// Its folder.
        dir: PathBuf,
        /// Name of somebody to add.
        #[arg(long)]
        add: Option<String>,
        /// What they do (RSSI, ADM, SOC …).
        #[arg(long, requires = "add")]
        role: Option<String>,
        /// Their organisation.
        #[arg(long, requires = "add")]
        organisation: Option<String>,
        /// Their telephone.
        #[arg(long, requires = "add")]
        phone: Option<String>,
    },
}

/// What to do with the journal.
#[derive(Debug, Subcommand)]
pub enum JournalAction {
    /// Add an entry: "14:32 Dupont called the provider, accounts adm-x adm-y".
    Add {
        /// The line: a time, a name, what happened. Without a time: now.
        #[arg(required = true)]
        line: Vec<String>,
        /// event, action, decision, communication, observation or note.
        #[arg(long)]
        kind: Option<String>,
        /// Who acted or informed, if the line does not begin with a known name.
        #[arg(long)]
        actor: Option<String>,
        /// An account, mailbox, application, device or address concerned. May be repeated.
        #[arg(long)]
        target: Vec<String>,
        /// A file to keep with the entry. May be repeated.
        #[arg(long)]
        attach: Vec<PathBuf>,
        /// For an action: planned, doing, done, failed or cancelled.
        #[arg(long)]
        status: Option<String>,
        /// For an action: who does it.
        #[arg(long)]
        owner: Option<String>,
        /// Effect that was seen, wanted or not.
        #[arg(long)]
        effect: Option<String>,
        /// in_summary, important or legitimate. May be repeated.
        #[arg(long)]
        flag: Vec<String>,
    },
    /// Tell the journal.
    List {
        /// What the product wrote by itself too.
        #[arg(long)]
        all: bool,
    },
    /// Bring in notes taken elsewhere: CSV, XLSX, or lines of text (- reads the standard input). Shows what was understood; writes it with --write.
    Import {
        /// The file.
        file: PathBuf,
        /// Which column holds what, from 1: date=1,time=2,person=3,text=4,accounts=5.
        #[arg(long)]
        columns: Option<String>,
        /// Write the entries.
        #[arg(long)]
        write: bool,
    },
    /// Write the journal to a file.
    Export {
        /// csv (for a spreadsheet), csv-machine, xlsx, jsonl (complete, can be verified) or html (to print).
        #[arg(long, default_value = "html")]
        format: String,
        /// The file; in the case's folder of reports when not given.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Separator of a csv: ; or ,
        #[arg(long)]
        separator: Option<String>,
    },
    /// Correct an entry: a new one takes its place, the old one stays readable.
    Correct {
        /// Id of the entry, or its beginning.
        entry: String,
        /// The corrected line.
        #[arg(required = true)]
        line: Vec<String>,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Destroy what an entry says (a secret, personal data); that it was there stays.
    Redact {
        /// Id of the entry, or its beginning.
        entry: String,
        /// Why.
        #[arg(long)]
        because: String,
    },
    /// Note that the fingerprint of the journal was given to somebody, and print it.
    Anchor {
        /// To whom, or where.
        to: String,
    },
}

/// What to do with the clocks.
#[derive(Debug, Subcommand)]
pub enum ClockAction {
    /// Say when the event happened from which a clock runs: `aware`, `classified_major`, `submitted` …
    Event {
        /// Id of the regime.
        regime: String,
        /// Name of the event.
        event: String,
        /// When: 14:32, 22/11 14:32 … ; `none` takes it back.
        #[arg(required = true)]
        when: Vec<String>,
    },
    /// The declaration is made.
    Done {
        /// Id of the regime.
        regime: String,
        /// Its reference number.
        reference: String,
    },
    /// The regime does not apply.
    NotApplicable {
        /// Id of the regime.
        regime: String,
        /// Why.
        reason: String,
    },
    /// Neither done nor inapplicable after all.
    Open {
        /// Id of the regime.
        regime: String,
        /// Why.
        reason: String,
    },
    /// Write the deadlines as a calendar file.
    Ics {
        /// The file; in the case's folder of reports when not given.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// What to do with a preparation pack.
#[derive(Debug, Subcommand)]
pub enum PrepareAction {
    /// Write an empty pack to fill in.
    New {
        /// Its folder.
        pack: PathBuf,
    },
    /// Check a pack: mistakes, what is out of date, what would be unknown today.
    Check {
        /// Its folder.
        pack: PathBuf,
    },
    /// Write the printed kit: the organisation's own version of the sheet.
    Print {
        /// Its folder.
        pack: PathBuf,
        /// Folder to write to; the pack's own when not given.
        #[arg(long)]
        out: Option<PathBuf>,
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
    /// Folder of the preparation pack; it is copied into the case and used from then on.
    #[arg(long)]
    pub prepared: Option<PathBuf>,
    /// Memory that queries may hold before they spill to disk (256M, 2G); a share of what is free when not given.
    #[arg(long, value_parser = memory)]
    pub memory: Option<usize>,
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

/// Bytes, or thousands (K), millions (M), billions (G) of them in powers of 1,024; at least 32 MB, below which nothing can be sorted.
fn memory(text: &str) -> Result<usize, String> {
    let (number, shift) = match text.trim().to_ascii_uppercase().trim_end_matches('B') {
        t if t.ends_with('K') => (t.trim_end_matches('K').to_owned(), 10),
        t if t.ends_with('M') => (t.trim_end_matches('M').to_owned(), 20),
        t if t.ends_with('G') => (t.trim_end_matches('G').to_owned(), 30),
        t => (t.to_owned(), 0),
    };
    let bytes = number.trim().parse::<usize>().ok().and_then(|n| n.checked_mul(1 << shift));
    bytes.filter(|b| *b >= 32 << 20).ok_or_else(|| format!("{text}: 256M / 2G (>= 32M)"))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    reflexe_engine::grid::instant(text).ok_or_else(|| format!("{text}: 2026-01-31 / 2026-01-31T08:00:00Z"))
}
