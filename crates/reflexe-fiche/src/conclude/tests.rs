//! The rules in order, on fictional findings; and that weaknesses never confirm.
use proptest::prelude::*;

use super::*;
use crate::story::{
    Stages, build,
    tests_support::{at, finding, inputs, link},
};
use crate::triage::Explained;

fn action(id: &str) -> ActionInput {
    ActionInput {
        id: id.into(),
        title: Text::new("Titre", "Title"),
        types: vec!["T1".into()],
        items: vec![format!("{id}.1"), format!("{id}.2")],
        required: vec![format!("{id}-check")],
    }
}

fn on(item: &str, id: &str, check: &str, subject: &str) -> Finding {
    let mut f = finding(id, check, subject);
    f.items = vec![item.into()];
    f
}

fn check(id: &str, verdict: Verdict, coverage: CoverageLevel) -> CheckResult {
    CheckResult {
        id: id.into(),
        question: Text::default(),
        verdict,
        coverage,
        missing: vec![],
        missing_tables: vec![],
        reasons: Vec::new(),
        findings: 0,
        examined: 0,
        error: None,
    }
}

fn conclude(id: &str, findings: &[Finding], checks: &[CheckResult]) -> ActionResult {
    let stories = build(findings, &inputs(), Stages::embedded());
    actions(&[action(id)], findings, checks, &stories, &inputs(), Rules::embedded()).remove(0)
}

fn answer(r: &ActionResult) -> (ActionState, &str) {
    (r.proposed, r.rule.as_str())
}

#[test]
fn a_decisive_finding_confirms_and_says_why() {
    let mut f = on("1.b.1", "f", "1b.x", "joe@example.com");
    (f.decisive, f.verdict) = (true, Verdict::Compromise);
    let r = conclude("1.b", &[f], &[]);
    assert_eq!(answer(&r), (ActionState::Confirmed, "decisive"));
    assert_eq!(r.because, ["f"]);
    assert_eq!(r.reason.fr, "1 fait l'établit à lui seul : joe@example.com.");
    assert_eq!(r.reason.en, "1 fact establishes it alone: joe@example.com.");
}

#[test]
fn a_hostile_setting_does_not_confirm_a_leak_but_an_act_does() {
    let mut f = on("1.e.2", "f", "1e.x", "tenant");
    (f.decisive, f.verdict, f.class) = (true, Verdict::Compromise, "state".into());
    assert_eq!(answer(&conclude("1.e", std::slice::from_ref(&f), &[])), (ActionState::Suspected, "finding"));
    f.class = "event".into();
    assert_eq!(answer(&conclude("1.e", &[f], &[])), (ActionState::Confirmed, "decisive-act"));
}

#[test]
fn a_strong_story_confirms_the_actions_it_touches_only() {
    let mut all = vec![
        on("1.a.2", "a1", "1a.signin", "joe@example.com"),
        on("1.b.1", "a2", "1b.rule", "joe@example.com"),
        on("1.e.1", "a3", "1e.fraud", "joe@example.com"),
    ];
    for (n, (f, stage)) in all.iter_mut().zip(["S1", "S4", "S7"]).enumerate() {
        (f.stage, f.verdict, f.weight) = (stage.into(), Verdict::Compromise, 80);
        f.first_seen = Some(at(10, i8::try_from(n).expect("three acts")));
    }
    let r = conclude("1.b", &all, &[]);
    assert_eq!((answer(&r), &r.because[..]), ((ActionState::Confirmed, "story"), &["a2".to_owned()][..]));
    // 25, 25, 30 × 80 %, in order 10.
    assert_eq!(r.reason.fr, "Un récit l'établit : joe@example.com, 74 points sur 100, 3 étapes d'une attaque.");
    assert_eq!(answer(&conclude("1.d", &all, &[])), (ActionState::Unknown, ""));
    all[1].weight = 29;
    assert_ne!(conclude("1.b", &all, &[]).rule, "story");
}

