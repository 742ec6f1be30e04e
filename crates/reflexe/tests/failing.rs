//! A row, a signal or a check that fails costs what rests on it, and says so: on the first screen, in the JSON and in the exit code.
mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use common::{Run, list, rank, reflexe, run, verdict};
use reflexe_fiche::Catalogue;
use serde_json::{Value, json};

/// A tree of checks to spoil.
fn tree(dir: &Path) -> PathBuf {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("made");
        for entry in fs::read_dir(from).expect("readable") {
            let path = entry.expect("an entry").path();
            let place = to.join(path.file_name().expect("a name"));
            if path.is_dir() {
                copy(&path, &place);
            } else {
                fs::copy(&path, &place).expect("copied");
            }
        }
    }
    let tree = dir.join("fiche");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fiche"), &tree);
    tree
}

/// Three rules that send mail out and hide it.
fn evidence(dir: &Path) -> PathBuf {
    let rules: Vec<String> = (0..3)
        .map(|n| {
            let parameter = |name: &str, value: &str| json!({ "Name": name, "Value": value });
            let record = json!({
                "CreationTime": format!("2026-03-02T09:0{n}:00"), "Id": format!("7c1f00a{n}-52b1-4a52-9d0e-1f2a3b4c5d6e"),
                "Operation": "New-InboxRule", "OrganizationId": "5b0f7c9d-41ce-4a57-8a1b-30c64bf7d2a1", "RecordType": 1,
                "ResultStatus": "True", "UserKey": "u", "UserType": 0, "Version": 1, "Workload": "Exchange",
                "ClientIP": "198.51.100.23", "UserId": format!("p{n}@example.com"), "ObjectId": format!("p{n}\\\\."),
                "Parameters": [
                    parameter("Name", "."), parameter("SubjectOrBodyContainsWords", "invoice;payment;virement"),
                    parameter("ForwardTo", "drop@example.org"), parameter("DeleteMessage", "True"), parameter("MarkAsRead", "True"),
                ],
            });
            record.to_string()
        })
        .collect();
    let folder = dir.join("evidence");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("audit.jsonl"), rules.join("\n")).expect("written");
    folder
}

/// One judgement with a tree of checks.
fn judge(dir: &Path, tree: &Path, case: &str, more: &[&str]) -> Run {
    let mut command = reflexe();
    command.env("REFLEXE_FICHE_DIR", tree).arg("qualify").arg(dir.join("evidence")).arg("--case").arg(dir.join(case)).args(more);
    run(&mut command)
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}\n{}\n{}", run.out, run.err))
}

/// Checks that carry an error.
fn failed(answer: &Value) -> BTreeSet<&str> {
    list(answer, "checks").iter().filter(|c| c.get("error").is_some()).filter_map(|c| c["id"].as_str()).collect()
}

#[test]
fn a_broken_check_leaves_the_others_standing() {
    let dir = tempfile::tempdir().expect("a folder");
    let tree = tree(dir.path());
    evidence(dir.path());
    fs::write(tree.join("1-type/1b-user-accounts/inbox-rule-hiding/check.sql"), "select nothing from nowhere").expect("written");
    let run = judge(dir.path(), &tree, "case", &["--json"]);
    let answer = json_of(&run);
    assert_eq!(run.code, 1, "done in part: {}", run.err);
    assert_eq!(failed(&answer), ["1b.inbox-rule-hiding"].into());
    assert_eq!(verdict(&answer, "checks", "1b.inbox-rule-hiding"), "unknown");
    assert!(rank(verdict(&answer, "checks", "1b.inbox-rule-forward")) >= rank("suspicious"));
    assert_eq!(list(&answer, "failures")[0]["what"], "1b.inbox-rule-hiding");
    let screen = judge(dir.path(), &tree, "case", &[]);
    assert!(screen.out.contains("Judged in part: 1b.inbox-rule-hiding."), "{}", screen.out);
    let page = fs::read_to_string(dir.path().join("case/reports/qualification.fr.html")).expect("the report");
    assert!(page.contains("Jugé en partie") && page.contains("nowhere"), "the first screen and the annex say it");
}

#[test]
fn a_broken_signal_costs_the_checks_that_rest_on_it_and_no_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let tree = tree(dir.path());
    evidence(dir.path());
    // `role_holder` is read by checks and by another signal.
    fs::write(tree.join("signals/role_holder.sql"), "select no_such_column from ual_event").expect("written");
    let run = judge(dir.path(), &tree, "case", &["--json"]);
    let answer = json_of(&run);
    assert_eq!(run.code, 1, "{}", run.err);
    let catalogue = Catalogue::from_dir(&tree).expect("well formed");
    let seeds = catalogue.signals.iter().filter(|s| !s.def.hostile.is_empty());
    let hostile_too = seeds
        .into_iter()
        .any(|s| s.name == "role_holder" || catalogue.signals_of(&s.sql).iter().any(|read| read.name == "role_holder"));
    let rests = |c: &&reflexe_fiche::Check| {
        catalogue.signals_of(&c.sql).iter().any(|s| s.name == "role_holder")
            || (hostile_too && c.def.signs.contains_key("in_context"))
    };
    let expected: BTreeSet<&str> = catalogue.checks.iter().filter(rests).map(|c| c.def.id.as_str()).collect();
    assert!(!expected.is_empty());
    assert_eq!(failed(&answer), expected);
    for id in expected {
        assert_ne!(verdict(&answer, "checks", id), "ok", "{id}");
    }
    assert!(list(&answer, "failures").iter().any(|f| f["what"] == "signal role_holder"), "{answer}");
    // Whatever else: the forwarding rules were seen.
    assert!(rank(verdict(&answer, "checks", "1b.inbox-rule-forward")) >= rank("suspicious"));
}

/// An export of rules that does not say whose they are, beside a log that proves some.
#[test]
fn a_row_without_subject_is_left_out_and_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let (tree, folder) = (tree(dir.path()), evidence(dir.path()));
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evidence/sources/graph-message-rule/samples/rule.json");
    let before = json_of(&judge(dir.path(), &tree, "before", &["--json"]));
    fs::copy(sample, folder.join("messageRules.json")).expect("copied");
    let run = judge(dir.path(), &tree, "after", &["--json"]);
    let after = json_of(&run);
    assert_eq!(run.code, 1, "{}", run.err);
    let found = |answer: &Value| -> BTreeSet<String> {
        list(answer, "findings")
            .iter()
            .filter(|f| f["check"].to_string().contains("inbox-rule"))
            .map(|f| f["id"].to_string())
            .collect()
    };
    assert!(found(&before).len() >= 3 && found(&after).is_superset(&found(&before)), "{:?}", found(&after));
    let told = list(&after, "failures").iter().find(|f| f["what"] == "1b.inbox-rule-forward").expect("said");
    assert!(told["error"].to_string().contains("without a subject"), "{told}");
}
