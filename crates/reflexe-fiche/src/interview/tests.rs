//! Whole interviews, typed key by key in both languages; every form of an answer; every word.
use std::collections::BTreeMap;

use jiff::Timestamp;
use reflexe_model::{Approx, Basis, Confidence, DontKnow, Qualification};

use super::*;
use crate::{
    Catalogue,
    answers::tests::Journal,
    axes::Frame,
    propose::{
        Facts, proposals,
        tests::{attacked, empty},
    },
    timebox,
};

struct Session {
    catalogue: Catalogue,
    q: Qualification,
    j: Journal,
    lang: Lang,
}

impl Session {
    fn new(q: Qualification, lang: Lang) -> Self {
        Self { catalogue: Catalogue::embedded().expect("well formed"), q, j: Journal::default(), lang }
    }

    fn step(&self) -> Step {
        self.step_at("2026-11-22T13:01:00Z", &BTreeSet::new())
    }

    fn step_at(&self, now: &str, skipped: &BTreeSet<String>) -> Step {
        let now: Timestamp = now.parse().expect("a moment");
        let timebox = timebox::status(&self.j.entries, now);
        let answers = self.j.fold();
        let proposals = proposals(&self.catalogue.questions, &self.q, &answers, &Facts::default());
        let state = State {
            questions: &self.catalogue.questions,
            qualification: &self.q,
            answers: &answers,
            proposals: &proposals,
            frame: Frame { ended: timebox.ended(), ..Frame::default() },
            minutes_left: timebox.minutes_left(),
        };
        next(&state, &timebox, skipped)
    }

    fn prompt(&self) -> Prompt {
        match self.step() {
            Step::Ask(p) => p,
            Step::Conclude(c) => panic!("concluded: {c:?}"),
        }
    }

    /// Types a line; whatever it writes stands in the journal.
    fn type_line(&mut self, p: &Prompt, line: &str) {
        let answer = match parse(p, line, self.lang).unwrap_or_else(|e| panic!("{} « {line} »: {e:?}", p.question.id)) {
            Input::Answer(a) => *a,
            Input::DontKnow => parse_reason(&p.question.id, "3").expect("a reason"),
            other => panic!("{other:?}"),
        };
        for payload in payloads(p, answer) {
            self.j.add_at("a", "Ann", &[], "2026-11-22T13:00:00Z", &payload);
        }
    }

    /// Answers everything; returns the questions asked and the conclusion.
    fn run(&mut self, typed: impl Fn(&Prompt) -> String) -> (Vec<String>, Conclusion) {
        let mut asked = Vec::new();
        loop {
            match self.step() {
                Step::Conclude(c) => return (asked, c),
                Step::Ask(p) => {
                    assert!(!p.question.fr.is_empty() && !p.keys.get(self.lang).is_empty());
                    let line = typed(&p);
                    self.type_line(&p, &line);
                    asked.push(p.question.id.clone());
                    assert!(asked.len() < 60, "no end: {asked:?}");
                }
            }
        }
    }
}

/// Accepts what is proposed; else the harmless answer, in the language's own keys.
fn calm(lang: Lang) -> impl Fn(&Prompt) -> String {
    move |p| {
        if p.proposal.is_some() || p.question.id == RESULT {
            return String::new();
        }
        match p.question.kind {
            QuestionKind::List => if lang == Lang::Fr { "aucune" } else { "none" }.to_owned(),
            _ => {
                let best = p.question.choices()[0];
                let name = if p.question.named { " : boîte de joe@example.com" } else { "" };
                format!("{}{name}", choice_key(best, lang))
            }
        }
    }
}

#[test]
fn an_attacked_tenant_concludes_in_both_languages_well_under_thirty_prompts() {
    for lang in [Lang::Fr, Lang::En] {
        let mut s = Session::new(attacked(), lang);
        let (asked, end) = s.run(calm(lang));
        assert!(asked.len() < 20, "{} prompts: {asked:?}", asked.len());
        assert_eq!(asked[0], TIME);
        assert_eq!((end.range.low, end.range.high), (3, 3), "the administrator is taken, business runs");
        assert_eq!(end.retained, Some(3));
        assert_eq!(s.j.fold().action(&["T2".into(), "T3".into()]), Some(reflexe_model::ActionState::Confirmed));
        assert!(asked.contains(&"V.T6".to_owned()), "what routes containment is asked although the level is known");
    }
}

