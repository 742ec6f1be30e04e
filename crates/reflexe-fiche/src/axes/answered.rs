//! From answers to axes: for each axis the set of values that the answers leave possible, and why.
//!
//! Every answer is read on a scale from harmless to grave, and every axis rises with every scale: the least and the gravest
//! completion of the open questions therefore give exactly the bounds of the severity. Two statements cover the questions
//! below them although those are open: verdicts cover their action, and "it fits in this part" covers the perimeter unless
//! somebody suspects otherwise.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_model::{ActionResult, Axes, Confirmation, Impact, Lang, Perimeter, TenantState, Text, Urgency};
use serde::Deserialize;

use super::{
    Axis, open,
    voices::{DAMAGED, DISTURBED, NAMED, NO_YES, Possible, VERDICT, Voices, WORKS, YES_NO},
};
use crate::{
    answers::{Answers, Given, clock},
    conclude::Rules,
    say::clean,
    story::fill::{Arg, fill},
};

/// Verdicts, one for each type of incident.
pub const VERDICTS: [&str; 6] = ["V.T1", "V.T2", "V.T3", "V.T4", "V.T5", "V.T6"];
/// Verdicts on privileged accounts.
const PRIVILEGED: [&str; 2] = ["V.T2", "V.T3"];
/// A yes to one of these extends the perimeter.
const BEYOND: [&str; 5] = ["Q.2a.03", "Q.2a.06", "Q.2b.02", "Q.2b.04", "Q.2c.03"];

/// What else the axes depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// A person concluded, or the time-box has ended: a suspected privileged account is treated as compromised.
    pub ended: bool,
    /// From this many compromised accounts on the perimeter is extended.
    pub many_accounts: usize,
}

impl Default for Frame {
    fn default() -> Self {
        Self { ended: false, many_accounts: Rules::embedded().axes.many_accounts }
    }
}

/// Why an axis stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AxisReason {
    /// The axis.
    pub axis: Axis,
    /// Questions whose answers carry it.
    pub questions: Vec<String>,
    /// In words, with who answered.
    pub text: Text,
}

/// Axes and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The values still possible.
    pub axes: Axes,
    /// What carries them, and every disagreement.
    pub reasons: Vec<AxisReason>,
}

/// What people's answers leave possible. No answers: everything.
pub fn answered(answers: &Answers, frame: &Frame) -> Judged {
    Judge::new(answers, &[], 0, frame).all()
}

/// The same, where the machine's conclusions stand in for verdicts that nobody gave. No answers: what the machine proposes.
pub fn combined(answers: &Answers, actions: &[ActionResult], compromised: usize, frame: &Frame) -> Judged {
    Judge::new(answers, actions, compromised, frame).all()
}

struct Judge<'a> {
    voices: Voices<'a>,
    compromised: usize,
    frame: &'a Frame,
    reasons: Vec<AxisReason>,
}

impl<'a> Judge<'a> {
    fn new(answers: &'a Answers, machine: &'a [ActionResult], compromised: usize, frame: &'a Frame) -> Self {
        Self { voices: Voices { answers, machine }, compromised, frame, reasons: Vec::new() }
    }

    fn all(mut self) -> Judged {
        let mut axes = open();
        axes.confirmation = self.confirmation();
        axes.tenant_compromised = self.tenant();
        axes.perimeter = self.perimeter(&axes.tenant_compromised);
        axes.impact = self.impact();
        axes.urgency = self.urgency();
        self.disagreements();
        Judged { axes, reasons: self.reasons }
    }

    fn verdict(&self, question: &str, choice: &str) -> bool {
        self.voices.is(question, VERDICT, choice)
    }

    fn confirmation(&mut self) -> BTreeSet<Confirmation> {
        let confirmed: Vec<&str> = VERDICTS.into_iter().filter(|v| self.verdict(v, "confirmed")).collect();
        if !confirmed.is_empty() {
            for v in confirmed {
                self.because(Axis::Confirmation, v, "confirmed", &[v]);
            }
            return BTreeSet::from([Confirmation::Confirmed]);
        }
        if VERDICTS.iter().all(|v| self.verdict(v, "refuted")) {
            self.because(Axis::Confirmation, "V.T1", "refuted", &VERDICTS);
            return BTreeSet::from([Confirmation::Refuted]);
        }
        open().confirmation
    }