#[test]
fn two_checks_on_one_account_confirm_only_through_one_hand() {
    let pair = |links: &[reflexe_model::Link], second_check: &str, second: &str| {
        let mut one = on("1.b.1", "f1", "1b.x", "joe@example.com");
        let mut two = on("1.b.2", "f2", second_check, second);
        (one.links, two.links) = (links.to_vec(), links.to_vec());
        let r = conclude("1.b", &[one, two], &[]);
        (r.proposed, r.rule)
    };
    let confirmed = (ActionState::Confirmed, "together".to_owned());
    let suspected = (ActionState::Suspected, "finding".to_owned());
    for kind in ["session", "token"] {
        assert_eq!(pair(&[link(kind, "v")], "1b.y", "joe@example.com"), confirmed, "{kind}");
    }
    assert_eq!(pair(&[link("ip", "203.0.113.66")], "1b.y", "joe@example.com"), confirmed, "hostile address");
    assert_eq!(pair(&[link("ip", "192.0.2.1")], "1b.y", "joe@example.com"), suspected, "ordinary address");
    assert_eq!(pair(&[link("destination", "o@example.net")], "1b.y", "joe@example.com"), suspected, "destination only");
    assert_eq!(pair(&[link("session", "v")], "1b.x", "joe@example.com"), suspected, "one check twice");
    assert_eq!(pair(&[link("session", "v")], "1b.y", "ann@example.com"), suspected, "two accounts");
}

#[test]
fn a_light_suspicion_suspects_nothing_and_clears_nothing() {
    let mut f = on("1.b.1", "f", "1b.x", "joe@example.com");
    f.weight = 29;
    let covered = [check("1.b-check", Verdict::Ok, CoverageLevel::Full)];
    let r = conclude("1.b", &[f], &covered);
    assert_eq!((answer(&r), &r.against[..]), ((ActionState::Unknown, "light"), &["f".to_owned()][..]));
    assert_eq!(r.reason.en, "1 light sign to check (joe@example.com); not enough to suspect, too much to clear.");
}

#[test]
fn another_action_may_point_here() {
    let mut f = on("1.e.2", "f", "1e.x", "tenant");
    f.also_suspects = Some("1.a".into());
    assert_eq!(answer(&conclude("1.a", std::slice::from_ref(&f), &[])), (ActionState::Suspected, "pointed_at"));
    f.verdict = Verdict::Weakness;
    assert_eq!(answer(&conclude("1.a", &[f], &[])), (ActionState::Unknown, ""));
}

#[test]
fn not_confirmed_wants_every_required_check_with_full_coverage() {
    for (verdict, coverage, state) in [
        (Verdict::Ok, CoverageLevel::Full, ActionState::NotConfirmed),
        (Verdict::Weakness, CoverageLevel::Full, ActionState::NotConfirmed),
        (Verdict::Weakness, CoverageLevel::Partial, ActionState::Unknown),
        (Verdict::Ok, CoverageLevel::Partial, ActionState::Unknown),
        (Verdict::Unknown, CoverageLevel::Full, ActionState::Unknown),
        (Verdict::Suspicious, CoverageLevel::Full, ActionState::Unknown),
    ] {
        assert_eq!(conclude("1.b", &[], &[check("1.b-check", verdict, coverage)]).proposed, state, "{verdict:?} {coverage:?}");
    }
    let mut failed = check("1.b-check", Verdict::Ok, CoverageLevel::Full);
    failed.error = Some("query failed".into());
    assert_eq!(conclude("1.b", &[], &[failed]).proposed, ActionState::Unknown);
    assert_eq!(conclude("1.b", &[], &[]).proposed, ActionState::Unknown, "no result");
    let mut none = action("1.c");
    none.required.clear();
    let r = &actions(&[none], &[], &[], &[], &inputs(), Rules::embedded())[0];
    assert_eq!((r.proposed, r.reason.fr.as_str()), (ActionState::Unknown, "Preuves insuffisantes pour conclure."));
}

#[test]
fn covered_checks_stand_against_a_suspicion() {
    let f = on("1.b.1", "f", "1b.x", "joe@example.com");
    let r = conclude("1.b", &[f], &[check("1.b-check", Verdict::Ok, CoverageLevel::Full)]);
    assert_eq!((r.proposed, &r.against[..]), (ActionState::Suspected, &["1.b-check".to_owned()][..]));
}

#[test]
fn privilege_is_seen_on_the_subject_the_actor_and_the_application() {
    let app = "0d1e0000-0000-0000-0000-000000000000";
    let mut facts = inputs();
    facts.privileged.extend(["adm@example.com".to_owned(), app.to_owned()]);
    let told = |change: &dyn Fn(&mut Finding)| {
        let mut f = on("1.d.1", "f", "1d.x", "joe@example.com");
        change(&mut f);
        actions(&[action("1.d")], &[f], &[], &[], &facts, Rules::embedded())[0].privileged
    };
    assert!(!told(&|_| ()));
    assert!(told(&|f| f.subject = "adm@example.com".into()));
    assert!(told(&|f| f.actor = Some("Adm@example.com".into())));
    assert!(told(&|f| f.links = vec![link("app", app)]));
    assert!(!told(&|f| f.key = "adm@example.com".into()), "a key is any text");
}

