//! What may still be true of each question: the set of its choices that the answers leave possible.
//!
//! Nobody answered, or nobody knows: all of them. "Probably": the neighbours too. A disagreement: what either says.
use std::collections::BTreeSet;

use reflexe_model::{ActionResult, ActionState, Confidence, DontKnow};

use crate::answers::{Answers, Given};

/// Choices still possible, as positions in the question's choices, from the least grave (0).
pub(super) type Possible = BTreeSet<u8>;

pub(super) const NO_YES: &[&str] = &["no", "yes"];
pub(super) const YES_NO: &[&str] = &["yes", "no"];
pub(super) const WORKS: &[&str] = &["yes", "degraded", "no"];
pub(super) const VERDICT: &[&str] = &["refuted", "suspected", "confirmed"];
pub(super) const DISTURBED: &[&str] = &["none", "mild", "severe"];
pub(super) const DAMAGED: &[&str] = &["none", "altered", "destroyed"];
/// A list: nothing named, something named.
pub(super) const NAMED: &[&str] = &["empty", "some"];

/// People's answers and, where nobody answered, the machine's conclusions.
pub(super) struct Voices<'a> {
    pub answers: &'a Answers,
    pub machine: &'a [ActionResult],
}

impl Voices<'_> {
    /// What is still possible.
    pub fn possible(&self, question: &str, choices: &[&str]) -> Possible {
        let given = self.answers.given(question);
        let all: Possible = (0..choices.len() as u8).collect();
        if given.is_empty() {
            return if self.stands_in(question).is_some() { Possible::from([2]) } else { all };
        }
        given.iter().flat_map(|g| one(g, choices).unwrap_or_else(|| all.clone())).collect()
    }

    /// The machine's conclusion that stands in for a verdict that nobody gave: confirmed, or nothing.
    pub fn stands_in(&self, question: &str) -> Option<&ActionResult> {
        let kind = question.strip_prefix("V.")?;
        let open = self.answers.given(question).is_empty();
        self.machine.iter().find(|a| open && a.proposed == ActionState::Confirmed && a.types.iter().any(|t| t == kind))
    }

    /// Whether exactly this is left.
    pub fn is(&self, question: &str, choices: &[&str], choice: &str) -> bool {
        let at = choices.iter().position(|c| *c == choice);
        let left = self.possible(question, choices);
        left.len() == 1 && left.first().map(|n| usize::from(*n)) == at
    }

    /// Whether a person thinks that the graver value may hold, without its being certain.
    pub fn suspects(&self, question: &str, choices: &[&str]) -> bool {
        let worst = choices.len().saturating_sub(1) as u8;
        self.answers.given(question).iter().any(|g| {
            g.answer.dont_know == Some(DontKnow::Contradictory)
                || (g.answer.dont_know.is_none() && one(g, choices).is_none_or(|v| v.contains(&worst)))
        })
    }

    /// Whether a person chose one of these, however sure.
    pub fn chose(&self, question: &str, wanted: &[&str]) -> bool {
        self.choices(question).any(|c| wanted.contains(&c))
    }

    pub fn choices(&self, question: &str) -> impl Iterator<Item = &str> {
        self.answers.given(question).iter().filter_map(|g| g.answer.value.as_ref()?.choice.as_deref())
    }
}

/// What one answer leaves possible; `None` leaves everything.
fn one(given: &Given, choices: &[&str]) -> Option<Possible> {
    let answer = &given.answer;
    if answer.not_applicable.is_some() {
        return Some(Possible::from([0]));
    }
    let value = answer.value.as_ref()?;
    let at = match (&value.choice, &value.list) {
        (Some(choice), _) => choices.iter().position(|c| c == choice)? as u8,
        (None, Some(list)) if choices == NAMED => u8::from(!list.is_empty()),
        _ => return None,
    };
    if answer.confidence != Confidence::Low {
        return Some(Possible::from([at]));
    }
    Some((at.saturating_sub(1)..=at + 1).filter(|n| usize::from(*n) < choices.len()).collect())
}
