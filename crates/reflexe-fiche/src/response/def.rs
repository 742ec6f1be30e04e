//! What the files of `fiche/next`, `fiche/glossary.toml` and `fiche/attacks.toml` hold, and the rules that they must keep.
//! The build script includes this very file, so that a faulty tree does not compile.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_model::{TenantState, Text};
use serde::{Deserialize, de::DeserializeOwned};

/// When something is needed: all that is given must hold. A list of clauses holds when one of them does.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Always.
    #[serde(default)]
    pub always: bool,
    /// One of these types of incident (`T1` … `T6`, `TX`) is confirmed; suspected gives *maybe*.
    #[serde(default)]
    pub types: Vec<String>,
    /// The tenant may be in one of these states.
    #[serde(default)]
    pub tenant: Vec<TenantState>,
    /// A person answered so.
    #[serde(default)]
    pub answer: Option<AnswerIs>,
    /// One of these checks (`1e.transport-rule-*`) found a compromise; a suspicion gives *maybe*.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Accounts are synchronised from a local directory.
    #[serde(default)]
    pub synced: bool,
    /// The severity reaches this level.
    #[serde(default)]
    pub severity: Option<u8>,
    /// The organisation has one of these statuses.
    #[serde(default)]
    pub status: Vec<String>,
    /// Data of one of these categories is touched (`personal`, `regulated` …).
    #[serde(default)]
    pub data: Vec<String>,
}

/// An answer that a clause asks for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerIs {
    /// Id of the question.
    pub question: String,
    /// One of these choices. Empty: any named thing or amount counts.
    #[serde(default)]
    pub choice: Vec<String>,
}

/// A sentence with the mark of what was not verified in a source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// French.
    pub fr: String,
    /// English.
    pub en: String,
    /// Whether a source was read for it.
    #[serde(default = "yes")]
    pub verified: bool,
}

impl Note {
    /// The sentence in both languages, with "to be verified" where it applies.
    pub fn text(&self) -> Text {
        if self.verified {
            return Text::new(&self.fr, &self.en);
        }
        Text::new(format!("{} [à vérifier]", self.fr), format!("{} [to be verified]", self.en))
    }
}

fn yes() -> bool {
    true
}

/// Where the targets of a step come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetDef {
    /// `user`, `app`, `device`, `mailbox`, `rule`, `domain`, `address`.
    pub kind: TargetKind,
    /// Findings of these checks name them.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Which part of the finding: `subject` (default), `key`, or `link:<kind>`.
    #[serde(default = "subject")]
    pub from: String,
    /// Only where this sign holds (`subject_is_privileged`).
    #[serde(default)]
    pub sign: Option<String>,
    /// The things named in the answer to this question, too.
    #[serde(default)]
    pub answer: Option<String>,
    /// Principals of stories of the level *compromise*, too.
    #[serde(default)]
    pub stories: bool,
}

fn subject() -> String {
    "subject".to_owned()
}

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// An account.
    User,
    /// An application or service principal.
    App,
    /// A device.
    Device,
    /// A mailbox.
    Mailbox,
    /// A rule of a mailbox or of the mail flow.
    Rule,
    /// A domain.
    Domain,
    /// An address that sends or receives.
    Address,
}

/// A step of containment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDef {
    /// `N.00` …
    pub id: String,
    /// Place in the list.
    pub order: u32,
    /// To be done now, out of order (the bank).
    #[serde(default)]
    pub urgent: bool,
    /// When it is needed.
    pub when: Vec<Clause>,
    /// What to do.
    pub title: Text,
    /// Why now, why in this order.
    pub why: Text,
    /// Facts that prevent mistakes.
    #[serde(default)]
    pub facts: Vec<Note>,
    /// How one sees that it worked.
    pub verify: Text,
    /// How it is taken back.
    pub undo: Text,
    /// Commands to show, by id.
    #[serde(default)]
    pub commands: Vec<String>,
    /// What it is done to, once for each.
    #[serde(default)]
    pub targets: Vec<TargetDef>,
    /// Who does it (`RSSI`, `ADM`, `EXO`, `AD` …).
    pub roles: Vec<String>,
}

