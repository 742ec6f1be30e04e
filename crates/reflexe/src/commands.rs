//! What each command does: calls the parts in order and prints what they say.
use std::{
    collections::BTreeMap,
    fs,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use reflexe_case::{
    Case, Declaration, FileOutcome, ImportOptions, ImportReport,
    journal::{Journal, when::default_zone},
};
use reflexe_fiche::{Catalogue, response::Response};
use reflexe_model::{Lang, SCHEMA_SEVERAL, Window};

use crate::{
    ask,
    assemble::{self, Answer, JudgeOptions, Limits},
    cases, casework, catalogues, check,
    cli::{CaseAction, Cli, Command, ImportArgs, JudgeArgs, QueryFormat},
    desk::{self, Desk},
    files, journal,
    judged::{self, Judged},
    original, prepare,
    prepared::{self, Prepared},
    progress::Bar,
    respond, row, severity, triage,
};

/// Files named on the terminal among those that an import did not reach; the case and the report name all.
const NOT_READ: usize = 10;
/// Rows of a finding that are kept.
const ROWS: usize = 100;

/// Runs a command.
///
/// # Errors
/// When it fails as a whole; what is wrong with a single file is reported and decides the exit code.
pub fn run(cli: Cli, lang: Lang) -> Result<ExitCode> {
    let desk = |dir: &Path| Desk::open(dir, cli.me.as_deref(), lang);
    match cli.command {
        Command::Qualify { evidence, case, import, judge } => qualify(&evidence, &case.case, &import, &judge, lang, cli.json),
        Command::Import { paths, case, import } => {
            let mut open = open_case(&case.case, lang)?;
            let report = import_into(&mut open, &paths, &import, lang)?;
            show(&open, lang, cli.json)?;
            Ok(code(&report))
        }
        Command::Check { ids, again, case, judge } => {
            let open = existing(&case.case, lang)?;
            check::run(&open, &ids, &judge_options(&open, &judge, lang)?, again, lang, cli.json)
        }
        Command::Row { locators, case } => row::run(&case.case, &locators, lang, cli.json),
        Command::Report { case, out, judge } => {
            let open = existing(&case.case, lang)?;
            let catalogue = Catalogue::load()?;
            let out = out.unwrap_or_else(|| open.reports_dir());
            let whole = answer(&open, &catalogue, &judge, &out, lang, cli.json)?;
            Ok(ExitCode::from(u8::from(!whole)))
        }
        Command::Case { action } => {
            match action {
                CaseAction::New { dir, title } => {
                    let mut case = Case::create(&dir)?;
                    if let Some(title) = title {
                        case.set_title(&title)?;
                    }
                    outln!("{}", dir.display());
                }
                CaseAction::Show { dir } => {
                    show(&existing(&dir, lang)?, lang, cli.json)?;
                }
                CaseAction::Verify { dir } => return casework::verify(&dir, lang, cli.json),
                CaseAction::Merge { dir, other } => return casework::merge(&dir, &other, lang),
                CaseAction::Pack { dir, out } => return casework::pack(&dir, &out, lang),
                CaseAction::Unpack { bundle, dir } => return casework::unpack(&bundle, &dir, lang),
                CaseAction::People { dir, add, role, organisation, phone } => {
                    let person = add.map(|name| reflexe_model::Person {
                        name,
                        role: role.unwrap_or_default(),
                        organisation: organisation.unwrap_or_default(),
                        phone: phone.unwrap_or_default(),
                    });
                    return casework::people(&mut desk(&dir)?, person, cli.json);
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Journal { case, action } => journal::run(&mut desk(&case.case)?, action, cli.json),
        Command::Ask { extend, pause, resume, case, judge } => {
            let time = ask::Time { extend, pause, resume };
            ask::interview(&mut desk(&case.case)?, time, &judge)
        }
        Command::Answer { question, value, confidence, dont_know, not_applicable, because, case, judge } => {
            let given = ask::Given { value, confidence, dont_know, not_applicable, because };
            ask::answer(&mut desk(&case.case)?, question, given, &judge, cli.json)
        }
        Command::Triage { finding, mark, because, case, judge } => {
            let said = finding.zip(mark).map(|(what, mark)| triage::Said { what, mark, because });
            triage::run(&mut desk(&case.case)?, said, &judge, cli.json)
        }
        Command::Severity { retain, release, keep_perimeter, because, countersigned, case, judge } => {
            let decided = severity::Decided { retain, release, keep_perimeter, because, countersigned };
            severity::run(&mut desk(&case.case)?, decided, &judge, cli.json)
        }
        Command::Steps { step, status, target, owner, due, effect, case, judge } => {
            let said = respond::Said { step, status, target, owner, due, effect };
            respond::steps(&mut desk(&case.case)?, said, &judge, cli.json)
        }
        Command::Clocks { action, case, judge } => respond::clocks(&mut desk(&case.case)?, action, &judge, cli.json),
        Command::Contacts { case } => respond::contacts(&case.case, lang, cli.json),
        Command::Prepare { action } => prepare::run(action, lang, cli.json),
        Command::Glossary { word } => prepare::glossary(word.as_deref(), lang, cli.json),
        Command::Attacks { word } => prepare::attacks(word.as_deref(), lang, cli.json),
        Command::Query { sql, case, format, memory } => {
            let open = existing(&case.case, lang)?;
            let session =
                assemble::session(&open, None, Limits { memory, ..Limits::default() }, reflexe_engine::Inputs::default())?;
            let format = match format {
                _ if cli.json => reflexe_engine::query::Format::Json,
                QueryFormat::Table => reflexe_engine::query::Format::Table,
                QueryFormat::Csv => reflexe_engine::query::Format::Csv,
                QueryFormat::Json => reflexe_engine::query::Format::Json,
            };
            let mut out = std::io::BufWriter::new(crate::out::Out);
            reflexe_engine::query::print(&session, &sql, format, &mut out)?;
            out.flush()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Tables { name } => catalogues::tables(name.as_deref(), lang, cli.json).map(|()| ExitCode::SUCCESS),
        Command::Checks => catalogues::checks(lang, cli.json).map(|()| ExitCode::SUCCESS),
        Command::Items => catalogues::items(lang, cli.json).map(|()| ExitCode::SUCCESS),
        Command::Sources => catalogues::sources(lang, cli.json).map(|()| ExitCode::SUCCESS),
        Command::Cases { starts, fiche } => cases::run(fiche, &starts, lang),
        Command::Simulate { scenario, out, seed, users, days, events, ual_only } => {
            let parts = if ual_only { reflexe_simulate::Parts::UalOnly } else { reflexe_simulate::Parts::All };
            simulate(
                scenario,
                out,
                |name| reflexe_simulate::Options { users, days, events, seed, parts, ..reflexe_simulate::Options::new(name) },
                lang,
            )
        }
        Command::Demo { out, no_open } => demo(&out, no_open, lang, cli.json),
    }
}

fn qualify(evidence: &[PathBuf], dir: &Path, import: &ImportArgs, judge: &JudgeArgs, lang: Lang, json: bool) -> Result<ExitCode> {
    let mut case = open_case(dir, lang)?;
    let report = import_into(&mut case, evidence, import, lang)?;
    let catalogue = Catalogue::load()?;
    let reports = case.reports_dir();
    let whole = answer(&case, &catalogue, judge, &reports, lang, json)?;
    Ok(if report.is_complete() { ExitCode::from(u8::from(!whole)) } else { code(&report) })
}

/// Tells what a case holds.
fn show(case: &Case, lang: Lang, json: bool) -> Result<()> {
    let (evidence, unrecognised) = (case.evidence()?, case.unrecognised()?);
    if json {
        return crate::out::json(&serde_json::json!({ "evidence": evidence, "unrecognised": unrecognised }));
    }
    out!("{}", reflexe_report::evidence_text(&evidence, &unrecognised, lang));
    Ok(())
}

fn open_case(dir: &Path, lang: Lang) -> Result<Case> {
    let case = Case::open_or_create(dir)?;
    if case.was_created() {
        match lang {
            Lang::Fr => errln!("Cas créé : {}", dir.display()),
            Lang::En => errln!("Case created: {}", dir.display()),
        }
    } else {
        tell_doubts(&case, lang)?;
    }
    Ok(case)
}

/// Opens a case to be read, and tells what is not as it was written.
///
/// # Errors
/// When the folder is no case, or cannot be read.
pub fn existing(dir: &Path, lang: Lang) -> Result<Case> {
    let case = Case::open_for_reading(dir)?;
    tell_doubts(&case, lang)?;
    if let Some(text) = reflexe_report::rests_on(&case.evidence()?, &case.unrecognised()?, lang) {
        errln!("⚠ {text}");
    }
    Ok(case)
}

/// Tells what of a case is not as it was written: nobody works on in ignorance of it.
///
/// # Errors
/// When the manifest cannot be read.
pub fn tell_doubts(case: &Case, lang: Lang) -> Result<()> {
    for doubt in case.doubts()? {
        errln!("⚠ {}", doubt.get(lang));
    }
    Ok(())
}

fn import_into(case: &mut Case, paths: &[PathBuf], args: &ImportArgs, lang: Lang) -> Result<ImportReport> {
    let bar = Bar::new(lang);
    let mut options = ImportOptions {
        in_place: args.in_place,
        progress: &bar,
        declared_unfiltered: declaration(args),
        ..ImportOptions::default()
    };
    if let Some(threads) = args.threads {
        options.threads = threads.max(1);
    }
    let report = reflexe_case::import(case, paths, &options)?;
    bar.finish();
    for file in &report.files {
        if let FileOutcome::Failed { reason } = &file.outcome {
            errln!("{}: {}", reflexe_fiche::say::clean(&file.path), reason.get(lang));
        }
    }
    if let Some(stopped) = &report.stopped {
        errln!("{}", stopped.get(lang));
        let n = report.not_tried.len();
        match lang {
            Lang::Fr => errln!("Fichiers qui n’ont pas été lus : {n}."),
            Lang::En => errln!("Files that were not read: {n}."),
        }
        for file in report.not_tried.iter().take(NOT_READ) {
            errln!("  {}", reflexe_fiche::say::clean(file));
        }
        if n > NOT_READ {
            errln!("  …");
        }
    }
    Ok(report)
}

/// What the person declares of these exports.
fn declaration(args: &ImportArgs) -> Option<Declaration> {
    let period = match (args.period_from, args.period_to) {
        (None, None) => None,
        // An end that was not given changes nothing: the wider of what was seen and asked for holds.
        (from, to) => Some(Window { from: from.unwrap_or(Timestamp::MAX), to: to.unwrap_or(Timestamp::MIN) }),
    };
    args.unfiltered.as_ref().map(|who| Declaration { who: who.clone(), period })
}

fn code(report: &ImportReport) -> ExitCode {
    // An import that stopped has failed, whatever was read before.
    ExitCode::from(if report.stopped.is_some() { 3 } else { u8::from(!report.is_complete()) })
}

/// What the machine found out about each tenant: kept from the last time, or judged now and kept.
///
/// # Errors
/// When the case cannot be judged.
pub fn judged(case: &Case, catalogue: &Catalogue, options: &JudgeOptions, lang: Lang) -> Result<Vec<Judged>> {
    if let Some(kept) = judged::kept(case, &key(case, options)?, lang)? {
        return Ok(kept);
    }
    judged_anew(case, catalogue, options, lang)
}

fn key(case: &Case, options: &JudgeOptions) -> Result<String> {
    let said = serde_json::to_string(&(options.from, options.to, options.since, options.prepared.fingerprint()))?;
    judged::key(case, &said)
}

/// Runs the checks, and keeps what they found.
///
/// # Errors
/// When the case cannot be judged.
pub fn judged_anew(case: &Case, catalogue: &Catalogue, options: &JudgeOptions, lang: Lang) -> Result<Vec<Judged>> {
    let bar = Bar::new(lang);
    let mut tenants = judged_and_sealed(case, || assemble::judge(case, catalogue, options, &|id| bar.check(id)), lang)?;
    bar.finish();
    tenants.iter_mut().for_each(|t| t.findings.iter_mut().for_each(|f| f.rows.truncate(ROWS)));
    let kept = judged::text(&key(case, options)?, &tenants)?;
    tell(files::own(case.dir(), &[(case.dir().join(judged::FILE), kept)]), lang);
    Ok(tenants)
}

/// Tells what could not be written. A case that cannot be written (a read-only disk) is still judged.
fn tell(result: Result<()>, lang: Lang) {
    if let Err(error) = result {
        errln!("{}", crate::locale::error(&error, lang));
    }
}

/// What the organisation prepared: the pack given now, copied into the case, else the one that the case holds.
///
/// # Errors
/// When a file cannot be read or copied.
pub fn prepared(dir: &Path, given: Option<&Path>, response: &Response, lang: Lang) -> Result<Prepared> {
    if let Some(pack) = given {
        files::own(dir, &prepared::adopt(pack, dir)?)?;
    }
    Prepared::of_case(dir, response, Timestamp::now().to_zoned(default_zone()).date(), lang)
}

fn judge_options(case: &Case, judge: &JudgeArgs, lang: Lang) -> Result<JudgeOptions> {
    let prepared = prepared(case.dir(), judge.prepared.as_deref(), &Response::load()?, lang)?;
    let limits = Limits { memory: judge.memory, ..Limits::default() };
    Ok(JudgeOptions { from: judge.from, to: judge.to, since: judge.since, limits, prepared })
}

/// Judges, prints, and writes the reports into a folder; false if a part of the judging failed.
fn answer(case: &Case, catalogue: &Catalogue, judge: &JudgeArgs, reports: &Path, lang: Lang, json: bool) -> Result<bool> {
    let options = judge_options(case, judge, lang)?;
    let tenants = judged(case, catalogue, &options, lang)?;
    let people = desk::people(&case.entries()?, Timestamp::now(), options.prepared);
    let answers: Vec<Answer> = tenants.iter().map(|t| assemble::conclude(catalogue, t, &people)).collect();
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut unwritten = None;
    for (n, one) in answers.iter().enumerate() {
        let files = reports_of(case, one, reports, n, answers.len())?;
        let written = match files::wanted(case.dir(), &files, lang) {
            Ok(()) => files.into_iter().map(|(path, _)| path).nth(usize::from(lang == Lang::En)),
            // The answer is said even where its report cannot be written; the exit code tells.
            Err(error) => {
                unwritten = Some(error);
                None
            }
        };
        if !json {
            let q = &one.qualification;
            out!("{}", reflexe_report::terminal(q, &one.sentence, written.as_deref(), lang, colour, &obtain_text));
        }
    }
    if json {
        match answers.as_slice() {
            [one] => crate::out::json(&one.qualification)?,
            several => {
                let tenants: Vec<_> = several.iter().map(|a| &a.qualification).collect();
                crate::out::json(&serde_json::json!({ "schema": SCHEMA_SEVERAL, "tenants": tenants }))?;
            }
        }
    } else {
        what_next(case, lang);
    }
    match unwritten {
        Some(error) => Err(error),
        None => Ok(tenants.iter().all(|t| t.failures.is_empty())),
    }
}

fn what_next(case: &Case, lang: Lang) {
    let option = desk::case_option(case.dir());
    let (next, triage, ask, steps) = match lang {
        Lang::Fr => ("Ensuite :", "les faits à juger", "ce que seuls des humains savent", "que faire, dans l’ordre"),
        Lang::En => ("Next:", "the findings to judge", "what only people know", "what to do, in order"),
    };
    outln!("{next}");
    for (command, what) in [("triage", triage), ("ask", ask), ("steps", steps)] {
        outln!("  reflexe {:<width$}  {what}", format!("{command}{option}"), width = "triage".len() + option.len());
    }
}

/// Judges; beside it, computes the SHA-256 of the originals that have none yet, so that the answer does not wait for it.
fn judged_and_sealed(case: &Case, judge: impl FnOnce() -> Result<Vec<Judged>>, lang: Lang) -> Result<Vec<Judged>> {
    let unsealed = case.unsealed()?;
    if unsealed.is_empty() {
        return judge();
    }
    let (tenants, sealed) = std::thread::scope(|scope| {
        let sealing = scope.spawn(|| unsealed.iter().map(reflexe_case::Unsealed::seal).collect::<Vec<_>>());
        (judge(), sealing.join())
    });
    let Ok(sealed) = sealed else { bail!("SHA-256") };
    tell(Journal::open(case.dir()).and_then(|mut journal| journal.seal(&sealed)).map_err(Into::into), lang);
    for problem in &sealed {
        if let reflexe_case::Sealed::Problem { id, reason } = problem {
            errln!("{id}: {}", reason.get(lang));
        }
    }
    let known: BTreeMap<&str, &str> = sealed
        .iter()
        .filter_map(|one| match one {
            reflexe_case::Sealed::Sha256 { id, sha256 } => Some((id.as_str(), sha256.as_str())),
            reflexe_case::Sealed::Problem { .. } => None,
        })
        .collect();
    let mut tenants = tenants?;
    for evidence in tenants.iter_mut().flat_map(|t| &mut t.evidence).filter(|e| e.sha256.is_none()) {
        evidence.sha256 = known.get(evidence.id.as_str()).map(|s| (*s).to_owned());
    }
    Ok(tenants)
}

/// The HTML report in both languages, French first, and the JSON beside them, with the names of the three files.
fn reports_of(case: &Case, answer: &Answer, dir: &Path, n: usize, of: usize) -> Result<files::Files> {
    let stem = if of > 1 { format!("qualification-{}", n + 1) } else { "qualification".to_owned() };
    let path = |ending: &str| dir.join(format!("{stem}{ending}"));
    let raw = |row: &_| original::shown(case, row);
    let html = |lang| reflexe_report::html(&answer.qualification, &answer.sentence, &raw, lang, &obtain_text);
    Ok(vec![
        (path(".fr.html"), html(Lang::Fr)?.into_bytes()),
        (path(".en.html"), html(Lang::En)?.into_bytes()),
        (path(".json"), reflexe_report::json(&answer.qualification)?.into_bytes()),
    ])
}

/// How an export is got, as the report prints it.
fn obtain_text(id: &str) -> Option<reflexe_report::ObtainText> {
    let o = reflexe_evidence::obtain::by_id(id)?;
    Some(reflexe_report::ObtainText {
        id: o.id.clone(),
        title: o.title.clone(),
        portal: o.portal.clone(),
        command: o.command.clone(),
        role: o.role.clone(),
        licence: o.licence.clone(),
        minutes: o.minutes,
        note: o.note.clone(),
    })
}

fn simulate(
    scenario: Option<String>,
    out: Option<PathBuf>,
    options: impl Fn(&str) -> reflexe_simulate::Options,
    lang: Lang,
) -> Result<ExitCode> {
    let (Some(scenario), Some(out)) = (scenario, out) else {
        for s in reflexe_simulate::scenarios()? {
            outln!("{:14} {}", s.name, if lang == Lang::Fr { s.title.fr } else { s.title.en });
        }
        return Ok(ExitCode::SUCCESS);
    };
    reflexe_simulate::simulate(&options(&scenario), &out)?;
    outln!("{}", out.join("evidence").display());
    outln!("{}", out.join("truth.json").display());
    Ok(ExitCode::SUCCESS)
}

fn demo(out: &Path, no_open: bool, lang: Lang, json: bool) -> Result<ExitCode> {
    let tenant = out.join("tenant");
    let case = out.join("case");
    for old in [&tenant, &case] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| old.display().to_string())?;
        }
    }
    reflexe_simulate::simulate(&reflexe_simulate::Options::new("aitm-admin"), &tenant)?;
    let import = ImportArgs { in_place: true, unfiltered: None, period_from: None, period_to: None, threads: None };
    let judge = JudgeArgs { from: None, to: None, since: None, prepared: None, memory: None };
    let code = qualify(&[tenant.join("evidence")], &case, &import, &judge, lang, json)?;
    if !no_open && std::io::stdout().is_terminal() {
        let name = if lang == Lang::Fr { "qualification.fr.html" } else { "qualification.en.html" };
        open_in_browser(&case.join("reports").join(name));
    }
    Ok(code)
}

/// Opens a file in the user's browser; without one, the printed path is enough.
fn open_in_browser(path: &Path) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let _ = std::process::Command::new(program)
        .arg(path)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
}
