//! What a person may drop by mistake or by misfortune: each gives a clear message, the rest goes on, nothing is lost, the
//! exit code says so.
mod common;

use std::fs;

use common::{list, reflexe, run};
use serde_json::Value;

const RECORD: &str = r#"{"CreationTime":"2026-02-03T08:41:22","Id":"5f0f6a51-0c11-4d9a-9d0a-08de12ab34cd","Operation":"New-InboxRule","OrganizationId":"11111111-2222-3333-4444-555555555555","RecordType":1,"ResultStatus":"True","UserKey":"1","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"203.0.113.66","ObjectId":"x","UserId":"c.martin@example.com","Parameters":[{"Name":"Name","Value":".."}]}"#;

#[test]
fn each_kind_of_bad_file_is_told_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let evidence = dir.path().join("evidence");
    fs::create_dir(&evidence).expect("a folder");
    let id = |n: u32| RECORD.replace("5f0f6a51", &format!("{n:08x}"));
    fs::write(evidence.join("good.jsonl"), format!("{}\n", id(1))).expect("written");
    fs::write(evidence.join("empty.json"), "").expect("written");
    fs::write(evidence.join("truncated.jsonl"), format!("{}\n{}", id(2), &id(3)[..200])).expect("written");
    fs::write(evidence.join("notes.bin"), [0_u8, 159, 146, 150, 7].repeat(100)).expect("written");
    fs::write(evidence.join("README.md"), "# about these files\n").expect("written");
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(format!("{}\r\n", id(4)).encode_utf16().flat_map(u16::to_le_bytes)).collect();
    fs::write(evidence.join("utf16.json"), utf16).expect("written");
    let mut invalid = format!("{}\n", id(5)).into_bytes();
    let at = invalid.windows(8).position(|w| w == b"c.martin").expect("the name");
    invalid[at] = 0xff;
    fs::write(evidence.join("invalid.jsonl"), invalid).expect("written");
    let big = format!("{}\n{}\n", id(6).replace("\"..\"", &format!("\"{}\"", "x".repeat(50 << 20))), id(7));
    fs::write(evidence.join("big.jsonl"), big).expect("written");

    let case = dir.path().join("case");
    let done = run(reflexe().args(["import", "--json", "--case"]).arg(&case).arg(&evidence));
    assert_eq!(done.code, 1, "done, but something was rejected or not recognised: {}", done.err);
    let held: Value = serde_json::from_str(&done.out).expect("JSON");
    let rows = |name: &str| {
        let file = list(&held, "evidence").iter().find(|e| e["path"].as_str().is_some_and(|p| p.ends_with(name)));
        file.map(|f| f["rows"].clone()).unwrap_or_else(|| panic!("{name} is recognised"))
    };
    let n = |rows: &Value, key: &str| rows[key].as_u64().expect("a count");
    assert_eq!(n(&rows("good.jsonl"), "kept"), 1);
    assert_eq!((n(&rows("truncated.jsonl"), "kept"), n(&rows("truncated.jsonl"), "rejected")), (1, 1));
    assert_eq!(n(&rows("utf16.json"), "kept"), 1);
    assert_eq!(n(&rows("invalid.jsonl"), "read"), 1);
    let big = rows("big.jsonl");
    assert_eq!((n(&big, "read"), n(&big, "kept") + n(&big, "rejected")), (2, 2), "a row of 50 MB stops nothing");
    let unrecognised = list(&held, "unrecognised");
    for (name, harmless) in [("empty.json", false), ("notes.bin", false), ("README.md", true)] {
        let found = unrecognised.iter().find(|u| u["path"].as_str().is_some_and(|p| p.ends_with(name)));
        let found = found.unwrap_or_else(|| panic!("{name} is listed"));
        assert!(found["reason"]["fr"].as_str().is_some_and(|r| !r.is_empty()) && found["reason"]["en"] != found["reason"]["fr"]);
        assert!(!harmless || found["harmless"] == true, "{found}");
    }
}

#[test]
fn wrong_use_and_failure_have_their_own_codes() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(run(reflexe().arg("qualify")).code, 2, "no evidence named");
    let missing = run(reflexe().args(["query", "select 1", "--lang", "fr", "--case"]).arg(dir.path().join("nothing")));
    assert_eq!(missing.code, 3);
    assert!(missing.err.contains("cas"), "in French: {}", missing.err);
    let nowhere = run(reflexe().arg("import").arg(dir.path().join("nowhere")).arg("--case").arg(dir.path().join("case")));
    assert_eq!(nowhere.code, 1, "named, not there: {}", nowhere.err);
    assert!(nowhere.out.contains("nowhere"), "{}", nowhere.out);
}