/// What a value in a command must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// A GUID.
    Guid,
    /// A user: GUID or user principal name.
    User,
    /// A mailbox: GUID or address.
    Mailbox,
    /// An e-mail address.
    Smtp,
    /// A domain.
    Domain,
    /// The name or identity of a rule or policy.
    Name,
    /// An opaque id of Microsoft Graph (letters, digits, `-`, `_`).
    OpaqueId,
    /// Typed by the person at the keyboard, never inserted: a password, a date.
    Typed,
}

/// A value of a command.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueDef {
    /// Name between `%` in the lines.
    pub name: String,
    /// What it must be.
    pub kind: ValueKind,
    /// Target kinds that fill it; empty: the person fills it.
    #[serde(default)]
    pub fills: Vec<TargetKind>,
    /// What stands there when the value is not known.
    pub blank: Text,
}

/// A command that is shown, never run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandDef {
    /// Id.
    pub id: String,
    /// What it does.
    pub title: Text,
    /// `graph`, `exchange`, `teams`, `ad`.
    pub module: String,
    /// Method and path of Microsoft Graph, where there is one.
    #[serde(default)]
    pub graph: Option<String>,
    /// Least privilege.
    pub privilege: Text,
    /// Lines of PowerShell with `%name%` where values go.
    pub lines: Vec<String>,
    /// Values.
    #[serde(default)]
    pub values: Vec<ValueDef>,
    /// Command that shows the effect.
    pub verify: String,
    /// Command or sentence that takes it back.
    pub undo: Text,
    /// What prevents a mistake.
    #[serde(default)]
    pub note: Option<Text>,
    /// Whether the names were read in Microsoft's documentation.
    pub verified: bool,
}

/// The file `next/golden.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenFile {
    /// Rules.
    pub rule: Vec<Note>,
}

/// Another sheet or organisation to go to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteDef {
    /// Id.
    pub id: String,
    /// When.
    pub when: Vec<Clause>,
    /// Where to.
    pub title: Text,
    /// What it is for.
    pub why: Text,
    /// Reference, e.g. `CERTFR-2025-RFX-004`.
    #[serde(default)]
    pub reference: String,
    /// Address, shown as text.
    #[serde(default)]
    pub url: String,
    /// Date of the last look.
    pub as_of: String,
    /// Whether it was read.
    pub verified: bool,
}

/// The file `next/routes.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteFile {
    /// Routes, in order.
    pub route: Vec<RouteDef>,
}

/// Hours in which somebody answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursDef {
    /// IANA zone.
    pub zone: String,
    /// Slots `HH:MM-HH:MM` by day: `mon` … `sun`. `24:00` ends a day.
    pub week: BTreeMap<String, Vec<String>>,
    /// Closed on the public holidays of metropolitan France.
    #[serde(default)]
    pub closed_on_french_holidays: bool,
}

/// A contact of the annex.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactDef {
    /// Id.
    pub id: String,
    /// Who.
    pub name: Text,
    /// For whom.
    pub whom: Text,
    /// Call for.
    pub call_for: Text,
    /// Telephones.
    #[serde(default)]
    pub phones: Vec<String>,
    /// E-mails.
    #[serde(default)]
    pub emails: Vec<String>,
    /// Addresses of pages, shown as text.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Opening hours; absent: not known.
    #[serde(default)]
    pub hours: Option<HoursDef>,
    /// The organisation's own: to be written in the preparation pack.
    #[serde(default)]
    pub own: bool,
    /// Date of the last look.
    pub as_of: String,
    /// Whether the source was read.
    pub verified: bool,
}

/// The file `next/contacts.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactFile {
    /// Contacts, in order.
    pub contact: Vec<ContactDef>,
}

