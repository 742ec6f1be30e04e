//! A simulated tenant whose evidence is spoiled copy by copy, and the operations that the checks need.
#![allow(dead_code)] // each test file uses its own part
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use serde_json::{Value, json};

use crate::common::{list, reflexe, run};

/// A tenant, its truth, and what is said of its whole evidence, declared unfiltered.
pub struct World {
    pub scenario: String,
    dir: PathBuf,
    truth: Value,
    pub base: Value,
}

impl World {
    pub fn new(dir: &Path, scenario: &str, seed: u32) -> Self {
        let dir = dir.join(scenario);
        let done = run(reflexe().args(["simulate", scenario]).arg(&dir).args([
            "--users",
            "12",
            "--events",
            "400",
            "--seed",
            &seed.to_string(),
        ]));
        assert_eq!(done.code, 0, "{}", done.err);
        let truth = serde_json::from_str(&fs::read_to_string(dir.join("truth.json")).expect("the truth")).expect("JSON");
        let mut world = World { scenario: scenario.into(), dir, truth, base: Value::Null };
        world.base = world.judge(&world.dir.join("evidence"), "whole");
        world
    }

    fn judge(&self, evidence: &Path, name: &str) -> Value {
        let time = |k: &str| self.truth["window"][k].as_str().expect("a time");
        let more = ["--in-place", "--unfiltered", "Ada Lovelace", "--period-from", time("from"), "--period-to", time("to")];
        let mut command = reflexe();
        let done = run(command
            .arg("qualify")
            .arg(evidence)
            .arg("--case")
            .arg(self.dir.join(format!("case-{name}")))
            .arg("--json")
            .args(more));
        assert!([0, 1, 3].contains(&done.code), "{name}: {}", done.err);
        let answer: Value = serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{name}: {e}: {}", done.err));
        assert!(answer.get("tenants").is_none(), "{name}: one tenant");
        answer
    }

    /// A copy of the evidence, spoiled, judged.
    pub fn with(&self, name: &str, spoil: impl FnOnce(&Path)) -> Value {
        let copy = self.dir.join(name);
        link_all(&self.dir.join("evidence"), &copy);
        spoil(&copy);
        self.judge(&copy, name)
    }

    /// Exports with the tables that each fills.
    pub fn inputs(&self) -> Vec<(String, BTreeSet<String>)> {
        let texts = |v: &Value| v.as_array().expect("a list").iter().filter_map(|t| t.as_str().map(str::to_owned)).collect();
        let all =
            list(&self.truth, "inputs").iter().map(|i| (i["path"].as_str().expect("a path").to_owned(), texts(&i["tables"])));
        all.filter(|(path, _)| self.dir.join("evidence").join(path).exists()).collect()
    }

    /// What the checks cannot be `ok` without: each table that a need names (with those that serve instead), the exports
    /// that fill it, and the checks that need it.
    pub fn units(&self) -> Vec<Unit> {
        let catalogue = reflexe_fiche::Catalogue::embedded().expect("well formed");
        let inputs = self.inputs();
        let mut out: Vec<Unit> = Vec::new();
        for check in &catalogue.checks {
            for (table, need) in &check.def.needs {
                let tables: BTreeSet<String> = need.or.iter().chain([table]).cloned().collect();
                match out.iter_mut().find(|u| u.tables == tables) {
                    Some(unit) => drop(unit.checks.insert(check.def.id.clone())),
                    None => {
                        let fills =
                            inputs.iter().filter(|(_, t)| !t.is_disjoint(&tables)).map(|(path, _)| path.clone()).collect();
                        out.push(Unit { tables, inputs: fills, checks: BTreeSet::from([check.def.id.clone()]) });
                    }
                }
            }
        }
        // A need of people's answers is no export.
        out.retain(|u| !u.inputs.is_empty());
        out
    }

    fn user(&self) -> String {
        let users = fs::read_to_string(self.dir.join("evidence/graph/users.json")).expect("people");
        let users: Value = serde_json::from_str(&users).expect("JSON");
        list(&users, "value")[3]["userPrincipalName"].as_str().expect("a name").to_owned()
    }
}

/// Tables that serve one need, the exports that fill them, the checks that need them.
pub struct Unit {
    pub tables: BTreeSet<String>,
    pub inputs: BTreeSet<String>,
    pub checks: BTreeSet<String>,
}

/// Units of which none touches the evidence of another's checks: each check meets one fault at a time.
pub fn apart(units: Vec<Unit>) -> Vec<Vec<Unit>> {
    let mut rests: std::collections::BTreeMap<String, BTreeSet<String>> = std::collections::BTreeMap::new();
    for unit in &units {
        for check in &unit.checks {
            rests.entry(check.clone()).or_default().extend(unit.inputs.iter().cloned());
        }
    }
    let touches = |a: &Unit, b: &Unit| b.checks.iter().any(|c| !a.inputs.is_disjoint(&rests[c]));
    let mut out: Vec<Vec<Unit>> = Vec::new();
    for unit in units {
        match out.iter_mut().find(|set| set.iter().all(|other| !touches(&unit, other) && !touches(other, &unit))) {
            Some(set) => set.push(unit),
            None => out.push(vec![unit]),
        }
    }
    out
}

/// The operations that a check needs, of the tables whose rows are records of a log.
pub fn needed() -> Vec<(String, BTreeSet<String>)> {
    let catalogue = reflexe_fiche::Catalogue::embedded().expect("well formed");
    let of = |c: &reflexe_fiche::Check| {
        let logs = c.def.needs.iter().filter(|(t, _)| ["ual_event", "directory_audit"].contains(&t.as_str()));
        logs.flat_map(|(_, need)| need.operations.iter().cloned()).collect::<BTreeSet<String>>()
    };
    catalogue.checks.iter().map(|c| (c.def.id.clone(), of(c))).filter(|(_, o)| !o.is_empty()).collect()
}

