//! The severity: one total function over the five axes, the words of its result, and the sentence of the answer.
//!
//! R1 is the sheet's own definition of a crisis, R0 and R6 come from its note on privileged accounts; R2 to R5 are our reading of
//! its other definitions and are shown as such. Over sets of values the result is an interval.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use reflexe_model::{
    ActionResult, ActionState, Axes, Confirmation, Finding, Impact, Lang, Perimeter, SeverityRange, SeverityReason, TenantState,
    Text, Urgency,
};
use serde::Deserialize;

pub mod advice;
mod table;
#[cfg(test)]
mod tests;

pub use table::table;

use crate::{
    axes,
    conclude::Rules,
    say::{clean, list},
    story::fill::{Arg, capital, fill},
};

/// One value on each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Is an incident established?
    pub confirmation: Confirmation,
    /// Is the tenant's administration compromised?
    pub tenant: TenantState,
    /// How far?
    pub perimeter: Perimeter,
    /// How bad?
    pub impact: Impact,
    /// How urgent?
    pub urgency: Urgency,
}

/// The severity of one point and the rules that carry it. `keep_perimeter` is the journaled decision of a person that a
/// compromised tenant stays circumscribed.
pub fn level(mut p: Point, keep_perimeter: bool) -> (u8, Vec<&'static str>) {
    let mut fired = Vec::new();
    let tenant = p.tenant != TenantState::No;
    if tenant {
        p.confirmation = Confirmation::Confirmed;
        if !keep_perimeter {
            p.perimeter = Perimeter::Extended;
        }
        fired.push("R0");
    }
    let extended = p.perimeter == Perimeter::Extended;
    if extended && p.impact == Impact::Strong && p.urgency == Urgency::Stopped {
        fired.push("R1");
        return (4, fired);
    }
    // What each rule demands at least; the severity is the highest demand.
    let effect = impact_level(p.impact).max(urgency_level(p.urgency));
    let demands = [
        ("R2", effect),
        ("R3", if extended { 2 } else { 1 }),
        ("R4", if extended && effect == 2 { 3 } else { 1 }),
        ("R5", if p.confirmation == Confirmation::Confirmed { 2 } else { 1 }),
        ("R6", if tenant { 3 } else { 1 }),
    ];
    let level = demands.iter().map(|(_, n)| *n).max().unwrap_or(1);
    // At 1 only R2 speaks: no effect.
    fired.extend(demands.iter().filter(|(rule, n)| *n == level && (level > 1 || *rule == "R2")).map(|(rule, _)| *rule));
    (level, fired)
}

fn impact_level(impact: Impact) -> u8 {
    match impact {
        Impact::None => 1,
        Impact::Moderate => 2,
        Impact::Strong => 3,
    }
}

fn urgency_level(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::None => 1,
        Urgency::Degraded => 2,
        Urgency::Stopped => 3,
    }
}

/// The interval of severities over all values still possible, with the rules that carry its lower bound.
pub fn severity(axes: &Axes) -> SeverityRange {
    severity_with(axes, false)
}

