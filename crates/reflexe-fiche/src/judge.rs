//! From facts to a verdict: signs against coverage, points, unknowns. The order of the steps is the check contract's;
//! nothing here reads a file or runs SQL.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_model::{CoverageLevel, Text, Verdict, Window};

use crate::{
    coverage::Coverage,
    def::{CheckDef, Class, Need, Sign},
};

mod fold;
mod hand;

pub use fold::{Act, Candidate, Folded, Folding, Head, OneAct};
use hand::Seen;
pub use hand::{Deciding, Hostile, Suspects, Suspicion};

/// What judging must know beyond the row: period, coverage, and what other findings and people said.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Period that is searched.
    pub window: Window,
    /// Proven coverage.
    pub coverage: &'a Coverage,
    /// Links known to be hostile, as `kind:value`.
    pub hostile: &'a BTreeSet<String>,
    /// Links hostile for one account: what a decisive act was done from.
    pub hostile_for: &'a Hostile,
    /// Suspects, with what makes them so.
    pub suspects: &'a Suspects,
    /// Very important persons.
    pub vips: &'a BTreeSet<String>,
    /// Holders of privileged roles.
    pub privileged: &'a BTreeSet<String>,
    /// Guests.
    pub guests: &'a BTreeSet<String>,
    /// Objects declared legitimate: object (subject or subject/key) → who said so.
    pub legitimate: &'a BTreeMap<String, String>,
    /// Questions that a person answered.
    pub answered: &'a BTreeSet<String>,
    /// Populations that a need is counted over: `table.column` → values.
    pub populations: &'a BTreeMap<String, BTreeSet<String>>,
}

/// What the signs of a finding come to.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// Its verdict.
    pub verdict: Verdict,
    /// Points of the signs that hold.
    pub points: i64,
    /// Weight.
    pub weight: u32,
    /// Alone enough to establish.
    pub decisive: bool,
    /// Signs that hold, in the check's order.
    pub on: Vec<String>,
    /// Those of them whose points count: all, but of a bundle only those of its gravest row.
    pub counted: Vec<String>,
    /// Signs of needed evidence that stay open.
    pub open: Vec<String>,
    /// Signs of other evidence that stay open: limits, said and never blocking.
    pub limits: Vec<String>,
    /// What it could be if the open signs held.
    pub could_be: Option<Verdict>,
    /// Tables that would close the open signs.
    pub missing: BTreeSet<String>,
    /// Whether a link of it is hostile.
    pub in_context: bool,
    /// Its deciding acts: their authors become suspects, their sessions hostile. None unless it is decisive by more than suspicion.
    pub deciding: Vec<Deciding>,
}

/// A judged finding.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The rows.
    pub folded: Folded,
    /// What they come to.
    pub weighed: Weighed,
    /// Whose part of an object's history it is, where others did something of another gravity to the same object.
    pub apart: Option<String>,
}

