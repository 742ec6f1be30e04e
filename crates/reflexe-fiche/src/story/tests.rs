//! Stories on fictional findings: how they are cut, tied, scored, named and told; the same in any order of the input.
use proptest::prelude::*;
use reflexe_model::{Finding, SignShown, StoryLevel, Text, Verdict};

use super::{
    tests_support::{at, finding, inputs, link},
    *,
};

fn stories(findings: &[Finding]) -> Vec<Story> {
    build(findings, &inputs(), Stages::embedded())
}

/// An event of one stage at one hour.
fn act(id: &str, check: &str, stage: &str, subject: &str, (day, hour): (i8, i8)) -> Finding {
    let mut f = finding(id, check, subject);
    f.stage = stage.into();
    (f.first_seen, f.last_seen) = (Some(at(day, hour)), Some(at(day, hour)));
    f
}

/// Access, hiding rule, reading and fraud by one hand in two days.
fn hijack() -> Vec<Finding> {
    let mut all = vec![
        act("a1", "1a.admin-signin-anomalies", "S1", "joe@example.com", (10, 8)),
        act("a2", "1b.inbox-rule-hiding", "S4", "joe@example.com", (10, 9)),
        act("a3", "1e.mail-sync", "S5", "joe@example.com", (10, 10)),
        act("a4", "1e.fraud-send", "S7", "joe@example.com", (11, 9)),
    ];
    for f in &mut all {
        (f.verdict, f.weight, f.in_context) = (Verdict::Compromise, 80, true);
        f.links = vec![link("session", "s1"), link("ip", "203.0.113.66")];
    }
    all
}

#[test]
fn a_hijacked_thread_is_one_story_with_its_name_and_a_score_that_adds_up() {
    let found = stories(&hijack());
    assert_eq!(found.len(), 1);
    let s = &found[0];
    assert_eq!((s.subject.as_str(), s.pattern.as_deref(), s.level), ("joe@example.com", Some("BEC-1"), StoryLevel::Compromise));
    assert_eq!(s.findings, ["a1", "a2", "a3", "a4"]);
    assert_eq!((s.from, s.to), (Some(at(10, 8)), Some(at(11, 9))));
    // 80 % × 125 % is the whole cap: 25 + 25 + 15 + 30, same session 10, order 10.
    assert_eq!(s.score, 100);
    assert_eq!(
        s.breakdown.fr,
        "100 (plafonné, 115 au total) = S1 accès (1a.admin-signin-anomalies) 25 + S4 ancrage dans la messagerie \
         (1b.inbox-rule-hiding) 25 + S5 collecte (1e.mail-sync) 15 + S7 abus (1e.fraud-send) 30 + même session, jeton ou \
         adresse hostile 10 + accès, ancrage, abus dans cet ordre 10"
    );
}

#[test]
fn the_account_is_told_in_the_order_of_time() {
    let mut all = hijack();
    all[3].verdict = Verdict::Suspicious;
    let text = &stories(&all)[0].text;
    assert_eq!(
        text.fr,
        "Du 10/11/2026 08:00 au 11/11/2026 09:00 (UTC) : 4 faits sur 4 étapes (accès, ancrage dans la messagerie, collecte et abus), \
         joe@example.com. 10/11/2026 08:00 : 1a.admin-signin-anomalies sur joe@example.com. 10/11/2026 09:00 : \
         1b.inbox-rule-hiding sur joe@example.com. 10/11/2026 10:00 : 1e.mail-sync sur joe@example.com. 11/11/2026 09:00 : \
         1e.fraud-send sur joe@example.com. Établi : 3. À vérifier : 1."
    );
    assert!(text.en.starts_with("From 2026-11-10 08:00 to 2026-11-11 09:00 (UTC): 4 facts over 4 stages"), "{}", text.en);
}

#[test]
fn a_long_story_tells_its_gravest_acts_and_counts_the_rest() {
    let mut all: Vec<Finding> =
        (0..9).map(|n| act(&format!("f{n}"), &format!("1b.c{n}"), "S4", "joe@example.com", (1 + n, 0))).collect();
    all[8].weight = 90;
    let text = &stories(&all)[0].text.fr;
    assert!(text.contains("1b.c8 sur") && text.contains("1b.c4 sur") && !text.contains("1b.c5 sur"), "{text}");
    assert!(text.contains("Et 3 autres faits."), "{text}");
}

