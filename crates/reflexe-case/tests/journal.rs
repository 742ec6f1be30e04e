//! The journal of a real case folder: what is written is verified, what is changed is named, copies are united.
#![allow(clippy::unwrap_used)]
mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::{put, tree};
use reflexe_case::{
    Case, Error, ImportOptions, import,
    journal::{self, Device, Draft, Journal, TITLE, verify},
};
use reflexe_model::{Kind, Payload, Precision, Text, When, ZoneSource};

fn when() -> When {
    When {
        text: "14:32".into(),
        start: "2026-11-22T14:32:00+01:00".into(),
        end: None,
        precision: Precision::Minute,
        approx: false,
        tz_source: ZoneSource::Default,
    }
}

fn note(text: &str) -> Draft {
    Draft::new(Kind::Note, when(), "Dupont", text)
}

fn device(n: u8) -> Device {
    Device::with_key([n; 32], format!("PC-{n}"))
}

fn record(id: u32) -> String {
    format!(
        "{{\"CreationTime\":\"2026-03-0{id}T10:00:00\",\"Id\":\"00000000-0000-4000-8000-00000000000{id}\",\
         \"Operation\":\"New-InboxRule\",\"OrganizationId\":\"{}\",\"RecordType\":1,\"UserType\":0,\"Version\":1,\
         \"Workload\":\"Exchange\",\"UserId\":\"anna@example.com\",\"ClientIP\":\"192.0.2.{id}\"}}\n",
        common::A
    )
}

/// A case with evidence, entries, a correction and an attachment.
fn full(dir: &Path) {
    let given = put(&dir.join("given"), "march.json", &[record(1), record(2)].concat());
    let mut case = Case::create(&dir.join("case")).unwrap();
    case.set_title("Exercise").unwrap();
    import(&mut case, &[given], &ImportOptions { threads: 1, ..ImportOptions::default() }).unwrap();
    drop(case);
    let mut journal = Journal::open_as(&dir.join("case"), device(1)).unwrap();
    let first = journal.add(&note("Appel du prestataire")).unwrap();
    journal.correct(&first.header.entry_id, "mauvais nom", &note("Appel de l’hébergeur")).unwrap();
    let shot = put(dir, "shot.txt", "a picture of a screen");
    let mut with = note("Capture");
    with.attachments.push(journal.attach(&shot, 1 << 20).unwrap());
    journal.add(&with).unwrap();
    for (file, text) in [("reports/report.html", "a report"), ("judgement.json", "{}"), ("preparation/pack.toml", "zone = ''")] {
        journal.export(&dir.join("case").join(file), text.as_bytes()).unwrap();
    }
    let unsealed = Case::open_for_reading(&dir.join("case")).unwrap().unsealed().unwrap();
    let sealed: Vec<_> = unsealed.iter().map(reflexe_case::Unsealed::seal).collect();
    journal.seal(&sealed).unwrap();
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn what_was_written_is_intact_and_the_product_wrote_its_part() {
    let dir = tempfile::tempdir().unwrap();
    full(dir.path());
    let case = dir.path().join("case");
    let verified = verify(&case).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.problems);
    assert!(verified.notices.is_empty(), "{:#?}", verified.notices);
    let entries = Case::open_for_reading(&case).unwrap().entries().unwrap();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &entries {
        if let Some(Payload::Fact { name, .. }) = Payload::of(entry) {
            *names.entry(name).or_default() += 1;
        }
    }
    let expected = ["case_named", "case_opened", "correction", "device", "evidence", "export", "sealed"];
    assert_eq!(names.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    assert_eq!((verified.entries, verified.writers.len()), (entries.len(), 2));
    assert_eq!(verified.badge(reflexe_model::Lang::Fr), format!("chaîne intacte · {} écritures · 2 postes", entries.len()));
    assert!(verified.writers.iter().any(|w| w.label.starts_with("PC-1·")), "{:?}", verified.writers);
    assert!(entries.iter().all(|e| e.content.as_ref().unwrap().title.chars().count() <= TITLE));
}

/// One byte anywhere in a case, at random: `verify` names the file, the evidence or the entry each time.
#[test]
fn one_flipped_byte_is_named() {
    let dir = tempfile::tempdir().unwrap();
    full(dir.path());
    let case = dir.path().join("case");
    let files: Vec<(String, Vec<u8>)> = tree(&case).into_iter().filter(|(name, _)| name != "case.lock").collect();
    assert!(files.len() > 8, "{:?}", files.iter().map(|f| &f.0).collect::<Vec<_>>());
    let mut random = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos() | 1;
    eprintln!("seed {random}");
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize
    };
    for (name, bytes) in &files {
        let tries = if name == "case.sqlite" { 150 } else { 6 };
        for t in 0..tries {
            // The header of the database decides how the rest is read: every byte of it is tried.
            let at = if name == "case.sqlite" && t < 100 { t } else { next() % bytes.len() };
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (next() % 8);
            fs::write(case.join(name), &changed).unwrap();
            let verified = verify(&case).unwrap_or_else(|e| panic!("{name} at {at}: {e}"));
            assert!(!verified.is_intact(), "{name}, byte {at} of {}", bytes.len());
            let named = verified.problems.iter().any(|p| p.place == *name || p.entry.is_some() || p.place.starts_with('e'));
            assert!(named, "{name} at {at}: {:?}", verified.problems);
            for p in &verified.problems {
                assert!(!p.text.fr.is_empty() && !p.text.en.is_empty());
            }
            fs::write(case.join(name), bytes).unwrap();
            for extra in ["case.sqlite-wal", "case.sqlite-shm", "case.sqlite-journal"] {
                let _ = fs::remove_file(case.join(extra));
            }
        }
    }
    assert!(verify(&case).unwrap().is_intact());
}

