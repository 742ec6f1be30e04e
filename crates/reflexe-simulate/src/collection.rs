//! The collection: plays the scenario, merges it with the everyday events, and writes what each tool would have written.
use std::path::Path;

use crate::acts::{self, Event, Log};
use crate::background::{Slot, slots, windows};
use crate::hard;
use crate::output::{PageSink, ToolLog, UalSink};
use crate::rng::{Guid, Rng};
use crate::story::{self, Scenario};
use crate::tenant::{self, Tenant};
use crate::text::{DAY, Seconds, folder, spaced, zulu};
use crate::truth::{Input, Truth};
use crate::ual::{Background, Wrapper};
use crate::{Error, LEAST_DAYS, LEAST_USERS, Options, Parts, Summary, UalFormat};

/// Writes a simulated tenant to `out`: `out/evidence/` and `out/truth.json`.
pub fn simulate(options: &Options, out: &Path) -> Result<Summary, Error> {
    if options.users < LEAST_USERS {
        return Err(Error::Options(format!("a story needs at least {LEAST_USERS} users")));
    }
    if options.days < LEAST_DAYS {
        return Err(Error::Options(format!("a story needs at least {LEAST_DAYS} days")));
    }
    let evidence = out.join("evidence");
    if evidence.exists() || out.join("truth.json").exists() {
        return Err(Error::Exists(out.to_owned()));
    }
    let end = options.end.as_second();
    if hard::write(&options.scenario, options.events, end, &evidence)? {
        return Ok(hard::summary(&options.scenario, options.events, out));
    }
    let scenario = story::load(&options.scenario)?;
    // The collection asks for whole days, so it reaches a little further back than the window of the case.
    let start = end.div_euclid(DAY) * DAY - i64::from(options.days) * DAY;
    let tenant = tenant::build(&scenario, options.users, options.seed, start);
    let mut stage = acts::play(tenant, &scenario, start, end)?;
    everyday_app_sign_ins(&stage.tenant, start, end, &mut stage.events);
    let events = std::mem::take(&mut stage.events);
    let actors: Vec<String> = scenario.step.iter().map(|s| stage.tenant.users[stage.tenant.part(&s.actor)].upn.clone()).collect();
    let mut run = Run::new(&stage.tenant, options, &scenario, start, end, &evidence)?;
    run.logs(&events)?;
    if options.parts == Parts::All {
        run.states(&evidence)?;
    }
    let summary = Summary {
        evidence: evidence.clone(),
        truth: out.join("truth.json"),
        tenant_id: stage.tenant.id.to_string(),
        ual_records: run.ual_records,
        ual_repeated: run.ual_repeated,
        ual_files: run.ual_files,
        sign_ins: run.pages[0].records + run.pages[1].records,
        directory_audits: run.pages[2].records,
        steps: scenario.step.len(),
    };
    run.truth.write(&summary.truth, &scenario, options, &actors, &summary, (start, end))?;
    Ok(summary)
}

/// Applications that have a secret sign in every morning from the office.
fn everyday_app_sign_ins(tenant: &Tenant, start: Seconds, end: Seconds, events: &mut Vec<Event>) {
    for app in tenant.apps.iter().filter(|a| !a.secrets.is_empty() && a.created < start) {
        let mut at = start + 5 * 3600;
        while at < end {
            let id = Guid::of(tenant.seed, &app.key, at as u64);
            let mut line = Vec::new();
            crate::signin::app_sign_in(tenant, app, at, &tenant.office, id, &mut line);
            events.push(Event {
                at,
                step: None,
                log: Log::SigninServicePrincipal,
                id: id.to_string(),
                line,
                wrapper: Wrapper::default(),
            });
            at += DAY;
        }
    }
    events.sort_by(|a, b| (a.at, a.log, &a.id).cmp(&(b.at, b.log, &b.id)));
}

struct Run<'a> {
    tenant: &'a Tenant,
    options: &'a Options,
    start: Seconds,
    end: Seconds,
    /// When the collection began, on the collecting machine's clock.
    collected: Seconds,
    project: String,
    tool_log: Option<ToolLog>,
    ual: UalSink,
    /// Sign-ins of people, sign-ins of applications, directory audit.
    pages: [PageSink; 3],
    truth: Truth,
    ual_records: u64,
    ual_repeated: u64,
    ual_files: u64,
    found: Vec<String>,
}

