//! The decision table: every state of perimeter, impact and urgency against every state of the types, made by the function itself.
//! `fiche/conclusion/severity-table.md` is this text; a test compares byte for byte.
use std::collections::BTreeSet;

use reflexe_model::{Axes, Confirmation, Impact, Perimeter, TenantState, Urgency};

use super::severity_with;
use crate::axes::open;

const HEAD: &str = "\
# Severity: the decision table

Made by `reflexe_fiche::severity::table`; a test compares it byte for byte (`REFLEXE_BLESS=1 cargo test -p reflexe-fiche severity` rewrites it).
Severities: 1 common anomaly, 2 minor incident, 3 major incident, 4 cyber crisis; `a–b` is an interval.
Columns, the state of the types: **R** all refuted · **S·no** unconfirmed, tenant not compromised · **S·?** unconfirmed, tenant unknown ·
**C·no** a type confirmed, tenant not compromised · **C·?** confirmed, tenant unknown · **T** tenant held to be compromised: its perimeter is
extended; in brackets, where it differs, when a person decided and wrote why it stays circumscribed.

| # | Perimeter | Impact | Urgency | R | S·no | S·? | C·no | C·? | T |
|---|---|---|---|---|---|---|---|---|---|
";

/// The whole table, in Markdown.
pub fn table() -> String {
    let axes = open();
    let mut out = HEAD.to_owned();
    let mut n = 0;
    for (perimeter, p_name) in with_unknown(&axes.perimeter, |p| match p {
        Perimeter::Circumscribed => "circumscribed",
        Perimeter::Extended => "extended",
    }) {
        for (impact, i_name) in with_unknown(&axes.impact, |i| match i {
            Impact::None => "none",
            Impact::Moderate => "moderate",
            Impact::Strong => "strong",
        }) {
            for (urgency, u_name) in with_unknown(&axes.urgency, |u| match u {
                Urgency::None => "none",
                Urgency::Degraded => "degraded",
                Urgency::Stopped => "stopped",
            }) {
                n += 1;
                let cells = cells(&perimeter, &impact, &urgency).join(" | ");
                out.push_str(&format!("| {n} | {p_name} | {i_name} | {u_name} | {cells} |\n"));
            }
        }
    }
    out
}

/// Each value alone, then all of them: unknown.
fn with_unknown<T: Ord + Copy>(all: &BTreeSet<T>, name: impl Fn(T) -> &'static str) -> Vec<(BTreeSet<T>, &'static str)> {
    let mut rows: Vec<_> = all.iter().map(|v| (BTreeSet::from([*v]), name(*v))).collect();
    rows.push((all.clone(), "unknown"));
    rows
}

fn cells(perimeter: &BTreeSet<Perimeter>, impact: &BTreeSet<Impact>, urgency: &BTreeSet<Urgency>) -> Vec<String> {
    let (refuted, confirmed) = (BTreeSet::from([Confirmation::Refuted]), BTreeSet::from([Confirmation::Confirmed]));
    let (no, yes) = (BTreeSet::from([TenantState::No]), BTreeSet::from([TenantState::Yes]));
    let all = open();
    let shown = |confirmation: &BTreeSet<Confirmation>, tenant: &BTreeSet<TenantState>, keep_perimeter| {
        let axes = Axes {
            confirmation: confirmation.clone(),
            tenant_compromised: tenant.clone(),
            perimeter: perimeter.clone(),
            impact: impact.clone(),
            urgency: urgency.clone(),
        };
        let range = severity_with(&axes, keep_perimeter);
        if range.low == range.high { range.low.to_string() } else { format!("{}–{}", range.low, range.high) }
    };
    let mut tenant = shown(&confirmed, &yes, false);
    if *perimeter == BTreeSet::from([Perimeter::Circumscribed]) {
        let kept = shown(&confirmed, &yes, true);
        if kept != tenant {
            tenant = format!("{tenant} ({kept})");
        }
    }
    vec![
        shown(&refuted, &no, false),
        shown(&all.confirmation, &no, false),
        shown(&all.confirmation, &all.tenant_compromised, false),
        shown(&confirmed, &no, false),
        shown(&confirmed, &all.tenant_compromised, false),
        tenant,
    ]
}
