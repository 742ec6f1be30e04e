//! Hard mixes of the simulator are judged by the real binary, in little memory: nothing hangs, nothing is given up.
mod common;

use std::path::Path;

use common::{qualify, reflexe, run};

fn judged(mix: &str, rows: &str, more: &[&str]) -> serde_json::Value {
    let work = tempfile::tempdir().expect("a folder");
    let out = work.path().join("sim");
    let made = run(reflexe().env("REFLEXE_HOME", work.path()).args(["simulate", mix]).arg(&out).args(["--events", rows]));
    assert_eq!(made.code, 0, "{}", made.err);
    let (run, mut answers) = qualify(&work.path().join("case"), &[Path::new(&out).join("evidence")], more);
    let answer = answers.pop().unwrap_or_else(|| panic!("{mix}: no answer: {}", run.err));
    for check in common::list(&answer, "checks") {
        assert!(check["error"].is_null(), "{mix}: {}: {}", check["id"], check["error"]);
    }
    answer
}

fn count(answer: &serde_json::Value, check: &str) -> u64 {
    let findings = common::list(answer, "findings").iter().filter(|f| f["check"] == check);
    findings.filter_map(|f| f["count"].as_u64()).sum()
}

/// So many that a join is cut into partitions: see docs/adr/0007.
#[test]
fn many_refused_sign_ins_of_one_account_are_judged() {
    let answer = judged("hard-one-account", "135000", &["--memory", "64M"]);
    assert_eq!(count(&answer, "1b.tenant-attacks"), 135_000);
}

#[test]
fn one_address_that_tries_everybody_is_judged() {
    let answer = judged("hard-one-address", "20000", &["--memory", "64M"]);
    assert!(count(&answer, "1b.tenant-attacks") >= 20_000);
}

#[test]
fn many_small_files_are_judged() {
    let answer = judged("hard-small-files", "150", &["--memory", "64M"]);
    assert!(count(&answer, "1b.mbx-delegation-change") >= 150);
}