    fn tenant(&mut self) -> BTreeSet<TenantState> {
        let mut certain: Vec<(&str, &str)> =
            PRIVILEGED.into_iter().filter(|v| self.verdict(v, "confirmed")).map(|v| (v, "confirmed")).collect();
        if self.verdict("V.T6", "confirmed") && self.privileged_application() == Some(true) {
            certain.push(("V.T6", "privileged"));
        }
        if self.voices.is("Q.1a.02", YES_NO, "no") {
            certain.push(("Q.1a.02", "no"));
        }
        if !certain.is_empty() {
            for (question, choice) in certain {
                self.because(Axis::TenantCompromised, question, choice, &[question]);
            }
            return BTreeSet::from([TenantState::Yes]);
        }
        let doubted: Vec<&str> = PRIVILEGED.into_iter().filter(|v| self.voices.chose(v, &["suspected", "confirmed"])).collect();
        if self.frame.ended && !doubted.is_empty() {
            for v in doubted {
                self.because(Axis::TenantCompromised, v, "suspected", &[v]);
            }
            return BTreeSet::from([TenantState::Precaution]);
        }
        let application = self.verdict("V.T6", "refuted") || self.privileged_application() == Some(false);
        let lost = self.voices.suspects("Q.1a.02", YES_NO);
        if PRIVILEGED.iter().all(|v| self.verdict(v, "refuted")) && application && !lost {
            self.because(Axis::TenantCompromised, "V.T3", "refuted", &["V.T2", "V.T3", "V.T6"]);
            return BTreeSet::from([TenantState::No]);
        }
        open().tenant_compromised
    }

    /// Whether the application of V.T6 is privileged, as far as it was said without contradiction.
    fn privileged_application(&self) -> Option<bool> {
        if let Some(action) = self.voices.stands_in("V.T6") {
            return action.privileged.then_some(true);
        }
        let said = self.voices.answers.given("V.T6").iter().map(|g| {
            let categories = g.answer.value.as_ref().map(|v| v.categories.as_slice()).unwrap_or_default();
            let has = |name: &str| categories.iter().any(|c| c == name);
            match (has("privileged"), has("ordinary")) {
                (true, false) => Some(true),
                (false, true) => Some(false),
                _ => None,
            }
        });
        let said: BTreeSet<Option<bool>> = said.collect();
        if said.len() == 1 { said.first().copied().flatten() } else { None }
    }

    fn perimeter(&mut self, tenant: &BTreeSet<TenantState>) -> BTreeSet<Perimeter> {
        let extended = BTreeSet::from([Perimeter::Extended]);
        let mut certain: Vec<(&str, &str, Vec<&str>)> =
            BEYOND.into_iter().filter(|q| self.voices.is(q, NO_YES, "yes")).map(|q| (q, "yes", vec![q])).collect();
        if self.voices.is("Q.2a.01", NO_YES, "yes") && self.voices.is("Q.2b.03", NO_YES, "yes") {
            certain.push(("Q.2a.01", "yes", vec!["Q.2a.01", "Q.2b.03"]));
        }
        if self.compromised.max(self.named_accounts()) >= self.frame.many_accounts {
            certain.push(("perimeter", "many", vec![]));
        }
        let keeps = self.voices.answers.keeps_perimeter();
        if !tenant.contains(&TenantState::No) && !keeps {
            certain.push(("perimeter", "tenant", vec![]));
        }
        if !certain.is_empty() {
            for (key, choice, questions) in certain {
                self.because(Axis::Perimeter, key, choice, &questions);
            }
            return extended;
        }
        if keeps {
            self.because(Axis::Perimeter, "perimeter", "kept", &[]);
            return BTreeSet::from([Perimeter::Circumscribed]);
        }
        let reached = ["Q.2a.01", "Q.2b.03"].iter().all(|q| self.voices.suspects(q, NO_YES));
        let suspected = reached || BEYOND.iter().any(|q| self.voices.suspects(q, NO_YES));
        if self.named_part() && !suspected {
            self.because(Axis::Perimeter, "Q.2c.01", "yes", &["Q.2c.01"]);
            return BTreeSet::from([Perimeter::Circumscribed]);
        }
        open().perimeter
    }

    /// "It fits in this part", said surely, without contradiction, and with the part's name.
    fn named_part(&self) -> bool {
        self.voices.is("Q.2c.01", YES_NO, "yes")
            && self
                .voices
                .answers
                .given("Q.2c.01")
                .iter()
                .filter_map(|g| g.answer.value.as_ref())
                .all(|v| v.list.iter().flatten().chain(&v.text).any(|name| !name.trim().is_empty()))
            && self.voices.answers.is_known("Q.2c.01")
    }

    /// Accounts that people named as compromised.
    fn named_accounts(&self) -> usize {
        let confirmed = ["V.T1", "V.T2", "V.T3"].into_iter().filter(|v| self.verdict(v, "confirmed"));
        let given = confirmed.flat_map(|v| self.voices.answers.given(v));
        let names: BTreeSet<String> =
            given.filter_map(|g| g.answer.value.as_ref()?.list.as_ref()).flatten().map(|n| n.to_lowercase()).collect();
        names.len()
    }

