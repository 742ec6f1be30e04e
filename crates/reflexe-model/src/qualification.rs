//! The answer: everything that `qualify` found out, in the shape of `qualify --json` (schema `reflexe.qualification/1`).
//!
//! Further keys may be added; a key is never renamed. Times are RFC 3339 in UTC.
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ActionState, CoverageLevel, RowRef, Text, Verdict};

/// Version of the JSON shape.
pub const SCHEMA: &str = "reflexe.qualification/1";
/// Version of the document that holds the answers of several tenants.
pub const SCHEMA_SEVERAL: &str = "reflexe.qualifications/1";

/// The whole answer for one tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Qualification {
    /// [`SCHEMA`].
    pub schema: String,
    /// The case, its tenant and its window.
    pub case: CaseInfo,
    /// Every evidence file that was recognised, with its row accounting.
    pub evidence: Vec<EvidenceInfo>,
    /// Every file that was not, with the reason.
    pub unrecognised: Vec<Unrecognised>,
    /// Every item of the sheet.
    pub items: Vec<ItemResult>,
    /// Every check.
    pub checks: Vec<CheckResult>,
    /// What failed in whole or in part: checks, and signals that checks rest on. The rest stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// Every finding that is not `ok`, worst first.
    pub findings: Vec<Finding>,
    /// Findings about one principal or campaign, in time order; gravest story first.
    pub stories: Vec<Story>,
    /// The five actions 1.a to 1.e.
    pub actions: Vec<ActionResult>,
    /// What is known of each axis of the severity, as the set of values still possible.
    pub axes: Axes,
    /// The severity, proposed by the machine and as answered by people.
    pub severity: Severity,
    /// Id of the question that would narrow the severity most.
    pub next_question: Option<String>,
    /// The export to fetch next: the one that settles most items per minute.
    pub next_export: Option<NextExport>,
    /// All exports worth fetching, best first (includes `next_export`).
    #[serde(default)]
    pub exports: Vec<NextExport>,
}

/// The case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseInfo {
    /// Random id of the case folder.
    pub id: String,
    /// Title given by a person, or made from the tenant's name.
    pub title: String,
    /// The tenant that is judged here.
    pub tenant: TenantInfo,
    /// The period that is searched; none when no event log was given.
    pub window: Option<Window>,
    /// Suspected start, given by the responder.
    pub since: Option<Timestamp>,
    /// Ids of the other tenants of which the evidence holds rows.
    pub other_tenants: Vec<String>,
    /// Records outside the period that a person asked for, by table: read, and not searched.
    #[serde(default)]
    pub left_out: std::collections::BTreeMap<String, u64>,
}

/// A tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantInfo {
    /// Directory id, if any row says it.
    pub id: Option<String>,
    /// Domains that the evidence shows to be the tenant's own.
    pub domains: Vec<String>,
}

/// A period, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Start.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
}

/// One recognised evidence file. A file that holds several kinds of thing has one entry per source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceInfo {
    /// `e1`, `e2` … in order of import.
    pub id: String,
    /// Path as given.
    pub path: String,
    /// SHA-256 of the bytes, lower-case hexadecimal; `None` while nobody has computed it, or when a file left in place is gone.
    pub sha256: Option<String>,
    /// BLAKE3 of the bytes, computed while they were read; `None` for files imported before reflexe computed it.
    #[serde(default)]
    pub blake3: Option<String>,
    /// Id of the recognised variant, e.g. `ual.powershell_csv`.
    pub source: String,
    /// Row accounting: read = kept + duplicate + rejected.
    pub rows: RowCount,
    /// Earliest event time.
    pub from: Option<Timestamp>,
    /// Latest event time.
    pub to: Option<Timestamp>,
    /// What a reader should know of this file.
    pub notes: Vec<Text>,
}

/// Row accounting of a file: `read = kept + duplicate + rejected`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCount {
    /// Records met.
    pub read: u64,
    /// Records that became rows.
    pub kept: u64,
    /// Records already held by the case.
    pub duplicate: u64,
    /// Records that could not be read, each with its reason.
    pub rejected: u64,
}

impl RowCount {
    /// Whether nothing was lost.
    pub fn balances(&self) -> bool {
        self.read == self.kept + self.duplicate + self.rejected
    }

    /// Adds another file's counts.
    pub fn add(&mut self, other: RowCount) {
        self.read += other.read;
        self.kept += other.kept;
        self.duplicate += other.duplicate;
        self.rejected += other.rejected;
    }
}

/// A file that no source recognises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unrecognised {
    /// Path as given.
    pub path: String,
    /// Why, in both languages.
    pub reason: Text,
    /// A document that merely lies beside evidence (a README, a page, a picture): listed, not counted as a problem.
    #[serde(default)]
    pub harmless: bool,
    /// It was given and could not be read (the disk is full, a right is missing, the import was stopped): it may hold anything, so
    /// that nothing counts as wholly looked at.
    #[serde(default)]
    pub unread: bool,
}

