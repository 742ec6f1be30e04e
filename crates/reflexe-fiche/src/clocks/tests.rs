//! The clocks across daylight saving, month ends and chains of declarations.
use super::*;
use crate::test_journal::{clock_event, clock_state};

fn facts(statuses: &[(&str, bool)]) -> Facts {
    Facts {
        confirmed: ["T5".to_owned()].into(),
        statuses: statuses.iter().map(|(s, v)| ((*s).to_owned(), *v)).collect(),
        ..Facts::default()
    }
}

fn stamp(text: &str) -> Timestamp {
    text.parse::<Zoned>().map(|z| z.timestamp()).or_else(|_| text.parse()).unwrap()
}

/// One clock at a moment; due as local text.
fn one(id: &str, facts: &Facts, entries: &[Entry], now: &str) -> (ClockState, Option<String>, Applies, bool, Option<String>) {
    let response = Response::load().unwrap();
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let input = ClockInput {
        response: &response,
        facts,
        entries,
        now: stamp(now),
        zone: &zone,
        contract_hours: &[("D.INS".to_owned(), 48)].into(),
        first_confirmed: None,
        opened: None,
    };
    let clock = clocks(&input).into_iter().find(|c| c.def.id == id).unwrap();
    let text = |z: &Zoned| z.strftime("%Y-%m-%d %H:%M").to_string();
    (clock.state, clock.due.as_ref().map(text), clock.applies, clock.provisional, clock.tolerated.as_ref().map(text))
}

fn due(id: &str, entries: &[Entry]) -> Option<String> {
    one(id, &facts(&[]), entries, "2026-10-24T13:00:00Z").1
}

#[test]
fn hours_are_elapsed_across_both_changes_of_the_clock() {
    let autumn = [clock_event("a", 1, "D.GDPR33", "aware", Some("2026-10-24T15:00:00+02:00"))];
    assert_eq!(due("D.GDPR33", &autumn).unwrap(), "2026-10-27 14:00");
    let spring = [clock_event("a", 1, "D.GDPR33", "aware", Some("2027-03-27T10:00:00+01:00"))];
    assert_eq!(due("D.GDPR33", &spring).unwrap(), "2027-03-30 11:00");
}

#[test]
fn months_end_on_the_last_day_and_keep_the_local_clock() {
    for (sent, expected) in [
        ("2027-01-31T09:00:00+01:00", "2027-02-28 09:00"),
        ("2028-01-31T09:00:00+01:00", "2028-02-29 09:00"),
        ("2026-10-15T09:00:00+02:00", "2026-11-15 09:00"),
        ("2026-12-31T23:30:00+01:00", "2027-01-31 23:30"),
    ] {
        let entries = [clock_event("a", 1, "D.NIS2-N", "submitted", Some(sent))];
        assert_eq!(due("D.NIS2-F", &entries).unwrap(), expected);
    }
}

#[test]
fn dora_is_a_chain_and_each_link_waits_for_the_one_before() {
    let mut journal = vec![
        clock_event("a", 1, "D.DORA-I", "aware", Some("2026-11-23T08:00:00Z")),
        clock_event("a", 2, "D.DORA-I", "classified_major", Some("2026-11-23T10:00:00Z")),
    ];
    assert_eq!(due("D.DORA-I", &journal).unwrap(), "2026-11-23 15:00");
    assert_eq!(due("D.DORA-M", &journal), None);
    journal.push(clock_event("a", 3, "D.DORA-I", "submitted", Some("2026-11-23T12:00:00Z")));
    assert_eq!(due("D.DORA-M", &journal).unwrap(), "2026-11-26 13:00");
    assert_eq!(due("D.DORA-F", &journal), None);
    journal.push(clock_event("a", 4, "D.DORA-M", "submitted", Some("2026-11-26T11:00:00Z")));
    assert_eq!(due("D.DORA-F", &journal).unwrap(), "2026-12-26 12:00");
}

#[test]
fn dora_initial_takes_the_sooner_and_late_classification_its_own_four_hours() {
    let of = |classified: &str| {
        [
            clock_event("a", 1, "D.DORA-I", "aware", Some("2026-11-23T08:00:00Z")),
            clock_event("a", 2, "D.DORA-I", "classified_major", Some(classified)),
        ]
    };
    assert_eq!(due("D.DORA-I", &of("2026-11-24T06:00:00Z")).unwrap(), "2026-11-24 09:00", "24 h after awareness come first");
    assert_eq!(due("D.DORA-I", &of("2026-11-25T06:00:00Z")).unwrap(), "2026-11-25 11:00", "classified later than 24 h");
    let aware = &of("2026-11-24T06:00:00Z")[..1];
    let (_, due, _, provisional, _) = one("D.DORA-I", &facts(&[]), aware, "2026-11-23T09:00:00Z");
    assert_eq!((due.unwrap().as_str(), provisional), ("2026-11-24 09:00", true));
}