#[test]
fn what_is_changed_behind_its_back_is_named_by_entry() {
    let dir = tempfile::tempdir().unwrap();
    full(dir.path());
    let case = dir.path().join("case");
    let changed = |sql: &str| {
        let to = tempfile::tempdir().unwrap();
        copy(&case, to.path());
        let n = rusqlite::Connection::open(to.path().join("case.sqlite")).unwrap().execute(sql, []).unwrap();
        assert!(n > 0, "{sql}");
        verify(to.path()).unwrap().problems
    };
    for sql in [
        "UPDATE entry SET content = replace(content, 'Appel', 'Rappel') WHERE content LIKE '%Appel du%'",
        "UPDATE entry SET recorded_at = '2020-01-01T00:00:00.000Z' WHERE seq = 2",
        "UPDATE entry SET content = NULL, salt = NULL WHERE content LIKE '%Appel du%'",
        "DELETE FROM entry WHERE seq = 2",
        "UPDATE evidence_source SET kept = kept + 1",
        "UPDATE evidence SET path = 'other.json'",
        "UPDATE evidence SET sha256 = CASE substr(sha256, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(sha256, 2)",
        "DELETE FROM part",
        "UPDATE entry SET signature = '00' || substr(signature, 3) WHERE seq = 2",
    ] {
        let problems = changed(sql);
        assert!(!problems.is_empty(), "{sql}");
        let about = |p: &journal::Problem| p.entry.is_some() || p.text.en.contains("missing");
        assert!(problems.iter().any(about), "{sql}: {problems:?}");
    }
}

#[test]
fn a_redaction_destroys_and_leaves_the_chain_whole() {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("case");
    drop(Case::create(&case).unwrap());
    let mut journal = Journal::open_as(&case, device(1)).unwrap();
    const SECRET: &str = "motdepasse-Zx81-jamais-ecrit";
    let file = put(dir.path(), "secret.txt", SECRET);
    let mut draft = note(&format!("collé par erreur {SECRET}"));
    draft.content.body = SECRET.repeat(300);
    draft.attachments.push(journal.attach(&file, 1 << 20).unwrap());
    let entry = journal.add(&draft).unwrap();
    journal.add(&note("autre chose")).unwrap();
    let id = &entry.header.entry_id;
    assert!(matches!(journal.redact(id, " ", "Dupont"), Err(Error::NoReason)));
    journal.redact(id, "secret collé", "Dupont").unwrap();
    assert!(matches!(journal.redact(id, "encore", "Dupont"), Err(Error::AlreadyRedacted { .. })));
    drop(journal);
    for (name, bytes) in tree(&case) {
        assert!(!bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()), "{name}");
    }
    let verified = verify(&case).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.problems);
    let entries = Case::open_for_reading(&case).unwrap().entries().unwrap();
    let gone = entries.iter().find(|e| e.header.entry_id == *id).unwrap();
    assert!(gone.content.is_none() && gone.salt.is_none() && gone.hash == entry.hash);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Case::create(dir.path()).unwrap());
    let mut journal = Journal::open_as(dir.path(), device(1)).unwrap();
    assert!(matches!(journal.add(&note("  ")), Err(Error::NoTitle)));
    let mut long = note("x");
    long.content.title = "x".repeat(TITLE + 1);
    assert!(matches!(journal.add(&long), Err(Error::LongTitle { .. })));
    let mut missing = note("x");
    missing.attachments.push("ab".repeat(32));
    assert!(matches!(journal.add(&missing), Err(Error::NoSuchAttachment { .. })));
    let file = put(dir.path(), "given/large", &"x".repeat(100));
    assert!(matches!(journal.attach(&file, 99), Err(Error::LargeAttachment { .. })));
    assert!(tree(&dir.path().join("attachments")).is_empty(), "nothing of it stays");
    let fact = Draft::fact(Kind::System, "x", &Text::new("a", "b"), BTreeMap::new(), jiff::Timestamp::UNIX_EPOCH);
    let fact = journal.add(&fact).unwrap().header.entry_id;
    assert!(matches!(journal.correct(&fact, "why", &note("y")), Err(Error::NotCorrectable { .. })));
    assert!(matches!(journal.correct("no", "why", &note("y")), Err(Error::NoSuchEntry { .. })));
    let mut correction = note("y");
    correction.kind = Kind::Correction;
    assert!(matches!(journal.add(&correction), Err(Error::NotByAdd)));
    let id = journal.add(&note("Une note")).unwrap().header.entry_id;
    assert_eq!(journal.entry(&id).unwrap().header.entry_id, id);
    assert!(matches!(journal.entry(""), Err(Error::NoSuchEntry { .. })));
    assert!(verify(dir.path()).unwrap().is_intact());
}

