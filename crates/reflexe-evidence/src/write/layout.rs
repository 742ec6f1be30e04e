//! Which rows stand together in a row group. A log is mostly a few common operations (mail read, files opened, sign-ins),
//! while checks ask for rare ones: each common value of a column that checks select by has row groups of its own, whose
//! statistics then name it, so that a check of three operations does not read the rest (docs/adr/0007).
use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, BooleanArray};

use super::Batch;
use crate::spec::Table;

/// A value is common from so many rows of a stretch on.
const COMMON: usize = 1024;

/// The column by which a table's rows are grouped: the one that checks select its rows by.
pub(super) fn column(table: &Table) -> Option<&'static str> {
    match table.name.as_str() {
        "ual_event" => Some("operation_key"),
        "ual_property" => Some("bag"),
        _ => None,
    }
}

/// The kept rows of a batch as groups to be written apart, in an order that depends on nothing but the rows: the common
/// values by name, then the rest. `None` stands for every row.
pub(crate) fn groups(batch: &Batch, kept: Option<&BooleanArray>) -> Vec<Option<BooleanArray>> {
    let whole = || vec![kept.cloned()];
    let Some(at) = column(batch.table).and_then(|name| super::TableBuilder::column_of(batch.table, name)) else {
        return whole();
    };
    let Some(values) = batch.columns[at].as_string_opt::<i32>() else { return whole() };
    let stays = |row: usize| kept.is_none_or(|mask| mask.value(row));
    let value = |row: usize| values.is_valid(row).then(|| values.value(row));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in (0..batch.rows).filter(|row| stays(*row)) {
        if let Some(value) = value(row) {
            *counts.entry(value).or_default() += 1;
        }
    }
    counts.retain(|_, rows| *rows >= COMMON);
    if counts.is_empty() {
        return whole();
    }
    let mask = |of: &dyn Fn(Option<&str>) -> bool| -> BooleanArray {
        (0..batch.rows).map(|row| Some(stays(row) && of(value(row)))).collect()
    };
    let mut out: Vec<BooleanArray> = counts.keys().map(|common| mask(&|v| v == Some(common))).collect();
    out.push(mask(&|v| v.is_none_or(|v| !counts.contains_key(v))));
    out.into_iter().filter(|mask| mask.true_count() > 0).map(Some).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        spec,
        write::{Provenance, TableBuilder},
    };

    fn batch(operations: &[(&str, usize)]) -> Batch {
        let table = spec::table("ual_event").expect("a table");
        let column = TableBuilder::column_of(table, "operation_key").expect("a column");
        let mut rows = TableBuilder::new(table);
        for (name, many) in operations {
            for _ in 0..*many {
                rows.row(&Provenance::default());
                rows.text(column, name);
            }
        }
        rows.finish()
    }

    #[test]
    fn common_operations_stand_alone_and_no_row_is_lost() {
        let batch = batch(&[("mailitemsaccessed", 2000), ("new-inboxrule", 3), ("userloggedin", 1500), ("set-mailbox", 2)]);
        let all = groups(&batch, None);
        let sizes: Vec<usize> = all.iter().flatten().map(BooleanArray::true_count).collect();
        assert_eq!(sizes, [2000, 1500, 5]);
        let kept: BooleanArray = (0..batch.rows).map(|row| Some(row >= 1500)).collect();
        let sizes: Vec<usize> = groups(&batch, Some(&kept)).iter().flatten().map(BooleanArray::true_count).collect();
        assert_eq!(sizes, [1500, 505], "what does not stay does not make a value common");
    }

    #[test]
    fn a_small_file_stays_whole() {
        assert!(matches!(groups(&batch(&[("mailitemsaccessed", 1000), ("send", 9)]), None)[..], [None]));
    }
}
