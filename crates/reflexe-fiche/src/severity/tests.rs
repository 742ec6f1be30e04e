//! The golden table, monotony, the seven cases by name, and every word.
use std::{collections::BTreeSet, path::Path};

use proptest::{prelude::*, sample::subsequence};

use super::*;
use crate::{conclude::Rules, story::tests_support::finding};

const CONFIRMATIONS: [Confirmation; 2] = [Confirmation::Refuted, Confirmation::Confirmed];
const TENANTS: [TenantState; 3] = [TenantState::No, TenantState::Precaution, TenantState::Yes];
const PERIMETERS: [Perimeter; 2] = [Perimeter::Circumscribed, Perimeter::Extended];
const IMPACTS: [Impact; 3] = [Impact::None, Impact::Moderate, Impact::Strong];
const URGENCIES: [Urgency; 3] = [Urgency::None, Urgency::Degraded, Urgency::Stopped];

#[test]
fn the_table_is_the_golden_file() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fiche/conclusion/severity-table.md");
    if std::env::var_os("REFLEXE_BLESS").is_some() {
        std::fs::write(&file, table()).expect("the golden file");
    }
    assert_eq!(
        std::fs::read_to_string(&file).expect("the golden file"),
        table(),
        "run again with REFLEXE_BLESS=1 and review the difference"
    );
    assert_eq!(table().lines().filter(|l| l.starts_with("| ") && !l.starts_with("| #")).count(), 48);
}

/// The specification's own table, row by row, where it is at hand.
#[test]
fn the_table_is_the_specified_one() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/case-and-report.md");
    let Ok(spec) = std::fs::read_to_string(&spec) else {
        eprintln!("skipped: {} is absent", spec.display());
        return;
    };
    let table = table();
    let rows = table.lines().filter(|l| l.starts_with("| ") && l.ends_with('|'));
    for row in rows {
        assert!(spec.lines().any(|l| l == row), "not in the specification: {row}");
    }
}

fn axes_of(c: &[Confirmation], t: &[TenantState], p: &[Perimeter], i: &[Impact], u: &[Urgency]) -> Axes {
    Axes {
        confirmation: c.iter().copied().collect(),
        tenant_compromised: t.iter().copied().collect(),
        perimeter: p.iter().copied().collect(),
        impact: i.iter().copied().collect(),
        urgency: u.iter().copied().collect(),
    }
}

fn range(axes: &Axes) -> (u8, u8) {
    let r = severity(axes);
    (r.low, r.high)
}

#[test]
fn a_phished_user_contained_without_impact_is_minor() {
    use {Confirmation::Confirmed, Impact::None as I0, Perimeter::Circumscribed, TenantState::No, Urgency::None as U0};
    assert_eq!(range(&axes_of(&[Confirmed], &[No], &[Circumscribed], &[I0], &[U0])), (2, 2));
}

#[test]
fn b_an_attacker_who_is_global_administrator_is_major_even_if_business_runs() {
    let axes =
        axes_of(&[Confirmation::Confirmed], &[TenantState::Yes], &[Perimeter::Extended], &[Impact::None], &[Urgency::None]);
    assert_eq!(range(&axes), (3, 3));
    let rules: Vec<String> = severity(&axes).because.into_iter().map(|r| r.rule).collect();
    assert_eq!(rules, ["R0", "R6"]);
}

#[test]
fn c_administration_lost_and_a_vital_activity_stopped_is_a_crisis() {
    let axes = axes_of(&[Confirmation::Confirmed], &[TenantState::Yes], &PERIMETERS, &[Impact::Strong], &[Urgency::Stopped]);
    assert_eq!(range(&axes), (4, 4));
}

#[test]
fn d_nothing_known_but_an_alert_on_an_administrator_is_open() {
    assert_eq!(range(&axes::open()), (1, 4));
    assert!(severity(&axes::open()).because.is_empty(), "ignorance has no rule");
}

