//! Journals for the tests of this crate, and the fold.
use std::collections::BTreeMap;

use reflexe_model::{AnswerValue, Head};

use super::*;
use crate::test_journal::written;

/// Entries of one case, written by several devices that know each other only as told.
#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) entries: Vec<Entry>,
    pub(crate) seqs: BTreeMap<String, u64>,
}

impl Journal {
    /// Writes an entry on a device that knows everything written before.
    pub(crate) fn add(&mut self, payload: &Payload) -> String {
        let seen = self.seqs.keys().cloned().collect::<Vec<_>>();
        self.add_by("a", "M. Durand", &seen.iter().map(String::as_str).collect::<Vec<_>>(), payload)
    }

    /// Writes an entry on a device that knows its own entries and those of `seen`.
    pub(crate) fn add_by(&mut self, writer: &str, actor: &str, seen: &[&str], payload: &Payload) -> String {
        let minute = self.entries.len();
        let stamp = format!("2026-11-22T{:02}:{:02}:00.000Z", 13 + minute / 60, minute % 60);
        self.add_at(writer, actor, seen, &stamp, payload)
    }

    pub(crate) fn add_at(&mut self, writer: &str, actor: &str, seen: &[&str], stamp: &str, payload: &Payload) -> String {
        let heads = seen.iter().filter(|w| **w != writer).filter_map(|w| {
            let seq = *self.seqs.get(*w)?;
            Some(((*w).to_owned(), Head { seq, hash: String::new() }))
        });
        let seen = heads.collect();
        let seq = self.seqs.entry(writer.to_owned()).or_default();
        *seq += 1;
        let id = format!("{:04}-{writer}", self.entries.len());
        self.entries.push(written(&id, writer, actor, *seq, seen, stamp, payload));
        id
    }

    /// Answers with a choice and names.
    pub(crate) fn say(&mut self, question: &str, choice: &str, list: &[&str]) -> String {
        self.add(&Payload::Answer(chosen(question, choice, list)))
    }

    /// Answers with a list.
    pub(crate) fn list(&mut self, question: &str, list: &[&str]) -> String {
        let mut a = chosen(question, "", list);
        a.value = Some(AnswerValue { list: Some(list.iter().map(|s| (*s).to_owned()).collect()), ..AnswerValue::default() });
        self.add(&Payload::Answer(a))
    }

    pub(crate) fn fold(&self) -> Answers {
        Answers::fold(&self.entries)
    }
}

pub(crate) fn blank(question: &str) -> Answer {
    Answer {
        question: question.into(),
        value: None,
        approx: reflexe_model::Approx::Exact,
        confidence: reflexe_model::Confidence::High,
        basis: vec![],
        dont_know: None,
        not_applicable: None,
        comment: String::new(),
        accepted: None,
    }
}

pub(crate) fn chosen(question: &str, choice: &str, list: &[&str]) -> Answer {
    let list = (!list.is_empty()).then(|| list.iter().map(|s| (*s).to_owned()).collect());
    Answer { value: Some(AnswerValue { choice: Some(choice.into()), list, ..AnswerValue::default() }), ..blank(question) }
}

fn dont_know(question: &str) -> Payload {
    Payload::Answer(Answer { dont_know: Some(DontKnow::NoTime), ..blank(question) })
}

#[test]
fn the_last_known_answer_stands() {
    let mut j = Journal::default();
    j.say("V.T1", "suspected", &[]);
    j.say("V.T1", "confirmed", &["joe@example.com"]);
    let a = j.fold();
    assert_eq!(a.choice("V.T1"), Some("confirmed"));
    assert_eq!((a.standing("V.T2"), a.is_answered("V.T2")), (Standing::Open, false));
}

