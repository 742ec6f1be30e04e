//! What the files of `fiche/` hold: the shapes of `check.toml`, `action.toml`, signals, items and cases, and the rules
//! that a tree must keep. The build script includes this very file, so that a faulty tree does not compile.
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use reflexe_model::{Lang, Text, Verdict};
use serde::Deserialize;

/// What kind of row proves a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A setting: never above `weakness`.
    Posture,
    /// How something was when it was exported.
    State,
    /// Something that happened.
    Event,
}

impl Class {
    /// The word used in `check.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Posture => "posture",
            Self::State => "state",
            Self::Event => "event",
        }
    }
}

/// What must be covered for a check to say `ok`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The whole window must be covered.
    #[serde(default)]
    pub window: bool,
    /// Each of these operations must be covered.
    #[serde(default)]
    pub operations: Vec<String>,
    /// `table.column`: each member of that population must be covered.
    #[serde(default)]
    pub per: Option<String>,
    /// Tables that serve instead.
    #[serde(default)]
    pub or: Vec<String>,
    /// A state older than this at the end of the window is stale.
    #[serde(default)]
    pub max_age_hours: Option<u32>,
    /// For `answer`: the question that a person must have answered.
    #[serde(default)]
    pub question: Option<String>,
}

/// From how many points on a verdict is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judge {
    /// Verdict of a row without any sign. Default `ok`.
    #[serde(default)]
    pub base: Option<Verdict>,
    /// Points from which it is a weakness.
    #[serde(default)]
    pub weakness: Option<i64>,
    /// Points from which it is suspicious.
    #[serde(default)]
    pub suspicious: Option<i64>,
    /// Points from which it is a compromise.
    #[serde(default)]
    pub compromise: Option<i64>,
    /// Points from which a compromise is decisive.
    #[serde(default)]
    pub decisive: Option<i64>,
    /// Without this sign no point counts.
    #[serde(default)]
    pub only_if: Option<String>,
}

/// A fact about a row that speaks for or against a verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// Points added when it holds.
    #[serde(default)]
    pub points: Option<i64>,
    /// Verdict reached when it holds.
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// Weight of the finding when it holds, instead of the check's.
    #[serde(default)]
    pub weight: Option<u32>,
    /// The verdict is lowered to this when it holds.
    #[serde(default)]
    pub at_most: Option<Verdict>,
    /// A compromise in which it holds is decisive.
    #[serde(default)]
    pub decisive: bool,
    /// Another action at which a finding with this sign points, instead of the check's.
    #[serde(default)]
    pub also_suspects: Option<String>,
    /// Rows of these tables prove it: *false* counts only where they are covered.
    #[serde(default)]
    pub seen_in: Vec<String>,
    /// Nothing in these tables proves it: *true* counts only where they are covered.
    #[serde(default)]
    pub absent_from: Vec<String>,
    /// Tables to name when the SQL itself cannot tell.
    #[serde(default)]
    pub hinges_on: Vec<String>,
    /// Its words in French.
    #[serde(default)]
    pub fr: Option<String>,
    /// Its words in English.
    #[serde(default)]
    pub en: Option<String>,
}

/// A parameter of a query.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its value: a number, a text or a boolean.
    pub value: toml::Value,
    /// Where the value comes from.
    pub why: String,
}

