//! The seven cases of the severity as full runs from answers, each line of the rules, and their laws.
use proptest::{prelude::*, sample::select};
use reflexe_model::{ActionState, Answer, AnswerValue, Confidence, DontKnow, Payload};

use super::*;
use crate::{
    Catalogue,
    answers::tests::{Journal, blank, chosen},
    axes::proposed,
    severity::{severity, severity_with},
};

fn frame(ended: bool) -> Frame {
    Frame { ended, ..Frame::default() }
}

fn run(j: &Journal, ended: bool) -> Judged {
    answered(&j.fold(), &frame(ended))
}

fn range(j: &Journal) -> (u8, u8) {
    let r = severity(&run(j, false).axes);
    (r.low, r.high)
}

fn refute(j: &mut Journal, verdicts: &[&str]) {
    for v in verdicts {
        j.say(v, "refuted", &[]);
    }
}

/// Every service works, no data is hit, no vital activity is disturbed.
fn business_runs(j: &mut Journal) {
    for (q, a) in [("Q.3x.02", "no"), ("Q.3b.01", "yes"), ("Q.3a.01", "yes"), ("Q.3a.02", "yes"), ("Q.3a.03", "yes")] {
        j.say(q, a, &[]);
    }
    for (q, a) in [("Q.3c.01", "none"), ("Q.3a.04", "refuted"), ("Q.2a.05", "none"), ("Q.2a.04", "no")] {
        j.say(q, a, &[]);
    }
    for q in ["Q.3c.02", "Q.4b.01", "Q.4b.02"] {
        j.list(q, &[]);
    }
}

#[test]
fn a_phished_user_contained_without_impact_is_minor() {
    let mut j = Journal::default();
    j.say("V.T1", "confirmed", &["joe@example.com"]);
    refute(&mut j, &["V.T2", "V.T3", "V.T4", "V.T5", "V.T6"]);
    business_runs(&mut j);
    j.say("Q.2c.01", "yes", &["la boîte de joe@example.com"]);
    assert_eq!(range(&j), (2, 2));
    assert_eq!(run(&j, true).axes, run(&j, false).axes, "the end changes nothing when nobody is suspected");
}

#[test]
fn b_an_attacker_who_is_global_administrator_is_major_even_if_business_runs() {
    let mut j = Journal::default();
    j.say("V.T3", "confirmed", &["adm-x@example.com"]);
    business_runs(&mut j);
    assert_eq!(range(&j), (3, 3));
    let judged = run(&j, false);
    let tenant = judged.reasons.iter().find(|r| r.axis == Axis::TenantCompromised).expect("a reason");
    assert_eq!(tenant.text.fr, "compte à privilèges Entra ID confirmé compromis (V.T3, M. Durand, 13:00)");
    assert_eq!(tenant.questions, ["V.T3"]);
}

#[test]
fn c_administration_lost_and_a_vital_activity_stopped_is_a_crisis() {
    let mut j = Journal::default();
    j.say("Q.1a.02", "no", &[]);
    j.say("Q.3b.01", "no", &[]);
    j.list("Q.4b.01", &["Expéditions"]);
    assert_eq!(range(&j), (4, 4));
    j.add(&Payload::KeepPerimeter { keep: true, reason: "filiale isolée du reste du groupe".into() });
    let judged = run(&j, false);
    assert_eq!(judged.axes.perimeter, BTreeSet::from([Perimeter::Circumscribed]));
    assert_eq!(severity_with(&judged.axes, true).low, 3);
    assert!(judged.reasons.iter().any(|r| r.text.fr.contains("filiale isolée")));
}

#[test]
fn d_nothing_answered_is_open() {
    let j = Journal::default();
    assert_eq!(range(&j), (1, 4));
    assert_eq!(run(&j, true), Judged { axes: open(), reasons: vec![] });
}

