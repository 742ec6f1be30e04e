//! The interview: which prompt now, what a line typed there means, and what it writes to the journal. It asks no clock and
//! prints nothing. Left at any point and resumed from the journal, it goes on where it stood.
//!
//! A prompt is spent only on what moves the severity or what is done first; then the result is confirmed in one act, and a
//! severity retained.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use indexmap::IndexMap;
use reflexe_model::{Answer, AnswerValue, Axes, Confirmation, Impact, Lang, Payload, Perimeter, SeverityRange, Text, Urgency};
use serde::Deserialize;

use crate::{
    axes::{Judged, answered},
    order::{Ranked, State},
    propose::Proposal,
    question::{QuestionDef, QuestionKind, Who},
    say::clean,
    severity::{self, severity_with},
    story::fill::{Arg, fill},
    timebox::{Stage, TimeBox},
};

mod parse;
pub use parse::{Input, parse, parse_reason};

/// The time allowed.
pub const TIME: &str = "Q.0.10";
/// The result to confirm: it stands for Q.C.01 to Q.C.04.
pub const RESULT: &str = "Q.C.01";
/// The severity retained.
pub const SEVERITY: &str = "Q.C.05";

/// What to show and ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The question.
    pub question: QuestionDef,
    /// What the evidence, or the computation, proposes.
    pub proposal: Option<Proposal>,
    /// What can be typed.
    pub keys: Text,
    /// Said before the question: the time-box, a disagreement, the computed result.
    pub notes: Vec<Text>,
    /// The interval computed at this moment.
    pub range: SeverityRange,
    /// What the result's four questions are answered with when it is confirmed: question, choice.
    pub result: Vec<(String, String)>,
}

/// The end of the interview.
#[derive(Debug, Clone, PartialEq)]
pub struct Conclusion {
    /// The interval.
    pub range: SeverityRange,
    /// Axes, and why.
    pub judged: Judged,
    /// Open questions that would still move it, at most five.
    pub open: Vec<String>,
    /// The severity retained.
    pub retained: Option<u8>,
}

/// What comes now.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // One at a time, at the speed of typing.
pub enum Step {
    /// A prompt.
    Ask(Prompt),
    /// Nothing more to ask.
    Conclude(Conclusion),
}

/// What comes now. `skipped` are questions put off since the interview was entered.
pub fn next(state: &State, timebox: &TimeBox, skipped: &BTreeSet<String>) -> Step {
    let later = |id: &str| skipped.contains(id);
    let asked = |id: &str| state.answers.is_answered(id);
    let find = |id: &str| state.questions.iter().find(|q| q.id == id);
    let judged = answered(state.answers, &state.frame);
    let range = severity_with(&judged.axes, state.answers.keeps_perimeter());
    let ask = |q: &QuestionDef| Step::Ask(prompt(state, timebox, q, &judged, &range));

    if timebox.stage == Stage::NotStarted
        && !asked(TIME)
        && !later(TIME)
        && let Some(q) = find(TIME)
    {
        return ask(q);
    }
    let ranked = state.ranked();
    let worth = |r: &&Ranked| r.decides && !later(&r.question);
    if !timebox.ended() {
        // A disagreement that moves the severity is settled before anything new is asked.
        let disputed = state.answers.conflicts().into_iter().find(|id| crate::axes::axis_of(id).is_some() && !later(id));
        let best = ranked.iter().find(worth).map(|r| r.question.as_str());
        if let Some(q) = disputed.or(best).and_then(find) {
            return ask(q);
        }
    }
    // A result that was confirmed and has moved since is confirmed anew.
    let result = computed(&judged.axes);
    let moved = result.iter().any(|(id, now)| state.answers.choice(id).is_some_and(|then| then != now));
    for id in [RESULT, SEVERITY] {
        if (!asked(id) || (id == RESULT && moved))
            && !later(id)
            && let Some(q) = find(id)
        {
            return ask(q);
        }
    }
    let open = ranked.iter().filter(|r| r.decides).take(5).map(|r| r.question.clone()).collect();
    let retained = severity::advice::retained(state.answers);
    Step::Conclude(Conclusion { range, judged, open, retained })
}

/// The prompt of one question, whatever is open: for an answer given by name. `None` if there is no such question.
pub fn prompt_for(state: &State, timebox: &TimeBox, question: &str) -> Option<Prompt> {
    let judged = answered(state.answers, &state.frame);
    let range = severity_with(&judged.axes, state.answers.keeps_perimeter());
    let q = state.questions.iter().find(|q| q.id == question)?;
    Some(prompt(state, timebox, q, &judged, &range))
}

