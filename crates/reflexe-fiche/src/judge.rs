//! From facts to a verdict: folding of rows, signs against coverage, points, unknowns. The order of the steps is the
//! check contract's; nothing here reads a file or runs SQL.
use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use reflexe_model::{CoverageLevel, Link, Verdict, Window};

use crate::{
    coverage::Coverage,
    def::{CheckDef, Class, Need, Sign},
    value::{Value, Values},
};

/// One row that `check.sql` returned.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// Who or what.
    pub subject: String,
    /// What tells two findings of a subject apart.
    pub key: String,
    /// Which template words it; empty for `found`.
    pub say: String,
    /// Rows that prove it.
    pub rows: Vec<i64>,
    /// Boolean columns.
    pub signs: BTreeMap<String, Option<bool>>,
    /// Other columns.
    pub values: BTreeMap<String, Vec<Value>>,
}

/// Rows of equal (subject, key, say), made one.
#[derive(Debug, Clone)]
pub struct Folded {
    /// Who or what.
    pub subject: String,
    /// See [`Candidate::key`].
    pub key: String,
    /// See [`Candidate::say`].
    pub say: String,
    /// All rows.
    pub rows: BTreeSet<i64>,
    /// True if one is true, else unknown if one is unknown.
    pub signs: BTreeMap<String, Option<bool>>,
    /// Distinct values.
    pub values: BTreeMap<String, Values>,
    /// What ties it to other findings.
    pub links: BTreeSet<Link>,
}

impl Folded {
    /// Earliest time.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.values.get("first_seen")?.first()?.as_time()
    }

    /// Latest time.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.values.get("last_seen")?.last()?.as_time()
    }

    /// Who did it, when the rows agree on one.
    pub fn actor(&self) -> Option<&str> {
        let actors = self.values.get("actor")?;
        if actors.len() == 1 { actors.first()?.as_text() } else { None }
    }
}

/// Makes rows of equal (subject, key, say) one, as they come: so `UNION ALL` of shapes, a state beside its change, and repeats
/// need no GROUP BY, and half a million rows need no more memory than the findings that they make.
pub struct Folding<'c> {
    check: &'c CheckDef,
    out: BTreeMap<(String, String, String), Folded>,
}

impl<'c> Folding<'c> {
    /// Nothing yet.
    pub fn of(check: &'c CheckDef) -> Self {
        Self { check, out: BTreeMap::new() }
    }

    /// Takes a row in.
    pub fn add(&mut self, c: Candidate) {
        let id = (c.subject.clone(), c.key.clone(), c.say.clone());
        let f = self.out.entry(id).or_insert_with(|| Folded {
            subject: c.subject,
            key: c.key,
            say: c.say,
            rows: BTreeSet::new(),
            signs: BTreeMap::new(),
            values: BTreeMap::new(),
            links: BTreeSet::new(),
        });
        f.rows.extend(c.rows);
        for (name, value) in c.signs {
            if self.check.signs.contains_key(&name) {
                let seen = f.signs.entry(name).or_insert(Some(false));
                *seen = match (*seen, value) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (None, _) | (_, None) => None,
                    _ => Some(false),
                };
            } else if let Some(value) = value {
                f.values.entry(name).or_default().insert(Value::Bool(value));
            }
        }
        for (name, values) in c.values {
            let kept = f.values.entry(name.clone()).or_default();
            kept.extend(values);
            // Of times only the outermost are looked at.
            match name.as_str() {
                "first_seen" if kept.len() > 1 => *kept = kept.first().cloned().into_iter().collect(),
                "last_seen" if kept.len() > 1 => *kept = kept.last().cloned().into_iter().collect(),
                _ => {}
            }
        }
    }

    /// What became of the rows.
    pub fn done(self) -> Vec<Folded> {
        let mut out: Vec<Folded> = self.out.into_values().collect();
        for f in &mut out {
            f.values.retain(|_, v| !v.is_empty());
        }
        out
    }
}

/// Why somebody is a suspect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspicion {
    /// The finding that says so ([`identity`]); empty when a person does. A finding never supports itself.
    pub by: String,
    /// When his acts are suspect, in microseconds; `None` is always.
    pub period: Option<(i64, i64)>,
}

/// Suspects (lower case), each with what makes him so.
pub type Suspects = BTreeMap<String, BTreeSet<Suspicion>>;

