//! Which question next: the one that moves the severity most for each minute, with what is known now.
//!
//! Each possible answer is supposed in turn and the interval computed again; how far its bounds move, on average, is what the
//! question is worth. What evidence proposes counts as likely, and costs a glance. Nothing here is chance: same case, same order.
use std::{cmp::Reverse, collections::BTreeMap};

use reflexe_model::{ActionState, Answer, AnswerValue, Approx, Confidence, Qualification, SeverityRange};

use crate::{
    answers::Answers,
    axes::{Frame, answered, axis_of},
    propose::Proposal,
    question::{Ask, PrefillRule, QuestionDef, QuestionKind},
    severity::severity_with,
};

/// Asked before all else while a privileged account is suspected: who holds the administration can lock everybody out.
const SEEN: &str = "Q.1a.01";
/// An answer that the evidence proposes is this many times as likely as each other one [J].
const LIKELY: u64 = 6;
/// Two answers that only together change anything.
const PAIRS: [(&str, &str); 2] = [("Q.2a.01", "Q.2b.03"), ("Q.2b.03", "Q.2a.01")];

/// All that the order depends on.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// The questions.
    pub questions: &'a [QuestionDef],
    /// What the machine found out.
    pub qualification: &'a Qualification,
    /// What people said.
    pub answers: &'a Answers,
    /// What the evidence proposes.
    pub proposals: &'a BTreeMap<String, Proposal>,
    /// What else the axes depend on.
    pub frame: Frame,
    /// Minutes left in the time-box; `None` without one.
    pub minutes_left: Option<u32>,
}

/// A question with its worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Its id.
    pub question: String,
    /// How far the bounds of the severity move on average, in thousandths of a level.
    pub change: u64,
    /// Change and weight for what is done first, per minute.
    pub score: u64,
    /// What the answer takes, in tenths of a minute.
    pub tenths: u64,
    /// Whether it is worth a prompt: it moves the severity, or what is done first.
    pub decides: bool,
}

