//! What the evidence is proven to cover. No SQL asks about coverage: judging does, here, once for all checks.
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reflexe_model::{Lang, Text, Window};

use crate::{def::Need, say};

/// One row of the table `coverage`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CoverageRow {
    /// Table that is covered.
    pub table: String,
    /// Operation, or `*`.
    pub operation: String,
    /// Subject, or `*`.
    pub subject: String,
    /// Start of the covered period; `None` for states.
    pub from: Option<Timestamp>,
    /// End.
    pub to: Option<Timestamp>,
    /// Whether it is complete; `None` where nobody knows.
    pub complete: Option<bool>,
    /// Why, as the word of the table.
    pub reason: String,
    /// Records that are there and cannot be read whole: what other rows cover, such a row takes away. 0 for none.
    pub lost: u64,
}

/// A time of which a log proves nothing, however whole its export: somebody had switched the logging off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Table that proves nothing.
    pub table: String,
    /// Operation that was not logged, or `*`.
    pub operation: String,
    /// Whose acts were not logged, or `*`.
    pub subject: String,
    /// The act that ended the logging.
    pub from: Timestamp,
    /// When the log speaks again; `None`: not before the evidence ends.
    pub to: Option<Timestamp>,
}

impl Gap {
    /// Whether it takes something from what a need asks. A need about everybody loses by a gap about one.
    fn hurts(&self, table: &str, operation: &str, window: &Window, subject: Option<&str>) -> bool {
        let same = |gap: &str, asked: &str| gap == "*" || gap.eq_ignore_ascii_case(asked);
        self.table == table
            && (operation == "*" || same(&self.operation, operation))
            && subject.is_none_or(|s| same(&self.subject, s))
            && self.from <= window.to
            && self.to.is_none_or(|to| window.from < to)
    }
}

/// Everything known about coverage.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// All rows.
    pub rows: Vec<CoverageRow>,
    /// What is taken from them.
    pub gaps: Vec<Gap>,
}

/// The operations that a need asks for; `*` if it names none.
fn operations(need: &Need) -> impl Iterator<Item = &str> {
    let any = need.operations.is_empty().then_some("*");
    any.into_iter().chain(need.operations.iter().map(String::as_str))
}

impl Coverage {
    /// Whether a table is proven to be covered as a need asks, for one subject or for all.
    ///
    /// Several rows may together cover a window: the export of each month of six is six files. Nothing covers what was lost.
    pub fn covers(&self, table: &str, need: &Need, window: &Window, subject: Option<&str>) -> bool {
        if self.against(table, need, window, subject).any(|r| r.lost > 0) {
            return false;
        }
        operations(need).all(|op| {
            if self.gaps.iter().any(|gap| gap.hurts(table, op, window, subject)) {
                return false;
            }
            let rows = self.rows.iter().filter(|r| {
                r.table == table
                    && r.complete == Some(true)
                    && (r.operation == "*" || r.operation.eq_ignore_ascii_case(op))
                    && (r.subject == "*" || subject.is_some_and(|s| r.subject.eq_ignore_ascii_case(s)))
            });
            if need.window { spans(rows, window) } else { rows.count() > 0 }
        })
    }

    /// Whether a list of objects was exported whole.
    pub fn whole(&self, table: &str) -> bool {
        let all = |r: &&CoverageRow| r.table == table && r.operation == "*" && r.subject == "*";
        self.rows.iter().filter(all).any(|r| r.complete == Some(true))
    }

