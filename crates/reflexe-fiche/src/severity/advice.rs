//! Around the severity: its reasons with who answered, how far the next level is, how to act under a doubt, and what holds for
//! a level that a person retained.
use std::{collections::BTreeMap, sync::LazyLock};

use indexmap::IndexMap;
use reflexe_model::{Axes, Confirmation, Impact, Lang, Perimeter, SeverityRange, TenantState, Text, Urgency};
use serde::Deserialize;

use super::{Words as SeverityWords, name, severity_with};
use crate::{
    answers::{Answers, Decision, Retained},
    axes::{Axis, Judged},
    say::clean,
    story::fill::{Arg, fill},
};

/// Characters of a reason in free text, at least.
pub const REASON: usize = 20;

/// A rule that carries the severity, with the answers behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasoned {
    /// `R0` … `R6`.
    pub rule: String,
    /// The rule, then who said what.
    pub text: Text,
    /// Questions whose answers carry it.
    pub questions: Vec<String>,
}

/// The rules that fired, in words, with the answers behind each.
pub fn reasons(range: &SeverityRange, judged: &Judged) -> Vec<Reasoned> {
    let axes = |rule: &str| -> &[Axis] {
        match rule {
            "R0" | "R6" => &[Axis::TenantCompromised],
            "R1" | "R4" => &[Axis::Perimeter, Axis::Impact, Axis::Urgency],
            "R2" => &[Axis::Impact, Axis::Urgency],
            "R3" => &[Axis::Perimeter],
            "R5" => &[Axis::Confirmation],
            _ => &[],
        }
    };
    let of = |reason: &reflexe_model::SeverityReason| {
        let behind: Vec<_> = judged.reasons.iter().filter(|r| axes(&reason.rule).contains(&r.axis)).collect();
        let one = |lang: Lang| {
            let said: Vec<&str> = behind.iter().map(|r| r.text.get(lang)).collect();
            let colon = if lang == Lang::Fr { " : " } else { ": " };
            let more = if said.is_empty() { String::new() } else { format!(" [{}]", said.join(" ; ")) };
            format!("{}{colon}{}{more}", reason.rule, reason.text.get(lang))
        };
        Reasoned {
            rule: reason.rule.clone(),
            text: Text::new(one(Lang::Fr), one(Lang::En)),
            questions: behind.iter().flat_map(|r| r.questions.clone()).collect(),
        }
    };
    range.because.iter().map(of).collect()
}

/// One thing that could become graver, and its words.
type Change = (&'static str, fn(&mut Axes));

const CHANGES: [Change; 7] = [
    ("stopped", |a| a.urgency = [Urgency::Stopped].into()),
    ("strong", |a| a.impact = [Impact::Strong].into()),
    ("tenant", |a| a.tenant_compromised = [TenantState::Yes].into()),
    ("extended", |a| a.perimeter = [Perimeter::Extended].into()),
    ("degraded", |a| a.urgency = [Urgency::Degraded].into()),
    ("moderate", |a| a.impact = [Impact::Moderate].into()),
    ("confirmed", |a| a.confirmation = [Confirmation::Confirmed].into()),
];

/// How far the next level is: the fewest things that would have to become graver for the lower bound to rise. `None` at 4.
pub fn distance(axes: &Axes, keep_perimeter: bool) -> Option<Text> {
    let low = severity_with(axes, keep_perimeter).low;
    for n in 1..=3 {
        let found: Vec<(Vec<&str>, u8)> = sets(n)
            .into_iter()
            .filter_map(|set| {
                let mut then = axes.clone();
                for (_, change) in &set {
                    change(&mut then);
                }
                // What is already as grave, or graver, is no change.
                let real = worse(axes, &then) >= n;
                let level = severity_with(&then, keep_perimeter).low;
                (real && level > low).then(|| (set.iter().map(|(name, _)| *name).collect(), level))
            })
            .collect();
        let Some(next) = found.iter().map(|(_, level)| *level).min() else { continue };
        let ways: Vec<&Vec<&str>> = found.iter().filter(|(_, level)| *level == next).map(|(names, _)| names).take(3).collect();
        let one = |lang| {
            let say = |names: &Vec<&str>| {
                let parts: Vec<&str> = names.iter().map(|n| WORDS.change[*n].get(lang)).collect();
                parts.join(WORDS.distance["and"].get(lang))
            };
            let changes: Vec<String> = ways.iter().map(|w| say(w)).collect();
            let args = [
                ("level", Arg::Word(name(next).get(lang).to_owned())),
                ("level_a", Arg::Word(SeverityWords::level(next).article.get(lang).to_owned())),
                ("changes", Arg::Word(changes.join(WORDS.distance["or"].get(lang)))),
            ];
            fill(WORDS.distance["say"].get(lang), lang, &args)
        };
        return Some(Text::new(one(Lang::Fr), one(Lang::En)));
    }
    None
}

/// All sets of so many changes, each axis once, in the order of the list.
fn sets(n: usize) -> Vec<Vec<Change>> {
    let mut out: Vec<(usize, Vec<Change>)> = vec![(0, vec![])];
    for _ in 0..n {
        out = out
            .into_iter()
            .flat_map(|(from, set)| {
                (from..CHANGES.len()).map(move |at| (at + 1, set.iter().copied().chain([CHANGES[at]]).collect()))
            })
            .collect();
    }
    out.into_iter().map(|(_, set)| set).collect()
}

/// On how many axes the second is graver than the least that the first allows.
fn worse(then: &Axes, now: &Axes) -> usize {
    let c = now.confirmation.first() > then.confirmation.first();
    let t = now.tenant_compromised.first() > then.tenant_compromised.first();
    let p = now.perimeter.first() > then.perimeter.first();
    let i = now.impact.first() > then.impact.first();
    let u = now.urgency.first() > then.urgency.first();
    [c, t, p, i, u].into_iter().filter(|w| *w).count()
}

/// What to do under a doubt: cheap acts follow the upper bound when it is a crisis, or when the tenant is unknown and something
/// points at it.
pub fn banner(range: &SeverityRange, axes: &Axes, indicators: bool) -> Option<Text> {
    let unknown = axes.tenant_compromised.len() > 1 && indicators;
    if range.low == range.high || !(range.high == 4 || unknown) {
        return None;
    }
    let one = |lang| {
        let args = [("level", Arg::Word(name(range.high).get(lang).to_owned()))];
        fill(WORDS.banner["act"].get(lang), lang, &args)
    };
    Some(Text::new(one(Lang::Fr), one(Lang::En)))
}

/// A level that a person retained, as it stands against what is computed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overridden {
    /// 1 to 4.
    pub level: u8,
    /// Who.
    pub who: String,
    /// When, RFC 3339.
    pub at: String,
    /// Why.
    pub reason: Text,
    /// Said when it was outside the interval computed then and nobody countersigned.
    pub outside: Option<Text>,
    /// Who countersigned.
    pub countersigned: Option<String>,
    /// Said when the computed interval has moved since.
    pub moved: Option<Text>,
}