/// How long a clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duration {
    /// Elapsed hours.
    Hours(u32),
    /// Calendar months, by the local clock.
    CalendarMonths(u32),
    /// As soon as possible: no number stands in the text.
    WithoutDelay,
    /// The contract says how long.
    Contract,
}

/// An event that starts a clock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerDef {
    /// Name: `aware`, `classified_major`, `significant`, `submitted` …
    pub event: String,
    /// What the person is asked.
    pub ask: Text,
}

/// The latest time, counted from another event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapDef {
    /// Name of the event.
    pub event: String,
    /// What the person is asked.
    pub ask: Text,
    /// Elapsed hours.
    pub hours: u32,
}

/// What a text says about a due time on a day of rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonWorking {
    /// Nothing: the strict time holds.
    #[default]
    None,
    /// Noon of the next working day is tolerated.
    NoonNextWorkingDay,
}

/// State of the law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalStatus {
    /// In force.
    InForce,
    /// Adopted elsewhere, not yet applied in France.
    Pending,
    /// A proposal.
    Proposed,
}

/// A regime with its clock.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeDef {
    /// `D.GDPR33` …
    pub id: String,
    /// Place in the list.
    pub order: u32,
    /// Title.
    pub title: Text,
    /// Whom it binds, in words.
    pub who: Text,
    /// Whom it binds, as data.
    #[serde(default)]
    pub when: Vec<Clause>,
    /// Listed, never judged.
    #[serde(default)]
    pub not_evaluated: bool,
    /// What starts it.
    pub trigger: TriggerDef,
    /// How long it runs.
    pub duration: Duration,
    /// The latest time.
    #[serde(default)]
    pub cap: Option<CapDef>,
    /// Days of rest.
    #[serde(default)]
    pub non_working_rule: NonWorking,
    /// The regime whose `submitted` starts this one.
    #[serde(default)]
    pub depends_on: Option<String>,
    /// Another regime whose moment may be proposed here; a person confirms it.
    #[serde(default)]
    pub propose_from: Option<String>,
    /// To whom.
    pub recipient: Text,
    /// How.
    pub channel: Text,
    /// What must stand in it.
    #[serde(default)]
    pub checklist: Vec<Note>,
    /// State of the law.
    pub status: LegalStatus,
    /// Date of the last look.
    pub as_of: String,
    /// Where it is written.
    pub source: String,
    /// Whether that was read.
    pub verified: bool,
    /// What else to know.
    #[serde(default)]
    pub note: Option<Note>,
}

/// A word in one language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermSide {
    /// The word.
    pub term: String,
    /// What it means.
    pub means: String,
}

/// A word explained.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermDef {
    /// French.
    pub fr: TermSide,
    /// English.
    pub en: TermSide,
}

/// The file `glossary.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlossaryFile {
    /// Words.
    pub term: Vec<TermDef>,
}

/// A technique of MITRE ATT&CK.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttackDef {
    /// `T1114.003` …
    pub id: String,
    /// Its name in ATT&CK.
    pub name: String,
    /// In our words.
    pub title: Text,
    /// What it looks like in a tenant.
    pub looks_like: Text,
    /// Cited by the sheet's annex.
    #[serde(default)]
    pub sheet: bool,
    /// Its number in version 18, where version 19 renumbered it.
    #[serde(default)]
    pub v18: Option<String>,
    /// Its number in version 19, where that differs.
    #[serde(default)]
    pub v19: Option<String>,
    /// Whether name and number were read in ATT&CK.
    #[serde(default)]
    pub verified: bool,
}

/// The file `attacks.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttackFile {
    /// Techniques.
    pub attack: Vec<AttackDef>,
}