#[test]
fn no_weekend_extension_but_the_rule_of_the_record_beside_the_strict_time() {
    let saturday = [clock_event("a", 1, "D.GDPR33", "aware", Some("2026-11-18T10:00:00Z"))];
    let (_, due, _, _, tolerated) = one("D.GDPR33", &facts(&[]), &saturday, "2026-11-18T11:00:00Z");
    assert_eq!((due.unwrap().as_str(), tolerated), ("2026-11-21 11:00", None));
    let dora = [clock_event("a", 1, "D.DORA-I", "submitted", Some("2026-11-18T10:00:00Z"))];
    let (_, due, _, _, tolerated) = one("D.DORA-M", &facts(&[]), &dora, "2026-11-18T11:00:00Z");
    assert_eq!((due.unwrap().as_str(), tolerated.unwrap().as_str()), ("2026-11-21 11:00", "2026-11-23 12:00"));
}

#[test]
fn states_follow_the_time_and_the_people() {
    let aware = clock_event("a", 1, "D.GDPR33", "aware", Some("2026-11-02T08:00:00Z"));
    let at = |now: &str, entries: &[Entry]| one("D.GDPR33", &facts(&[]), entries, now).0;
    assert_eq!(at("2026-11-02T08:00:00Z", &[]), ClockState::NotStarted);
    let run = [aware.clone()];
    assert_eq!(at("2026-11-02T09:00:00Z", &run), ClockState::Running);
    assert_eq!(at("2026-11-04T13:59:59Z", &run), ClockState::Running);
    assert_eq!(at("2026-11-04T14:00:00Z", &run), ClockState::DueSoon);
    assert_eq!(at("2026-11-05T08:00:01Z", &run), ClockState::Overdue);
    let done = [aware.clone(), clock_state("a", 2, "D.GDPR33", "done", "N-1")];
    assert_eq!(at("2026-11-06T08:00:00Z", &done), ClockState::Done);
    let back = [done[0].clone(), done[1].clone(), clock_state("a", 3, "D.GDPR33", "open", "")];
    assert_eq!(at("2026-11-06T08:00:00Z", &back), ClockState::Overdue);
    // Two people who did not know of each other: the clock stays open.
    let fork =
        [aware, clock_state("a", 2, "D.GDPR33", "done", "N-1"), clock_state("b", 1, "D.GDPR33", "not_applicable", "no data")];
    assert_eq!(at("2026-11-06T08:00:00Z", &fork), ClockState::Overdue);
}

#[test]
fn a_moment_serves_one_regime_and_the_earliest_of_a_conflict_counts() {
    let entries = [
        clock_event("a", 1, "D.GDPR33", "aware", Some("2026-11-02T08:00:00Z")),
        clock_event("b", 1, "D.GDPR33", "aware", Some("2026-11-01T08:00:00Z")),
    ];
    assert_eq!(due("D.GDPR33", &entries).unwrap(), "2026-11-04 09:00");
    for other in ["D.LOPMI", "D.NIS2-EW", "D.NIS2-N", "D.EIDAS", "D.INS"] {
        assert_eq!(due(other, &entries), None, "{other}");
    }
    let back = [entries[0].clone(), clock_event("a", 2, "D.GDPR33", "aware", None)];
    assert_eq!(due("D.GDPR33", &back), None);
    let ins = [clock_event("a", 1, "D.INS", "aware", Some("2026-11-02T08:00:00Z"))];
    assert_eq!(due("D.INS", &ins).unwrap(), "2026-11-04 09:00", "the contract's 48 hours");
}

#[test]
fn what_nobody_stated_may_bind_and_a_no_has_a_reason() {
    let now = "2026-11-02T08:00:00Z";
    assert_eq!(one("D.HEALTH", &facts(&[]), &[], now).2, Applies::Maybe);
    assert_eq!(one("D.HEALTH", &facts(&[("health", true)]), &[], now).2, Applies::Yes);
    assert_eq!(one("D.HEALTH", &facts(&[("health", false)]), &[], now).2, Applies::No);
    assert_eq!(one("D.GDPR33", &facts(&[]), &[], now).2, Applies::Maybe, "a leak whose data nobody named");
    assert_eq!(one("D.CRA", &facts(&[]), &[], now).2, Applies::NotEvaluated);
    let response = Response::load().unwrap();
    let no = holds(&response.clock("D.HEALTH").unwrap().when, &facts(&[("health", false)]));
    assert!(no.because.iter().all(|t| !t.fr.is_empty() && !t.en.is_empty()) && !no.because.is_empty());
}

#[test]
fn awareness_is_proposed_never_set() {
    let response = Response::load().unwrap();
    let zone = TimeZone::UTC;
    let input = ClockInput {
        response: &response,
        facts: &facts(&[]),
        entries: &[clock_event("a", 1, "D.NIS2-EW", "significant", Some("2026-11-02T08:00:00Z"))],
        now: stamp("2026-11-02T09:00:00Z"),
        zone: &zone,
        contract_hours: &BTreeMap::new(),
        first_confirmed: Some(stamp("2026-11-02T07:00:00Z")),
        opened: Some(stamp("2026-11-01T07:00:00Z")),
    };
    let all = clocks(&input);
    let of = |id: &str| all.iter().find(|c| c.def.id == id).unwrap();
    assert_eq!(of("D.GDPR33").state, ClockState::NotStarted);
    assert_eq!(of("D.GDPR33").proposals.iter().map(|p| p.cautious).collect::<Vec<_>>(), [false, true]);
    assert_eq!(of("D.NIS2-N").proposals[0].at, stamp("2026-11-02T08:00:00Z"));
    assert_eq!(all[0].def.id, "D.NIS2-EW", "the soonest due comes first");
}