#[test]
fn e_fraud_through_one_vip_with_a_suspected_leak_is_minor() {
    for urgency in [Urgency::None, Urgency::Degraded] {
        let axes =
            axes_of(&[Confirmation::Confirmed], &[TenantState::No], &[Perimeter::Circumscribed], &[Impact::Moderate], &[urgency]);
        assert_eq!(range(&axes), (2, 2));
    }
}

#[test]
fn f_an_application_reading_all_mail_is_at_least_major() {
    let mut app = action("1.d", ActionState::Confirmed, &[]);
    app.privileged = true;
    assert_eq!(range(&axes::proposed(&[app], 0, Rules::embedded())), (3, 4));
}

#[test]
fn g_all_refuted_without_effect_is_a_common_anomaly() {
    let axes =
        axes_of(&[Confirmation::Refuted], &[TenantState::No], &[Perimeter::Circumscribed], &[Impact::None], &[Urgency::None]);
    assert_eq!(range(&axes), (1, 1));
    assert_eq!(severity(&axes).because[0].rule, "R2");
}

#[test]
fn a_kept_perimeter_lowers_the_crisis_of_a_compromised_tenant() {
    let axes = axes_of(&CONFIRMATIONS, &[TenantState::Yes], &[Perimeter::Circumscribed], &[Impact::Strong], &[Urgency::Stopped]);
    assert_eq!((severity(&axes).low, severity_with(&axes, true).low), (4, 3));
}

#[test]
fn an_empty_axis_is_read_as_nothing_known() {
    let mut axes = axes::open();
    axes.impact.clear();
    assert_eq!(range(&axes), (1, 4));
}

fn points_of() -> impl Strategy<Value = (usize, usize, usize, usize, usize)> {
    (0..2usize, 0..3usize, 0..2usize, 0..3usize, 0..3usize)
}

fn at((c, t, p, i, u): (usize, usize, usize, usize, usize)) -> Point {
    Point {
        confirmation: CONFIRMATIONS[c],
        tenant: TENANTS[t],
        perimeter: PERIMETERS[p],
        impact: IMPACTS[i],
        urgency: URGENCIES[u],
    }
}

proptest! {
    #[test]
    fn worse_on_any_axis_is_never_less_grave(a in points_of(), b in points_of(), keep: bool) {
        let worse = (a.0.max(b.0), a.1.max(b.1), a.2.max(b.2), a.3.max(b.3), a.4.max(b.4));
        prop_assert!(level(at(a), keep).0 <= level(at(worse), keep).0);
    }

    /// Monotony makes the interval what the two extremes say; every point lies inside it.
    #[test]
    fn the_interval_is_that_of_its_extremes(
        c in subsequence(CONFIRMATIONS.to_vec(), 1..=2), t in subsequence(TENANTS.to_vec(), 1..=3),
        p in subsequence(PERIMETERS.to_vec(), 1..=2), i in subsequence(IMPACTS.to_vec(), 1..=3),
        u in subsequence(URGENCIES.to_vec(), 1..=3),
    ) {
        let r = severity(&axes_of(&c, &t, &p, &i, &u));
        let least = Point { confirmation: c[0], tenant: t[0], perimeter: p[0], impact: i[0], urgency: u[0] };
        let last = |n: usize| n - 1;
        let most = Point {
            confirmation: c[last(c.len())], tenant: t[last(t.len())], perimeter: p[last(p.len())],
            impact: i[last(i.len())], urgency: u[last(u.len())],
        };
        prop_assert_eq!((r.low, r.high), (level(least, false).0, level(most, false).0));
        prop_assert!(r.because.iter().all(|b| !b.text.fr.is_empty() && !b.text.en.is_empty()));
    }
}

