//! Runs the checks: SQL returns candidates, `reflexe-fiche` folds and judges them, the cited rows give time, actor and
//! links, and judging repeats until what findings say of each other (suspects, hostile sessions) changes nothing.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_fiche::{
    Catalogue, Check, Signal,
    coverage::Coverage,
    judge::{self, Context, Outcome, Weighed},
};
use reflexe_model::{CoverageLevel, Finding, Verdict, Window};

use crate::{
    EngineError, Session, proof,
    session::{instant, literal},
};

mod candidates;
mod finding;
mod known;
mod places;

pub(crate) use candidates::Sight;
use candidates::all_candidates;
pub use candidates::columns;
use known::{Broken, Sets, ending, gaps, hostile_links, populations};
use places::Places;

/// What a run needs beside the session.
pub struct RunInput<'a> {
    /// Checks and signals.
    pub catalogue: &'a Catalogue,
    /// Period that the evidence must cover.
    pub window: Window,
    /// Whether a person asked for that period: acts that lie outside it are then left out, of every check alike. Otherwise all that
    /// the evidence holds is searched, whatever its date.
    pub narrowed: bool,
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
    /// Its query, or what it rests on, failed in whole or in part: it cannot say `ok`, and says why.
    pub error: Option<String>,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// All checks, by id.
    pub checks: Vec<CheckRun>,
    /// Links known to be hostile, `kind:value`.
    pub hostile: BTreeSet<String>,
    /// Links hostile for one account (lower case): the session, and a new address, of a deciding act.
    pub hostile_for: BTreeMap<String, BTreeSet<String>>,
    /// Holders of privileged roles (ids and names, lower case).
    pub privileged: BTreeSet<String>,
    /// What the evidence was found to cover.
    pub coverage: Coverage,
    /// Signals that failed, with the reason.
    pub broken: BTreeMap<String, String>,
}

/// Runs the checks of a catalogue over a session.
///
/// A signal or a check whose query fails does not stop the others: what rests on it is `unknown`, with the error.
///
/// # Errors
/// When coverage or cited rows cannot be read.
pub fn run(session: &Session, input: &RunInput<'_>) -> Result<RunResult, EngineError> {
    let mut coverage = session.coverage()?;
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
        let mut queries: Vec<String> = checks.iter().map(|c| c.sql.clone()).collect();
        // What takes from coverage does so whatever check runs.
        queries.extend(ending(session, input.catalogue).into_iter().map(|signal| format!("signal.{}", signal.name)));
        input.catalogue.signals_of(&queries.join("\n"))
    };
    let mut broken = Broken::default();
    broken.register(session, &signals, &window_params);
    coverage.gaps = gaps(session, &signals, &mut broken);
    let mut hostile = input.hostile.clone();
    hostile.extend(hostile_links(session, &signals, &mut broken));
    let in_use = |sign: &str| input.only.is_empty() || checks.iter().any(|c| c.def.signs.contains_key(sign));
    let sets = Sets::read(session, &in_use, &mut broken)?;

    let mut works = all_candidates(session, &checks, &broken, input.progress, &window_params);
    let cited = proof::gather(session, &mut works, input.narrowed.then_some(&window))?;

    // Suspects and hostile sessions come from findings, findings from suspects and sessions: repeat until nothing changes. Points
    // of built-in signs are never negative, so verdicts only rise and it ends.
    let by_person = judge::Suspicion { by: String::new(), period: None };
    let given: judge::Suspects = input.suspects.iter().map(|s| (s.to_lowercase(), [by_person.clone()].into())).collect();
    let populations = populations(session, input.catalogue, &mut broken);
    let mut places = Places::of(session)?;
    let (mut suspects, mut hostile_for) = (given.clone(), judge::Hostile::new());
    let (weighed, suspects, hostile_for) = loop {
        let ctx = Context {
            window: input.window,
            coverage: &coverage,
            hostile: &hostile,
            hostile_for: &hostile_for,
            suspects: &suspects,
            vips: &sets.vips,
            privileged: &sets.privileged,
            guests: &sets.guests,
            legitimate: &sets.legitimate,
            answered: &sets.answered,
            populations: &populations,
        };
        let weigh_all = |(check, seen): &(&Check, Result<Sight, EngineError>)| {
            seen.iter().flat_map(|s| &s.folded).map(|f| judge::weigh(&check.def, f, &ctx)).collect::<Vec<Weighed>>()
        };
        let weighed: Vec<Vec<Weighed>> = works.iter().map(weigh_all).collect();
        let deciding: Vec<&judge::Deciding> = weighed.iter().flatten().flat_map(|w| &w.deciding).collect();
        let mut accused = given.clone();
        deciding.iter().for_each(|d| d.accuse(&mut accused));
        let from = places.hostile(&deciding)?;
        if accused == suspects && from == hostile_for {
            break (weighed, suspects, hostile_for);
        }
        (suspects, hostile_for) = (accused, from);
    };
    let ctx = Context {
        window: input.window,
        coverage: &coverage,
        hostile: &hostile,
        hostile_for: &hostile_for,
        suspects: &suspects,
        vips: &sets.vips,
        privileged: &sets.privileged,
        guests: &sets.guests,
        legitimate: &sets.legitimate,
        answered: &sets.answered,
        populations: &populations,
    };
    let mut checks = Vec::new();
    for ((check, seen), weighed) in works.into_iter().zip(weighed) {
        let mut limits = broken.limits(&check.def);
        let folded = match seen {
            Ok(Sight { folded, left_out }) => {
                if left_out > 0 {
                    limits.push(format!("{left_out} row(s) without a subject were left out; the others were judged"));
                }
                folded
            }
            Err(error) => {
                limits.insert(0, error.to_string());
                Vec::new()
            }
        };
        let judged = judge::settle(&check.def, folded.into_iter().zip(weighed));
        let mut outcome = judge::conclude(&check.def, &judged, &ctx);
        if !limits.is_empty() {
            // What was found stands; that there is nothing else does not.
            outcome.verdict = if outcome.verdict >= Verdict::Weakness { outcome.verdict } else { Verdict::Unknown };
            outcome.coverage = outcome.coverage.min(CoverageLevel::Partial);
        }
        let error = (!limits.is_empty()).then(|| limits.join("; "));
        let examined = judged.len();
        let findings = finding::findings(check, judged, &cited, input.path_of);
        checks.push(CheckRun { id: check.def.id.clone(), outcome, examined, findings, error });
    }
    let hostile_for = hostile_for.into_iter().map(|(who, links)| (who, links.into_keys().collect())).collect();
    Ok(RunResult { checks, hostile, hostile_for, privileged: sets.privileged, coverage, broken: broken.signals })
}
