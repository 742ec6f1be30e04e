//! Qualifications built by hand, and what they propose.
use reflexe_model::{Axes, CaseInfo, CheckResult, Payload, SCHEMA, Severity, TenantInfo};

use super::*;
use crate::{Catalogue, answers::tests::Journal, axes, severity::severity, story::tests_support::finding};

/// No evidence at all.
pub(crate) fn empty() -> Qualification {
    let catalogue = Catalogue::embedded().expect("well formed");
    let actions = catalogue.actions.iter().map(|a| ActionResult {
        id: a.id.clone(),
        title: a.title.clone(),
        types: a.types.clone(),
        proposed: ActionState::Unknown,
        privileged: false,
        rule: String::new(),
        reason: Text::new("Preuves insuffisantes pour conclure.", "Not enough evidence to conclude."),
        because: vec![],
        against: vec![],
        answer: None,
    });
    let open: Axes = axes::open();
    let range = severity(&open);
    Qualification {
        schema: SCHEMA.into(),
        case: CaseInfo {
            id: "c".into(),
            title: String::new(),
            tenant: TenantInfo::default(),
            window: None,
            since: None,
            other_tenants: vec![],
            left_out: BTreeMap::new(),
        },
        evidence: vec![],
        unrecognised: vec![],
        items: vec![],
        checks: vec![],
        failures: vec![],
        findings: vec![],
        stories: vec![],
        actions: actions.collect(),
        axes: open,
        severity: Severity { proposed: range.clone(), answered: range, overridden: None },
        next_question: None,
        next_export: None,
        exports: vec![],
    }
}

/// An administrator and a user are taken, an application is suspected, no relay; a leak is suspected.
pub(crate) fn attacked() -> Qualification {
    let mut q = empty();
    let mut admin = finding("f1", "1a.role-grants", "adm-x@example.com");
    (admin.verdict, admin.decisive, admin.items) = (Verdict::Compromise, true, vec!["1.a.2".into()]);
    let mut user = finding("f2", "1b.external-forwarding", "joe@example.com");
    (user.verdict, user.decisive) = (Verdict::Compromise, true);
    let mut app = finding("f3", "1d.consent-users", "0d1e");
    app.verdict = Verdict::Suspicious;
    q.findings = vec![admin, user, app];
    for (id, state, because) in [
        ("1.a", ActionState::Confirmed, Some("f1")),
        ("1.b", ActionState::Confirmed, Some("f2")),
        ("1.c", ActionState::NotConfirmed, None),
        ("1.d", ActionState::Suspected, Some("f3")),
        ("1.e", ActionState::Suspected, Some("f2")),
    ] {
        let action = q.actions.iter_mut().find(|a| a.id == id).expect("an action");
        action.proposed = state;
        action.because = because.map(str::to_owned).into_iter().collect();
        action.reason = Text::new("Parce que.", "Because.");
    }
    q.checks = ["1a.role-grants", "1a.admin-signin-sources", "1a.admin-signin-anomalies"]
        .map(|id| CheckResult {
            id: id.into(),
            question: Text::default(),
            verdict: if id == "1a.role-grants" { Verdict::Compromise } else { Verdict::Ok },
            coverage: CoverageLevel::Full,
            missing: vec![],
            missing_tables: vec![],
            reasons: Vec::new(),
            findings: 0,
            examined: 4,
            error: None,
        })
        .into();
    q
}

fn of(q: &Qualification, j: &Journal, facts: &Facts) -> BTreeMap<String, Proposal> {
    proposals(&Catalogue::embedded().expect("well formed").questions, q, &j.fold(), facts)
}

#[test]
fn no_evidence_proposes_only_the_usual_time() {
    let found = of(&empty(), &Journal::default(), &Facts::default());
    assert_eq!(found.keys().collect::<Vec<_>>(), ["Q.0.10"]);
}

#[test]
fn verdicts_come_from_the_actions_with_names_and_findings() {
    let found = of(&attacked(), &Journal::default(), &Facts::default());
    let said = |id: &str| found[id].value.choice.clone().expect("a choice");
    assert_eq!([said("V.T1"), said("V.T3"), said("V.T4"), said("V.T6")], ["confirmed", "confirmed", "refuted", "suspected"]);
    assert_eq!(found["V.T3"].value.list.as_deref(), Some(&["adm-x@example.com".to_owned()][..]));
    assert_eq!(found["V.T3"].findings, ["f1"]);
    assert!(found["V.T4"].reason.en.ends_with("Only you can rule it out."), "a machine never refutes");
    assert_eq!(found["Q.3a.04"].value.choice.as_deref(), Some("suspected"));
}

#[test]
fn rows_are_proposed_malicious_doubtful_or_explained_and_nothing_without_coverage() {
    let mut q = attacked();
    let choice =
        |q: &Qualification, id: &str| of(q, &Journal::default(), &Facts::default()).get(id).and_then(|p| p.value.choice.clone());
    assert_eq!(choice(&q, "Q.1a.04").as_deref(), Some("malicious"));
    assert_eq!(choice(&q, "Q.1a.08").as_deref(), Some("legitimate"));
    assert_eq!(choice(&q, "Q.1d.11").as_deref(), Some("yes"));
    assert_eq!(choice(&q, "Q.1b.12"), None, "its check never ran");
    q.checks[1].coverage = CoverageLevel::Partial;
    assert_eq!(choice(&q, "Q.1a.08"), None);
    q.findings[0].verdict = Verdict::Suspicious;
    assert_eq!(choice(&q, "Q.1a.04").as_deref(), Some("doubtful"));
}

#[test]
fn evidence_that_moves_after_acceptance_shows_and_changes_no_answer() {
    let mut q = attacked();
    let mut j = Journal::default();
    let accepted = of(&q, &j, &Facts::default())["V.T1"].accept();
    assert_eq!(accepted.basis, [Basis::Finding("f2".into())]);
    j.add(&Payload::Answer(accepted));
    let given = |j: &Journal| j.fold().given("V.T1")[0].clone();
    assert!(!moved(&given(&j), of(&q, &j, &Facts::default()).get("V.T1")));
    q.actions[1].because.push("f3".into());
    assert!(moved(&given(&j), of(&q, &j, &Facts::default()).get("V.T1")));
    assert!(moved(&given(&j), None));
    assert_eq!(j.fold().choice("V.T1"), Some("confirmed"));
}

#[test]
fn what_the_caller_knows_is_proposed() {
    let facts = Facts {
        compromised: ["ceo@example.com".to_owned(), "joe@example.com".to_owned()].into(),
        vip: ["ceo@example.com".to_owned()].into(),
        counts: [("global_admins".to_owned(), 3)].into(),
        prepared: vec![("Q.3b.02".into(), choice("yes", vec![]), Text::new("Dossier de préparation.", "Preparation pack."))],
    };
    let mut j = Journal::default();
    j.say("Q.3c.01", "none", &[]);
    j.say("Q.1a.01", "yes", &["adm-x@example.com"]);
    let found = of(&empty(), &j, &facts);
    assert_eq!(found["Q.1a.03"].value.count, Some((3, 3)));
    assert_eq!(found["Q.2a.04"].value.list.as_deref(), Some(&["ceo@example.com".to_owned()][..]));
    assert_eq!(found["Q.1b.01"].value.list.as_ref().map(Vec::len), Some(2));
    assert_eq!(found["Q.4b.01"].value.list, Some(vec![]));
    assert_eq!(found["Q.3b.02"].reason.en, "Preparation pack.");
    assert_eq!(found["V.T3"].value.choice.as_deref(), Some("confirmed"));
}
