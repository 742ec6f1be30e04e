//! Runs the checks: SQL returns candidates, `reflexe-fiche` folds and judges them, the cited rows give time, actor and
//! links, and judging repeats until what findings say of each other (suspects) changes nothing.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use arrow::{datatypes::DataType, record_batch::RecordBatch};
use reflexe_fiche::{
    Catalogue, Check, Signal,
    judge::{self, Candidate, Context, Folded, Folding, Judged, Outcome},
    say,
    value::Value,
};
use reflexe_model::{Finding, Link, SignShown, Verdict, Window};
use sha2::{Digest, Sha256};

use crate::{
    EngineError, Session,
    rows::{self, Cited},
    session::{bind, instant, literal},
};

/// Rows shown with a finding.
const SHOWN_ROWS: usize = 100;
/// Rows kept per finding: half from the start, half from the end.
const KEPT_ROWS: usize = 1000;

/// What a run needs beside the session.
pub struct RunInput<'a> {
    /// Checks and signals.
    pub catalogue: &'a Catalogue,
    /// Period that is searched.
    pub window: Window,
    /// Only these checks; all when empty.
    pub only: &'a BTreeSet<String>,
    /// Values of parameters that replace those of the checks.
    pub params: &'a BTreeMap<String, toml::Value>,
    /// Suspects known beforehand (given by people, or by a case).
    pub suspects: BTreeSet<String>,
    /// Hostile links known beforehand, `kind:value`.
    pub hostile: BTreeSet<String>,
    /// Path of an evidence file, as it was given.
    pub path_of: &'a dyn Fn(&str) -> String,
    /// Called before each check with its id, from any thread.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// The result of one check.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// Its id.
    pub id: String,
    /// Verdict, coverage, missing needs.
    pub outcome: Outcome,
    /// Things looked at.
    pub examined: usize,
    /// Findings that are not `ok`, worst first.
    pub findings: Vec<Finding>,
    /// Its query failed: the check is `unknown` and says so.
    pub error: Option<String>,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// All checks, by id.
    pub checks: Vec<CheckRun>,
    /// Links known to be hostile, `kind:value`.
    pub hostile: BTreeSet<String>,
    /// Holders of privileged roles (ids and names, lower case).
    pub privileged: BTreeSet<String>,
}

/// Runs the checks of a catalogue over a session.
///
/// A check whose query fails does not stop the others: it is `unknown`, with the error.
///
/// # Errors
/// When signals, coverage or cited rows cannot be read.
pub fn run(session: &Session, input: &RunInput<'_>) -> Result<RunResult, EngineError> {
    let coverage = session.coverage()?;
    let (window, given) = (input.window, input.params);
    let window_params = |name: &str| match name {
        "window_from" => Some(instant(window.from)),
        "window_to" => Some(instant(window.to)),
        _ => given.get(name).and_then(literal),
    };
    let checks: Vec<&Check> =
        input.catalogue.checks.iter().filter(|c| input.only.is_empty() || input.only.contains(&c.def.id)).collect();
    // A run of a few checks registers only what they read; a whole run everything, hostile context and story facts included.
    let signals: Vec<&Signal> = if input.only.is_empty() {
        input.catalogue.signals.iter().collect()
    } else {
        let queries: Vec<&str> = checks.iter().map(|c| c.sql.as_str()).collect();
        input.catalogue.signals_of(&queries.join("\n"))
    };
    session.register_signals(&signals, &window_params)?;
    let mut hostile = input.hostile.clone();
    hostile.extend(hostile_links(session, &signals)?);
    let sets = Sets::read(session, &|sign| input.only.is_empty() || checks.iter().any(|c| c.def.signs.contains_key(sign)))?;

    let mut works = all_candidates(session, &checks, input.progress, &window_params);
    let ids: BTreeSet<i64> =
        works.iter().filter_map(|(_, f)| f.as_ref().ok()).flatten().flat_map(|f| f.rows.iter().copied()).collect();
    let cited = session.cited(&ids)?;
    for (check, folded) in &mut works {
        for f in folded.as_mut().into_iter().flatten() {
            complete(f, check, &cited);
        }
    }

    // Suspects come from findings, findings from suspects: repeat until nothing changes. Points of built-in signs are
    // never negative, so verdicts only rise and it ends.
    let by_person = judge::Suspicion { by: String::new(), period: None };
    let given: judge::Suspects = input.suspects.iter().map(|s| (s.to_lowercase(), [by_person.clone()].into())).collect();
    let mut suspects = given.clone();
    let populations = populations(session, input.catalogue)?;
    let (judged, context_suspects) = loop {
        let ctx = Context {
            window: input.window,
            coverage: &coverage,
            hostile: &hostile,
            suspects: &suspects,
            vips: &sets.vips,
            privileged: &sets.privileged,
            guests: &sets.guests,
            legitimate: &sets.legitimate,
            answered: &sets.answered,
            populations: &populations,
        };
        let judged: Vec<Vec<Judged>> = works
            .iter()
            .map(|(check, folded)| match folded {
                Ok(folded) => folded.iter().map(|f| judge::judge(&check.def, f.clone(), &ctx)).collect(),
                Err(_) => Vec::new(),
            })
            .collect();
        let next = suspects_of(&works, &judged, &given);
        if next == suspects {
            break (judged, next);
        }
        suspects = next;
    };
    let ctx = Context {
        window: input.window,
        coverage: &coverage,
        hostile: &hostile,
        suspects: &context_suspects,
        vips: &sets.vips,
        privileged: &sets.privileged,
        guests: &sets.guests,
        legitimate: &sets.legitimate,
        answered: &sets.answered,
        populations: &populations,
    };
    let mut checks = Vec::new();
    for ((check, folded), judged) in works.into_iter().zip(judged) {
        let mut outcome = judge::conclude(&check.def, &judged, &ctx);
        let error = folded.err().map(|e| e.to_string());
        if error.is_some() {
            outcome.verdict = Verdict::Unknown;
        }
        let examined = judged.len();
        let mut findings: Vec<Finding> =
            judged.iter().filter(|j| j.verdict != Verdict::Ok).map(|j| finding(check, j, &cited, input.path_of)).collect();
        findings.sort_by(|a, b| {
            (b.verdict, b.weight, b.points)
                .cmp(&(a.verdict, a.weight, a.points))
                .then_with(|| (&a.subject, &a.key, &a.id).cmp(&(&b.subject, &b.key, &b.id)))
        });
        checks.push(CheckRun { id: check.def.id.clone(), outcome, examined, findings, error });
    }
    Ok(RunResult { checks, hostile, privileged: sets.privileged })
}