fn marked(id: &str, findings: &[Finding], dismissed: &[&str], malicious: &[&str]) -> ActionResult {
    let marks = Marks {
        dismissed: dismissed
            .iter()
            .map(|f| ((*f).to_owned(), Explained { who: "Ann".to_owned(), why: "voulu".to_owned(), seen: None }))
            .collect(),
        malicious: malicious.iter().map(|f| ((*f).to_owned(), "Bob".to_owned())).collect(),
    };
    actions_marked(&[action(id)], findings, &[], &[], &inputs(), Rules::embedded(), &marks).remove(0)
}

#[test]
fn what_a_person_explained_carries_nothing() {
    let mut f = on("1.b.1", "f1", "1b.external-forwarding", "joe@example.com");
    (f.decisive, f.verdict) = (true, Verdict::Compromise);
    assert_eq!(marked("1.b", &[f.clone()], &[], &[]).proposed, ActionState::Confirmed);
    assert_eq!(marked("1.b", &[f], &["f1"], &[]).proposed, ActionState::Unknown);
}

#[test]
fn what_a_person_recognised_as_the_attackers_confirms_with_the_name() {
    let mut f = on("1.b.1", "f1", "1b.external-forwarding", "joe@example.com");
    (f.verdict, f.weight) = (Verdict::Info, 5);
    let r = marked("1.b", std::slice::from_ref(&f), &[], &["f1"]);
    assert_eq!(answer(&r), (ActionState::Confirmed, "person"));
    assert_eq!(r.reason.fr, "Bob y reconnaît l'attaquant : 1 fait (joe@example.com).");
    assert_eq!(r.because, ["f1"]);
    f.class = "posture".into();
    assert_eq!(marked("1.b", &[f], &[], &["f1"]).proposed, ActionState::Unknown, "a setting is no act");
}

#[test]
fn a_leak_is_recognised_in_an_act_only() {
    let mut f = on("1.e.2", "f1", "1e.transport-rule-state", "r1");
    f.class = "state".into();
    assert_eq!(marked("1.e", std::slice::from_ref(&f), &[], &["f1"]).proposed, ActionState::Suspected);
    f.class = "event".into();
    assert_eq!(answer(&marked("1.e", &[f], &[], &["f1"])), (ActionState::Confirmed, "person-act"));
}

#[test]
fn a_wrong_rule_file_says_which_and_where() {
    let e = Rules::parse("[[rule]]\nid = \"x\"\nwhen.anny = {}\n").expect_err("must fail").to_string();
    assert!(e.starts_with("fiche/conclude.toml") && e.contains("anny"), "{e}");
}

proptest! {
    /// Settings, weaknesses and lesser verdicts confirm and suspect nothing, however heavy, tied or decisive they claim to be.
    #[test]
    fn weaknesses_never_confirm_nor_suspect(
        verdict in prop::sample::select(vec![Verdict::Ok, Verdict::Info, Verdict::Unknown, Verdict::Weakness, Verdict::Compromise]),
        weight in 0u32..=100, decisive: bool, points_here: bool, n in 1usize..6,
    ) {
        let all: Vec<Finding> = (0..n).map(|k| {
            let mut f = on("1.a.1", &format!("f{k}"), &format!("1a.c{k}"), "joe@example.com");
            (f.verdict, f.weight, f.decisive, f.stage) = (verdict, weight, decisive, format!("S{k}"));
            f.class = if verdict == Verdict::Compromise { "posture".into() } else { "event".into() };
            f.links = vec![link("session", "s")];
            f.also_suspects = points_here.then(|| "1.a".into());
            f
        }).collect();
        let r = conclude("1.a", &all, &[]);
        prop_assert_eq!(r.proposed, ActionState::Unknown);
        prop_assert!(r.because.is_empty());
    }

    /// No brace is left in any reason.
    #[test]
    fn reasons_are_whole(decisive: bool, weight in 0u32..=100, covered: bool) {
        let mut f = on("1.b.1", "f", "1b.x", "joe@example.com");
        (f.decisive, f.weight, f.verdict) = (decisive, weight, Verdict::Compromise);
        let checks = [check("1.b-check", Verdict::Ok, if covered { CoverageLevel::Full } else { CoverageLevel::None })];
        let r = conclude("1.b", &[f], &checks);
        prop_assert!(!r.reason.fr.is_empty() && !r.reason.fr.contains('{') && !r.reason.en.contains('{'), "{:?}", r.reason);
    }
}
