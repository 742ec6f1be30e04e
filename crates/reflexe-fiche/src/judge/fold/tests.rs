//! Rows made one: whatever their order, nothing lost, and no act of one hand in another's.
use proptest::prelude::*;

use super::*;

fn check(more: &str) -> CheckDef {
    let text = format!(
        "id = '1a.x'\nitems = []\nclass = 'event'\nweight = 80\nquestion = {{ fr = '?', en = '?' }}\n{more}\n\
         [signs]\nodd = {{ points = 10 }}\nbad = {{ points = 50 }}\n\
         [say.found]\nfr = 'f'\nen = 'e'\n"
    );
    toml::from_str(&text).expect("a check")
}

fn bundled() -> CheckDef {
    check("[bundle]\nsubject = 'holder'\nlink = 'correlation_id'\ngap_minutes = 5")
}

fn minute(n: i64) -> Value {
    let start: Timestamp = "2026-03-02T08:00:00Z".parse().expect("time");
    Value::Time(start.checked_add(SignedDuration::from_mins(n)).expect("in range"))
}

/// A grant: who, to whom, what (the key), when in minutes, link.
fn grant(row: i64, actor: &str, holder: &str, role: &str, at: Option<i64>, link: Option<&str>) -> Candidate {
    let text = |t: &str| vec![Value::Text(t.to_owned())];
    let mut values: BTreeMap<String, Vec<Value>> =
        [("actor".to_owned(), text(actor)), ("holder".to_owned(), text(holder)), ("role".to_owned(), text(role))].into();
    values.insert("first_seen".into(), at.map(minute).into_iter().collect());
    values.insert("correlation_id".into(), link.map(|l| Value::Text(l.to_owned())).into_iter().collect());
    Candidate {
        subject: holder.to_owned(),
        key: role.to_owned(),
        rows: vec![row],
        signs: [("bad".to_owned(), Some(role == "global"))].into(),
        values,
        ..Candidate::default()
    }
}

fn folded(check: &CheckDef, rows: Vec<Candidate>) -> Vec<Folded> {
    let mut folding = Folding::of(check);
    rows.into_iter().for_each(|row| folding.add(row));
    folding.done()
}

/// Subject, rows, roles, count of each finding.
fn shapes(found: &[Folded]) -> Vec<(String, Vec<i64>, usize, i64)> {
    let count = |f: &Folded| f.values.get("count").and_then(|v| v.first()).and_then(Value::as_int).unwrap_or(0);
    let roles = |f: &Folded| f.values.get("role").map_or(0, crate::value::Few::len);
    let mut out: Vec<_> =
        found.iter().map(|f| (f.subject.clone(), f.rows.iter().copied().collect(), roles(f), count(f))).collect();
    out.sort();
    out
}

#[test]
fn one_link_is_one_act_whatever_the_time() {
    let rows = vec![
        grant(1, "h@example.com", "a@example.com", "global", Some(0), Some("c-1")),
        grant(2, "H@example.com", "A@example.com", "reader", Some(9_000), Some("C-1")),
        grant(3, "h@example.com", "a@example.com", "reader", Some(0), Some("c-2")),
    ];
    let found = folded(&bundled(), rows);
    assert_eq!(shapes(&found), [("A@example.com".into(), vec![1, 2], 2, 2), ("a@example.com".into(), vec![3], 1, 1)]);
    let both = found.iter().find(|f| f.rows.len() == 2).expect("the pair");
    assert_eq!((both.key.as_str(), both.first_seen(), both.actor().is_some()), ("", minute(0).as_time(), false));
    let one = found.iter().find(|f| f.rows.len() == 1).expect("the other");
    assert_eq!(one.key, "reader", "a single act keeps its key");
}

#[test]
fn without_a_link_neighbours_within_the_gap_are_one_act() {
    let row = |n, at| grant(n, "h@example.com", "a@example.com", &format!("role {n}"), Some(at), None);
    // 0, 5, 10 hold together although 0 and 10 are far; 16 stands apart.
    let found = folded(&bundled(), vec![row(1, 0), row(2, 10), row(3, 5), row(4, 16)]);
    let rows: Vec<Vec<i64>> = found.iter().map(|f| f.rows.iter().copied().collect()).collect();
    assert_eq!(rows, [vec![1, 2, 3], vec![4]]);
}

#[test]
fn another_hand_another_holder_or_another_wording_is_another_act() {
    let one = grant(1, "h@example.com", "a@example.com", "global", Some(0), Some("c-1"));
    let hand = grant(2, "i@example.com", "a@example.com", "global", Some(0), Some("c-1"));
    let holder = grant(3, "h@example.com", "b@example.com", "global", Some(0), Some("c-1"));
    let worded =
        Candidate { say: "activated".into(), ..grant(4, "h@example.com", "a@example.com", "global", Some(0), Some("c-1")) };
    assert_eq!(folded(&bundled(), vec![one, hand, holder, worded]).len(), 4);
}