#[test]
fn e_fraud_through_one_vip_with_a_suspected_leak_is_minor() {
    let mut j = Journal::default();
    j.say("V.T1", "confirmed", &["ceo@example.com"]);
    refute(&mut j, &["V.T2", "V.T3", "V.T4", "V.T6"]);
    j.say("V.T5", "suspected", &[]);
    business_runs(&mut j);
    j.say("Q.2a.04", "yes", &["ceo@example.com"]);
    j.say("Q.3a.04", "suspected", &[]);
    j.say("Q.2c.01", "yes", &["la boîte de ceo@example.com"]);
    assert_eq!(range(&j), (2, 2));
    j.list("Q.4b.02", &["Paie"]);
    assert_eq!(range(&j), (2, 2));
}

#[test]
fn f_an_application_reading_all_mail_is_at_least_major() {
    let mut j = Journal::default();
    j.add(&Payload::Answer(application("confirmed", "privileged")));
    assert_eq!(range(&j), (3, 4));
    j.add(&Payload::Answer(application("confirmed", "ordinary")));
    assert_eq!(run(&j, false).axes.tenant_compromised.len(), 3);
    refute(&mut j, &["V.T2", "V.T3"]);
    assert_eq!(run(&j, false).axes.tenant_compromised, BTreeSet::from([TenantState::No]));
}

fn application(choice: &str, category: &str) -> Answer {
    let value = AnswerValue { choice: Some(choice.into()), categories: vec![category.into()], ..AnswerValue::default() };
    Answer { value: Some(value), ..blank("V.T6") }
}

#[test]
fn g_all_refuted_without_effect_is_a_common_anomaly() {
    let mut j = Journal::default();
    refute(&mut j, &VERDICTS);
    business_runs(&mut j);
    j.say("Q.2c.01", "yes", &["le message reçu"]);
    assert_eq!(range(&j), (1, 1));
}

#[test]
fn a_suspected_administrator_is_a_precaution_once_it_ends() {
    let mut j = Journal::default();
    j.say("V.T2", "suspected", &[]);
    assert_eq!(run(&j, false).axes.tenant_compromised.len(), 3);
    let ended = run(&j, true);
    assert_eq!(ended.axes.tenant_compromised, BTreeSet::from([TenantState::Precaution]));
    assert_eq!(ended.axes.perimeter, BTreeSet::from([Perimeter::Extended]));
    assert!(ended.reasons[0].text.fr.contains("par précaution"), "{:?}", ended.reasons);
}

#[test]
fn a_disagreement_on_an_administrator_keeps_both_and_widens_until_one_entry_resolves_it() {
    let mut j = Journal::default();
    refute(&mut j, &["V.T1", "V.T2", "V.T4", "V.T5", "V.T6"]);
    business_runs(&mut j);
    j.say("Q.2c.01", "yes", &["un poste"]);
    j.add_by("a", "Ann", &["a"], &Payload::Answer(chosen("V.T3", "refuted", &[])));
    assert_eq!(range(&j), (1, 1));
    j.add_by("b", "Bob", &[], &Payload::Answer(chosen("V.T3", "confirmed", &[])));
    assert_eq!(range(&j), (1, 3));
    let words: Vec<String> = run(&j, false).reasons.into_iter().map(|r| r.text.fr).collect();
    assert!(words.iter().any(|w| w.starts_with("désaccord sur V.T3 : Ann, ") && w.contains("Bob")), "{words:?}");
    j.add_by("b", "Bob", &["a"], &Payload::Answer(chosen("V.T3", "refuted", &[])));
    assert_eq!(range(&j), (1, 1));
}

#[test]
fn probably_keeps_the_other_value_open() {
    let mut j = Journal::default();
    j.add(&Payload::Answer(Answer { confidence: Confidence::Low, ..chosen("Q.3b.01", "no", &[]) }));
    assert_eq!(run(&j, false).axes.impact, open().impact);
    j.add(&Payload::Answer(Answer { confidence: Confidence::Medium, ..chosen("Q.3b.01", "no", &[]) }));
    assert_eq!(run(&j, false).axes.impact, BTreeSet::from([Impact::Strong]));
}

