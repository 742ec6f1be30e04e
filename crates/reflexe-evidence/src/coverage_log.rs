//! What the log of a collection tool proves about the completeness of what it collected: `LogFile.txt` of
//! Microsoft-Extractor-Suite. The lines that count are listed in `evidence/sources/mes-logfile/README.md`, the titles in
//! `acquisitions.toml` beside it.
//!
//! The log also holds texts that an attacker chose (names and descriptions of rules, line breaks included). A line counts
//! only where the tool itself writes it: after a time, or right after a time with nothing behind it.
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    sync::OnceLock,
};

use jiff::{Timestamp, civil, tz::TimeZone};
use reflexe_model::{Scope, Text};
use serde::Deserialize;

use crate::{
    embedded::SOURCES,
    error::Error,
    import::FileInput,
    spec::{self, TableKind, Zero},
    state::{At, Known, Origin, Sink, Summary, cell::Cell, coverage_row, map::Row, put},
    text::record_text,
};

/// Id of the source.
pub const SOURCE: &str = "mes.logfile";
/// A line longer than this is cut: no line that counts comes near it.
const LONGEST: usize = 4096;

/// An acquisition of the tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acquisition {
    start: String,
    done: Vec<String>,
    tables: Vec<String>,
    #[serde(default)]
    window: bool,
    #[serde(default)]
    filter_unlogged: bool,
    #[serde(default)]
    retention_days: Option<i64>,
    #[serde(default)]
    classes: BTreeMap<String, String>,
    #[serde(default)]
    doubt: Option<String>,
    #[serde(default)]
    empty: Option<String>,
}

fn acquisitions() -> &'static [Acquisition] {
    #[derive(Deserialize)]
    struct All {
        acquisition: Vec<Acquisition>,
    }
    static ALL: OnceLock<Vec<Acquisition>> = OnceLock::new();
    ALL.get_or_init(|| {
        let text = SOURCES.iter().find(|(path, _)| path.ends_with("mes-logfile/acquisitions.toml")).map_or("", |(_, t)| *t);
        match toml::from_str::<All>(text) {
            Ok(all) => all.acquisition,
            // a test parses the embedded file
            Err(error) => panic!("evidence/sources/mes-logfile/acquisitions.toml: {error}"),
        }
    })
}

/// One run of an acquisition, as far as the log tells.
#[derive(Debug)]
struct Run {
    what: &'static Acquisition,
    at: At,
    from: Option<i64>,
    to: Option<i64>,
    /// Whether the wrapper said that it asks for every user.
    all_users: Option<bool>,
    by_user: bool,
    by_type: bool,
    operations: Vec<String>,
    lost: bool,
    /// The first error that it wrote.
    error: Option<String>,
    /// The service refused it.
    refused: bool,
    /// It says that it found nothing.
    zero: bool,
    /// How many records it says that it wrote.
    announced: Option<u64>,
    finished: bool,
    classes: BTreeMap<String, bool>,
    /// The list of which the next lines are items.
    list: Option<List>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Types,
    Operations,
}

/// What the wrapper around several acquisitions said.
#[derive(Debug, Default)]
struct Wrapper {
    all_users: Option<bool>,
    overview: bool,
}

/// Reads the log of a collection tool; `None` if the file is none.
///
/// # Errors
/// When the file cannot be read or the case cannot be written.
pub(crate) fn import(input: &FileInput<'_>, known: &Known<'_>, sink: &mut dyn Sink) -> Result<Option<(String, Summary)>, Error> {
    if !recognise(known.head) {
        return Ok(None);
    }
    let file = File::open(known.path).map_err(Error::read(input.shown_path))?;
    let mut reader = BufReader::new(file);
    let mut log = Log::default();
    let mut bytes = Vec::new();
    let mut place = At { line: 1, ..At::default() };
    loop {
        bytes.clear();
        let n = reader.read_until(b'\n', &mut bytes).map_err(Error::read(input.shown_path))?;
        if n == 0 {
            break;
        }
        place.length = n as u64;
        let short = &bytes[..n.min(LONGEST)];
        let text = record_text(short).0;
        log.line(text.trim_start_matches('\u{feff}').trim_end(), &place);
        place.offset += n as u64;
        place.line += 1;
    }
    log.close();
    let mut summary = Summary::default();
    for run in &log.runs {
        summary.rows.read += 1;
        summary.rows.kept += 1;
        let origin = Origin { source: SOURCE, scope: Scope::Full, tenant: None, collected: None, at: &run.at };
        for row in rows(run) {
            sink.about(&row, &origin)?;
        }
    }
    *summary.tenants.entry(String::new()).or_default() = summary.rows.kept;
    summary.notes.extend(log.runs.iter().filter_map(note));
    Ok(Some((SOURCE.to_owned(), summary)))
}

