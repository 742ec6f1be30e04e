//! What people said, folded from the journal: answers to questions, marks on findings, decisions, people, the vital activities.
//!
//! Pure, and a function of the set of entries: in whatever order they were merged, the result is the same. Entries that were
//! corrected or redacted do not count. Two answers of which neither writer knew the other's are a conflict: both stay, until
//! somebody who saw both answers again.
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reflexe_model::{ActionResult, ActionState, Answer, DontKnow, Entry, Finding, Mark, Payload, Person, Triage, standing};

/// An answer, with who gave it and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The answer.
    pub answer: Answer,
    /// Who answered.
    pub who: String,
    /// When, RFC 3339 as it was meant.
    pub at: String,
    /// Id of the entry.
    pub entry: String,
}

/// Where a question stands.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // One a question, made when asked for.
pub enum Standing {
    /// Nobody answered.
    Open,
    /// One answer stands.
    Answered(Given),
    /// Several answers stand, and they differ.
    Conflict(Vec<Given>),
}

/// A person's mark on a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Marked {
    /// The mark.
    pub mark: Mark,
    /// Why.
    pub reason: String,
    /// Who.
    pub who: String,
    /// Whether others marked it otherwise; then the gravest mark is kept.
    pub conflict: bool,
    /// Fingerprint of the finding that was judged, where the mark keeps one.
    pub fingerprint: Option<String>,
}

impl Marked {
    /// Whether the finding is not any more what was judged: it grew, or weighs otherwise.
    pub fn is_outdated(&self, finding: &Finding) -> bool {
        self.fingerprint.as_ref().is_some_and(|seen| *seen != finding.fingerprint)
    }
}

/// A decision of a person with its circumstances.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<T> {
    /// What was decided.
    pub value: T,
    /// Why.
    pub reason: String,
    /// Who.
    pub who: String,
    /// When, RFC 3339.
    pub at: String,
}

/// The severity that a person retained, with what was computed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// 1 to 4.
    pub level: u8,
    /// The interval computed when it was retained.
    pub computed: (u8, u8),
    /// Who countersigned.
    pub countersigned: Option<String>,
}

/// Everything that people said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    given: BTreeMap<String, Vec<Given>>,
    /// Marks, by finding.
    pub triage: BTreeMap<String, Marked>,
    /// Severities retained: none, one, or several in conflict.
    pub overrides: Vec<Decision<Retained>>,
    /// Whether a compromised tenant is held to be circumscribed. In a conflict it is not.
    pub keep_perimeter: Option<Decision<bool>>,
    /// Who works on the case, by name.
    pub people: Vec<Person>,
}

/// Entries that still count: neither corrected nor redacted, each once, in an order that no merge changes.
fn counting(entries: &[Entry]) -> Vec<(&Entry, Payload)> {
    let gone: BTreeSet<&str> = entries.iter().filter_map(|e| e.header.supersedes.as_deref()).collect();
    let mut seen = BTreeSet::new();
    let mut out: Vec<(&Entry, Payload)> = entries
        .iter()
        .filter(|e| !gone.contains(e.header.entry_id.as_str()) && seen.insert(e.hash.as_str()))
        .filter_map(|e| Some((e, Payload::of(e)?)))
        .collect();
    out.sort_by_cached_key(|(e, _)| (e.order(), e.hash.clone()));
    out
}

fn who(entry: &Entry) -> String {
    entry.content.as_ref().map(|c| c.actor.clone()).unwrap_or_default()
}

fn at(entry: &Entry) -> String {
    entry.content.as_ref().map_or_else(|| entry.header.recorded_at.clone(), |c| c.when.start.clone())
}

/// What stands among the entries of one key, in the order of ids.
fn heads<'a, T: Clone>(of: &[(&'a Entry, T)]) -> Vec<(&'a Entry, T)> {
    let entries: Vec<&Entry> = of.iter().map(|(e, _)| *e).collect();
    let standing = standing(&entries);
    standing.iter().filter_map(|s| of.iter().find(|(e, _)| e.hash == s.hash).cloned()).collect()
}

