//! What the evidence reaches: its period, the dates in it that nobody can believe, and what it is proven to cover.
use std::collections::BTreeMap;

use jiff::Timestamp;
use reflexe_evidence::{
    events::LOST,
    period::{DAY, Days},
    spec::{self, Table, TableKind, Zero},
};
use reflexe_fiche::{
    coverage::{Coverage, CoverageRow},
    value::Value,
};
use reflexe_model::Window;

use crate::{
    EngineError, Session,
    rows::{self, Cited, Row},
    session::instant,
};

/// A row whose date cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strange {
    /// Evidence file.
    pub evidence_id: String,
    /// Line.
    pub line: i64,
    /// Its date.
    pub at: Timestamp,
}

/// The period of the evidence.
#[derive(Debug, Clone, Default)]
pub struct Period {
    /// From the first to the last event whose date can be believed; none without events.
    pub window: Option<Window>,
    /// The first dates that cannot, by file and line.
    pub strange: Vec<Strange>,
    /// How many there are in each file.
    pub strange_in: BTreeMap<String, u64>,
}

/// Strange dates named one by one.
const NAMED: usize = 200;

impl Session {
    /// The period that the event tables hold, given when the evidence was imported.
    ///
    /// # Errors
    /// When a query fails.
    pub fn period(&self, imported: Option<Timestamp>) -> Result<Period, EngineError> {
        let mut all = Days::default();
        for (table, time) in self.event_tables() {
            all.extend(&self.days(table, time)?);
        }
        let believed = all.believed(imported.map(Timestamp::as_microsecond));
        let at = |us: i64| Timestamp::from_microsecond(us).ok();
        let window = believed.span.and_then(|(from, to)| Some(Window { from: at(from)?, to: at(to)? }));
        let mut period = Period { window, ..Period::default() };
        let spans: Vec<String> = believed
            .strange
            .iter()
            .filter_map(|(from, to)| Some(format!("__t between {} and {}", instant(at(*from)?), instant(at(*to)?))))
            .take(NAMED)
            .collect();
        if spans.is_empty() {
            return Ok(period);
        }
        for (table, time) in self.event_tables() {
            let found = format!(
                "(select evidence_id, src_line, {time} as __t from {}{}) where {}",
                table.name,
                direct(table, " where "),
                spans.join(" or ")
            );
            for row in rows::all(&self.sql(&format!("select evidence_id, count(*) as n from {found} group by evidence_id"))?) {
                if let (Some(id), Some(n)) = (text(&row, "evidence_id"), int(&row, "n")) {
                    *period.strange_in.entry(id).or_default() += n.unsigned_abs();
                }
            }
            let named = format!("select evidence_id, src_line, __t from {found} order by evidence_id, src_line limit {NAMED}");
            period.strange.extend(rows::all(&self.sql(&named)?).iter().filter_map(|row| {
                Some(Strange { evidence_id: text(row, "evidence_id")?, line: int(row, "src_line")?, at: time_of(row, "__t")? })
            }));
        }
        period.strange.sort();
        Ok(period)
    }

    /// Records outside a period, by evidence file and event table, derived ones left out.
    ///
    /// # Errors
    /// When a query fails.
    pub fn outside(&self, window: &Window) -> Result<BTreeMap<String, BTreeMap<String, u64>>, EngineError> {
        let mut out: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (table, time) in self.event_tables() {
            let sql = format!(
                "select evidence_id, count(*) as n from {} where ({time} < {} or {time} > {}){} group by evidence_id",
                table.name,
                instant(window.from),
                instant(window.to),
                direct(table, " and ")
            );
            for row in rows::all(&self.sql(&sql)?) {
                if let (Some(id), Some(n)) = (text(&row, "evidence_id"), int(&row, "n")) {
                    out.entry(id).or_default().insert(table.name.clone(), n.unsigned_abs());
                }
            }
        }
        Ok(out)
    }