/// The two signs that every check has, declared or not: people's word lowers a finding and hides nothing.
fn standing_signs() -> [(&'static str, Sign); 2] {
    let lowered = |fr: &str, en: &str| Sign {
        at_most: Some(Verdict::Info),
        fr: Some(fr.to_owned()),
        en: Some(en.to_owned()),
        ..Sign::default()
    };
    [
        ("declared_legitimate", lowered("déclaré légitime", "declared legitimate")),
        ("own_response", lowered("fait par les intervenants", "done by the responders")),
    ]
}

/// A check's signs with the standing ones, in the order in which they are told.
pub fn signs_of(check: &CheckDef) -> Vec<(&str, &Sign)> {
    static STANDING: std::sync::LazyLock<[(&str, Sign); 2]> = std::sync::LazyLock::new(standing_signs);
    let own = check.signs.iter().map(|(name, sign)| (name.as_str(), sign));
    let standing = STANDING.iter().filter(|(name, _)| !check.signs.contains_key(*name)).map(|(name, sign)| (*name, sign));
    own.chain(standing).collect()
}

/// Weighs one finding: an ordinary one by the signs of all its rows together, a bundle by those of its gravest row.
pub fn weigh(check: &CheckDef, folded: &Folded, ctx: &Context<'_>) -> Weighed {
    let own = folded.identity(check);
    let acts: Vec<(Seen, &Act)> = folded.acts.iter().map(|a| (Seen::of(a, folded, &own, ctx), a)).collect();
    if check.bundle.is_none() {
        let seen = acts.iter().fold(Seen::default(), |all, (one, _)| all.or(*one));
        return weigh_together(check, folded, &folded.signs, seen, &acts, ctx);
    }
    let mut parts: BTreeMap<(Seen, &BTreeMap<String, Option<bool>>), Vec<(Seen, &Act)>> = BTreeMap::new();
    for (seen, act) in acts {
        parts.entry((seen, &act.head.signs)).or_default().push((seen, act));
    }
    let weighed = parts.iter().map(|((seen, signs), acts)| weigh_together(check, folded, signs, *seen, acts, ctx));
    weighed
        .reduce(|whole, part| whole.or(part, check))
        .unwrap_or_else(|| weigh_together(check, folded, &folded.signs, Seen::default(), &[], ctx))
}

/// Puts findings and what they come to together. Those of one object whose authors differ in nothing are one again; of the others
/// the gravest stands for the object, and each lesser one apart, under its author's name.
pub fn settle(check: &CheckDef, weighed: impl IntoIterator<Item = (Folded, Weighed)>) -> Vec<Judged> {
    let mut out = Vec::new();
    let mut objects: BTreeMap<(String, String, String), Vec<Judged>> = BTreeMap::new();
    for (folded, weighed) in weighed {
        let object = (folded.subject.clone(), folded.key.clone(), folded.say.clone());
        let judged = Judged { folded, weighed, apart: None };
        // A bundle is one act of one hand already.
        if check.bundle.is_some() {
            out.push(judged);
        } else {
            objects.entry(object).or_default().push(judged);
        }
    }
    let alike = |j: &Judged| {
        let w = &j.weighed;
        (w.verdict, w.decisive, hand::CONTEXTUAL.map(|name| w.on.iter().any(|on| on == name)))
    };
    for mut hands in objects.into_values() {
        hands.sort_by(|a, b| {
            (alike(b), b.weighed.points).cmp(&(alike(a), a.weighed.points)).then_with(|| a.folded.hands().cmp(&b.folded.hands()))
        });
        let mut groups: Vec<Judged> = Vec::new();
        for one in hands {
            match groups.last_mut().filter(|g| alike(g) == alike(&one)) {
                Some(group) => {
                    group.folded.absorb(one.folded);
                    group.weighed = group.weighed.clone().or(one.weighed, check);
                }
                None => groups.push(one),
            }
        }
        for lesser in groups.iter_mut().skip(1) {
            lesser.apart = Some(lesser.folded.hands());
        }
        out.extend(groups);
    }
    out
}

impl Weighed {
    /// Two made one: the graver verdict stands, what either says is said.
    fn or(self, other: Self, check: &CheckDef) -> Self {
        let gravity = |w: &Self| (w.verdict, w.decisive, w.points);
        let (mut whole, other) = if gravity(&other) > gravity(&self) { (other, self) } else { (self, other) };
        let names: Vec<String> = signs_of(check).into_iter().map(|(name, _)| name.to_owned()).collect();
        let either = |a: &[String], b: &[String], not: &[String]| -> Vec<String> {
            names.iter().filter(|n| (a.contains(n) || b.contains(n)) && !not.contains(n)).cloned().collect()
        };
        whole.on = either(&whole.on, &other.on, &[]);
        whole.open = either(&whole.open, &other.open, &whole.on);
        whole.limits = either(&whole.limits, &other.limits, &whole.on);
        whole.weight = whole.weight.max(other.weight);
        whole.in_context |= other.in_context;
        whole.could_be = whole.could_be.max(other.could_be).filter(|could| *could > whole.verdict);
        whole.missing.extend(other.missing);
        whole.deciding.extend(other.deciding);
        whole
    }
}

/// Weighs rows by their signs together.
fn weigh_together(
    check: &CheckDef,
    folded: &Folded,
    own: &BTreeMap<String, Option<bool>>,
    seen: Seen,
    acts: &[(Seen, &Act)],
    ctx: &Context<'_>,
) -> Weighed {
    let signs = signs_of(check);
    let mut null_in_sql = BTreeSet::new();
    let mut on = Vec::new();
    let mut open = Vec::new();
    for &(name, sign) in &signs {
        let built_in = crate::def::BUILT_IN.contains(&name);
        let mut value =
            if built_in { built_in_sign(name, folded, seen, ctx) } else { own.get(name).copied().unwrap_or(Some(false)) };
        if value.is_none() && !built_in {
            null_in_sql.insert(name.to_owned());
        }
        let covered = |t: &String| ctx.coverage.covers(t, wanted(check, t), &ctx.window, Some(&folded.subject));
        if value == Some(false) && !sign.seen_in.iter().all(covered) {
            value = None;
        }
        if value == Some(true) && !sign.absent_from.iter().all(covered) {
            value = None;
        }
        match value {
            Some(true) => on.push(name.to_owned()),
            None => open.push(name.to_owned()),
            Some(false) => {}
        }
    }
    let sign = |name: &String| signs.iter().find(|(n, _)| n == name).map(|(_, s)| *s);
    let level = |on: &[String]| level(check, &folded.say, &signs, on);
    let (mut verdict, points) = level(&on);

    // An open sign matters only if it could raise the verdict, and blocks only if its evidence is needed.
    let could_raise = |n: &String| sign(n).is_some_and(|s| s.points.unwrap_or(0) >= 0 && s.at_most.is_none());
    let hinges = |n: &String| null_in_sql.contains(n) && sign(n).is_some_and(|s| !s.hinges_on.is_empty());
    let needed =
        |n: &String| sign(n).is_some_and(|s| s.seen_in.iter().chain(&s.absent_from).any(|t| check.needs.contains_key(t)));
    let (open, limits): (Vec<String>, Vec<String>) = open.into_iter().filter(could_raise).partition(|n| hinges(n) || needed(n));
    let worst = level(&on.iter().chain(&open).cloned().collect::<Vec<_>>()).0;
    let mut could_be = None;
    let mut missing = BTreeSet::new();
    if worst > verdict {
        could_be = Some(worst);
        missing = missing_tables(check, &signs, &open, &null_in_sql, &folded.subject, ctx);
        if verdict < Verdict::Weakness {
            verdict = Verdict::Unknown;
        }
    }
    let weight = on
        .iter()
        .filter_map(sign)
        .filter(|s| s.at_most.is_none())
        .map(|s| s.weight.unwrap_or(check.weight))
        .max()
        .unwrap_or(check.weight);
    let by_points = |on: &[String]| check.judge.decisive.is_some_and(|d| level(on).1 >= d);
    let by_sign = |on: &[String]| on.iter().any(|n| sign(n).is_some_and(|s| s.decisive));
    let decisive = |on: &[String]| level(on).0 == Verdict::Compromise && (by_sign(on) || by_points(on));
    // Suspicion alone makes no further suspect: one wrong suspect would make all who work with him suspects too.
    let unsuspected: Vec<String> = on.iter().filter(|n| *n != hand::SUSPECT).cloned().collect();
    let deciding = if decisive(&unsuspected) {
        hand::deciding(&folded.identity(check), &signs, &unsuspected, by_points(&unsuspected), acts)
    } else {
        Vec::new()
    };
    Weighed {
        verdict,
        points,
        weight,
        decisive: verdict == Verdict::Compromise && decisive(&on),
        counted: on.clone(),
        on,
        open,
        limits,
        could_be,
        missing,
        in_context: seen.in_context,
        deciding,
    }
}

/// The need that a check declares for a table, or an empty one.
fn wanted<'a>(check: &'a CheckDef, table: &str) -> &'a Need {
    static NOTHING: std::sync::OnceLock<Need> = std::sync::OnceLock::new();
    check.needs.get(table).or_else(|| check.better_with.get(table)).unwrap_or_else(|| NOTHING.get_or_init(Need::default))
}

