//! The matrix of honest silence: for every operation, table and export that a check needs, the evidence is cut,
//! emptied, dropped, repeated or robbed of its ids. Never `ok` without the evidence, never another verdict for a repeat.
//!
//! Nothing is listed by hand: operations and tables come from the checks' own needs. What no check needs together is
//! changed in one run, so that each check meets one fault at a time and the whole stays quick.
mod common;
#[path = "silence/world.rs"]
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use common::{list, rank, verdict};
use serde_json::Value;
use world::{Unit, World, apart, colours, lost, needed, side_by_side};

/// Tables of which a live tenant always has rows: nothing in them is a fault of the collection, never an answer.
const NEVER_EMPTY: [&str; 9] = [
    "ual_event",
    "signin",
    "directory_audit",
    "entra_user",
    "role_assignment",
    "domain",
    "accepted_domain",
    "mailbox",
    "service_principal",
];

/// The verdict of every check.
fn verdicts(answer: &Value) -> BTreeMap<String, String> {
    let text = |v: &Value| v.as_str().expect("a text").to_owned();
    list(answer, "checks").iter().map(|c| (text(&c["id"]), text(&c["verdict"]))).collect()
}

/// What the findings say, without their order and their rows.
fn sayings(answer: &Value) -> Vec<String> {
    let mut out: Vec<String> = list(answer, "findings")
        .iter()
        .map(|f| format!("{} {} {} {} {}", f["check"], f["verdict"], f["subject"], f["text"]["en"], f["text"]["fr"]))
        .collect();
    out.sort();
    out
}

/// A check that cannot be `ok` says so, and says how the missing evidence is obtained.
fn silent(answer: &Value, check: &str, why: &str, faults: &mut Vec<String>) {
    let found = list(answer, "checks").iter().find(|c| c["id"] == check).expect("the check is listed");
    match found["verdict"].as_str().expect("a verdict") {
        "ok" => faults.push(format!("{check} is ok, {why}")),
        "unknown" if list(found, "missing").is_empty() => faults.push(format!("{check}, {why}: nobody is told how to get it")),
        _ => {}
    }
}

/// What is told aloud: the notes on the evidence, and the sentences (an act of unknown content is listed as an act).
fn notes(answer: &Value) -> String {
    let notes = list(answer, "evidence").iter().flat_map(|e| list(e, "notes")).map(|n| n["en"].to_string());
    let acts = list(answer, "findings").iter().map(|f| f["text"]["en"].to_string());
    notes.chain(acts).collect::<String>().to_lowercase()
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The detail of one record of an operation cannot be read: cut by a spreadsheet, or lost by a script that wrote the
/// name of a type in its place. What it did is unknown, so the checks that need the operation are not `ok`.
#[test]
fn lost_detail_is_no_absence() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "clean", 811);
    let needs = needed();
    let groups: Vec<BTreeSet<String>> = needs.iter().map(|(_, operations)| operations.clone()).collect();
    assert!(groups.iter().map(BTreeSet::len).sum::<usize>() > 40, "operations are enumerated from the checks");
    let before = verdicts(&world.base);
    let proven = needs.iter().filter(|(check, _)| before[check] == "ok").count();
    assert!(proven >= 10, "whole evidence proves: {before:?}");

    let jobs: Vec<(bool, BTreeSet<String>)> =
        colours(&groups).into_iter().flat_map(|set| [(true, set.clone()), (false, set)]).collect();
    let faults = side_by_side(&jobs, |n, (cut, set)| {
        let mut faults = Vec::new();
        let answer = world.with(&format!("lost-{n}"), |folder| lost(folder, &world, set, *cut));
        let how = if *cut { "cut" } else { "lost" };
        let notes = notes(&answer);
        // An act of unknown content is an act: no check may fail on it.
        let failed = list(&answer, "checks").iter().filter(|c| c.get("error").is_some());
        faults.extend(failed.map(|c| format!("{} fails: {}, and the detail of {set:?} is {how}", c["id"], c["error"])));
        for (check, operations) in &needs {
            let touched: Vec<&String> = operations.intersection(set).filter(|o| *cut || world::has_depth(o)).collect();
            for operation in &touched {
                silent(&answer, check, &format!("and the detail of {operation} is {how}"), &mut faults);
                if !notes.contains(operation.as_str()) {
                    faults.push(format!("nobody says that the detail of {operation} is {how}"));
                }
            }
            // Only what was touched: a fault of one operation is not a fault of all.
            let audit = set.iter().any(|o| o.contains("audit") || o.starts_with("set-"));
            if touched.is_empty() && before[check] == "ok" && !audit && verdict(&answer, "checks", check) != "ok" {
                faults.push(format!("{check} is no longer ok, and only the detail of {set:?} is {how}"));
            }
        }
        faults
    });
    none(faults);
}

/// What fills a table is not there, has no byte, or says "nothing" where a live tenant has something.
#[test]
fn a_table_that_is_gone_or_empty_proves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "clean", 822);
    let units = world.units();
    assert!(units.len() >= 15, "tables are enumerated from the checks");
    let sets = apart(units);
    let ways = ["dropped", "without a byte", "an empty list"];
    let jobs: Vec<(&str, &Vec<Unit>)> = sets.iter().flat_map(|set| ways.map(|way| (way, set))).collect();
    let faults = side_by_side(&jobs, |n, (how, set)| {
        let mut faults = Vec::new();
        let spoilt: BTreeSet<&String> = set.iter().flat_map(|u| &u.inputs).collect();
        let answer =
            world.with(&format!("gone-{n}"), |folder| spoilt.iter().for_each(|input| world::spoil(&folder.join(input), how)));
        for unit in *set {
            // A list of rules, groups or consents may be empty in truth; a list of people may not.
            let plausible = !unit.tables.iter().all(|t| NEVER_EMPTY.contains(&t.as_str()));
            for check in unit.checks.iter().filter(|_| *how != "an empty list" || !plausible) {
                silent(&answer, check, &format!("and what fills {:?} is {how}", unit.tables), &mut faults);
            }
        }
        faults
    });
    none(faults);
}

