//! Runs the cases of a check through the real engine: tiny tables in, expected findings out. Each case runs several
//! ways (partitions, shuffled rows, tiny batches) and must give the same bytes every time.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use jiff::Timestamp;
use reflexe_evidence::spec::{self, ColumnType, PROVENANCE, TableKind};
use reflexe_fiche::{
    Catalogue, Check,
    def::{Case, CaseFile},
};
use reflexe_model::{Finding, RowId, Window};

use crate::{
    EngineError, Inputs, Options, Rows, RunInput, Session,
    grid::{self, TextRow},
    run,
};

/// Ways in which each case runs: partitions, rows reversed, rows per batch.
const WAYS: [(usize, bool, usize); 2] = [(1, false, 8192), (4, true, 2)];

/// Runs the cases of the checks of a folder whose id starts with one of `ids` (all when empty), as many at a time as
/// there are processors. `told` hears of each check that is done, with its faults (none: all its cases pass), from any thread.
///
/// # Errors
/// [`EngineError::Case`] when the folder or a file in it cannot be used, or no check is named so; else when the engine does not start.
pub fn run_folder(dir: &Path, ids: &[String], told: &(dyn Fn(&str, &[String]) + Sync)) -> Result<(), EngineError> {
    let unusable = |e: reflexe_fiche::CatalogueError| EngineError::Case(e.to_string());
    let catalogue = Catalogue::from_dir(dir).map_err(unusable)?;
    let wanted = |id: &str| ids.is_empty() || ids.iter().any(|start| id.starts_with(start.as_str()));
    let checks: Vec<&Check> = catalogue.checks.iter().filter(|c| wanted(&c.def.id)).collect();
    if checks.is_empty() {
        return Err(EngineError::Case(format!("{}: no check starts with {}", dir.display(), ids.join(", "))));
    }
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(check) = checks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let file = Catalogue::cases(dir, check).map_err(unusable)?;
            let mut faults = contract(&catalogue, check)?;
            faults.extend(run_all(&catalogue, check, &file)?);
            faults.sort();
            told(&check.def.id, &faults);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..std::thread::available_parallelism().map_or(2, usize::from)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Runs all cases of a check. Empty: all pass. Else one sentence per difference.
///
/// # Errors
/// When the engine itself cannot start.
pub fn run_all(catalogue: &Catalogue, check: &Check, file: &CaseFile) -> Result<Vec<String>, EngineError> {
    let mut faults = Vec::new();
    let mut on = BTreeSet::new();
    for case in &file.case {
        let mut first: Option<String> = None;
        for way in WAYS {
            let result = match one(catalogue, check, file, case, way) {
                Ok(result) => result,
                Err(error) => {
                    faults.push(format!("{} · {}: {error}", check.def.id, case.name));
                    break;
                }
            };
            if let Some(error) = &result.error {
                faults.push(format!("{} · {}: {error}", check.def.id, case.name));
                break;
            }
            let bytes = serde_json::to_string(&result.findings).unwrap_or_default();
            match &first {
                None => {
                    on.extend(result.findings.iter().flat_map(|f| f.signs.iter().map(|s| s.name.clone())));
                    faults
                        .extend(differences(case, &result).into_iter().map(|d| format!("{} · {}: {d}", check.def.id, case.name)));
                    first = Some(bytes);
                }
                Some(before) if *before != bytes => {
                    faults.push(format!("{} · {}: another order of rows gives another result", check.def.id, case.name));
                }
                Some(_) => {}
            }
        }
    }
    for (name, sign) in &check.def.signs {
        // A sign without words is never told; a case cannot show it in a finding's list.
        if sign.fr.is_some() && !on.contains(name) {
            faults.push(format!("{}: no case switches the sign {name} on", check.def.id));
        }
    }
    Ok(faults)
}

fn one(
    catalogue: &Catalogue,
    check: &Check,
    file: &CaseFile,
    case: &Case,
    (threads, reversed, batch): (usize, bool, usize),
) -> Result<run::CheckRun, EngineError> {
    let mut tables = file.base.tables.clone();
    tables.extend(case.tables.clone());
    let window = window(case.window.as_ref().or(file.base.window.as_ref()))?;
    let mut given = BTreeMap::new();
    let mut references = BTreeMap::new();
    let mut inputs = Inputs::default();
    for (name, text) in &tables {
        let columns = columns_of(name)?;
        let rows = grid::parse(name, text, &columns)?;
        if let Some(reference) = name.strip_prefix("ref.") {
            references.insert(reference.to_owned(), rows);
        } else if let Some(input) = name.strip_prefix("input.") {
            match input {
                "vip" => inputs.vip = rows,
                "egress" => inputs.egress = rows,
                "legit" => inputs.legit = rows,
                _ => inputs.answer = rows,
            }
        } else {
            given.insert(name.clone(), rows);
        }
    }
    let covered = case.covered.as_ref().unwrap_or(&file.base.covered);
    given.entry("coverage".into()).or_default().extend(covered.iter().map(|c| coverage_row(c, window)));
    places(&mut given)?;
    let mut stored = BTreeMap::new();
    for (name, rows) in given {
        stored.insert(name.clone(), Rows::Batches(batches(&name, rows, reversed)?));
    }
    let mut sql = check.sql.clone();
    let ending = catalogue.signals.iter().filter(|s| s.def.ends_coverage.is_some());
    ending.for_each(|s| sql.push_str(&format!(" signal.{}", s.name)));
    catalogue.signals_of(&sql).iter().for_each(|s| sql.push_str(&s.sql));
    let populations = check.def.needs.values().chain(check.def.better_with.values()).filter_map(|n| n.per.as_deref());
    let words: BTreeSet<&str> = sql
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .chain(populations.filter_map(|p| p.split('.').next()))
        .collect();
    let only = spec::tables().iter().map(|t| t.name.clone()).filter(|n| words.contains(n.as_str())).collect();
    // a case gives the rows of one thing: its other tables are empty because nobody looks at them
    let options = Options { threads, batch, inputs, references, only: Some(only), doubt_zero: false, ..Options::default() };
    let session = Session::open(stored, &options)?;
    let params: BTreeMap<String, toml::Value> =
        file.base.params.clone().into_iter().chain(case.params.clone().unwrap_or_default()).collect();
    let result = run::run(
        &session,
        &RunInput {
            catalogue,
            window,
            narrowed: case.window.is_some(),
            only: &BTreeSet::from([check.def.id.clone()]),
            params: &params,
            suspects: case.suspects.clone().unwrap_or_else(|| file.base.suspects.clone()).into_iter().collect(),
            hostile: case
                .hostile
                .clone()
                .unwrap_or_else(|| file.base.hostile.clone())
                .into_iter()
                .map(|h| h.to_lowercase())
                .collect(),
            path_of: &|id| id.to_owned(),
            progress: &|_| {},
        },
    )?;
    result.checks.into_iter().next().ok_or_else(|| EngineError::Start(format!("no check {}", check.def.id)))
}

fn window(given: Option<&[String; 2]>) -> Result<Window, EngineError> {
    let default = ["2026-01-01".to_owned(), "2026-04-01".to_owned()];
    let [from, to] = given.unwrap_or(&default);
    let read = |t: &str| grid::instant(t).ok_or_else(|| EngineError::Start(format!("no time: {t}")));
    Ok(Window { from: read(from)?, to: read(to)? })
}

fn columns_of(name: &str) -> Result<Vec<(String, ColumnType)>, EngineError> {
    if let Some(reference) = name.strip_prefix("ref.") {
        return crate::reference::columns(reference).ok_or_else(|| EngineError::Start(format!("no table {name}")));
    }
    let texts = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), ColumnType::Text)).collect();
    match name {
        "input.vip" => return Ok(texts(&["principal"])),
        "input.egress" => return Ok(texts(&["ip"])),
        "input.legit" => return Ok(texts(&["object", "claim", "who"])),
        "input.answer" => return Ok(texts(&["question", "value", "who"])),
        _ => {}
    }
    let table = spec::table(name).ok_or_else(|| EngineError::Start(format!("no table {name}")))?;
    let provenance = PROVENANCE.iter().map(|(n, t)| ((*n).to_owned(), *t));
    Ok(provenance.chain(table.columns.iter().map(|c| (c.name.clone(), c.ty))).collect())
}