/// Lists about principals that built-in signs look at.
struct Sets {
    vips: BTreeSet<String>,
    privileged: BTreeSet<String>,
    guests: BTreeSet<String>,
    legitimate: BTreeMap<String, String>,
    answered: BTreeSet<String>,
}

impl Sets {
    /// Reads the lists that the built-in signs in use look at.
    fn read(session: &Session, in_use: &dyn Fn(&str) -> bool) -> Result<Self, EngineError> {
        let set = |sign: &str, sql: &str| {
            if in_use(sign) {
                Ok::<_, EngineError>(session.strings(sql)?.into_iter().collect::<BTreeSet<_>>())
            } else {
                Ok(BTreeSet::new())
            }
        };
        let legitimate =
            rows::all(&session.sql("select lower(object) as object, who from input.legit where object is not null")?)
                .into_iter()
                .filter_map(|row| {
                    let text = |c: &str| row.get(c).and_then(|v| v.first()).and_then(Value::as_text).map(str::to_owned);
                    Some((text("object")?, text("who").unwrap_or_default()))
                })
                .collect();
        Ok(Self {
            vips: set("subject_is_vip", "select distinct lower(principal) from input.vip where principal is not null")?,
            privileged: set(
                "subject_is_privileged",
                "with holder as (
                   select a.principal_id, a.principal_upn from role_assignment a join ref.role r on r.template_id = a.role_template_id
                   where r.privileged and coalesce(a.principal_type, 'user') <> 'group'
                   union all
                   select m.member_id, m.member_upn from role_assignment a join ref.role r on r.template_id = a.role_template_id
                   join group_member m on m.group_id = a.principal_id where r.privileged
                 )
                 select lower(principal_id) from holder where principal_id is not null
                 union select lower(principal_upn) from holder where principal_upn is not null
                 union select lower(u.user_principal_name) from entra_user u join holder h on h.principal_id = u.id
                   where u.user_principal_name is not null",
            )?,
            guests: set("subject_is_guest", "select distinct lower(user_principal_name) from entra_user where user_type = 'Guest' and user_principal_name is not null")?,
            legitimate,
            answered: session.strings("select distinct question from input.answer where question is not null")?.into_iter().collect(),
        })
    }
}