#[test]
fn without_evidence_a_calm_run_ends_exact_and_a_run_that_knows_nothing_ends_open() {
    for lang in [Lang::Fr, Lang::En] {
        let mut calm_run = Session::new(empty(), lang);
        let (asked, end) = calm_run.run(calm(lang));
        assert!(asked.len() < 30, "{} prompts: {asked:?}", asked.len());
        assert_eq!((end.range.low, end.range.high), (1, 1), "{asked:?} {:?}", end.judged);

        let mut ignorant = Session::new(empty(), lang);
        let knows = |p: &Prompt| if [TIME, RESULT, SEVERITY].contains(&p.question.id.as_str()) { "+" } else { "?" }.to_owned();
        let (asked, end) = ignorant.run(knows);
        assert!(asked.len() < 30, "{} prompts: {asked:?}", asked.len());
        assert_eq!((end.range.low, end.range.high), (1, 4));
        assert_eq!(severity::display(&end.range, Lang::Fr), "non qualifiable à ce stade");
        assert!(end.judged.reasons.is_empty(), "no claim: {:?}", end.judged.reasons);
    }
}

#[test]
fn a_crisis_is_reached_in_few_prompts() {
    let mut s = Session::new(attacked(), Lang::Fr);
    let (asked, end) = s.run(|p| match p.question.id.as_str() {
        "Q.4b.01" => "Expéditions, Paie".into(),
        "Q.3c.01" => "grave : Expéditions, Paie".into(),
        _ => calm(Lang::Fr)(p),
    });
    assert_eq!((end.range.low, end.range.high), (4, 4), "{asked:?}");
    assert!(asked.len() < 15, "{asked:?}");
    assert_eq!(s.j.fold().activities()[0], ["Expéditions", "Paie"]);
}

#[test]
fn left_and_resumed_it_goes_on_where_it_stood() {
    let mut s = Session::new(attacked(), Lang::Fr);
    for _ in 0..4 {
        let p = s.prompt();
        s.type_line(&p, "+");
    }
    let before = s.step();
    let resumed =
        Session { j: Journal { entries: s.j.entries.clone(), ..Journal::default() }, ..Session::new(attacked(), Lang::Fr) };
    assert_eq!(resumed.step(), before);
    let Step::Ask(p) = before else { panic!("concluded") };
    let skipped = BTreeSet::from([p.question.id.clone()]);
    let Step::Ask(other) = s.step_at("2026-11-22T13:01:00Z", &skipped) else { panic!("concluded") };
    assert_ne!(other.question.id, p.question.id);
}

#[test]
fn at_the_end_of_the_time_it_concludes_with_the_precaution() {
    let mut s = Session::new(attacked(), Lang::Fr);
    let p = s.prompt();
    s.type_line(&p, "30");
    s.j.add(&Payload::Answer(parse::chosen("V.T3", "suspected")));
    let Step::Ask(p) = s.step_at("2026-11-22T13:40:00Z", &BTreeSet::new()) else { panic!("concluded") };
    assert_eq!((p.question.id.as_str(), p.range.low, p.range.high), (RESULT, 3, 4));
    assert!(p.notes.iter().any(|n| n.fr.contains("Le temps est écoulé")));
    assert!(
        p.notes.iter().any(|n| n.fr == "Incident : inconnu. Périmètre : étendu. Impact : inconnu. Urgence : inconnu."),
        "{:?}",
        p.notes
    );
}

#[test]
fn a_disagreement_is_asked_first_and_settled_by_one_answer() {
    let mut s = Session::new(empty(), Lang::Fr);
    let p = s.prompt();
    s.type_line(&p, "");
    for (writer, choice) in [("b", "refuted"), ("c", "confirmed")] {
        s.j.add_by(writer, writer, &[], &Payload::Answer(parse::chosen("V.T3", choice)));
    }
    let p = s.prompt();
    assert_eq!(p.question.id, "V.T3");
    assert!(p.notes.iter().any(|n| n.fr.contains("b : écarté / c : confirmé")), "{:?}", p.notes);
    let Ok(Input::Answer(a)) = parse(&p, "c", Lang::Fr) else { panic!("understood") };
    s.j.add_by("a", "Ann", &["b", "c"], &Payload::Answer(*a));
    assert_eq!(s.j.fold().choice("V.T3"), Some("confirmed"));
}

fn prompt_of(id: &str) -> Prompt {
    let question = Catalogue::embedded().expect("well formed").question(id).expect("a question").clone();
    let range = SeverityRange { low: 2, high: 3, because: vec![] };
    Prompt { question, proposal: None, keys: Text::default(), notes: vec![], range, result: vec![] }
}

fn typed(id: &str, line: &str, lang: Lang) -> Result<reflexe_model::Answer, Text> {
    parse(&prompt_of(id), line, lang).map(|input| match input {
        Input::Answer(a) => *a,
        other => panic!("{id} « {line} »: {other:?}"),
    })
}

