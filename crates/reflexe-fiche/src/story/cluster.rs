//! Which findings belong to one story: the acts of a principal with no long pause, and what strong links tie to them.
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use reflexe_model::{Finding, Link, Verdict};

use super::{StoryInputs, stages::Cluster};

/// A finding and whom it accuses.
#[derive(Debug, Clone)]
pub(crate) struct Act<'a> {
    pub finding: &'a Finding,
    pub principal: &'a str,
    /// Whom it raised: the receiver of a grant stands in the story of its giver.
    pub raised: Vec<&'a str>,
    /// Links strong enough to tie.
    pub ties: Vec<&'a Link>,
}

/// Whoever did it, if a person is named: not the owner of the mailbox that he opened. Else the subject if it is a principal, else
/// whatever acted (an object of the tenant is not a person), else the subject all the same: an application or the tenant, of which
/// nobody knows who touched it.
pub fn principal_of<'a>(finding: &'a Finding, inputs: &StoryInputs) -> &'a str {
    let subject = finding.subject.as_str();
    if finding.hand() != subject {
        return finding.hand();
    }
    let person = subject.contains('@') || inputs.privileged.contains(subject) || inputs.vip.contains(subject);
    match finding.actor.as_deref() {
        Some(actor) if !person && !actor.is_empty() => actor,
        _ => subject,
    }
}

/// Whether a finding may enter a story. Settings never do, nor what is not at least suspicious.
pub(crate) fn tells(finding: &Finding, cluster: &Cluster) -> bool {
    finding.accuses() && (finding.verdict == Verdict::Compromise || finding.weight >= cluster.least_weight)
}

/// The acts in time order (undated last) and their grouping: `groups[i]` lists indices into the acts.
pub(crate) fn cluster<'a>(findings: &'a [Finding], inputs: &StoryInputs, cluster: &Cluster) -> (Vec<Act<'a>>, Vec<Vec<usize>>) {
    let mut pool: Vec<&Finding> = findings.iter().filter(|f| tells(f, cluster)).collect();
    pool.sort_by(|a, b| time_order(a).cmp(&time_order(b)));
    let accused: BTreeSet<String> = pool.iter().flat_map(|f| [&f.subject, &f.key]).map(|a| a.to_ascii_lowercase()).collect();
    let acts: Vec<Act<'a>> = pool
        .iter()
        .map(|f| Act {
            finding: f,
            principal: principal_of(f, inputs),
            raised: f.beneficiaries.iter().map(String::as_str).collect(),
            ties: f.links.iter().filter(|l| strong(l, principal_of(f, inputs), inputs, &accused)).collect(),
        })
        .collect();

    let mut sets = Sets((0..acts.len()).collect());
    by_principal(&acts, cluster.gap_days, &mut sets);
    by_account(&acts, cluster.gap_days, &mut sets);
    let mut first_with: BTreeMap<(Option<&str>, String), usize> = BTreeMap::new();
    for (i, act) in acts.iter().enumerate() {
        for link in &act.ties {
            let scopes = [
                cluster.extend.contains(&link.kind).then_some(Some(act.principal)),
                cluster.merge.contains(&link.kind).then_some(None),
            ];
            for scope in scopes.into_iter().flatten() {
                let first = *first_with.entry((scope, link_key(link))).or_insert(i);
                sets.join(first, i);
            }
        }
    }

    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for i in 0..acts.len() {
        groups.entry(sets.root(i)).or_default().push(i);
    }
    (acts, groups.into_values().collect())
}

/// Time first, undated last, then the id: an order that no other finding can change.
pub(crate) fn time_order(f: &Finding) -> (bool, Option<Timestamp>, &str) {
    (f.first_seen.is_none(), f.first_seen, f.id.as_str())
}

/// A link as one string, as the hostile context names it.
pub(crate) fn link_key(link: &Link) -> String {
    format!("{}:{}", link.kind, link.value.to_lowercase())
}

/// An address ties only if it is hostile (an office shares one); an application only if a finding accuses it (everybody uses Outlook);
/// a destination only as a full address (a free mail domain is nobody's).
fn strong(link: &Link, who: &str, inputs: &StoryInputs, accused: &BTreeSet<String>) -> bool {
    match link.kind.as_str() {
        _ if link.value.is_empty() => false,
        "ip" => inputs.is_hostile(link, who),
        "app" => inputs.is_hostile(link, who) || accused.contains(&link.value.to_ascii_lowercase()),
        "destination" => link.value.contains('@'),
        _ => true,
    }
}

/// Joins a principal's acts until a pause longer than `gap_days`; undated ones (an exported state) join the latest.
fn by_principal(acts: &[Act], gap_days: i64, sets: &mut Sets) {
    let gap = SignedDuration::from_hours(24 * gap_days);
    let mut last: BTreeMap<&str, (usize, Option<Timestamp>)> = BTreeMap::new();
    for (i, act) in acts.iter().enumerate() {
        let (from, to) = (act.finding.first_seen, act.finding.last_seen.max(act.finding.first_seen));
        for who in act.raised.iter().copied().chain([act.principal]) {
            let Some((previous, end)) = last.get(who).copied() else {
                last.insert(who, (i, to));
                continue;
            };
            let near = match (end, from) {
                (Some(end), Some(from)) => from.duration_since(end) <= gap,
                _ => true,
            };
            if near {
                sets.join(previous, i);
            }
            last.insert(who, (i, end.max(to)));
        }
    }
}

/// Joins what an account did to others (a link of kind `account`: who gave a role) to what was done to it or by it, and to its
/// other acts on others, until a pause longer than `gap_days`: the receiver belongs to the story of the giver.
fn by_account(acts: &[Act], gap_days: i64, sets: &mut Sets) {
    let gap = SignedDuration::from_hours(24 * gap_days);
    let mut own: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut on_others: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, act) in acts.iter().enumerate() {
        own.entry(act.principal).or_default().push(i);
        for link in act.finding.links.iter().filter(|l| l.kind == "account" && !l.value.is_empty()) {
            on_others.entry(&link.value).or_default().push(i);
        }
    }
    for (account, mut all) in on_others {
        all.extend(own.get(account).into_iter().flatten());
        all.sort_unstable(); // the acts are in time order, undated last
        all.dedup();
        for pair in all.windows(2) {
            let (before, after) = (acts[pair[0]].finding, acts[pair[1]].finding);
            let near = match (before.last_seen.max(before.first_seen), after.first_seen) {
                (Some(end), Some(from)) => from.duration_since(end) <= gap,
                _ => true,
            };
            if near {
                sets.join(pair[0], pair[1]);
            }
        }
    }
}

/// Disjoint sets; the root is always the smallest index, so that the result depends on nothing else.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&self, mut i: usize) -> usize {
        while self.0[i] != i {
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
