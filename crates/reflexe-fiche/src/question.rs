//! What `questions.toml` holds: a question that only a person answers for good, and the rules that such files must keep.
//! The build script includes this very file, so that a faulty question does not compile.
use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use reflexe_model::Text;
use serde::Deserialize;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Yes or no.
    Tri,
    /// Yes or no, and which.
    TriList,
    /// The worst mark of the rows: legitimate, doubtful, malicious.
    Triage,
    /// Refuted, suspected, confirmed.
    Verdict,
    /// A number, perhaps approximate.
    Count,
    /// Named things; an empty list says: none.
    List,
    /// One of the question's own choices.
    Level,
    /// State of something to be done.
    Todo,
    /// Free text.
    Text,
    /// Computed; a person may only confirm it.
    Auto,
}

/// What the answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// It moves an axis of the severity or the order of containment: worth a prompt.
    Decide,
    /// It feeds a verdict or the account of what happened: offered, never pressed.
    Support,
    /// It prepares the work.
    Prepare,
    /// It is computed, or the frame of the qualification (time, conclusion).
    Computed,
}

/// Who can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)] // Their words are in fiche/conclusion/interview.toml; a test reads each.
pub enum Who {
    Rssi,
    Adm,
    Exo,
    Ad,
    Soc,
    Dsi,
    Biz,
    Dpo,
    Leg,
    Usr,
    Part,
    Com,
    Auto,
    Any,
}

/// What a question weighs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[allow(missing_docs)] // T1 to T6 and TX are types of incident; TC tenant, P perimeter, I impact, U urgency.
pub enum Weighs {
    T1,
    T2,
    T3,
    T4,
    T5,
    T6,
    TX,
    TC,
    P,
    I,
    U,
}

/// What proposes an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefillRule {
    /// The findings of `checks`.
    Findings,
    /// The conclusion of the action that concludes this type of incident.
    Verdict,
    /// A number that the caller counted, by name.
    Count,
    /// The accounts held to be compromised.
    Accounts,
    /// Sensitive people among them.
    Vip,
    /// The conclusion on leaks: whether the data is sensitive is for a person.
    Leak,
    /// What the organisation prepared or the caller observed.
    Prepared,
    /// "None", once it is answered that no vital activity is disturbed.
    Undisturbed,
    /// Always `choice`.
    Constant,
}

/// How a question is prefilled.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefill {
    /// The rule.
    pub rule: PrefillRule,
    /// Its checks.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Its choice.
    #[serde(default)]
    pub choice: Option<String>,
    /// The name of its number.
    #[serde(default)]
    pub count: Option<String>,
}

/// Minutes that an answer takes.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minutes {
    /// With the evidence at hand, or by asking.
    pub loaded: f64,
    /// When evidence must be fetched first.
    pub fetch: f64,
}

/// An answer that answers other questions too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Implies {
    /// With this choice …
    pub choice: String,
    /// … these are answered "none".
    pub questions: Vec<String>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionDef {
    /// Id, stable for ever.
    pub id: String,
    /// Its place in the sheet.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Items of the sheet that it answers.
    #[serde(default)]
    pub items: Vec<String>,
    /// Form of the answer.
    pub kind: QuestionKind,
    /// What it is for.
    pub ask: Ask,
    /// Choices from the least to the most grave, where they are not those of the kind.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Who can answer.
    pub who: Vec<Who>,
    /// The question in French.
    pub fr: String,
    /// The question in English.
    pub en: String,
    /// How to find out, and what a grave answer looks like.
    pub help: Text,
    /// What it weighs on: 3 decides alone, 2 strong, 1 supports.
    #[serde(default)]
    pub weights: BTreeMap<Weighs, u8>,
    /// Its place in the usual order of work.
    pub rank: u32,
    /// Minutes.
    pub minutes: Minutes,
    /// How much the answer matters for what is done first, beside the severity: 0 to 3.
    #[serde(default)]
    pub routing: u32,
    /// The best answer counts only with a name.
    #[serde(default)]
    pub named: bool,
    /// What proposes an answer.
    #[serde(default)]
    pub prefill: Option<Prefill>,
    /// Questions whose answer makes this one superfluous.
    #[serde(default)]
    pub covered_by: Vec<String>,
    /// Questions with which this one is unknown: whoever does not know those cannot answer this.
    #[serde(default)]
    pub unknown_with: Vec<String>,
    /// Asked only if one of these questions has one of these answers.
    #[serde(default)]
    pub only_if: BTreeMap<String, Vec<String>>,
    /// What it answers besides.
    #[serde(default)]
    pub implies: Option<Implies>,
    /// Categories that an answer may name.
    #[serde(default)]
    pub categories: IndexMap<String, Text>,
}

