//! Small tables: Arrow batches made of texts. Used for reference tables, for what people give (`input.*`), and for the
//! cases of a check, where a table is a text grid (`a | b`, an empty cell is NULL, `''` is empty, `[a, b]` a list).
use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
    datatypes::{Field, Schema},
    record_batch::RecordBatch,
};
use jiff::Timestamp;
use reflexe_evidence::spec::ColumnType;

/// A row of texts: column → cell. A column that is absent is NULL.
pub type TextRow = BTreeMap<String, String>;

/// Why a grid cannot become a table.
#[derive(Debug, thiserror::Error)]
#[error("table {table}, row {row}, column {column}: {message}")]
pub struct GridError {
    /// Table.
    pub table: String,
    /// Row, from 1.
    pub row: usize,
    /// Column.
    pub column: String,
    /// What is wrong.
    pub message: String,
}

/// Reads a text grid into rows.
///
/// # Errors
/// When a row has another number of cells than the header, or a header names no column.
pub fn parse(table: &str, text: &str, columns: &[(String, ColumnType)]) -> Result<Vec<TextRow>, GridError> {
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let header: Vec<String> = lines.next().unwrap_or_default().split('|').map(|h| h.trim().to_owned()).collect();
    let fail = |row, column: &str, message: &str| GridError {
        table: table.to_owned(),
        row,
        column: column.to_owned(),
        message: message.to_owned(),
    };
    if let Some(unknown) = header.iter().find(|h| !columns.iter().any(|(n, _)| n == *h)) {
        return Err(fail(0, unknown, "is not a column of the table"));
    }
    let mut out = Vec::new();
    for (number, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split('|').collect();
        if cells.len() != header.len() {
            return Err(fail(number + 1, "", "has another number of cells than the header"));
        }
        let row = header
            .iter()
            .zip(cells)
            .map(|(h, c)| (h.clone(), c.trim()))
            .filter(|(_, c)| !c.is_empty())
            .map(|(h, c)| (h, if c == "''" { String::new() } else { c.to_owned() }))
            .collect();
        out.push(row);
    }
    Ok(out)
}

/// Builds a batch of the given columns; `row_id` numbers come from `ids`.
///
/// # Errors
/// When a cell is not of its column's type.
pub fn batch(table: &str, columns: &[(String, ColumnType)], rows: &[TextRow], ids: &[i64]) -> Result<RecordBatch, GridError> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (name, ty) in columns {
        fields.push(Field::new(name, ty.arrow(), name != "row_id"));
        if name == "row_id" {
            arrays.push(Arc::new(arrow::array::Int64Array::from(ids.to_vec())));
        } else {
            arrays.push(array(table, name, *ty, rows)?);
        }
    }
    let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(|e| GridError {
        table: table.to_owned(),
        row: 0,
        column: String::new(),
        message: e.to_string(),
    })
}

fn array(table: &str, name: &str, ty: ColumnType, rows: &[TextRow]) -> Result<ArrayRef, GridError> {
    let cells = || rows.iter().map(|r| r.get(name).map(String::as_str));
    let parsed = |kind: &'static str| {
        move |row: usize| GridError {
            table: table.to_owned(),
            row: row + 1,
            column: name.to_owned(),
            message: format!("is not {kind}"),
        }
    };
    /// Appends every cell through a parser.
    macro_rules! fill {
        ($builder:expr, $kind:literal, $parse:expr) => {{
            let mut builder = $builder;
            for (row, cell) in cells().enumerate() {
                match cell {
                    None => builder.append_null(),
                    Some(text) => builder.append_value($parse(text).ok_or_else(|| parsed($kind)(row))?),
                }
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    Ok(match ty {
        ColumnType::Text => fill!(StringBuilder::new(), "a text", |t: &str| Some(unescape(t))),
        ColumnType::Bool => fill!(BooleanBuilder::new(), "true or false", |t: &str| t.parse::<bool>().ok()),
        ColumnType::I32 => fill!(Int32Builder::new(), "a whole number", |t: &str| t.parse::<i32>().ok()),
        ColumnType::I64 => fill!(Int64Builder::new(), "a whole number", |t: &str| t.parse::<i64>().ok()),
        ColumnType::F64 => fill!(Float64Builder::new(), "a number", |t: &str| t.parse::<f64>().ok()),
        ColumnType::Ts => {
            fill!(TimestampMicrosecondBuilder::new().with_timezone("UTC"), "a time", |t: &str| instant(t)
                .map(Timestamp::as_microsecond))
        }
        ColumnType::List => {
            let mut builder = ListBuilder::new(StringBuilder::new());
            for cell in cells() {
                match cell {
                    None => builder.append_null(),
                    Some(text) => builder.append_value(
                        text.trim_start_matches('[')
                            .trim_end_matches(']')
                            .split(',')
                            .map(str::trim)
                            .filter(|t| !t.is_empty())
                            .map(Some),
                    ),
                }
            }
            Arc::new(builder.finish())
        }
    })
}

fn unescape(text: &str) -> String {
    text.trim_matches('"').replace("\\n", "\n").replace("\\p", "|")
}

/// An instant written with or without `Z`, or a bare day.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches('Z');
    let full = if text.contains('T') { format!("{text}Z") } else { format!("{text}T00:00:00Z") };
    full.parse().ok()
}