fn prompt(state: &State, timebox: &TimeBox, q: &QuestionDef, judged: &Judged, range: &SeverityRange) -> Prompt {
    let mut notes: Vec<Text> = timebox.say().into_iter().collect();
    let mut proposal = state.proposals.get(&q.id).cloned();
    let mut result = Vec::new();
    if q.id == RESULT {
        result = computed(&judged.axes);
        notes.push(result_text(&result));
    }
    if q.id == SEVERITY {
        let shown = |lang| {
            let args = [("range", Arg::Word(severity::display(range, lang)))];
            fill(word("say", "range").get(lang), lang, &args)
        };
        notes.push(Text::new(shown(Lang::Fr), shown(Lang::En)));
        // Costly acts follow the lower bound, cheap ones the upper: the working value is the lower one.
        let value = AnswerValue { choice: Some(range.low.to_string()), ..AnswerValue::default() };
        let reason = word("say", "working").clone();
        proposal = Some(Proposal { question: q.id.clone(), value, reason, findings: vec![], digest: String::new() });
        if state.answers.people.is_empty() {
            notes.push(word("say", "alone").clone());
        }
    }
    let given = state.answers.given(&q.id);
    if given.len() > 1 {
        let shown = |lang| {
            let voices: Vec<String> =
                given.iter().map(|g| format!("{} : {}", clean(&g.who), show_value(q, g.answer.value.as_ref(), lang))).collect();
            fill(word("say", "conflict").get(lang), lang, &[("voices", Arg::Word(voices.join(" / ")))])
        };
        notes.push(Text::new(shown(Lang::Fr), shown(Lang::En)));
    }
    let one = |lang| keys(q, proposal.is_some(), lang);
    let keys = Text::new(one(Lang::Fr), one(Lang::En));
    Prompt { question: q.clone(), proposal, keys, notes, range: range.clone(), result }
}

/// The four results as computed: the value where one is left, else unknown.
pub fn computed(axes: &Axes) -> Vec<(String, String)> {
    fn one<T: Ord + Copy>(values: &BTreeSet<T>, name: impl Fn(T) -> &'static str) -> String {
        match values.first() {
            Some(v) if values.len() == 1 => name(*v).to_owned(),
            _ => "unknown".to_owned(),
        }
    }
    let c = one(&axes.confirmation, |v| match v {
        Confirmation::Refuted => "refuted",
        Confirmation::Confirmed => "confirmed",
    });
    let p = one(&axes.perimeter, |v| match v {
        Perimeter::Circumscribed => "circumscribed",
        Perimeter::Extended => "extended",
    });
    let i = one(&axes.impact, |v| match v {
        Impact::None => "none",
        Impact::Moderate => "moderate",
        Impact::Strong => "strong",
    });
    let u = one(&axes.urgency, |v| match v {
        Urgency::None => "none",
        Urgency::Degraded => "degraded",
        Urgency::Stopped => "stopped",
    });
    [(RESULT, c), ("Q.C.02", p), ("Q.C.03", i), ("Q.C.04", u)].map(|(q, v)| (q.to_owned(), v)).into()
}

fn result_text(result: &[(String, String)]) -> Text {
    let one = |lang| {
        let args: Vec<(&str, Arg)> = ["c", "p", "i", "u"]
            .into_iter()
            .zip(result)
            .map(|(name, (_, choice))| (name, Arg::Word(choice_label(choice, lang))))
            .collect();
        fill(word("say", "computed").get(lang), lang, &args)
    };
    Text::new(one(Lang::Fr), one(Lang::En))
}

/// What a line that was understood writes: the answer, and what follows from it.
pub fn payloads(prompt: &Prompt, answer: Answer) -> Vec<Payload> {
    let mut out = Vec::new();
    let q = &prompt.question;
    let choice = answer.value.as_ref().and_then(|v| v.choice.clone());
    if q.id == RESULT && choice.is_some() {
        return prompt.result.iter().map(|(question, choice)| Payload::Answer(parse::chosen(question, choice))).collect();
    }
    if let (TIME, Some(minutes)) = (q.id.as_str(), choice.as_ref().and_then(|c| c.parse().ok())) {
        out.push(Payload::Timer { what: "started".into(), minutes });
    }
    if q.id == SEVERITY {
        if let Some(level) = choice.as_ref().and_then(|c| c.parse::<u8>().ok())
            && !(prompt.range.low..=prompt.range.high).contains(&level)
        {
            let reason = answer.value.as_ref().and_then(|v| v.text.clone()).unwrap_or_default();
            let computed = (prompt.range.low, prompt.range.high);
            out.push(Payload::Override { level: Some(level), reason, computed, countersigned: None });
        }
        out.push(Payload::Timer { what: "concluded".into(), minutes: 0 });
    }
    let implied = q.implies.as_ref().filter(|i| choice.as_ref() == Some(&i.choice));
    let none = AnswerValue { list: Some(vec![]), ..AnswerValue::default() };
    // "Probably none" implies no more than "probably".
    let implied = implied.into_iter().flat_map(|i| &i.questions).map(|question| {
        let value = Some(none.clone());
        Payload::Answer(Answer { question: question.clone(), value, accepted: None, comment: q.id.clone(), ..answer.clone() })
    });
    let implied: Vec<Payload> = implied.collect();
    out.insert(0, Payload::Answer(answer));
    out.extend(implied);
    out
}

