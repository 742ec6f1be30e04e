//! What to do next: the export that settles most items per minute, and the question that narrows the severity most.
use std::{cmp::Reverse, collections::BTreeSet};

use reflexe_model::{ActionResult, ActionState, Axes, CheckResult, ItemResult, NextExport, TenantState, Text, Verdict};

use crate::{
    conclude::{Axis, Rules},
    severity::severity,
};

/// How a piece of missing evidence is obtained, as far as choosing needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct ObtainInfo {
    /// Id in `evidence/obtain`.
    pub id: String,
    /// What it is.
    pub title: Text,
    /// Minutes that it takes.
    pub minutes: u32,
    /// Tables that it fills.
    pub tables: Vec<String>,
}

/// Every export that would settle or help an unknown item, best first. Several exports may fill one table (a log in the portal
/// or by command): each is judged alone.
pub fn exports(checks: &[CheckResult], items: &[ItemResult], known: &[ObtainInfo]) -> Vec<NextExport> {
    let mut ranked: Vec<(Rank, NextExport)> = known
        .iter()
        .filter_map(|obtain| {
            let export = export(checks, items, obtain);
            let useful = !export.settles.is_empty() || !export.helps.is_empty();
            useful.then(|| (rank(&export), export))
        })
        .collect();
    ranked.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.obtain.cmp(&b.1.obtain)));
    ranked.into_iter().map(|(_, export)| export).collect()
}

/// Settled per minute, then helped per minute (per mille, so that the order is exact), then the shorter.
type Rank = (Reverse<u64>, Reverse<u64>, u32);

fn rank(export: &NextExport) -> Rank {
    let per_minute = |n: usize| Reverse(n as u64 * 1_000_000 / u64::from(export.minutes.max(1)));
    (per_minute(export.settles.len()), per_minute(export.helps.len()), export.minutes)
}

fn export(checks: &[CheckResult], items: &[ItemResult], obtain: &ObtainInfo) -> NextExport {
    let (mut settles, mut helps) = (Vec::new(), Vec::new());
    for item in items.iter().filter(|i| i.verdict == Verdict::Unknown) {
        let open: Vec<&CheckResult> =
            checks.iter().filter(|c| item.checks.contains(&c.id) && c.verdict == Verdict::Unknown).collect();
        if !open.is_empty() && open.iter().all(|c| settled(c, obtain)) {
            settles.push(item.id.clone());
        } else if open.iter().any(|c| c.missing.contains(&obtain.id)) {
            helps.push(item.id.clone());
        }
    }
    NextExport { obtain: obtain.id.clone(), title: obtain.title.clone(), settles, helps, minutes: obtain.minutes }
}

/// Whether this export alone gives a check all that it misses.
fn settled(check: &CheckResult, obtain: &ObtainInfo) -> bool {
    if check.error.is_some() || !check.missing.contains(&obtain.id) {
        return false;
    }
    if check.missing_tables.is_empty() {
        return check.missing.len() == 1;
    }
    // Written as in `[needs]`: the table's name, perhaps followed by its operations.
    let name = |need: &str| need.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    check.missing_tables.iter().all(|need| obtain.tables.contains(&name(need)))
}

/// The question whose answer narrows the severity most, on average over the values of its axis. While a privileged account is
/// suspected that question comes first: who holds the administration can lock everybody out. `None` once the severity is exact.
pub fn question(actions: &[ActionResult], axes: &Axes, rules: &Rules) -> Option<String> {
    let range = severity(axes);
    if range.low == range.high {
        return None;
    }
    let suspected = actions.iter().any(|a| a.id == "1.a" && a.proposed == ActionState::Suspected);
    let asked = |axis| rules.question.iter().find(|q| q.axis == axis).map(|q| q.id.clone());
    if suspected && is_open(axes, Axis::TenantCompromised) {
        return asked(Axis::TenantCompromised);
    }
    // Compared exactly: sums of widths over the number of values, on the common denominator 6 (1, 2 or 3 values an axis).
    let expected = |axis| {
        let outcomes = outcomes(axes, axis);
        let widths: usize = outcomes.iter().map(width).sum();
        widths * 6 / outcomes.len().max(1)
    };
    let open = rules.question.iter().filter(|q| is_open(axes, q.axis));
    open.min_by_key(|q| (expected(q.axis), q.minutes)).map(|q| q.id.clone())
}

fn width(axes: &Axes) -> usize {
    let range = severity(axes);
    usize::from(range.high.saturating_sub(range.low))
}

fn is_open(axes: &Axes, axis: Axis) -> bool {
    let values = match axis {
        Axis::Confirmation => axes.confirmation.len(),
        Axis::TenantCompromised => axes.tenant_compromised.len(),
        Axis::Perimeter => axes.perimeter.len(),
        Axis::Impact => axes.impact.len(),
        Axis::Urgency => axes.urgency.len(),
    };
    values > 1
}

/// The axes after each possible answer on one of them.
fn outcomes(axes: &Axes, axis: Axis) -> Vec<Axes> {
    fn each<T: Ord + Copy>(axes: &Axes, values: &BTreeSet<T>, set: impl Fn(&mut Axes, BTreeSet<T>)) -> Vec<Axes> {
        values
            .iter()
            .map(|v| {
                let mut out = axes.clone();
                set(&mut out, BTreeSet::from([*v]));
                out
            })
            .collect()
    }
    match axis {
        Axis::Confirmation => each(axes, &axes.confirmation, |a, v| a.confirmation = v),
        // Precaution is what one does without an answer, it is not an answer.
        Axis::TenantCompromised => {
            let answers = axes.tenant_compromised.iter().copied().filter(|t| *t != TenantState::Precaution).collect();
            each(axes, &answers, |a, v| a.tenant_compromised = v)
        }
        Axis::Perimeter => each(axes, &axes.perimeter, |a, v| a.perimeter = v),
        Axis::Impact => each(axes, &axes.impact, |a, v| a.impact = v),
        Axis::Urgency => each(axes, &axes.urgency, |a, v| a.urgency = v),
    }
}

