//! Title and account of a story, in plain sentences and in the order of time.
use std::collections::BTreeSet;

use reflexe_model::{Finding, Lang, StoryLevel, Text, Verdict};

use super::{
    cluster::Act,
    fill::{Arg, fill},
    score::stages_of,
    stages::{Pattern, Stages, Step},
};
use crate::say::{clean, list, time};

/// The name of the attack if one fits, else the level in words; and the pattern's id.
pub(crate) fn title(acts: &[&Act], level: StoryLevel, data: &Stages) -> (Text, Option<String>) {
    match data.pattern.iter().find(|p| fits(p, acts)) {
        Some(p) => (Text::new(&p.fr, &p.en), Some(p.id.clone())),
        None => {
            let t = &data.title;
            let words = match level {
                StoryLevel::Compromise => &t.compromise,
                StoryLevel::Suspicion => &t.suspicion,
                StoryLevel::ToCheck => &t.to_check,
            };
            (words.clone(), None)
        }
    }
}

/// Takes each step at its earliest act that is not before the step before it.
fn fits(pattern: &Pattern, acts: &[&Act]) -> bool {
    if acts.iter().any(|a| pattern.never.contains(&a.finding.stage))
        || (pattern.only && !acts.iter().all(|a| pattern.steps.iter().any(|s| is_step(s, a.finding))))
    {
        return false;
    }
    let mut after = None;
    for step in &pattern.steps {
        let act = acts
            .iter()
            .map(|a| a.finding)
            .find(|f| is_step(step, f) && (f.first_seen.is_none() || f.last_seen.max(f.first_seen) >= after));
        match act {
            Some(f) => after = after.max(f.first_seen),
            None if step.optional => {}
            None => return false,
        }
    }
    true
}

fn is_step(step: &Step, f: &Finding) -> bool {
    let check = |wanted: &String| match wanted.strip_suffix('*') {
        Some(start) => f.check.starts_with(start),
        None => f.check == *wanted,
    };
    (step.stages.contains(&f.stage) || step.checks.iter().any(check))
        && step.sign.as_ref().is_none_or(|sign| f.signs.iter().any(|s| s.name == *sign))
}

/// The account, both languages.
pub(crate) fn account(acts: &[&Act], subject: &str, names: [&BTreeSet<&str>; 2], data: &Stages) -> Text {
    let one = |lang| account_in(acts, subject, names, data, lang);
    Text::new(one(Lang::Fr), one(Lang::En))
}

fn account_in(acts: &[&Act], subject: &str, [others, victims]: [&BTreeSet<&str>; 2], data: &Stages, lang: Lang) -> String {
    let say = &data.say;
    let stages = stages_of(acts);
    let words: Vec<String> = stages.iter().map(|s| data.word(s).get(lang).to_owned()).collect();
    let from = acts.iter().filter_map(|a| a.finding.first_seen).min();
    let to = acts.iter().filter_map(|a| a.finding.last_seen.or(a.finding.first_seen)).max();
    let opening = match (from, to) {
        (Some(from), Some(to)) if from != to => &say.from_to,
        (Some(_), _) => &say.at,
        _ => &say.undated,
    };
    let shown = |t: Option<_>| Arg::Word(t.map(|t| short(t, lang)).unwrap_or_default());
    let args = [
        ("from", shown(from)),
        ("to", shown(to)),
        ("n", Arg::Count(acts.len())),
        ("stages", Arg::Count(stages.len())),
        ("words", Arg::Word(list(&words, lang))),
        ("subject", Arg::Word(clean(subject))),
    ];
    let mut sentences = vec![fill(opening.get(lang), lang, &args)];
    for (words, who) in [(&say.others, others), (&say.victims, victims)] {
        if !who.is_empty() {
            let names: Vec<String> = who.iter().map(|o| clean(o)).collect();
            let args = [("n", Arg::Count(who.len())), ("names", Arg::Word(list(&names, lang)))];
            sentences.push(fill(words.get(lang), lang, &args));
        }
    }
    let told = gravest(acts, say.acts);
    sentences.extend(told.iter().map(|f| act(f, lang)));
    if acts.len() > told.len() {
        sentences.push(fill(say.more.get(lang), lang, &[("n", Arg::Count(acts.len() - told.len()))]));
    }
    let established = acts.iter().filter(|a| a.finding.verdict == Verdict::Compromise).count();
    for (words, n) in [(&say.established, established), (&say.to_check, acts.len() - established)] {
        if n > 0 {
            sentences.push(fill(words.get(lang), lang, &[("n", Arg::Count(n))]));
        }
    }
    sentences.join(" ")
}

/// The gravest acts, put back in the order of time.
fn gravest<'a>(acts: &[&Act<'a>], at_most: usize) -> Vec<&'a Finding> {
    let mut order: Vec<usize> = (0..acts.len()).collect();
    order.sort_by_key(|&i| {
        let f = acts[i].finding;
        (std::cmp::Reverse((f.decisive, f.verdict, f.weight)), i)
    });
    order.truncate(at_most);
    order.sort_unstable();
    order.into_iter().map(|i| acts[i].finding).collect()
}

/// One act: when, and the finding's own sentence.
fn act(f: &Finding, lang: Lang) -> String {
    let text = f.text.get(lang).trim_end();
    let stop = if text.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    match f.first_seen {
        Some(t) => format!("{}{} {text}{stop}", short(t, lang), if lang == Lang::Fr { " :" } else { ":" }),
        None => format!("{text}{stop}"),
    }
}

/// To the minute: seconds stand with the rows.
fn short(t: jiff::Timestamp, lang: Lang) -> String {
    let full = time(t, lang);
    // "… HH:MM:SS UTC": without the seconds and the zone, which the opening names.
    full.strip_suffix(" UTC").and_then(|s| s.get(..s.len().saturating_sub(3))).map_or(full.clone(), str::to_owned)
}