#[test]
fn one_fact_reads_in_the_singular() {
    let s = &stories(&[act("a", "1b.x", "S4", "joe@example.com", (3, 4))])[0];
    assert!(s.text.fr.starts_with("Le 03/11/2026 04:00 (UTC) : 1 fait sur 1 étape"), "{}", s.text.fr);
    assert_eq!((s.level, s.title.fr.as_str()), (StoryLevel::ToCheck, "À vérifier"));
    let undated = &stories(&[finding("a", "1b.x", "joe@example.com")])[0];
    assert!(undated.text.en.starts_with("Without a known date: 1 fact over 1 stage"), "{}", undated.text.en);
}

#[test]
fn settings_weaknesses_and_light_findings_enter_no_story() {
    let mut posture = act("a", "1b.x", "S4", "joe@example.com", (3, 4));
    posture.class = "posture".into();
    let mut weak = act("b", "1b.x", "S4", "joe@example.com", (3, 4));
    weak.verdict = Verdict::Weakness;
    let mut light = act("c", "1b.x", "S4", "joe@example.com", (3, 4));
    light.weight = 9;
    assert_eq!(stories(&[posture, weak, light]), []);
}

#[test]
fn a_pause_of_more_than_seven_days_starts_another_story_unless_a_link_ties() {
    let first = act("a", "1b.x", "S4", "joe@example.com", (1, 0));
    let mut later = act("b", "1b.y", "S4", "joe@example.com", (8, 1));
    assert_eq!(stories(&[first.clone(), later.clone()]).len(), 2);
    assert_eq!(stories(&[first.clone(), act("b", "1b.y", "S4", "joe@example.com", (8, 0))]).len(), 1, "exactly seven days");
    let mut tied = first.clone();
    for (kind, value, together) in [
        ("session", "s1", true),
        ("message", "<m1@example.com>", true),
        ("ip", "203.0.113.66", true),
        ("ip", "192.0.2.1", false), // an ordinary address
        ("destination", "out@example.net", true),
        ("destination", "example.net", false), // a domain alone
        ("app", "outlook", false),             // no finding accuses it
    ] {
        (tied.links, later.links) = (vec![link(kind, value)], vec![link(kind, value)]);
        assert_eq!(stories(&[tied.clone(), later.clone()]).len() == 1, together, "{kind} {value}");
    }
}

#[test]
fn an_exported_state_joins_the_latest_story_of_its_principal() {
    let all = [
        act("a", "1b.x", "S4", "joe@example.com", (1, 0)),
        act("b", "1b.y", "S4", "joe@example.com", (20, 0)),
        finding("0", "1b.state", "joe@example.com"),
    ];
    let found = stories(&all);
    assert_eq!(found.len(), 2);
    assert_eq!(found.iter().find(|s| s.findings.len() == 2).map(|s| s.id.as_str()), Some("s-b"));
}

#[test]
fn an_object_of_the_tenant_accuses_its_actor() {
    let mut rule = act("a", "1e.transport-rule-change", "S4", "tenant", (3, 4));
    rule.actor = Some("adm@example.com".into());
    assert_eq!(stories(&[rule.clone()])[0].subject, "adm@example.com");
    rule.actor = None;
    assert_eq!(stories(&[rule.clone()])[0].subject, "tenant");
    // Whoever is acted upon did nothing.
    rule.subject = "joe@example.com".into();
    rule.actor = Some("adm@example.com".into());
    assert_eq!(stories(&[rule])[0].subject, "adm@example.com");
}

#[test]
fn campaigns_tie_principals_by_strong_links_only() {
    let mut one = act("a", "1d.consent-events", "S2", "ann@example.com", (1, 0));
    let mut two = act("b", "1b.y", "S4", "joe@example.com", (9, 0));
    for (kind, value, together) in [
        ("token", "t1", true),
        ("destination", "out@example.net", true),
        ("ip", "203.0.113.66", true),
        ("ip", "192.0.2.1", false),
        ("device", "d1", false),
        ("message", "facture", false),
        ("app", "11111111-1111-1111-1111-111111111111", false),
    ] {
        (one.links, two.links) = (vec![link(kind, value)], vec![link(kind, value)]);
        let found = stories(&[one.clone(), two.clone()]);
        assert_eq!(found.len() == 1, together, "{kind} {value}");
        if together {
            assert_eq!(
                (found[0].subject.as_str(), &found[0].principals[..]),
                ("ann@example.com", &["joe@example.com".to_owned()][..])
            );
            assert!(found[0].text.fr.contains("1 autre acteur y est lié : joe@example.com."), "{}", found[0].text.fr);
            assert!(found[0].breakdown.fr.contains("autres acteurs 5"), "{}", found[0].breakdown.fr);
        }
    }
    // The application of the last try, once a finding accuses it.
    one.key = "11111111-1111-1111-1111-111111111111".into();
    assert_eq!(stories(&[one, two]).len(), 1);
}

