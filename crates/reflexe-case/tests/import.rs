//! What an import over many files promises, with readers that tests can make fail.
#![allow(clippy::unwrap_used)]
mod common;

use std::{fs, io, path::Path};

use common::{A, B, Lines, column, put, tree};
use reflexe_case::{Case, Declaration, Error, FileOutcome, ImportOptions, ImportReport, import_with};
use reflexe_model::Place as Row;

fn run(case: &mut Case, path: &Path, options: &ImportOptions<'_>) -> ImportReport {
    import_with(case, &[path.to_owned()], options, &mut Lines::default()).unwrap()
}

fn outcome<'a>(report: &'a ImportReport, name: &str) -> &'a FileOutcome {
    &report.files.iter().find(|f| f.path.ends_with(name)).unwrap_or_else(|| panic!("{name} in {report:?}")).outcome
}

struct Place {
    _dir: tempfile::TempDir,
    evidence: std::path::PathBuf,
    case: std::path::PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let (evidence, case) = (dir.path().join("given"), dir.path().join("case"));
    fs::create_dir(&evidence).unwrap();
    Place { _dir: dir, evidence, case }
}

#[test]
fn importing_twice_adds_nothing() {
    let p = place();
    put(&p.evidence, "b.log", &format!("LOG {A} 1\nLOG {A} 2\n"));
    put(&p.evidence, "a.log", &format!("LOG {A} 3\n"));
    put(&p.evidence, "copy/of-b.log", &format!("LOG {A} 1\nLOG {A} 2\n"));
    put(&p.evidence, "README.md", "what this is");
    let mut case = Case::create(&p.case).unwrap();
    let first = run(&mut case, &p.evidence, &ImportOptions::default());
    assert!(first.is_complete(), "{first:?}");
    assert_eq!(first.rows().kept, 3);
    let ids: Vec<_> =
        case.evidence().unwrap().into_iter().map(|e| (e.id, e.path.rsplit('/').next().unwrap().to_owned())).collect();
    assert_eq!(ids, [("e1".to_owned(), "a.log".to_owned()), ("e2".to_owned(), "b.log".to_owned())]);
    assert_eq!(*outcome(&first, "of-b.log"), FileOutcome::AlreadyImported { id: "e2".into() });

    let before = (tree(&p.case.join("tables")), tree(&p.case.join("evidence")), case.evidence().unwrap());
    let second = run(&mut case, &p.evidence, &ImportOptions::default());
    assert_eq!(second.rows().read, 0);
    assert_eq!(second.evidence_ids(), ["e1", "e2"]);
    assert_eq!(before, (tree(&p.case.join("tables")), tree(&p.case.join("evidence")), case.evidence().unwrap()));
    assert_eq!(column(&case.table_files("ual_event").unwrap(), "id").len(), 3);
}

#[test]
fn what_is_not_imported_is_listed_with_what_to_do() {
    let p = place();
    put(&p.evidence, "empty.csv", "");
    put(&p.evidence, "logs.zip", "PK\u{3}\u{4}and so on");
    put(&p.evidence, "notes.md", "text");
    put(&p.evidence, "odd.bin", "text");
    put(&p.evidence, "good.log", &format!("LOG {A} 1\n"));
    let mut case = Case::create(&p.case).unwrap();
    let report = run(&mut case, &p.evidence, &ImportOptions::default());
    assert!(!report.is_complete());
    assert!(matches!(outcome(&report, "good.log"), FileOutcome::Imported { .. }));
    let listed: Vec<_> = case
        .unrecognised()
        .unwrap()
        .into_iter()
        .map(|u| (u.path.rsplit('/').next().unwrap().to_owned(), u.harmless, u.reason.en))
        .collect();
    assert_eq!(
        listed.iter().map(|l| (l.0.as_str(), l.1)).collect::<Vec<_>>(),
        [("empty.csv", false), ("logs.zip", false), ("notes.md", true), ("odd.bin", false)]
    );
    assert!(listed[0].2.contains("Empty file") && listed[1].2.contains("Unpack"), "{listed:?}");
    // Once it is understood, it is no longer listed.
    put(&p.evidence, "odd.bin", &format!("LOG {A} 2\n"));
    run(&mut case, &p.evidence, &ImportOptions::default());
    assert_eq!(case.unrecognised().unwrap().len(), 3);
    assert!(fs::read_dir(p.case.join("staging")).unwrap().next().is_none());
}

