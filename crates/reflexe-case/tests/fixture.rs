//! Later versions must open what this one writes: `tests/fixtures/case-v1` is a case made by format 1.
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
use reflexe_case::{Case, Declaration, ImportOptions, RowLocator, import};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/case-v1")
}

/// A copy to work on: opening for writing would change the committed one.
fn copied(to: &Path) {
    for (name, bytes) in tree(&fixture()) {
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
    let dir = tempfile::tempdir().unwrap();
    std::env::set_current_dir(dir.path()).unwrap();
    evidence(Path::new("given"));
    let mut case = Case::create(Path::new("case")).unwrap();
    case.set_title("Fixture").unwrap();
    let report = import(&mut case, &[PathBuf::from("given")], &ImportOptions { threads: 1, ..ImportOptions::default() }).unwrap();
    assert!(report.is_complete(), "{report:?}");
    case.declare_unfiltered(&Declaration::by("R. Martin"), Some(&["e1".to_owned()])).unwrap();
    // The manifest remembers where the originals were: nothing of this machine belongs in the repository.
    rusqlite::Connection::open("case/case.sqlite")
        .unwrap()
        .execute("UPDATE evidence SET origin = '/evidence/' || path", [])
        .unwrap();
    drop(case);
    fs::remove_file("case/case.lock").unwrap();
    let target = fixture();
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
        let row = RowLocator { evidence_id, member: None, offset: offset.parse().unwrap(), length: length.parse().unwrap() };
        let raw = String::from_utf8(case.raw_record(&row, 4096).unwrap().bytes).unwrap();
        assert!(raw.starts_with('{') && raw.contains(&id), "{id}: {raw}");
    }
}

#[test]
fn a_case_of_format_1_opens() {
    let before = tree(&fixture());
    check(&Case::open_for_reading(&fixture()).unwrap());
    assert_eq!(tree(&fixture()), before, "reading changes nothing");
    let dir = tempfile::tempdir().unwrap();
    copied(dir.path());
    check(&Case::open(dir.path()).unwrap());
}

#[test]
fn a_case_of_format_1_takes_more_in() {
    let dir = tempfile::tempdir().unwrap();
    let (case, given) = (dir.path().join("case"), dir.path().join("given"));
    copied(&case);
    evidence(&given);
    let mut case = Case::open(&case).unwrap();
    let report = import(&mut case, &[given.join("march.json")], &ImportOptions::default()).unwrap();
    assert_eq!(report.evidence_ids(), ["e1"], "the same bytes are known: {report:?}");
    // A record that the case holds is known by its id, in another file too.
    let text = fs::read_to_string(given.join("march.json")).unwrap();
    let again = put(&given, "again.json", &(text.lines().rev().collect::<Vec<_>>().join("\n") + "\n"));
    let report = import(&mut case, &[again], &ImportOptions::default()).unwrap();
    assert_eq!((report.rows().read, report.rows().duplicate), (2, 2), "{report:?}");
}