#[test]
fn every_rule_and_every_level_has_words_in_both_languages() {
    for rule in ["R0", "R1", "R2", "R3", "R4", "R5", "R6"] {
        let reason = Words::reason(rule);
        assert!(!reason.text.fr.is_empty() && !reason.text.en.is_empty(), "{rule}");
        let ours = matches!(rule, "R2" | "R3" | "R4" | "R5");
        assert_eq!(reason.text.fr.contains("notre lecture"), ours, "{rule}");
        assert_eq!(reason.text.en.contains("our reading"), ours, "{rule}");
    }
    assert_eq!(WORDS.rule.len(), 7);
    for n in 1..=4 {
        assert!(!name(n).fr.is_empty() && !meaning(n).en.is_empty());
    }
}

#[test]
fn ranges_read_as_words() {
    let of = |low, high, lang| display(&SeverityRange { low, high, because: vec![] }, lang);
    assert_eq!(of(3, 3, Lang::Fr), "incident majeur");
    assert_eq!(of(3, 4, Lang::Fr), "au moins incident majeur, crise cyber possible");
    assert_eq!(of(3, 4, Lang::En), "at least a major incident, cyber crisis possible");
    assert_eq!(of(2, 3, Lang::Fr), "au moins incident mineur, incident majeur possible");
    assert_eq!(of(1, 4, Lang::Fr), "non qualifiable à ce stade");
    assert_eq!(of(1, 4, Lang::En), "cannot be qualified at this stage");
}

fn action(id: &str, proposed: ActionState, because: &[&str]) -> ActionResult {
    ActionResult {
        id: id.into(),
        title: Text::new(format!("titre {id}"), format!("title {id}")),
        types: vec![],
        proposed,
        privileged: false,
        rule: String::new(),
        reason: Text::default(),
        because: because.iter().map(|b| (*b).into()).collect(),
        against: vec![],
        answer: None,
    }
}

fn said(actions: &[ActionResult]) -> Text {
    let mut f = finding("f1", "1a.x", "joe@example.com");
    f.items = vec!["1.a.1".into(), "1.b.1".into()];
    said_of(actions, &[f])
}

fn said_of(actions: &[ActionResult], findings: &[Finding]) -> Text {
    let rules = Rules::embedded();
    let range = severity(&axes::proposed(actions, 0, rules));
    sentence(&range, actions, findings, 0, rules)
}

/// A fact of an item that belongs to no action.
fn outside(id: &str, who: &str) -> Finding {
    let mut f = finding(id, "2a.x", who);
    f.items = vec!["2.a".into()];
    let text = Text::new("compte dispensé de second facteur", "account exempted from the second factor");
    f.signs = vec![reflexe_model::SignShown { name: "bypass".into(), text, points: None }];
    f
}

#[test]
fn a_sign_outside_the_five_actions_is_in_the_sentence() {
    let unknown = [action("1.a", ActionState::Unknown, &[]), action("1.b", ActionState::NotConfirmed, &[])];
    let text = said_of(&unknown, &[outside("f1", "joe@example.com")]);
    assert_eq!(
        text.en,
        "Cannot be qualified at this stage: 1 sign to check, outside what the five actions conclude: account exempted from the \
         second factor (joe@example.com)."
    );
    let many = [outside("f1", "a@example.com"), outside("f2", "b@example.com"), outside("f3", "c@example.com")];
    let text = said_of(&[action("1.b", ActionState::Confirmed, &[])], &many);
    assert!(
        text.fr.ends_with(
            " De plus, 3 signes à vérifier hors des cinq actions : compte dispensé de second facteur \
                               (a@example.com), compte dispensé de second facteur (b@example.com), +1."
        ),
        "{}",
        text.fr
    );
}

#[test]
fn no_assurance_while_anything_accuses() {
    let all = [action("1.a", ActionState::NotConfirmed, &[]), action("1.b", ActionState::Unknown, &[])];
    let mut light = finding("f1", "1b.x", "joe@example.com");
    (light.items, light.weight) = (vec!["1.b.1".into()], 5);
    let mut setting = light.clone();
    setting.class = "posture".into();
    assert!(!said_of(&all, &[light.clone()]).en.contains("neither"), "{}", said_of(&all, &[light]).en);
    assert!(said_of(&all, &[setting]).en.contains("neither"), "a setting is no sign");
}