    /// First and last date of a file inside a period, where some of its dates cannot be believed.
    ///
    /// # Errors
    /// When a query fails.
    pub fn span_of(
        &self,
        evidence_id: &str,
        source: &str,
        window: &Window,
    ) -> Result<Option<(Timestamp, Timestamp)>, EngineError> {
        let mut ends: Vec<Timestamp> = Vec::new();
        for (table, time) in self.event_tables() {
            let sql = format!(
                "select min({time}) as a, max({time}) as z from {} where evidence_id = {} and source_kind = {} \
                 and {time} between {} and {}",
                table.name,
                crate::session::quote(evidence_id),
                crate::session::quote(source),
                instant(window.from),
                instant(window.to),
            );
            let found = rows::all(&self.sql(&sql)?);
            ends.extend(found.first().into_iter().flat_map(|row| [time_of(row, "a"), time_of(row, "z")]).flatten());
        }
        Ok(ends.iter().min().copied().zip(ends.iter().max().copied()))
    }

    /// What the exports claim to cover.
    ///
    /// # Errors
    /// When the query fails.
    pub(crate) fn claims(&self) -> Result<Vec<CoverageRow>, EngineError> {
        let batches = self.sql(
            "select table_name, coalesce(operation, '*') as operation, coalesce(subject, '*') as subject, time_from, time_to, complete, \
             reason, lost from coverage",
        )?;
        let row = |row: &Row| {
            Some(CoverageRow {
                table: text(row, "table_name")?,
                operation: text(row, "operation")?,
                subject: text(row, "subject")?,
                from: time_of(row, "time_from"),
                to: time_of(row, "time_to"),
                complete: match row.get("complete").and_then(|v| v.first()) {
                    Some(Value::Bool(true)) if self.unread => None,
                    Some(Value::Bool(b)) => Some(*b),
                    _ => None,
                },
                reason: text(row, "reason").unwrap_or_default(),
                lost: int(row, "lost").map_or(0, i64::unsigned_abs),
            })
        };
        Ok(rows::all(&batches).iter().filter_map(row).collect())
    }

    /// What the evidence is proven to cover. A row takes away what was lost; a zero that nobody can believe proves nothing.
    ///
    /// # Errors
    /// When a query fails.
    pub fn coverage(&self) -> Result<Coverage, EngineError> {
        let mut rows = self.claims()?;
        for table in spec::tables().iter().filter(|t| self.doubt_zero && t.zero == Zero::Implausible) {
            if rows.iter().any(|r| r.table == table.name && r.complete == Some(true)) {
                self.doubt_zero(table, &mut rows)?;
            }
        }
        self.doubt_totals(&mut rows)?;
        for (table, time) in self.event_tables() {
            rows.extend(self.lost(table, time)?);
        }
        Ok(Coverage { rows, gaps: Vec::new() })
    }

    /// Where a tool says how many records it wrote and fewer are there, copies counted, nothing proves that all are.
    fn doubt_totals(&self, rows: &mut [CoverageRow]) -> Result<(), EngineError> {
        let said =
            "select table_name, max(announced) as n from coverage where announced is not null and complete group by table_name";
        for announced in rows::all(&self.sql(said)?) {
            let (Some(name), Some(n)) = (text(&announced, "table_name"), int(&announced, "n")) else { continue };
            let Some(table) = spec::table(&name).filter(|t| self.ctx.table_exist(t.name.as_str()).unwrap_or(false)) else {
                continue;
            };
            let there = format!(
                "select (select count(*) from stored.{name}{}) + (select count(*) from row_copy where table_name = '{name}') as n",
                direct(table, " where ")
            );
            if rows::all(&self.sql(&there)?).first().and_then(|row| int(row, "n")).is_some_and(|there| there < n) {
                for row in rows.iter_mut().filter(|r| r.table == name && r.complete == Some(true)) {
                    row.complete = Some(false);
                    row.reason = "fewer_than_announced".to_owned();
                }
            }
        }
        Ok(())
    }

    /// A claim to hold everything of a table of which nothing is there proves nothing, where there is always something.
    fn doubt_zero(&self, table: &Table, rows: &mut [CoverageRow]) -> Result<(), EngineError> {
        if !self.ctx.table_exist(table.name.as_str())? {
            return Ok(());
        }
        let days = match (table.kind, &table.time) {
            (TableKind::Event, Some(time)) => Some(self.days(table, time)?),
            _ => None,
        };
        let empty = match &days {
            Some(days) => days.is_empty(),
            None => self.sql(&format!("select 1 from {} limit 1", table.name))?.iter().all(|b| b.num_rows() == 0),
        };
        for row in rows.iter_mut().filter(|r| r.table == table.name && r.complete == Some(true)) {
            // a slice of a day may well be empty [J]
            let silent = |days: &Days| match (row.from, row.to) {
                (Some(from), Some(to)) => {
                    let (from, to) = (from.as_microsecond(), to.as_microsecond());
                    to.saturating_sub(from) > DAY && !days.any_between(from, to)
                }
                _ => false,
            };
            if empty || days.as_ref().is_some_and(silent) {
                row.complete = Some(false);
                row.reason = "implausible_zero".to_owned();
            }
        }
        Ok(())
    }