/// Whether a level may be retained for this reason.
///
/// # Errors
/// In the user's words: no such level, or no reason.
pub fn check(level: u8, reason: &str) -> Result<(), Text> {
    if !(1..=4).contains(&level) {
        return Err(WORDS.overrule["level"].clone());
    }
    if is_reason(reason) {
        return Ok(());
    }
    let one = |lang| {
        let listed: Vec<String> = WORDS.listed.iter().map(|(code, t)| format!("{code} ({})", t.get(lang))).collect();
        fill(WORDS.overrule["reason"].get(lang), lang, &[("listed", Arg::Word(listed.join(", ")))])
    };
    Err(Text::new(one(Lang::Fr), one(Lang::En)))
}

/// Whether a text is a listed reason or long enough to be one.
pub fn is_reason(reason: &str) -> bool {
    WORDS.listed.contains_key(reason.trim()) || reason.trim().chars().count() >= REASON
}

/// Whether a level is outside a computed interval, in words.
pub fn outside(level: u8, (low, high): (u8, u8)) -> Option<Text> {
    let number = |n: u8| Arg::Count(usize::from(n));
    let args = [("level", number(level)), ("low", number(low)), ("high", number(high))];
    let one = |lang| fill(WORDS.overrule["outside"].get(lang), lang, &args);
    (!(low..=high).contains(&level)).then(|| Text::new(one(Lang::Fr), one(Lang::En)))
}

/// The levels that people retained: none, one, or several in conflict. Evidence never changes them; it says that it moved.
pub fn overridden(answers: &Answers, now: &SeverityRange) -> Vec<Overridden> {
    answers.overrides.iter().map(|d| one(d, (now.low, now.high))).collect()
}

/// The severity retained: the one override that stands, else the answer given inside the interval. `None` where people disagree.
pub fn retained(answers: &Answers) -> Option<u8> {
    match answers.overrides.as_slice() {
        [] => answers.choice("Q.C.05")?.parse().ok(),
        [one] => Some(one.value.level),
        _ => None,
    }
}

