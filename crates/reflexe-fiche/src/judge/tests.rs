//! Whose act it was: suspicion and hostility are said of hands, from an act on, and of nobody else.
use jiff::{Timestamp, ToSpan};
use reflexe_model::{Link, Window};

use super::*;
use crate::value::Value;

/// A grant that is decisive from a hostile session, and from a suspect.
const GRANTS: &str = "
[signs]
strong = { points = 45 }
lesser = { points = 25 }
alone = { verdict = 'compromise', decisive = true }
actor_is_suspect = { verdict = 'compromise', decisive = true }
in_context = { verdict = 'compromise', decisive = true }
[judge]
base = 'info'
suspicious = 40
[say]
found = { fr = 'f', en = 'e' }
harmless = { fr = 'f', en = 'e', at_most = 'info' }
";

fn check(head: &str) -> CheckDef {
    let text =
        format!("id = '1a.x'\nitems = []\nclass = 'event'\nweight = 80\nquestion = {{ fr = '?', en = '?' }}\n{head}\n{GRANTS}");
    toml::from_str(&text).expect("a check")
}

fn hour(n: i64) -> Timestamp {
    let start: Timestamp = "2026-03-02T08:00:00Z".parse().expect("time");
    start.checked_add(n.hours()).expect("in range")
}

/// Somebody's act on an object, at an hour, with some signs.
fn act(row: i64, actor: &str, object: &str, at: i64, signs: &[&str]) -> Candidate {
    Candidate {
        subject: object.to_owned(),
        rows: vec![row],
        signs: ["strong", "lesser", "alone"].iter().map(|s| ((*s).to_owned(), Some(signs.contains(s)))).collect(),
        values: [
            ("actor".to_owned(), vec![Value::Text(actor.to_owned())]),
            ("first_seen".to_owned(), vec![Value::Time(hour(at))]),
        ]
        .into(),
        ..Candidate::default()
    }
}

/// The same act in a session.
fn from(session: &str, act: Candidate) -> Candidate {
    let values = act.values.into_iter().chain([("session".to_owned(), vec![Value::Text(session.to_owned())])]);
    Candidate { values: values.collect(), ..act }
}

/// What is known when judging.
#[derive(Default)]
struct Known {
    hostile: BTreeSet<String>,
    hostile_for: Hostile,
    suspects: Suspects,
}