#[test]
fn impact_line_by_line() {
    let strong = [("Q.3x.02", "yes"), ("Q.3b.01", "no"), ("Q.3a.01", "no"), ("Q.3c.01", "severe")];
    let moderate = [("Q.3a.01", "degraded"), ("Q.3a.02", "no"), ("Q.3a.03", "degraded"), ("Q.3a.04", "suspected")];
    let moderate = moderate.into_iter().chain([("Q.2a.04", "yes"), ("Q.2a.05", "altered"), ("Q.3c.01", "mild")]);
    let of = |q: &str, a: &str| {
        let mut j = Journal::default();
        j.say(q, a, &[]);
        run(&j, false).axes.impact
    };
    for (q, a) in strong {
        assert_eq!(of(q, a), BTreeSet::from([Impact::Strong]), "{q} {a}");
    }
    for (q, a) in moderate {
        assert_eq!(of(q, a), BTreeSet::from([Impact::Moderate, Impact::Strong]), "{q} {a}");
    }
}

#[test]
fn destroyed_data_is_strong_only_without_a_backup_and_a_leak_only_if_regulated_or_secret() {
    let mut j = Journal::default();
    business_runs(&mut j);
    j.say("Q.2a.05", "destroyed", &[]);
    assert_eq!(run(&j, false).axes.impact, BTreeSet::from([Impact::Moderate, Impact::Strong]));
    j.say("Q.3b.03", "yes", &[]);
    assert_eq!(run(&j, false).axes.impact, BTreeSet::from([Impact::Moderate]));
    j.say("Q.3b.03", "no", &[]);
    assert_eq!(run(&j, false).axes.impact, BTreeSet::from([Impact::Strong]));

    let leak = |categories: &[&str]| {
        let mut j = Journal::default();
        business_runs(&mut j);
        let categories = categories.iter().map(|c| (*c).to_owned()).collect();
        let value = AnswerValue { choice: Some("confirmed".into()), categories, ..AnswerValue::default() };
        j.add(&Payload::Answer(Answer { value: Some(value), ..blank("Q.3a.04") }));
        run(&j, false).axes.impact
    };
    assert_eq!(leak(&["secret"]), BTreeSet::from([Impact::Strong]));
    assert_eq!(leak(&["personal"]), BTreeSet::from([Impact::Moderate]));
    assert_eq!(leak(&[]).len(), 2);
}

#[test]
fn urgency_line_by_line() {
    let mut j = Journal::default();
    j.list("Q.4b.01", &[]);
    assert_eq!(run(&j, false).axes.urgency, BTreeSet::from([Urgency::None, Urgency::Degraded]));
    j.list("Q.4b.02", &[]);
    assert_eq!(run(&j, false).axes.urgency, BTreeSet::from([Urgency::None]));
    j.say("Q.3b.01", "no", &[]);
    j.say("Q.3a.05", "yes", &["Paie"]);
    assert_eq!(run(&j, false).axes.urgency, BTreeSet::from([Urgency::Degraded]));
    j.list("Q.4b.01", &["Paie"]);
    assert_eq!(run(&j, false).axes.urgency, BTreeSet::from([Urgency::Stopped]));
}

#[test]
fn perimeter_line_by_line() {
    for q in BEYOND {
        let mut j = Journal::default();
        j.say("Q.2c.01", "yes", &["un service"]);
        assert_eq!(run(&j, false).axes.perimeter, BTreeSet::from([Perimeter::Circumscribed]));
        j.add(&Payload::Answer(Answer { confidence: Confidence::Low, ..chosen(q, "yes", &[]) }));
        assert_eq!(run(&j, false).axes.perimeter.len(), 2, "a suspicion reopens: {q}");
        j.say(q, "yes", &[]);
        assert_eq!(run(&j, false).axes.perimeter, BTreeSet::from([Perimeter::Extended]), "{q}");
    }
    let mut j = Journal::default();
    j.say("Q.2c.01", "yes", &[]);
    assert_eq!(run(&j, false).axes.perimeter.len(), 2, "without a name it does not count");
    j.say("Q.2a.01", "yes", &[]);
    assert_eq!(run(&j, false).axes.perimeter.len(), 2);
    j.say("Q.2b.03", "yes", &["12 postes"]);
    assert_eq!(run(&j, false).axes.perimeter, BTreeSet::from([Perimeter::Extended]));
    let mut many = Journal::default();
    let names: Vec<String> = (0..10).map(|n| format!("u{n}@example.com")).collect();
    many.say("V.T1", "confirmed", &names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run(&many, false).axes.perimeter, BTreeSet::from([Perimeter::Extended]));
}