#[test]
fn suspicion_counts_for_six_tenths_and_only_the_best_act_of_a_stage() {
    let mut a = act("a", "1b.x", "S4", "joe@example.com", (1, 0));
    a.weight = 100;
    let many: Vec<Finding> = (0..5).map(|n| act(&format!("b{n}"), "1e.mass-download", "S5", "joe@example.com", (1, n))).collect();
    let all: Vec<Finding> = [vec![a], many].concat();
    // 25 × 60 % + 15 × 70 % × 60 % = 15 + 6.3
    let s = &stories(&all)[0];
    assert_eq!((s.score, s.level), (21, StoryLevel::ToCheck));
}

#[test]
fn a_story_is_never_below_an_established_fact() {
    let mut a = act("a", "1b.x", "S4", "joe@example.com", (1, 0));
    a.verdict = Verdict::Compromise;
    assert_eq!(stories(&[a])[0].level, StoryLevel::Compromise);
}

#[test]
fn a_sensitive_person_counts_and_comes_first() {
    let mut inputs = inputs();
    inputs.vip.insert("zoe@example.com".into());
    let all = [act("a", "1b.x", "S4", "joe@example.com", (2, 0)), act("b", "1b.x", "S4", "zoe@example.com", (1, 0))];
    let found = build(&all, &inputs, Stages::embedded());
    assert_eq!((found[0].subject.as_str(), found[0].score), ("zoe@example.com", found[1].score + 5));
}

#[test]
fn named_attacks_want_their_order_and_their_sign() {
    let mut fraud = hijack();
    fraud[3].first_seen = Some(at(9, 0));
    fraud[3].last_seen = Some(at(9, 0));
    assert_eq!(stories(&fraud)[0].pattern, None, "the fraud came before the access");
    let mut forward = act("a", "1b.inbox-rule-forward", "S4", "joe@example.com", (1, 0));
    assert_eq!(stories(std::slice::from_ref(&forward))[0].pattern, None);
    forward.signs = vec![SignShown { name: "money_words".into(), text: Text::default(), points: Some(15) }];
    assert_eq!(stories(&[forward])[0].pattern.as_deref(), Some("BEC-2"));
    let spoof = act("a", "1c.direct-send", "S7", "joe@example.com", (1, 0));
    assert_eq!(stories(std::slice::from_ref(&spoof))[0].pattern.as_deref(), Some("EXTERNE-1"));
    let other = act("b", "1b.x", "S4", "joe@example.com", (1, 1));
    assert_eq!(stories(&[spoof, other])[0].pattern, None);
}

#[test]
fn facts_near_the_story_are_cited_in_it() {
    let fact = |principal: &str, day| ContextFact {
        principal: principal.into(),
        time: Some(at(day, 0)),
        text: Text::new("appareil PC-1 enregistré", "device PC-1 registered"),
        rows: vec![],
        links: vec![],
    };
    let mut inputs = inputs();
    inputs.context_facts =
        vec![fact("joe@example.com", 12), fact("joe@example.com", 1), fact("joe@example.com", 30), fact("ann@example.com", 10)];
    let mut tied = fact("zed@example.com", 30);
    tied.links = vec![link("session", "s1")];
    inputs.context_facts.push(tied);
    let text = include_str!("../../../../fiche/stages.toml").replace("context_days = 42", "context_days = 7");
    let found = build(&hijack(), &inputs, &Stages::parse(&text).expect("well formed"));
    let times: Vec<_> = found[0].context.iter().map(|c| c.time).collect();
    assert_eq!(times, [Some(at(12, 0)), Some(at(30, 0))], "one near, one by its session");
}