impl Answers {
    /// Folds a journal.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut answers: BTreeMap<String, Vec<(&Entry, Answer)>> = BTreeMap::new();
        let mut marks: BTreeMap<String, Vec<(&Entry, Triage)>> = BTreeMap::new();
        let (mut overrides, mut keeps) = (Vec::new(), Vec::new());
        let mut people: BTreeMap<String, Person> = BTreeMap::new();
        for (entry, payload) in counting(entries) {
            match payload {
                Payload::Answer(a) => answers.entry(a.question.clone()).or_default().push((entry, a)),
                Payload::Triage(t) => marks.entry(t.finding.clone()).or_default().push((entry, t)),
                Payload::Override { level, reason, computed, countersigned } => {
                    overrides.push((entry, (level, reason, computed, countersigned)));
                }
                Payload::KeepPerimeter { keep, reason } => keeps.push((entry, (keep, reason))),
                Payload::Person(p) if !p.name.trim().is_empty() => {
                    people.insert(p.name.to_lowercase(), p);
                }
                _ => {}
            }
        }
        let given = answers.into_iter().map(|(id, all)| (id, different(&heads(&all)))).collect();
        let triage = marks.into_iter().filter_map(|(id, all)| Some((id, mark(&heads(&all))?))).collect();
        let overrides = heads(&overrides)
            .into_iter()
            .filter_map(|(e, (level, reason, computed, countersigned))| {
                let value = Retained { level: level?, computed, countersigned };
                Some(Decision { value, reason, who: who(e), at: at(e) })
            })
            .collect();
        let keeps = heads(&keeps);
        let agreed = keeps.iter().all(|(_, (keep, _))| *keep);
        let keep_perimeter =
            keeps.first().map(|(e, (_, reason))| Decision { value: agreed, reason: reason.clone(), who: who(e), at: at(e) });
        Self { given, triage, overrides, keep_perimeter, people: people.into_values().collect() }
    }

    /// Where a question stands.
    pub fn standing(&self, question: &str) -> Standing {
        match self.given(question) {
            [] => Standing::Open,
            [one] => Standing::Answered(one.clone()),
            all => Standing::Conflict(all.to_vec()),
        }
    }

    /// The answers that stand: none, one, or several that differ.
    pub fn given(&self, question: &str) -> &[Given] {
        self.given.get(question).map_or(&[], Vec::as_slice)
    }

    /// Whether anybody answered, be it "I don't know".
    pub fn is_answered(&self, question: &str) -> bool {
        !self.given(question).is_empty()
    }

    /// Whether a question stands answered with a value, or as not applicable.
    pub fn is_known(&self, question: &str) -> bool {
        self.given(question).iter().any(|g| g.answer.dont_know.is_none())
    }

    /// The choice of the one answer that stands.
    pub fn choice(&self, question: &str) -> Option<&str> {
        match self.given(question) {
            [one] => one.answer.value.as_ref()?.choice.as_deref(),
            _ => None,
        }
    }

    /// These answers and one more that replaces whatever stood for its question: to see what it would change.
    pub fn supposing(&self, answer: Answer) -> Self {
        let mut out = self.clone();
        let given = Given { who: String::new(), at: String::new(), entry: String::new(), answer };
        out.given.insert(given.answer.question.clone(), vec![given]);
        out
    }

    /// Ids of all questions that somebody answered.
    pub fn questions(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// Questions on which answers differ.
    pub fn conflicts(&self) -> Vec<&str> {
        self.given.iter().filter(|(_, g)| g.len() > 1).map(|(id, _)| id.as_str()).collect()
    }

    /// Whether a compromised tenant is held to be circumscribed.
    pub fn keeps_perimeter(&self) -> bool {
        self.keep_perimeter.as_ref().is_some_and(|d| d.value)
    }

    /// Vital activities that people named: (stopped, degraded, disturbed). Each name once, in order.
    pub fn activities(&self) -> [Vec<String>; 3] {
        ["Q.4b.01", "Q.4b.02", "Q.3c.01"].map(|id| {
            let values = self.given(id).iter().filter_map(|g| g.answer.value.as_ref()?.list.as_ref());
            let names: BTreeSet<String> = values.flatten().cloned().collect();
            names.into_iter().collect()
        })
    }

    /// What people concluded on an action, from the verdicts on its types of incident.
    pub fn action(&self, types: &[String]) -> Option<ActionState> {
        let verdicts: Vec<&Given> = types.iter().flat_map(|t| self.given(&format!("V.{t}"))).collect();
        if verdicts.is_empty() {
            return None;
        }
        let choices: Vec<&str> = verdicts.iter().filter_map(|g| g.answer.value.as_ref()?.choice.as_deref()).collect();
        // Sure of it, and nobody who says otherwise of the same type.
        let sure = |t: &String| {
            matches!(self.given(&format!("V.{t}")), [one]
                if one.answer.confidence != reflexe_model::Confidence::Low && self.choice(&format!("V.{t}")) == Some("confirmed"))
        };
        let all = |wanted: &str| types.iter().all(|t| self.choice(&format!("V.{t}")) == Some(wanted));
        Some(if types.iter().any(sure) {
            ActionState::Confirmed
        } else if choices.iter().any(|c| matches!(*c, "confirmed" | "suspected")) {
            ActionState::Suspected
        } else if all("refuted") {
            ActionState::Refuted
        } else {
            ActionState::Unknown
        })
    }

    /// Writes people's conclusions into the actions.
    pub fn fill(&self, actions: &mut [ActionResult]) {
        for action in actions {
            action.answer = self.action(&action.types);
        }
    }
}