/// What can be typed, in one line.
fn keys(q: &QuestionDef, proposed: bool, lang: Lang) -> String {
    let mut parts = Vec::new();
    if q.kind == QuestionKind::Auto {
        parts.push(word("key", "confirm").get(lang).to_owned());
    } else {
        parts.extend(q.choices().iter().map(|c| {
            let (key, label) = (choice_key(c, lang), choice_label(c, lang));
            if key == label { key } else { format!("{key} {label}") }
        }));
        let more = match q.kind {
            QuestionKind::Count => Some("count"),
            QuestionKind::List => Some("list"),
            QuestionKind::TriList | QuestionKind::Verdict | QuestionKind::Triage => Some("named"),
            QuestionKind::Level if ![TIME, SEVERITY].contains(&q.id.as_str()) => Some("named"),
            QuestionKind::Text => Some("text"),
            _ => None,
        };
        parts.extend(more.map(|m| word("key", m).get(lang).to_owned()));
        if !q.categories.is_empty() {
            let names: Vec<&str> = q.categories.values().map(|t| t.get(lang)).collect();
            parts.push(names.join(word("say", "or").get(lang)));
        }
        if proposed {
            parts.push(word("key", "accept").get(lang).to_owned());
        }
    }
    parts.push(word("key", "rest").get(lang).to_owned());
    parts.join(" · ")
}

/// A value in words.
pub fn show_value(q: &QuestionDef, value: Option<&AnswerValue>, lang: Lang) -> String {
    let Some(v) = value else { return "?".to_owned() };
    let mut parts = Vec::new();
    parts.extend(v.choice.as_ref().map(|c| choice_label(c, lang)));
    parts.extend(v.count.map(|(a, b)| match b {
        b if a == b => a.to_string(),
        parse::NO_LIMIT => format!("≥ {a}"),
        b => format!("{a}–{b}"),
    }));
    parts.extend(v.categories.iter().map(|c| q.categories.get(c).map_or_else(|| clean(c), |t| t.get(lang).to_owned())));
    match &v.list {
        Some(list) if list.is_empty() => parts.push(choice_label("none", lang)),
        Some(list) => parts.push(crate::say::list(&list.iter().map(|n| clean(n)).collect::<Vec<_>>(), lang)),
        None => {}
    }
    // The text of a count is how it was typed: the interval says it.
    parts.extend(v.text.iter().chain(&v.date).filter(|_| v.count.is_none()).map(|t| clean(t)));
    parts.join(", ")
}

/// Who can answer, in words.
pub fn who_text(who: Who) -> &'static Text {
    let key = format!("{who:?}").to_uppercase();
    word("who", &key)
}

/// A choice in words.
pub fn choice_label(choice: &str, lang: Lang) -> String {
    WORDS.choice.get(choice).map_or_else(|| clean(choice), |c| c.label.get(lang).to_owned())
}

fn choice_key(choice: &str, lang: Lang) -> String {
    WORDS.choice.get(choice).map_or_else(|| clean(choice), |c| c.keys.get(lang).to_owned())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceWords {
    label: Text,
    keys: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    choice: IndexMap<String, ChoiceWords>,
    key: BTreeMap<String, Text>,
    reason: BTreeMap<String, Text>,
    error: BTreeMap<String, Text>,
    say: BTreeMap<String, Text>,
    who: BTreeMap<String, Text>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    // The file is part of the binary and the tests read every word of it: this cannot fail at a user's.
    toml::from_str(include_str!("../../../fiche/conclusion/interview.toml")).expect("embedded interview.toml")
});

/// A text of the file. Its names are constants of this module and the tests ask for each.
fn word(of: &str, name: &str) -> &'static Text {
    let map = match of {
        "key" => &WORDS.key,
        "reason" => &WORDS.reason,
        "error" => &WORDS.error,
        "who" => &WORDS.who,
        _ => &WORDS.say,
    };
    &map[name]
}

#[cfg(test)]
mod tests;