impl State<'_> {
    /// The severity that people's answers give.
    pub fn range(&self) -> SeverityRange {
        self.range_of(self.answers)
    }

    fn range_of(&self, answers: &Answers) -> SeverityRange {
        severity_with(&answered(answers, &self.frame).axes, answers.keeps_perimeter())
    }

    /// All questions that are open and not covered by another answer, best first.
    pub fn ranked(&self) -> Vec<Ranked> {
        let base = self.range();
        let mut out: Vec<(Ranked, u32, bool)> =
            self.questions.iter().filter(|q| self.is_open(q)).map(|q| (self.rank(q, &base), q.rank, q.id == SEEN)).collect();
        // One call may answer several questions: it is worth as much as the best of them, and comes before it.
        for q in self.questions {
            let Some(implies) = &q.implies else { continue };
            let implied = out.iter().map(|(r, ..)| r).filter(|r| r.decides && implies.questions.contains(&r.question));
            let best = implied.map(|r| r.score + 1).max().unwrap_or_default();
            if let Some((r, ..)) = out.iter_mut().find(|(r, ..)| r.question == q.id) {
                (r.decides, r.score) = (r.decides || best > 0, r.score.max(best));
            }
        }
        // What no longer fits in the time left comes after what does.
        let late = |r: &Ranked| self.minutes_left.is_some_and(|m| r.tenths > u64::from(m) * 10);
        out.sort_by_cached_key(|(r, rank, seen)| {
            (!(*seen && r.decides), !r.decides, late(r), Reverse(r.score), *rank, r.tenths, r.question.clone())
        });
        out.into_iter().map(|(r, ..)| r).collect()
    }

    /// The question to ask now; `None` when no answer would change the severity or what is done first.
    pub fn next(&self) -> Option<Ranked> {
        self.ranked().into_iter().find(|r| r.decides)
    }

    /// Whether a question may still be asked.
    pub fn is_open(&self, q: &QuestionDef) -> bool {
        if q.kind == QuestionKind::Auto || q.ask == Ask::Computed || self.answers.is_answered(&q.id) {
            return false;
        }
        let covered = !q.covered_by.is_empty() && q.covered_by.iter().all(|c| self.answers.is_answered(c));
        let unknowable = q.unknown_with.iter().any(|c| self.answers.is_answered(c) && !self.answers.is_known(c));
        let said = |id: &String, wanted: &Vec<String>| {
            let values = self.answers.given(id).iter().filter_map(|g| g.answer.value.as_ref()?.choice.as_ref());
            values.into_iter().any(|c| wanted.contains(c))
        };
        let wanted = q.only_if.is_empty() || q.only_if.iter().any(|(id, wanted)| said(id, wanted));
        !covered && !unknowable && wanted
    }

    fn rank(&self, q: &QuestionDef, base: &SeverityRange) -> Ranked {
        let change = if axis_of(&q.id).is_some() { self.change(q, base) } else { 0 };
        let tenths = self.tenths(q);
        let seen = q.id == SEEN && self.suspects_an_administrator();
        // A question that only supports a verdict is worth a part of what it weighs, never more than what decides.
        let support = q.weights.values().map(|w| u64::from(*w)).max().unwrap_or_default();
        let worth = change + u64::from(q.routing) * 100;
        let decides = seen || (q.ask == Ask::Decide && worth > 0);
        let worth = if q.ask == Ask::Support { worth + support * 10 } else { worth };
        Ranked { question: q.id.clone(), change, score: worth * 10 / tenths.max(1), tenths, decides }
    }

    fn suspects_an_administrator(&self) -> bool {
        let suspected = self.qualification.actions.iter().any(|a| a.id == "1.a" && a.proposed == ActionState::Suspected);
        suspected && !["V.T2", "V.T3"].iter().any(|v| self.answers.is_answered(v))
    }

    /// The mean of how far both bounds move, over the possible answers, the proposed one counting more.
    fn change(&self, q: &QuestionDef, base: &SeverityRange) -> u64 {
        let proposed = self.proposals.get(&q.id).map(|p| &p.value);
        let (mut sum, mut all) = (0, 0);
        for (at, answer) in suppositions(q).into_iter().enumerate() {
            let likely = proposed.is_some_and(|p| same(p, answer.value.as_ref()));
            let weight = if likely { LIKELY } else { 1 };
            let choice = answer.value.as_ref().and_then(|v| v.choice.clone());
            let mut answers = self.answers.supposing(answer);
            if let Some(implies) = q.implies.as_ref().filter(|i| choice.as_ref() == Some(&i.choice)) {
                let none = || AnswerValue { list: Some(vec![]), ..AnswerValue::default() };
                let open = implies.questions.iter().filter(|id| !self.answers.is_answered(id));
                answers = open.fold(answers, |all, id| all.supposing(valued(id, none())));
            }
            let partner = PAIRS.iter().find(|(one, _)| *one == q.id).map(|(_, other)| *other);
            let open = |id: &&str| self.questions.iter().any(|other| other.id == *id && self.is_open(other));
            if let Some(partner) = partner.filter(|p| at > 0 && open(p)) {
                let yes = AnswerValue { choice: Some("yes".into()), ..AnswerValue::default() };
                answers = answers.supposing(valued(partner, yes));
            }
            let range = self.range_of(&answers);
            sum += weight * u64::from(range.low.abs_diff(base.low) + range.high.abs_diff(base.high)) * 1000;
            all += weight;
        }
        sum / all.max(1)
    }

    /// Tenths of a minute: a glance where the evidence proposes; the fetch where evidence is missing; else the asking.
    fn tenths(&self, q: &QuestionDef) -> u64 {
        let from_evidence = q
            .prefill
            .as_ref()
            .is_some_and(|p| matches!(p.rule, PrefillRule::Findings | PrefillRule::Verdict | PrefillRule::Count));
        let minutes = match (self.proposals.contains_key(&q.id), from_evidence) {
            (true, _) => 0.1,
            (false, true) => q.minutes.fetch,
            (false, false) => q.minutes.loaded,
        };
        // Minutes are small and positive: the build checks them.
        (minutes * 10.0).round() as u64
    }
}

fn valued(question: &str, value: AnswerValue) -> Answer {
    Answer {
        question: question.to_owned(),
        value: Some(value),
        approx: Approx::Exact,
        confidence: Confidence::High,
        basis: vec![],
        dont_know: None,
        not_applicable: None,
        comment: String::new(),
        accepted: None,
    }
}

/// Every possible answer, from harmless to grave, each with the names and categories that make it count.
fn suppositions(q: &QuestionDef) -> Vec<Answer> {
    let some = || Some(vec!["?".to_owned()]);
    if q.kind == QuestionKind::List {
        return [Some(vec![]), some()]
            .into_iter()
            .map(|list| valued(&q.id, AnswerValue { list, ..AnswerValue::default() }))
            .collect();
    }
    q.choices()
        .into_iter()
        .map(|choice| {
            let list = if q.named { some() } else { None };
            // The gravest category stands last.
            let categories = q.categories.keys().last().cloned().into_iter().collect();
            valued(&q.id, AnswerValue { choice: Some(choice.to_owned()), list, categories, ..AnswerValue::default() })
        })
        .collect()
}

