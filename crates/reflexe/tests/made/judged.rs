//! What the binary answered, asked by record: which finding cites it, and how grave.
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::who::Person;
use crate::common::{list, qualify, rank};

/// Judges a folder in a fresh case beside it; one tenant.
pub fn judge(folder: &Path, more: &[&str]) -> Value {
    let (_, mut answers) = judge_all(folder, more);
    assert_eq!(answers.len(), 1, "one tenant");
    answers.remove(0)
}

/// Judges a folder; the run and an answer for each tenant.
pub fn judge_all(folder: &Path, more: &[&str]) -> (crate::common::Run, Vec<Value>) {
    let case: PathBuf = folder.with_extension(format!("case{}", more.len()));
    let (run, answers) = qualify(&case, &[folder.to_owned()], more);
    assert!([0, 1].contains(&run.code), "{} {}", run.code, run.err);
    (run, answers)
}

/// What a person declares of a whole export.
pub fn whole<'a>(from: &'a str, to: &'a str) -> [&'a str; 6] {
    ["--unfiltered", "Ada Lovelace", "--period-from", from, "--period-to", to]
}

/// How grave a finding is.
pub fn gravity(finding: &Value) -> usize {
    rank(finding["verdict"].as_str().expect("a verdict"))
}

/// Above `info`: whoever stands there must be asked about.
pub fn blames(finding: &Value) -> bool {
    gravity(finding) > rank("unknown")
}

/// The findings that cite a record.
pub fn citing<'a>(answer: &'a Value, record: &str) -> Vec<&'a Value> {
    list(answer, "findings").iter().filter(|f| crate::common::cites(f, record)).collect()
}

/// The finding of a check that cites a record, at least that grave.
pub fn found<'a>(answer: &'a Value, check: &str, record: &str, least: &str) -> &'a Value {
    let all = citing(answer, record);
    let best = all.iter().copied().filter(|f| f["check"] == check).max_by_key(|f| gravity(f));
    match best {
        Some(f) if gravity(f) >= rank(least) => f,
        _ => panic!("{check} does not find {record} at {least} or above; cited by {}", told(&all)),
    }
}

/// Some finding, of whatever check, cites the record and is at least that grave.
pub fn cited<'a>(answer: &'a Value, record: &str, least: &str) -> &'a Value {
    let all = citing(answer, record);
    match all.iter().copied().max_by_key(|f| gravity(f)) {
        Some(f) if gravity(f) >= rank(least) => f,
        _ => panic!("no finding at {least} or above cites {record}; cited by {}", told(&all)),
    }
}

/// No finding above `info` rests on the record.
pub fn quiet(answer: &Value, record: &str) {
    let loud: Vec<&Value> = citing(answer, record).into_iter().filter(|f| blames(f)).collect();
    assert!(loud.is_empty(), "{record} is innocent: {}", told(&loud));
}

/// No finding above `info` has the person as its actor, and no sentence above `info` is about what the person did.
pub fn innocent(answer: &Value, who: Person) {
    let loud: Vec<&Value> =
        list(answer, "findings").iter().filter(|f| blames(f) && f["actor"].to_string().contains(&who.upn())).collect();
    assert!(loud.is_empty(), "{} did nothing: {}", who.upn(), told(&loud));
}

/// The stories that hold a finding.
pub fn stories_of<'a>(answer: &'a Value, finding: &Value) -> Vec<&'a Value> {
    list(answer, "stories").iter().filter(|s| list(s, "findings").contains(&finding["id"])).collect()
}

/// Findings in short, for whoever reads a failed test.
pub fn told(findings: &[&Value]) -> String {
    findings
        .iter()
        .map(|f| format!("\n  {} {} {} by {}: {}", f["verdict"], f["check"], f["subject"], f["actor"], f["text"]["en"]))
        .collect()
}

/// Every finding above `info`, in short.
pub fn all_told(answer: &Value) -> String {
    told(&list(answer, "findings").iter().filter(|f| blames(f)).collect::<Vec<_>>())
}

/// The checks of the answer with a verdict.
pub fn checks_at<'a>(answer: &'a Value, verdict: &str) -> Vec<&'a str> {
    list(answer, "checks").iter().filter(|c| c["verdict"] == verdict).filter_map(|c| c["id"].as_str()).collect()
}