/// Links that signals declare hostile.
fn hostile_links(session: &Session, signals: &[&Signal]) -> Result<BTreeSet<String>, EngineError> {
    let mut out = BTreeSet::new();
    for signal in signals {
        for (kind, column) in &signal.def.hostile {
            let sql = format!(
                "select distinct lower(cast({column} as varchar)) from signal.{} where {column} is not null",
                signal.name
            );
            out.extend(session.strings(&sql)?.into_iter().filter(|v| !v.is_empty()).map(|v| format!("{kind}:{v}")));
        }
    }
    Ok(out)
}

/// Members of the populations over which needs are counted (`per = "table.column"`).
fn populations(session: &Session, catalogue: &Catalogue) -> Result<BTreeMap<String, BTreeSet<String>>, EngineError> {
    let mut out = BTreeMap::new();
    let all = catalogue.checks.iter().flat_map(|c| c.def.needs.values().chain(c.def.better_with.values()));
    for per in all.filter_map(|n| n.per.as_ref()) {
        if let Some((table, column)) = per.split_once('.')
            && !out.contains_key(per)
        {
            let sql = format!("select distinct {column} from {table} where {column} is not null");
            out.insert(per.clone(), session.strings(&sql)?.into_iter().collect());
        }
    }
    Ok(out)
}

/// Runs the queries of all checks, as many at a time as there are processors: planning a query is serial work.
fn all_candidates<'a>(
    session: &Session,
    checks: &[&'a Check],
    progress: &(dyn Fn(&str) + Sync),
    params: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Vec<(&'a Check, Result<Vec<Folded>, EngineError>)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(check) = checks.get(at) else { return done };
            progress(&check.def.id);
            done.push((at, candidates(session, check, params)));
        }
    };
    let mut done: Vec<(usize, Result<Vec<Folded>, EngineError>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..session.threads.max(1)).map(|_| scope.spawn(work)).collect();
        // A worker that panicked takes its checks with it: the run must not pretend they were looked at.
        workers.into_iter().flat_map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().filter_map(|(at, folded)| Some((*checks.get(at)?, folded))).collect()
}

