//! `reflexe query`: any SQL over the tables that reads, printed as a table, CSV or JSON lines. A person's statement never changes
//! anything, reads no file by its name, and its cells are as harmless as those of the report.
use std::{io::Write, ops::ControlFlow, thread};

use arrow::{
    array::{ArrayRef, StringArray},
    datatypes::{DataType, Field, Schema},
    record_batch::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use datafusion::{
    dataframe::DataFrame,
    execution::context::SQLOptions,
    logical_expr::LogicalPlan,
    sql::{
        parser::{CopyToSource, Statement},
        sqlparser::ast::{Expr, Visit as _, Visitor},
    },
};
use futures::TryStreamExt as _;
use reflexe_fiche::{say, value::Value};
use reflexe_model::Text;

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

/// Longest statement, in bytes: as much as one argument of a command line holds.
const LONGEST: usize = 128 << 10;
/// Deepest nesting of operations. A statement of `LONGEST` bytes can nest some 60,000, and whatever walks it recurses.
const DEEPEST: usize = 1_000;
/// Stack of the thread that reads, plans and runs a statement: enough to find out that it is too deep.
const STACK: usize = 512 << 20;

/// Runs a query and prints its rows.
///
/// # Errors
/// When the statement is wrong, does more than read or is too deep, or the output cannot be written.
pub fn print(session: &Session, sql: &str, format: Format, out: &mut (dyn Write + Send)) -> Result<(), EngineError> {
    let run = || {
        let plan = plan(session, sql)?;
        match format {
            Format::Table => table(session, plan, out),
            Format::Csv => csv(session, plan, out),
            Format::Json => json_lines(session, plan, out),
        }
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        let thread = thread.map_err(|e| EngineError::Start(e.to_string()))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The plan of a statement that only reads.
fn plan(session: &Session, sql: &str) -> Result<LogicalPlan, EngineError> {
    if sql.len() > LONGEST {
        return Err(EngineError::Refused(Text::new(
            format!("Cette requête fait plus de {} Kio. Raccourcissez-la.", LONGEST >> 10),
            format!("This query is longer than {} KiB. Make it shorter.", LONGEST >> 10),
        )));
    }
    let state = session.ctx.state();
    let statement = state.sql_to_statement(sql, &state.config().options().sql_parser.dialect)?;
    if is_too_deep(&statement) {
        return Err(EngineError::Refused(Text::new(
            format!("Cette requête imbrique plus de {DEEPEST} opérations. Écrivez-la plus court, par exemple avec « in (…) »."),
            format!("This query nests more than {DEEPEST} operations. Write it shorter, for example with “in (…)”."),
        )));
    }
    let plan = session.runtime.block_on(state.statement_to_plan(statement))?;
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false).verify_plan(&plan).map_err(
        |_| {
            EngineError::Refused(Text::new(
                "« reflexe query » ne fait que lire les tables : écrivez une requête « select … ».",
                "“reflexe query” only reads the tables: write a “select …” query.",
            ))
        },
    )?;
    Ok(plan)
}

fn is_too_deep(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(inner) => inner.visit(&mut Depth(0)).is_break(),
        Statement::Explain(explain) => is_too_deep(&explain.statement),
        // Refused for what it does, but only once it was planned.
        Statement::CopyTo(copy) => match &copy.source {
            CopyToSource::Query(query) => query.visit(&mut Depth(0)).is_break(),
            CopyToSource::Relation(_) => false,
        },
        Statement::CreateExternalTable(_) | Statement::Reset(_) => false,
    }
}

/// Counts how deep operations and queries stand in one another.
struct Depth(usize);

impl Depth {
    fn enter(&mut self) -> ControlFlow<()> {
        self.0 += 1;
        if self.0 > DEEPEST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn leave(&mut self) -> ControlFlow<()> {
        self.0 -= 1;
        ControlFlow::Continue(())
    }
}

impl Visitor for Depth {
    type Break = ();

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.enter()
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.leave()
    }
}

/// Hands the rows of a plan over as they come.
fn each(
    session: &Session,
    plan: LogicalPlan,
    mut take: impl FnMut(&RecordBatch) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    session.runtime.block_on(async {
        let mut batches = DataFrame::new(session.ctx.state(), plan).execute_stream().await?;
        while let Some(batch) = batches.try_next().await? {
            take(&batch)?;
        }
        Ok(())
    })
}

fn names(plan: &LogicalPlan) -> Vec<String> {
    plan.schema().fields().iter().map(|f| say::clean_whole(f.name())).collect()
}

fn table(session: &Session, plan: LogicalPlan, out: &mut dyn Write) -> Result<(), EngineError> {
    let fields: Vec<Field> = names(&plan).into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    let schema = std::sync::Arc::new(Schema::new(fields));
    let mut shown = vec![RecordBatch::new_empty(schema.clone())];
    each(session, plan, |batch| {
        let columns: Result<Vec<ArrayRef>, EngineError> = batch.columns().iter().map(visible).collect();
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        shown.push(RecordBatch::try_new_with_options(schema.clone(), columns?, &options)?);
        Ok(())
    })?;
    writeln!(out, "{}", arrow::util::pretty::pretty_format_batches(&shown)?).map_err(EngineError::Output)
}

/// A column as text, hidden characters made visible.
fn visible(column: &ArrayRef) -> Result<ArrayRef, EngineError> {
    let options = FormatOptions::default();
    let cells = ArrayFormatter::try_new(column.as_ref(), &options)?;
    let cells: Vec<String> = (0..column.len()).map(|i| say::clean_whole(&cells.value(i).to_string())).collect();
    Ok(std::sync::Arc::new(StringArray::from(cells)))
}

fn csv(session: &Session, plan: LogicalPlan, out: &mut dyn Write) -> Result<(), EngineError> {
    let mut writer = ::csv::Writer::from_writer(out);
    let failed = |e: ::csv::Error| match e.into_kind() {
        ::csv::ErrorKind::Io(e) => EngineError::Output(e),
        other => EngineError::Output(std::io::Error::other(format!("{other:?}"))),
    };
    writer.write_record(names(&plan).iter().map(|name| say::defused(name))).map_err(failed)?;
    each(session, plan, |batch| {
        rows::all(std::slice::from_ref(batch))
            .iter()
            .try_for_each(|row| writer.write_record(row.values().map(|v| cell(v))).map_err(failed))
    })?;
    writer.flush().map_err(EngineError::Output)
}

/// A cell for a spreadsheet. Only texts can be formulas: a negative number stays one.
fn cell(values: &[Value]) -> String {
    let text = values.iter().map(one).collect::<Vec<_>>().join("; ");
    let text = if values.iter().any(|v| matches!(v, Value::Text(_))) { say::defused(&text) } else { text };
    say::clean_whole(&text)
}

fn json_lines(session: &Session, plan: LogicalPlan, out: &mut dyn Write) -> Result<(), EngineError> {
    each(session, plan, |batch| {
        rows::all(std::slice::from_ref(batch)).iter().try_for_each(|row| {
            let object: serde_json::Map<String, serde_json::Value> = row.iter().map(|(k, v)| (k.clone(), json(v))).collect();
            writeln!(out, "{}", say::json(&serde_json::Value::Object(object).to_string())).map_err(EngineError::Output)
        })
    })
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

#[cfg(test)]
mod tests;