#[test]
fn a_state_joins_the_latest_act_about_the_same_thing() {
    let found = folded(
        &bundled(),
        vec![
            grant(1, "h@example.com", "a@example.com", "global", Some(0), None),
            grant(2, "i@example.com", "a@example.com", "global", Some(900), None),
            grant(3, "", "a@example.com", "global", None, None),
            grant(4, "", "a@example.com", "other", None, None),
        ],
    );
    let rows: BTreeSet<Vec<i64>> = found.iter().map(|f| f.rows.iter().copied().collect()).collect();
    assert_eq!(rows, [vec![1], vec![2, 3], vec![4]].into());
}

#[test]
fn hands_stay_apart_where_the_hand_is_judged_and_a_state_belongs_to_each() {
    let judging = check("[signs.actor_is_suspect]\nverdict = 'suspicious'").signs;
    let mut hands = check("");
    hands.signs.extend(judging);
    let rows = || {
        vec![
            grant(1, "h@example.com", "a@example.com", "global", Some(0), None),
            grant(2, "i@example.com", "a@example.com", "global", Some(9), None),
            Candidate { values: BTreeMap::new(), ..grant(3, "", "a@example.com", "global", None, None) },
        ]
    };
    let cited = |check: &CheckDef| -> BTreeSet<Vec<i64>> {
        folded(check, rows()).iter().map(|f| f.rows.iter().copied().collect()).collect()
    };
    assert_eq!(cited(&hands), [vec![1, 3], vec![2, 3]].into());
    assert_eq!(cited(&check("")), [vec![1, 2, 3]].into());
}

fn any_grant() -> impl Strategy<Value = Candidate> {
    let who = prop::sample::select(vec!["h@example.com", "H@example.com", "i@example.com", ""]);
    let holder = prop::sample::select(vec!["a@example.com", "A@example.com", "b@example.com"]);
    let role = prop::sample::select(vec!["global", "reader", "other"]);
    let link = prop::option::of(prop::sample::select(vec!["c-1", "c-2"]));
    (0..40_i64, who, holder, role, prop::option::of(0..60_i64), link)
        .prop_map(|(row, who, holder, role, at, link)| grant(row, who, holder, role, at, link))
}

/// Everything that outputs can show of the findings, in an order of its own.
fn told(check: &CheckDef, rows: Vec<Candidate>) -> BTreeSet<String> {
    folded(check, rows).iter().map(|f| format!("{f:?}")).collect()
}

proptest! {
    #[test]
    fn the_order_of_rows_does_not_matter(
        (rows, mixed) in prop::collection::vec(any_grant(), 0..12).prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
        with_link in any::<bool>(),
    ) {
        let check = if with_link { bundled() } else { check("[bundle]\ngap_minutes = 3") };
        prop_assert_eq!(told(&check, rows), told(&check, mixed));
    }

    /// Every row is cited, and by one finding only (states, which may be many exports of one thing, are not drawn here).
    #[test]
    fn no_row_is_lost_or_told_twice(rows in prop::collection::vec(any_grant(), 0..12)) {
        let rows: Vec<Candidate> = rows.into_iter().enumerate().map(|(n, c)| Candidate { rows: vec![i64::try_from(n).unwrap_or(0)], ..c }).collect();
        let n = rows.len();
        let mut cited: Vec<i64> = folded(&bundled(), rows).iter().flat_map(|f| f.rows.iter().copied()).collect();
        cited.sort_unstable();
        prop_assert_eq!(cited, (0..i64::try_from(n).unwrap_or(0)).collect::<Vec<_>>());
    }

    /// Without a link two findings of one hand on one holder always stand further apart than the gap.
    #[test]
    fn acts_stand_further_apart_than_the_gap(rows in prop::collection::vec(any_grant(), 0..12)) {
        let found = folded(&check("[bundle]\ngap_minutes = 3"), rows);
        for (i, a) in found.iter().enumerate() {
            for b in found.iter().skip(i + 1) {
                let same = a.subject.eq_ignore_ascii_case(&b.subject) && a.bundle == b.bundle;
                if let (true, Some((from, to)), Some((after, end))) = (same, a.span, b.span) {
                    let gap = SignedDuration::from_mins(3);
                    prop_assert!(after.duration_since(to) > gap || from.duration_since(end) > gap, "{a:?} {b:?}");
                }
            }
        }
    }
}
