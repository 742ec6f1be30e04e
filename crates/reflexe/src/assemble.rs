//! From a case to its answer: opens a session for each tenant and runs the checks ([`judge`]), then puts what the parts and the
//! people say together ([`conclude`], pure).
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use reflexe_case::{Case, CaseTenant};
use reflexe_engine::{Inputs, Options, Rows, RunInput, Session, TenantFilter};
use reflexe_evidence::{obtain, spec};
use reflexe_fiche::{
    Catalogue,
    answers::Answers,
    axes::{self, Frame},
    conclude,
    coverage::Coverage,
    def::CheckDef,
    items, next,
    order::State,
    propose::{self, Proposal},
    severity::{self, advice},
    story,
    story::{ContextFact, StoryInputs},
    triage::{self, Marks},
};
use reflexe_model::{
    ActionResult, CaseInfo, CheckResult, Failure, Finding, Qualification, SCHEMA, Severity, TenantInfo, Text, Window,
};

use crate::{because, dates, judged::Judged, prepared::Prepared};

/// How to judge.
#[derive(Debug, Clone, Default)]
pub struct JudgeOptions {
    /// Start of the window.
    pub from: Option<Timestamp>,
    /// End of the window.
    pub to: Option<Timestamp>,
    /// Suspected start of the incident.
    pub since: Option<Timestamp>,
    /// What the engine may use.
    pub limits: Limits,
    /// What the organisation prepared.
    pub prepared: Prepared,
}

/// What the engine may use; as much as the machine offers where nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Threads.
    pub threads: Option<usize>,
    /// Memory that queries may hold before they spill, in bytes.
    pub memory: Option<usize>,
}

/// The answer for one tenant, with the sentence that opens it.
pub struct Answer {
    /// Everything.
    pub qualification: Qualification,
    /// The one sentence.
    pub sentence: Text,
    /// What the evidence and the preparation propose for the questions.
    pub proposals: BTreeMap<String, Proposal>,
    /// Axes of the people's answers, and why.
    pub answered: axes::Judged,
    /// What else the axes depend on.
    pub frame: Frame,
    /// Names of applications, by id.
    pub names: BTreeMap<String, String>,
}

/// What people said and prepared.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// Answers, marks, decisions.
    pub answers: Answers,
    /// A person concluded, or the time-box has ended.
    pub ended: bool,
    /// Minutes left in the time-box.
    pub minutes_left: Option<u32>,
    /// What the organisation prepared.
    pub prepared: Prepared,
}

/// Opens a session over a case, for one tenant or for everything.
///
/// # Errors
/// When the manifest or a table cannot be read.
pub fn session(case: &Case, tenant: Option<&CaseTenant>, limits: Limits, inputs: Inputs) -> Result<Session> {
    case.check_tables()?;
    let mut tables = BTreeMap::new();
    for table in spec::tables() {
        let files: Vec<PathBuf> = case.table_files(&table.name)?;
        // The engine reads a file that is gone as one without rows: what it held would look like nothing found.
        if let Some(gone) = files.iter().find(|f| !f.is_file()) {
            return Err(reflexe_engine::EngineError::Refused(Text::new(
                format!("il manque {} : ce qui y était ne serait pas vu. Reprenez-le d’une copie du cas ; « reflexe case verify » dit ce qui manque d’autre", gone.display()),
                format!("{} is missing: what it held would not be seen. Take it from a copy of the case; “reflexe case verify” tells what else is missing", gone.display()),
            ))
            .into());
        }
        tables.insert(table.name.clone(), Rows::Files(files));
    }
    let mut options = Options {
        superseded: case.superseded()?.into_iter().map(|id| id.0).collect(),
        tenant: tenant.map(|t| TenantFilter { id: t.id.clone(), evidence: t.evidence.iter().cloned().collect() }),
        inputs,
        unread: case.unrecognised()?.iter().any(|u| u.unread),
        ..Options::default()
    };
    if let Some(threads) = limits.threads {
        options.threads = threads;
    }
    if let Some(memory) = limits.memory {
        options.memory = memory;
    }
    Session::open(tables, &options).context("the tables of the case cannot be opened")
}

