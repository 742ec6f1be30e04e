//! Simulated tenants with known truth: attacked, clean, false alarm; and the clean one with its inputs removed in turn.
mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use common::{answers, list, proposed, qualify, rank, reflexe, run, verdict};
use serde_json::Value;

/// Writes a scenario; gives the folder of its evidence and its truth.
fn simulate(dir: &Path, scenario: &str, seed: u64, users: u32, events: u32) -> (PathBuf, Value) {
    let out = dir.join(format!("{scenario}-{seed}-{users}"));
    let text = |n: u64| n.to_string();
    let done = run(reflexe().args(["simulate", scenario]).arg(&out).args([
        "--seed",
        &text(seed),
        "--users",
        &text(users.into()),
        "--events",
        &text(events.into()),
    ]));
    assert_eq!(done.code, 0, "{}", done.err);
    let truth = fs::read_to_string(out.join("truth.json")).expect("the truth is beside");
    (out.join("evidence"), serde_json::from_str(&truth).expect("JSON"))
}

/// What a person declares of the simulated exports: whole, over the whole period.
fn declared(truth: &Value) -> Vec<String> {
    let time = |k: &str| truth["window"][k].as_str().expect("a time").to_owned();
    vec!["--unfiltered".into(), "Ada Lovelace".into(), "--period-from".into(), time("from"), "--period-to".into(), time("to")]
}

fn qualify_declared(case: &Path, evidence: PathBuf, truth: &Value) -> Value {
    let more = declared(truth);
    let more: Vec<&str> = more.iter().map(String::as_str).chain(["--in-place"]).collect();
    let (run, mut answers) = qualify(case, &[evidence], &more);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(answers.len(), 1, "one tenant");
    answers.remove(0)
}

/// The truth of an attack is found entirely, and the benign look-alikes stay below their bound. Seeds and sizes here
/// were not used while building.
#[test]
fn the_attacked_tenant_is_found_out() {
    let dir = tempfile::tempdir().expect("a folder");
    for (seed, users, events) in [(101, 15, 3_000), (202, 40, 6_000), (303, 15, 3_000)] {
        let (evidence, truth) = simulate(dir.path(), "aitm-admin", seed, users, events);
        let answer = qualify_declared(&dir.path().join(format!("case-{seed}")), evidence, &truth);
        let findings = list(&answer, "findings");
        for act in list(&truth, "acts") {
            let records: BTreeSet<&str> = list(act, "records").iter().filter_map(|r| r["record_id"].as_str()).collect();
            let cited =
                |f: &&Value| list(f, "rows").iter().any(|r| r["record_id"].as_str().is_some_and(|id| records.contains(id)));
            // An exported setting proves the act as well as the log does; it carries no record of the log.
            let logs = ["ual_event", "signin", "directory_audit"];
            let state = |f: &&Value| list(f, "rows").iter().all(|r| !logs.contains(&r["table"].as_str().expect("a table")));
            for expected in list(act, "expect") {
                let (check, least) = (&expected["check"], expected["at_least"].as_str().expect("a verdict"));
                let best = findings
                    .iter()
                    .filter(|f| &f["check"] == check)
                    .filter(|f| records.is_empty() || cited(f) || state(f))
                    .filter_map(|f| f["verdict"].as_str())
                    .map(rank)
                    .max();
                assert!(best >= Some(rank(least)), "seed {seed}: {} wants {check} at {least}, found {best:?}", act["id"]);
            }
            if let Some(bound) = act["at_most"].as_str() {
                for f in findings.iter().filter(cited) {
                    // A finding about another act may cite the record as context; its own subject decides.
                    let own = f["actor"] == act["actor"];
                    assert!(
                        !own || rank(f["verdict"].as_str().expect("a verdict")) <= rank(bound),
                        "seed {seed}: {} is benign: {f}",
                        act["id"]
                    );
                }
            }
        }
        for (action, least) in truth["actions"].as_object().expect("actions") {
            let state = proposed(&answer, action);
            let enough = state == "confirmed" || (least == "suspected" && state == "suspected");
            assert!(enough, "seed {seed}: {action} is {state}");
        }
        assert!(answer["severity"]["proposed"]["low"].as_u64() >= Some(3), "an administrator is compromised: at least major");
        claims_reach_their_rows(&answer, &dir.path().join(format!("case-{seed}/reports/qualification.en.html")));
    }
}