fn coverage_row(text: &str, window: Window) -> TextRow {
    let (rest, subject) = text.split_once('@').map_or((text, "*"), |(r, s)| (r, s));
    let (table, operation) = rest.split_once(':').unwrap_or((rest, "*"));
    [
        ("table_name", table.to_owned()),
        ("operation", operation.to_owned()),
        ("subject", subject.to_owned()),
        ("time_from", window.from.to_string()),
        ("time_to", window.to.to_string()),
        ("complete", "true".to_owned()),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v))
    .collect()
}

/// Gives every row its place in the evidence: records one of their own, parts that of the record whose id they carry. A case
/// about records without an id, or with the same, writes `src_offset` itself, in both tables.
fn places(given: &mut BTreeMap<String, Vec<TextRow>>) -> Result<(), EngineError> {
    for child in spec::tables().iter().filter(|t| t.kind == TableKind::Child) {
        let (Some(parent), Some(id)) = (&child.part_of, &child.record_id) else { continue };
        let own = spec::table(parent).and_then(|t| t.record_id.as_deref()).unwrap_or("id");
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (row, n) in given.get(parent).into_iter().flatten().zip(1..) {
            if let Some(id) = row.get(own) {
                of.entry(id.clone()).or_default().push(row.get("src_offset").cloned().unwrap_or_else(|| place(parent, n)));
            }
        }
        for (row, n) in given.get_mut(&child.name).into_iter().flatten().zip(1_u64..) {
            if row.contains_key("src_offset") {
                continue;
            }
            let found = match row.get(id).and_then(|id| of.get(id)).map(Vec::as_slice) {
                Some([one]) => one.clone(),
                Some([_, ..]) => {
                    return Err(EngineError::Start(format!(
                        "table {}, row {n}: several rows of {parent} have this id: write src_offset in both tables instead",
                        child.name
                    )));
                }
                _ => place(&child.name, n),
            };
            row.insert("src_offset".into(), found);
        }
    }
    for (name, rows) in given.iter_mut() {
        for (row, n) in rows.iter_mut().zip(1..) {
            row.entry("src_offset".into()).or_insert_with(|| place(name, n));
        }
    }
    Ok(())
}

