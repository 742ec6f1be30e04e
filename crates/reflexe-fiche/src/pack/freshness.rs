//! How fresh a pack is, and what nobody could say if the incident began today.
use jiff::{ToSpan, civil::Date};
use reflexe_model::Text;

use super::Pack;

/// How fresh one table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFreshness {
    /// Id.
    pub table: String,
    /// Title.
    pub title: Text,
    /// Rows.
    pub rows: usize,
    /// Rows checked in time.
    pub fresh: usize,
    /// Lines and owners of rows to check again.
    pub old: Vec<(u64, String)>,
    /// The day on which the first fresh row grows old.
    pub next_check: Option<Date>,
    /// What would be unknown today; `None`: nothing.
    pub unknown: Option<Text>,
}

/// How fresh a pack is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// 0 to 100: the mean over the tables of their share of fresh rows; an empty table counts 0.
    pub score: u8,
    /// By table.
    pub tables: Vec<TableFreshness>,
    /// The day on which to look again.
    pub reminder: Option<Date>,
}

/// How fresh the pack is on a day.
pub fn freshness(pack: &Pack, today: Date) -> Freshness {
    let mut tables = Vec::new();
    let mut sum = 0;
    for def in &pack.tables {
        let rows = pack.of(&def.id);
        let until = |row: &super::Row| row.date("last_checked").and_then(|d| d.checked_add(i64::from(def.days).days()).ok());
        // A date in the future proves nothing.
        let is_fresh =
            |row: &&super::Row| row.date("last_checked").is_some_and(|d| d <= today) && until(row).is_some_and(|d| d >= today);
        let fresh: Vec<&super::Row> = rows.iter().filter(is_fresh).collect();
        sum += (fresh.len() * 100).checked_div(rows.len()).unwrap_or(0);
        tables.push(TableFreshness {
            table: def.id.clone(),
            title: def.title.clone(),
            rows: rows.len(),
            fresh: fresh.len(),
            old: rows.iter().filter(|r| !is_fresh(r)).map(|r| (r.line, r.get("owner").to_owned())).collect(),
            next_check: fresh.iter().filter_map(|r| until(r)).min(),
            unknown: (fresh.len() < rows.len() || rows.is_empty()).then(|| def.unknown.clone()),
        });
    }
    let score = u8::try_from(sum.checked_div(tables.len()).unwrap_or(0)).unwrap_or(100);
    let reminder = tables.iter().map(|t| t.next_check.filter(|_| t.unknown.is_none()).unwrap_or(today)).min();
    Freshness { score, tables, reminder }
}

impl Pack {
    /// How fresh it is on a day.
    pub fn freshness(&self, today: Date) -> Freshness {
        freshness(self, today)
    }
}