/// Answers that stand and differ. Who does not know contradicts nobody who does.
fn different(heads: &[(&Entry, Answer)]) -> Vec<Given> {
    let known = heads.iter().any(|(_, a)| a.dont_know.is_none());
    let mut out: Vec<Given> = Vec::new();
    for (entry, answer) in heads {
        let silent = known && answer.dont_know.is_some();
        let same = |g: &Given| says(&g.answer) == says(answer) || (!known && g.answer.dont_know.is_some());
        if !silent && !out.iter().any(same) {
            out.push(Given { answer: answer.clone(), who: who(entry), at: at(entry), entry: entry.header.entry_id.clone() });
        }
    }
    out
}

/// What an answer says, without what it rests on.
#[allow(clippy::type_complexity)]
fn says(
    a: &Answer,
) -> (&Option<reflexe_model::AnswerValue>, reflexe_model::Approx, reflexe_model::Confidence, &Option<DontKnow>, &Option<String>) {
    (&a.value, a.approx, a.confidence, &a.dont_know, &a.not_applicable)
}

fn mark(heads: &[(&Entry, Triage)]) -> Option<Marked> {
    let gravity = |m: Mark| match m {
        Mark::Legitimate => 0,
        Mark::Doubtful => 1,
        Mark::Malicious => 2,
    };
    let (entry, worst) = heads.iter().max_by_key(|(_, t)| gravity(t.mark))?;
    let conflict = heads.iter().any(|(_, t)| t.mark != worst.mark);
    let fingerprint = worst.fingerprint.clone();
    Some(Marked { mark: worst.mark, reason: worst.reason.clone(), who: who(entry), conflict, fingerprint })
}

/// The hour and minute of a moment as it was meant, `14:41`; empty if it is no moment.
pub fn clock(at: &str) -> &str {
    if at.parse::<Timestamp>().is_ok() { at.get(11..16).unwrap_or_default() } else { "" }
}

#[cfg(test)]
pub(crate) mod tests;
