//! The first screen: the sentence, the scale, the reasons, the four answers.
use std::collections::BTreeSet;

use reflexe_fiche::severity;
use reflexe_model::{
    ActionState, Confirmation, Impact, Lang, Perimeter, Qualification, SeverityRange, TenantState, Text, Urgency,
};

use super::SENTENCE;
use crate::{
    show::{capital, visible},
    words::Words,
};

/// One place of the severity scale.
pub(crate) struct ScaleStep {
    pub mark: &'static str,
    pub level: u8,
    pub name: String,
    /// `in`: at least; `in maybe`: possible; empty: excluded.
    pub class: &'static str,
    pub word: &'static str,
}

/// A rule that fired.
pub(crate) struct WhyView {
    pub rule: String,
    pub text: String,
}

/// One of the four answers.
pub(crate) struct BoxView {
    pub name: &'static str,
    pub class: &'static str,
    pub value: String,
    pub reason: String,
}

/// Name of a severity's shape in the sprite.
fn severity_mark(level: u8) -> &'static str {
    match level {
        0 | 1 => "sev1",
        2 => "sev2",
        3 => "sev3",
        _ => "sev4",
    }
}

/// Name of the shape before the sentence.
pub(crate) fn headline_mark(range: &SeverityRange) -> &'static str {
    if open(range) { "unknown" } else { severity_mark(range.low) }
}

/// Whether nothing is known of the severity.
pub(crate) fn open(range: &SeverityRange) -> bool {
    (range.low, range.high) == (1, 4)
}

/// The sentence in three parts: how grave, the punctuation after it, and the rest. One part only if it does not begin with the
/// severity.
pub(crate) fn headline(q: &Qualification, sentence: &Text, lang: Lang) -> (String, String, String) {
    let whole = visible(sentence.get(lang), SENTENCE);
    let range = capital(&severity::display(&q.severity.proposed, lang));
    match whole.strip_prefix(&range) {
        Some(rest) => {
            let (punctuation, rest) = rest.split_at(rest.find(char::is_alphanumeric).unwrap_or(rest.len()));
            (range, punctuation.trim_end().to_owned(), rest.to_owned())
        }
        None => (whole, String::new(), String::new()),
    }
}

pub(crate) fn scale(q: &Qualification, w: Words) -> Vec<ScaleStep> {
    let range = &q.severity.proposed;
    (1..=4)
        .map(|level| {
            let (class, word) = match level {
                // Every level is possible: none of them is a finding.
                _ if open(range) => ("in maybe", w.possible()),
                n if n == range.low && range.low == range.high => ("in", ""),
                n if n == range.low => ("in", w.at_least()),
                n if n > range.low && n <= range.high => ("in maybe", w.possible()),
                _ => ("", ""),
            };
            ScaleStep { mark: severity_mark(level), level, name: capital(severity::name(level).get(w.0)), class, word }
        })
        .collect()
}

pub(crate) fn why(q: &Qualification, lang: Lang) -> Vec<WhyView> {
    let of = |r: &reflexe_model::SeverityReason| WhyView { rule: visible(&r.rule, 8), text: visible(r.text.get(lang), SENTENCE) };
    q.severity.proposed.because.iter().map(of).collect()
}

/// Whether cheap acts should follow the upper end of the interval: an incident is proposed or suspected, and it may be graver.
pub(crate) fn act_high(q: &Qualification) -> bool {
    let range = &q.severity.proposed;
    range.high > range.low && q.actions.iter().any(|a| matches!(a.proposed, ActionState::Confirmed | ActionState::Suspected))
}

pub(crate) fn boxes(q: &Qualification, w: Words) -> Vec<BoxView> {
    let axes = &q.axes;
    let confirmed = axes.confirmation.len() == 1;
    let incidents: Vec<&str> = q
        .actions
        .iter()
        .filter(|a| matches!(a.answer.unwrap_or(a.proposed), ActionState::Confirmed | ActionState::Suspected))
        .map(|a| a.id.as_str())
        .collect();
    let mut kind = Vec::new();
    if !incidents.is_empty() {
        kind.push(format!("{} {}.", w.pick("Actions", "Actions"), incidents.join(", ")));
    }
    kind.push(w.tenant_state(&axes.tenant_compromised).to_owned());
    let suspected = q.actions.iter().any(|a| a.proposed == ActionState::Suspected);
    let tenant = !axes.tenant_compromised.contains(&TenantState::No);
    vec![
        BoxView {
            name: w.box_type(),
            class: match (confirmed, axes.confirmation.contains(&Confirmation::Confirmed), suspected) {
                (true, true, _) => "found",
                (true, false, _) => "ok",
                (false, _, true) => "suspect",
                (false, _, false) => "unknown",
            },
            value: match (confirmed, suspected) {
                (false, true) => capital(w.state(ActionState::Suspected)),
                _ => value(&axes.confirmation, 2, w, Words::confirmation, w.unknown_word()),
            },
            reason: kind.join(" "),
        },
        BoxView {
            name: w.box_perimeter(),
            class: class(axes.perimeter.len(), 2, axes.perimeter.contains(&Perimeter::Circumscribed)),
            value: value(&axes.perimeter, 2, w, Words::perimeter, w.unknown_word()),
            reason: if tenant {
                w.perimeter_tenant()
            } else if axes.perimeter.len() == 2 {
                w.only_person()
            } else {
                ""
            }
            .to_owned(),
        },
        BoxView {
            name: w.box_impact(),
            class: class(axes.impact.len(), 3, axes.impact.contains(&Impact::None)),
            value: value(&axes.impact, 3, w, Words::impact, w.unknown_word()),
            reason: if axes.impact.len() == 3 { w.only_person() } else { "" }.to_owned(),
        },
        BoxView {
            name: w.box_urgency(),
            class: class(axes.urgency.len(), 3, axes.urgency.contains(&Urgency::None)),
            value: value(&axes.urgency, 3, w, Words::urgency, w.unknown_word_f()),
            reason: if axes.urgency.len() == 3 { w.only_person() } else { "" }.to_owned(),
        },
    ]
}

/// Unknown if every value is possible, good if only the mildest is, a doubt if it still may be, else found.
fn class(possible: usize, of: usize, mildest: bool) -> &'static str {
    match (possible == of, mildest, possible) {
        (true, ..) => "unknown",
        (_, true, 1) => "ok",
        (_, _, 1) => "found",
        _ => "suspect",
    }
}

fn value<T: Copy>(axis: &BTreeSet<T>, of: usize, w: Words, word: fn(Words, T) -> &'static str, unknown: &str) -> String {
    if axis.len() == of {
        return unknown.to_owned();
    }
    let words: Vec<String> =
        axis.iter().enumerate().map(|(n, v)| if n == 0 { word(w, *v).to_owned() } else { word(w, *v).to_lowercase() }).collect();
    words.join(w.or())
}
