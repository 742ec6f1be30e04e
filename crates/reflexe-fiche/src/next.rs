//! The export to fetch next: the one that settles most items per minute. (Which question to ask next: [`crate::order`].)
use std::cmp::Reverse;

use reflexe_model::{CheckResult, ItemResult, NextExport, Text, Verdict};

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
        if !open.is_empty() && item.open.is_empty() && open.iter().all(|c| settled(c, obtain)) {
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

#[cfg(test)]
mod tests {
    use reflexe_model::CoverageLevel;

    use super::*;

    fn check(id: &str, missing: &[&str], tables: &[&str]) -> CheckResult {
        CheckResult {
            id: id.into(),
            question: Text::default(),
            verdict: Verdict::Unknown,
            coverage: CoverageLevel::None,
            missing: missing.iter().map(|m| (*m).into()).collect(),
            missing_tables: tables.iter().map(|m| (*m).into()).collect(),
            reasons: Vec::new(),
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
            open: vec![],
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
}