/// The verdict of one item of the sheet: the worst of its checks, `ok` only when all that it asks for was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemResult {
    /// `1.a.1` …
    pub id: String,
    /// What the item asks, in the product's words.
    pub title: Text,
    /// Worst verdict of its checks; `unknown` if there is none, and instead of `ok` while something stays `open`.
    pub verdict: Verdict,
    /// Least coverage among its checks.
    pub coverage: CoverageLevel,
    /// Ids of `evidence/obtain` that would settle it.
    pub missing: Vec<String>,
    /// Checks that answer it.
    pub checks: Vec<String>,
    /// What it asks for and nobody looked at: no check does, and no person answered.
    #[serde(default)]
    pub open: Vec<OpenFact>,
}

/// Something that an item asks for and that a person must look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenFact {
    /// What.
    pub text: Text,
    /// The question by which a person answers it.
    pub question: Option<String>,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Id of the check.
    pub id: String,
    /// The question that it answers.
    pub question: Text,
    /// Its verdict.
    pub verdict: Verdict,
    /// How much of what it needs was covered.
    pub coverage: CoverageLevel,
    /// Ids of `evidence/obtain` that would complete it.
    pub missing: Vec<String>,
    /// Tables (with operations) that are needed and not covered, as written in `[needs]`.
    #[serde(default)]
    pub missing_tables: Vec<String>,
    /// Why evidence that is there does not answer: times of which the log proves nothing, records without their detail, an empty export,
    /// a collection that was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Text>,
    /// Number of findings.
    pub findings: usize,
    /// Number of things looked at, harmless ones included.
    #[serde(default)]
    pub examined: usize,
    /// Time that the check took is never here: outputs are the same at every run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A part of the judging that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A check's id, or `signal` and its name.
    pub what: String,
    /// Why, as the engine says it.
    pub error: String,
}

/// A typed value that ties findings of one story together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// `ip`, `session`, `token`, `app`, `device`, `message`, `destination`.
    pub kind: String,
    /// The value, as the evidence writes it.
    pub value: String,
}

/// One thing that a check saw and judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Hash of (check, subject, key, kind of sentence): the same at every run and on every machine.
    pub id: String,
    /// Check that found it.
    pub check: String,
    /// Items that it answers.
    pub items: Vec<String>,
    /// Verdict.
    pub verdict: Verdict,
    /// Whether it alone establishes an incident of its action's type.
    pub decisive: bool,
    /// Severity if true, 0 to 100.
    pub weight: u32,
    /// Stage of an attack, as `fiche/stages.toml` names it; empty for settings.
    pub stage: String,
    /// Who or what it is about, lower case.
    pub subject: String,
    /// What tells two findings of one subject apart.
    #[serde(default)]
    pub key: String,
    /// Who did it, if the rows agree on one.
    pub actor: Option<String>,
    /// Whom it raised, lower case: who received a grant, or is a new account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beneficiaries: Vec<String>,
    /// Earliest time among its rows.
    pub first_seen: Option<Timestamp>,
    /// Latest.
    pub last_seen: Option<Timestamp>,
    /// Number of rows, or what the check counted.
    pub count: u64,
    /// The sentence.
    pub text: Text,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// Signs that held, with their words and points.
    #[serde(default)]
    pub signs: Vec<SignShown>,
    /// Sum of points of the signs that held.
    #[serde(default)]
    pub points: i64,
    /// Verdict it would reach if the missing evidence showed the worst.
    #[serde(default)]
    pub could_be: Option<Verdict>,
    /// Exports that would settle it, when missing evidence leaves a sign open. (Tables, while the engine judges.)
    #[serde(default)]
    pub missing: Vec<String>,
    /// What ties it to other findings.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Whether a link of it stands in the hostile context.
    #[serde(default)]
    pub in_context: bool,
    /// Class of the check: `posture`, `state` or `event`.
    #[serde(default)]
    pub class: String,
    /// Another action at which this finding points.
    #[serde(default)]
    pub also_suspects: Option<String>,
    /// Hash of the verdict, the signs and the records: a person's mark is about what this stood for, and a finding that changed
    /// since is to be judged again.
    #[serde(default)]
    pub fingerprint: String,
    /// Number of rows that prove it.
    pub rows_total: u64,
    /// At most 100 of them.
    pub rows: Vec<RowRef>,
}

/// A sign that held, as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignShown {
    /// Name in `check.toml`.
    pub name: String,
    /// Its words.
    pub text: Text,
    /// Its points, if it has any.
    pub points: Option<i64>,
}