#[test]
fn contradictory_knowledge_is_a_suspicion_other_ignorance_is_not() {
    for (why, values) in [(DontKnow::NoTime, 1), (DontKnow::Contradictory, 2)] {
        let mut j = Journal::default();
        j.say("Q.2c.01", "yes", &["un service"]);
        j.add(&Payload::Answer(Answer { dont_know: Some(why), ..blank("Q.2b.02") }));
        assert_eq!(run(&j, false).axes.perimeter.len(), values);
    }
}

#[test]
fn the_machine_stands_in_only_where_nobody_answered() {
    let action = |state, privileged| ActionResult {
        id: "1.d".into(),
        title: Text::default(),
        types: vec!["T6".into()],
        proposed: state,
        privileged,
        rule: String::new(),
        reason: Text::default(),
        because: vec![],
        against: vec![],
        answer: None,
    };
    let mut admin = action(ActionState::Confirmed, false);
    (admin.id, admin.types) = ("1.a".into(), vec!["T2".into(), "T3".into()]);
    let nobody = Answers::default();
    for state in [ActionState::Confirmed, ActionState::Suspected, ActionState::NotConfirmed, ActionState::Unknown] {
        for privileged in [true, false] {
            for compromised in [0, 12] {
                for actions in [vec![action(state, privileged)], vec![admin.clone(), action(state, privileged)]] {
                    let today = proposed(&actions, compromised, Rules::embedded());
                    assert_eq!(combined(&nobody, &actions, compromised, &frame(false)).axes, today);
                }
            }
        }
    }
    let mut j = Journal::default();
    refute(&mut j, &["V.T2", "V.T3"]);
    let people = combined(&j.fold(), std::slice::from_ref(&admin), 0, &frame(false));
    assert_eq!(people.axes.confirmation.len(), 2, "people's verdict replaces the machine's");
}

#[test]
fn every_word_is_there_and_every_choice_is_the_questionnaires() {
    let catalogue = Catalogue::embedded().expect("well formed");
    for (question, of) in &WORDS.said {
        for (choice, text) in of {
            assert!(!text.fr.is_empty() && !text.en.is_empty(), "{question} {choice}");
            let known =
                catalogue.question(question).map(|q| q.choices().contains(&choice.as_str()) || q.categories.contains_key(choice));
            assert!(known.unwrap_or(true) || choice == NAMED[1], "{question} has no {choice}");
        }
    }
    let scales: [(&str, &[&str]); 12] = [
        ("Q.1a.02", YES_NO),
        ("Q.3b.01", YES_NO),
        ("Q.3b.03", YES_NO),
        ("Q.2c.01", YES_NO),
        ("Q.3x.02", NO_YES),
        ("Q.2a.04", NO_YES),
        ("Q.3a.05", NO_YES),
        ("Q.3a.01", WORKS),
        ("Q.3c.01", DISTURBED),
        ("Q.2a.05", DAMAGED),
        ("Q.3a.04", VERDICT),
        ("V.T1", VERDICT),
    ];
    for (id, choices) in scales.into_iter().chain(BEYOND.map(|q| (q, NO_YES))).chain(VERDICTS.map(|v| (v, VERDICT))) {
        assert_eq!(catalogue.question(id).expect("a question").choices(), choices, "{id}");
    }
}

/// Questions on a scale, with their answers from harmless to grave.
const SCALES: [(&str, &[&str]); 22] = [
    ("V.T1", VERDICT),
    ("V.T2", VERDICT),
    ("V.T3", VERDICT),
    ("V.T4", VERDICT),
    ("V.T5", VERDICT),
    ("V.T6", VERDICT),
    ("Q.2a.03", NO_YES),
    ("Q.2a.06", NO_YES),
    ("Q.2b.02", NO_YES),
    ("Q.2b.04", NO_YES),
    ("Q.2c.03", NO_YES),
    ("Q.2a.01", NO_YES),
    ("Q.2b.03", NO_YES),
    ("Q.3x.02", NO_YES),
    ("Q.3a.01", WORKS),
    ("Q.3a.02", WORKS),
    ("Q.3c.01", DISTURBED),
    ("Q.2a.05", DAMAGED),
    ("Q.3b.03", YES_NO),
    ("Q.3a.04", VERDICT),
    ("Q.3c.02", NAMED),
    ("Q.4b.01", NAMED),
];