#[test]
fn a_subject_is_never_read_as_a_template() {
    let f = act("a", "1b.x", "S4", "{n}\u{202e}@example.com", (1, 0));
    let text = &stories(&[f])[0].text;
    assert!(text.fr.contains("{n}‹U+202E›@example.com") && text.en.contains("{n}‹U+202E›@example.com"), "{text:?}");
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let subjects = prop::sample::select(vec!["joe@example.com", "ann@example.com", "tenant", "0d1e-app"]);
    let stages = prop::sample::select(vec!["S1", "S2", "S4", "S5", "S7", ""]);
    let links = prop::collection::vec(
        prop::sample::select(vec![
            ("session", "s1"),
            ("token", "t1"),
            ("ip", "203.0.113.66"),
            ("app", "0d1e-app"),
            ("ip", "192.0.2.1"),
        ]),
        0..2,
    );
    let verdicts = prop::sample::select(vec![Verdict::Weakness, Verdict::Suspicious, Verdict::Compromise]);
    (subjects, stages, links, verdicts, prop::option::of((1i8..28, 0i8..24)), 0u32..=100, any::<bool>(), any::<bool>()).prop_map(
        |(subject, stage, links, verdict, time, weight, decisive, in_context)| {
            let mut f = finding("", "1b.x", subject);
            (f.stage, f.verdict, f.weight, f.decisive, f.in_context) = (stage.into(), verdict, weight, decisive, in_context);
            (f.first_seen, f.last_seen) = (time.map(|(d, h)| at(d, h)), time.map(|(d, h)| at(d, h)));
            f.links = links.into_iter().map(|(k, v)| link(k, v)).collect();
            f
        },
    )
}

fn numbered(prefix: &str, mut findings: Vec<Finding>) -> Vec<Finding> {
    for (n, f) in findings.iter_mut().enumerate() {
        f.id = format!("{prefix}{n}");
    }
    findings
}

/// A grant: who gave, who received.
fn grant(id: &str, giver: &str, receiver: &str, hour: i8) -> Finding {
    let mut f = act(id, "1a.role-grants", "S2P", receiver, (10, hour));
    (f.actor, f.beneficiaries) = (Some(giver.into()), vec![receiver.into()]);
    f
}

#[test]
fn the_receiver_of_a_grant_stands_in_the_story_of_its_giver() {
    let found = stories(&[
        grant("a", "boss@example.com", "it@example.com", 8),
        grant("b", "it@example.com", "joe@example.com", 9),
        grant("c", "other@example.com", "ann@example.com", 9),
    ]);
    let told: Vec<_> = found.iter().map(|s| (s.subject.as_str(), s.principals.join(" "), s.findings.len())).collect();
    assert_eq!(
        told,
        [
            ("boss@example.com", "it@example.com joe@example.com".to_owned(), 2),
            ("other@example.com", "ann@example.com".into(), 1)
        ]
    );
}

#[test]
fn a_victim_is_named_as_one_and_its_own_acts_are_its_own_story() {
    let mut opened = act("a", "1b.mbx-delegation-change", "S4", "ann@example.com", (10, 8));
    opened.actor = Some("thief@example.com".into());
    let hers = act("b", "1b.x", "S4", "ann@example.com", (10, 9));
    let found = stories(&[opened, hers]);
    assert_eq!(found.len(), 2);
    let theft = found.iter().find(|s| s.subject == "thief@example.com").expect("the thief's story");
    assert_eq!((theft.victims.as_slice(), theft.principals.as_slice()), (&["ann@example.com".to_owned()][..], &[][..]));
    assert!(theft.text.en.contains("Affected, having done nothing: ann@example.com."), "{}", theft.text.en);
    assert!(theft.text.fr.contains("Touché, sans rien avoir fait : ann@example.com."), "{}", theft.text.fr);
}

#[test]
fn an_address_that_is_hostile_for_one_account_ties_no_other() {
    let from = |id: &str, who: &str, day: i8| {
        let mut f = act(id, "1b.x", "S4", who, (day, 0));
        f.links = vec![link("ip", "198.51.100.9")];
        f
    };
    let all = [from("a", "joe@example.com", 1), from("b", "joe@example.com", 20), from("c", "ann@example.com", 20)];
    let mut known = inputs();
    known.hostile_for.insert("joe@example.com".into(), ["ip:198.51.100.9".to_owned()].into());
    let told: Vec<Vec<String>> = build(&all, &known, Stages::embedded()).into_iter().map(|s| s.findings).collect();
    assert!(told.contains(&vec!["a".into(), "b".into()]) && told.contains(&vec!["c".into()]), "{told:?}");
}