/// Verdict and points that a set of signs reaches.
fn level(check: &CheckDef, say: &str, signs: &[(&str, &Sign)], on: &[String]) -> (Verdict, i64) {
    let j = &check.judge;
    let held: Vec<&Sign> = signs.iter().filter(|(n, _)| on.iter().any(|on| on == n)).map(|(_, s)| *s).collect();
    let blocked = j.only_if.as_ref().is_some_and(|name| !on.contains(name));
    let points = if blocked { 0 } else { held.iter().filter_map(|s| s.points).sum() };
    let mut verdict = j.base.unwrap_or(Verdict::Ok);
    for (level, least) in
        [(Verdict::Weakness, j.weakness), (Verdict::Suspicious, j.suspicious), (Verdict::Compromise, j.compromise)]
    {
        if least.is_some_and(|least| points >= least) {
            verdict = verdict.max(level);
        }
    }
    verdict = held.iter().filter_map(|s| s.verdict).fold(verdict, Verdict::max);
    verdict = held.iter().filter_map(|s| s.at_most).fold(verdict, Verdict::min);
    if let Some(most) = check.template(say).and_then(|t| t.at_most) {
        verdict = verdict.min(most);
    }
    if check.class == Class::Posture {
        verdict = verdict.min(Verdict::Weakness);
    }
    (verdict, points)
}

