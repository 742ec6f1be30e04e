//! What a simulation promises: the same bytes for the same options, exact sizes, files that parse, a truth that can be found.
#![allow(clippy::unwrap_used)] // a test
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use reflexe_simulate::{Error, Options, Parts, UalFormat, scenarios, simulate};
use serde_json::Value;

fn files(root: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"), path);
            }
        }
    }
    found
}

fn small(scenario: &str) -> Options {
    Options { events: 4_000, ..Options::new(scenario) }
}

/// The records of a JSON Lines file or of an array.
fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(&text).unwrap();
    }
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn ual(root: &Path) -> Vec<Value> {
    files(root)
        .iter()
        .filter(|(name, _)| name.contains("/UAL-") && name.ends_with(".json"))
        .flat_map(|(_, path)| records(path))
        .collect()
}

#[test]
fn the_same_options_give_the_same_bytes_and_another_seed_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b, c) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("c"));
    simulate(&small("aitm-admin"), &a).unwrap();
    simulate(&small("aitm-admin"), &b).unwrap();
    simulate(&Options { seed: 2, ..small("aitm-admin") }, &c).unwrap();
    let (first, second) = (files(&a), files(&b));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, path) in &first {
        assert_eq!(fs::read(path).unwrap(), fs::read(&second[name]).unwrap(), "{name}");
    }
    assert_ne!(fs::read(a.join("truth.json")).unwrap(), fs::read(c.join("truth.json")).unwrap());
}

#[test]
fn every_record_of_the_truth_is_where_it_says_in_every_scenario_form_and_size() {
    for scenario in scenarios().unwrap() {
        for (seed, users, events, form) in
            [(3, 12, 400, UalFormat::Jsonl), (11, 150, 2_500, UalFormat::Jsonl), (29, 35, 1_000, UalFormat::Csv)]
        {
            let dir = tempfile::tempdir().unwrap();
            let options = Options { seed, users, events, ual: form, ..Options::new(&scenario.name) };
            let summary = simulate(&options, dir.path()).unwrap();
            let mut held: HashMap<String, BTreeSet<String>> = HashMap::new();
            for (name, path) in files(&summary.evidence) {
                let ids = held.entry(name.clone()).or_default();
                if name.ends_with(".csv") {
                    let mut reader = csv::Reader::from_path(path).unwrap();
                    for row in reader.records() {
                        let row = row.unwrap();
                        let data: Value = serde_json::from_str(&row[4]).unwrap();
                        assert_eq!(
                            (&row[7], &row[3], &row[2]),
                            (text(&data, "Id"), text(&data, "Operation"), text(&data, "UserId"))
                        );
                        ids.insert(row[7].to_owned());
                    }
                } else if name.starts_with("Output/") && name.ends_with(".json") {
                    ids.extend(records(&path).iter().map(|r| r["Id"].as_str().or(r["id"].as_str()).unwrap().to_owned()));
                } else if name.ends_with(".json") {
                    records_of_a_document(&path);
                }
            }
            let truth: Value = serde_json::from_slice(&fs::read(&summary.truth).unwrap()).unwrap();
            for act in truth["acts"].as_array().unwrap() {
                assert!(act["hostile"] == true || act["at_most"].is_string(), "{} is neither hostile nor harmless", act["id"]);
                for record in act["records"].as_array().unwrap() {
                    let file = text(record, "file");
                    assert!(held[file].contains(text(record, "record_id")), "{} {record}", act["id"]);
                }
            }
            for input in truth["inputs"].as_array().unwrap() {
                assert!(summary.evidence.join(text(input, "path")).exists(), "{input}");
            }
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn records_of_a_document(path: &Path) {
    let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(
        document.is_object() || document.as_array().is_some_and(|l| !l.is_empty()),
        "{} would not be recognised",
        path.display()
    );
    assert!(document.get("@odata.nextLink").is_none());
}

#[test]
fn sizes_are_exact_and_a_window_never_passes_the_tool_s_cap() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { events: 20_000, users: 60, ..Options::new("aitm-admin") };
    let summary = simulate(&options, dir.path()).unwrap();
    let mut ids = BTreeSet::new();
    let mut rows = 0;
    for (name, path) in files(&summary.evidence).iter().filter(|(n, _)| n.contains("/UAL-")) {
        let window = records(path);
        assert!(window.len() < 5_000, "{name}");
        assert!(
            window.windows(2).all(|two| text(&two[0], "CreationTime") <= text(&two[1], "CreationTime")),
            "{name} is not in order"
        );
        rows += window.len() as u64;
        ids.extend(window.iter().map(|r| text(r, "Id").to_owned()));
    }
    assert_eq!((rows, rows), (20_000, summary.ual_records));
    assert_eq!(ids.len() as u64, summary.ual_records - summary.ual_repeated);
    let log = fs::read_to_string(summary.evidence.join("Output/LogFile.txt")).unwrap();
    assert_eq!(log.lines().filter(|l| l.contains("[INFO] Found ")).count() as u64, summary.ual_files);
    assert!(log.contains("Target: All users") && log.contains("  Total Records: 20000"));
}

#[test]
fn one_file_for_a_benchmark() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { events: 50_000, users: 300, parts: Parts::UalOnly, ..Options::new("clean") };
    let summary = simulate(&options, dir.path()).unwrap();
    let found = files(&summary.evidence);
    assert_eq!(found.len(), 1);
    let bytes = fs::metadata(found.values().next().unwrap()).unwrap().len();
    assert!((1_500..2_200).contains(&(bytes / 50_000)), "{} bytes a record", bytes / 50_000);
}

#[test]
fn logons_are_the_same_in_both_logs_and_people_stay_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    simulate(&small("clean"), dir.path()).unwrap();
    let signins: HashMap<String, Value> = files(dir.path())
        .iter()
        .filter(|(name, _)| name.ends_with("nonInteractiveUser-SignInLogs.json"))
        .flat_map(|(_, path)| records(path))
        .map(|r| (text(&r, "id").to_owned(), r))
        .collect();
    let log = ual(dir.path());
    let logons: Vec<&Value> = log.iter().filter(|r| r["RecordType"] == 15).collect();
    assert!(logons.len() > 300);
    for logon in &logons {
        let signin = &signins[text(logon, "Id")];
        assert_eq!(text(signin, "ipAddress"), text(logon, "ClientIP"));
        assert_eq!(text(signin, "userPrincipalName"), text(logon, "UserId"));
        assert_eq!(signin["status"]["errorCode"].to_string(), text(logon, "ErrorNumber"));
    }
    // One place a day for each person: nobody travels faster than a train.
    let mut places: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for signin in signins.values() {
        let day = text(signin, "createdDateTime")[..10].to_owned();
        places.entry((text(signin, "userId").to_owned(), day)).or_default().insert(text(signin, "ipAddress").to_owned());
    }
    assert!(places.values().all(|ips| ips.len() == 1));
    // Every address is one that belongs to nobody.
    let foreign = signins
        .values()
        .map(|s| text(s, "ipAddress"))
        .find(|ip| !["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"].iter().any(|range| ip.starts_with(range)));
    assert_eq!(foreign, None);
}

