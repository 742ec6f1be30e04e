//! What is printed obeys nobody, and whoever reads it may go away: each printing command ends quietly when its output is closed,
//! with a sentence when it is full, and never by a panic or a signal.
#![cfg(unix)]
mod common;

use std::{
    fs,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
};

use common::{list, reflexe, run};
use serde_json::Value;

/// A judged case, and the commands that print about it.
fn commands(dir: &Path) -> Vec<Vec<String>> {
    let text = |p: &Path| p.to_str().expect("UTF-8").to_owned();
    let (tenant, case) = (dir.join("tenant"), dir.join("case"));
    let made = run(reflexe().args(["simulate", "aitm-admin"]).arg(&tenant).args(["--users", "12", "--events", "1000"]));
    assert_eq!(made.code, 0, "{}", made.err);
    let (case, evidence) = (text(&case), text(&tenant.join("evidence")));
    let first = run(reflexe().args(["qualify", &evidence, "--case", &case, "--json"]));
    assert_eq!(first.code, 0, "{}", first.err);
    let answer: Value = serde_json::from_str(&first.out).expect("JSON");
    let locator = list(&list(&answer, "findings")[0], "rows")[0]["locator"].as_str().expect("a locator").to_owned();
    let pack = text(&dir.join("pack"));
    assert_eq!(run(reflexe().args(["prepare", "new", &pack])).code, 0);
    let plain: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &["check", "--help"],
        &["glossary"],
        &["attacks"],
        &["tables"],
        &["tables", "ual_event"],
        &["checks"],
        &["items"],
        &["sources"],
        &["simulate"],
        &["prepare", "check", &pack],
    ];
    let on_case: &[&[&str]] = &[
        &["check"],
        &["check", "1b.external-forwarding"],
        &["row", &locator],
        &["report"],
        &["import", &evidence],
        &["qualify", &evidence],
        &["query", "select * from ual_event"],
        &["query", "select * from ual_event", "--format", "csv"],
        &["query", "select * from ual_event", "--format", "json"],
        &["triage"],
        &["severity"],
        &["steps"],
        &["clocks"],
        &["contacts"],
        &["answer"],
    ];
    let dirs: &[&[&str]] = &[
        &["case", "show", &case],
        &["case", "verify", &case],
        &["case", "people", &case],
        &["journal", "--case", &case, "list", "--all"],
        &["journal", "--case", &case, "add", "14:32 a call"],
    ];
    let owned = |args: &[&str]| args.iter().map(|a| (*a).to_owned()).collect::<Vec<String>>();
    let mut all: Vec<Vec<String>> = plain.iter().map(|a| owned(a)).collect();
    all.extend(on_case.iter().map(|a| [owned(a), vec!["--case".into(), case.clone()]].concat()));
    all.extend(dirs.iter().map(|a| owned(a)));
    let json: Vec<Vec<String>> = all.iter().map(|a| [a.clone(), vec!["--json".into()]].concat()).collect();
    all.extend(json);
    all
}

/// Ends by itself, without a panic.
fn ended(command: &mut Command, shown: &[String]) -> (i32, String) {
    let done = command.stderr(Stdio::piped()).output().expect("the binary starts");
    let err = String::from_utf8(done.stderr).expect("UTF-8");
    let code = done.status.code().unwrap_or_else(|| panic!("{shown:?} ended by {}: {err}", done.status));
    assert!(code <= 3 && !err.contains("panicked"), "{shown:?}: {code} {err}");
    (code, err)
}

#[test]
fn a_closed_or_full_output_ends_quietly_or_with_a_sentence() {
    let dir = tempfile::tempdir().expect("a folder");
    for args in commands(dir.path()) {
        let usual = ended(reflexe().args(&args).stdout(Stdio::null()), &args);
        // A reader that is gone before the first byte.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let closed = ended(reflexe().args(&args).stdout(writer), &args);
        assert_eq!(closed, usual, "{args:?}: closed output");
        // The same with both outputs.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let both = reflexe().args(&args).stdout(writer.try_clone().expect("a pipe")).stderr(writer).status().expect("it starts");
        assert_eq!(both.code(), Some(usual.0), "{args:?}: both outputs closed");
        if Path::new("/dev/full").exists() {
            let full = || fs::File::options().write(true).open("/dev/full").expect("/dev/full");
            let (code, err) = ended(reflexe().args(&args).stdout(full()), &args);
            assert_eq!(code, 3, "{args:?}: {err}");
            assert!(err.contains("could not be written whole"), "{args:?}: {err}");
            let both = reflexe().args(&args).stdout(full()).stderr(full()).status().expect("it starts");
            assert_eq!(both.code(), Some(3), "{args:?}: both outputs full");
        }
    }
}