#[test]
fn the_sentence_names_who_did_it_and_not_whom_it_was_done_to() {
    let mut f = finding("f1", "1b.mbx-delegation-change", "victim@example.com");
    (f.items, f.actor) = (vec!["1.b.6".into()], Some("thief@example.com".into()));
    let text = said_of(&[action("1.b", ActionState::Confirmed, &["f1"])], &[f]);
    assert!(text.en.contains("(thief@example.com)") && !text.en.contains("victim"), "{}", text.en);
}

#[test]
fn the_sentence_names_what_to_confirm() {
    let text = said(&[action("1.a", ActionState::Confirmed, &["f1"]), action("1.e", ActionState::Suspected, &[])]);
    assert_eq!(
        text.fr,
        "Au moins incident majeur, crise cyber possible, si vous confirmez qu'un compte à privilèges est compromis \
         (joe@example.com) ; à vérifier aussi : titre 1.e."
    );
    assert_eq!(
        text.en,
        "At least a major incident, cyber crisis possible, if you confirm that a privileged account is compromised \
         (joe@example.com); to check as well: title 1.e."
    );
}

#[test]
fn a_suspicion_says_what_it_would_be() {
    let text = said(&[action("1.b", ActionState::Suspected, &["f1"]), action("1.c", ActionState::Unknown, &[])]);
    assert_eq!(
        text.fr,
        "Non qualifiable à ce stade : des signes sont à vérifier ; ce serait au moins incident mineur, crise cyber possible \
         si vous confirmiez qu'un compte d'utilisateur est compromis (joe@example.com)."
    );
}

#[test]
fn nothing_found_is_never_said_to_be_safe() {
    let said = |actions: &[ActionResult]| said_of(actions, &[]);
    let unknown = said(&[action("1.a", ActionState::NotConfirmed, &[]), action("1.b", ActionState::Unknown, &[])]);
    assert!(
        unknown.fr.starts_with("Non qualifiable à ce stade") && unknown.fr.contains("1 action sur 2 reste"),
        "{}",
        unknown.fr
    );
    let covered = said(&[action("1.a", ActionState::NotConfirmed, &[]), action("1.b", ActionState::NotConfirmed, &[])]);
    assert!(covered.en.starts_with("Cannot be qualified") && covered.en.contains("all 2 actions"), "{}", covered.en);
    for t in [unknown, covered] {
        assert!(!t.fr.contains('{') && !t.en.contains('{'), "{t:?}");
    }
}

#[test]
fn a_name_from_the_evidence_is_shown_with_its_hidden_characters() {
    let mut f = finding("f1", "1a.x", "joe\u{202e}{range}@example.com");
    f.items = vec!["1.a.1".into()];
    let text = sentence(
        &SeverityRange { low: 3, high: 4, because: vec![] },
        &[action("1.a", ActionState::Confirmed, &["f1"])],
        &[f],
        0,
        Rules::embedded(),
    );
    assert!(text.fr.contains("joe‹U+202E›{range}@example.com"), "{}", text.fr);
}

#[test]
fn all_sets_are_ordered_from_least_to_most_grave() {
    // `points` and the table rely on it.
    assert!(
        CONFIRMATIONS.is_sorted()
            && TENANTS.is_sorted()
            && PERIMETERS.is_sorted()
            && IMPACTS.is_sorted()
            && URGENCIES.is_sorted()
    );
    assert_eq!(points(&axes::open()).collect::<Vec<_>>().len(), 2 * 3 * 2 * 3 * 3);
    let all: BTreeSet<u8> = points(&axes::open()).map(|p| level(p, false).0).collect();
    assert_eq!(all, BTreeSet::from([1, 2, 3, 4]));
}