fn value(id: &str, line: &str, lang: Lang) -> AnswerValue {
    typed(id, line, lang).unwrap_or_else(|e| panic!("{id} « {line} »: {e:?}")).value.expect("a value")
}

#[test]
fn every_form_of_a_choice() {
    for (id, line, lang, choice) in [
        ("Q.3b.01", "o", Lang::Fr, "yes"),
        ("Q.3b.01", "OUI", Lang::Fr, "yes"),
        ("Q.3b.01", "y", Lang::En, "yes"),
        ("Q.3b.01", "no", Lang::Fr, "no"),
        ("Q.3a.01", "Dégradé", Lang::Fr, "degraded"),
        ("V.T1", "ecarte", Lang::Fr, "refuted"),
        ("V.T1", "ruled out", Lang::En, "refuted"),
        ("V.T1", "c", Lang::En, "confirmed"),
        ("Q.1a.12", "en cours", Lang::Fr, "doing"),
        ("Q.2a.05", "d", Lang::Fr, "destroyed"),
        ("Q.0.10", "60", Lang::En, "60"),
    ] {
        assert_eq!(value(id, line, lang).choice.as_deref(), Some(choice), "{id} {line}");
    }
    let wrong = typed("Q.3b.01", "bof", Lang::Fr).expect_err("not understood");
    assert!(wrong.fr.contains("o oui") && wrong.en.contains("n no"), "{wrong:?}");
    assert!(typed("Q.3b.01", "", Lang::Fr).is_err(), "nothing is proposed");
}

#[test]
fn names_and_categories_follow_a_choice() {
    let v = value("V.T1", "confirmé : joe@example.com, ann@example.com", Lang::Fr);
    assert_eq!(v.list.as_deref(), Some(&["joe@example.com".to_owned(), "ann@example.com".to_owned()][..]));
    let v = value("Q.3a.04", "confirmed: Personal, secret, payroll.xlsx", Lang::En);
    assert_eq!((v.categories, v.list), (vec!["personal".to_owned(), "secret".to_owned()], Some(vec!["payroll.xlsx".to_owned()])));
    assert_eq!(value("V.T6", "c privilégiée", Lang::Fr).categories, ["privileged"]);
    assert!(typed("Q.2c.01", "oui", Lang::Fr).expect_err("no name").fr.contains("nom"));
    assert_eq!(value("Q.2c.01", "o boîte de la paie", Lang::Fr).list, Some(vec!["boîte de la paie".to_owned()]));
    assert_eq!(value("Q.4b.01", "aucune", Lang::Fr).list, Some(vec![]));
    assert_eq!(value("Q.4b.01", "Paie ; Caisse", Lang::Fr).list.map(|l| l.len()), Some(2));
}

#[test]
fn probably_is_said_before_and_keeps_the_rest() {
    for (line, lang) in [("probablement oui", Lang::Fr), ("Peut-être o", Lang::Fr), ("probably yes", Lang::En)] {
        let a = typed("Q.3b.01", line, lang).expect("understood");
        assert_eq!((a.confidence, a.value.expect("a value").choice.as_deref()), (Confidence::Low, Some("yes")), "{line}");
    }
}

#[test]
fn counts_are_intervals_and_kept_as_typed() {
    for (line, lang, count, approx) in [
        ("12", Lang::Fr, (12, 12), Approx::Exact),
        ("environ 30", Lang::Fr, (20, 45), Approx::About),
        ("about 30", Lang::En, (20, 45), Approx::About),
        ("au moins 5", Lang::Fr, (5, parse::NO_LIMIT), Approx::AtLeast),
        ("at most 5", Lang::En, (0, 5), Approx::AtMost),
        ("10-20", Lang::Fr, (10, 20), Approx::Range),
        ("1 200", Lang::Fr, (1200, 1200), Approx::Exact),
    ] {
        let a = typed("Q.1a.03", line, lang).expect("understood");
        let v = a.value.expect("a value");
        assert_eq!((v.count, a.approx, v.text.as_deref()), (Some(count), approx, Some(line)));
    }
    for line in ["beaucoup", "20-10", "-3", "99999999999999"] {
        assert!(typed("Q.1a.03", line, Lang::Fr).is_err(), "{line}");
    }
}

