//! `reflexe query`: any SQL over the tables, printed as a table, CSV, JSON lines, or written as Parquet.
use std::io::Write;

use reflexe_fiche::value::Value;

use crate::{EngineError, Session, rows};

/// How a query's rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    Table,
    /// Comma-separated, formulas defused.
    Csv,
    /// One JSON object per line.
    Json,
}

/// Runs a query and prints its rows.
///
/// # Errors
/// When the query is wrong, or the output cannot be written.
pub fn print(session: &Session, sql: &str, format: Format, out: &mut dyn Write) -> Result<usize, EngineError> {
    let batches = session.sql(sql)?;
    let count = batches.iter().map(arrow::record_batch::RecordBatch::num_rows).sum();
    let io = |e: std::io::Error| EngineError::Start(e.to_string());
    match format {
        Format::Table => {
            let shown = arrow::util::pretty::pretty_format_batches(&batches)?;
            writeln!(out, "{}", visible(&shown.to_string())).map_err(io)?;
        }
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(out);
            let csv_io = |e: csv::Error| EngineError::Start(e.to_string());
            let header: Vec<String> =
                batches.first().map(|b| b.schema().fields().iter().map(|f| f.name().clone()).collect()).unwrap_or_default();
            writer.write_record(&header).map_err(csv_io)?;
            for row in rows::all(&batches) {
                writer.write_record(row.values().map(|v| defuse(&text(v)))).map_err(csv_io)?;
            }
            writer.flush().map_err(io)?;
        }
        Format::Json => {
            for row in rows::all(&batches) {
                let object: serde_json::Map<String, serde_json::Value> = row.iter().map(|(k, v)| (k.clone(), json(v))).collect();
                writeln!(out, "{}", serde_json::Value::Object(object)).map_err(io)?;
            }
        }
    }
    Ok(count)
}

fn text(values: &[Value]) -> String {
    values.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn one(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        #[allow(clippy::cast_precision_loss)] // shown with three decimals
        Value::Milli(n) => (*n as f64 / 1000.0).to_string(),
        Value::Time(t) => t.to_string(),
        Value::Text(t) => t.clone(),
    }
}

fn json(values: &[Value]) -> serde_json::Value {
    let one = |v: &Value| match v {
        Value::Bool(b) => serde_json::Value::from(*b),
        Value::Int(n) => serde_json::Value::from(*n),
        other => serde_json::Value::from(one(other)),
    };
    match values {
        [] => serde_json::Value::Null,
        [v] => one(v),
        many => many.iter().map(one).collect(),
    }
}

/// A cell that a spreadsheet would run is made a text.
fn defuse(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// Control characters of evidence must not reach a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '·' } else { c }).collect()
}