/// A check, as `check.toml` judges and words it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckDef {
    /// Id, stable for ever.
    pub id: String,
    /// Items of the sheet that it answers.
    pub items: Vec<String>,
    /// Class.
    pub class: Class,
    /// Severity if true, 0 to 100.
    pub weight: u32,
    /// Stage of an attack, as `stages.toml` names it, empty for settings.
    #[serde(default)]
    pub stage: String,
    /// ATT&CK techniques.
    #[serde(default)]
    pub attack: Vec<String>,
    /// The question that it answers.
    pub question: Text,
    /// What to do about a finding.
    #[serde(default)]
    pub todo: Option<Text>,
    /// Without these no `ok`.
    #[serde(default)]
    pub needs: BTreeMap<String, Need>,
    /// These sharpen the verdict and block nothing.
    #[serde(default)]
    pub better_with: BTreeMap<String, Need>,
    /// Parameters of `check.sql`.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    /// Thresholds.
    #[serde(default)]
    pub judge: Judge,
    /// Signs, in the order in which they are told.
    #[serde(default)]
    pub signs: IndexMap<String, Sign>,
    /// Templates of sentences, by the value of the column `say`.
    pub say: BTreeMap<String, Say>,
    /// Value columns that tie findings together: kind of link → column.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Codes and their words, by list.
    #[serde(default)]
    pub words: BTreeMap<String, BTreeMap<String, Text>>,
    /// Another action at which a finding points.
    #[serde(default)]
    pub also_suspects: Option<String>,
    /// Rows of one act are one finding.
    #[serde(default)]
    pub bundle: Option<Bundle>,
    /// Column (or `subject`): whom a decisive finding makes a suspect beside its actor, from that act on. Who receives a grant or
    /// is a new account; never a victim.
    #[serde(default)]
    pub makes_suspect: Option<String>,
}

/// The sentence of one kind of finding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Say {
    /// In French.
    pub fr: String,
    /// In English.
    pub en: String,
    /// A finding that is so worded is never graver, whoever did it: "nothing is weakened" is no compromise.
    #[serde(default)]
    pub at_most: Option<Verdict>,
}

impl Say {
    /// The template in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Fr => &self.fr,
            Lang::En => &self.en,
        }
    }
}

impl CheckDef {
    /// The template that words a finding.
    pub fn template(&self, say: &str) -> Option<&Say> {
        self.say.get(if say.is_empty() { "found" } else { say })
    }

    /// Whether it matters for the verdict whose hand an act was: then each hand is judged by its own rows.
    pub fn judges_hands(&self) -> bool {
        ["in_context", "actor_is_suspect"].iter().any(|name| self.signs.contains_key(*name))
    }
}

/// Rows of one act are one finding, judged as its gravest row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Column: who did it.
    #[serde(default = "Bundle::default_actor")]
    pub actor: String,
    /// Column: on whom. Default: `subject`.
    #[serde(default)]
    pub subject: Option<String>,
    /// Column: rows of equal value are one act, whatever the time. Rows without a value fall back on the gap.
    #[serde(default)]
    pub link: Option<String>,
    /// Largest gap between neighbours without a link.
    #[serde(default = "Bundle::default_gap")]
    pub gap_minutes: u32,
}

impl Bundle {
    fn default_actor() -> String {
        "actor".to_owned()
    }

    // A request and its writing take seconds, a person's clicks some minutes [J].
    fn default_gap() -> u32 {
        5
    }

    /// Columns that `check.sql` must return for it.
    pub fn columns(&self) -> Vec<&str> {
        // Without a time nothing is near.
        let named = [Some(self.actor.as_str()), self.subject.as_deref(), self.link.as_deref(), Some("first_seen")];
        named.into_iter().flatten().collect()
    }
}

/// A signal: a view that several checks share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalDef {
    /// One sentence in French.
    pub fr: String,
    /// One sentence in English.
    pub en: String,
    /// Parameters of the SQL.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    /// What its columns mean.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// Columns whose values are hostile: kind of link → column. They seed the hostile context.
    #[serde(default)]
    pub hostile: BTreeMap<String, String>,
    /// Columns that say of which time a log proves nothing. What they name is taken from coverage, whatever check runs.
    #[serde(default)]
    pub ends_coverage: Option<EndsCoverage>,
    /// Computed once per run and kept in memory: for small results read by several checks.
    #[serde(default)]
    pub cache: bool,
}

/// Which columns of a signal say of which time a log proves nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndsCoverage {
    /// A query that has no row when there is nothing to end: most evidence has nothing, and is spared the search.
    pub when: String,
    /// Name of the table.
    pub table: String,
    /// Operation, a list of them, or `*`.
    pub operation: String,
    /// Whose acts, or `*`.
    pub subject: String,
    /// The act that ended the logging.
    pub from: String,
    /// When the log speaks again; NULL: not before the evidence ends.
    pub to: String,
}

