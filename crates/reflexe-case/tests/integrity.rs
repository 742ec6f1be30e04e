//! What another hand changes in a case is noticed where it would count: the newest entries, the index, the manifest, the tables.
#![allow(clippy::unwrap_used)]
mod common;

use std::{fs, path::Path, sync::Mutex};

use common::{put, tree};
use reflexe_case::{
    Case, Error, ImportOptions, Progress, import,
    journal::{self, Device, Draft, Journal, Written, verify},
};
use reflexe_model::{Kind, Precision, Text, When, ZoneSource};

fn note(text: &str) -> Draft {
    let start = "2026-11-22T14:32:00+01:00".to_owned();
    let (precision, tz_source) = (Precision::Minute, ZoneSource::Default);
    Draft::new(Kind::Note, When { text: String::new(), start, end: None, precision, approx: false, tz_source }, "Dupont", text)
}

fn record(id: u32) -> String {
    format!(
        "{{\"CreationTime\":\"2026-03-0{id}T10:00:00\",\"Id\":\"00000000-0000-4000-8000-00000000000{id}\",\
         \"Operation\":\"New-InboxRule\",\"OrganizationId\":\"{}\",\"RecordType\":1,\"UserType\":0,\"Version\":1,\
         \"Workload\":\"Exchange\",\"UserId\":\"anna@example.com\",\"ClientIP\":\"192.0.2.{id}\"}}\n",
        common::A
    )
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn sql(case: &Path, statement: &str) {
    let n = rusqlite::Connection::open(case.join("case.sqlite")).unwrap().execute(statement, []).unwrap();
    assert!(n > 0, "{statement}");
}

/// A home of a device, and a case that it wrote.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap() };
        drop(Case::create_as(&desk.case(), desk.device()).unwrap());
        desk
    }

    fn case(&self) -> std::path::PathBuf {
        self.dir.path().join("case")
    }

    fn device(&self) -> Device {
        Device::load_from(&self.dir.path().join("home")).unwrap()
    }

    fn add(&self, case: &Path, text: &str) {
        Journal::open_as(case, self.device()).unwrap().add(&note(text)).unwrap();
    }

    fn import(&self, name: &str, text: &str, told: &Told) -> Result<(u64, u64), Error> {
        let file = put(&self.dir.path().join("given"), name, text);
        let mut case = Case::open_as(&self.case(), self.device())?;
        let report = import(&mut case, &[file], &ImportOptions { threads: 1, progress: told, ..ImportOptions::default() })?;
        assert!(report.is_complete(), "{report:?}");
        Ok((report.rows().kept, report.rows().duplicate))
    }
}

/// What an import told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Progress for Told {
    fn say(&self, what: &Text) {
        self.0.lock().unwrap().push(what.en.clone());
    }
}