/// From the sentence of an action or a story one step leads to its findings, and one more to the rows of each.
fn claims_reach_their_rows(answer: &Value, page: &Path) {
    let page = fs::read_to_string(page).expect("the report is written");
    let findings = list(answer, "findings");
    let text = |v: &Value| v.as_str().expect("a text").to_owned();
    let concluded = list(answer, "actions").iter().filter(|a| matches!(text(&a["proposed"]).as_str(), "confirmed" | "suspected"));
    let mut claims: Vec<(String, Vec<Value>)> = concluded.map(|a| (text(&a["id"]), list(a, "because").clone())).collect();
    assert!(claims.len() >= 4, "{claims:?}");
    claims.extend(list(answer, "stories").iter().map(|s| (text(&s["id"]), list(s, "findings").clone())));
    for (claim, because) in &claims {
        assert!(!because.is_empty(), "{claim} rests on nothing");
        for id in because.iter().map(text) {
            assert!(findings.iter().any(|f| f["id"] == id.as_str()), "{claim}: {id} is not among the findings");
            assert!(page.contains(&format!("href=\"#f-{id}\"")), "{claim}: no link to {id}");
        }
    }
    for f in findings.iter().filter(|f| rank(f["verdict"].as_str().expect("a verdict")) >= rank("weakness")) {
        let id = text(&f["id"]);
        let place = page.find(&format!("id=\"f-{id}\"")).unwrap_or_else(|| panic!("{id} stands in the report"));
        let rows = list(f, "rows");
        assert!(!rows.is_empty(), "no row proves {f}");
        let locator =
            rows[0]["locator"].as_str().filter(|l| l.contains('@')).unwrap_or_else(|| panic!("no place in a file: {f}"));
        let name = rows[0]["file"].as_str().and_then(|f| f.rsplit('/').next()).filter(|n| !n.is_empty()).expect("a file");
        assert!(page[place..].contains(name), "{id}: {name} {locator} is not opened by the report");
    }
}

#[test]
fn a_false_alarm_stays_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let (evidence, truth) = simulate(dir.path(), "false-alarm", 404, 15, 3_000);
    let answer = qualify_declared(&dir.path().join("case"), evidence, &truth);
    for f in list(&answer, "findings") {
        assert_ne!(f["verdict"], "compromise", "{f}");
    }
    for action in list(&answer, "actions") {
        assert!(["not_confirmed", "unknown"].contains(&action["proposed"].as_str().expect("a state")), "{action}");
    }
    assert_eq!(verdict(&answer, "items", "1.b.3"), "weakness", "weak settings are said all the same");
}

#[test]
fn a_clean_tenant_is_ok_and_says_the_same_twice() {
    let dir = tempfile::tempdir().expect("a folder");
    let (evidence, truth) = simulate(dir.path(), "clean", 505, 15, 3_000);
    let case = dir.path().join("case");
    let answer = qualify_declared(&case, evidence.clone(), &truth);
    for check in list(&answer, "checks") {
        assert_eq!(check["verdict"], "ok", "{check}");
    }
    // An item is ok when all that it asks was looked at; what no check can look at is named, with the question for a person.
    for item in list(&answer, "items").iter().filter(|i| !list(i, "checks").is_empty()) {
        let open = list(item, "open");
        assert_eq!(item["verdict"], if open.is_empty() { "ok" } else { "unknown" }, "{item}");
        assert!(open.iter().all(|fact| fact["text"]["fr"].is_string()), "{item}");
    }
    assert_eq!(run(reflexe().args(["check", "--again", "--case"]).arg(&case)).code, 0);
    let again = answers(&run(reflexe().args(["report", "--json", "--case"]).arg(&case))).remove(0);
    assert_eq!(answer, again, "same evidence, same answer");
    let report = fs::read_to_string(case.join("reports/qualification.fr.html")).expect("the report is written");
    assert!(!report.contains("<script"), "without scripts");

    // Importing the same once more adds nothing.
    let more = run(reflexe().args(["import", "--json", "--case"]).arg(&case).arg(&evidence).arg("--in-place"));
    assert_eq!(more.code, 0, "{}", more.err);
    let held: Value = serde_json::from_str(&more.out).expect("JSON");
    assert_eq!(held["evidence"].as_array().map(Vec::len), answer["evidence"].as_array().map(Vec::len));
}