#[test]
fn the_clean_tenant_is_the_attacked_one_without_the_attack() {
    let dir = tempfile::tempdir().unwrap();
    let (attacked, clean) = (dir.path().join("attacked"), dir.path().join("clean"));
    simulate(&small("aitm-admin"), &attacked).unwrap();
    simulate(&small("clean"), &clean).unwrap();
    let users = |root: &Path| fs::read(root.join("evidence/graph/users.json")).unwrap();
    assert_eq!(users(&attacked), users(&clean));
    let operations = |root: &Path| ual(root).iter().map(|r| text(r, "Operation").to_owned()).collect::<BTreeSet<_>>();
    let hostile = [
        "New-TransportRule",
        "New-InboxRule",
        "Consent to application.",
        "Add member to role.",
        "AnonymousLinkCreated",
        "AlertTriggered",
        "SendAs",
    ];
    let (bad, good) = (operations(&attacked), operations(&clean));
    for operation in hostile {
        assert!(bad.contains(operation) && !good.contains(operation), "{operation}");
    }
}

#[test]
fn wrong_options_are_refused_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(simulate(&Options::new("nothing"), dir.path()), Err(Error::UnknownScenario { .. })));
    assert!(matches!(simulate(&Options { users: 3, ..small("clean") }, dir.path()), Err(Error::Options(_))));
    assert!(matches!(simulate(&Options { days: 2, ..small("clean") }, dir.path()), Err(Error::Options(_))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    simulate(&small("clean"), dir.path()).unwrap();
    assert!(matches!(simulate(&small("clean"), dir.path()), Err(Error::Exists(_))));
}