impl<'a> Run<'a> {
    fn new(
        tenant: &'a Tenant,
        options: &'a Options,
        scenario: &Scenario,
        start: Seconds,
        end: Seconds,
        evidence: &Path,
    ) -> Result<Self, Error> {
        let collected = end + 1_800;
        let project = tenant.domain.split('.').next().unwrap_or("tenant").to_owned();
        let place = |path: &str| (evidence.join(path), path.to_owned());
        let root = format!("Output/{project}");
        let (ual_folder, ual_prefix) = match options.parts {
            Parts::All => place(&format!("{root}/UnifiedAuditLog/{}", folder(collected + 5))),
            Parts::UalOnly => place("."),
        };
        let sign_in = format!("{root}/EntraID/{}-SignInLogs", folder(collected + 2_405));
        let audit = format!("{root}/Audit logs/EntraID/{}-AuditLogs", folder(collected + 3_005));
        let (people, people_prefix) = place(&format!("{sign_in}/interactiveUser & nonInteractiveUser"));
        let (apps, apps_prefix) = place(&format!("{sign_in}/servicePrincipal"));
        let (audits, audits_prefix) = place(&audit);
        let format = options.ual;
        let tool_log = match options.parts {
            Parts::All => Some(ToolLog::new(evidence.join("Output/LogFile.txt"), collected)?),
            Parts::UalOnly => None,
        };
        Ok(Run {
            tenant,
            options,
            start,
            end,
            collected,
            project,
            tool_log,
            ual: UalSink::new(ual_folder, ual_prefix, format),
            pages: [
                PageSink::new(
                    people,
                    people_prefix,
                    "interactiveUser-nonInteractiveUser-SignInLogs",
                    Log::Signin,
                    format,
                    collected + 2_410,
                ),
                PageSink::new(
                    apps,
                    apps_prefix,
                    "servicePrincipal-SignInLogs",
                    Log::SigninServicePrincipal,
                    format,
                    collected + 2_900,
                ),
                PageSink::new(audits, audits_prefix, "AuditLogs", Log::DirectoryAudit, format, collected + 3_010),
            ],
            truth: Truth::new(scenario.step.len()),
            ual_records: 0,
            ual_repeated: 0,
            ual_files: 0,
            found: Vec::new(),
        })
    }

    /// Writes the four logs and, with them, the tool's own log.
    fn logs(&mut self, events: &[Event]) -> Result<(), Error> {
        let acts: Vec<&Event> = events.iter().filter(|e| e.log == Log::UalEvent).collect();
        let mut others: Vec<std::iter::Peekable<std::vec::IntoIter<&Event>>> =
            [Log::Signin, Log::SigninServicePrincipal, Log::DirectoryAudit]
                .iter()
                .map(|log| events.iter().filter(|e| e.log == *log).collect::<Vec<_>>().into_iter().peekable())
                .collect();
        let everyday = self.options.events.saturating_sub(acts.len() as u64);
        let mut background = Background::new(self.tenant);
        let mut rng = Rng::of(self.options.seed, "everyday", 0);
        let mut next_act = 0;
        let whole = (self.options.parts == Parts::UalOnly).then_some((self.start, self.end));
        if let Some((from, to)) = whole {
            self.ual.open(from, to, self.options.events.max(acts.len() as u64))?;
            self.ual_files = 1;
        }
        for window in windows(slots(self.start, self.end, everyday)) {
            let (from, to) = (window[0].from, window[window.len() - 1].to);
            let in_window = acts[next_act..].partition_point(|e| e.at < to || to == self.end);
            let rows = window.iter().map(|s| s.events).sum::<u64>() + in_window as u64;
            if rows == 0 {
                continue;
            }
            if whole.is_none() {
                self.ual.open(from, to, rows)?;
                self.ual_files += 1;
                self.found.push(format!("[INFO] Found {rows} audit logs between {} and {}", zulu(from), zulu(to)));
            }
            let here = &acts[next_act..next_act + in_window];
            next_act += in_window;
            self.window(&window, here, &mut others, &mut background, &mut rng)?;
        }
        self.ual.close()?;
        for (n, log) in others.iter_mut().enumerate() {
            self.pour(n, log, Seconds::MAX)?;
            self.pages[n].close()?;
        }
        if self.options.parts == Parts::All {
            self.tell()?;
        }
        Ok(())
    }

