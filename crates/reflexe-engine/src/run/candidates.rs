//! What the checks see: their queries run, their rows folded, and what the cited rows know filled in.
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use arrow::{datatypes::DataType, record_batch::RecordBatch};
use reflexe_fiche::{
    Catalogue, Check,
    judge::{Candidate, Folded, Folding},
    value::Value,
};
use reflexe_model::Window;

use crate::{
    EngineError, Session, memory, rows,
    run::known::Broken,
    session::{bind, instant, literal},
};

/// What a check saw.
pub(crate) struct Sight {
    /// Its rows, folded.
    pub folded: Vec<Folded>,
    /// Rows that named nobody and nothing: they cannot be told, and the check cannot have seen all.
    pub left_out: usize,
}

/// Runs the queries of all checks, as many at a time as there are processors: planning a query is serial work.
pub(super) fn all_candidates<'a>(
    session: &Session,
    checks: &[&'a Check],
    broken: &Broken,
    progress: &(dyn Fn(&str) + Sync),
    params: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Vec<(&'a Check, Result<Sight, EngineError>)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(check) = checks.get(at) else { return done };
            progress(&check.def.id);
            let seen = match broken.under(&check.sql) {
                Some(cause) => Err(cause),
                None => candidates(session, check, params),
            };
            done.push((at, seen));
        }
    };
    let mut done: Vec<(usize, Result<Sight, EngineError>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..session.threads.max(1)).map(|_| scope.spawn(work)).collect();
        // A worker that panicked takes its checks with it: the run must not pretend they were looked at.
        workers.into_iter().flat_map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    // What did not fit beside another query runs again alone, with all of the memory, then in ways that hold less.
    for (at, seen) in &mut done {
        let Some(check) = checks.get(*at) else { continue };
        let exhausted = |seen: &Result<_, EngineError>| seen.as_ref().is_err_and(memory::is_exhausted);
        if exhausted(seen) {
            *seen = candidates(session, check, params);
        }
        let mut ways = session.thrifty();
        while exhausted(seen)
            && let Some(session) = ways.next()
        {
            *seen = candidates(&session, check, params);
        }
    }
    done.into_iter().filter_map(|(at, seen)| Some((*checks.get(at)?, seen))).collect()
}

/// Runs `check.sql` and folds its rows.
fn candidates(session: &Session, check: &Check, params: &dyn Fn(&str) -> Option<String>) -> Result<Sight, EngineError> {
    let value = |name: &str| params(name).or_else(|| check.def.params.get(name).and_then(|p| literal(&p.value)));
    let sql =
        bind(&check.sql, &value).map_err(|name| EngineError::Parameter { name, place: format!("{}/check.sql", check.folder) })?;
    let mut out = Folding::of(&check.def);
    let mut left_out = 0;
    session.each(&sql, |batch| read_batch(check, batch, &mut out, &mut left_out))?;
    Ok(Sight { folded: out.done(), left_out })
}

/// Columns of a check's query, and whether each is boolean, from its plan over the session's tables.
///
/// # Errors
/// When the query or a signal is wrong.
pub fn columns(
    session: &Session,
    catalogue: &Catalogue,
    check: &Check,
    window: Window,
) -> Result<BTreeMap<String, bool>, EngineError> {
    let params = |name: &str| match name {
        "window_from" => Some(instant(window.from)),
        "window_to" => Some(instant(window.to)),
        _ => check.def.params.get(name).and_then(|p| literal(&p.value)),
    };
    session.register_signals(&catalogue.signals_of(&check.sql), &params)?;
    let sql = bind(&check.sql, &params)
        .map_err(|name| EngineError::Parameter { name, place: format!("{}/check.sql", check.folder) })?;
    let frame = session.runtime.block_on(session.ctx.sql(&sql))?;
    Ok(frame.schema().fields().iter().map(|f| (f.name().clone(), f.data_type() == &DataType::Boolean)).collect())
}

fn read_batch(check: &Check, batch: &RecordBatch, out: &mut Folding<'_>, left_out: &mut usize) -> Result<(), EngineError> {
    let schema = batch.schema();
    let wrong = |message: String| EngineError::Contract { check: check.def.id.clone(), message };
    let bundle = check.def.bundle.iter().flat_map(|b| b.columns());
    for must in ["subject", "rows"].into_iter().chain(bundle) {
        if schema.index_of(must).is_err() {
            return Err(wrong(format!("check.sql returns no column {must}")));
        }
    }
    for i in 0..batch.num_rows() {
        let mut c = Candidate::default();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let values = rows::values(column, i);
            let text = || values.first().map(Value::shown).unwrap_or_default();
            match field.name().as_str() {
                "subject" => c.subject = text(),
                "key" => c.key = text(),
                "say" => c.say = text(),
                "rows" => c.rows = values.iter().filter_map(Value::as_int).collect(),
                name if field.data_type() == &DataType::Boolean => {
                    let value = match values.first() {
                        Some(Value::Bool(b)) => Some(*b),
                        _ => None,
                    };
                    c.signs.insert(name.to_owned(), value);
                }
                _ if values.is_empty() => {}
                name => {
                    c.values.insert(name.to_owned(), values);
                }
            }
        }
        if c.subject.is_empty() {
            *left_out += 1;
        } else {
            out.add(c);
        }
    }
    Ok(())
}
