//! The plan of steps: order, targets, states, commands.
use reflexe_model::{Answer, AnswerValue, SignShown, TenantState};

use super::*;
use crate::{story::tests_support::finding, test_journal::step};

fn compromised() -> Facts {
    let mut adm = finding("f1", "1a.admin-mfa-changes", "adm@example.com");
    adm.verdict = Verdict::Compromise;
    let mut forward = finding("f2", "1b.external-forwarding", "boss@example.com");
    forward.signs.push(SignShown { name: "subject_is_privileged".into(), text: Text::default(), points: None });
    let app = finding("f3", "1d.consent-allprincipals", "11111111-0000-4000-8000-000000000001");
    let hostile = finding("f4", "1b.inbox-rule-hiding", "x'; rm@example.com");
    Facts {
        tenant: [TenantState::Yes].into(),
        confirmed: ["T3".to_owned()].into(),
        suspected: ["T6".to_owned()].into(),
        findings: vec![adm, forward, app, hostile],
        severity: (3, 4),
        ..Facts::default()
    }
}

fn ids(plan: &[PlannedStep<'_>]) -> Vec<String> {
    plan.iter().filter(|s| s.needed == Tri::Yes).map(|s| s.def.id.clone()).collect()
}

#[test]
fn evidence_and_a_clean_foothold_come_before_eviction() {
    let (response, facts) = (Response::load().unwrap(), compromised());
    let plan = plan(&PlanInput { response: &response, facts: &facts, entries: &[] });
    assert_eq!(ids(&plan), ["N.00", "N.01", "N.10", "N.20", "N.51", "N.60", "N.61"].map(str::to_owned));
    let evict = plan.iter().find(|s| s.def.id == "N.20").unwrap();
    let names: Vec<(&str, bool)> = evict.targets.iter().map(|t| (t.value.as_str(), t.certain)).collect();
    assert_eq!(names, [("adm@example.com", true), ("boss@example.com", false)]);
    assert!(evict.targets[0].commands[0].lines.fr.contains("'adm@example.com'"));
    let app = plan.iter().find(|s| s.def.id == "N.30").unwrap();
    assert_eq!((app.needed, app.targets.len()), (Tri::Maybe, 1), "a suspected application is on the list, marked");
}

#[test]
fn a_hostile_name_never_reaches_a_command() {
    let (response, facts) = (Response::load().unwrap(), compromised());
    for step in plan(&PlanInput { response: &response, facts: &facts, entries: &[] }) {
        for command in step.targets.iter().flat_map(|t| &t.commands).chain(&step.commands) {
            for text in [&command.lines, &command.verify] {
                assert!(!text.fr.contains("rm@") && !text.en.contains("rm@"), "{}", text.en);
            }
        }
    }
}

#[test]
fn an_empty_case_claims_nothing_and_still_says_what_always_holds() {
    let response = Response::load().unwrap();
    let facts = Facts { severity: (1, 4), ..Facts::default() };
    let plan = plan(&PlanInput { response: &response, facts: &facts, entries: &[] });
    assert_eq!(ids(&plan), ["N.00", "N.01", "N.61"].map(str::to_owned));
}

#[test]
fn a_payment_comes_before_everything() {
    let response = Response::load().unwrap();
    let answer = Answer {
        question: "Q.4x.01".into(),
        value: Some(AnswerValue { choice: Some("yes".into()), ..AnswerValue::default() }),
        approx: Default::default(),
        confidence: Default::default(),
        basis: vec![],
        dont_know: None,
        not_applicable: None,
        comment: String::new(),
        accepted: None,
    };
    let facts = Facts { answers: [("Q.4x.01".to_owned(), vec![answer])].into(), ..Facts::default() };
    assert_eq!(plan(&PlanInput { response: &response, facts: &facts, entries: &[] })[0].def.id, "N.90");
}

#[test]
fn states_fold_and_a_conflict_shows_the_least_advanced() {
    let (response, facts) = (Response::load().unwrap(), compromised());
    let state = |entries: &[Entry]| {
        let plan = plan(&PlanInput { response: &response, facts: &facts, entries });
        plan.into_iter().find(|s| s.def.id == "N.20").unwrap().targets.remove(0).state
    };
    let adm = Some("adm@example.com");
    let known = [step("a", 1, "N.20", adm, Status::Planned), step("a", 2, "N.20", adm, Status::Done)];
    assert_eq!((state(&known).status, state(&known).conflict), (Some(Status::Done), false));
    let fork = [step("a", 1, "N.20", adm, Status::Done), step("b", 1, "N.20", adm, Status::Doing)];
    assert_eq!((state(&fork).status, state(&fork).conflict), (Some(Status::Doing), true));
    let other = [step("a", 1, "N.20", Some("boss@example.com"), Status::Done)];
    assert_eq!(state(&other).status, None);
}

#[test]
fn a_step_that_was_begun_stays_listed() {
    let response = Response::load().unwrap();
    let entries = [step("a", 1, "N.31", None, Status::Doing)];
    let facts = Facts::default();
    let plan = plan(&PlanInput { response: &response, facts: &facts, entries: &entries });
    let begun = plan.iter().find(|s| s.def.id == "N.31").unwrap();
    assert_eq!((begun.state.status, begun.state.owner.as_deref()), (Some(Status::Doing), Some("ADM")));
}

#[test]
fn a_target_that_somebody_only_wrote_of_is_shown() {
    let (response, facts) = (Response::load().unwrap(), compromised());
    let entries = [step("a", 1, "N.20", Some("seen.by.phone@example.com"), Status::Done)];
    let input = PlanInput { response: &response, facts: &facts, entries: &entries };
    let evict = one("N.20", &input).unwrap();
    let written = evict.targets.iter().find(|t| t.value == "seen.by.phone@example.com").unwrap();
    assert_eq!((written.state.status, written.because.as_slice()), (Some(Status::Done), &["a1".to_owned()][..]));
    assert_eq!(evict.state.status, None, "the others are still to be done");
    assert!(one("N.99", &input).is_none());
    assert_eq!(one("N.20", &PlanInput { facts: &Facts::default(), ..input }).unwrap().needed, Tri::No);
}
