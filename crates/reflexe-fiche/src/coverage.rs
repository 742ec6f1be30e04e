//! What the evidence is proven to cover. No SQL asks about coverage: judging does, here, once for all checks.
use jiff::Timestamp;
use reflexe_model::Window;

use crate::def::Need;

/// One row of the table `coverage`.
#[derive(Debug, Clone, PartialEq)]
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
}

/// Everything known about coverage.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// All rows.
    pub rows: Vec<CoverageRow>,
}

impl Coverage {
    /// Whether a table is proven to be covered as a need asks, for one subject or for all.
    ///
    /// Several rows may together cover a window: the export of each month of six is six files.
    pub fn covers(&self, table: &str, need: &Need, window: &Window, subject: Option<&str>) -> bool {
        let any = ["*".to_owned()];
        let operations: &[String] = if need.operations.is_empty() { &any } else { &need.operations };
        operations.iter().all(|op| {
            let rows = self.rows.iter().filter(|r| {
                r.table == table
                    && r.complete == Some(true)
                    && (r.operation == "*" || r.operation.eq_ignore_ascii_case(op))
                    && (r.subject == "*" || subject.is_some_and(|s| r.subject.eq_ignore_ascii_case(s)))
            });
            if need.window { spans(rows, window) } else { rows.count() > 0 }
        })
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
        }
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
        };
        assert!(whole.covers("signin", &need, &window, None));
        let hole = Coverage {
            rows: vec![
                row("2025-12-31T00:00:00Z", "2026-01-20T00:00:00Z", Some(true)),
                row("2026-02-01T00:00:00Z", "2026-03-02T00:00:00Z", Some(true)),
            ],
        };
        assert!(!hole.covers("signin", &need, &window, None));
        let unknown = Coverage { rows: vec![row("2025-12-31T00:00:00Z", "2026-03-02T00:00:00Z", None)] };
        assert!(!unknown.covers("signin", &need, &window, None), "nobody knows is not covered");
    }
}