/// What tells one row of one check from all others.
pub fn identity(check: &CheckDef, folded: &Folded) -> String {
    [check.id.as_str(), &folded.subject, &folded.key, &folded.say].join("\u{0}").to_lowercase()
}

/// What judging must know beyond the row: period, coverage, and what other findings and people said.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Period that is searched.
    pub window: Window,
    /// Proven coverage.
    pub coverage: &'a Coverage,
    /// Links known to be hostile, as `kind:value`.
    pub hostile: &'a BTreeSet<String>,
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

/// A judged row.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The row.
    pub folded: Folded,
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
pub fn signs_of(check: &CheckDef) -> Vec<(String, Sign)> {
    let mut all: Vec<(String, Sign)> = check.signs.iter().map(|(n, s)| (n.clone(), s.clone())).collect();
    for (name, sign) in standing_signs() {
        if !check.signs.contains_key(name) {
            all.push((name.to_owned(), sign));
        }
    }
    all
}

/// Judges one folded row.
pub fn judge(check: &CheckDef, mut folded: Folded, ctx: &Context<'_>) -> Judged {
    let signs = signs_of(check);
    let mut null_in_sql = BTreeSet::new();
    let mut on = Vec::new();
    let mut open = Vec::new();
    for (name, sign) in &signs {
        let built_in = crate::def::BUILT_IN.contains(&name.as_str());
        let mut value = if built_in {
            built_in_sign(name, check, &folded, ctx)
        } else {
            folded.signs.get(name).copied().unwrap_or(Some(false))
        };
        if value.is_none() && !built_in {
            null_in_sql.insert(name.clone());
        }
        let covered = |t: &String| ctx.coverage.covers(t, wanted(check, t), &ctx.window, Some(&folded.subject));
        if value == Some(false) && !sign.seen_in.iter().all(covered) {
            value = None;
        }
        if value == Some(true) && !sign.absent_from.iter().all(covered) {
            value = None;
        }
        match value {
            Some(true) => on.push(name.clone()),
            None => open.push(name.clone()),
            Some(false) => {}
        }
        folded.signs.insert(name.clone(), value);
    }
    let sign = |name: &String| signs.iter().find(|(n, _)| n == name).map(|(_, s)| s);
    let (verdict, points) = weigh(check, &signs, &on);

    // An open sign matters only if it could raise the verdict, and blocks only if its evidence is needed.
    let could_raise = |n: &String| sign(n).is_some_and(|s| s.points.unwrap_or(0) >= 0 && s.at_most.is_none());
    let hinges = |n: &String| null_in_sql.contains(n) && sign(n).is_some_and(|s| !s.hinges_on.is_empty());
    let needed =
        |n: &String| sign(n).is_some_and(|s| s.seen_in.iter().chain(&s.absent_from).any(|t| check.needs.contains_key(t)));
    let (open, limits): (Vec<String>, Vec<String>) = open.into_iter().filter(could_raise).partition(|n| hinges(n) || needed(n));
    let worst = weigh(check, &signs, &on.iter().chain(&open).cloned().collect::<Vec<_>>()).0;
    let mut judged_verdict = verdict;
    let mut could_be = None;
    let mut missing = BTreeSet::new();
    if worst > verdict {
        could_be = Some(worst);
        missing = missing_tables(check, &signs, &open, &null_in_sql, &folded.subject, ctx);
        if verdict < Verdict::Weakness {
            judged_verdict = Verdict::Unknown;
        }
    }
    let decisive = judged_verdict == Verdict::Compromise
        && (on.iter().any(|n| sign(n).is_some_and(|s| s.decisive)) || check.judge.decisive.is_some_and(|d| points >= d));
    let weight = on
        .iter()
        .filter_map(sign)
        .filter(|s| s.at_most.is_none())
        .map(|s| s.weight.unwrap_or(check.weight))
        .max()
        .unwrap_or(check.weight);
    let in_context = folded.links.iter().any(|l| ctx.hostile.contains(&format!("{}:{}", l.kind, l.value)));
    Judged { folded, verdict: judged_verdict, points, weight, decisive, on, open, limits, could_be, missing, in_context }
}