/// A place of its own for the row of a table.
fn place(table: &str, row: u64) -> String {
    (u64::from(spec::table(table).map_or(0, |t| t.number)) << 32 | row).to_string()
}

fn batches(name: &str, mut rows: Vec<TextRow>, reversed: bool) -> Result<Vec<arrow::record_batch::RecordBatch>, EngineError> {
    let table = spec::table(name).ok_or_else(|| EngineError::Start(format!("no table {name}")))?;
    let mut ids: Vec<i64> = (1..=rows.len() as u64).map(|n| RowId::new(table.number, 0, n).0).collect();
    for row in &mut rows {
        row.entry("evidence_id".into()).or_insert_with(|| "e0".into());
        row.entry("src_length".into()).or_insert_with(|| "0".into());
    }
    for (row, n) in rows.iter_mut().zip(1..) {
        row.entry("src_line".into()).or_insert_with(|| format!("{n}"));
    }
    if reversed {
        rows.reverse();
        ids.reverse();
    }
    let columns = columns_of(name)?;
    let middle = rows.len().div_ceil(2);
    let mut out = Vec::new();
    for (rows, ids) in [(&rows[..middle], &ids[..middle]), (&rows[middle..], &ids[middle..])] {
        out.push(grid::batch(name, &columns, rows, ids)?);
    }
    Ok(out)
}

fn differences(case: &Case, result: &run::CheckRun) -> Vec<String> {
    let mut out = Vec::new();
    if result.outcome.verdict != case.verdict {
        out.push(format!("verdict {} where {} is expected", result.outcome.verdict.as_str(), case.verdict.as_str()));
    }
    if let Some(missing) = &case.missing {
        let expected: BTreeSet<String> = missing.iter().cloned().collect();
        if expected != result.outcome.missing {
            out.push(format!("missing {:?} where {expected:?} is expected", result.outcome.missing));
        }
    }
    if result.findings.len() != case.found.len() {
        let seen: Vec<_> = result.findings.iter().map(|f| format!("{} {} {}", f.verdict.as_str(), f.subject, f.key)).collect();
        out.push(format!("{} findings where {} are expected: {seen:?}", result.findings.len(), case.found.len()));
    }
    for (expected, found) in case.found.iter().zip(&result.findings) {
        for (name, value) in expected {
            let got = field(found, name);
            let want = canonical(name, value);
            if got.as_ref() != Some(&want) {
                out.push(format!("{} {}: {name} is {got:?} where {want:?} is expected", found.subject, found.key));
            }
        }
    }
    out
}

