//! Runs the binary as a person would and reads its JSON.
#![allow(dead_code, clippy::print_stdout)] // each test file uses its own part; a skipped test says so
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A command of the binary, in English, deaf to the machine's locale.
pub fn reflexe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reflexe"));
    command.env("LC_ALL", "en_US.UTF-8").env("NO_COLOR", "1").env_remove("REFLEXE_FICHE_DIR");
    command
}

/// What a run printed and how it ended.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn run(command: &mut Command) -> Run {
    let Output { status, stdout, stderr } = command.output().expect("the binary starts");
    Run {
        code: status.code().expect("it ends by itself"),
        out: String::from_utf8(stdout).expect("UTF-8"),
        err: String::from_utf8(stderr).expect("UTF-8"),
    }
}

/// Qualifies paths in a fresh case; one answer per tenant, each valid against the published schema.
pub fn qualify(case: &Path, paths: &[PathBuf], more: &[&str]) -> (Run, Vec<Value>) {
    let run = run(reflexe().arg("qualify").args(paths).arg("--case").arg(case).arg("--json").args(more));
    let answers = answers(&run);
    (run, answers)
}

pub fn answers(run: &Run) -> Vec<Value> {
    let schema: Value = serde_json::from_str(reflexe_report::SCHEMA_JSON).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let whole: Value = serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}\n{}\n{}", run.out, run.err));
    let answers = if whole["schema"] == "reflexe.qualifications/1" {
        let faults: Vec<String> = several().iter_errors(&whole).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{faults:#?}");
        list(&whole, "tenants").clone()
    } else {
        vec![whole]
    };
    for answer in &answers {
        let faults: Vec<String> = validator.iter_errors(answer).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{faults:#?}");
        for check in answer["checks"].as_array().expect("checks") {
            assert!(check.get("error").is_none(), "{check}");
        }
    }
    answers
}

/// The published schema of the answers of several tenants, with the one that it refers to.
pub fn several() -> jsonschema::Validator {
    let [one, several]: [Value; 2] = [reflexe_report::SCHEMA_JSON, reflexe_report::SCHEMA_SEVERAL_JSON]
        .map(|schema| serde_json::from_str(schema).expect("the schema is JSON"));
    let id = one["$id"].as_str().expect("an id").to_owned();
    let registry = jsonschema::Registry::new().add(id, one).expect("an URI").prepare().expect("a registry");
    jsonschema::options().with_registry(&registry).build(&several).expect("the schema is one")
}

/// Real evidence that stands beside the repository; `None`, with a printed line, where it does not.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        Some(path)
    } else {
        println!("skipped: {name} is not here");
        None
    }
}

pub fn list<'a>(answer: &'a Value, key: &str) -> &'a Vec<Value> {
    answer[key].as_array().unwrap_or_else(|| panic!("{key} is a list"))
}

/// The verdict of an item or a check.
pub fn verdict<'a>(answer: &'a Value, key: &str, id: &str) -> &'a str {
    let found = list(answer, key).iter().find(|i| i["id"] == id).unwrap_or_else(|| panic!("{id} is listed"));
    found["verdict"].as_str().expect("a verdict")
}

/// What an action's conclusion is proposed to be.
pub fn proposed<'a>(answer: &'a Value, id: &str) -> &'a str {
    let found = list(answer, "actions").iter().find(|i| i["id"] == id).unwrap_or_else(|| panic!("{id} is listed"));
    found["proposed"].as_str().expect("a state")
}

/// Whether a finding cites a record.
pub fn cites(finding: &Value, record: &str) -> bool {
    list(finding, "rows").iter().any(|r| r["record_id"].as_str() == Some(record))
}

/// Rank of a verdict: the worst wins.
pub fn rank(verdict: &str) -> usize {
    ["ok", "info", "unknown", "weakness", "suspicious", "compromise"].iter().position(|v| *v == verdict).expect("a verdict")
}