    /// Why a log that was exported whole does not answer a need: one sentence for each time and person not logged.
    pub fn reasons(&self, table: &str, need: &Need, window: &Window) -> Vec<Text> {
        let mut found: BTreeMap<(Timestamp, Option<Timestamp>, &str), BTreeSet<&str>> = BTreeMap::new();
        for gap in self.gaps.iter().filter(|gap| operations(need).any(|op| gap.hurts(table, op, window, None))) {
            found.entry((gap.from, gap.to, gap.subject.as_str())).or_default().insert(&gap.operation);
        }
        let sentence = |(from, to, subject): &(Timestamp, Option<Timestamp>, &str), operations: &BTreeSet<&str>, lang| {
            let french = lang == Lang::Fr;
            let from = say::time(*from, lang);
            let when = match (to.map(|t| say::time(t, lang)), french) {
                (Some(to), true) => format!("Du {from} au {to}"),
                (Some(to), false) => format!("From {from} to {to}"),
                (None, true) => format!("À partir du {from}"),
                (None, false) => format!("From {from} on"),
            };
            let names: Vec<String> = operations.iter().map(|o| say::clean(o)).collect();
            let what = if operations.contains("*") { String::new() } else { format!(" ({})", say::list(&names, lang)) };
            let who = match (*subject, french) {
                ("*", _) => String::new(),
                (who, true) => format!(" pour {}", say::clean(who)),
                (who, false) => format!(" for {}", say::clean(who)),
            };
            if french {
                format!("{when}, le journal ne prouve aucune absence{who}{what} : l'audit y avait été coupé.")
            } else {
                format!("{when}, the log proves no absence{who}{what}: auditing had been switched off.")
            }
        };
        found.iter().map(|(key, ops)| Text::new(sentence(key, ops, Lang::Fr), sentence(key, ops, Lang::En))).collect()
    }

    /// The rows that speak against a need: what is known to be incomplete, and what was lost, of an operation that it names (of any,
    /// if it names none) and in its period.
    pub fn against<'a>(
        &'a self,
        table: &'a str,
        need: &'a Need,
        window: &'a Window,
        subject: Option<&'a str>,
    ) -> impl Iterator<Item = &'a CoverageRow> {
        let asked =
            move |op: &str| op == "*" || need.operations.is_empty() || need.operations.iter().any(|o| o.eq_ignore_ascii_case(op));
        let inside = move |r: &CoverageRow| {
            !need.window || (r.from.is_none_or(|from| from <= window.to) && r.to.is_none_or(|to| to >= window.from))
        };
        let of = move |s: &str| s == "*" || subject.is_none_or(|subject| s.eq_ignore_ascii_case(subject));
        let rows = self.rows.iter().filter(move |r| r.table == table && (r.lost > 0 || r.complete == Some(false)));
        rows.filter(move |r| asked(&r.operation) && of(&r.subject) && inside(r))
    }

    /// Whether anything at all is known of a table (rows were imported, whatever their completeness).
    pub fn mentions(&self, table: &str) -> bool {
        self.rows.iter().any(|r| r.table == table && r.complete != Some(false))
    }
}