/// A field of a finding in the form in which cases write it.
fn field(f: &Finding, name: &str) -> Option<toml::Value> {
    use toml::Value as T;
    let time = |t: Option<Timestamp>| t.map(|t| T::String(t.strftime("%Y-%m-%dT%H:%M:%S").to_string()));
    let texts = |v: Vec<String>| T::Array(v.into_iter().map(T::String).collect());
    Some(match name {
        "subject" => T::String(f.subject.clone()),
        "key" => T::String(f.key.clone()),
        "verdict" => T::String(f.verdict.as_str().into()),
        "decisive" => T::Boolean(f.decisive),
        "points" => T::Integer(f.points),
        "weight" => T::Integer(f.weight.into()),
        "count" => T::Integer(i64::try_from(f.count).ok()?),
        "actor" => T::String(f.actor.clone()?),
        "fr" => T::String(f.text.fr.clone()),
        "en" => T::String(f.text.en.clone()),
        "could_be" => T::String(f.could_be?.as_str().into()),
        "first_seen" => time(f.first_seen)?,
        "last_seen" => time(f.last_seen)?,
        "signs" => texts(f.signs.iter().map(|s| s.name.clone()).collect()),
        "missing" => texts(f.missing.clone()),
        "links" => texts(f.links.iter().map(|l| format!("{}:{}", l.kind, l.value)).collect()),
        "rows" => {
            let mut rows: Vec<String> = f.rows.iter().map(|r| format!("{}:{}", r.table, r.line)).collect();
            rows.sort();
            texts(rows)
        }
        _ => return None,
    })
}

fn canonical(name: &str, value: &toml::Value) -> toml::Value {
    match (name, value) {
        ("rows" | "missing" | "links", toml::Value::Array(items)) => {
            let mut items: Vec<String> = items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect();
            items.sort();
            toml::Value::Array(items.into_iter().map(toml::Value::String).collect())
        }
        ("subject" | "actor", toml::Value::String(s)) => toml::Value::String(s.to_lowercase()),
        _ => value.clone(),
    }
}

/// What of a check breaks the contract, seen from the plan of its query over empty tables: columns that must be there, signs
/// without a column and columns without a sign, placeholders that name nothing, tables that no need declares.
///
/// # Errors
/// When the engine cannot start or a signal is wrong.
pub fn contract(catalogue: &Catalogue, check: &Check) -> Result<Vec<String>, EngineError> {
    let session = Session::open(BTreeMap::new(), &Options::default())?;
    let at = window(None)?;
    let columns = run::columns(&session, catalogue, check, at)?;
    let mut faults = Vec::new();
    let mut say = |text: String| faults.push(format!("{}: {text}", check.def.id));
    for must in ["subject", "rows"] {
        if !columns.contains_key(must) {
            say(format!("check.sql returns no column {must}"));
        }
    }
    let made = check.def.makes_suspect.as_deref().filter(|c| *c != "subject");
    for column in check.def.bundle.iter().flat_map(|b| b.columns()).chain(made) {
        if !columns.contains_key(column) {
            say(format!("[bundle] or makes_suspect: check.sql returns no column {column}"));
        }
    }
    for (name, boolean) in &columns {
        if *boolean && !check.def.signs.contains_key(name) {
            say(format!("the boolean column {name} is no sign"));
        }
    }
    for name in check.def.signs.keys() {
        let built_in = reflexe_fiche::def::BUILT_IN.contains(&name.as_str());
        if !built_in && columns.get(name) != Some(&true) {
            say(format!("the sign {name} is no boolean column of check.sql"));
        }
    }
    let engine = ["subject", "key", "signs", "actor", "first_seen", "last_seen", "count"];
    let signs = check.def.signs.values().flat_map(|s| s.fr.iter().chain(&s.en));
    let says = check.def.say.values().flat_map(|t| [&t.fr, &t.en]);
    for placeholder in says.chain(signs).flat_map(|t| reflexe_fiche::def::placeholders(t)) {
        if !columns.contains_key(&placeholder) && !engine.contains(&placeholder.as_str()) {
            say(format!("{{{placeholder}}} is no column of check.sql"));
        }
    }
    let mut sql = check.sql.clone();
    catalogue.signals_of(&check.sql).iter().for_each(|s| sql.push_str(&s.sql));
    let declared: BTreeSet<&str> = check
        .def
        .needs
        .iter()
        .chain(&check.def.better_with)
        .flat_map(|(t, need)| std::iter::once(t).chain(&need.or))
        .chain(check.def.signs.values().flat_map(|s| &s.hinges_on))
        .map(String::as_str)
        .collect();
    for table in tables_read(&sql) {
        let parent = table.part_of.as_deref().unwrap_or(&table.name);
        if table.kind != TableKind::System && !declared.contains(table.name.as_str()) && !declared.contains(parent) {
            say(format!("reads {}, which stands in no need", table.name));
        }
    }
    Ok(faults)
}

/// Tables that a query names after FROM or JOIN.
fn tables_read(sql: &str) -> Vec<&'static spec::Table> {
    let code: String = sql.lines().map(|l| l.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let words: Vec<String> = code
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect();
    let named: BTreeSet<&str> = words.windows(2).filter(|w| w[0] == "from" || w[0] == "join").map(|w| w[1].as_str()).collect();
    spec::tables().iter().filter(|t| named.contains(t.name.as_str())).collect()
}