    /// Writes a window: everyday events, and the records of the story among them.
    fn window(
        &mut self,
        window: &[Slot],
        acts: &[&Event],
        others: &mut [std::iter::Peekable<std::vec::IntoIter<&Event>>],
        background: &mut Background<'_>,
        rng: &mut Rng,
    ) -> Result<(), Error> {
        let (mut line, mut logon) = (Vec::with_capacity(1 << 13), Vec::with_capacity(1 << 13));
        let mut acts = acts.iter().peekable();
        for slot in window {
            let length = (slot.to - slot.from) as u64;
            let mut n = 0;
            while n < slot.events {
                let at = slot.from + ((n * length + rng.below(length)) / slot.events) as i64;
                while let Some(act) = acts.next_if(|a| a.at <= at) {
                    self.act(act)?;
                }
                line.clear();
                logon.clear();
                let wrapper = background.record(at, rng, &mut line, &mut logon);
                self.ual.record(at, &wrapper, &line)?;
                self.ual_records += 1;
                n += 1;
                // The service delivers some records twice.
                if n < slot.events && rng.chance(10) {
                    self.ual.record(at, &wrapper, &line)?;
                    self.ual_records += 1;
                    self.ual_repeated += 1;
                    n += 1;
                }
                if !logon.is_empty() && self.options.parts == Parts::All {
                    self.pour(0, &mut others[0], at)?;
                    self.pages[0].record(at, &logon)?;
                }
            }
        }
        for act in acts {
            self.act(act)?;
        }
        Ok(())
    }

    fn act(&mut self, event: &Event) -> Result<(), Error> {
        self.ual.record(event.at, &event.wrapper, &event.line)?;
        self.ual_records += 1;
        if let Some(step) = event.step {
            let file = self.ual.current.clone();
            self.truth.note(step, event.at, event.log, &event.id, &event.wrapper.operation, &file);
        }
        Ok(())
    }

    /// Writes the records of a log that are due.
    fn pour(&mut self, n: usize, log: &mut std::iter::Peekable<std::vec::IntoIter<&Event>>, until: Seconds) -> Result<(), Error> {
        if self.options.parts == Parts::UalOnly {
            return Ok(());
        }
        while let Some(event) = log.next_if(|e| e.at <= until) {
            let page = &mut self.pages[n];
            page.record(event.at, &event.line)?;
            if let Some(step) = event.step {
                self.truth.note(step, event.at, event.log, &event.id, "", &page.current);
            }
        }
        Ok(())
    }