#[test]
fn two_offline_copies_are_united_and_a_second_merge_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    full(dir.path());
    let (a, b) = (dir.path().join("case"), dir.path().join("copy"));
    copy(&a, &b);
    let mut mine = Journal::open_as(&a, device(2)).unwrap();
    mine.add(&note("chez A")).unwrap();
    let secret = mine.add(&note("à retirer")).unwrap();
    let mut theirs = Journal::open_as(&b, device(3)).unwrap();
    theirs.add(&note("chez B")).unwrap();
    let shot = put(dir.path(), "b.txt", "seen by B");
    let mut with = note("capture de B");
    with.attachments.push(theirs.attach(&shot, 1 << 20).unwrap());
    theirs.add(&with).unwrap();
    let given = put(&dir.path().join("more"), "april.json", &record(3));
    let mut case = Case::open(&b).unwrap();
    import(&mut case, &[given], &ImportOptions { threads: 1, ..ImportOptions::default() }).unwrap();
    drop(case);
    let options = ImportOptions { threads: 1, ..ImportOptions::default() };
    let mut case = Case::open(&a).unwrap();
    let report = journal::merge(&mut case, &b, &options).unwrap();
    assert!(report.verified.is_intact(), "{:#?}", report.verified.problems);
    assert_eq!((report.attachments, report.evidence.len(), report.missing.len()), (1, 1, 0));
    assert!(report.entries >= 4, "{report:?}");
    assert_eq!(case.evidence_files().unwrap().len(), 2);
    let before = case.entries().unwrap();
    let again = journal::merge(&mut case, &b, &options).unwrap();
    assert_eq!((again.entries, again.redacted, again.attachments, again.evidence.len()), (0, 0, 0, 0));
    assert_eq!(case.entries().unwrap(), before);
    drop(case);
    // The other way, after a redaction: the content goes there too.
    Journal::open_as(&a, device(2)).unwrap().redact(&secret.header.entry_id, "secret", "Dupont").unwrap();
    let mut other = Case::open(&b).unwrap();
    let report = journal::merge(&mut other, &a, &options).unwrap();
    assert!(report.verified.is_intact(), "{:#?}", report.verified.problems);
    let mut foreign = Case::create(&dir.path().join("foreign")).unwrap();
    assert!(matches!(journal::merge(&mut foreign, &a, &options), Err(Error::OtherCase { exercise: false, .. })));
    other.set_exercise().unwrap();
    assert!(matches!(journal::merge(&mut other, &a, &options), Err(Error::OtherCase { exercise: true, .. })));
}

#[test]
fn a_copied_folder_that_goes_on_twice_is_a_fork_and_both_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("case"), dir.path().join("copy"));
    drop(Case::create(&a).unwrap());
    Journal::open_as(&a, device(1)).unwrap().add(&note("avant")).unwrap();
    copy(&a, &b);
    Journal::open_as(&a, device(1)).unwrap().add(&note("ici")).unwrap();
    Journal::open_as(&b, device(1)).unwrap().add(&note("là")).unwrap();
    let mut case = Case::open(&a).unwrap();
    let report = journal::merge(&mut case, &b, &ImportOptions::default()).unwrap();
    assert_eq!(report.verified.problems.len(), 1, "{:#?}", report.verified.problems);
    assert!(report.verified.problems[0].text.en.contains("two different entries"));
    let titles: Vec<String> = case.entries().unwrap().into_iter().filter_map(|e| Some(e.content?.title)).collect();
    assert!(titles.contains(&"ici".into()) && titles.contains(&"là".into()));
    // The chain goes on after the fork and stays readable.
    Journal::open_as(&a, device(1)).unwrap().add(&note("après")).unwrap();
    assert_eq!(verify(&a).unwrap().problems.len(), 1);
}