/// An action of Mesure 1.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionDef {
    /// `1.a` …
    pub id: String,
    /// Items that it holds.
    pub items: Vec<String>,
    /// Title.
    pub title: Text,
    /// Types of incident that it concludes.
    #[serde(default)]
    pub types: Vec<String>,
    /// Glob of its checks, e.g. `1a.*`.
    pub checks: String,
    /// Checks that must all have full coverage before it may say `not_confirmed`.
    #[serde(default)]
    pub required: Vec<String>,
}

/// An item of the sheet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDef {
    /// Id, as in the list of items.
    pub id: String,
    /// Its action.
    #[serde(default)]
    pub action: Option<String>,
    /// What it asks, in our words.
    pub title: Text,
    /// Ids of `evidence/obtain` that answer it.
    #[serde(default)]
    pub obtain: Vec<String>,
    /// All that it asks for. Empty where its checks answer it whole.
    #[serde(default)]
    pub fact: Vec<Fact>,
}

/// One of the things that an item asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// In French.
    pub fr: String,
    /// In English.
    pub en: String,
    /// The checks that look at it, all of them; empty where none does.
    #[serde(default)]
    pub checks: Vec<String>,
    /// The question by which a person answers it where no check does.
    #[serde(default)]
    pub question: Option<String>,
}

impl Fact {
    /// The fact in both languages.
    pub fn text(&self) -> Text {
        Text::new(&self.fr, &self.en)
    }
}

/// What is wrong with the facts of the items: a check that is not there or answers another item, a question that is not there.
pub fn item_faults(items: &[ItemDef], checks: &BTreeMap<String, Vec<String>>, questions: &BTreeSet<String>) -> Vec<String> {
    let mut out = Vec::new();
    for (item, fact) in items.iter().flat_map(|i| i.fact.iter().map(move |f| (i, f))) {
        let mut say = |text: String| out.push(format!("items.toml: {}: {text}", item.id));
        if fact.fr.trim().is_empty() || fact.en.trim().is_empty() {
            say("a fact lacks one of its languages".into());
        }
        for check in fact.checks.iter().filter(|c| checks.get(*c).is_none_or(|items| !items.contains(&item.id))) {
            say(format!("no check {check} answers this item"));
        }
        if let Some(question) = fact.question.as_ref().filter(|q| !questions.contains(*q)) {
            say(format!("no question {question}"));
        }
        if fact.checks.is_empty() && fact.question.is_none() {
            say("a fact has neither a check nor a question".into());
        }
    }
    out
}

/// The file `fiche/items.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemFile {
    /// All items, in the order of the sheet.
    pub item: Vec<ItemDef>,
}

/// The cases of a check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// What every case starts from.
    #[serde(default)]
    pub base: CaseBase,
    /// The cases.
    pub case: Vec<Case>,
}

/// What every case of a file starts from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseBase {
    /// Tables as text grids.
    #[serde(default)]
    pub tables: BTreeMap<String, String>,
    /// Window.
    #[serde(default)]
    pub window: Option<[String; 2]>,
    /// Covered tables.
    #[serde(default)]
    pub covered: Vec<String>,
    /// Values of parameters.
    #[serde(default)]
    pub params: BTreeMap<String, toml::Value>,
    /// Principals held to be suspects.
    #[serde(default)]
    pub suspects: Vec<String>,
    /// Hostile links, `kind:value`.
    #[serde(default)]
    pub hostile: Vec<String>,
}

/// One case: tiny tables and the findings expected of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Tables covered whole: `table`, `table:operation`, `table@subject`.
    #[serde(default)]
    pub covered: Option<Vec<String>>,
    /// Window.
    #[serde(default)]
    pub window: Option<[String; 2]>,
    /// Expected verdict.
    pub verdict: Verdict,
    /// Expected missing tables.
    #[serde(default)]
    pub missing: Option<Vec<String>>,
    /// Principals held to be suspects.
    #[serde(default)]
    pub suspects: Option<Vec<String>>,
    /// Hostile links.
    #[serde(default)]
    pub hostile: Option<Vec<String>>,
    /// Values of parameters.
    #[serde(default)]
    pub params: Option<BTreeMap<String, toml::Value>>,
    /// Tables as text grids.
    #[serde(default)]
    pub tables: BTreeMap<String, String>,
    /// Expected findings, all of them, in order; only the named fields are compared.
    #[serde(default)]
    pub found: Vec<BTreeMap<String, toml::Value>>,
}