    /// Writes the log of the collecting tool, in its own words.
    fn tell(&mut self) -> Result<(), Error> {
        let Some(mut log) = self.tool_log.take() else {
            return Ok(());
        };
        let format = match self.options.ual {
            UalFormat::Jsonl => "SOF-ELK",
            UalFormat::Csv => "CSV",
        };
        let graph_format = if format == "CSV" { "JSON" } else { format };
        let note = if format == "CSV" { "" } else { " (supported functions only, others will use JSON)" };
        let rule = "----------------------------------------\n";
        let root = format!("Output\\{}", self.project);
        for line in [
            "=== Starting Quick Triage ===".to_owned(),
            format!("Project: {}", self.project),
            "Template: Standard".to_owned(),
            "Target: All users".to_owned(),
            format!("Output Format: {format}{note}"),
            format!("Start Time: {}", spaced(self.collected)),
            format!("[INFO] Creating output directory: {root}"),
            "\n==== Executing Template Tasks ====".to_owned(),
            "[INFO] Total tasks to execute: 3\n".to_owned(),
        ] {
            log.say(0, &line)?;
        }
        let (from, to) = (self.start, self.end);
        log.say(5, "=== Starting Unified Audit Log Collection ===")?;
        log.say(0, &format!("Start date: {}", spaced(from)))?;
        log.say(0, &format!("End date: {}", spaced(to)))?;
        log.say(0, &format!("Output format: {format}"))?;
        log.say(0, &format!("Output Directory: {root}\\UnifiedAuditLog\\{}", folder(self.collected + 5)))?;
        log.say(0, rule)?;
        for found in std::mem::take(&mut self.found) {
            log.say(1, &found)?;
        }
        log.now = log.now.max(self.collected + 2_400);
        for line in [
            "\n=== Unified Audit Log Collection Summary ===".to_owned(),
            "\nDate Range:".to_owned(),
            format!("  Start Date: {}", spaced(from)),
            format!("  End Date: {}", spaced(to)),
            "\nCollection Statistics:".to_owned(),
            format!("  Total Records: {}", self.ual_records),
            format!("  Files Created: {}", self.ual_files),
            "  Interval Adjustments: 0".to_owned(),
        ] {
            log.say(0, &line)?;
        }
        log.say(5, "=== Starting Sign-in Log Collection ===")?;
        log.say(0, &format!("Start Date: {}", zulu(from)))?;
        log.say(0, &format!("End Date: {}", zulu(to)))?;
        log.say(0, &format!("Output Format: {graph_format}"))?;
        log.say(0, rule)?;
        for (class, page) in
            [("interactiveUser & nonInteractiveUser", Some(0)), ("servicePrincipal", Some(1)), ("managedIdentity", None)]
        {
            log.say(1, &format!("[INFO] Acquiring the {class} sign-in logs"))?;
            let (mut records, mut files) = (0, 0);
            if let Some(n) = page {
                for said in std::mem::take(&mut self.pages[n].said) {
                    log.say(2, &said)?;
                }
                (records, files) = (self.pages[n].records, self.pages[n].files);
            }
            log.say(1, &format!("\nSummary for {class}:"))?;
            log.say(0, &format!("  Records: {records}"))?;
            log.say(0, &format!("  Files: {files}\n"))?;
        }
        for line in [
            "\n=== Sign-in Log Collection Summary ===".to_owned(),
            "\nCollection Results:".to_owned(),
            format!("  Total Records: {}", self.pages[0].records + self.pages[1].records),
            format!("  Files Created: {}", self.pages[0].files + self.pages[1].files),
        ] {
            log.say(0, &line)?;
        }
        log.say(5, "=== Starting Audit Log Collection ===")?;
        log.say(0, &format!("Start Date: {}", zulu(from)))?;
        log.say(0, &format!("End Date: {}", zulu(to)))?;
        log.say(0, &format!("Output Format: {graph_format}"))?;
        log.say(0, rule)?;
        for said in std::mem::take(&mut self.pages[2].said) {
            log.say(2, &said)?;
        }
        let finished = log.now + 2;
        for line in [
            "\n=== Audit Log Collection Summary ===".to_owned(),
            "\nCollection Results:".to_owned(),
            format!("  Total Records: {}", self.pages[2].records),
            format!("  Files Created: {}", self.pages[2].files),
            "\n=== Standard Triage Summary ===".to_owned(),
            format!("Start Time: {}", spaced(self.collected)),
            format!("End Time: {}", spaced(finished)),
            "\nTask Results:".to_owned(),
            "  Successful: 3".to_owned(),
            "  Failed: 0".to_owned(),
            "  Skipped: 0".to_owned(),
            "  Total: 3".to_owned(),
            format!("\nOutput Location: {root}"),
            "=============================================".to_owned(),
        ] {
            log.say(0, &line)?;
        }
        log.close()
    }

    /// Writes the settings and notes which file fills which tables.
    fn states(&mut self, evidence: &Path) -> Result<(), Error> {
        let mut inputs = vec![Input { path: "Output/LogFile.txt".into(), tables: vec!["coverage"] }];
        let mut add = |folder: &str, files: Vec<(String, Vec<&'static str>)>| {
            inputs.extend(files.into_iter().map(|(name, tables)| Input { path: format!("{folder}/{name}"), tables }));
        };
        let root = format!("Output/{}", self.project);
        add(
            &root,
            vec![
                ("UnifiedAuditLog".into(), vec!["ual_event", "ual_property"]),
                ("EntraID".into(), vec!["signin"]),
                ("Audit logs".into(), vec!["directory_audit", "directory_audit_change"]),
            ],
        );
        add("graph", crate::graph::write(self.tenant, self.end, &evidence.join("graph"))?);
        let (exchange, teams) = (evidence.join("exchange"), evidence.join("teams"));
        for (name, tables) in crate::settings::write(self.tenant, self.end, &exchange, &teams)? {
            add(if name.starts_with("Get-Cs") { "teams" } else { "exchange" }, vec![(name, tables)]);
        }
        let baseline = format!("M365BaselineConformance_{}", spaced(self.end + 5_400).replace(['-', ' ', ':'], "_"));
        add(&baseline, crate::scuba::write(self.tenant, self.end, &evidence.join(&baseline))?);
        self.truth.inputs = inputs;
        Ok(())
    }
}