fn one(d: &Decision<Retained>, now: (u8, u8)) -> Overridden {
    let Retained { level, computed, countersigned } = d.value.clone();
    let shown = |(a, b): (u8, u8)| if a == b { a.to_string() } else { format!("{a}–{b}") };
    let args = [("then", Arg::Word(shown(computed))), ("now", Arg::Word(shown(now))), ("level", Arg::Count(usize::from(level)))];
    let moved = |lang| fill(WORDS.overrule["moved"].get(lang), lang, &args);
    Overridden {
        level,
        who: d.who.clone(),
        at: d.at.clone(),
        reason: WORDS.listed.get(d.reason.trim()).cloned().unwrap_or_else(|| Text::new(clean(&d.reason), clean(&d.reason))),
        outside: outside(level, computed).filter(|_| countersigned.is_none()),
        countersigned,
        moved: (computed != now).then(|| Text::new(moved(Lang::Fr), moved(Lang::En))),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    distance: BTreeMap<String, Text>,
    change: BTreeMap<String, Text>,
    banner: BTreeMap<String, Text>,
    overrule: BTreeMap<String, Text>,
    listed: IndexMap<String, Text>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    // The file is part of the binary and the tests read every word of it: this cannot fail at a user's.
    toml::from_str(include_str!("../../../../fiche/conclusion/advice.toml")).expect("embedded advice.toml")
});

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use reflexe_model::Payload;

    use super::*;
    use crate::{
        answers::tests::Journal,
        axes::{Frame, answered, open},
        severity::severity,
    };

    fn closed(t: TenantState, p: Perimeter, i: Impact, u: Urgency) -> Axes {
        Axes {
            confirmation: BTreeSet::from([Confirmation::Confirmed]),
            tenant_compromised: [t].into(),
            perimeter: [p].into(),
            impact: [i].into(),
            urgency: [u].into(),
        }
    }

    #[test]
    fn the_distance_names_the_fewest_changes() {
        let say = |axes: &Axes| distance(axes, false).map(|t| t.fr);
        let strong = closed(TenantState::Yes, Perimeter::Extended, Impact::Strong, Urgency::None);
        assert_eq!(say(&strong).as_deref(), Some("Passe à crise cyber si une activité vitale s'arrête."));
        let running = closed(TenantState::Yes, Perimeter::Extended, Impact::None, Urgency::None);
        assert_eq!(
            say(&running).as_deref(),
            Some("Passe à crise cyber si une activité vitale s'arrête et si l'impact devient fort.")
        );
        let phished = closed(TenantState::No, Perimeter::Circumscribed, Impact::None, Urgency::None);
        assert_eq!(
            distance(&phished, false).expect("a distance").en,
            "Becomes a major incident if a vital activity stops, or if the impact becomes strong, or if a privileged account is confirmed compromised."
        );
        assert_eq!(say(&closed(TenantState::Yes, Perimeter::Extended, Impact::Strong, Urgency::Stopped)), None);
        assert!(say(&open()).expect("a distance").starts_with("Passe à incident mineur si "));
    }

    #[test]
    fn cheap_acts_follow_the_upper_bound_only_under_a_doubt_that_matters() {
        let range = |low, high| SeverityRange { low, high, because: vec![] };
        let known = closed(TenantState::No, Perimeter::Circumscribed, Impact::None, Urgency::None);
        assert!(banner(&range(3, 4), &known, false).expect("said").fr.contains("(crise cyber)"));
        assert!(banner(&range(2, 3), &open(), true).is_some());
        assert!(banner(&range(2, 3), &open(), false).is_none() && banner(&range(2, 3), &known, true).is_none());
        assert!(banner(&range(4, 4), &open(), true).is_none());
    }

    #[test]
    fn a_rule_names_who_answered() {
        let mut j = Journal::default();
        j.say("V.T3", "confirmed", &[]);
        let judged = answered(&j.fold(), &Frame::default());
        let reasons = reasons(&severity(&judged.axes), &judged);
        let r6 = reasons.iter().find(|r| r.rule == "R6").expect("R6");
        assert_eq!(
            r6.text.fr,
            "R6 : Un tenant compromis est une menace grave : majeur au moins. [compte à privilèges Entra ID confirmé compromis (V.T3, M. Durand, 13:00)]"
        );
        assert_eq!(r6.questions, ["V.T3"]);
    }

    #[test]
    fn a_retained_level_wants_a_reason_marks_its_deviation_and_says_when_the_interval_moves() {
        assert!(check(3, "exercise").is_ok() && check(3, "décision prise en comité").is_ok());
        assert!(check(3, "parce que").expect_err("too short").fr.contains("exercise (exercice)"));
        assert!(check(5, "exercise").is_err());
        let mut j = Journal::default();
        let retain = |countersigned: Option<&str>| Payload::Override {
            level: Some(4),
            reason: "director".into(),
            computed: (3, 3),
            countersigned: countersigned.map(str::to_owned),
        };
        j.add(&retain(None));
        let of = |j: &Journal, low, high| overridden(&j.fold(), &SeverityRange { low, high, because: vec![] }).remove(0);
        let o = of(&j, 3, 3);
        assert_eq!((o.level, o.reason.fr.as_str(), o.moved.clone()), (4, "décision de la direction", None));
        assert!(o.outside.expect("a deviation").fr.starts_with("Écart : 4"));
        assert_eq!(of(&j, 3, 4).moved.expect("moved").fr, "L'intervalle calculé a bougé : 3 → 3–4. Garder 4 ?");
        j.add(&retain(Some("Mme Petit")));
        assert_eq!(of(&j, 3, 3).outside, None);
        j.add(&Payload::Override { level: None, reason: String::new(), computed: (3, 3), countersigned: None });
        assert!(overridden(&j.fold(), &severity(&open())).is_empty(), "taken back");
    }

    #[test]
    fn every_word_is_there() {
        let all = WORDS.distance.values().chain(WORDS.change.values()).chain(WORDS.banner.values());
        for t in all.chain(WORDS.overrule.values()).chain(WORDS.listed.values()) {
            assert!(!t.fr.is_empty() && !t.en.is_empty());
        }
        for (name, _) in CHANGES {
            assert!(WORDS.change.contains_key(name));
        }
    }
}