#[test]
fn a_file_that_fails_leaves_the_others_alone() {
    let p = place();
    for name in ["a", "b", "c"] {
        put(&p.evidence, name, &format!("LOG {A} {name}\n"));
    }
    let fault: common::Fault = Box::new(|file, _| {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        file.shown_path.ends_with('b').then(|| reflexe_evidence::error::Error::read(file.shown_path)(denied))
    });
    let mut lines = Lines { fault: Some(fault), ..Lines::default() };
    let mut case = Case::create(&p.case).unwrap();
    let report = import_with(&mut case, std::slice::from_ref(&p.evidence), &ImportOptions::default(), &mut lines).unwrap();
    assert_eq!((lines.kept, lines.forgotten), (2, 1));
    match outcome(&report, "b") {
        FileOutcome::Failed { reason } => {
            assert!(reason.en.contains("permission denied") && reason.fr.contains("droits insuffisants"), "{reason:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(column(&case.table_files("ual_event").unwrap(), "id"), [Some("a".to_owned()), Some("c".to_owned())]);
    assert_eq!(tree(&p.case.join("evidence")).len(), 2);
    assert_eq!(case.unrecognised().unwrap().len(), 1);
    // Numbers follow each other: the file that failed took none.
    assert_eq!(case.evidence().unwrap().iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["e1", "e2"]);
    // The next run brings it in.
    assert!(run(&mut case, &p.evidence, &ImportOptions::default()).is_complete());
    assert!(case.unrecognised().unwrap().is_empty());
}

#[test]
fn a_full_disk_stops_cleanly_and_the_next_run_resumes() {
    let p = place();
    for name in ["a", "b", "c"] {
        put(&p.evidence, name, &format!("LOG {A} {name}\n"));
    }
    let fault: common::Fault = Box::new(|file, out_dir| {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        file.shown_path.ends_with('b').then(|| reflexe_evidence::error::Error::write(out_dir)(full))
    });
    let mut lines = Lines { fault: Some(fault), ..Lines::default() };
    let mut case = Case::create(&p.case).unwrap();
    let report = import_with(&mut case, std::slice::from_ref(&p.evidence), &ImportOptions::default(), &mut lines).unwrap();
    assert!(report.stopped.as_ref().is_some_and(|t| t.en.contains("full") && t.fr.contains("plein")), "{report:?}");
    assert_eq!(report.not_tried.len(), 2, "b and c: {report:?}");
    assert!(!report.is_complete());
    assert!(fs::read_dir(p.case.join("staging")).unwrap().next().is_none());
    assert!(run(&mut case, &p.evidence, &ImportOptions::default()).is_complete());
    assert_eq!(case.evidence().unwrap().len(), 3);
}

/// A disk that is really full, where the tests may mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_really_full() {
    let p = place();
    let disk = p.case.with_file_name("disk");
    fs::create_dir(&disk).unwrap();
    let mount =
        |args: &[&str]| std::process::Command::new("mount").args(args).arg(&disk).output().is_ok_and(|o| o.status.success());
    if !mount(&["-t", "tmpfs", "-o", "size=1536k", "tmpfs"]) {
        eprintln!("skipped: mounting a small disk is not allowed here");
        return;
    }
    let line = format!("LOG {A} x\n");
    put(&p.evidence, "a.log", &line);
    put(&p.evidence, "b.log", &line.repeat(2_000_000 / line.len()));
    put(&p.evidence, "c.log", &line.repeat(2));
    let mut case = Case::create(&disk.join("case")).unwrap();
    let report = run(&mut case, &p.evidence, &ImportOptions::default());
    let files = case.evidence().unwrap().len();
    drop(case);
    let unmounted = std::process::Command::new("umount").arg(&disk).status().is_ok_and(|s| s.success());
    assert!(report.stopped.as_ref().is_some_and(|t| t.en.contains("full")), "{report:?}");
    assert_eq!((files, report.not_tried.len()), (1, 2));
    assert!(unmounted);
}

#[test]
fn originals_are_kept_by_hash_or_left_in_place() {
    let p = place();
    let text = format!("LOG {A} 1\nLOG {A} 2\n");
    let a = put(&p.evidence, "a.log", &text);
    let mut case = Case::create(&p.case).unwrap();
    run(&mut case, &a, &ImportOptions::default());
    let b = put(&p.evidence, "b.log", &format!("LOG {A} 3\n"));
    run(&mut case, &b, &ImportOptions { in_place: true, ..ImportOptions::default() });

    let kept = case.evidence_path("e1").unwrap();
    assert!(kept.starts_with(&p.case) && fs::read_to_string(kept).unwrap() == text);
    assert_eq!(case.evidence_path("e2").unwrap(), b.canonicalize().unwrap());
    assert_eq!(tree(&p.case.join("evidence")).len(), 1);

    let at = |id: &str, offset, length| Row { evidence_id: id.into(), offset, length, ..Row::default() };
    let length = text.len() as u64 / 2;
    let whole = case.raw_record(&at("e1", length, length), 1 << 20).unwrap();
    assert_eq!(whole.bytes, text.as_bytes()[length as usize..]);
    assert!(!whole.is_cut());
    let cut = case.raw_record(&at("e1", length, length), 3).unwrap();
    assert_eq!((cut.bytes.as_slice(), cut.is_cut(), cut.length), (b"LOG".as_slice(), true, length));
    assert!(matches!(case.raw_record(&at("e1", length, length + 1), 10), Err(Error::OutOfBounds { .. })));
    assert!(matches!(case.raw_record(&at("e1", u64::MAX, 2), 10), Err(Error::OutOfBounds { .. })));
    assert!(matches!(case.raw_record(&at("e9", 0, 1), 10), Err(Error::NoSuchEvidence { .. })));
    assert!(matches!(case.raw_record(&at("../e1", 0, 1), 10), Err(Error::NoSuchEvidence { .. })));

    let member = Row { member: Some("inner.csv".into()), ..at("e1", 0, 1) };
    assert!(matches!(case.raw_record(&member, 10), Err(Error::NoSuchMember { .. })));

    // The import does not depend on the given file any more; a reference in place does, and says so.
    fs::remove_file(a).unwrap();
    case.raw_record(&at("e1", 0, 1), 10).unwrap();
    fs::write(&b, "LOG changed").unwrap();
    assert!(matches!(case.raw_record(&at("e2", 0, 1), 10), Err(Error::OriginalChanged { .. })));
    fs::write(&b, format!("LOG {A} 4\n")).unwrap();
    drop(case);
    let case = Case::open(&p.case).unwrap();
    let error = case.raw_record(&at("e2", 0, 1), 10).unwrap_err();
    assert!(matches!(error, Error::OriginalChanged { .. }), "of the same size: {error:?}");
    assert!(error.text().en.contains("b.log") && error.text().fr.contains("b.log"), "{error:?}");
    fs::write(&b, format!("LOG {A} 3\n")).unwrap();
    assert_eq!(Case::open_for_reading(&p.case).unwrap().raw_record(&at("e2", 0, 3), 10).unwrap().bytes, b"LOG");
    fs::remove_file(&b).unwrap();
    assert!(matches!(case.raw_record(&at("e2", 0, 1), 10), Err(Error::OriginalMissing { in_place: true, .. })));
}

#[test]
fn a_row_of_a_utf_16_file_is_found_in_its_text() {
    let p = place();
    // The readers transcode such a file before they read it; these readers take any file with this name.
    let text = format!("LOG {A} é😀\nLOG {A} 2\n");
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    fs::write(p.evidence.join("wide.log"), utf16).unwrap();
    let mut case = Case::create(&p.case).unwrap();
    let mut lines = Lines { any: true, ..Lines::default() };
    import_with(&mut case, std::slice::from_ref(&p.evidence), &ImportOptions::default(), &mut lines).unwrap();
    let second = text.find("LOG").unwrap() + text[3..].find("LOG").unwrap() + 3;
    let at = |offset: usize, length: usize| Row {
        evidence_id: "e1".into(),
        member: Some("utf8:".into()),
        offset: offset as u64,
        length: length as u64,
        ..Row::default()
    };
    for (offset, length) in [(0, second), (second, text.len() - second), (second, 3)] {
        let raw = case.raw_record(&at(offset, length), 1000).unwrap();
        assert_eq!(raw.bytes, text.as_bytes()[offset..offset + length]);
    }
    assert!(matches!(case.raw_record(&at(second, text.len()), 1000), Err(Error::OutOfBounds { .. })));
}

#[test]
fn two_tenants_are_told_apart() {
    let p = place();
    put(&p.evidence, "one/ual.log", &format!("LOG {A} 1\nLOG {A} 2\nLOG {B} 3\n"));
    put(&p.evidence, "one/users.log", "LOG - 4\n");
    put(&p.evidence, "two/ual.log", &format!("LOG {B} 5\n"));
    let mut case = Case::create(&p.case).unwrap();
    run(&mut case, &p.evidence, &ImportOptions::default());
    let tenants: Vec<_> = case.tenants().unwrap().into_iter().map(|t| (t.id.unwrap(), t.evidence)).collect();
    let expected = [(A.to_owned(), vec!["e1".to_owned(), "e2".to_owned()]), (B.to_owned(), vec!["e3".to_owned()])];
    assert_eq!(tenants, expected);
    assert_eq!(case.default_tenant_of("e2").unwrap().as_deref(), Some(A));
}

#[test]
fn another_body_of_evidence_has_another_digest() {
    let p = place();
    put(&p.evidence, "a.log", &format!("LOG {A} 1\n"));
    let mut case = Case::create(&p.case).unwrap();
    let mut seen = vec![case.evidence_digest().unwrap()];
    run(&mut case, &p.evidence, &ImportOptions::default());
    seen.push(case.evidence_digest().unwrap());
    run(&mut case, &p.evidence, &ImportOptions::default());
    assert_eq!(case.evidence_digest().unwrap(), seen[1], "importing the same again adds nothing");
    // What may be called `ok` depends on what a person declares.
    case.declare_unfiltered(&Declaration::by("R. Martin"), None).unwrap();
    seen.push(case.evidence_digest().unwrap());
    put(&p.evidence, "b.log", &format!("LOG {A} 2\n"));
    run(&mut case, &p.evidence, &ImportOptions::default());
    seen.push(case.evidence_digest().unwrap());
    let different: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!(different.len(), seen.len(), "{seen:?}");
}

#[test]
fn a_declaration_is_coverage_with_a_name() {
    let p = place();
    put(&p.evidence, "a.log", &format!("LOG {A} 1\n"));
    put(&p.evidence, "b.log", &format!("LOG {A} 2\n"));
    let mut case = Case::create(&p.case).unwrap();
    run(&mut case, &p.evidence, &ImportOptions::default());
    let complete = |case: &Case| {
        column(&case.table_files("coverage").unwrap(), "complete").iter().flatten().filter(|c| *c == "true").count()
    };
    assert_eq!(complete(&case), 0);
    assert!(matches!(case.declare_unfiltered(&Declaration::by(" "), None), Err(Error::NoName)));
    assert!(matches!(
        case.declare_unfiltered(&Declaration::by("R. Martin"), Some(&["e7".into()])),
        Err(Error::NoSuchEvidence { .. })
    ));
    assert_eq!(case.declare_unfiltered(&Declaration::by("R. Martin"), Some(&["e2".into()])).unwrap(), ["e2"]);
    // Of the three rows, nobody knew of the log and of the state: not the one proven incomplete.
    assert_eq!(complete(&case), 2);
    let files = case.table_files("coverage").unwrap();
    assert!(column(&files, "reason").contains(&Some("declared unfiltered by R. Martin".into())));
    assert_eq!(column(&files, "operation").last().unwrap().as_deref(), Some("*"));
    let ids = column(&files, "row_id");
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len(), "row ids are unique");
    // Again: the first declaration stands; with the option it comes with the import, for files already imported too.
    let options = ImportOptions { declared_unfiltered: Some(Declaration::by("C. Petit")), ..ImportOptions::default() };
    run(&mut case, &p.evidence, &options);
    let who: Vec<_> = case.evidence_files().unwrap().into_iter().map(|f| f.declared_unfiltered_by.unwrap()).collect();
    assert_eq!(who, ["C. Petit", "R. Martin"]);
    assert_eq!(complete(&case), 4);
    // and it outlives the next opening.
    drop(case);
    assert_eq!(complete(&Case::open(&p.case).unwrap()), 4);
}

#[test]
fn a_case_beside_its_evidence_does_not_import_itself() {
    let p = place();
    put(&p.evidence, "a.log", &format!("LOG {A} 1\n"));
    let mut case = Case::create(&p.evidence.join("reflexe-case")).unwrap();
    run(&mut case, &p.evidence, &ImportOptions::default());
    let again = run(&mut case, &p.evidence, &ImportOptions::default());
    assert!(again.is_complete());
    assert_eq!(case.evidence().unwrap().len(), 1);
}

#[test]
fn a_case_opened_for_reading_takes_nothing_in() {
    let p = place();
    drop(Case::create(&p.case).unwrap());
    let mut case = Case::open_for_reading(&p.case).unwrap();
    let result = import_with(&mut case, std::slice::from_ref(&p.evidence), &ImportOptions::default(), &mut Lines::default());
    assert!(matches!(result, Err(Error::ReadOnly { .. })));
    assert!(matches!(case.declare_unfiltered(&Declaration::by("x"), None), Err(Error::ReadOnly { .. })));
}