fn missing_tables(
    check: &CheckDef,
    signs: &[(&str, &Sign)],
    open: &[String],
    null_in_sql: &BTreeSet<String>,
    subject: &str,
    ctx: &Context<'_>,
) -> BTreeSet<String> {
    let open: Vec<(&str, &Sign)> = signs.iter().filter(|(n, _)| open.iter().any(|open| open == n)).copied().collect();
    let uncovered = |t: &&String, need: &Need| !ctx.coverage.covers(t, need, &ctx.window, Some(subject));
    let by_sign: BTreeSet<String> = open
        .iter()
        .flat_map(|(_, s)| s.seen_in.iter().chain(&s.absent_from))
        .filter(|t| uncovered(t, wanted(check, t)))
        .cloned()
        .collect();
    if !by_sign.is_empty() {
        return by_sign;
    }
    let by_null: BTreeSet<String> = open
        .iter()
        .filter(|(n, _)| null_in_sql.contains(*n))
        .flat_map(|(_, s)| &s.hinges_on)
        .filter(|t| uncovered(t, &Need::default()))
        .cloned()
        .collect();
    if !by_null.is_empty() {
        return by_null;
    }
    open.iter().flat_map(|(_, s)| s.seen_in.iter().chain(&s.absent_from).chain(&s.hinges_on)).cloned().collect()
}

fn built_in_sign(name: &str, f: &Folded, seen: Seen, ctx: &Context<'_>) -> Option<bool> {
    let subject = f.subject.to_lowercase();
    match name {
        "in_window" => f.first_seen().map(|t| ctx.window.from <= t && t <= ctx.window.to),
        "predates_window" => f.last_seen().or(f.first_seen()).map(|t| t < ctx.window.from),
        "subject_is_vip" => Some(ctx.vips.contains(&subject)),
        "subject_is_privileged" => Some(ctx.privileged.contains(&subject)),
        "subject_is_guest" => Some(ctx.guests.contains(&subject) || subject.contains("#ext#")),
        hand::HOSTILE => Some(seen.in_context),
        hand::SUSPECT => Some(seen.suspect),
        // Refused when the claimant is himself a suspect: an intruder would declare his own work legitimate.
        "declared_legitimate" => Some(
            [subject.clone(), format!("{subject}/{}", f.key.to_lowercase())]
                .iter()
                .filter_map(|object| ctx.legitimate.get(object))
                .any(|who| !ctx.suspects.contains_key(&who.to_lowercase())),
        ),
        _ => Some(false),
    }
}

/// The result of a check over all its rows.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its verdict.
    pub verdict: Verdict,
    /// How much of what it needs is covered.
    pub coverage: CoverageLevel,
    /// Needs that are not covered, as `table` or `answer:question`.
    pub missing: BTreeSet<String>,
    /// Why evidence that is there does not answer: times that were not logged.
    pub reasons: Vec<Text>,
}

/// The verdict of a check: the worst finding at or above `weakness`, else `unknown` if a need is open, else `ok`.
pub fn conclude(check: &CheckDef, judged: &[Judged], ctx: &Context<'_>) -> Outcome {
    let mut missing: BTreeSet<String> = BTreeSet::new();
    let mut reasons = Vec::new();
    let mut met = 0_usize;
    for (table, need) in &check.needs {
        if table == "answer" {
            let question = need.question.clone().unwrap_or_default();
            if ctx.answered.contains(&question) {
                met += 1;
            } else {
                missing.insert(format!("answer:{question}"));
            }
        } else if need_met(table, need, ctx) {
            met += 1;
        } else {
            missing.insert(table.clone());
            reasons.extend(ctx.coverage.reasons(table, need, &ctx.window));
        }
    }
    let coverage = match (missing.is_empty(), met) {
        (true, _) => CoverageLevel::Full,
        (false, n) if n > 0 || check.needs.keys().any(|t| ctx.coverage.mentions(t)) => CoverageLevel::Partial,
        _ => CoverageLevel::None,
    };
    missing.extend(
        judged.iter().map(|j| &j.weighed).filter(|w| w.verdict == Verdict::Unknown).flat_map(|w| w.missing.iter().cloned()),
    );
    let top = judged.iter().map(|j| j.weighed.verdict).max().unwrap_or(Verdict::Ok);
    let verdict = if top >= Verdict::Weakness {
        top
    } else if !missing.is_empty() || top == Verdict::Unknown {
        Verdict::Unknown
    } else {
        Verdict::Ok
    };
    let coverage = if coverage == CoverageLevel::Full && !missing.is_empty() { CoverageLevel::Partial } else { coverage };
    Outcome { verdict, coverage, missing, reasons }
}

fn need_met(table: &str, need: &Need, ctx: &Context<'_>) -> bool {
    let whole = std::iter::once(table).chain(need.or.iter().map(String::as_str));
    if whole.clone().any(|t| ctx.coverage.covers(t, need, &ctx.window, None)) {
        return true;
    }
    let Some(per) = &need.per else { return false };
    let Some((population_table, _)) = per.split_once('.') else { return false };
    let population = ctx.populations.get(per);
    ctx.coverage.covers(population_table, &Need::default(), &ctx.window, None)
        && population
            .is_some_and(|p| !p.is_empty() && p.iter().all(|member| ctx.coverage.covers(table, need, &ctx.window, Some(member))))
}

#[cfg(test)]
mod tests;