/// Whether the union of the rows' periods holds the window without a gap of more than a second.
fn spans<'a>(rows: impl Iterator<Item = &'a CoverageRow>, window: &Window) -> bool {
    let mut periods: Vec<(Timestamp, Timestamp)> = rows.filter_map(|r| Some((r.from?, r.to?))).collect();
    periods.sort();
    let mut reached: Option<Timestamp> = None;
    for (from, to) in periods {
        match reached {
            None if from <= window.from => reached = Some(to),
            Some(end) if from.as_second() <= end.as_second() + 1 => reached = Some(end.max(to)),
            _ => {}
        }
    }
    reached.is_some_and(|end| end >= window.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(from: &str, to: &str, complete: Option<bool>) -> CoverageRow {
        CoverageRow {
            table: "signin".into(),
            operation: "*".into(),
            subject: "*".into(),
            from: Some(from.parse().expect("time")),
            to: Some(to.parse().expect("time")),
            complete,
            ..CoverageRow::default()
        }
    }

    fn gap(operation: &str, subject: &str, from: &str, to: Option<&str>) -> Gap {
        let time = |t: &str| t.parse().expect("time");
        Gap { table: "signin".into(), operation: operation.into(), subject: subject.into(), from: time(from), to: to.map(time) }
    }

    #[test]
    fn logging_switched_off_ends_coverage() {
        let time = |t: &str| t.parse().expect("time");
        let window = Window { from: time("2026-01-01T00:00:00Z"), to: time("2026-03-01T00:00:00Z") };
        let need = |operations: &[&str]| Need {
            window: true,
            operations: operations.iter().map(|o| (*o).to_owned()).collect(),
            ..Need::default()
        };
        let with =
            |gap| Coverage { rows: vec![row("2025-12-31T00:00:00Z", "2026-03-02T00:00:00Z", Some(true))], gaps: vec![gap] };
        let off = with(gap("*", "*", "2026-02-01T00:00:00Z", None));
        assert!(
            !off.covers("signin", &need(&[]), &window, Some("a@example.com"))
                && !off.covers("signin", &need(&["x"]), &window, None)
        );
        assert!(
            off.covers("signin", &need(&[]), &Window { to: time("2026-01-31T00:00:00Z"), ..window }, None),
            "before it the log stands"
        );
        assert_eq!(off.reasons("signin", &need(&["x"]), &window).len(), 1);
        let ended = with(gap("*", "*", "2025-11-01T00:00:00Z", Some("2025-12-01T00:00:00Z")));
        assert!(ended.covers("signin", &need(&[]), &window, None), "it had ended before the window");
        let at_the_end = with(gap("*", "*", "2026-03-01T00:00:00Z", None));
        assert!(!at_the_end.covers("signin", &need(&[]), &window, None), "the last act of the log is the switch");
        let one = with(gap("Read", "a@example.com", "2026-02-01T00:00:00Z", None));
        assert!(!one.covers("signin", &need(&["read"]), &window, Some("A@example.com")), "his reading was not logged");
        assert!(
            !one.covers("signin", &need(&["read"]), &window, None) && !one.covers("signin", &need(&[]), &window, None),
            "nor everybody's"
        );
        assert!(
            one.covers("signin", &need(&["read"]), &window, Some("b@example.com"))
                && one.covers("signin", &need(&["write"]), &window, None)
        );
        let said = &one.reasons("signin", &need(&["read"]), &window)[0];
        assert_eq!(
            said.en,
            "From 2026-02-01 00:00:00 UTC on, the log proves no absence for a@example.com (Read): auditing had been switched off."
        );
    }

    #[test]
    fn what_was_lost_is_covered_by_nobody() {
        let window =
            Window { from: "2026-01-01T00:00:00Z".parse().expect("time"), to: "2026-03-01T00:00:00Z".parse().expect("time") };
        let whole = CoverageRow { operation: "*".into(), ..row("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", Some(true)) };
        let hole = |operation: &str, from: Option<&str>| CoverageRow {
            operation: operation.into(),
            from: from.map(|t| t.parse().expect("time")),
            to: from.map(|t| t.parse().expect("time")),
            complete: Some(false),
            lost: 1,
            ..whole.clone()
        };
        let covers = |hole: CoverageRow, operations: &[&str]| {
            let need = Need { window: true, operations: operations.iter().map(|o| (*o).into()).collect(), ..Need::default() };
            Coverage { rows: vec![whole.clone(), hole], gaps: vec![] }.covers("signin", &need, &window, None)
        };
        assert!(!covers(hole("send", Some("2026-02-01T00:00:00Z")), &["send"]));
        assert!(covers(hole("send", Some("2026-02-01T00:00:00Z")), &["create"]), "another operation");
        assert!(covers(hole("send", Some("2025-02-01T00:00:00Z")), &["send"]), "before the period");
        assert!(!covers(hole("send", None), &["send"]), "nobody knows when");
        assert!(!covers(hole("*", None), &["create"]), "nobody knows what");
        assert!(!covers(hole("send", None), &[]), "a need that names no operation needs all");
        let unfinished = CoverageRow { lost: 0, ..hole("*", None) };
        assert!(covers(unfinished, &["send"]), "an export that failed is made good by another");
    }

    #[test]
    fn months_join_and_holes_show() {
        let window =
            Window { from: "2026-01-01T00:00:00Z".parse().expect("time"), to: "2026-03-01T00:00:00Z".parse().expect("time") };
        let need = Need { window: true, ..Need::default() };
        let whole = Coverage {
            rows: vec![
                row("2026-02-01T00:00:00Z", "2026-03-02T00:00:00Z", Some(true)),
                row("2025-12-31T00:00:00Z", "2026-02-01T00:00:00Z", Some(true)),
            ],
            gaps: Vec::new(),
        };
        assert!(whole.covers("signin", &need, &window, None));
        let hole = Coverage {
            rows: vec![
                row("2025-12-31T00:00:00Z", "2026-01-20T00:00:00Z", Some(true)),
                row("2026-02-01T00:00:00Z", "2026-03-02T00:00:00Z", Some(true)),
            ],
            gaps: Vec::new(),
        };
        assert!(!hole.covers("signin", &need, &window, None));
        let unknown = Coverage { rows: vec![row("2025-12-31T00:00:00Z", "2026-03-02T00:00:00Z", None)], gaps: Vec::new() };
        assert!(!unknown.covers("signin", &need, &window, None), "nobody knows is not covered");
    }
}