    /// What the records of a table lost, as coverage that it takes away.
    fn lost(&self, table: &Table, time: &str) -> Result<Vec<CoverageRow>, EngineError> {
        let operation = table.operation.as_deref().unwrap_or("'*'");
        let mut out = Vec::new();
        for flag in LOST {
            let sql = format!(
                "select coalesce({operation}, '*') as operation, min({time}) as a, max({time}) as z, count(*) as n, count({time}) as dated \
                 from {} where flags is not null and array_has(flags, '{flag}'){} group by 1 order by 1",
                table.name,
                direct(table, " and ")
            );
            for row in rows::all(&self.sql(&sql)?) {
                let (Some(operation), Some(n)) = (text(&row, "operation"), int(&row, "n")) else { continue };
                let dated = int(&row, "dated") == Some(n);
                out.push(CoverageRow {
                    table: table.name.clone(),
                    operation,
                    subject: "*".to_owned(),
                    from: time_of(&row, "a").filter(|_| dated),
                    to: time_of(&row, "z").filter(|_| dated),
                    complete: Some(false),
                    reason: flag.to_owned(),
                    lost: n.unsigned_abs(),
                });
            }
        }
        Ok(out)
    }

    /// How many records of an event table there are on each day, derived ones left out: another table tells of these.
    fn days(&self, table: &Table, time: &str) -> Result<Days, EngineError> {
        let sql = format!(
            "select count(*) as n, min({time}) as a, max({time}) as z from {} where {time} is not null{} group by date_trunc('day', {time})",
            table.name,
            direct(table, " and ")
        );
        let mut days = Days::default();
        for row in rows::all(&self.sql(&sql)?) {
            if let (Some(n), Some(a), Some(z)) = (int(&row, "n"), time_of(&row, "a"), time_of(&row, "z")) {
                days.add_day(n.unsigned_abs(), a.as_microsecond(), z.as_microsecond());
            }
        }
        Ok(days)
    }

    /// The event tables that are open, with the column of their time.
    fn event_tables(&self) -> impl Iterator<Item = (&'static Table, &'static str)> {
        let open = |name: &str| self.ctx.table_exist(name).unwrap_or(false);
        let events = spec::tables().iter().filter(move |t| t.kind == TableKind::Event && open(t.name.as_str()));
        events.filter_map(|t| Some((t, t.time.as_deref()?)))
    }
}

/// Whether a cited row is an event outside a period (a finding that cites nothing else is outside too). What is a state, or has
/// no date, cannot be outside; a part says nothing.
pub(crate) fn outside(row: &Cited, window: &Window) -> Option<bool> {
    match spec::table(&row.table).map(|t| t.kind) {
        Some(TableKind::Event) => Some(row.time.is_some_and(|t| t < window.from || t > window.to)),
        Some(TableKind::Child) => None,
        _ => Some(false),
    }
}

/// Leaves out rows that stand for a record of another table.
fn direct(table: &Table, before: &str) -> String {
    if table.column("derived").is_some() { format!("{before}not coalesce(derived, false)") } else { String::new() }
}

fn text(row: &Row, column: &str) -> Option<String> {
    row.get(column)?.first()?.as_text().map(str::to_owned)
}

fn int(row: &Row, column: &str) -> Option<i64> {
    row.get(column)?.first()?.as_int()
}

fn time_of(row: &Row, column: &str) -> Option<Timestamp> {
    row.get(column)?.first()?.as_time()
}

#[cfg(test)]
mod tests {
    use reflexe_evidence::spec::{ColumnType, PROVENANCE};
    use reflexe_fiche::def::Need;
    use reflexe_model::RowId;

    use super::*;
    use crate::{Options, Rows, grid};