/// What is wrong with the response part of a tree: `path: what`. Empty when all is well.
pub fn faults(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut out = Vec::new();
    let commands: Vec<(String, CommandDef)> = read(files, "next/commands/", &mut out);
    let steps: Vec<(String, StepDef)> = read(files, "next/steps/", &mut out);
    let clocks: Vec<(String, RegimeDef)> = read(files, "next/clocks/", &mut out);
    let golden: Vec<(String, GoldenFile)> = read(files, "next/golden.toml", &mut out);
    let routes: Vec<(String, RouteFile)> = read(files, "next/routes.toml", &mut out);
    let contacts: Vec<(String, ContactFile)> = read(files, "next/contacts.toml", &mut out);
    let glossary: Vec<(String, GlossaryFile)> = read(files, "glossary.toml", &mut out);
    let attacks: Vec<(String, AttackFile)> = read(files, "attacks.toml", &mut out);
    let packs: Vec<(String, PackDefFile)> = read(files, "next/pack.toml", &mut out);
    let mut say = |path: &str, text: String| out.push(format!("{path}: {text}"));
    for (path, table) in packs.iter().flat_map(|(p, f)| f.table.iter().map(move |t| (p, t))) {
        let has = |name: &str| table.column.iter().any(|c| c.name == name);
        if blank(&table.title) || blank(&table.unknown) || !has("owner") || !has("last_checked") {
            say(path, format!("{}: lacks a language, an owner or last_checked", table.id));
        }
    }

    let known: BTreeSet<&str> = commands.iter().map(|(_, c)| c.id.as_str()).collect();
    for (path, command) in &commands {
        if !path.ends_with(&format!("/{}.toml", command.id)) {
            say(path, format!("the id {} is not the file's name", command.id));
        }
        let names: BTreeSet<&str> = command.values.iter().map(|v| v.name.as_str()).collect();
        let lines = command.lines.iter().chain([&command.verify]);
        let used: BTreeSet<String> = lines.clone().flat_map(|l| holes(l)).collect();
        if used.iter().map(String::as_str).collect::<BTreeSet<_>>() != names {
            say(path, format!("values {names:?} are not those of its lines {used:?}"));
        }
        if lines.clone().any(|l| l.contains(['\n', '\r', '`'])) {
            say(path, "a line holds a line break or a backtick".into());
        }
        if lines.flat_map(|l| holes_with_neighbours(l)).any(|quoted| quoted) {
            say(path, "a value stands between quotes: the product quotes it".into());
        }
    }
    for (path, step) in &steps {
        if !path.ends_with(&format!("/{}.toml", step.id)) {
            say(path, format!("the id {} is not the file's name", step.id));
        }
        for id in step.commands.iter().filter(|c| !known.contains(c.as_str())) {
            say(path, format!("no command {id}"));
        }
        if step.when.is_empty() || step.roles.is_empty() {
            say(path, "says not when, or not who".into());
        }
        for t in [&step.title, &step.why, &step.verify, &step.undo].into_iter().filter(|t| blank(t)) {
            say(path, format!("a text lacks one of its languages: {t:?}"));
        }
    }
    let ids: BTreeSet<&str> = clocks.iter().map(|(_, c)| c.id.as_str()).collect();
    for (path, clock) in &clocks {
        if !path.ends_with(&format!("/{}.toml", clock.id)) {
            say(path, format!("the id {} is not the file's name", clock.id));
        }
        for other in clock.depends_on.iter().chain(&clock.propose_from).filter(|o| !ids.contains(o.as_str())) {
            say(path, format!("no clock {other}"));
        }
        if clock.depends_on.is_some() && clock.trigger.event != "submitted" {
            say(path, "a clock that depends on another starts at its `submitted`".into());
        }
        if clock.when.is_empty() != clock.not_evaluated {
            say(path, "either `when` or `not_evaluated`".into());
        }
        if !is_date(&clock.as_of) {
            say(path, format!("as_of is no date: {}", clock.as_of));
        }
        for t in [&clock.title, &clock.who, &clock.recipient, &clock.channel, &clock.trigger.ask].into_iter().filter(|t| blank(t))
        {
            say(path, format!("a text lacks one of its languages: {t:?}"));
        }
    }
    for (path, file) in &routes {
        for r in file.route.iter().filter(|r| blank(&r.title) || blank(&r.why) || r.when.is_empty() || !is_date(&r.as_of)) {
            say(path, format!("{}: a text lacks one of its languages, or when, or as_of is missing", r.id));
        }
    }
    for (path, file) in &contacts {
        for c in file.contact.iter().filter(|c| blank(&c.name) || blank(&c.whom) || blank(&c.call_for) || !is_date(&c.as_of)) {
            say(path, format!("{}: a text lacks one of its languages, or as_of is no date", c.id));
        }
    }
    for (path, file) in &golden {
        for n in file.rule.iter().filter(|n| n.fr.trim().is_empty() || n.en.trim().is_empty()) {
            say(path, format!("a rule lacks one of its languages: {n:?}"));
        }
    }
    for (path, file) in &glossary {
        for t in &file.term {
            if [&t.fr.term, &t.fr.means, &t.en.term, &t.en.means].iter().any(|s| s.trim().is_empty()) {
                say(path, format!("a word lacks one of its languages: {}", t.fr.term));
            }
        }
    }
    for (path, file) in &attacks {
        let mut seen = BTreeSet::new();
        for a in &file.attack {
            if blank(&a.title) || blank(&a.looks_like) || !seen.insert(&a.id) {
                say(path, format!("{}: stands twice or lacks one of its languages", a.id));
            }
        }
    }
    out
}