/// What the tool itself says went wrong with a run.
fn note(run: &Run) -> Option<Text> {
    let title = run.what.start.trim_start_matches("Starting ");
    let quoted = run.error.as_ref().map_or_else(|| Text::new("", ""), |e| Text::new(format!(" « {e} »"), format!(" “{e}”")));
    let (fr, en) = if run.refused {
        (
            "refusée par le service (403 : licence ou rôle), rien ou seulement une partie n’a été pris.",
            "refused by the service (403: licence or role), nothing or only a part was taken.",
        )
    } else if !run.finished {
        ("n’est pas allée à son terme.", "did not reach its end.")
    } else if run.lost {
        ("a perdu des enregistrements.", "lost records.")
    } else if run.zero && run.what.tables.iter().any(|t| spec::table(t).is_some_and(|t| t.zero == Zero::Implausible)) {
        (
            "s’est terminée avec 0 enregistrement : un tenant en activité en a toujours, cela ne prouve rien.",
            "ended with 0 records: a tenant in use always has some, so this proves nothing.",
        )
    } else {
        return None;
    };
    Some(Text::new(format!("{title} : {fr}{}", quoted.fr), format!("{title}: {en}{}", quoted.en)))
}

/// Whether the beginning of a text is the log of the tool: lines that begin with a time, and a title of one of its runs.
pub(crate) fn recognise(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut titled = false;
    let mut timed = 0;
    for line in text.lines().take(20_000) {
        if let Some(message) = message(line.trim_start_matches('\u{feff}')) {
            timed += 1;
            titled |= title(message).is_some_and(|t| t == "Starting Quick Triage" || acquisitions().iter().any(|a| a.start == t));
        }
    }
    titled && timed >= 2
}

/// The message of a line `yyyy-MM-dd HH:mm:ss: message`.
fn message(line: &str) -> Option<&str> {
    let (time, message) = (line.get(..19)?, line.get(19..)?);
    time.parse::<civil::DateTime>().ok()?;
    Some(message.strip_prefix(": ").or_else(|| message.strip_prefix(':'))?.trim_end())
}

fn title(message: &str) -> Option<&str> {
    message.strip_prefix("=== ")?.strip_suffix(" ===")
}

fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let t = text.parse::<Timestamp>().ok().or_else(|| {
        // the tool converts to UTC before it writes
        let local = text.parse::<civil::DateTime>().ok()?;
        Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    Some(t.as_microsecond())
}

#[derive(Debug, Default)]
struct Log {
    runs: Vec<Run>,
    current: Option<Run>,
    wrapper: Wrapper,
    /// The line before was a time with nothing behind it: the tool began its message with a line break.
    continues: bool,
}

impl Log {
    fn line(&mut self, line: &str, at: &At) {
        let continued = std::mem::take(&mut self.continues);
        match message(line) {
            Some("") => self.continues = true,
            Some(text) => self.message(text, at),
            None if continued => self.message(line, at),
            // the rest of a text that holds line breaks: nothing in it is the tool's
            None => {}
        }
    }

    fn message(&mut self, text: &str, at: &At) {
        if let Some(title) = title(text) {
            self.title(title, at);
            return;
        }
        self.wrapped(text);
        // the count stands under the title that ends a run
        let Some(run) = &mut self.current else {
            if let Some(run) = self.runs.last_mut() {
                run.zero |= says_zero(text);
                run.announced = run.announced.or(says_total(text));
            }
            return;
        };
        run.message(text);
        if run.what.empty.as_deref() == Some(text) {
            run.finished = true;
            self.close();
        }
    }

    fn title(&mut self, title: &str, at: &At) {
        if self.current.as_ref().is_some_and(|run| run.what.done.iter().any(|d| d == title)) {
            if let Some(run) = &mut self.current {
                run.finished = true;
            }
            self.close();
            return;
        }
        match title {
            "Starting Quick Triage" => self.wrapper = Wrapper::default(),
            "Evidence Collection Overview" => self.wrapper = Wrapper { all_users: None, overview: true },
            t if t.ends_with("Triage Summary") || t == "Evidence Collection Summary" => {
                self.close();
                self.wrapper = Wrapper::default();
            }
            t => {
                let what = acquisitions().iter().find(|a| a.start == t);
                if what.is_some() || t.starts_with("Starting ") {
                    self.close();
                }
                self.current = self.current.take().or_else(|| Some(Run::new(what?, at, self.wrapper.all_users)));
            }
        }
    }

    fn wrapped(&mut self, text: &str) {
        if self.current.is_some() {
            return;
        }
        if text == "Target: All users" {
            self.wrapper.all_users = Some(true);
        } else if ["Target User:", "Target Users:", "Target User(s):"].iter().any(|t| text.starts_with(t)) {
            self.wrapper.all_users = Some(false);
        } else if self.wrapper.overview && text.starts_with("-----") {
            self.wrapper.overview = false;
            self.wrapper.all_users = self.wrapper.all_users.or(Some(true));
        }
    }

    fn close(&mut self) {
        self.runs.extend(self.current.take());
    }
}

impl Run {
    fn new(what: &'static Acquisition, at: &At, all_users: Option<bool>) -> Self {
        Self {
            what,
            at: at.clone(),
            from: None,
            to: None,
            all_users,
            by_user: false,
            by_type: false,
            operations: Vec::new(),
            lost: false,
            error: None,
            refused: false,
            zero: false,
            announced: None,
            finished: false,
            classes: BTreeMap::new(),
            list: None,
        }
    }

    fn message(&mut self, text: &str) {
        let after = |start: &str| text.get(..start.len()).filter(|s| s.eq_ignore_ascii_case(start)).map(|s| &text[s.len()..]);
        if text.starts_with("-----") || text.starts_with('[') {
            self.list = None;
        }
        if let (Some(list), Some(item)) = (self.list, text.trim_start().strip_prefix("- ")) {
            match list {
                List::Types => self.by_type = true,
                List::Operations => self.operations.push(item.trim().to_owned()),
            }
        } else if let Some(date) = after("Start date: ") {
            self.from = instant(date);
        } else if let Some(date) = after("End date: ") {
            self.to = instant(date);
        } else if let Some((from, to)) =
            after("Analysis Period: ").or_else(|| after("Date Range: ")).and_then(|t| t.split_once(" to "))
        {
            (self.from, self.to) = (instant(from), instant(to));
        } else if after("The following RecordType(s)").is_some() {
            self.list = Some(List::Types);
        } else if after("The following Operation(s)").is_some() {
            self.list = Some(List::Operations);
        } else if let Some(list) = after("Operations: ") {
            self.operations.extend(list.split(',').map(|o| o.trim().to_owned()).filter(|o| !o.is_empty()));
        } else if ["Filtering for User:", "Target Users:", "Target User:"].iter().any(|t| after(t).is_some())
            || ["[INFO] Filtering results for user", "[INFO] Filtering mailboxes", "[INFO] Filtering by users"]
                .iter()
                .any(|t| after(t).is_some())
            || text == "[INFO] Processing specific users..."
        {
            self.by_user = true;
        } else if let Some(class) = after("[INFO] Acquiring the ").and_then(|t| t.strip_suffix(" sign-in logs")) {
            self.classes.insert(class.to_owned(), false);
        } else if let Some(class) = after("Summary for ").and_then(|t| t.strip_suffix(':')) {
            self.classes.insert(class.to_owned(), true);
        } else if let Some(error) = after("[ERROR]") {
            self.lost = true;
            self.refused |= refuses(error);
            self.error.get_or_insert_with(|| error.trim().chars().take(200).collect());
        } else if says_zero(text) {
            self.zero = true;
        } else if let Some(n) = says_total(text) {
            self.announced.get_or_insert(n);
        } else if after("[ERROR").is_some()
            || text.contains("NOT CAPTURED")
            || text.contains("but the max is")
            || (after("Note: ").is_some() && text.contains("assignments were found, but only"))
        {
            self.lost = true;
        }
    }

    /// Whether it is complete, with the word for the reason.
    fn verdict(&self) -> (Option<bool>, &str) {
        if self.refused {
            (Some(false), "refused")
        } else if !self.finished {
            (Some(false), "unfinished")
        } else if self.lost {
            (Some(false), "events_lost")
        } else if self.by_user || self.all_users == Some(false) {
            (Some(false), "filtered_by_user")
        } else if self.by_type {
            (Some(false), "filtered_by_type")
        } else if self.what.window && (self.from.is_none() || self.to.is_none()) {
            (None, "period_not_logged")
        } else if self.what.filter_unlogged && self.all_users != Some(true) {
            (None, "filter_not_logged")
        } else if let Some(doubt) = &self.what.doubt {
            (None, doubt)
        } else {
            (Some(true), "tool_log")
        }
    }

    /// The period that the service can have given.
    fn period(&self) -> (Option<i64>, Option<i64>) {
        let day = 86_400_000_000;
        let oldest = self.to.zip(self.what.retention_days).map(|(to, days)| to - days * day);
        (self.from.map(|from| oldest.map_or(from, |o| from.max(o))), self.to)
    }
}

fn rows(run: &Run) -> Vec<Row> {
    let (complete, reason) = run.verdict();
    let mut claims: Vec<(String, Option<bool>, &str)> = Vec::new();
    if !run.operations.is_empty() {
        claims.extend(run.operations.iter().map(|o| (o.clone(), complete, reason)));
        claims.push(("*".to_owned(), Some(false), "filtered_by_operation"));
    } else if run.what.classes.is_empty() {
        claims.push(("*".to_owned(), complete, reason));
    } else {
        let done = |class: &str| run.classes.iter().any(|(name, done)| *done && name.split(" & ").any(|part| part == class));
        for (class, operation) in &run.what.classes {
            let claim = if done(class) { (complete, reason) } else { (Some(false), "class_not_acquired") };
            claims.push((operation.clone(), claim.0, claim.1));
        }
        let all = run.what.classes.keys().all(|class| done(class));
        claims.push(if all { ("*".to_owned(), complete, reason) } else { ("*".to_owned(), Some(false), "class_not_acquired") });
    }
    let (from, to) = run.period();
    let tables = run.what.tables.iter();
    let silent = |table: &str| run.zero && spec::table(table).is_some_and(|t| t.zero == Zero::Implausible);
    tables
        .flat_map(|table| {
            let nothing = silent(table);
            claims.iter().map(move |(op, complete, reason)| match complete {
                // nothing where there is always something: the tool did not see what is there
                Some(false) => dated(table, op, *complete, reason, from, to),
                // A count over several classes of sign-ins is one for each class: not compared.
                _ if run.what.classes.is_empty()
                    && spec::table(table).is_some_and(|t| t.kind == TableKind::Event)
                    && !nothing =>
                {
                    let mut row = dated(table, op, *complete, reason, from, to);
                    if let Some(n) = run.announced {
                        put(&mut row, "announced", Cell::Int(n.cast_signed()));
                    }
                    row
                }
                _ if nothing => dated(table, op, Some(false), "implausible_zero", from, to),
                _ => dated(table, op, *complete, reason, from, to),
            })
        })
        .collect()
}

/// Whether an error says that the service refused: rights or licence, not a fault of the moment.
fn refuses(error: &str) -> bool {
    let error = error.to_lowercase();
    [
        "forbidden",
        "403",
        "premium license",
        "premium licence",
        "premiumtenant",
        "insufficient privileges",
        "authorization_requestdenied",
        "access is denied",
        "accessdenied",
    ]
    .iter()
    .any(|word| error.contains(word))
}

/// How many records a line says that there are.
fn says_total(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    text.strip_prefix("total records: ")?.replace([',', ' '], "").parse().ok().filter(|n| *n > 0)
}

/// Whether a line says that there was nothing.
fn says_zero(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text == "total records: 0" || (text.starts_with("[info] no ") && text.ends_with("logs found for the specified period"))
}

fn dated(table: &str, operation: &str, complete: Option<bool>, reason: &str, from: Option<i64>, to: Option<i64>) -> Row {
    let mut row = coverage_row(table, operation, "*", complete, reason);
    for (name, at) in [("time_from", from), ("time_to", to)] {
        let column = row.table.columns.iter().position(|c| c.name == name);
        row.cells.extend(column.zip(at).map(|(column, at)| (column, Cell::Ts(at))));
    }
    row.cells.sort_by_key(|c| c.0);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (table, operation, complete, reason) of a log.
    fn read(log: &str) -> Vec<(String, String, Option<bool>, String)> {
        assert!(recognise(log.as_bytes()));
        let mut read = Log::default();
        log.lines().for_each(|l| read.line(l, &At::default()));
        read.close();
        let claims = read.runs.iter().flat_map(rows).map(|row| {
            let get = |name: &str| row.cells.iter().find(|(c, _)| row.table.columns[*c].name == name).map(|c| c.1.clone());
            let text = |name: &str| if let Some(Cell::Text(t)) = get(name) { t } else { String::new() };
            let complete = if let Some(Cell::Bool(b)) = get("complete") { Some(b) } else { None };
            (text("table_name"), text("operation"), complete, text("reason"))
        });
        claims.filter(|c| c.0 != "ual_property" && c.0 != "directory_audit_change").collect()
    }

    fn claim(table: &str, operation: &str, complete: Option<bool>, reason: &str) -> (String, String, Option<bool>, String) {
        (table.to_owned(), operation.to_owned(), complete, reason.to_owned())
    }

    /// The example of the README: what the product promises to accept.
    fn example() -> String {
        let readme = include_str!("../../../evidence/sources/mes-logfile/README.md");
        readme.split("```").nth(1).unwrap().trim_start_matches('\n').to_owned()
    }

    #[test]
    fn the_example_proves_everything_it_shows() {
        let got = read(&example());
        for table in ["ual_event", "directory_audit", "entra_user", "user_auth_registration", "signin"] {
            assert!(got.contains(&claim(table, "*", Some(true), "tool_log")), "{table}: {got:?}");
        }
        assert!(got.contains(&claim("signin", "service_principal", Some(true), "tool_log")));
    }

    #[test]
    fn the_audit_log_alone_proves_no_absence_of_a_filter() {
        let alone = example().replace("Target: All users", "Project: x");
        assert!(read(&alone).contains(&claim("ual_event", "*", None, "filter_not_logged")));
        assert!(read(&alone).contains(&claim("directory_audit", "*", Some(true), "tool_log")));
        let one = example().replace("Target: All users", "Target User: a@example.com");
        assert!(read(&one).iter().all(|c| c.2 == Some(false)), "{:?}", read(&one));
    }

    #[test]
    fn the_number_of_records_is_read() {
        assert_eq!(says_total("  Total Records: 12,044"), Some(12_044));
        assert_eq!(says_total("Total Records: 0"), None, "a zero has its own sentence");
        assert_eq!(says_total("Total Records: unknown"), None);
    }

    #[test]
    fn what_is_lost_or_filtered_is_said() {
        let found = "2026-11-03 09:10:00: [INFO] Found 4211";
        let lost = example().replace(found, "2026-11-03 09:10:00: [ERROR] Max retries reached for window a -> b. Skipping.\n2026-11-03 09:10:00: [INFO] Found 4211");
        assert!(read(&lost).contains(&claim("ual_event", "*", Some(false), "events_lost")));
        let dashes = "2026-11-03 09:00:06: ----------------------------------------";
        let filter = "2026-11-03 09:00:06: \nThe following Operation(s) are configured to be extracted:\n2026-11-03 09:00:06: - New-InboxRule\n";
        let some = read(&example().replace(dashes, &format!("{filter}{dashes}")));
        assert!(some.contains(&claim("ual_event", "New-InboxRule", Some(true), "tool_log")), "{some:?}");
        assert!(some.contains(&claim("ual_event", "*", Some(false), "filtered_by_operation")));
        let cut = example().replace("=== Unified Audit Log Collection Summary ===", "");
        assert!(read(&cut).contains(&claim("ual_event", "*", Some(false), "unfinished")));
        let no_identity = example().replace("Summary for managedIdentity:", "");
        assert!(read(&no_identity).contains(&claim("signin", "*", Some(false), "class_not_acquired")));
        assert!(read(&no_identity).contains(&claim("signin", "interactive", Some(true), "tool_log")));
    }

    #[test]
    fn what_the_service_refused_is_said_so() {
        let asked = "2026-11-03 09:40:06: [INFO] Acquiring the interactiveUser & nonInteractiveUser sign-in logs";
        let no = "2026-11-03 09:40:09: [ERROR] Failed to acquire logs after 5 attempts. Error: Response status code does not indicate success: Forbidden (Forbidden).";
        let log = example().replace(asked, &format!("{asked}\n{no}"));
        assert!(read(&log).contains(&claim("signin", "*", Some(false), "refused")));
        assert!(read(&log).contains(&claim("directory_audit", "*", Some(true), "tool_log")), "the next one is another");
        let mut said = Log::default();
        log.lines().for_each(|l| said.line(l, &At::default()));
        said.close();
        let notes: Vec<Text> = said.runs.iter().filter_map(note).collect();
        assert!(notes.len() == 1 && notes[0].en.contains("refused") && notes[0].en.contains("Forbidden"), "{notes:?}");
    }

    #[test]
    fn zero_records_where_there_is_always_something_prove_nothing() {
        for zero in [
            (
                "=== Audit Log Collection Summary ===",
                "=== Audit Log Collection Summary ===\n2026-11-03 09:50:00: Total Records: 0",
            ),
            (
                "=== Audit Log Collection Summary ===",
                "2026-11-03 09:49:59: [INFO] No audit logs found for the specified period\n=== Audit Log Collection Summary ===",
            ),
        ] {
            let (before, after) = zero.1.split_once('\n').unwrap();
            let log = if before.starts_with("===") {
                example().replace(zero.0, &format!("{before}\n{after}"))
            } else {
                example().replace("2026-11-03 09:50:00: \n=== Audit", &format!("{before}\n2026-11-03 09:50:00: \n=== Audit"))
            };
            let got = read(&log);
            assert!(got.contains(&claim("directory_audit", "*", Some(false), "implausible_zero")), "{got:?}");
            assert!(got.contains(&claim("signin", "*", Some(true), "tool_log")), "the one before is another");
        }
        let some = example().replace(
            "=== Audit Log Collection Summary ===",
            "=== Audit Log Collection Summary ===\n2026-11-03 09:50:00: Total Records: 12",
        );
        assert!(read(&some).contains(&claim("directory_audit", "*", Some(true), "tool_log")));
    }

    #[test]
    fn a_text_of_an_attacker_proves_nothing() {
        let start = "2026-11-03 09:00:00: RuleName: x\n=== Starting Quick Triage ===\nTarget: All users\n";
        let alone = example().replace("Target: All users", "Project: x");
        let forged = format!("{start}{alone}");
        assert!(read(&forged).contains(&claim("ual_event", "*", None, "filter_not_logged")));
        let cut = example().replace("=== Unified Audit Log Collection Summary ===", "");
        let forged = cut.replace(
            "2026-11-03 09:40:00: ",
            "2026-11-03 09:40:00: Description: hello\n=== Unified Audit Log Collection Summary ===",
        );
        assert!(read(&forged).contains(&claim("ual_event", "*", Some(false), "unfinished")));
    }

    #[test]
    fn other_texts_are_not_the_log() {
        assert!(!recognise(b"=== Starting Quick Triage ===\nhello"));
        assert!(!recognise(b"2026-11-03 09:00:00: hello\n2026-11-03 09:00:01: hello"));
        assert!(!recognise(b""));
    }

    #[test]
    fn every_acquisition_names_a_table() {
        for a in acquisitions() {
            assert!(!a.done.is_empty() && a.tables.iter().all(|t| crate::spec::table(t).is_some()), "{a:?}");
        }
    }
}