fn same(proposed: &AnswerValue, supposed: Option<&AnswerValue>) -> bool {
    supposed.is_some_and(|s| match (&proposed.choice, &proposed.list) {
        (Some(choice), _) => s.choice.as_ref() == Some(choice),
        (None, Some(list)) => s.list.as_ref().is_some_and(|l| l.is_empty() == list.is_empty()),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Catalogue,
        answers::tests::Journal,
        propose::{
            Facts, proposals,
            tests::{attacked, empty},
        },
    };

    fn ranked(q: &Qualification, j: &Journal, minutes_left: Option<u32>) -> Vec<Ranked> {
        let catalogue = Catalogue::embedded().expect("well formed");
        let answers = j.fold();
        let proposals = proposals(&catalogue.questions, q, &answers, &Facts::default());
        let (questions, frame) = (&catalogue.questions[..], Frame::default());
        State { questions, qualification: q, answers: &answers, proposals: &proposals, frame, minutes_left }.ranked()
    }

    fn first(q: &Qualification, j: &Journal) -> String {
        ranked(q, j, None)[0].question.clone()
    }

    #[test]
    fn an_alert_on_an_administrator_is_looked_at_first() {
        let mut q = empty();
        q.actions[0].proposed = ActionState::Suspected;
        assert_eq!(first(&q, &Journal::default()), "Q.1a.01");
        let mut j = Journal::default();
        j.say("Q.1a.01", "yes", &[]);
        assert!(["V.T2", "V.T3"].contains(&first(&q, &j).as_str()), "then the verdict, one key");
    }

    #[test]
    fn without_evidence_what_decides_alone_and_takes_a_minute_comes_first() {
        let order = ranked(&empty(), &Journal::default(), None);
        let place = |id: &str| order.iter().position(|r| r.question == id).expect("ranked");
        assert!(["Q.1a.02", "Q.3b.01"].contains(&order[0].question.as_str()), "{}", order[0].question);
        assert!(
            place("Q.3b.01") < place("Q.3c.01") && place("Q.3c.01") < place("Q.4b.01") && place("Q.4b.01") < place("Q.1e.06")
        );
        assert!(order.iter().any(|r| r.question == "Q.1b.09" && !r.decides), "a setting decides nothing");
    }

    #[test]
    fn a_proposal_costs_a_glance_and_comes_first() {
        assert!(first(&attacked(), &Journal::default()).starts_with("V.T"));
    }

    #[test]
    fn when_the_tenant_is_lost_only_people_can_decide_between_major_and_crisis() {
        let mut j = Journal::default();
        for v in ["V.T1", "V.T2", "V.T3"] {
            j.say(v, "confirmed", &[]);
        }
        for v in ["V.T4", "V.T5", "V.T6"] {
            j.say(v, "refuted", &[]);
        }
        j.say("Q.4x.01", "no", &[]);
        assert_eq!(first(&attacked(), &j), "Q.3c.01", "one call that also answers what stands still");
        j.list("Q.4b.01", &["Paie"]);
        assert_eq!(&first(&attacked(), &j)[..2], "Q.");
        assert!(crate::axes::axis_of(&first(&attacked(), &j)) == Some(crate::axes::Axis::Impact));
        j.say("Q.3b.01", "no", &[]);
        assert!(ranked(&attacked(), &j, None).iter().all(|r| !r.decides), "a crisis: nothing more to ask");
    }

    #[test]
    fn what_does_not_fit_in_the_time_left_waits() {
        let order = ranked(&empty(), &Journal::default(), Some(1));
        let decides: Vec<&Ranked> = order.iter().filter(|r| r.decides).collect();
        let late = decides.iter().position(|r| r.tenths > 10).expect("some take longer");
        assert!(decides[late..].iter().all(|r| r.tenths > 10));
    }

    #[test]
    fn covered_unknowable_and_pointless_questions_are_not_asked() {
        let mut j = Journal::default();
        let has = |j: &Journal, id: &str| ranked(&empty(), j, None).iter().any(|r| r.question == id);
        assert!(has(&j, "Q.1d.01") && !has(&j, "Q.3b.03") && !has(&j, "Q.C.01") && !has(&j, "Q.2a.02"));
        j.say("V.T6", "refuted", &[]);
        assert!(!has(&j, "Q.1d.01"), "the verdict covers it");
        j.say("Q.2a.05", "destroyed", &[]);
        assert!(has(&j, "Q.3b.03"));
    }
}