/// The need that a check declares for a table, or an empty one.
fn wanted<'a>(check: &'a CheckDef, table: &str) -> &'a Need {
    static NOTHING: std::sync::OnceLock<Need> = std::sync::OnceLock::new();
    check.needs.get(table).or_else(|| check.better_with.get(table)).unwrap_or_else(|| NOTHING.get_or_init(Need::default))
}

/// Verdict and points that a set of signs reaches.
fn weigh(check: &CheckDef, signs: &[(String, Sign)], on: &[String]) -> (Verdict, i64) {
    let j = &check.judge;
    let held: Vec<&Sign> = signs.iter().filter(|(n, _)| on.contains(n)).map(|(_, s)| s).collect();
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
    if check.class == Class::Posture {
        verdict = verdict.min(Verdict::Weakness);
    }
    (verdict, points)
}

fn missing_tables(
    check: &CheckDef,
    signs: &[(String, Sign)],
    open: &[String],
    null_in_sql: &BTreeSet<String>,
    subject: &str,
    ctx: &Context<'_>,
) -> BTreeSet<String> {
    let open: Vec<(&String, &Sign)> = signs.iter().filter(|(n, _)| open.contains(n)).map(|(n, s)| (n, s)).collect();
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

fn built_in_sign(name: &str, check: &CheckDef, f: &Folded, ctx: &Context<'_>) -> Option<bool> {
    let subject = f.subject.to_lowercase();
    match name {
        "in_window" => f.first_seen().map(|t| ctx.window.from <= t && t <= ctx.window.to),
        "predates_window" => f.last_seen().or(f.first_seen()).map(|t| t < ctx.window.from),
        "subject_is_vip" => Some(ctx.vips.contains(&subject)),
        "subject_is_privileged" => Some(ctx.privileged.contains(&subject)),
        "subject_is_guest" => Some(ctx.guests.contains(&subject) || subject.contains("#ext#")),
        "in_context" => Some(f.links.iter().any(|l| ctx.hostile.contains(&format!("{}:{}", l.kind, l.value)))),
        "actor_is_suspect" => {
            let own = identity(check, f);
            let (first, last) = (f.first_seen(), f.last_seen());
            let within = |(from, to): (i64, i64)| {
                let begins = first.is_none_or(|t| from <= t.as_microsecond());
                begins && first.or(last).is_none_or(|t| t.as_microsecond() <= to)
            };
            let suspect = |actor: &str| {
                let reasons = ctx.suspects.get(&actor.to_lowercase());
                reasons.into_iter().flatten().any(|s| s.by != own && s.period.is_none_or(within))
            };
            Some(f.values.get("actor").into_iter().flatten().filter_map(Value::as_text).any(suspect))
        }
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
}

/// The verdict of a check: the worst finding at or above `weakness`, else `unknown` if a need is open, else `ok`.
pub fn conclude(check: &CheckDef, judged: &[Judged], ctx: &Context<'_>) -> Outcome {
    let mut missing: BTreeSet<String> = BTreeSet::new();
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
        }
    }
    let coverage = match (missing.is_empty(), met) {
        (true, _) => CoverageLevel::Full,
        (false, n) if n > 0 || check.needs.keys().any(|t| ctx.coverage.mentions(t)) => CoverageLevel::Partial,
        _ => CoverageLevel::None,
    };
    missing.extend(judged.iter().filter(|j| j.verdict == Verdict::Unknown).flat_map(|j| j.missing.iter().cloned()));
    let top = judged.iter().map(|j| j.verdict).max().unwrap_or(Verdict::Ok);
    let verdict = if top >= Verdict::Weakness {
        top
    } else if !missing.is_empty() || top == Verdict::Unknown {
        Verdict::Unknown
    } else {
        Verdict::Ok
    };
    let coverage = if coverage == CoverageLevel::Full && !missing.is_empty() { CoverageLevel::Partial } else { coverage };
    Outcome { verdict, coverage, missing }
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

/// How long around a compromise its author's acts are suspect. Own judgement [J]: an act found hostile makes suspect
/// what the same person does from an hour before to three days after.
pub fn suspect_period(first: Timestamp, last: Timestamp) -> (i64, i64) {
    let from = first.checked_sub(1.hour()).unwrap_or(first);
    let to = last.checked_add(72.hours()).unwrap_or(last);
    (from.as_microsecond(), to.as_microsecond())
}