/// Judges every tenant of a case, each apart.
///
/// # Errors
/// When the case cannot be read, or the engine fails as a whole. A check that fails is `unknown` and says so.
pub fn judge(
    case: &Case,
    catalogue: &Catalogue,
    options: &JudgeOptions,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Judged>> {
    let tenancy = case.tenancy()?;
    let mut judged = tenancy.judged();
    if judged.is_empty() {
        // Nothing was imported: everything is unknown, and that is the answer.
        judged.push(CaseTenant { id: None, evidence: Vec::new(), domains: Vec::new() });
    }
    judged.iter().map(|tenant| one(case, catalogue, tenant, tenancy.others(tenant.id.as_deref()), options, progress)).collect()
}

fn one(
    case: &Case,
    catalogue: &Catalogue,
    tenant: &CaseTenant,
    other_tenants: Vec<String>,
    options: &JudgeOptions,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Judged> {
    let session = session(case, Some(tenant), options.limits, options.prepared.inputs())?;
    let period = session.period(case.last_import()?)?;
    let window = asked(period.window, options);
    let narrowed = options.from.is_some() || options.to.is_some();
    let mut evidence = case.evidence()?;
    let outside = match window.filter(|_| narrowed) {
        Some(window) => session.outside(&window)?,
        None => BTreeMap::new(),
    };
    let paths: BTreeMap<String, String> = evidence.iter().map(|e| (e.id.clone(), e.path.clone())).collect();
    let path_of = |id: &str| paths.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let run = reflexe_engine::run(
        &session,
        &RunInput {
            catalogue,
            // Without any event log no period is searched; needs over a window are then never covered.
            window: window.unwrap_or(Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::UNIX_EPOCH }),
            narrowed,
            only: &BTreeSet::new(),
            params: &BTreeMap::new(),
            suspects: BTreeSet::new(),
            hostile: BTreeSet::new(),
            path_of: &path_of,
            progress,
        },
    )?;
    let mut failures: Vec<Failure> =
        run.broken.iter().map(|(name, error)| Failure { what: format!("signal {name}"), error: error.clone() }).collect();
    let failed = |c: &reflexe_engine::CheckRun| c.error.clone().map(|error| Failure { what: c.id.clone(), error });
    failures.extend(run.checks.iter().filter_map(failed));
    // What only adds to the account never costs the answer.
    let mut spare = |what: &str, error: String| failures.push(Failure { what: format!("signal {what}"), error });
    let facts = if run.broken.contains_key("story_fact") {
        Vec::new()
    } else {
        session.story_facts(&path_of).unwrap_or_else(|error| {
            spare("story_fact", error.to_string());
            Vec::new()
        })
    };
    let names = if run.broken.contains_key("app_identity") {
        BTreeMap::new()
    } else {
        names(&session).unwrap_or_else(|error| {
            spare("app_identity", format!("{error:#}"));
            BTreeMap::new()
        })
    };
    let inputs = StoryInputs {
        privileged: run.privileged.clone(),
        vip: options.prepared.vips().iter().map(|v| v.to_lowercase()).collect(),
        hostile: run.hostile.clone(),
        hostile_for: run.hostile_for.clone(),
        names,
        context_facts: facts
            .into_iter()
            .map(|f| ContextFact {
                principal: f.principal,
                time: f.fact.time,
                text: f.fact.text,
                rows: f.fact.rows,
                links: f.links,
            })
            .collect(),
    };
    let mut domains: BTreeSet<String> = tenant.domains.iter().cloned().collect();
    domains.extend(session.own_domains.iter().map(|d| d.name.clone()));
    let domains: Vec<String> = domains.into_iter().collect();
    let shown = domains.first().cloned().or_else(|| tenant.id.clone());
    let title = case.title()?.or(shown).unwrap_or_else(|| case.dir().display().to_string());
    let case_info = CaseInfo {
        id: case.id()?,
        title,
        tenant: TenantInfo { id: tenant.id.clone(), domains },
        window,
        since: options.since,
        other_tenants,
        left_out: dates::by_table(&outside),
    };
    let of_tenant: BTreeSet<&String> = tenant.evidence.iter().collect();
    evidence.retain(|e| of_tenant.contains(&e.id));
    dates::tell(&session, &period, &outside, &mut evidence)?;
    let searched = case_info.window.unwrap_or(Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::UNIX_EPOCH });
    let checks = run.checks.iter().map(|c| check_result(catalogue, c, &run.coverage, &searched)).collect();
    let mut findings: Vec<Finding> = Vec::new();
    for check in run.checks {
        let def = catalogue.check(&check.id).map(|c| &c.def);
        for mut finding in check.findings {
            finding.missing = exports(def, finding.missing.iter());
            findings.push(finding);
        }
    }
    findings.sort_by(|a, b| {
        (b.verdict, b.decisive, b.weight, b.points)
            .cmp(&(a.verdict, a.decisive, a.weight, a.points))
            .then_with(|| (&a.check, &a.subject, &a.key, &a.id).cmp(&(&b.check, &b.subject, &b.key, &b.id)))
    });
    let accounts = session.strings("select cast(count(distinct id) as varchar) from entra_user where account_enabled")?;
    let accounts = accounts.first().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    Ok(Judged { case: case_info, evidence, unrecognised: case.unrecognised()?, checks, failures, findings, inputs, accounts })
}

/// Names of applications by id, lower case. Of several the first in order: the answer must not depend on the order of rows.
fn names(session: &Session) -> Result<BTreeMap<String, String>> {
    let rows = session
        .strings("select distinct app || chr(31) || name from signal.app_identity where app is not null and name is not null")?;
    let mut pairs: Vec<(String, String)> =
        rows.iter().filter_map(|r| r.split_once('\u{1f}')).map(|(id, name)| (id.to_lowercase(), name.to_owned())).collect();
    pairs.sort();
    pairs.reverse();
    Ok(pairs.into_iter().collect())
}