/// The same, when a person decided that a compromised tenant stays circumscribed.
pub fn severity_with(axes: &Axes, keep_perimeter: bool) -> SeverityRange {
    let mut low: Option<(u8, Vec<&'static str>)> = None;
    let mut high = 1;
    for point in points(axes) {
        let (n, fired) = level(point, keep_perimeter);
        high = high.max(n);
        if low.as_ref().is_none_or(|(l, _)| n < *l) {
            low = Some((n, fired));
        }
    }
    // No value left on an axis cannot be: it would mean that nothing is possible. It is read as nothing known.
    let Some((low, fired)) = low else {
        return severity_with(&axes::open(), keep_perimeter);
    };
    // The lower bound 1 of an open interval is ignorance: no rule carries it.
    let carried = if low == 1 && high > 1 { Vec::new() } else { fired };
    SeverityRange { low, high, because: carried.into_iter().map(Words::reason).collect() }
}

/// All combinations, the least grave first: the sets are ordered.
fn points(axes: &Axes) -> impl Iterator<Item = Point> {
    axes.confirmation.iter().flat_map(move |&confirmation| {
        axes.tenant_compromised.iter().flat_map(move |&tenant| {
            axes.perimeter.iter().flat_map(move |&perimeter| {
                axes.impact.iter().flat_map(move |&impact| {
                    axes.urgency.iter().map(move |&urgency| Point { confirmation, tenant, perimeter, impact, urgency })
                })
            })
        })
    })
}

/// `fiche/conclusion/severity.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    level: BTreeMap<String, LevelWords>,
    rule: BTreeMap<String, RuleWords>,
    display: DisplayWords,
    claim: BTreeMap<String, Text>,
    sentence: SentenceWords,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelWords {
    fr: String,
    en: String,
    article: Text,
    means: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleWords {
    ours: bool,
    fr: String,
    en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisplayWords {
    ours: Text,
    range: Text,
    open: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SentenceWords {
    confirmed: Text,
    confirmed_and: Text,
    suspected: Text,
    outside: Text,
    outside_too: Text,
    nothing: Text,
    covered: Text,
    and: Text,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    // The file is part of the binary and a test reads every word of it: this cannot fail at a user's.
    toml::from_str(include_str!("../../../fiche/conclusion/severity.toml")).expect("embedded severity.toml")
});

impl Words {
    fn level(n: u8) -> &'static LevelWords {
        // Levels are 1 to 4 by construction, the file has the four (test): anything else shows the nearest.
        &WORDS.level[&n.clamp(1, 4).to_string()]
    }

    fn reason(rule: &'static str) -> SeverityReason {
        let Some(words) = WORDS.rule.get(rule) else {
            return SeverityReason { rule: rule.to_owned(), text: Text::default() };
        };
        let ours = &WORDS.display.ours;
        let text = if words.ours {
            Text::new(format!("{} {}", words.fr, ours.fr), format!("{} {}", words.en, ours.en))
        } else {
            Text::new(&words.fr, &words.en)
        };
        SeverityReason { rule: rule.to_owned(), text }
    }
}

/// The name of a severity, lower case.
pub fn name(level: u8) -> Text {
    let words = Words::level(level);
    Text::new(&words.fr, &words.en)
}

/// What a severity means, in one sentence.
pub fn meaning(level: u8) -> Text {
    Words::level(level).means.clone()
}

/// A range in words: "incident majeur", "au moins incident majeur, crise cyber possible", "non qualifiable à ce stade".
pub fn display(range: &SeverityRange, lang: Lang) -> String {
    let (low, high) = (name(range.low), name(range.high));
    match (range.low, range.high) {
        (l, h) if l == h => low.get(lang).to_owned(),
        (1, 4) => WORDS.display.open.get(lang).to_owned(),
        _ => {
            let args = [
                ("low", Arg::Word(low.get(lang).to_owned())),
                ("low_a", Arg::Word(Words::level(range.low).article.get(lang).to_owned())),
                ("high", Arg::Word(high.get(lang).to_owned())),
            ];
            fill(WORDS.display.range.get(lang), lang, &args)
        }
    }
}

/// The one sentence of the answer: how grave, and what a person is asked to confirm.
pub fn sentence(
    proposed: &SeverityRange,
    actions: &[ActionResult],
    findings: &[Finding],
    compromised: usize,
    rules: &Rules,
) -> Text {
    let one = |lang| sentence_in(proposed, actions, findings, compromised, rules, lang);
    Text::new(one(Lang::Fr), one(Lang::En))
}

fn sentence_in(
    proposed: &SeverityRange,
    actions: &[ActionResult],
    findings: &[Finding],
    compromised: usize,
    rules: &Rules,
    lang: Lang,
) -> String {
    let words = &WORDS.sentence;
    let of = |state| actions.iter().filter(move |a| a.proposed == state);
    let join = |parts: Vec<String>| parts.join(words.and.get(lang));
    // Names stand in the first claim only: who it is about must be read in one breath.
    let claims = |state| join(of(state).enumerate().map(|(n, a)| claim(a, if n == 0 { findings } else { &[] }, lang)).collect());
    // What accuses and stands in no claim: signs outside the five actions, and those too light for them.
    let claimed: Vec<(&ActionResult, BTreeSet<&String>)> =
        of(ActionState::Confirmed).chain(of(ActionState::Suspected)).map(|a| (a, a.because.iter().collect())).collect();
    let speaks_of = |f: &Finding, (a, because): &(&ActionResult, BTreeSet<&String>)| {
        let points = f.also_suspects.as_ref() == Some(&a.id);
        f.items.iter().any(|item| item.strip_prefix(&a.id).is_some_and(|rest| rest.starts_with('.')))
            || (!points && because.contains(&f.id))
    };
    let in_claim = |f: &&Finding| claimed.iter().any(|a| speaks_of(f, a));
    let outside: Vec<&Finding> = findings.iter().filter(|f| f.accuses() && !in_claim(f)).collect();
    let (confirmed, suspected) = (of(ActionState::Confirmed).count(), of(ActionState::Suspected).count());
    let mut args = vec![("range", Arg::Word(capital(&display(proposed, lang))))];
    let template = if confirmed > 0 {
        args.push(("claims", Arg::Word(claims(ActionState::Confirmed))));
        let others: Vec<String> = of(ActionState::Suspected).map(|a| a.title.get(lang).to_owned()).collect();
        args.push(("others", Arg::Word(list(&others, lang))));
        if suspected > 0 { &words.confirmed_and } else { &words.confirmed }
    } else if suspected > 0 {
        // What it would be if the suspicions held: the same function over the same axes.
        let mut supposed = actions.to_vec();
        for a in supposed.iter_mut().filter(|a| a.proposed == ActionState::Suspected) {
            a.proposed = ActionState::Confirmed;
        }
        let then = display(&severity(&axes::proposed(&supposed, compromised, rules)), lang);
        args.push(("then", Arg::Word(then)));
        args.push(("claims", Arg::Word(claims(ActionState::Suspected))));
        &words.suspected
    } else {
        let unknown = of(ActionState::Unknown).count();
        args.push(("n", Arg::Count(unknown)));
        args.push(("all", Arg::Count(actions.len())));
        match (outside.is_empty(), unknown) {
            (false, _) => &words.outside,
            (true, 1..) => &words.nothing,
            (true, 0) => &words.covered,
        }
    };
    args.push(("signs", Arg::Count(outside.len())));
    args.push(("what", Arg::Word(what(&outside, lang))));
    let mut sentence = fill(template.get(lang), lang, &args);
    if !outside.is_empty() && confirmed + suspected > 0 {
        sentence.push_str(&fill(words.outside_too.get(lang), lang, &args));
    }
    sentence
}

/// Signs in few words, the gravest two: what was done, and by whom.
fn what(findings: &[&Finding], lang: Lang) -> String {
    let told = |f: &&&Finding| {
        let signs: Vec<String> = f.signs.iter().map(|s| s.text.get(lang).to_owned()).collect();
        let text = if signs.is_empty() { clean(f.text.get(lang)) } else { clean(&list(&signs, lang)) };
        let who = Some(f.hand()).filter(|who| who.contains('@')).map(|who| format!(" ({})", clean(who)));
        format!("{text}{}", who.unwrap_or_default())
    };
    let mut parts: Vec<String> = findings.iter().take(2).map(|f| told(&f)).collect();
    parts.dedup();
    if findings.len() > 2 {
        parts.push(format!("+{}", findings.len() - 2));
    }
    parts.join(", ")
}

/// What one action claims, with the accounts or applications that carry it.
fn claim(action: &ActionResult, findings: &[Finding], lang: Lang) -> String {
    let claim = WORDS.claim.get(&action.id).map_or_else(|| format!("« {} »", action.title.get(lang)), |t| t.get(lang).to_owned());
    let because: BTreeSet<&String> = action.because.iter().collect();
    let carried = findings.iter().filter(|f| because.contains(&f.id));
    let who: BTreeSet<String> = carried.filter(|f| f.hand().contains('@')).map(|f| clean(f.hand())).collect();
    let who: Vec<String> = who.into_iter().collect();
    // More names than two are read in the reasons below.
    match who.as_slice() {
        [] => claim,
        [a] => format!("{claim} ({a})"),
        [a, b] => format!("{claim} ({a}, {b})"),
        [a, b, rest @ ..] => format!("{claim} ({a}, {b}, +{})", rest.len()),
    }
}