#[test]
fn two_who_did_not_know_of_each_other_conflict_until_one_who_saw_both_answers() {
    let mut j = Journal::default();
    j.add_by("a", "Ann", &[], &Payload::Answer(chosen("V.T3", "refuted", &[])));
    j.add_by("b", "Bob", &[], &Payload::Answer(chosen("V.T3", "confirmed", &[])));
    assert!(matches!(j.fold().standing("V.T3"), Standing::Conflict(all) if all.len() == 2));
    assert_eq!((j.fold().conflicts(), j.fold().choice("V.T3")), (vec!["V.T3"], None));
    assert_eq!(j.fold().action(&["T3".to_owned()]), Some(ActionState::Suspected));
    j.add_by("a", "Ann", &["b"], &Payload::Answer(chosen("V.T3", "confirmed", &[])));
    assert_eq!(j.fold().choice("V.T3"), Some("confirmed"));
}

#[test]
fn who_does_not_know_contradicts_nobody_and_the_same_said_twice_is_no_conflict() {
    let mut j = Journal::default();
    j.add_by("a", "Ann", &[], &Payload::Answer(chosen("Q.3b.01", "no", &[])));
    j.add_by("b", "Bob", &[], &dont_know("Q.3b.01"));
    j.add_by("c", "Cid", &[], &Payload::Answer(chosen("Q.3b.01", "no", &[])));
    assert_eq!(j.fold().choice("Q.3b.01"), Some("no"));
    let mut silent = Journal::default();
    silent.add(&dont_know("Q.3b.01"));
    let a = silent.fold();
    assert!(a.is_answered("Q.3b.01") && !a.is_known("Q.3b.01"));
}

#[test]
fn corrected_and_redacted_entries_do_not_count() {
    let mut j = Journal::default();
    let first = j.say("V.T1", "confirmed", &[]);
    j.say("V.T1", "refuted", &[]);
    j.entries[1].header.supersedes = Some(first);
    assert_eq!(j.fold().choice("V.T1"), Some("refuted"));
    j.entries[1].content = None;
    assert_eq!(j.fold().standing("V.T1"), Standing::Open, "the correction was redacted, what it corrected stays corrected");
}

#[test]
fn marks_keep_the_gravest_and_only_agreement_dismisses() {
    let triage = |mark| Payload::Triage(Triage { finding: "f1".into(), mark, reason: "connu".into(), fingerprint: None });
    let mut j = Journal::default();
    j.add_by("a", "Ann", &[], &triage(Mark::Legitimate));
    let first = &j.fold().triage["f1"];
    assert_eq!((first.mark, first.who.as_str(), first.reason.as_str()), (Mark::Legitimate, "Ann", "connu"));
    j.add_by("b", "Bob", &[], &triage(Mark::Malicious));
    let a = j.fold();
    assert_eq!((a.triage["f1"].mark, a.triage["f1"].who.as_str(), a.triage["f1"].conflict), (Mark::Malicious, "Bob", true));
}

#[test]
fn an_action_of_two_types_is_refuted_only_if_both_are() {
    let types = ["T2".to_owned(), "T3".to_owned()];
    let mut j = Journal::default();
    assert_eq!(j.fold().action(&types), None);
    j.say("V.T2", "refuted", &[]);
    assert_eq!(j.fold().action(&types), Some(ActionState::Unknown));
    j.say("V.T3", "refuted", &[]);
    assert_eq!(j.fold().action(&types), Some(ActionState::Refuted));
    j.say("V.T3", "suspected", &[]);
    assert_eq!(j.fold().action(&types), Some(ActionState::Suspected));
    j.say("V.T2", "confirmed", &[]);
    assert_eq!(j.fold().action(&types), Some(ActionState::Confirmed));
}

#[test]
fn a_kept_perimeter_needs_agreement() {
    let keep = |keep| Payload::KeepPerimeter { keep, reason: "une seule filiale".into() };
    let mut j = Journal::default();
    j.add_by("a", "Ann", &[], &keep(true));
    assert!(j.fold().keeps_perimeter());
    j.add_by("b", "Bob", &[], &keep(false));
    assert!(!j.fold().keeps_perimeter());
}

#[test]
fn the_clock_is_the_one_that_was_meant() {
    assert_eq!(clock("2026-11-22T14:41:00+01:00"), "14:41");
    assert_eq!(clock("ce matin"), "");
}