#[test]
fn a_reader_may_stop_early() {
    let dir = tempfile::tempdir().expect("a folder");
    let args = commands(dir.path()).into_iter().find(|a| a.iter().any(|w| w == "csv")).expect("a query");
    let mut child = reflexe().args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut out = child.stdout.take().expect("a pipe");
    let mut first = [0; 64];
    out.read_exact(&mut first).expect("some bytes");
    drop(out);
    let done = child.wait_with_output().expect("it ends");
    assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned()), (Some(0), String::new()));
}

#[test]
fn several_tenants_are_one_document() {
    let dir = tempfile::tempdir().expect("a folder");
    let record = |n: u32, tenant: &str| {
        format!(
            "{{\"CreationTime\":\"2026-10-01T08:0{n}:00\",\"Id\":\"5a4b9f0e-0000-4000-8000-00000000000{n}\",\"Operation\":\"UserLoggedIn\",\
             \"OrganizationId\":\"{tenant}-2222-4333-8444-555555555555\",\"RecordType\":15,\"UserId\":\"ada@example.com\",\"UserType\":0,\
             \"Workload\":\"AzureActiveDirectory\"}}\n"
        )
    };
    let logs = dir.path().join("logs");
    fs::create_dir(&logs).expect("a folder");
    for (n, tenant) in [(1, "11111111"), (2, "22222222")] {
        fs::write(logs.join(format!("ual-{n}.jsonl")), record(n, tenant)).expect("written");
    }
    let case = dir.path().join("case");
    for command in [["qualify", logs.to_str().expect("UTF-8")].as_slice(), &["report"]] {
        let done = run(reflexe().args(command).arg("--case").arg(&case).arg("--json"));
        let whole: Value = serde_json::from_str(&done.out).expect("one document");
        assert_eq!(whole["schema"], "reflexe.qualifications/1");
        let answers = common::answers(&done); // each valid, and the whole
        let tenants: Vec<&str> = answers.iter().filter_map(|a| a["case"]["tenant"]["id"].as_str()).collect();
        assert_eq!(tenants, ["11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555"]);
    }
    // The schema refuses what is not of its form.
    for wrong in [r#"{"schema":"reflexe.qualifications/1","tenants":[{},{}]}"#, r#"{"schema":"reflexe.qualifications/1"}"#] {
        assert!(!common::several().is_valid(&serde_json::from_str(wrong).expect("JSON")), "{wrong}");
    }
}

/// No command prints a hidden character in JSON, and each prints one document.
#[test]
fn json_hides_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let (bad, good) = ("\u{202e}gpj\u{9b}31m\u{7f}", "\\u202egpj\\u009b31m\\u007f");
    let evidence = dir.path().join("evidence");
    fs::create_dir(&evidence).expect("a folder");
    let record = serde_json::json!({
        "CreationTime": "2026-10-01T08:00:00", "Id": "5a4b9f0e-0000-4000-8000-000000000001", "Operation": "New-InboxRule",
        "OrganizationId": "11111111-2222-4333-8444-555555555555", "RecordType": 1, "ResultStatus": "True", "UserKey": "k",
        "UserType": 0, "Version": 1, "Workload": "Exchange", "UserId": "ada@example.com", "ObjectId": format!("{bad}\\{bad}"),
        "Parameters": [
            { "Name": "Name", "Value": bad }, { "Name": "ForwardTo", "Value": "x@example.org" },
            { "Name": "SubjectContainsWords", "Value": bad }
        ]
    });
    fs::write(evidence.join(format!("{bad}.json")), record.to_string()).expect("written");
    let case = dir.path().join("case");
    let qualified = run(reflexe().arg("qualify").arg(&evidence).arg("--json").arg("--case").arg(&case));
    assert_eq!(qualified.code, 0, "{}", qualified.err);
    assert!(qualified.out.contains(good), "the hostile name is in the answer: {}", qualified.out);
    let answer: Value = serde_json::from_str(&qualified.out).expect("JSON");
    let locator = list(&list(&answer, "findings")[0], "rows")[0]["locator"].as_str().expect("a locator").to_owned();
    let written = fs::read_to_string(case.join("reports/qualification.json")).expect("the report is written");
    let outputs = [
        &["import", "evidence"][..],
        &["check"],
        &["check", "1b.inbox-rule-forward"],
        &["row", &locator],
        &["report"],
        &["query", "select * from ual_event"],
        &["query", "select * from ual_event", "--format", "json"],
        &["triage"],
        &["severity"],
        &["steps"],
        &["clocks"],
        &["contacts"],
        &["answer"],
    ]
    .map(|args| run(reflexe().current_dir(dir.path()).args(args).args(["--json", "--case", "case"])).out);
    let journal = run(reflexe().current_dir(dir.path()).args(["journal", "--case", "case", "list", "--all", "--json"])).out;
    for out in outputs.iter().chain([&qualified.out, &written, &journal]) {
        assert!(!out.is_empty());
        let hidden = out.chars().find(|c| reflexe_fiche::say::hidden(*c) && *c != '\n');
        assert_eq!(hidden, None, "{out}");
    }
}