    fn impact(&mut self) -> BTreeSet<Impact> {
        let scale = |q: &'static str, choices: &'static [&'static str], levels: &'static [u8]| (q, choices, levels);
        let scales = [
            scale("Q.3x.02", NO_YES, &[0, 2]),
            scale("Q.3b.01", YES_NO, &[0, 2]),
            scale("Q.3a.01", WORKS, &[0, 1, 2]),
            scale("Q.3a.02", WORKS, &[0, 1, 1]),
            scale("Q.3a.03", WORKS, &[0, 1, 1]),
            scale("Q.3c.01", DISTURBED, &[0, 1, 2]),
            scale("Q.3c.02", NAMED, &[0, 1]),
        ];
        let mut parts: Vec<(&str, Possible)> = scales
            .into_iter()
            .map(|(q, choices, levels)| (q, self.voices.possible(q, choices).iter().map(|n| levels[usize::from(*n)]).collect()))
            .collect();
        parts.push(("Q.3a.04", self.leak()));
        parts.push(("Q.2a.05", self.damage()));
        parts.push(("Q.2a.04", self.sensitive()));
        let levels = self.worst(Axis::Impact, &parts);
        if levels == Possible::from([0]) {
            let questions: Vec<&str> = parts.iter().map(|(q, _)| *q).collect();
            self.because(Axis::Impact, "impact", "none", &questions);
        }
        levels.into_iter().map(|n| [Impact::None, Impact::Moderate, Impact::Strong][usize::from(n.min(2))]).collect()
    }

    /// A leak: suspected is moderate; confirmed is strong if the data is regulated or secret, either if nobody says which.
    fn leak(&self) -> Possible {
        let categories: BTreeSet<&str> = self
            .voices
            .answers
            .given("Q.3a.04")
            .iter()
            .filter_map(|g| g.answer.value.as_ref())
            .flat_map(|v| v.categories.iter().map(String::as_str))
            .collect();
        let grave = categories.contains("regulated") || categories.contains("secret");
        let confirmed: &[u8] = match (grave, categories.is_empty()) {
            (true, _) => &[2],
            (false, true) => &[1, 2],
            (false, false) => &[1],
        };
        let of = |n: &u8| match n {
            0 => [0].as_slice(),
            1 => [1].as_slice(),
            _ => confirmed,
        };
        self.voices.possible("Q.3a.04", VERDICT).iter().flat_map(of).copied().collect()
    }

    /// Data destroyed is strong only if it cannot be restored.
    fn damage(&self) -> Possible {
        let restorable = self.voices.possible("Q.3b.03", YES_NO);
        let of = |n: &u8| match n {
            2 => restorable.iter().map(|r| 1 + r).collect(),
            n => vec![*n],
        };
        self.voices.possible("Q.2a.05", DAMAGED).iter().flat_map(of).collect()
    }

    /// A sensitive account: none can be compromised once no account is.
    fn sensitive(&self) -> Possible {
        let accounts = ["V.T1", "V.T2", "V.T3"];
        if !self.voices.answers.is_known("Q.2a.04") && accounts.iter().all(|v| self.verdict(v, "refuted")) {
            return Possible::from([0]);
        }
        self.voices.possible("Q.2a.04", NO_YES)
    }

    fn urgency(&mut self) -> BTreeSet<Urgency> {
        let rise = |p: Possible, to: u8| p.into_iter().map(|n| n * to).collect::<Possible>();
        let parts = [
            ("Q.4b.01", rise(self.voices.possible("Q.4b.01", NAMED), 2)),
            ("Q.4b.02", self.voices.possible("Q.4b.02", NAMED)),
            ("Q.3a.05", self.dependence()),
        ];
        let levels = self.worst(Axis::Urgency, &parts);
        if levels == Possible::from([0]) {
            self.because(Axis::Urgency, "urgency", "none", &["Q.4b.01", "Q.4b.02"]);
        }
        levels.into_iter().map(|n| [Urgency::None, Urgency::Degraded, Urgency::Stopped][usize::from(n.min(2))]).collect()
    }

    /// No administrator left and an activity that depends on the tenant. While nobody says that the administrators are lost,
    /// what people say of the activities stands alone.
    fn dependence(&self) -> Possible {
        if !self.voices.suspects("Q.3b.01", YES_NO) {
            return Possible::from([0]);
        }
        let lost = self.voices.possible("Q.3b.01", YES_NO);
        let depends = self.voices.possible("Q.3a.05", NO_YES);
        lost.iter().flat_map(|l| depends.iter().map(move |d| l * d)).collect()
    }

    /// The worst of several scales, as the set of values that it may take; says which answers carry its certain part.
    fn worst(&mut self, axis: Axis, parts: &[(&'static str, Possible)]) -> Possible {
        let mut out = Possible::from([0]);
        for (_, part) in parts {
            out = out.iter().flat_map(|a| part.iter().map(move |b| *a.max(b))).collect();
        }
        let least = out.first().copied().unwrap_or_default();
        let carrying: Vec<&str> = parts.iter().filter(|(_, p)| least > 0 && p.first() == Some(&least)).map(|(q, _)| *q).collect();
        for question in carrying {
            self.because_said(axis, question);
        }
        out
    }

    /// The reason of an answer, by its own choice.
    fn because_said(&mut self, axis: Axis, question: &str) {
        let said: Option<String> = self.voices.answers.given(question).iter().find_map(|g| {
            let value = g.answer.value.as_ref()?;
            Some(value.choice.clone().unwrap_or_else(|| NAMED[1].to_owned()))
        });
        if let Some(choice) = said {
            self.because(axis, question, &choice, &[question]);
        }
    }

    fn because(&mut self, axis: Axis, key: &str, choice: &str, questions: &[&str]) {
        let Some(words) = WORDS.said.get(key).and_then(|of| of.get(choice)) else {
            return;
        };
        let one = |lang| {
            let sources: Vec<String> = questions.iter().map(|q| self.source(q, lang)).collect();
            let kept = self.voices.answers.keep_perimeter.as_ref().filter(|_| choice == "kept");
            let sources = kept.map_or(sources, |d| vec![format!("{} : {}", clean(&d.who), clean(&d.reason))]);
            let said = words.get(lang);
            // A reason that all questions carry names the first and the last.
            match sources.as_slice() {
                [] => said.to_owned(),
                [a] => format!("{said} ({a})"),
                [a, .., z] => format!("{said} ({a} … {z})"),
            }
        };
        let text = Text::new(one(Lang::Fr), one(Lang::En));
        self.reasons.push(AxisReason { axis, questions: questions.iter().map(|q| (*q).to_owned()).collect(), text });
    }

    /// `V.T3, M. Durand, 14:41`.
    fn source(&self, question: &str, lang: Lang) -> String {
        match self.voices.answers.given(question).first() {
            Some(g) => format!("{question}, {}", voice(g)),
            None if self.voices.stands_in(question).is_some() => format!("{question}, {}", WORDS.words["machine"].get(lang)),
            None => question.to_owned(),
        }
    }

    fn disagreements(&mut self) {
        for question in self.voices.answers.conflicts() {
            let Some(axis) = axis_of(question) else { continue };
            let voices: Vec<String> = self.voices.answers.given(question).iter().map(voice).collect();
            let args = [("question", Arg::Word(question.to_owned())), ("voices", Arg::Word(voices.join(" / ")))];
            let one = |lang| fill(WORDS.words["conflict"].get(lang), lang, &args);
            let text = Text::new(one(Lang::Fr), one(Lang::En));
            self.reasons.push(AxisReason { axis, questions: vec![question.to_owned()], text });
        }
    }
}

/// The axis on which a question decides.
pub fn axis_of(question: &str) -> Option<Axis> {
    Some(match question {
        "V.T2" | "V.T3" | "V.T6" | "Q.1a.02" => Axis::TenantCompromised,
        "V.T1" | "V.T4" | "V.T5" => Axis::Confirmation,
        "Q.2a.01" | "Q.2b.03" | "Q.2c.01" => Axis::Perimeter,
        q if BEYOND.contains(&q) => Axis::Perimeter,
        "Q.3x.02" | "Q.3b.01" | "Q.3b.03" | "Q.3a.01" | "Q.3a.02" | "Q.3a.03" | "Q.3a.04" | "Q.3c.01" | "Q.3c.02" | "Q.2a.04"
        | "Q.2a.05" => Axis::Impact,
        "Q.4b.01" | "Q.4b.02" | "Q.3a.05" => Axis::Urgency,
        _ => return None,
    })
}

fn voice(given: &Given) -> String {
    let who = clean(&given.who);
    match clock(&given.at) {
        "" => who,
        at => format!("{who}, {at}"),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    said: BTreeMap<String, BTreeMap<String, Text>>,
    words: BTreeMap<String, Text>,
}

static WORDS: std::sync::LazyLock<Words> = std::sync::LazyLock::new(|| {
    // The file is part of the binary and the tests read it: this cannot fail at a user's.
    toml::from_str(include_str!("../../../../fiche/conclusion/axes.toml")).expect("embedded axes.toml")
});

#[cfg(test)]
mod tests;
