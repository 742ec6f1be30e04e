//! What each command does: calls the parts in order and prints what they say.
#![allow(clippy::print_stdout)] // printing is this module's job
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use reflexe_case::{
    Case, Declaration, FileOutcome, ImportOptions, ImportReport, RowLocator,
    journal::{Journal, when::default_zone},
};
use reflexe_evidence::spec;
use reflexe_fiche::{Catalogue, response::Response};
use reflexe_model::{Lang, RowRef, Window};

use crate::{
    ask,
    assemble::{self, Answer, JudgeOptions},
    cases, casework,
    cli::{CaseAction, Cli, Command, ImportArgs, JudgeArgs, QueryFormat},
    desk::{self, Desk},
    files, journal,
    judged::{self, Judged},
    prepare,
    prepared::{self, Prepared},
    progress::Bar,
    respond, severity, triage,
};

/// Bytes of a raw record shown in the report.
const RAW_LIMIT: usize = 16 << 10;
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
            if cli.json {
                println!(
                    "{}",
                    serde_json::to_string_pretty(&serde_json::json!({
                        "evidence": open.evidence()?, "unrecognised": open.unrecognised()?,
                    }))?
                );
            } else {
                print!("{}", reflexe_report::evidence_text(&open.evidence()?, &open.unrecognised()?, lang));
            }
            Ok(code(&report))
        }
        Command::Check { ids, case, judge } => {
            let open = existing(&case.case)?;
            let catalogue = Catalogue::load()?;
            let only = checks_named(&catalogue, &ids)?;
            answer(&open, &catalogue, &judge, only, true, None, lang, cli.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Report { case, out, judge } => {
            let open = existing(&case.case)?;
            let catalogue = Catalogue::load()?;
            let out = out.unwrap_or_else(|| open.reports_dir());
            answer(&open, &catalogue, &judge, BTreeSet::new(), false, Some(out), lang, cli.json)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Case { action } => {
            match action {
                CaseAction::New { dir, title } => {
                    let mut case = Case::create(&dir)?;
                    if let Some(title) = title {
                        case.set_title(&title)?;
                    }
                    println!("{}", dir.display());
                }
                CaseAction::Show { dir } => {
                    let case = existing(&dir)?;
                    print!("{}", reflexe_report::evidence_text(&case.evidence()?, &case.unrecognised()?, lang));
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
        Command::Query { sql, case, format } => {
            let open = existing(&case.case)?;
            let session = assemble::session(&open, None, None, reflexe_engine::Inputs::default())?;
            let format = match format {
                _ if cli.json => reflexe_engine::query::Format::Json,
                QueryFormat::Table => reflexe_engine::query::Format::Table,
                QueryFormat::Csv => reflexe_engine::query::Format::Csv,
                QueryFormat::Json => reflexe_engine::query::Format::Json,
            };
            reflexe_engine::query::print(&session, &sql, format, &mut std::io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Tables { name } => tables(name.as_deref(), lang),
        Command::Checks => {
            for check in Catalogue::load()?.checks {
                println!("{:34} {:12} {}", check.def.id, check.def.items.join(","), check.def.question.get(lang));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Cases { ids, fiche } => cases::run(fiche, &ids, lang),
        Command::Items => {
            let catalogue = Catalogue::load()?;
            for item in &catalogue.items {
                let checks: Vec<&str> =
                    catalogue.checks.iter().filter(|c| c.def.items.contains(&item.id)).map(|c| c.def.id.as_str()).collect();
                println!("{:7} {}  [{}]", item.id, item.title.get(lang), checks.join(", "));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Sources => {
            for source in reflexe_evidence::catalogue::sources() {
                println!("{:32} {}", source.id, source.title.get(lang));
            }
            Ok(ExitCode::SUCCESS)
        }
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
    answer(&case, &catalogue, judge, BTreeSet::new(), false, Some(reports), lang, json)?;
    Ok(code(&report))
}

fn open_case(dir: &Path, lang: Lang) -> Result<Case> {
    let case = Case::open_or_create(dir)?;
    if case.was_created() {
        match lang {
            Lang::Fr => eprintln!("Cas créé : {}", dir.display()),
            Lang::En => eprintln!("Case created: {}", dir.display()),
        }
    }
    Ok(case)
}

fn existing(dir: &Path) -> Result<Case> {
    Ok(Case::open_for_reading(dir)?)
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
            eprintln!("{}: {}", reflexe_fiche::say::clean(&file.path), reason.get(lang));
        }
    }
    if let Some(stopped) = &report.stopped {
        eprintln!("{}", stopped.get(lang));
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
    ExitCode::from(u8::from(!report.is_complete()))
}

/// What the machine found out about each tenant: kept from the last time, or judged now and kept.
///
/// # Errors
/// When the case cannot be judged.
pub fn judged(case: &Case, catalogue: &Catalogue, options: &JudgeOptions, lang: Lang) -> Result<Vec<Judged>> {
    if options.only.is_empty()
        && let Some(kept) = judged::kept(case.dir(), &key(case, options)?)
    {
        return Ok(kept);
    }
    judged_anew(case, catalogue, options, lang)
}

fn key(case: &Case, options: &JudgeOptions) -> Result<String> {
    let said = serde_json::to_string(&(options.from, options.to, options.since, options.prepared.fingerprint()))?;
    judged::key(case, &said)
}

/// Runs the checks, and keeps what they found if all ran.
fn judged_anew(case: &Case, catalogue: &Catalogue, options: &JudgeOptions, lang: Lang) -> Result<Vec<Judged>> {
    let bar = Bar::new(lang);
    let mut tenants = judged_and_sealed(case, || assemble::judge(case, catalogue, options, &|id| bar.check(id)), lang)?;
    bar.finish();
    tenants.iter_mut().for_each(|t| t.findings.iter_mut().for_each(|f| f.rows.truncate(ROWS)));
    if options.only.is_empty() {
        let kept = judged::text(key(case, options)?, &tenants)?;
        tell(files::own(case.dir(), &[(case.dir().join(judged::FILE), kept)]), lang);
    }
    Ok(tenants)
}

/// Tells what could not be written. A case that cannot be written (a read-only disk) is still judged.
fn tell(result: Result<()>, lang: Lang) {
    if let Err(error) = result {
        eprintln!("{}", crate::locale::error(&error, lang));
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

/// Judges (`again`: even if nothing changed), prints, and writes the reports into a folder if one is given.
#[allow(clippy::too_many_arguments, reason = "the options of three commands")]
fn answer(
    case: &Case,
    catalogue: &Catalogue,
    judge: &JudgeArgs,
    only: BTreeSet<String>,
    again: bool,
    reports: Option<PathBuf>,
    lang: Lang,
    json: bool,
) -> Result<()> {
    let prepared = prepared(case.dir(), judge.prepared.as_deref(), &Response::load()?, lang)?;
    let options = JudgeOptions {
        from: judge.from,
        to: judge.to,
        since: judge.since,
        only,
        prepared: prepared.clone(),
        ..JudgeOptions::default()
    };
    let tenants = if again { judged_anew(case, catalogue, &options, lang) } else { judged(case, catalogue, &options, lang) }?;
    let people = desk::people(&case.entries()?, Timestamp::now(), prepared);
    let answers: Vec<Answer> = tenants.iter().map(|t| assemble::conclude(catalogue, t, &people)).collect();
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut out = std::io::stdout().lock();
    let mut unwritten = None;
    for (n, one) in answers.iter().enumerate() {
        let written = match &reports {
            Some(dir) => {
                let files = reports_of(case, one, dir, n, answers.len())?;
                match files::wanted(case.dir(), &files, lang) {
                    Ok(()) => files.into_iter().map(|(path, _)| path).nth(usize::from(lang == Lang::En)),
                    // The answer is said even where its report cannot be written; the exit code tells.
                    Err(error) => {
                        unwritten = Some(error);
                        None
                    }
                }
            }
            None => None,
        };
        if json {
            writeln!(out, "{}", serde_json::to_string_pretty(&one.qualification)?)?;
        } else {
            write!(
                out,
                "{}",
                reflexe_report::terminal(&one.qualification, &one.sentence, written.as_deref(), lang, colour, &obtain_text)
            )?;
        }
    }
    if reports.is_some() && !json {
        let option = desk::case_option(case.dir());
        let (next, triage, ask, steps) = match lang {
            Lang::Fr => ("Ensuite :", "les faits à juger", "ce que seuls des humains savent", "que faire, dans l’ordre"),
            Lang::En => ("Next:", "the findings to judge", "what only people know", "what to do, in order"),
        };
        writeln!(out, "{next}")?;
        for (command, what) in [("triage", triage), ("ask", ask), ("steps", steps)] {
            writeln!(out, "  reflexe {:<width$}  {what}", format!("{command}{option}"), width = "triage".len() + option.len())?;
        }
    }
    match unwritten {
        Some(error) => Err(error),
        None => Ok(()),
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
            eprintln!("{id}: {}", reason.get(lang));
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
    let raw = |row: &RowRef| raw_record(case, row);
    let path = |ending: &str| dir.join(format!("{stem}{ending}"));
    let html = |lang| reflexe_report::html(&answer.qualification, &answer.sentence, &raw, lang, &obtain_text);
    Ok(vec![
        (path(".fr.html"), html(Lang::Fr)?.into_bytes()),
        (path(".en.html"), html(Lang::En)?.into_bytes()),
        (path(".json"), serde_json::to_vec_pretty(&answer.qualification)?),
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

/// The raw bytes of a cited row as text, cut at a bound; `None` when the original is not there any more.
fn raw_record(case: &Case, row: &RowRef) -> Option<String> {
    let locator = parse_locator(&row.locator)?;
    let record = case.raw_record(&locator, RAW_LIMIT).ok()?;
    let mut text = String::from_utf8_lossy(&record.bytes).into_owned();
    if record.is_cut() {
        text.push('…');
    }
    Some(text)
}

/// Reads a locator back: `e7!member@offset+length:line#pointer`.
fn parse_locator(text: &str) -> Option<RowLocator> {
    let (origin, place) = text.rsplit_once('@')?;
    let (evidence_id, member) = origin.split_once('!').map_or((origin, None), |(e, m)| (e, Some(m.to_owned())));
    let (offset, rest) = place.split_once('+')?;
    let length = rest.split(':').next()?;
    Some(RowLocator { evidence_id: evidence_id.to_owned(), member, offset: offset.parse().ok()?, length: length.parse().ok()? })
}

fn checks_named(catalogue: &Catalogue, ids: &[String]) -> Result<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    for id in ids {
        let before = out.len();
        out.extend(catalogue.checks.iter().filter(|c| &c.def.id == id || c.def.items.contains(id)).map(|c| c.def.id.clone()));
        if out.len() == before {
            bail!("{id}: reflexe checks / reflexe items");
        }
    }
    Ok(out)
}

fn tables(name: Option<&str>, lang: Lang) -> Result<ExitCode> {
    match name {
        None => {
            for table in spec::tables() {
                println!("{:28} {}", table.name, table.title.get(lang));
            }
        }
        Some(name) => {
            let table = spec::table(name).with_context(|| format!("{name}: reflexe tables"))?;
            println!("{} — {}", table.name, table.title.get(lang));
            for (column, ty) in spec::PROVENANCE {
                println!("  {column:36} {}", format!("{ty:?}").to_lowercase());
            }
            for column in &table.columns {
                println!("  {:36} {:5} {}", column.name, format!("{:?}", column.ty).to_lowercase(), column.about.get(lang));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn simulate(
    scenario: Option<String>,
    out: Option<PathBuf>,
    options: impl Fn(&str) -> reflexe_simulate::Options,
    lang: Lang,
) -> Result<ExitCode> {
    let (Some(scenario), Some(out)) = (scenario, out) else {
        for s in reflexe_simulate::scenarios()? {
            println!("{:14} {}", s.name, if lang == Lang::Fr { s.title.fr } else { s.title.en });
        }
        return Ok(ExitCode::SUCCESS);
    };
    reflexe_simulate::simulate(&options(&scenario), &out)?;
    println!("{}", out.join("evidence").display());
    println!("{}", out.join("truth.json").display());
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
    let judge = JudgeArgs { from: None, to: None, since: None, prepared: None };
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