#[cfg(test)]
mod tests {
    use reflexe_model::{Confirmation, CoverageLevel, Impact, Perimeter, Urgency};

    use super::*;
    use crate::axes::{open, proposed};

    fn check(id: &str, missing: &[&str], tables: &[&str]) -> CheckResult {
        CheckResult {
            id: id.into(),
            question: Text::default(),
            verdict: Verdict::Unknown,
            coverage: CoverageLevel::None,
            missing: missing.iter().map(|m| (*m).into()).collect(),
            missing_tables: tables.iter().map(|m| (*m).into()).collect(),
            findings: 0,
            examined: 0,
            error: None,
        }
    }

    fn item(id: &str, verdict: Verdict, checks: &[&str]) -> ItemResult {
        ItemResult {
            id: id.into(),
            title: Text::default(),
            verdict,
            coverage: CoverageLevel::None,
            missing: vec![],
            checks: checks.iter().map(|c| (*c).into()).collect(),
        }
    }

    fn obtain(id: &str, minutes: u32, tables: &[&str]) -> ObtainInfo {
        ObtainInfo { id: id.into(), title: Text::default(), minutes, tables: tables.iter().map(|t| (*t).into()).collect() }
    }

    #[test]
    fn the_export_that_settles_most_items_a_minute_comes_first() {
        let checks = [
            check("1d.a", &["grants"], &["oauth2_permission_grant"]),
            check("1d.b", &["grants"], &["oauth2_permission_grant"]),
            check("1e.a", &["log", "log-portal"], &["ual_event: new-transportrule"]),
            check("1e.b", &["log", "log-portal", "domains"], &["ual_event", "accepted_domain"]),
        ];
        let items = [
            item("1.d.7", Verdict::Unknown, &["1d.a"]),
            item("1.d.8", Verdict::Unknown, &["1d.b"]),
            item("1.e.2", Verdict::Unknown, &["1e.a"]),
            item("1.e.1", Verdict::Unknown, &["1e.b"]),
            item("1.b.3", Verdict::Weakness, &["1d.a"]),
            item("1.c.1", Verdict::Unknown, &[]),
        ];
        let known = [
            obtain("log", 20, &["ual_event", "ual_property"]),
            obtain("log-portal", 10, &["ual_event"]),
            obtain("domains", 2, &["accepted_domain"]),
            obtain("grants", 5, &["oauth2_permission_grant"]),
            obtain("unrelated", 1, &["mailbox"]),
        ];
        let found = exports(&checks, &items, &known);
        let ids: Vec<&str> = found.iter().map(|e| e.obtain.as_str()).collect();
        assert_eq!(ids, ["grants", "log-portal", "log", "domains"]);
        assert_eq!(found[0].settles, ["1.d.7", "1.d.8"]);
        assert_eq!((&found[1].settles[..], &found[1].helps[..]), (&["1.e.2".to_owned()][..], &["1.e.1".to_owned()][..]));
        assert_eq!((found[3].settles.len(), &found[3].helps[..]), (0, &["1.e.1".to_owned()][..]));
    }

    #[test]
    fn an_item_is_settled_only_when_all_its_unknown_checks_are() {
        let checks = [check("a", &["x"], &["t"]), check("b", &["y"], &["u"])];
        let items = [item("1.a.1", Verdict::Unknown, &["a", "b"])];
        let found = exports(&checks, &items, &[obtain("x", 1, &["t"])]);
        assert_eq!((found[0].settles.len(), found[0].helps.len()), (0, 1));
        let mut broken = checks[0].clone();
        broken.error = Some("query failed".into());
        assert!(exports(&[broken], &[item("1.a.1", Verdict::Unknown, &["a"])], &[obtain("x", 1, &["t"])])[0].settles.is_empty());
    }

    fn action(id: &str, state: ActionState) -> ActionResult {
        ActionResult {
            id: id.into(),
            title: Text::default(),
            types: vec![],
            proposed: state,
            privileged: false,
            rule: String::new(),
            reason: Text::default(),
            because: vec![],
            against: vec![],
            answer: None,
        }
    }

    fn asked(actions: &[ActionResult]) -> Option<String> {
        let rules = Rules::embedded();
        question(actions, &proposed(actions, 0, rules), rules)
    }

    #[test]
    fn a_suspected_administrator_is_asked_about_first() {
        assert_eq!(asked(&[action("1.a", ActionState::Suspected)]).as_deref(), Some("Q.1a.01"));
    }

    #[test]
    fn once_the_tenant_is_lost_the_impact_is_asked() {
        // Impact and urgency narrow 3–4 alike; impact takes one minute.
        assert_eq!(asked(&[action("1.a", ActionState::Confirmed)]).as_deref(), Some("Q.3b.01"));
    }

    #[test]
    fn the_only_open_axis_is_asked_and_an_exact_severity_asks_nothing() {
        let mut axes = open();
        axes.confirmation = BTreeSet::from([Confirmation::Confirmed]);
        axes.tenant_compromised = BTreeSet::from([TenantState::Yes]);
        axes.perimeter = BTreeSet::from([Perimeter::Extended]);
        axes.impact = BTreeSet::from([Impact::Strong]);
        assert_eq!(question(&[], &axes, Rules::embedded()).as_deref(), Some("Q.4b.01"));
        axes.urgency = BTreeSet::from([Urgency::Degraded]);
        assert_eq!(question(&[], &axes, Rules::embedded()), None);
    }
}
