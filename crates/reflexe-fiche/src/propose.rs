//! What the evidence proposes to answer, with its reason and the findings that carry it. A proposal is never an answer: a person
//! accepts it by one act. Its digest is kept in the answer, so that evidence that moves afterwards shows.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_model::{
    ActionResult, ActionState, Answer, AnswerValue, Approx, Basis, Confidence, CoverageLevel, Finding, Lang, Mark, Qualification,
    Text, Verdict,
};
use sha2::{Digest, Sha256};

use crate::{
    answers::{Answers, Given},
    question::{Prefill, PrefillRule, QuestionDef, QuestionKind},
    say::{clean, list},
};

/// What the evidence proposes for one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The question.
    pub question: String,
    /// The value.
    pub value: AnswerValue,
    /// Why.
    pub reason: Text,
    /// Ids of the findings that carry it.
    pub findings: Vec<String>,
    /// Of question, value and findings: another digest is another proposal.
    pub digest: String,
}

/// What the caller knows beyond the qualification.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Accounts held to be compromised.
    pub compromised: BTreeSet<String>,
    /// Sensitive people, lower case.
    pub vip: BTreeSet<String>,
    /// Things counted in the evidence, by name (`global_admins`).
    pub counts: BTreeMap<String, u64>,
    /// Answers that the organisation prepared or the caller observed: question, value, reason.
    pub prepared: Vec<(String, AnswerValue, Text)>,
}

impl Proposal {
    fn new(question: &QuestionDef, value: AnswerValue, reason: Text, mut findings: Vec<String>) -> Self {
        findings.sort();
        findings.dedup();
        let digest = digest(&question.id, &value, &findings);
        Self { question: question.id.clone(), value, reason, findings, digest }
    }

    /// The answer of a person who accepts it.
    pub fn accept(&self) -> Answer {
        let basis: Vec<Basis> = self.findings.iter().cloned().map(Basis::Finding).collect();
        Answer {
            question: self.question.clone(),
            value: Some(self.value.clone()),
            approx: Approx::Exact,
            confidence: Confidence::High,
            basis: if basis.is_empty() { vec![Basis::Judgement] } else { basis },
            dont_know: None,
            not_applicable: None,
            comment: String::new(),
            accepted: Some(self.digest.clone()),
        }
    }
}

/// Whether the proposal that an answer accepted has changed or gone since: the answer stays and says so.
pub fn moved(given: &Given, now: Option<&Proposal>) -> bool {
    given.answer.accepted.as_ref().is_some_and(|accepted| now.is_none_or(|p| p.digest != *accepted))
}