/// In an attacked tenant, taking evidence away never makes anything `ok`, and what decides stays as long as its rows do.
#[test]
fn less_evidence_clears_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "aitm-admin", 833);
    let before = verdicts(&world.base);
    assert!(before.values().filter(|v| rank(v) >= rank("suspicious")).count() >= 5, "{before:?}");
    // What was grave only by its author, whom other evidence made a suspect, is no longer grave without that evidence: the
    // check's own rows are all there. Tables that a check itself needs are the matter of the test above.
    let context = |f: &Value| f["signs"].to_string().contains("actor_is_suspect") || f["in_context"] == true;
    let grave = |check: &str| {
        let all = list(&world.base, "findings").iter().filter(|f| f["check"] == check);
        all.filter(|f| rank(f["verdict"].as_str().expect("a verdict")) > rank("unknown")).collect::<Vec<_>>()
    };
    let by_context: BTreeSet<&String> =
        before.keys().filter(|check| !grave(check).is_empty() && grave(check).into_iter().all(context)).collect();
    let inputs = world.inputs();
    // An empty list of what may be empty is an answer, so only the others are emptied.
    let never = |tables: &BTreeSet<String>| tables.iter().any(|t| NEVER_EMPTY.contains(&t.as_str()));
    let emptied: Vec<&String> = inputs.iter().filter(|(_, tables)| never(tables)).map(|(path, _)| path).collect();
    let jobs: Vec<(&str, BTreeSet<String>)> = (inputs.iter().map(|(path, _)| ("dropped", BTreeSet::from([path.clone()]))))
        .chain(emptied.chunks(2).map(|some| ("an empty list", some.iter().map(|p| (*p).clone()).collect())))
        .collect();
    let faults = side_by_side(&jobs, |n, (how, set)| {
        let answer =
            world.with(&format!("less-{n}"), |folder| set.iter().for_each(|input| world::spoil(&folder.join(input), how)));
        let after = verdicts(&answer);
        let cleared = after.iter().filter(|(check, v)| *v == "ok" && before[*check] != "ok" && !by_context.contains(*check));
        cleared.map(|(check, _)| format!("{check} was {}, and is ok with {set:?} {how}", before[check])).collect()
    });
    none(faults);
}

/// Every export twice, with other bytes and the same records: the same verdicts, the same sentences.
#[test]
fn a_repeat_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let worlds = ["clean", "aitm-admin"].map(|s| World::new(dir.path(), s, 844));
    let faults = side_by_side(&worlds, |_, world| {
        let answer = world.with("twice", |folder| {
            world::files(folder).iter().filter(|f| f.extension().is_some_and(|e| e == "json")).for_each(|file| {
                let mut bytes = fs::read(file).expect("readable");
                bytes.push(b'\n');
                fs::write(file.with_extension("second.json"), bytes).expect("written");
            });
        });
        compare(world, &answer)
    });
    none(faults);
}

fn compare(world: &World, answer: &Value) -> Vec<String> {
    let (before, after) = (verdicts(&world.base), verdicts(answer));
    let mut faults: Vec<String> = Vec::new();
    for (check, verdict) in &before {
        if &after[check] != verdict {
            faults.push(format!("{}: {check} was {verdict} and is {}", world.scenario, after[check]));
        }
    }
    let (old, new) = (sayings(&world.base), sayings(answer));
    faults.extend(old.iter().filter(|s| !new.contains(s)).map(|s| format!("{}: no longer said: {s}", world.scenario)));
    faults.extend(new.iter().filter(|s| !old.contains(s)).map(|s| format!("{}: newly said: {s}", world.scenario)));
    faults
}

/// Records without ids, or all with one redacted id: no finding changes.
#[test]
fn ids_carry_no_proof() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "aitm-admin", 855);
    let jobs = [None, Some("[REDACTED]")];
    let faults = side_by_side(&jobs, |n, id| {
        let answer = world.with(&format!("ids-{n}"), |folder| {
            world::files(&folder.join("Output"))
                .iter()
                .filter(|f| f.extension().is_some_and(|e| e == "json"))
                .for_each(|f| redact(f, *id));
        });
        compare(&world, &answer)
    });
    none(faults);
}

/// Takes the records' own ids away, or makes them all one. Only the id of the record: those of people and sessions stay.
fn redact(file: &Path, id: Option<&str>) {
    let text = fs::read_to_string(file).expect("readable");
    let mut out = String::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        let mut value = value.expect("JSON");
        for key in ["Id", "id"] {
            if let Some(object) = value.as_object_mut().filter(|o| o.contains_key(key)) {
                match id {
                    Some(id) => drop(object.insert(key.into(), id.into())),
                    None => drop(object.shift_remove(key)),
                }
            }
        }
        out.push_str(&format!("{value}\n"));
    }
    fs::remove_file(file).expect("removed"); // the copy is a hard link
    fs::write(file, out).expect("written");
}