impl QuestionDef {
    /// Its choices, from the least to the most grave. Empty for numbers, lists and texts.
    pub fn choices(&self) -> Vec<&str> {
        if !self.choices.is_empty() {
            return self.choices.iter().map(String::as_str).collect();
        }
        match self.kind {
            QuestionKind::Tri | QuestionKind::TriList => vec!["no", "yes"],
            QuestionKind::Triage => vec!["legitimate", "doubtful", "malicious"],
            QuestionKind::Verdict => vec!["refuted", "suspected", "confirmed"],
            QuestionKind::Todo => vec!["done", "doing", "planned", "failed"],
            QuestionKind::Count | QuestionKind::List | QuestionKind::Level | QuestionKind::Text | QuestionKind::Auto => vec![],
        }
    }

    /// The question in both languages.
    pub fn text(&self) -> Text {
        Text::new(&self.fr, &self.en)
    }
}

/// A file `questions.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionFile {
    /// Its questions.
    pub question: Vec<QuestionDef>,
}

/// What is wrong with the questions of a tree (path and question), as sentences. Empty when all is well.
pub fn question_faults(all: &[(String, QuestionDef)], items: &BTreeSet<String>, checks: &BTreeSet<String>) -> Vec<String> {
    let mut out = Vec::new();
    let mut ids = BTreeSet::new();
    for (path, q) in all {
        if !ids.insert(q.id.as_str()) {
            out.push(format!("{path}: the id {} is taken", q.id));
        }
    }
    let choices: BTreeMap<&str, Vec<&str>> = all.iter().map(|(_, q)| (q.id.as_str(), q.choices())).collect();
    for (path, q) in all {
        let mut say = |text: String| out.push(format!("{path}: {}: {text}", q.id));
        let texts = [q.text(), q.help.clone()].into_iter().chain(q.categories.values().cloned());
        if texts.into_iter().any(|t| t.fr.trim().is_empty() || t.en.trim().is_empty()) {
            say("a text lacks one of its languages".into());
        }
        for item in q.items.iter().filter(|i| !items.contains(*i)) {
            say(format!("no item {item} in fiche/items.toml"));
        }
        for check in q.prefill.iter().flat_map(|p| &p.checks).filter(|c| !checks.contains(*c)) {
            say(format!("no check {check}"));
        }
        if q.who.is_empty() {
            say("nobody can answer it".into());
        }
        if q.weights.values().any(|n| !(1..=3).contains(n)) {
            say("a weight is 1, 2 or 3".into());
        }
        if !(q.minutes.loaded > 0.0 && q.minutes.fetch >= q.minutes.loaded) {
            say("minutes: 0 < loaded <= fetch".into());
        }
        if q.kind == QuestionKind::Level && q.choices.is_empty() {
            say("a level needs choices".into());
        }
        if let Some(p) = &q.prefill {
            let lacks = match p.rule {
                PrefillRule::Findings => p.checks.is_empty(),
                PrefillRule::Constant => !p.choice.as_deref().is_some_and(|c| q.choices().contains(&c)),
                PrefillRule::Count => p.count.is_none(),
                _ => false,
            };
            if lacks {
                say("the prefill lacks what its rule needs".into());
            }
        }
        let named =
            q.covered_by.iter().chain(&q.unknown_with).chain(q.only_if.keys()).chain(q.implies.iter().flat_map(|i| &i.questions));
        for other in named.filter(|o| !choices.contains_key(o.as_str())) {
            say(format!("no question {other}"));
        }
        for (other, wanted) in &q.only_if {
            let known = choices.get(other.as_str());
            for choice in wanted.iter().filter(|c| !known.is_some_and(|k| k.contains(&c.as_str()))) {
                say(format!("{other} has no choice {choice}"));
            }
        }
        if let Some(i) = q.implies.as_ref().filter(|i| !q.choices().contains(&i.choice.as_str())) {
            say(format!("it has no choice {}", i.choice));
        }
    }
    out
}