/// Signs that the engine computes itself.
pub const BUILT_IN: [&str; 9] = [
    "in_window",
    "in_context",
    "actor_is_suspect",
    "subject_is_vip",
    "subject_is_privileged",
    "subject_is_guest",
    "predates_window",
    "declared_legitimate",
    "own_response",
];

/// What is wrong with a check's folder, as sentences that name file and place. Empty when all is well.
pub fn faults(folder: &str, check: &CheckDef, cases: &CaseFile, items: &BTreeSet<String>) -> Vec<String> {
    let mut out = Vec::new();
    let mut say = |text: String| out.push(format!("{folder}: {text}"));
    let prefix = check.id.split('.').next().unwrap_or_default();
    if !folder.ends_with(&format!("/{}", check.id.trim_start_matches(prefix).trim_start_matches('.'))) {
        say(format!("the id {} does not end like the folder", check.id));
    }
    if check.items.is_empty() {
        say("answers no item".into());
    }
    for item in check.items.iter().filter(|i| !items.contains(*i)) {
        say(format!("no item {item} in fiche/items.toml"));
    }
    let texts = std::iter::once(&check.question).chain(&check.todo).map(|t| (&t.fr, &t.en));
    for (fr, en) in texts.chain(check.say.values().map(|s| (&s.fr, &s.en))) {
        if fr.trim().is_empty() || en.trim().is_empty() {
            say("a text lacks one of its languages".into());
        }
        if placeholders(fr) != placeholders(en) {
            say(format!("placeholders differ between the languages: {fr:?} / {en:?}"));
        }
    }
    for (name, sign) in &check.signs {
        if sign.fr.is_some() != sign.en.is_some() {
            say(format!("sign {name} speaks one language only"));
        }
        if check.class == Class::Posture && sign.verdict.is_some_and(|v| v > Verdict::Weakness) {
            say(format!("sign {name} goes above weakness in a posture check"));
        }
        for table in sign.seen_in.iter().chain(&sign.absent_from) {
            if !check.needs.contains_key(table) && !check.better_with.contains_key(table) {
                say(format!("sign {name}: table {table} is neither in needs nor in better_with"));
            }
        }
    }
    if check.class == Class::Posture && (check.judge.suspicious.is_some() || check.judge.compromise.is_some()) {
        say("a posture check ends at weakness".into());
    }
    if check.class == Class::Posture && !check.stage.is_empty() {
        say("a setting is no stage of an attack".into());
    }
    if check.class == Class::Posture && (check.bundle.is_some() || check.makes_suspect.is_some()) {
        say("a posture check has no act: neither [bundle] nor makes_suspect".into());
    }
    if let Some(sign) = check.judge.only_if.as_ref().filter(|s| !check.signs.contains_key(*s)) {
        say(format!("judge.only_if names no sign: {sign}"));
    }
    for (name, need) in &check.needs {
        if name == "answer" && need.question.is_none() {
            say("needs.answer names no question".into());
        }
    }
    if cases.case.len() < 3 {
        say("needs at least three cases: found, benign look-alike, evidence missing".into());
    }
    let has = |verdicts: &[Verdict]| cases.case.iter().any(|c| verdicts.contains(&c.verdict));
    if !has(&[Verdict::Unknown]) {
        say("no case where evidence is missing".into());
    }
    if !has(&[Verdict::Ok]) {
        say("no benign case".into());
    }
    if !cases.case.iter().any(|c| !c.found.is_empty()) {
        say("no case with a finding".into());
    }
    out
}

/// Names between braces in a template, without their options.
pub fn placeholders(template: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for piece in template.split('{').skip(1) {
        if let Some((inside, _)) = piece.split_once('}') {
            out.insert(inside.split(['|', ':']).next().unwrap_or_default().to_owned());
        }
    }
    out
}