/// The grades of all scales; `None` is open.
fn journal(grades: &[Option<usize>]) -> Journal {
    let mut j = Journal::default();
    for ((q, choices), grade) in SCALES.iter().zip(grades) {
        let Some(choice) = grade.map(|g| choices[g % choices.len()]) else { continue };
        match choice {
            "empty" => j.list(q, &[]),
            "some" => j.list(q, &["Paie"]),
            choice => j.say(q, choice, &[]),
        };
    }
    for (q, a) in [("Q.3b.01", "yes"), ("Q.3a.03", "yes"), ("Q.2a.04", "no")] {
        j.say(q, a, &[]);
    }
    j.list("Q.4b.02", &[]);
    j
}

fn bounds(grades: &[Option<usize>]) -> (u8, u8) {
    range(&journal(grades))
}

/// Least and gravest severity over all completions.
fn brute(grades: &mut Vec<Option<usize>>) -> (u8, u8) {
    let Some(at) = grades.iter().position(Option::is_none) else { return bounds(grades) };
    let mut out = (4, 1);
    for g in 0..SCALES[at].1.len() {
        grades[at] = Some(g);
        let (low, high) = brute(grades);
        out = (out.0.min(low), out.1.max(high));
    }
    grades[at] = None;
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The interval of open questions is that of all their completions, and knowing more never widens it.
    #[test]
    fn open_questions_give_the_interval_of_their_completions(
        mut grades in proptest::collection::vec((0usize..3).prop_map(Some), SCALES.len()),
        open in proptest::collection::btree_set(0usize..SCALES.len(), 0..4),
    ) {
        for at in &open {
            grades[*at] = None;
        }
        // A confirmed leak of data of an unknown kind, and an application of an unknown kind, are open by themselves: bounds hold there.
        let (low, high) = bounds(&grades);
        let all = brute(&mut grades.clone());
        prop_assert_eq!((low, high), all);
    }

    /// A graver answer never gives a lower severity.
    #[test]
    fn a_graver_answer_never_lowers(
        grades in proptest::collection::vec(proptest::option::weighted(0.8, 0usize..3), SCALES.len()),
        at in 0usize..SCALES.len(),
    ) {
        let choices = SCALES[at].1.len();
        let steps: Vec<(u8, u8)> = (0..choices).map(|g| {
            let mut with = grades.clone();
            with[at] = Some(g);
            bounds(&with)
        }).collect();
        prop_assert!(steps.windows(2).all(|w| w[0].0 <= w[1].0 && w[0].1 <= w[1].1), "{:?}", steps);
    }

    /// Whoever merges first, the axes and their reasons are the same; twice the same entries change nothing.
    #[test]
    fn the_order_of_merging_is_immaterial(
        said in proptest::collection::vec((0usize..SCALES.len(), 0usize..3, select(vec!["a", "b", "c"]), any::<bool>()), 0..16),
        shuffle in any::<prop::sample::Index>(),
    ) {
        let mut j = Journal::default();
        for (at, grade, writer, sees) in said {
            let (q, choices) = SCALES[at];
            let seen: &[&str] = if sees { &["a", "b", "c"] } else { &[] };
            let choice = choices[grade % choices.len()];
            let answer = match choice {
                "empty" | "some" => chosen(q, "", &[]),
                choice => chosen(q, choice, &[]),
            };
            j.add_by(writer, writer, seen, &Payload::Answer(answer));
        }
        let one = run(&j, true);
        let mut other = j.entries.clone();
        other.reverse();
        let at = if other.is_empty() { 0 } else { shuffle.index(other.len()) };
        other.rotate_left(at);
        other.extend(j.entries.clone());
        prop_assert_eq!(answered(&Answers::fold(&other), &frame(true)), one);
    }
}