impl Known {
    fn judge(&self, check: &CheckDef, rows: Vec<Candidate>) -> Vec<Judged> {
        let mut folding = Folding::of(check);
        rows.into_iter().for_each(|r| folding.add(r));
        let (coverage, none, legitimate, populations) = (Coverage::default(), BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        let ctx = Context {
            window: Window { from: hour(-9_000), to: hour(9_000) },
            coverage: &coverage,
            hostile: &self.hostile,
            hostile_for: &self.hostile_for,
            suspects: &self.suspects,
            vips: &none,
            privileged: &none,
            guests: &none,
            legitimate: &legitimate,
            answered: &none,
            populations: &populations,
        };
        let weighed: Vec<(Folded, Weighed)> = folding.done().into_iter().map(|f| (f.clone(), weigh(check, &f, &ctx))).collect();
        settle(check, weighed)
    }

    /// What the deciding acts of some rows make known.
    fn after(check: &CheckDef, rows: Vec<Candidate>) -> Self {
        let mut known = Self::default();
        for d in Self::default().judge(check, rows).iter().flat_map(|j| &j.weighed.deciding) {
            d.accuse(&mut known.suspects);
        }
        known
    }

    fn names(&self) -> Vec<&str> {
        self.suspects.keys().map(String::as_str).collect()
    }
}

fn verdicts(judged: &[Judged]) -> Vec<(String, Verdict, bool)> {
    judged.iter().map(|j| (j.folded.hands(), j.weighed.verdict, j.weighed.decisive)).collect()
}

const THIEF: &str = "thief@example.com";
const VICTIM: &str = "victim@example.com";
const ADMIN: &str = "admin@example.com";

#[test]
fn the_author_of_a_deciding_act_is_suspect_and_its_victim_is_not() {
    let known = Known::after(&check(""), vec![act(1, THIEF, VICTIM, 0, &["alone"])]);
    assert_eq!(known.names(), [THIEF]);
    let later =
        known.judge(&check(""), vec![act(2, VICTIM, "c@example.com", 8, &["lesser"]), act(3, THIEF, "d@example.com", 8, &[])]);
    assert_eq!(verdicts(&later), [(VICTIM.into(), Verdict::Info, false), (THIEF.into(), Verdict::Compromise, true)]);
}

#[test]
fn suspicion_begins_with_the_act_and_ends() {
    let known = Known::after(&check(""), vec![act(1, THIEF, VICTIM, 0, &["alone"])]);
    for (at, verdict) in [(-1, Verdict::Info), (0, Verdict::Compromise), (72, Verdict::Compromise), (73, Verdict::Info)] {
        let judged = known.judge(&check(""), vec![act(2, THIEF, "c@example.com", at, &[])]);
        assert_eq!(judged[0].weighed.verdict, verdict, "{at} hours after");
    }
}

#[test]
fn the_receiver_of_a_grant_is_suspect_from_then_on_only_where_the_check_says_so() {
    let grant = || vec![act(1, THIEF, "new@example.com", 0, &["alone"]), act(2, ADMIN, "old@example.com", 0, &["strong"])];
    assert_eq!(Known::after(&check(""), grant()).names(), [THIEF]);
    let raising = check("makes_suspect = 'subject'");
    let known = Known::after(&raising, grant());
    assert_eq!(known.names(), ["new@example.com", THIEF], "what a clean administrator gives makes nobody suspect");
    let of_receiver = |at| known.judge(&raising, vec![act(3, "new@example.com", "c@example.com", at, &[])])[0].weighed.verdict;
    assert_eq!((of_receiver(-30), of_receiver(1)), (Verdict::Info, Verdict::Compromise), "older acts are innocent");
}

#[test]
fn suspicion_alone_makes_no_further_suspect() {
    let known = Known::after(&check(""), vec![act(1, THIEF, VICTIM, 0, &["alone"])]);
    let raising = check("makes_suspect = 'subject'");
    let judged = known.judge(&raising, vec![act(2, THIEF, "c@example.com", 1, &["strong"])]);
    assert!(judged[0].weighed.decisive && judged[0].weighed.deciding.is_empty());
}

#[test]
fn only_the_hand_that_did_the_deciding_rows_of_an_object_is_accused() {
    // One key, two hands, and a check that does not judge hands: the rows that carry the sign tell whose it is.
    let mut plain = check("");
    plain.signs.retain(|name, _| name == "alone" || name == "strong");
    let known = Known::after(&plain, vec![act(1, THIEF, "policy", 0, &["alone"]), act(2, ADMIN, "policy", 9, &["strong"])]);
    assert_eq!(known.names(), [THIEF]);
}

#[test]
fn whoever_repairs_stands_apart_and_is_not_coloured() {
    let rows = || vec![act(1, THIEF, "policy", 0, &["alone"]), act(2, ADMIN, "policy", 9, &[]), act(3, THIEF, "policy", 9, &[])];
    let known = Known::after(&check(""), rows());
    assert_eq!(known.names(), [THIEF]);
    let judged = known.judge(&check(""), rows());
    assert_eq!(verdicts(&judged), [(THIEF.into(), Verdict::Compromise, true), (ADMIN.into(), Verdict::Info, false)]);
    assert_eq!(judged[0].apart, None, "the gravest is what is known of the object");
    assert_eq!(judged[1].apart.as_deref(), Some(ADMIN));
    assert_eq!(judged[1].folded.rows, [2].into());
}

#[test]
fn two_hands_alike_are_one_finding() {
    let judged = Known::default().judge(&check(""), vec![act(1, ADMIN, "policy", 0, &[]), act(2, THIEF, "policy", 9, &[])]);
    assert_eq!(judged.len(), 1);
    assert_eq!((judged[0].folded.rows.len(), judged[0].apart.as_deref()), (2, None));
}

#[test]
fn a_harmless_sentence_is_never_above_info() {
    let known = Known::after(&check(""), vec![act(1, THIEF, VICTIM, 0, &["alone"])]);
    let harmless = Candidate { say: "harmless".into(), ..act(2, THIEF, "c@example.com", 1, &["strong"]) };
    let judged = known.judge(&check(""), vec![harmless]);
    assert_eq!((judged[0].weighed.verdict, judged[0].weighed.decisive), (Verdict::Info, false));
    assert!(judged[0].weighed.deciding.is_empty());
}

#[test]
fn a_session_is_hostile_for_its_account_only_and_never_by_the_finding_that_says_so() {
    let tied = check("links = { session = 'session' }");
    let mut known = Known::default();
    let said_by = |by: &str| BTreeMap::from([("session:s-1".to_owned(), BTreeSet::from([by.to_owned()]))]);
    known.hostile_for.insert(THIEF.into(), said_by("another finding"));
    let judged = known.judge(
        &tied,
        vec![
            from("s-1", act(1, THIEF, "a@example.com", 0, &[])),
            from("s-1", act(2, ADMIN, "b@example.com", 0, &[])),
            from("s-2", act(3, THIEF, "c@example.com", 0, &[])),
        ],
    );
    let hostile: Vec<bool> = judged.iter().map(|j| j.weighed.in_context).collect();
    assert_eq!(hostile, [true, false, false]);
    // What a finding seeded says nothing of itself.
    let own = || vec![from("s-1", act(1, THIEF, "a@example.com", 0, &["alone"]))];
    let seeding = Known::default().judge(&tied, own());
    let deciding = &seeding[0].weighed.deciding[0];
    assert_eq!(deciding.links.keys().cloned().collect::<Vec<_>>(), [Link { kind: "session".into(), value: "s-1".into() }]);
    known.hostile_for.insert(THIEF.into(), said_by(&deciding.by));
    assert!(!known.judge(&tied, own())[0].weighed.in_context);
    // A link that a signal calls hostile is so for everybody.
    let known = Known { hostile: ["session:s-1".to_owned()].into(), ..Known::default() };
    assert!(known.judge(&tied, vec![from("s-1", act(1, ADMIN, "a@example.com", 0, &[]))])[0].weighed.decisive);
}

#[test]
fn a_bundle_is_as_grave_as_its_gravest_row_and_tells_all_signs() {
    let bundled = check("[bundle]\ngap_minutes = 5");
    let lesser = |n| act(n, ADMIN, "new@example.com", 0, &["lesser"]);
    let judged = Known::default().judge(&bundled, vec![lesser(1), lesser(2), lesser(3)]);
    assert_eq!((judged.len(), judged[0].weighed.verdict, judged[0].weighed.points), (1, Verdict::Info, 25), "no sum over rows");
    let judged = Known::default().judge(&bundled, vec![lesser(1), act(2, ADMIN, "new@example.com", 0, &["strong"]), lesser(3)]);
    let whole = &judged[0].weighed;
    assert_eq!((judged.len(), whole.verdict, whole.points), (1, Verdict::Suspicious, 45));
    assert_eq!((&whole.on, &whole.counted), (&vec!["strong".to_owned(), "lesser".into()], &vec!["strong".to_owned()]));
    assert_eq!(judged[0].folded.rows, [1, 2, 3].into());
}
