//! The score of a story: points by stage, not by number of rows, so that 400 downloads do not outweigh one rule. Always printable.
//!
//! Two parts of the specified score wait for people's answers, which come later: what the user himself confirmed, and the safe list.
use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use reflexe_model::{Finding, Lang, StoryLevel, Text, Verdict};

use super::{
    StoryInputs,
    cluster::{Act, link_key},
    fill::{Arg, fill},
    stages::Stages,
};

/// The score and why.
pub(crate) struct Scored {
    pub score: u32,
    pub level: StoryLevel,
    pub breakdown: Text,
}

/// One summand of the breakdown.
struct Part {
    points: u32,
    name: Text,
}

/// Scores the acts of one story.
pub(crate) fn score(acts: &[&Act], principals: &BTreeSet<&str>, inputs: &StoryInputs, data: &Stages) -> Scored {
    let mut parts = stage_parts(acts, data);
    let s = &data.score;
    if stages_share_a_link(acts, inputs) {
        parts.push(Part { points: s.shared_link, name: data.say.shared_link.clone() });
    }
    if in_order(acts, s.order_hours) {
        parts.push(Part { points: s.order, name: data.say.order.clone() });
    }
    let further = u32::try_from(principals.len().saturating_sub(1)).unwrap_or(u32::MAX);
    if further > 0 {
        let points = further.saturating_mul(s.further_principal).min(s.further_principal_max);
        parts.push(Part { points, name: data.say.further_principal.clone() });
    }
    if principals.iter().any(|p| inputs.vip.contains(*p) || inputs.privileged.contains(*p)) {
        parts.push(Part { points: s.vip, name: data.say.vip.clone() });
    }
    let sum: u32 = parts.iter().map(|p| p.points).sum();
    let score = sum.min(100);
    Scored {
        score,
        level: level(score, acts, data),
        breakdown: Text::new(breakdown(score, sum, &parts, data, Lang::Fr), breakdown(score, sum, &parts, data, Lang::En)),
    }
}

/// Stages that the acts reach. A check without a stage (a state) belongs to none.
pub(crate) fn stages_of(acts: &[&Act]) -> BTreeSet<String> {
    acts.iter().map(|a| a.finding.stage.clone()).filter(|s| !s.is_empty()).collect()
}

/// For every stage its best act: the cap, times the weight, times how sure it is.
fn stage_parts(acts: &[&Act], data: &Stages) -> Vec<Part> {
    let mut best: BTreeMap<&str, (u32, &Finding)> = BTreeMap::new();
    for act in acts {
        let f = act.finding;
        let Some(stage) = data.stage.get(&f.stage) else {
            continue;
        };
        let points = points(f, stage.cap, data);
        let entry = best.entry(&f.stage).or_insert((points, f));
        // Acts come in time order: of equal ones the first is named.
        if points > entry.0 {
            *entry = (points, f);
        }
    }
    best.into_iter()
        .map(|(stage, (points, f))| {
            let name = |lang| format!("{stage} {} ({})", data.word(stage).get(lang), f.check);
            Part { points, name: Text::new(name(Lang::Fr), name(Lang::En)) }
        })
        .collect()
}

fn points(f: &Finding, cap: u32, data: &Stages) -> u32 {
    let sure = if f.verdict == Verdict::Compromise { data.score.compromise_percent } else { data.score.suspicious_percent };
    let context = if f.in_context { data.score.context_percent } else { 100 };
    let share = u64::from(f.weight.min(100)) * u64::from(sure) * u64::from(context); // of 1 000 000
    let points = (u64::from(cap) * share.min(1_000_000) + 500_000) / 1_000_000;
    u32::try_from(points).unwrap_or(cap)
}

/// Two stages done in one session, with one token or from one hostile address.
fn stages_share_a_link(acts: &[&Act], inputs: &StoryInputs) -> bool {
    let mut stages: BTreeMap<String, &str> = BTreeMap::new();
    acts.iter().filter(|a| !a.finding.stage.is_empty()).any(|act| {
        act.finding
            .links
            .iter()
            .filter(|l| inputs.same_hand(l, act.principal))
            .any(|link| *stages.entry(link_key(link)).or_insert(act.finding.stage.as_str()) != act.finding.stage)
    })
}

/// Access before foothold before abuse, all within the hours given.
fn in_order(acts: &[&Act], hours: i64) -> bool {
    let of = |stages: &[&str]| {
        acts.iter().filter(|a| stages.contains(&a.finding.stage.as_str())).map(|a| a.finding).collect::<Vec<_>>()
    };
    let first = |found: &[&Finding]| found.iter().filter_map(|f| f.first_seen).min();
    let abuse = of(&["S5", "S6", "S7"]);
    let (Some(access), Some(foothold), Some(abused)) =
        (first(&of(&["S1"])), first(&of(&["S2", "S2D", "S2P", "S4"])), first(&abuse))
    else {
        return false;
    };
    let Some(end) = abuse.iter().filter_map(|f| f.last_seen.or(f.first_seen)).max() else {
        return false;
    };
    access < foothold && foothold < abused && end.duration_since(access) <= SignedDuration::from_hours(hours)
}

/// What the points come to, and never less than the gravest fact: points are few where one fact tells all.
fn level(score: u32, acts: &[&Act], data: &Stages) -> StoryLevel {
    let l = &data.level;
    let by_points = if score >= l.compromise && stages_of(acts).len() >= l.compromise_stages {
        StoryLevel::Compromise
    } else if score >= l.suspicion {
        StoryLevel::Suspicion
    } else {
        StoryLevel::ToCheck
    };
    let fact = |f: &Finding| if f.verdict == Verdict::Compromise { StoryLevel::Compromise } else { StoryLevel::ToCheck };
    acts.iter().map(|a| fact(a.finding)).fold(by_points, StoryLevel::max)
}

/// `85 = S1 accès (1a.admin-signin-anomalies) 25 + … + même session 10`.
fn breakdown(score: u32, sum: u32, parts: &[Part], data: &Stages, lang: Lang) -> String {
    let summands: Vec<String> = parts.iter().map(|p| format!("{} {}", p.name.get(lang), p.points)).collect();
    let capped = if sum > score {
        let n = Arg::Count(usize::try_from(sum).unwrap_or(usize::MAX));
        format!(" {}", fill(data.say.capped.get(lang), lang, &[("n", n)]))
    } else {
        String::new()
    };
    format!("{score}{capped} = {}", summands.join(" + "))
}