/// The findings about one principal or campaign, in time order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// Stable id.
    pub id: String,
    /// The principal.
    pub subject: String,
    /// Name of the application, when the subject is its id: an id alone tells nobody anything.
    #[serde(default)]
    pub name: Option<String>,
    /// 0 to 100.
    pub score: u32,
    /// `compromise`, `suspicion`, `to_check` or `noise`.
    #[serde(default)]
    pub level: StoryLevel,
    /// Stages reached, in order.
    pub stages: BTreeSet<String>,
    /// Earliest time.
    pub from: Option<Timestamp>,
    /// Latest time.
    pub to: Option<Timestamp>,
    /// Ids of its findings, in time order.
    pub findings: Vec<String>,
    /// Name of the attack if the acts fit one, else the level in words.
    #[serde(default)]
    pub title: Text,
    /// Id of that named attack in `fiche/stages.toml`.
    #[serde(default)]
    pub pattern: Option<String>,
    /// What happened, in a few sentences.
    pub text: Text,
    /// How the score was made, e.g. `85 = S1 25 + S2 20 + …`.
    #[serde(default)]
    pub breakdown: Text,
    /// Other principals tied to it.
    #[serde(default)]
    pub principals: Vec<String>,
    /// Accounts that it was done to, and that did nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub victims: Vec<String>,
    /// Facts that are not findings but belong to the account of what happened (a device registered, an address first seen).
    #[serde(default)]
    pub context: Vec<StoryFact>,
}

impl Finding {
    /// Whose act it is: the actor if a person is named, else nobody (a sign-in, a state) and then the subject.
    pub fn hand(&self) -> &str {
        match self.actor.as_deref() {
            Some(actor) if actor.contains('@') && self.class != "posture" => actor,
            _ => &self.subject,
        }
    }

    /// Whether it speaks of an incident: an act or a state, not a setting, that somebody must explain.
    pub fn accuses(&self) -> bool {
        self.verdict >= Verdict::Suspicious && self.class != "posture"
    }
}

impl Story {
    /// Whom it is about, as people read it: the name if there is one, else the subject. Chosen by an attacker either way.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.subject)
    }
}

/// A fact cited in a story without being a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoryFact {
    /// When.
    pub time: Option<Timestamp>,
    /// What.
    pub text: Text,
    /// The rows that show it.
    pub rows: Vec<RowRef>,
}

/// How strong a story is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoryLevel {
    /// Suspicious facts.
    #[default]
    ToCheck,
    /// 40 points and more, or an established fact.
    Suspicion,
    /// 70 points and more over three stages, or a fact that establishes it alone.
    Compromise,
}

/// The conclusion of one action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionResult {
    /// `1.a` …
    pub id: String,
    /// Title.
    pub title: Text,
    /// Types of incident that it concludes (`T1` … `T6`, `TX`).
    pub types: Vec<String>,
    /// What the machine proposes.
    pub proposed: ActionState,
    /// Whether a privileged account or application is concerned.
    pub privileged: bool,
    /// Which rule of `fiche/conclude.toml` answered.
    #[serde(default)]
    pub rule: String,
    /// The same in words.
    #[serde(default)]
    pub reason: Text,
    /// Ids of the findings that carry it.
    pub because: Vec<String>,
    /// Ids of findings or checks that speak against it.
    pub against: Vec<String>,
    /// What a person answered.
    pub answer: Option<ActionState>,
}

/// Whether an incident is established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirmation {
    /// Excluded by people.
    Refuted,
    /// Established.
    Confirmed,
}

/// Whether the tenant's administration must be held to be compromised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantState {
    /// No.
    No,
    /// Not established, treated as yes.
    Precaution,
    /// Yes.
    Yes,
}

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Perimeter {
    /// A part of the information system that can be named.
    Circumscribed,
    /// Beyond it.
    Extended,
}

/// Damage to the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// None.
    None,
    /// Moderate.
    Moderate,
    /// Strong.
    Strong,
}

/// State of the vital activities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    /// None is touched.
    None,
    /// Some are maintained in degraded mode.
    Degraded,
    /// Some stand still.
    Stopped,
}

/// The values still possible on each axis. Never empty; the full set means unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axes {
    /// Is an incident established?
    pub confirmation: BTreeSet<Confirmation>,
    /// Is the tenant's administration compromised?
    pub tenant_compromised: BTreeSet<TenantState>,
    /// How far?
    pub perimeter: BTreeSet<Perimeter>,
    /// How bad?
    pub impact: BTreeSet<Impact>,
    /// How urgent?
    pub urgency: BTreeSet<Urgency>,
}

/// The severity, computed twice by one function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Severity {
    /// The machine's proposals stand in for missing answers.
    pub proposed: SeverityRange,
    /// People's answers only.
    pub answered: SeverityRange,
    /// A person's decision.
    #[serde(rename = "override")]
    pub overridden: Option<u8>,
}

/// An interval of severities: 1 common anomaly, 2 minor incident, 3 major incident, 4 cyber crisis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityRange {
    /// At least.
    pub low: u8,
    /// At most.
    pub high: u8,
    /// The rules that fired.
    #[serde(default)]
    pub because: Vec<SeverityReason>,
}

/// A rule of the severity that fired, in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityReason {
    /// `R0` … `R6`.
    pub rule: String,
    /// In words.
    pub text: Text,
}

/// An export worth fetching.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextExport {
    /// Id in `evidence/obtain`.
    pub obtain: String,
    /// What it is.
    #[serde(default)]
    pub title: Text,
    /// Items that it settles.
    pub settles: Vec<String>,
    /// Items that it brings nearer without settling them alone.
    #[serde(default)]
    pub helps: Vec<String>,
    /// Minutes that it takes.
    pub minutes: u32,
}