/// Runs `check.sql` and folds its rows.
fn candidates(session: &Session, check: &Check, params: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Folded>, EngineError> {
    let value = |name: &str| params(name).or_else(|| check.def.params.get(name).and_then(|p| literal(&p.value)));
    let sql =
        bind(&check.sql, &value).map_err(|name| EngineError::Parameter { name, place: format!("{}/check.sql", check.folder) })?;
    let mut out = Folding::of(&check.def);
    session.each(&sql, |batch| read_batch(check, batch, &mut out))?;
    Ok(out.done())
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

fn read_batch(check: &Check, batch: &RecordBatch, out: &mut Folding<'_>) -> Result<(), EngineError> {
    let schema = batch.schema();
    let wrong = |message: String| EngineError::Contract { check: check.def.id.clone(), message };
    for must in ["subject", "rows"] {
        if schema.index_of(must).is_err() {
            return Err(wrong(format!("check.sql returns no column {must}")));
        }
    }
    for i in 0..batch.num_rows() {
        let mut c = Candidate::default();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let values = rows::values(column, i);
            let text = || values.first().map(shown).unwrap_or_default();
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
                name => {
                    c.values.insert(name.to_owned(), values);
                }
            }
        }
        if c.subject.is_empty() {
            return Err(wrong("a row has no subject".into()));
        }
        out.add(c);
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(t) => t.clone(),
        Value::Int(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

/// Fills in what the cited rows know: time, actor, count, links. Keeps a bounded number of rows.
fn complete(f: &mut Folded, check: &Check, cited: &BTreeMap<i64, Cited>) {
    let facts: Vec<&Cited> = f.rows.iter().filter_map(|id| cited.get(id)).collect();
    let times: BTreeSet<_> = facts.iter().filter_map(|c| c.time).collect();
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        f.values.entry("first_seen".into()).or_insert_with(|| [Value::Time(*first)].into());
        f.values.entry("last_seen".into()).or_insert_with(|| [Value::Time(*last)].into());
    }
    if !f.values.contains_key("actor") {
        let actors: BTreeSet<Value> =
            facts.iter().filter_map(|c| c.actor.as_deref()).map(|a| Value::Text(a.to_owned())).collect();
        if !actors.is_empty() {
            f.values.insert("actor".into(), actors);
        }
    }
    let count = i64::try_from(f.rows.len()).unwrap_or(i64::MAX);
    f.values.entry("count".into()).or_insert_with(|| [Value::Int(count)].into());
    f.links.extend(facts.iter().flat_map(|c| c.links()));
    for (kind, column) in &check.def.links {
        for value in f.values.get(column).into_iter().flatten() {
            f.links.insert(Link { kind: kind.clone(), value: shown(value).to_lowercase() });
        }
    }
    if f.rows.len() > KEPT_ROWS {
        let mut ordered: Vec<i64> = f.rows.iter().copied().collect();
        ordered.sort_by_key(|id| cited.get(id).map(|c| (c.time, c.record_id.clone(), *id)));
        let tail = ordered.split_off(ordered.len() - KEPT_ROWS / 2);
        f.rows = ordered.into_iter().take(KEPT_ROWS / 2).chain(tail).collect();
    }
}

/// Principals whom a decisive compromise makes suspect, each with the period in which his acts are.
fn suspects_of<T>(works: &[(&Check, T)], judged: &[Vec<Judged>], given: &judge::Suspects) -> judge::Suspects {
    let mut out = given.clone();
    for ((check, _), judged) in works.iter().zip(judged) {
        for j in judged.iter().filter(|j| j.verdict == Verdict::Compromise && j.decisive) {
            let Some(first) = j.folded.first_seen() else { continue };
            let period = judge::suspect_period(first, j.folded.last_seen().unwrap_or(first));
            let reason = judge::Suspicion { by: judge::identity(&check.def, &j.folded), period: Some(period) };
            let actors = j.folded.values.get("actor").into_iter().flatten().filter_map(Value::as_text);
            // Settings and applications do not act.
            for who in actors.chain([j.folded.subject.as_str()]).filter(|w| w.contains('@')) {
                out.entry(who.to_lowercase()).or_default().insert(reason.clone());
            }
        }
    }
    out
}

/// A finding as it goes out.
fn finding(check: &Check, j: &Judged, cited: &BTreeMap<i64, Cited>, path_of: &dyn Fn(&str) -> String) -> Finding {
    let f = &j.folded;
    let mut proof: Vec<(&i64, &Cited)> = f.rows.iter().filter_map(|id| Some((id, cited.get(id)?))).collect();
    proof.sort_by(|(ia, a), (ib, b)| (a.time, &a.record_id, ia).cmp(&(b.time, &b.record_id, ib)));
    let total = f.values.get("count").and_then(|v| v.first()).and_then(Value::as_int).unwrap_or(0);
    let signs =
        j.on.iter()
            .filter_map(|name| {
                let text = say::sign_text(&check.def, j, name)?;
                Some(SignShown { name: name.clone(), text, points: check.def.signs.get(name).and_then(|s| s.points) })
            })
            .collect();
    Finding {
        id: finding_id(&check.def.id, &f.subject, &f.key, &f.say),
        check: check.def.id.clone(),
        items: check.def.items.clone(),
        verdict: j.verdict,
        decisive: j.decisive,
        weight: j.weight,
        stage: check.def.stage.clone(),
        subject: f.subject.to_lowercase(),
        key: f.key.clone(),
        actor: f.actor().map(str::to_lowercase),
        first_seen: f.first_seen(),
        last_seen: f.last_seen(),
        count: u64::try_from(total).unwrap_or(0),
        text: say::sentence(&check.def, j),
        attack: check.def.attack.clone(),
        signs,
        points: j.points,
        could_be: j.could_be,
        missing: j.missing.iter().cloned().collect(),
        links: f.links.iter().cloned().collect(),
        in_context: j.in_context,
        class: check.def.class.as_str().to_owned(),
        also_suspects: check.def.also_suspects.clone(),
        fingerprint: fingerprint(j, &proof),
        rows_total: f.rows.len() as u64,
        rows: proof.into_iter().take(SHOWN_ROWS).map(|(_, c)| c.shown(path_of)).collect(),
    }
}

/// What a finding stands on: verdict, signs, and each record once, whichever export it came in.
fn fingerprint(j: &Judged, proof: &[(&i64, &Cited)]) -> String {
    let record = |c: &Cited| {
        c.record_id.as_deref().map(str::to_owned).unwrap_or_else(|| format!("{} {} {}", c.table, c.evidence_id, c.locator))
    };
    let records: BTreeSet<String> = proof.iter().map(|(_, c)| record(c)).collect();
    let signs: BTreeSet<&str> = j.on.iter().map(String::as_str).collect();
    let verdict = j.verdict.as_str();
    short_hash(std::iter::once(verdict).chain(signs).chain(records.iter().map(String::as_str)))
}

/// The stable id of a finding.
pub fn finding_id(check: &str, subject: &str, key: &str, say: &str) -> String {
    short_hash([check, &subject.to_lowercase(), &key.to_lowercase(), say])
}

/// Twelve hexadecimal digits over parts, each ended by a zero.
fn short_hash<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect()
}