/// The period that a person asked for, else the one that the evidence holds.
fn asked(found: Option<Window>, options: &JudgeOptions) -> Option<Window> {
    let from = options.from.or_else(|| found.map(|w| w.from))?;
    let to = options.to.or_else(|| found.map(|w| w.to))?;
    Some(Window { from, to })
}

/// Stories, actions, axes, severity and next steps, out of what the checks found and what people said. Pure.
pub fn conclude(catalogue: &Catalogue, judged: &Judged, people: &People) -> Answer {
    let inputs = &judged.inputs;
    let mut findings = judged.findings.clone();
    let mut marks = Marks::of(&people.answers);
    people.prepared.dismiss(&findings, &mut marks);
    triage::apply(&mut findings, &marks);
    let checks = judged.checks.clone();
    let items = items::results(catalogue, &checks, &people.answers);
    let stories = story::build(&findings, inputs, story::Stages::embedded());
    let rules = conclude::Rules::embedded();
    let actions: Vec<conclude::ActionInput> = catalogue
        .actions
        .iter()
        .map(|a| conclude::ActionInput {
            id: a.id.clone(),
            title: a.title.clone(),
            types: a.types.clone(),
            items: a.items.clone(),
            required: a.required.clone(),
        })
        .collect();
    let mut actions: Vec<ActionResult> = conclude::actions_marked(&actions, &findings, &checks, &stories, inputs, rules, &marks);
    people.answers.fill(&mut actions);
    let compromised = axes::compromised_accounts(&findings, &stories, inputs);
    let frame = Frame { ended: people.ended, many_accounts: people.prepared.many_accounts(judged.accounts) };
    let keep = people.answers.keeps_perimeter();
    let proposed_axes = axes::combined(&people.answers, &actions, compromised.len(), &frame).axes;
    let proposed = severity::severity_with(&proposed_axes, keep);
    let answered_axes = axes::answered(&people.answers, &frame);
    let answered = severity::severity_with(&answered_axes.axes, keep);
    let exports = next::exports(&checks, &items, &obtain_infos());
    let sentence = severity::sentence(&proposed, &actions, &findings, compromised.len(), rules);
    let mut qualification = Qualification {
        schema: SCHEMA.to_owned(),
        case: judged.case.clone(),
        evidence: judged.evidence.clone(),
        unrecognised: judged.unrecognised.clone(),
        items,
        checks,
        failures: judged.failures.clone(),
        findings,
        stories,
        actions,
        axes: proposed_axes,
        severity: Severity { proposed, answered, overridden: advice::retained(&people.answers) },
        next_question: None,
        next_export: exports.first().cloned(),
        exports,
    };
    let mut facts = propose::Facts { compromised, vip: inputs.vip.clone(), counts: BTreeMap::new(), prepared: Vec::new() };
    // What was prepared is proposed where no finding proposes anything.
    let found = propose::proposals(&catalogue.questions, &qualification, &people.answers, &facts).into_keys().collect();
    facts.prepared = people.prepared.prefill(&inputs.privileged, &found);
    let proposals = propose::proposals(&catalogue.questions, &qualification, &people.answers, &facts);
    let state = State {
        questions: &catalogue.questions,
        qualification: &qualification,
        answers: &people.answers,
        proposals: &proposals,
        frame,
        minutes_left: people.minutes_left,
    };
    let next_question = state.next().map(|ranked| ranked.question);
    qualification.next_question = next_question;
    Answer { qualification, sentence, proposals, answered: answered_axes, frame, names: inputs.names.clone() }
}

fn check_result(catalogue: &Catalogue, run: &reflexe_engine::CheckRun, coverage: &Coverage, window: &Window) -> CheckResult {
    let def = catalogue.check(&run.id).map(|c| &c.def);
    CheckResult {
        id: run.id.clone(),
        question: def.map(|d| d.question.clone()).unwrap_or_default(),
        verdict: run.outcome.verdict,
        coverage: run.outcome.coverage,
        missing: exports(def, run.outcome.missing.iter()),
        missing_tables: run.outcome.missing.iter().cloned().collect(),
        reasons: [run.outcome.reasons.clone(), because::of(def, run.outcome.missing.iter(), coverage, window)].concat(),
        findings: run.findings.len(),
        examined: run.examined,
        error: run.error.clone(),
    }
}

/// The exports that bring the tables which a check lacks.
fn exports<'t>(def: Option<&CheckDef>, tables: impl Iterator<Item = &'t String>) -> Vec<String> {
    let export = |table: &String| {
        let need = def.and_then(|d| d.needs.get(table).or_else(|| d.better_with.get(table)));
        let operation = need.and_then(|n| n.operations.first()).map(String::as_str);
        obtain::for_need(table, operation).map(|found| found.id.clone())
    };
    tables.filter_map(export).collect::<BTreeSet<_>>().into_iter().collect()
}

fn obtain_infos() -> Vec<next::ObtainInfo> {
    obtain::all()
        .iter()
        .map(|o| next::ObtainInfo { id: o.id.clone(), title: o.title.clone(), minutes: o.minutes, tables: o.tables.clone() })
        .collect()
}