/// Sets of things of which no two belong to one group: they may be changed together.
pub fn colours(groups: &[BTreeSet<String>]) -> Vec<BTreeSet<String>> {
    let mut out: Vec<BTreeSet<String>> = Vec::new();
    for item in groups.iter().flatten().collect::<BTreeSet<_>>() {
        let clash = |set: &BTreeSet<String>| groups.iter().any(|g| g.contains(item) && set.iter().any(|other| g.contains(other)));
        match out.iter_mut().find(|set| !clash(set)) {
            Some(set) => drop(set.insert(item.clone())),
            None => out.push(BTreeSet::from([item.clone()])),
        }
    }
    out
}

/// Does the jobs two at a time; gives all that they found.
pub fn side_by_side<T: Sync>(jobs: &[T], work: impl Fn(usize, &T) -> Vec<String> + Sync) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(n) else { return };
                    let faults = work(n, job);
                    found.lock().expect("whole").extend(faults);
                }
            });
        }
    });
    found.into_inner().expect("whole")
}

/// Whether the detail of an operation stands in nested members, which a shallow script loses. Cmdlets have their
/// parameters, directory changes their properties; a link or a message has plain members.
pub fn has_depth(operation: &str) -> bool {
    operation.contains('-') || operation.contains(' ')
}

/// The operation as a log writes it.
fn written(operation: &str) -> String {
    let upper = |word: &str| word[..1].to_uppercase() + &word[1..];
    if operation.contains(' ') { upper(operation) } else { operation.split('-').map(upper).collect::<Vec<_>>().join("-") }
}

/// One record of each operation, whose detail is cut (a spreadsheet) or lost (a script), beside the whole evidence.
pub fn lost(folder: &Path, world: &World, operations: &BTreeSet<String>, cut: bool) {
    let (user, tenant) = (world.user(), world.base["case"]["tenant"]["id"].as_str().expect("a tenant").to_owned());
    let at = world.truth["window"]["to"].as_str().expect("a time")[..8].to_owned() + "12T10:15:00";
    let mut csv = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    csv.write_record([
        "RecordType",
        "CreationDate",
        "UserIds",
        "Operations",
        "AuditData",
        "ResultIndex",
        "ResultCount",
        "Identity",
        "IsValid",
        "ObjectState",
    ])
    .expect("written");
    let (mut lines, mut directory) = (String::new(), Vec::new());
    for (n, operation) in operations.iter().enumerate() {
        let entra = operation.contains(' ');
        let name = written(operation) + if entra { "." } else { "" };
        let id = format!("aaaaaaaa-0000-4000-8000-{n:012}");
        let (kind, kind_name, workload) = match entra {
            true => (8, "AzureActiveDirectory", "AzureActiveDirectory"),
            false => (1, "ExchangeAdmin", "Exchange"),
        };
        let gone = "System.Object[]";
        let record = json!({
            "CreationTime": at, "Id": id, "Operation": name, "OrganizationId": tenant, "RecordType": kind, "ResultStatus": "True",
            "UserKey": "100320000000BEEF", "UserType": 0, "Version": 1, "Workload": workload, "UserId": user, "ClientIP": "192.0.2.10",
            "Parameters": gone, "ModifiedProperties": gone, "ExtendedProperties": gone, "Target": gone, "Actor": gone,
        });
        if cut {
            let whole = record.to_string();
            let end = whole.find("\"Parameters\"").expect("a place") + 7;
            let time = format!("{}/12/{} 10:15:00 AM", at[5..7].trim_start_matches('0'), &at[..4]);
            csv.write_record([kind_name, &time, &user, &name, &whole[..end], "1", "1", &id, "True", "Unchanged"])
                .expect("written");
        } else if has_depth(operation) {
            lines.push_str(&format!("{record}\n"));
        }
        if entra {
            directory.push(json!({
                "id": format!("Directory_{id}_LOST_{n}"), "category": "Policy", "correlationId": id, "result": "success", "resultReason": "",
                "activityDisplayName": written(operation), "activityDateTime": format!("{at}Z"), "loggedByService": "Core Directory", "operationType": "Update",
                "initiatedBy": { "app": null, "user": { "id": id, "displayName": null, "userPrincipalName": user, "ipAddress": "192.0.2.10" } },
                "targetResources": gone, "additionalDetails": gone,
            }));
        }
    }
    let put = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).expect("written");
    match cut {
        true => put("cut.csv", csv.into_inner().expect("flushed")),
        false if lines.is_empty() => {}
        false => put("lost.json", lines.into_bytes()),
    }
    if !directory.is_empty() {
        put("lost-directory.json", json!(directory).to_string().into_bytes());
    }
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out.sort();
    out
}

/// Drops an export (a file, or all files of a folder), takes its bytes, or leaves its form without rows.
pub fn spoil(export: &Path, how: &str) {
    let all = if export.is_dir() { files(export) } else { vec![export.to_owned()] };
    for file in all {
        let before = fs::read_to_string(&file).expect("readable");
        fs::remove_file(&file).expect("removed"); // the copy is a hard link: the original keeps its bytes
        let left = match how {
            "dropped" => continue,
            "an empty list" => match serde_json::from_str::<Value>(&before) {
                Ok(mut page) if page.get("value").is_some() => {
                    page["value"] = json!([]);
                    page.to_string()
                }
                _ => "[]".to_owned(),
            },
            _ => String::new(),
        };
        fs::write(&file, left).expect("written");
    }
}

fn link_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            link_all(&entry.path(), &target);
        } else {
            fs::hard_link(entry.path(), &target).expect("linked");
        }
    }
}