impl Told {
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[test]
fn newest_entries_that_were_removed_are_missed_for_good_and_merging_heals() {
    let desk = Desk::new();
    let case = desk.case();
    for n in 0..3 {
        desk.add(&case, &format!("décision {n}"));
    }
    let whole = desk.dir.path().join("whole");
    copy(&case, &whole);
    sql(&case, "DELETE FROM entry WHERE seq > (SELECT max(seq) - 3 FROM entry)");
    let seq = |case: &Path| {
        let entries = Case::open_for_reading(case).unwrap().entries().unwrap();
        entries.iter().map(|e| e.header.seq).max().unwrap()
    };
    let before = seq(&whole);
    // Nobody writes for a while; then the journal goes on from the end that the device knew, and tells of the hole by itself.
    desk.add(&case, "suite");
    assert_eq!(seq(&case), before + 1);
    let problems = verify(&case).unwrap().problems;
    assert!(problems.iter().any(|p| p.text.en.contains("are missing")), "{problems:#?}");
    assert!(problems.iter().any(|p| p.text.en.contains("3 entries known to this device")), "{problems:#?}");
    let mut open = Case::open_as(&case, desk.device()).unwrap();
    let report = journal::merge(&mut open, &whole, &ImportOptions::default()).unwrap();
    assert!(report.verified.is_intact() && report.entries == 3, "{:#?}", report.verified.problems);
}

#[test]
fn an_index_that_is_lost_or_changed_is_made_again_and_doubles_nothing() {
    let desk = Desk::new();
    let told = Told::default();
    let three = [record(1), record(2), record(3)].concat();
    assert_eq!(desk.import("a.json", &three, &told).unwrap(), (3, 0));
    assert_eq!(desk.import("b.json", &[record(3), record(4)].concat(), &told).unwrap(), (1, 1));
    assert!(told.taken().is_empty(), "an index that is whole is believed");
    let index = desk.case().join("index");
    let runs = tree(&index);
    let faults: [(&str, &dyn Fn()); 4] = [
        ("lost", &|| fs::remove_dir_all(&index).unwrap()),
        ("one file lost", &|| fs::remove_file(index.join("2-00000.keys")).unwrap()),
        ("a file added", &|| fs::write(index.join("1-00007.keys"), [7; 27]).unwrap()),
        ("changed", &|| {
            let path = index.join("1-00000.keys");
            let mut bytes = fs::read(&path).unwrap();
            bytes[5] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
    ];
    for (n, (name, fault)) in faults.into_iter().enumerate() {
        fault();
        let kept = desk.import(&format!("c{n}.json"), &format!("{three}{}\n", " ".repeat(n)), &told).unwrap();
        assert_eq!(kept, (0, 3), "{name}");
        let said = told.taken();
        assert!(said.len() == 1 && said[0].contains("made again"), "{name}: {said:?}");
        assert_eq!(runs.iter().filter(|r| tree(&index).get(r.0) == Some(r.1)).count(), 2, "{name}: as it was");
        let verified = verify(&desk.case()).unwrap();
        assert!(verified.is_intact() && verified.notices.is_empty(), "{name}: {verified:#?}");
    }
    // Another device does not take the index of this one on trust, and has its own word on it afterwards.
    let other = || Device::load_from(&desk.dir.path().join("other")).unwrap();
    for made in [1, 0] {
        let mut case = Case::open_as(&desk.case(), other()).unwrap();
        let more = put(&desk.dir.path().join("given"), &format!("d{made}.json"), &record(5 + made));
        let options = ImportOptions { threads: 1, progress: &told, ..ImportOptions::default() };
        assert_eq!(import(&mut case, &[more], &options).unwrap().rows().kept, 1);
        assert_eq!(told.taken().len(), made as usize);
    }
}

#[test]
fn an_original_that_is_gone_stops_the_making_of_an_index() {
    let desk = Desk::new();
    let told = Told::default();
    desk.import("a.json", &record(1), &told).unwrap();
    fs::remove_dir_all(desk.case().join("index")).unwrap();
    let original = tree(&desk.case().join("evidence")).into_keys().next().unwrap();
    let bytes = fs::read(desk.case().join("evidence").join(&original)).unwrap();
    fs::remove_file(desk.case().join("evidence").join(&original)).unwrap();
    let error = desk.import("b.json", &record(2), &told).unwrap_err();
    assert!(matches!(error, Error::OriginalMissing { .. }), "{error}");
    fs::write(desk.case().join("evidence").join(&original), bytes).unwrap();
    assert_eq!(desk.import("c.json", &[record(1), record(2)].concat(), &told).unwrap(), (1, 1), "put back, it goes on");
}

#[test]
fn manifest_and_tables_are_refused_by_name() {
    let desk = Desk::new();
    desk.import("a.json", &[record(1), record(2)].concat(), &Told::default()).unwrap();
    let whole = desk.dir.path().join("whole");
    copy(&desk.case(), &whole);
    Case::open_for_reading(&whole).unwrap().check_tables().unwrap();
    let table = "tables/ual_event/1-0.parquet";
    let faults: [(&str, &dyn Fn(&Path)); 6] = [
        (table, &|case| {
            let mut bytes = fs::read(case.join(table)).unwrap();
            bytes.push(0);
            fs::write(case.join(table), bytes).unwrap();
        }),
        (table, &|case| fs::remove_file(case.join(table)).unwrap()),
        ("e1", &|case| sql(case, "INSERT INTO superseded (row_id, evidence) VALUES (1, 1)")),
        ("e1", &|case| sql(case, "INSERT INTO declaration (evidence, who, declared_at) VALUES (1, 'x', '2026-01-01T00:00:00Z')")),
        ("e1", &|case| sql(case, "DELETE FROM part WHERE table_name = 'ual_event'")),
        ("e1", &|case| sql(case, "DELETE FROM part WHERE table_name = 'index'")),
    ];
    for (name, fault) in faults {
        let changed = tempfile::tempdir().unwrap();
        copy(&whole, changed.path());
        fault(changed.path());
        let error = Case::open_for_reading(changed.path()).unwrap().check_tables().unwrap_err();
        assert!(matches!(&error, Error::Tampered { found } if found.iter().any(|t| t.en.contains(name))), "{error}");
    }
}

#[test]
fn entries_that_do_not_prove_themselves_do_not_count() {
    let desk = Desk::new();
    let case = desk.case();
    desk.add(&case, "avant");
    desk.add(&case, "après");
    let all = Case::open_for_reading(&case).unwrap().entries().unwrap().len();
    sql(&case, "UPDATE entry SET content = replace(content, 'avant', 'APRES') WHERE content LIKE '%avant%'");
    let open = Case::open_for_reading(&case).unwrap();
    assert_eq!(open.entries().unwrap().len(), all - 1);
    let doubts = open.doubts().unwrap();
    assert!(doubts.iter().any(|d| d.en.contains("changed outside reflexe: 1") && d.fr.contains("hors de reflexe")), "{doubts:?}");
}

#[test]
fn a_file_of_the_products_own_is_believed_from_this_device_only() {
    let desk = Desk::new();
    let case = desk.case();
    let path = case.join("judgement.json");
    let written = |device: Device| {
        let open = Case::open_as(&case, device).unwrap();
        open.written("judgement.json").unwrap()
    };
    assert_eq!(written(desk.device()), Written::Absent);
    fs::write(&path, "forged").unwrap();
    assert_eq!(written(desk.device()), Written::Changed, "no entry tells of it");
    let mut journal = Journal::open_as(&case, desk.device()).unwrap();
    journal.export(&path, b"first").unwrap();
    journal.export(&path, b"second").unwrap();
    assert_eq!(written(desk.device()), Written::Here(b"second".to_vec()));
    fs::write(&path, "first").unwrap();
    assert_eq!(written(desk.device()), Written::Changed, "an older one does not come back");
    // Another key signs an entry about what it forged.
    Journal::open_as(&case, Device::with_key([7; 32], "PC-7")).unwrap().export(&path, b"forged").unwrap();
    match written(desk.device()) {
        Written::Elsewhere(_, device) => assert!(device.starts_with("PC-7·"), "{device}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_byte_appended_to_any_file_is_named() {
    let desk = Desk::new();
    desk.import("a.json", &record(1), &Told::default()).unwrap();
    let mut journal = Journal::open_as(&desk.case(), desk.device()).unwrap();
    let file = put(desk.dir.path(), "shot.txt", "seen");
    let mut with = note("capture");
    with.attachments.push(journal.attach(&file, 100).unwrap());
    journal.add(&with).unwrap();
    for name in ["reports/report.html", "judgement.json", "preparation/pack.toml"] {
        journal.export(&desk.case().join(name), b"text").unwrap();
    }
    drop(journal);
    let files = tree(&desk.case());
    assert!(files.len() > 8, "{:?}", files.keys());
    for (name, bytes) in files {
        let path = desk.case().join(&name);
        fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
        let verified = verify(&desk.case()).unwrap();
        assert!(verified.problems.iter().any(|p| p.place == name), "{name}: {verified:#?}");
        fs::write(&path, bytes).unwrap();
        assert!(verify(&desk.case()).unwrap().is_intact(), "{name}");
    }
}

#[test]
fn a_creation_that_was_interrupted_is_no_alarm() {
    let dir = tempfile::tempdir().unwrap();
    for file in ["", "case.lock", "case.sqlite"] {
        if !file.is_empty() {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let verified = verify(dir.path()).unwrap();
        assert!(verified.is_intact() && verified.notices.len() == 1, "{verified:#?}");
    }
    assert!(matches!(verify(&dir.path().join("nowhere")), Err(Error::NotACase { .. })));
}