proptest! {
    #[test]
    fn the_order_of_the_findings_changes_nothing(
        (straight, shuffled) in prop::collection::vec(any_finding(), 0..12)
            .prop_map(|f| numbered("f", f))
            .prop_flat_map(|f| (Just(f.clone()), Just(f).prop_shuffle()))
    ) {
        prop_assert_eq!(stories(&straight), stories(&shuffled));
    }

    /// Evidence about somebody else, untied, leaves every story as it was.
    #[test]
    fn unrelated_findings_leave_a_story_alone(
        mine in prop::collection::vec(any_finding(), 1..8), others in prop::collection::vec(any_finding(), 1..8),
    ) {
        let mine = numbered("m", mine);
        let mut others = numbered("o", others);
        for f in &mut others {
            f.subject = "stranger@example.org".into();
            f.links.clear();
        }
        let alone = stories(&mine);
        let with = stories(&[mine, others].concat());
        for s in &alone {
            prop_assert!(with.contains(s), "{} changed", s.id);
        }
    }

    #[test]
    fn every_counted_finding_is_in_exactly_one_story(f in prop::collection::vec(any_finding(), 0..12)) {
        let f = numbered("f", f);
        let mut told: Vec<String> = stories(&f).into_iter().flat_map(|s| s.findings).collect();
        told.sort();
        let mut wanted: Vec<String> = f.iter().filter(|f| f.verdict == Verdict::Compromise || (f.verdict >= Verdict::Suspicious && f.weight >= 10)).map(|f| f.id.clone()).collect();
        wanted.sort();
        prop_assert_eq!(told, wanted);
    }

    /// Whatever the points: nobody reads a light word above an established fact.
    #[test]
    fn a_story_is_never_below_its_gravest_fact(
        f in prop::collection::vec((any_finding(), any::<bool>(), any::<bool>()), 1..12), weight in 0_u32..100,
    ) {
        let f: Vec<Finding> = f
            .into_iter()
            .map(|(mut f, established, decisive)| {
                if established {
                    (f.verdict, f.decisive, f.weight) = (Verdict::Compromise, decisive, weight);
                }
                f
            })
            .collect();
        let f = numbered("f", f);
        for s in stories(&f) {
            let mut facts = f.iter().filter(|f| s.findings.contains(&f.id));
            if facts.any(|f| f.verdict == Verdict::Compromise) {
                prop_assert!(s.level == StoryLevel::Compromise, "{s:?}");
            }
        }
        let told: usize = stories(&f).iter().map(|s| s.findings.iter().filter(|id| f.iter().any(|f| f.id == **id && f.verdict == Verdict::Compromise)).count()).sum();
        prop_assert_eq!(told, f.iter().filter(|f| f.verdict == Verdict::Compromise).count(), "an established fact is in some story");
    }

    /// The printed summands add up to the printed score.
    #[test]
    fn the_breakdown_adds_up(f in prop::collection::vec(any_finding(), 1..12)) {
        for s in stories(&numbered("f", f)) {
            let (_, parts) = s.breakdown.en.split_once(" = ").expect("score = summands");
            let sum: u32 = parts.split(" + ").filter_map(|p| p.rsplit(' ').next()).filter_map(|n| n.parse::<u32>().ok()).sum();
            prop_assert_eq!(sum.min(100), s.score, "{}", s.breakdown.en);
            prop_assert!(s.score <= 100);
        }
    }
}

/// Roles handed on: the first giver, his receiver who gives further, and those whom the receiver served are one story; somebody whom the
/// giver served weeks later is another.
#[test]
fn the_receiver_of_a_role_belongs_to_the_story_of_its_giver() {
    let given = |id: &str, giver: &str, to: &str, when| {
        let mut f = act(id, "1a.role-grants", "S2", to, when);
        f.actor = Some(giver.into());
        f.links = vec![link("account", giver)];
        // The check says so: whoever receives a role from an intruder is suspect too.
        f.beneficiaries = vec![to.into()];
        f
    };
    let all = [
        given("g1", "h.blanc@example.com", "it.support@example.com", (3, 8)),
        given("g2", "it.support@example.com", "v.royer@example.com", (3, 9)),
        given("g3", "it.support@example.com", "w.adam@example.com", (3, 9)),
        given("g4", "h.blanc@example.com", "new.hire@example.com", (25, 9)),
        given("g5", "other@example.com", "c.henry@example.com", (3, 9)),
    ];
    let mut told: Vec<Vec<String>> = stories(&all).into_iter().map(|s| s.findings).collect();
    told.sort();
    assert_eq!(told, [vec!["g1", "g2", "g3"], vec!["g4"], vec!["g5"]]);
}
