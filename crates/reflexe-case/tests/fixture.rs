//! Later versions must open what this one writes: `tests/fixtures/case-v1` and `case-v2` are cases made by these formats.
//!
//! It is made once, by the version that introduces a format, and never again for that format:
//! `cargo test -p reflexe-case --test fixture -- --ignored make`.
#![allow(clippy::unwrap_used)]
mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{column, put, tree};
use reflexe_case::{
    Case, Declaration, Error, ImportOptions, import,
    journal::{Device, Draft, Journal, Verified, verify_from},
};
use reflexe_model::{Kind, Place, Precision, When, ZoneSource};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/case-v1")
}

/// The case of the present format.
fn fixture_2() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/case-v2")
}

/// Opened by a device that remembers nothing: the fixtures are copied many times, and each copy goes on by itself.
fn opened(dir: &Path) -> Result<Case, Error> {
    Case::open_as(dir, Device::with_key([5; 32], "PC"))
}

/// Whatever the device that runs the tests remembers of the fixtures' cases does not matter.
fn verify(dir: &Path) -> Result<Verified, Error> {
    verify_from(dir, None)
}

/// A copy to work on: opening for writing would change the committed one.
fn copied(to: &Path) {
    copied_from(&fixture(), to);
}

fn copied_from(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Two exports that overlap by one record, whose second copy is richer, and a text beside them.
fn evidence(dir: &Path) {
    let record = |id: u32, tenant: &str, more: &str| {
        format!(
            "{{\"CreationTime\":\"2026-03-0{id}T10:00:00\",\"Id\":\"00000000-0000-4000-8000-00000000000{id}\",\
             \"Operation\":\"New-InboxRule\",\"OrganizationId\":\"{tenant}\",\"RecordType\":1,\"UserType\":0,\"Version\":1,\
             \"Workload\":\"Exchange\",\"UserId\":\"anna@example.com\",\"ClientIP\":\"192.0.2.{id}\"{more}}}\n"
        )
    };
    put(dir, "march.json", &[record(1, common::A, ""), record(2, common::A, "")].concat());
    put(dir, "more.json", &[record(2, common::A, ",\"ResultStatus\":\"True\""), record(3, common::A, "")].concat());
    put(dir, "other/log.json", &record(4, common::B, ""));
    put(dir, "README.md", "What these exports are.\n");
}

#[test]
#[ignore = "writes the fixture; run it once for a new format"]
fn make() {
    // The manifest remembers where the originals were: nothing of this machine belongs in the repository.
    let _ = fs::remove_dir_all("/tmp/reflexe-fixture");
    fs::create_dir_all("/tmp/reflexe-fixture").unwrap();
    std::env::set_current_dir("/tmp/reflexe-fixture").unwrap();
    evidence(Path::new("given"));
    let mut case = Case::create_as(Path::new("case"), Device::with_key([1; 32], "PC-CASE")).unwrap();
    case.set_title("Fixture").unwrap();
    let report = import(&mut case, &[PathBuf::from("given")], &ImportOptions { threads: 1, ..ImportOptions::default() }).unwrap();
    assert!(report.is_complete(), "{report:?}");
    case.declare_unfiltered(&Declaration::by("R. Martin"), Some(&["e1".to_owned()])).unwrap();
    drop(case);
    let mut journal = Journal::open_as(Path::new("case"), Device::with_key([2; 32], "PC-RSSI")).unwrap();
    let when = "2026-03-02T10:00:00+01:00".to_owned();
    let when = When {
        text: "10h".into(),
        start: when,
        end: None,
        precision: Precision::Hour,
        approx: false,
        tz_source: ZoneSource::Default,
    };
    let first = journal.add(&Draft::new(Kind::Note, when.clone(), "R. Martin", "Appel du prestataire")).unwrap();
    let id = first.header.entry_id;
    journal.correct(&id, "mauvais nom", &Draft::new(Kind::Note, when.clone(), "R. Martin", "Appel de l’hébergeur")).unwrap();
    let wrong = journal.add(&Draft::new(Kind::Note, when, "R. Martin", "collé par erreur")).unwrap();
    journal.redact(&wrong.header.entry_id, "collé par erreur", "R. Martin").unwrap();
    drop(journal);
    fs::remove_file("case/case.lock").unwrap();
    let target = fixture_2();
    let _ = fs::remove_dir_all(&target);
    for (name, bytes) in tree(Path::new("case")) {
        let path = target.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn check(case: &Case) {
    assert_eq!(case.title().unwrap().as_deref(), Some("Fixture"));
    let evidence = case.evidence().unwrap();
    let rows: Vec<_> =
        evidence.iter().map(|e| (e.id.as_str(), e.path.as_str(), e.rows.read, e.rows.kept, e.rows.duplicate)).collect();
    let expected =
        [("e1", "given/march.json", 2, 2, 0), ("e2", "given/more.json", 2, 1, 1), ("e3", "given/other/log.json", 1, 1, 0)];
    assert_eq!(rows, expected);
    assert_eq!(case.unrecognised().unwrap().len(), 1);
    assert_eq!(case.superseded().unwrap().len(), 1, "record 2 of e1");
    let tenants: Vec<_> = case.tenants().unwrap().into_iter().map(|t| (t.id, t.evidence.len())).collect();
    assert_eq!(tenants, [(Some(common::A.to_owned()), 2), (Some(common::B.to_owned()), 1)]);
    assert_eq!(case.evidence_files().unwrap()[0].declared_unfiltered_by.as_deref(), Some("R. Martin"));
    let complete = column(&case.table_files("coverage").unwrap(), "complete");
    assert!(complete.contains(&Some("true".into())), "the declaration: {complete:?}");

    // Every row opens on its bytes.
    let files = case.table_files("ual_event").unwrap();
    let all = ["evidence_id", "src_offset", "src_length", "id"].map(|name| column(&files, name));
    assert_eq!(all[0].len(), 5);
    for i in 0..5 {
        let [evidence_id, offset, length, id] = all.each_ref().map(|values| values[i].clone().unwrap());
        let row = Place { evidence_id, offset: offset.parse().unwrap(), length: length.parse().unwrap(), ..Place::default() };
        let raw = String::from_utf8(case.raw_record(&row, 4096).unwrap().bytes).unwrap();
        assert!(raw.starts_with('{') && raw.contains(&id), "{id}: {raw}");
    }
}

#[test]
fn a_case_of_format_1_opens() {
    let before = tree(&fixture());
    let older = Case::open_for_reading(&fixture()).unwrap_err();
    assert!(matches!(older, Error::Older { found: 1, .. }), "{older:?}");
    assert_eq!(tree(&fixture()), before, "reading changes nothing");
    let dir = tempfile::tempdir().unwrap();
    copied(dir.path());
    check(&opened(dir.path()).unwrap());
    // The old manifest is kept; the journal begins with the conversion and one entry for each file of evidence.
    assert!(dir.path().join("case.format-1.sqlite").exists());
    let verified = verify(dir.path()).unwrap();
    // The index of that version is in no manifest: the next import makes it again.
    let told: Vec<_> = verified.notices.iter().map(|n| n.place.as_str()).collect();
    assert!(verified.is_intact() && told == ["index/1-00000.run"], "{verified:#?}");
    let entries = Case::open_for_reading(dir.path()).unwrap().entries().unwrap();
    assert_eq!(entries.iter().filter(|e| e.header.kind == Kind::Evidence).count(), 3);
}

#[test]
fn the_journal_converts_an_older_case_too() {
    let dir = tempfile::tempdir().unwrap();
    copied(dir.path());
    let journal = Journal::open_as(dir.path(), Device::with_key([3; 32], "PC")).unwrap();
    assert_eq!(journal.entries().unwrap().len(), 5, "device, conversion, three files");
}

#[test]
fn a_case_of_format_2_opens_and_verifies() {
    let before = tree(&fixture_2());
    check(&Case::open_for_reading(&fixture_2()).unwrap());
    let verified = verify(&fixture_2()).unwrap();
    // The version that made it signed no sums and did not write the index into the manifest.
    let told: Vec<_> = verified.notices.iter().map(|n| n.place.as_str()).collect();
    assert!(verified.is_intact() && told == ["case.sum", "index/1-00000.run"], "{verified:#?}");
    assert_eq!(verified.writers.len(), 2);
    assert_eq!(tree(&fixture_2()), before, "reading changes nothing");
    let dir = tempfile::tempdir().unwrap();
    copied_from(&fixture_2(), dir.path());
    check(&opened(dir.path()).unwrap());
    let mut journal = Journal::open_as(dir.path(), Device::with_key([2; 32], "PC-RSSI")).unwrap();
    let (gone, corrected): (usize, usize) = journal
        .entries()
        .unwrap()
        .iter()
        .fold((0, 0), |(g, c), e| (g + usize::from(e.content.is_none()), c + usize::from(e.header.kind == Kind::Correction)));
    assert_eq!((gone, corrected), (1, 1));
    journal.anchor("par téléphone", "R. Martin").unwrap();
    assert!(verify(dir.path()).unwrap().is_intact());
}

#[test]
fn a_case_of_format_1_takes_more_in() {
    let dir = tempfile::tempdir().unwrap();
    let (case, given) = (dir.path().join("case"), dir.path().join("given"));
    copied(&case);
    evidence(&given);
    let mut case = opened(&case).unwrap();
    let report = import(&mut case, &[given.join("march.json")], &ImportOptions::default()).unwrap();
    assert_eq!(report.evidence_ids(), ["e1"], "the same bytes are known: {report:?}");
    // A record that the case holds is known by its id, in another file too.
    let text = fs::read_to_string(given.join("march.json")).unwrap();
    let again = put(&given, "again.json", &(text.lines().rev().collect::<Vec<_>>().join("\n") + "\n"));
    let report = import(&mut case, &[again], &ImportOptions::default()).unwrap();
    assert_eq!((report.rows().read, report.rows().duplicate), (2, 2), "{report:?}");
}