/// With each input removed in turn, the verdicts resting on it become `unknown`, never `ok`.
#[test]
fn what_is_missing_is_unknown() {
    let dir = tempfile::tempdir().expect("a folder");
    let (evidence, truth) = simulate(dir.path(), "clean", 606, 12, 1_500);
    let catalogue = reflexe_fiche::Catalogue::embedded().expect("well formed");
    let inputs = list(&truth, "inputs");
    let tables_of = |input: &Value| -> BTreeSet<String> {
        list(input, "tables").iter().filter_map(|t| t.as_str().map(str::to_owned)).collect()
    };
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(input) = inputs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let path = input["path"].as_str().expect("a path");
                    // Tables that only this input fills.
                    let mut only = tables_of(input);
                    for other in inputs.iter().filter(|o| o["path"] != input["path"]) {
                        only.retain(|t| !tables_of(other).contains(t));
                    }
                    let resting: Vec<&str> = catalogue
                        .checks
                        .iter()
                        .filter(|c| c.def.needs.iter().any(|(t, need)| only.contains(t) && need.or.is_empty()))
                        .map(|c| c.def.id.as_str())
                        .collect();
                    if resting.is_empty() {
                        continue;
                    }
                    let name = path.replace('/', "_");
                    let copy = dir.path().join(format!("without-{name}"));
                    copy_without(&evidence, &copy, Path::new(path), Path::new(""));
                    let case = dir.path().join(format!("case-{name}"));
                    let mut import = reflexe();
                    import.args(["import", "--in-place", "--json", "--case"]).arg(&case).arg(&copy).args(declared(&truth));
                    let imported = run(&mut import);
                    assert_eq!(imported.code, 0, "{}", imported.err);
                    let told = run(reflexe().args(["check", "--json", "--case"]).arg(&case).args(&resting));
                    let told: Value = serde_json::from_str(&told.out).expect("JSON");
                    let answer = list(&told, "tenants")[0].clone();
                    for id in resting {
                        assert_eq!(verdict(&answer, "checks", id), "unknown", "{id} without {path}");
                        let check = list(&answer, "checks").iter().find(|c| c["id"] == id).expect("the check");
                        assert!(!list(check, "missing").is_empty(), "{id} without {path}: nobody is told how to get it");
                    }
                }
            });
        }
    });
}

/// Sign-ins of services, declared whole, prove nothing about those of people.
#[test]
fn an_export_of_one_class_of_sign_ins_says_nothing_of_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let (evidence, truth) = simulate(dir.path(), "clean", 707, 12, 1_500);
    let people = folder_named(&evidence, "interactiveUser").expect("an export of people's sign-ins");
    let copy = dir.path().join("without");
    copy_without(&evidence, &copy, people.strip_prefix(&evidence).expect("below"), Path::new(""));
    let answer = qualify_declared(&dir.path().join("case"), copy, &truth);
    for id in ["1a.admin-signin-sources", "1a.admin-signin-anomalies", "1b.tenant-attacks"] {
        assert_eq!(verdict(&answer, "checks", id), "unknown", "{id}");
        let check = list(&answer, "checks").iter().find(|c| c["id"] == id).expect("the check");
        assert_eq!(check["missing"], serde_json::json!(["signins"]), "{id}: how to get it");
    }
    assert_eq!(verdict(&answer, "items", "1.a.4"), "unknown");
}

fn folder_named(dir: &Path, start: &str) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = fs::read_dir(dir).ok()?.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    let named = |p: &&PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(start));
    folders.iter().find(named).cloned().or_else(|| folders.iter().find_map(|f| folder_named(f, start)))
}

fn copy_without(from: &Path, to: &Path, left_out: &Path, here: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("an entry");
        let place = here.join(entry.file_name());
        if place == left_out {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_without(&entry.path(), &target, left_out, &place);
        } else {
            fs::hard_link(entry.path(), &target).expect("linked");
        }
    }
}