fn digest(question: &str, value: &AnswerValue, findings: &[String]) -> String {
    let mut hash = Sha256::new();
    let parts = [value.choice.iter().cloned().collect(), value.list.clone().unwrap_or_default(), value.categories.clone()];
    hash.update(question);
    for part in parts.iter().map(Vec::as_slice).chain([findings]) {
        hash.update((part.len() as u64).to_le_bytes());
        for text in part {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
    }
    hash.update(format!("{:?}{:?}{:?}{}", value.count, value.text, value.date, value.list.is_some()));
    hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// Every proposal, by question.
pub fn proposals(questions: &[QuestionDef], q: &Qualification, answers: &Answers, facts: &Facts) -> BTreeMap<String, Proposal> {
    let source = Source { q, answers, facts };
    questions.iter().filter_map(|def| Some((def.id.clone(), source.of(def)?))).collect()
}

struct Source<'a> {
    q: &'a Qualification,
    answers: &'a Answers,
    facts: &'a Facts,
}

fn choice(choice: &str, list: Vec<String>) -> AnswerValue {
    AnswerValue { choice: Some(choice.to_owned()), list: (!list.is_empty()).then_some(list), ..AnswerValue::default() }
}

fn both(one: impl Fn(Lang) -> String) -> Text {
    Text::new(one(Lang::Fr), one(Lang::En))
}

impl Source<'_> {
    fn of(&self, def: &QuestionDef) -> Option<Proposal> {
        // What was prepared or observed for a question speaks before any rule.
        if let Some((_, value, reason)) = self.facts.prepared.iter().find(|(id, ..)| *id == def.id) {
            return Some(Proposal::new(def, value.clone(), reason.clone(), vec![]));
        }
        let prefill = def.prefill.as_ref()?;
        match prefill.rule {
            PrefillRule::Findings => self.findings(def, prefill),
            PrefillRule::Verdict => self.verdict(def),
            PrefillRule::Count => {
                let n = *self.facts.counts.get(prefill.count.as_ref()?)?;
                let value = AnswerValue { count: Some((n, n)), ..AnswerValue::default() };
                Some(Proposal::new(def, value, Text::new("Compté dans les preuves.", "Counted in the evidence."), vec![]))
            }
            PrefillRule::Accounts => self.accounts(def),
            PrefillRule::Vip => self.vip(def),
            PrefillRule::Leak => {
                let leak = self.action("T5")?;
                let suspected = matches!(leak.proposed, ActionState::Confirmed | ActionState::Suspected);
                let reason = both(|l| match l {
                    Lang::Fr => format!("{} À vous de dire si ces données sont sensibles.", leak.reason.fr),
                    Lang::En => format!("{} Whether this data is sensitive is yours to tell.", leak.reason.en),
                });
                suspected.then(|| Proposal::new(def, choice("suspected", vec![]), reason, leak.because.clone()))
            }
            PrefillRule::Undisturbed => {
                let undisturbed = self.answers.choice("Q.3c.01") == Some("none");
                let reason =
                    Text::new("Aucune activité vitale n'est perturbée (Q.3c.01).", "No vital activity is disturbed (Q.3c.01).");
                let none = AnswerValue { list: Some(vec![]), ..AnswerValue::default() };
                undisturbed.then(|| Proposal::new(def, none, reason, vec![]))
            }
            PrefillRule::Constant => {
                let reason = Text::new("Valeur habituelle.", "Usual value.");
                Some(Proposal::new(def, choice(prefill.choice.as_ref()?, vec![]), reason, vec![]))
            }
            PrefillRule::Prepared => None,
        }
    }

    /// The action that concludes a type of incident.
    fn action(&self, kind: &str) -> Option<&ActionResult> {
        self.q.actions.iter().find(|a| a.types.iter().any(|t| t == kind))
    }

    fn verdict(&self, def: &QuestionDef) -> Option<Proposal> {
        let kind = def.id.strip_prefix("V.")?;
        let action = self.action(kind)?;
        // Somebody sees the attacker administer: that is a privileged account.
        if matches!(kind, "T2" | "T3") && self.answers.choice("Q.1a.01") == Some("yes") {
            let names = self.answers.given("Q.1a.01").iter().filter_map(|g| g.answer.value.as_ref()?.list.clone()).flatten();
            let reason = Text::new(
                "L'attaquant est vu agir avec des droits d'administration (Q.1a.01).",
                "The attacker is seen acting with admin rights (Q.1a.01).",
            );
            return Some(Proposal::new(def, choice("confirmed", names.collect()), reason, action.because.clone()));
        }
        let (answer, carried) = match action.proposed {
            ActionState::Confirmed => ("confirmed", true),
            ActionState::Suspected => ("suspected", true),
            ActionState::NotConfirmed => ("refuted", false),
            ActionState::Refuted | ActionState::Unknown => return None,
        };
        let mut value = choice(answer, vec![]);
        if carried && kind != "T6" {
            let because: BTreeSet<&String> = action.because.iter().collect();
            let who = self.q.findings.iter().filter(|f| because.contains(&f.id) && f.hand().contains('@'));
            let who: BTreeSet<String> = who.map(|f| f.hand().to_owned()).collect();
            value.list = (!who.is_empty()).then(|| who.into_iter().collect());
        }
        if kind == "T6" && carried && action.privileged {
            value.categories.push("privileged".into());
        }
        let reason = both(|l| match (answer, l) {
            ("refuted", Lang::Fr) => format!("{} Vous seul pouvez l'écarter.", action.reason.fr),
            ("refuted", Lang::En) => format!("{} Only you can rule it out.", action.reason.en),
            _ => action.reason.get(l).to_owned(),
        });
        Some(Proposal::new(def, value, reason, if carried { action.because.clone() } else { vec![] }))
    }

    fn findings(&self, def: &QuestionDef, prefill: &Prefill) -> Option<Proposal> {
        let choices = def.choices();
        let (best, worst) = (choices.first()?, choices.last()?);
        let marked = |f: &Finding| self.answers.triage.get(&f.id).filter(|m| m.mark == Mark::Legitimate);
        let explained = |f: &Finding| marked(f).is_some_and(|m| !m.is_outdated(f));
        let seen: Vec<&Finding> = self
            .q
            .findings
            .iter()
            .filter(|f| prefill.checks.contains(&f.check) && f.verdict >= Verdict::Weakness && !explained(f))
            .collect();
        if seen.is_empty() {
            let checks: Vec<_> = prefill.checks.iter().map(|id| self.q.checks.iter().find(|c| c.id == *id)).collect();
            let covered = checks.iter().all(|c| {
                c.is_some_and(|c| {
                    c.error.is_none() && c.coverage == CoverageLevel::Full && matches!(c.verdict, Verdict::Ok | Verdict::Info)
                })
            });
            let names = prefill.checks.join(", ");
            let reason = both(|l| match l {
                Lang::Fr => format!("Tout a été regardé, rien d'anormal ({names})."),
                Lang::En => format!("All was looked at, nothing abnormal ({names})."),
            });
            return covered.then(|| Proposal::new(def, choice(best, vec![]), reason, vec![]));
        }
        let hostile = seen.iter().any(|f| f.verdict == Verdict::Compromise);
        let answer = match def.kind {
            // A weak setting is no hostile row.
            QuestionKind::Triage if hostile => "malicious",
            QuestionKind::Triage => "doubtful",
            _ => worst,
        };
        let subjects: BTreeSet<String> = seen.iter().map(|f| f.subject.clone()).collect();
        let named = matches!(def.kind, QuestionKind::TriList | QuestionKind::Triage);
        let value = choice(answer, if named { subjects.into_iter().collect() } else { vec![] });
        let reason = both(|l| {
            let first = seen.first().map(|f| f.text.get(l).to_owned()).unwrap_or_default();
            match (seen.len(), l) {
                (1, _) => first,
                (n, Lang::Fr) => format!("{n} constats, dont : {first}"),
                (n, Lang::En) => format!("{n} findings, among them: {first}"),
            }
        });
        Some(Proposal::new(def, value, reason, seen.iter().map(|f| f.id.clone()).collect()))
    }

    fn accounts(&self, def: &QuestionDef) -> Option<Proposal> {
        if self.facts.compromised.is_empty() {
            return None;
        }
        let names: Vec<String> = self.facts.compromised.iter().cloned().collect();
        let reason = both(|l| {
            let shown: Vec<String> = names.iter().map(|n| clean(n)).collect();
            match l {
                Lang::Fr => format!("Tenus pour compromis par les preuves : {}.", list(&shown, l)),
                Lang::En => format!("Held to be compromised by the evidence: {}.", list(&shown, l)),
            }
        });
        let value = match def.kind {
            QuestionKind::List => AnswerValue { list: Some(names.clone()), ..AnswerValue::default() },
            _ => choice("yes", names.clone()),
        };
        Some(Proposal::new(def, value, reason, vec![]))
    }

    fn vip(&self, def: &QuestionDef) -> Option<Proposal> {
        let hit = self.facts.compromised.iter().filter(|a| self.facts.vip.contains(&a.to_lowercase()));
        let names: Vec<String> = hit.cloned().collect();
        let reason = both(|l| {
            let shown: Vec<String> = names.iter().map(|n| clean(n)).collect();
            match l {
                Lang::Fr => format!("Personnes sensibles parmi les comptes compromis : {}.", list(&shown, l)),
                Lang::En => format!("Sensitive people among the compromised accounts: {}.", list(&shown, l)),
            }
        });
        (!names.is_empty()).then(|| Proposal::new(def, choice("yes", names.clone()), reason, vec![]))
    }
}

#[cfg(test)]
pub(crate) mod tests;