#[test]
fn not_knowing_takes_one_key_and_a_reason_that_may_be_left() {
    assert_eq!(parse(&prompt_of("V.T1"), "?", Lang::Fr), Ok(Input::DontKnow));
    let why = |line: &str| parse_reason("V.T1", line).expect("understood").dont_know.expect("a reason");
    assert_eq!([why(""), why("3")], [DontKnow::Unsaid, DontKnow::NoTime]);
    assert_eq!(why("4 : le prestataire"), DontKnow::WaitingFor("le prestataire".into()));
    assert_eq!(why("6"), DontKnow::Contradictory);
    assert!(parse_reason("V.T1", "é").expect_err("not a digit").fr.contains("1 à 6"));
    for (line, meant) in [("-", Input::Skip), ("q", Input::Leave), ("h", Input::Help)] {
        assert_eq!(parse(&prompt_of("V.T1"), line, Lang::Fr), Ok(meant));
    }
}

#[test]
fn a_severity_outside_the_interval_needs_a_reason_and_is_an_override() {
    let p = prompt_of(SEVERITY);
    let refused = parse(&p, "4", Lang::Fr).expect_err("no reason");
    assert!(refused.fr.starts_with("4 est hors de l'intervalle calculé (2–3)"), "{refused:?}");
    let Ok(Input::Answer(a)) = parse(&p, "4 : décision de la directrice générale", Lang::Fr) else { panic!("understood") };
    let written = payloads(&p, *a);
    assert!(written.iter().any(
        |w| matches!(w, Payload::Override { level: Some(4), computed: (2, 3), reason, .. } if reason.starts_with("décision"))
    ));
    let Ok(Input::Answer(a)) = parse(&p, "3", Lang::Fr) else { panic!("understood") };
    let written = payloads(&p, *a);
    assert!(!written.iter().any(|w| matches!(w, Payload::Override { .. })));
    assert!(written.iter().any(|w| matches!(w, Payload::Timer { what, .. } if what == "concluded")));
}

#[test]
fn what_an_answer_implies_is_written_and_attributed() {
    let p = prompt_of("Q.3c.01");
    let Ok(Input::Answer(a)) = parse(&p, "aucune", Lang::Fr) else { panic!("understood") };
    let written: BTreeMap<String, AnswerValue> = payloads(&p, *a)
        .into_iter()
        .filter_map(|w| match w {
            Payload::Answer(a) => Some((a.question, a.value?)),
            _ => None,
        })
        .collect();
    assert_eq!(written.keys().collect::<Vec<_>>(), ["Q.3c.01", "Q.3c.02", "Q.4b.01", "Q.4b.02"]);
    assert_eq!(written["Q.4b.01"].list, Some(vec![]));
    let Ok(Input::Answer(a)) = parse(&p, "g : Paie", Lang::Fr) else { panic!("understood") };
    assert_eq!(payloads(&p, *a).len(), 1);
}

#[test]
fn an_accepted_proposal_keeps_its_findings() {
    let s = Session::new(attacked(), Lang::Fr);
    let mut s = s;
    let p = s.prompt();
    s.type_line(&p, "30");
    let p = s.prompt();
    let Ok(Input::Answer(a)) = parse(&p, "", Lang::Fr) else { panic!("understood") };
    assert!(matches!(a.basis.as_slice(), [Basis::Finding(_)]), "{:?}", a.basis);
    assert!(a.accepted.is_some());
}

#[test]
fn every_choice_key_role_and_word_is_there_and_no_two_choices_share_a_key() {
    let catalogue = Catalogue::embedded().expect("well formed");
    for q in &catalogue.questions {
        for lang in [Lang::Fr, Lang::En] {
            let mut keys = BTreeSet::new();
            for c in q.choices() {
                assert!(WORDS.choice.contains_key(c), "{} has no words for {c}", q.id);
                assert!(keys.insert(choice_key(c, lang)), "{}: {c} shares its key", q.id);
                assert!(!["q", "h", "?", "-", "+"].contains(&choice_key(c, lang).as_str()));
            }
            assert!(!super::keys(q, true, lang).is_empty());
        }
        for who in &q.who {
            assert!(!who_text(*who).fr.is_empty());
        }
    }
    for (of, names) in [
        ("key", &["count", "list", "named", "text", "confirm", "accept", "rest"][..]),
        ("reason", &["ask", "wrong"]),
        ("error", &["nothing_to_accept", "choice", "count", "name", "reason", "reopen"]),
        ("say", &["computed", "range", "working", "conflict", "alone", "or"]),
    ] {
        for name in names {
            assert!(!word(of, name).fr.is_empty() && !word(of, name).en.is_empty());
        }
    }
    assert!(!Prompt::reason_question().fr.is_empty());
}

#[test]
fn a_shown_value_is_cleaned() {
    let q = prompt_of("V.T1").question;
    let v = value("V.T1", "c: joe\u{202e}@example.com", Lang::En);
    assert_eq!(show_value(&q, Some(&v), Lang::En), "confirmed, joe‹U+202E›@example.com");
}
