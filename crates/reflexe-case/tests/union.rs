//! The union of entries is associative, commutative and idempotent, over entries of random writers that sometimes see each other.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, sync::OnceLock};

use proptest::prelude::*;
use reflexe_case::{
    Case,
    journal::{self, Device, Draft, Journal, union},
};
use reflexe_model::{Entry, Kind, Precision, When, ZoneSource};

fn note(text: &str) -> Draft {
    let start = "2026-11-22T14:32:00+01:00".to_owned();
    let when = When {
        text: String::new(),
        start,
        end: None,
        precision: Precision::Minute,
        approx: false,
        tz_source: ZoneSource::Default,
    };
    Draft::new(Kind::Note, when, "Dupont", text)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::copy(from.join("case.sqlite"), to.join("case.sqlite")).unwrap();
}

/// Entries of three writers over two copies of a case: before and after a merge, a fork, a redaction on one side only. Contents
/// of the redacted entry stand in `before`.
fn world() -> &'static Vec<Entry> {
    static WORLD: OnceLock<Vec<Entry>> = OnceLock::new();
    WORLD.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        drop(Case::create(&a).unwrap());
        let device = |n: u8| Device::with_key([n; 32], "PC");
        Journal::open_as(&a, device(1)).unwrap().add(&note("un")).unwrap();
        copy(&a, &b);
        let secret = Journal::open_as(&a, device(1)).unwrap().add(&note("deux, chez A")).unwrap();
        // The same device on the other copy: a fork.
        Journal::open_as(&b, device(1)).unwrap().add(&note("deux, chez B")).unwrap();
        Journal::open_as(&b, device(3)).unwrap().add(&note("trois")).unwrap();
        let mut case = Case::open(&a).unwrap();
        journal::merge(&mut case, &b, &reflexe_case::ImportOptions::default()).unwrap();
        drop(case);
        let mut on = Journal::open_as(&a, device(2)).unwrap();
        on.add(&note("vu")).unwrap();
        let mut all = on.entries().unwrap();
        on.redact(&secret.header.entry_id, "raison", "Dupont").unwrap();
        all.extend(on.entries().unwrap());
        // A copy whose content was tampered with: the union keeps the one that proves itself.
        let mut tampered = all[0].clone();
        tampered.content.as_mut().unwrap().title.push('!');
        all.push(tampered);
        all
    })
}

fn subset() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec(0..world().len(), 0..world().len() * 2)
        .prop_map(|picked| picked.into_iter().map(|i| world()[i].clone()).collect())
}

fn join(a: &[Entry], b: &[Entry]) -> Vec<Entry> {
    union(a.iter().chain(b).cloned())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn merge_is_a_union(a in subset(), b in subset(), c in subset()) {
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        let once = union(a.clone());
        prop_assert_eq!(join(&once, &once), once.clone());
        prop_assert_eq!(join(&once, &a), once);
    }
}

#[test]
fn the_world_has_what_the_property_is_about() {
    let all = union(world().clone());
    assert!(all.iter().any(|e| e.content.is_none()), "a redaction");
    assert!(all.iter().any(|e| !e.header.seen.is_empty()), "a writer that saw another");
    let fork = all
        .iter()
        .any(|e| all.iter().any(|o| o.hash != e.hash && o.header.writer == e.header.writer && o.header.seq == e.header.seq));
    assert!(fork, "a fork");
}