    fn session(tables: &[(&str, &str)]) -> Session {
        let mut stored = BTreeMap::new();
        for (name, text) in tables {
            let table = spec::table(name).expect("a table");
            let own = table.columns.iter().map(|c| (c.name.clone(), c.ty));
            let columns: Vec<(String, ColumnType)> = PROVENANCE.iter().map(|(n, t)| ((*n).to_owned(), *t)).chain(own).collect();
            let rows = grid::parse(name, text, &columns).expect("rows");
            let ids: Vec<i64> = (0..rows.len() as u64).map(|n| RowId::new(table.number, 1, n).0).collect();
            stored.insert((*name).to_owned(), Rows::Batches(vec![grid::batch(name, &columns, &rows, &ids).expect("a batch")]));
        }
        Session::open(stored, &Options { threads: 1, ..Options::default() }).expect("a session")
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn the_period_is_all_that_can_be_believed_and_the_rest_is_named() {
        let log = session(&[(
            "ual_event",
            "evidence_id | src_line | creation_time\n\
             e1 | 1 | 2026-01-12T09:00:00\n\
             e1 | 2 | 2026-01-12T09:01:35\n\
             e1 | 3 | 2026-09-01T08:00:00\n\
             e1 | 4 | 2026-09-28T08:00:00\n\
             e2 | 7 | 2027-08-09T08:00:00\n\
             e2 | 8 | 2026-09-20T08:00:00",
        )]);
        let period = log.period(Some(time("2026-11-01T00:00:00Z"))).expect("a period");
        let window = period.window.expect("a window");
        assert_eq!((window.from, window.to), (time("2026-01-12T09:00:00Z"), time("2026-09-28T08:00:00Z")));
        let strange = Strange { evidence_id: "e2".into(), line: 7, at: time("2027-08-09T08:00:00Z") };
        assert_eq!((period.strange, period.strange_in), (vec![strange], [("e2".to_owned(), 1)].into()));
        let asked = Window { from: time("2026-09-01T00:00:00Z"), to: time("2026-10-01T00:00:00Z") };
        let outside = log.outside(&asked).expect("counts");
        let of = |file: &str| outside.get(file).and_then(|tables| tables.get("ual_event")).copied();
        assert_eq!((of("e1"), of("e2")), (Some(2), Some(1)));
    }

    #[test]
    fn an_implausible_zero_and_what_was_lost_are_no_coverage() {
        let claim = "table_name | operation | subject | time_from | time_to | complete | reason\n\
                     ual_event | * | * | 2026-01-01T00:00:00 | 2026-03-01T00:00:00 | true | tool_log\n\
                     directory_audit | * | * | 2026-01-01T00:00:00 | 2026-03-01T00:00:00 | true | tool_log\n\
                     inbox_rule | * | * | | | true | last_page\n\
                     entra_user | * | * | | | true | last_page";
        let log = session(&[
            ("coverage", claim),
            (
                "ual_event",
                "creation_time | operation_key | flags\n2026-02-01T08:00:00 | send | truncated_json\n2026-02-02T08:00:00 | create |",
            ),
            // a change that the unified log tells of is no proof that the directory's own log was read
            ("directory_audit", "activity_date_time | activity_key | derived\n2026-02-01T08:00:00 | add user | true"),
        ]);
        let coverage = log.coverage().expect("coverage");
        let window = Window { from: time("2026-01-01T00:00:00Z"), to: time("2026-03-01T00:00:00Z") };
        let covers = |table: &str, operations: &[&str]| {
            let operations: Vec<String> = operations.iter().map(|o| (*o).to_owned()).collect();
            coverage.covers(
                table,
                &Need { window: table.contains("_audit") || table.starts_with("ual"), operations, ..Need::default() },
                &window,
                None,
            )
        };
        assert!(covers("ual_event", &["create"]) && !covers("ual_event", &["send"]) && !covers("ual_event", &[]));
        assert!(!covers("directory_audit", &["add user"]) && !covers("entra_user", &[]));
        assert!(covers("inbox_rule", &[]), "no rule at all is an answer");
        let reasons: Vec<&str> = coverage.rows.iter().filter(|r| r.complete == Some(false)).map(|r| r.reason.as_str()).collect();
        assert_eq!(reasons, ["implausible_zero", "implausible_zero", "truncated_json"]);
    }
}
