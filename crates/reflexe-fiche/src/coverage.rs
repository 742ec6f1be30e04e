//! What the evidence is proven to cover. No SQL asks about coverage: judging does, here, once for all checks.
use std::collections::BTreeSet;

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
    /// Whose acts were not logged, lower case, or `*`.
    pub subject: String,
    /// Table that proves nothing.
    pub table: String,
    /// Operations that were not logged; `*` for all.
    pub operations: BTreeSet<String>,
    /// The act that ended the logging.
    pub from: Timestamp,
    /// When the log speaks again; `None`: not before the evidence ends.
    pub to: Option<Timestamp>,
}

impl Gap {
    /// Whether it takes something from what is asked.
    fn hurts(&self, table: &str, operation: &str, window: &Window) -> bool {
        self.table == table
            && (operation == "*" || self.operations.iter().any(|o| o == "*" || o.eq_ignore_ascii_case(operation)))
            && self.from <= window.to
            && self.to.is_none_or(|to| window.from < to)
    }

    /// Makes gaps that touch one: who switches off again what is off makes no further gap. Sorted, as [`Coverage`] wants them.
    pub fn united(mut gaps: Vec<Self>) -> Vec<Self> {
        gaps.sort();
        let mut out: Vec<Self> = Vec::new();
        for gap in gaps {
            match out.last_mut() {
                Some(last)
                    if (&last.subject, &last.table, &last.operations) == (&gap.subject, &gap.table, &gap.operations)
                        && last.to.is_none_or(|to| gap.from <= to) =>
                {
                    last.to = last.to.zip(gap.to).map(|(a, b)| a.max(b));
                }
                _ => out.push(gap),
            }
        }
        out
    }
}

/// Everything known about coverage.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// All rows.
    pub rows: Vec<CoverageRow>,
    /// What is taken from them, in order ([`Gap::united`]): one account may have thousands of neighbours.
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
            if self.gaps_about(subject).any(|gap| gap.hurts(table, op, window)) {
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

    /// Gaps that matter to somebody: those about everybody and his own. A need about everybody loses by a gap about one.
    fn gaps_about(&self, subject: Option<&str>) -> impl Iterator<Item = &Gap> {
        let of = |who: &str| {
            let start = self.gaps.partition_point(|g| g.subject.as_str() < who);
            let rest = self.gaps.get(start..).unwrap_or_default();
            rest.get(..rest.partition_point(|g| g.subject == who)).unwrap_or_default()
        };
        let parts: [&[Gap]; 2] = match subject {
            None => [&self.gaps, &[]],
            Some(who) => [of("*"), of(&who.to_lowercase())],
        };
        parts.into_iter().flatten()
    }

    /// Whether a list of objects was exported whole.
    pub fn whole(&self, table: &str) -> bool {
        let all = |r: &&CoverageRow| r.table == table && r.operation == "*" && r.subject == "*";
        self.rows.iter().filter(all).any(|r| r.complete == Some(true))
    }

    /// Why a log that was exported whole does not answer a need: one sentence for each time and person not logged. Many are one:
    /// nobody reads a thousand.
    pub fn reasons(&self, table: &str, need: &Need, window: &Window) -> Vec<Text> {
        let (mut all, mut some): (Vec<Unlogged>, Vec<Unlogged>) = (Vec::new(), Vec::new());
        for gap in self.gaps.iter().filter(|gap| operations(need).any(|op| gap.hurts(table, op, window))) {
            let asked =
                |o: &&str| need.operations.is_empty() || *o == "*" || need.operations.iter().any(|n| n.eq_ignore_ascii_case(o));
            let operations = gap.operations.iter().map(String::as_str).filter(asked).collect();
            let who = (gap.subject != "*").then_some(gap.subject.as_str()).into_iter().collect();
            let to = if gap.subject == "*" { &mut all } else { &mut some };
            Unlogged { from: gap.from, to: gap.to, who, operations }.join(to);
        }
        all.into_iter().chain(some).map(|u| Text::new(u.sentence(Lang::Fr), u.sentence(Lang::En))).collect()
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

/// What was not logged, to be told.
struct Unlogged<'a> {
    from: Timestamp,
    to: Option<Timestamp>,
    /// Accounts; none means everybody.
    who: BTreeSet<&'a str>,
    operations: BTreeSet<&'a str>,
}

impl Unlogged<'_> {
    /// Sentences of one kind before they are made one.
    const MOST: usize = 5;

    /// Joins others: those of the same time and people, or the last one when there are too many.
    fn join(self, others: &mut Vec<Self>) {
        let full = others.len() >= Self::MOST;
        let same = others.iter().position(|o| (o.from, o.to, &o.who) == (self.from, self.to, &self.who));
        let Some(one) = same.or(full.then_some(Self::MOST - 1)).and_then(|at| others.get_mut(at)) else {
            others.push(self);
            return;
        };
        one.from = one.from.min(self.from);
        one.to = one.to.zip(self.to).map(|(a, b)| a.max(b));
        one.who.extend(self.who);
        one.operations.extend(self.operations);
    }

    fn sentence(&self, lang: Lang) -> String {
        let french = lang == Lang::Fr;
        let from = say::time(self.from, lang);
        let when = match (self.to.map(|t| say::time(t, lang)), french) {
            (Some(to), true) => format!("Du {from} au {to}"),
            (Some(to), false) => format!("From {from} to {to}"),
            (None, true) => format!("À partir du {from}"),
            (None, false) => format!("From {from} on"),
        };
        let names = |names: &BTreeSet<&str>| say::list(&names.iter().map(|n| say::clean(n)).collect::<Vec<_>>(), lang);
        let what = if self.operations.contains("*") { String::new() } else { format!(" ({})", names(&self.operations)) };
        let who = match (self.who.is_empty(), french) {
            (true, _) => String::new(),
            (false, true) => format!(" pour {}", names(&self.who)),
            (false, false) => format!(" for {}", names(&self.who)),
        };
        if french {
            format!("{when}, le journal ne prouve aucune absence{who}{what} : l'audit y avait été coupé.")
        } else {
            format!("{when}, the log proves no absence{who}{what}: auditing had been switched off.")
        }
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
        let operations = [operation.to_owned()].into();
        Gap { subject: subject.into(), table: "signin".into(), operations, from: time(from), to: to.map(time) }
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
    fn switched_off_twice_is_off_once() {
        let early = gap("*", "*", "2026-01-01T00:00:00Z", Some("2026-01-10T00:00:00Z"));
        let within = gap("*", "*", "2026-01-05T00:00:00Z", Some("2026-01-12T00:00:00Z"));
        let later = gap("*", "*", "2026-02-01T00:00:00Z", None);
        let again = gap("*", "*", "2026-02-03T00:00:00Z", Some("2026-02-04T00:00:00Z"));
        let his = gap("*", "a@example.com", "2026-01-02T00:00:00Z", None);
        let united = Gap::united(vec![again, his.clone(), later.clone(), within, early]);
        assert_eq!(united, [gap("*", "*", "2026-01-01T00:00:00Z", Some("2026-01-12T00:00:00Z")), later, his]);
        let thousands = (0..2000).map(|n| gap("*", &format!("u{n:04}@example.com"), "2026-01-02T00:00:00Z", None)).collect();
        let coverage = Coverage { rows: Vec::new(), gaps: Gap::united(thousands) };
        let window =
            Window { from: "2026-01-01T00:00:00Z".parse().expect("time"), to: "2026-03-01T00:00:00Z".parse().expect("time") };
        assert_eq!(coverage.reasons("signin", &Need::default(), &window).len(), 5, "nobody reads two thousand sentences");
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
