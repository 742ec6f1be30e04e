//! A judged finding as it goes out: its proof in order, its words, its stable id.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use reflexe_fiche::{Check, judge::Judged, say, value::Value};
use reflexe_model::{Finding, SignShown, Verdict};
use sha2::{Digest, Sha256};

use crate::rows::Cited;

/// Rows shown with a finding.
const SHOWN_ROWS: usize = 100;

/// The findings of a check, gravest first. Two of one id would be one for whoever marks it: they get one each.
pub(super) fn findings(
    check: &Check,
    judged: Vec<Judged>,
    cited: &BTreeMap<i64, Arc<Cited>>,
    path_of: &dyn Fn(&str) -> String,
) -> Vec<Finding> {
    // One by one: what judging held of a finding goes before the next is told.
    let told = judged.into_iter().filter(|j| j.weighed.verdict != Verdict::Ok);
    let mut out: Vec<Finding> = told.map(|j| finding(check, &j, cited, path_of)).collect();
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    out.iter().for_each(|f| *ids.entry(f.id.clone()).or_default() += 1);
    // Redacted or repeated record ids: the place in the evidence tells them apart.
    for f in out.iter_mut().filter(|f| ids.get(&f.id).is_some_and(|n| *n > 1)) {
        let place = f.rows.first().map(|r| r.locator.clone()).unwrap_or_default();
        f.id = short_hash([f.id.as_str(), &f.key, &place]);
    }
    out.sort_by(|a, b| {
        (b.verdict, b.weight, b.points)
            .cmp(&(a.verdict, a.weight, a.points))
            .then_with(|| (&a.subject, &a.key, &a.id).cmp(&(&b.subject, &b.key, &b.id)))
    });
    out
}

/// A finding as it goes out.
fn finding(check: &Check, j: &Judged, cited: &BTreeMap<i64, Arc<Cited>>, path_of: &dyn Fn(&str) -> String) -> Finding {
    let (f, w) = (&j.folded, &j.weighed);
    let mut proof: Vec<(&i64, &Cited)> = f.rows.iter().filter_map(|id| Some((id, cited.get(id)?.as_ref()))).collect();
    proof.sort_by(|(ia, a), (ib, b)| (a.time, &a.record_id, ia).cmp(&(b.time, &b.record_id, ib)));
    let total = f.values.get("count").and_then(|v| v.first()).and_then(Value::as_int).unwrap_or(0);
    let signs = w.on.iter().filter_map(|name| {
        let text = say::sign_text(&check.def, j, name)?;
        Some(SignShown { name: name.clone(), text, points: say::points_of(&check.def, j, name) })
    });
    let signs = signs.collect();
    let raised = f.acts.iter().flat_map(|a| a.head.makes.iter().filter(|who| !a.head.actors.contains(*who)));
    let beneficiaries: BTreeSet<String> = raised.cloned().collect();
    Finding {
        id: id(check, j, &proof),
        check: check.def.id.clone(),
        items: check.def.items.clone(),
        verdict: w.verdict,
        decisive: w.decisive,
        weight: w.weight,
        stage: check.def.stage.clone(),
        subject: f.subject.to_lowercase(),
        key: f.key.clone(),
        actor: f.actor().map(str::to_lowercase),
        beneficiaries: beneficiaries.into_iter().collect(),
        first_seen: f.first_seen(),
        last_seen: f.last_seen(),
        count: u64::try_from(total).unwrap_or(0),
        text: say::sentence(&check.def, j),
        attack: check.def.attack.clone(),
        signs,
        points: w.points,
        could_be: w.could_be,
        missing: w.missing.iter().cloned().collect(),
        links: f.links.iter().cloned().collect(),
        in_context: w.in_context,
        class: check.def.class.as_str().to_owned(),
        also_suspects: w
            .on
            .iter()
            .find_map(|name| check.def.signs.get(name)?.also_suspects.clone())
            .or_else(|| check.def.also_suspects.clone()),
        fingerprint: fingerprint(j, &proof),
        rows_total: f.rows.len() as u64,
        rows: proof.into_iter().take(SHOWN_ROWS).map(|(_, c)| c.shown(path_of)).collect(),
    }
}

/// What a finding stands on: verdict, signs, and each record once, whichever export it came in.
fn fingerprint(j: &Judged, proof: &[(&i64, &Cited)]) -> String {
    let records: BTreeSet<String> = proof.iter().map(|(_, c)| record(c)).collect();
    let signs: BTreeSet<&str> = j.weighed.on.iter().map(String::as_str).collect();
    let verdict = j.weighed.verdict.as_str();
    short_hash(std::iter::once(verdict).chain(signs).chain(records.iter().map(String::as_str)))
}

/// A record as every export of it would name it.
fn record(c: &Cited) -> String {
    c.record_id.as_deref().map(str::to_owned).unwrap_or_else(|| format!("{} {} {}", c.table, c.evidence_id, c.locator))
}

/// The stable id of a finding: of a thing, what it is; of an act, who did it to whom, and the link of its rows or its first
/// record. Never a time, a score or a row number.
fn id(check: &Check, j: &Judged, proof: &[(&i64, &Cited)]) -> String {
    let f = &j.folded;
    let (check, subject, key) = (check.def.id.as_str(), f.subject.to_lowercase(), f.key.to_lowercase());
    if let Some(act) = &f.bundle {
        let first = || proof.first().map(|(_, c)| record(c)).unwrap_or_default();
        let tie = act.link.clone().unwrap_or_else(first);
        return short_hash([check, &subject, &act.actor, &f.say, &tie]);
    }
    match &j.apart {
        Some(hands) => short_hash([check, &subject, &key, &f.say, hands]),
        None => short_hash([check, &subject, &key, &f.say]),
    }
}

/// Twelve hexadecimal digits over parts, each ended by a zero.
fn short_hash<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect()
}