fn read<T: DeserializeOwned>(files: &BTreeMap<String, String>, start: &str, out: &mut Vec<String>) -> Vec<(String, T)> {
    let mut all = Vec::new();
    for (path, text) in files.iter().filter(|(p, _)| p.starts_with(start)) {
        match toml::from_str(text) {
            Ok(value) => all.push((path.clone(), value)),
            Err(error) => out.push(format!("{path}: {error}")),
        }
    }
    if all.is_empty() {
        out.push(format!("{start}: is missing or empty"));
    }
    all
}

fn blank(text: &Text) -> bool {
    text.fr.trim().is_empty() || text.en.trim().is_empty()
}

/// Whether a text is `YYYY-MM-DD` in shape.
fn is_date(text: &str) -> bool {
    text.len() == 10 && text.bytes().enumerate().all(|(n, b)| if n == 4 || n == 7 { b == b'-' } else { b.is_ascii_digit() })
}

/// Names between `%` in a line.
pub fn holes(line: &str) -> Vec<String> {
    line.split('%').skip(1).step_by(2).map(str::to_owned).collect()
}

/// For each hole, whether a quote stands beside it.
fn holes_with_neighbours(line: &str) -> Vec<bool> {
    let parts: Vec<&str> = line.split('%').collect();
    (1..parts.len())
        .step_by(2)
        .map(|n| parts[n - 1].ends_with(['\'', '"']) || parts.get(n + 1).is_some_and(|p| p.starts_with(['\'', '"'])))
        .collect()
}

/// What a cell of the preparation pack must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// Anything.
    Text,
    /// `YYYY-MM-DD`.
    Date,
    /// An address or range of addresses.
    Ip,
    /// An e-mail address or user principal name.
    Address,
    /// A GUID.
    Guid,
    /// A whole number.
    Number,
    /// Yes or no.
    YesNo,
    /// Opening hours: `24/7`, or `mon-fri 09:00-12:30 14:00-17:30 | sat 09:00-12:00`.
    Hours,
}

/// A column of the preparation pack.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackColumn {
    /// Name in the first line of the file.
    pub name: String,
    /// What a cell must be.
    pub kind: CellKind,
    /// Must not be empty.
    #[serde(default)]
    pub required: bool,
    /// What to write.
    pub hint: Text,
}

/// A table of the preparation pack.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackTable {
    /// Id: the file is `<id>.csv`.
    pub id: String,
    /// A row checked longer ago, in days, is old.
    pub days: u16,
    /// Title.
    pub title: Text,
    /// What nobody can say when it is empty or old.
    pub unknown: Text,
    /// Columns.
    pub column: Vec<PackColumn>,
}

/// The file `next/pack.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackDefFile {
    /// Tables.
    pub table: Vec<PackTable>,
}
