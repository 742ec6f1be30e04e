//! Each file that a case keeps is changed by another hand, in turn, and every command is run: none believes it. What the machine
//! concluded comes out as before, or the command refuses and names what was changed; `case verify` names it each time.
#![cfg(unix)]
mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use common::{Run, list, reflexe, run};
use serde_json::{Value, json};

const TENANT: &str = "bbbbbbbb-0000-4000-8000-000000000009";

fn forward(n: u32, destination: &str) -> String {
    let owner = "anna@example.com";
    json!({
        "CreationTime": format!("2026-03-04T10:{n:02}:00"), "Id": format!("00000000-0000-4000-8000-0000000000{n:02}"),
        "Operation": "Set-Mailbox", "OrganizationId": TENANT, "RecordType": 1, "ResultStatus": "True", "UserType": 0,
        "Version": 1, "Workload": "Exchange", "UserId": owner, "UserKey": owner, "ObjectId": owner, "ClientIP": "192.0.2.4:443",
        "Parameters": [{"Name": "Identity", "Value": owner},
                       {"Name": "ForwardingSmtpAddress", "Value": format!("smtp:{destination}")},
                       {"Name": "DeliverToMailboxAndForward", "Value": "True"}],
    })
    .to_string()
}

/// A case with everything that one keeps, and the device that wrote it.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { dir: tempfile::tempdir().expect("a folder") };
        let given = bench.path("given");
        fs::create_dir(&given).expect("a folder");
        let records: Vec<String> = (1..4).map(|n| forward(n, "box@example.org")).collect();
        fs::write(given.join("ual.json"), records.join("\n") + "\n").expect("written");
        fs::write(bench.path("shot.txt"), "capture").expect("written");
        assert_eq!(bench.run(&["prepare", "new", &bench.text("pack")], None).code, 0);
        let pack = bench.text("pack");
        let qualified = bench.run(&["qualify", &bench.text("given"), "--prepared", &pack], Some("case"));
        assert!(qualified.code < 2, "{}", qualified.err);
        let noted = bench.run(&["journal", "add", "appel", "--attach", &bench.text("shot.txt")], Some("case"));
        assert_eq!(noted.code, 0, "{}", noted.err);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// Runs a command over a case of the bench; `case` is put where each command takes it.
    fn run(&self, args: &[&str], case: Option<&str>) -> Run {
        self.run_as("home", args, case)
    }

    fn run_as(&self, home: &str, args: &[&str], case: Option<&str>) -> Run {
        let mut command = reflexe();
        command.env("REFLEXE_HOME", self.path(home)).env("REFLEXE_ME", "A. Martin").env_remove("REFLEXE_FICHE_DIR");
        command.arg(args[0]);
        if let Some(case) = case {
            command.arg("--case").arg(self.path(case));
        }
        run(command.args(&args[1..]).args(["--lang", "en"]))
    }

    /// A copy of the case that the device knows as well as the first: its home goes along.
    fn copied(&self, name: &str) -> PathBuf {
        for (from, to) in [("case", name.to_owned()), ("home", format!("home-{name}"))] {
            copy(&self.path(from), &self.path(&to));
        }
        self.path(name)
    }

    fn verified(&self, name: &str) -> Run {
        let mut command = reflexe();
        command.env("REFLEXE_HOME", self.path(&format!("home-{name}")));
        run(command.args(["case", "verify"]).arg(self.path(name)).args(["--lang", "en"]))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|e| e.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

fn files(dir: &Path, below: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path()) {
        if entry.is_dir() {
            files(&entry, below, out);
        } else {
            out.push(entry.strip_prefix(below).expect("below").to_str().expect("UTF-8").to_owned());
        }
    }
    out.sort();
}

/// Verdict and number of findings of each check, of `check --json`.
fn verdicts(told: &Value) -> BTreeMap<String, String> {
    let checks = list(&told["tenants"][0], "checks");
    let of = |c: &Value| format!("{} {}", c["verdict"], c["findings"]);
    checks.iter().map(|c| (c["id"].as_str().unwrap_or_default().to_owned(), of(c))).collect()
}

/// Every command that tells what was found out, or rests on it.
const COMMANDS: [&[&str]; 11] = [
    &["check", "--json"],
    &["triage", "--json"],
    &["severity"],
    &["steps"],
    &["clocks"],
    &["contacts"],
    &["report"],
    &["query", "select count(*) from ual_event"],
    &["journal", "list"],
    &["answer"],
    &["check", "--again", "--json"],
];

#[test]
fn a_forged_judgement_is_believed_by_no_command() {
    let bench = Bench::new();
    let whole = verdicts(&serde_json::from_str(&bench.run(&["check", "--json"], Some("case")).out).expect("JSON"));
    assert!(whole.get("1b.external-forwarding").is_some_and(|v| v.ends_with(" 1")), "{whole:?}");
    let forge = |case: &Path| {
        let path = case.join("judgement.json");
        let mut kept: Value = serde_json::from_slice(&fs::read(&path).expect("kept")).expect("JSON");
        for tenant in kept["tenants"].as_array_mut().expect("tenants") {
            tenant["findings"] = json!([]);
            for check in tenant["checks"].as_array_mut().expect("checks") {
                check["verdict"] = json!("ok");
                check["findings"] = json!(0);
            }
        }
        fs::write(path, serde_json::to_vec(&kept).expect("JSON")).expect("written");
    };
    let given = bench.text("given");
    let qualify: &[&str] = &["qualify", &given];
    let judging = COMMANDS.iter().filter(|c| !matches!(c[0], "query" | "journal") && !c.contains(&"--again"));
    for (n, args) in judging.chain([&qualify]).enumerate() {
        let name = format!("forged-{n}");
        let case = bench.copied(&name);
        forge(&case);
        let verified = bench.verified(&name);
        assert!(verified.code == 1 && verified.out.contains("judgement.json"), "{}", verified.out);
        let done = bench.run_as(&format!("home-{name}"), args, Some(&name));
        assert!(done.code < 2, "{args:?}: {}", done.err);
        assert!(done.err.contains("judgement.json was changed outside reflexe"), "{args:?} says so: {}", done.err);
        let after = bench.run_as(&format!("home-{name}"), &["check", "--json"], Some(&name));
        assert_eq!(verdicts(&serde_json::from_str(&after.out).expect("JSON")), whole, "{args:?}");
    }
    // A colleague's copy goes on working: judged again, with a sentence, and no error.
    bench.copied("theirs");
    let theirs = bench.run_as("another", &["check", "--json"], Some("theirs"));
    assert!(theirs.code == 0 && theirs.err.contains("is that of device"), "{}", theirs.err);
    assert_eq!(verdicts(&serde_json::from_str(&theirs.out).expect("JSON")), whole);
    let again = bench.run_as("another", &["check", "--json"], Some("theirs"));
    assert!(again.err.is_empty(), "once judged here it is kept: {}", again.err);
}

#[test]
fn each_kept_file_is_changed_in_turn_and_no_command_is_fooled() {
    let bench = Bench::new();
    let whole = verdicts(&serde_json::from_str(&bench.run(&["check", "--json"], Some("case")).out).expect("JSON"));
    let mut kept = Vec::new();
    files(&bench.path("case"), &bench.path("case"), &mut kept);
    for folder in ["attachments/", "evidence/", "index/", "preparation/", "reports/", "tables/ual_event/", "tables/coverage/"] {
        assert!(kept.iter().any(|f| f.starts_with(folder)), "{folder}: {kept:?}");
    }
    // One file of each kind is enough.
    let kind = |f: &String| f.rsplit_once('/').map_or(f.clone(), |(folder, _)| folder.split('/').take(2).collect());
    kept.dedup_by_key(|f| kind(f));
    for (n, file) in kept.iter().enumerate() {
        let name = format!("changed-{n}");
        let home = format!("home-{name}");
        let case = bench.copied(&name);
        let path = case.join(file);
        let mut bytes = fs::read(&path).expect("kept");
        let at = bytes.len() / 2;
        // A database with another byte in the middle may not open at all, and the lock is a number like any other: one byte more.
        if file.starts_with("case.") {
            bytes.push(0);
        } else {
            bytes[at] ^= 1;
        }
        fs::write(&path, bytes).expect("written");
        let verified = bench.verified(&name);
        assert!(verified.code == 1 && verified.out.contains(file.as_str()), "{file}: {}", verified.out);
        for args in [&["check", "--json"][..], &["check", "--again", "--json"]] {
            let done = bench.run_as(&home, args, Some(&name));
            match done.code {
                0 => assert_eq!(verdicts(&serde_json::from_str(&done.out).expect("JSON")), whole, "{file}"),
                _ => assert!(done.code == 3 && done.err.contains(file.as_str()), "{file} {args:?}: {}", done.err),
            }
        }
        if file.starts_with("tables/") {
            let query = bench.run_as(&home, &["query", "select count(*) from ual_event"], Some(&name));
            assert!(query.code == 3 && query.err.contains(file.as_str()), "{file}: {}", query.err);
        }
        if file.starts_with("preparation/") {
            let steps = bench.run_as(&home, &["steps"], Some(&name));
            assert!(steps.err.contains(file.as_str()), "{file}: {}", steps.err);
        }
        // The journal is never closed to people.
        let noted = bench.run_as(&home, &["journal", "add", "malgré tout"], Some(&name));
        assert_eq!(noted.code, 0, "{file}: {}", noted.err);
    }
}

#[test]
fn newest_entries_removed_are_told_by_every_command_and_fail_only_verify() {
    let bench = Bench::new();
    let before = bench.copied("older");
    for n in 0..3 {
        assert_eq!(bench.run_as("home-older", &["journal", "add", &format!("décision {n}")], Some("older")).code, 0);
    }
    // The case as it was three entries ago: what removing them leaves, or an older backup.
    fs::rename(&before, bench.path("newer")).expect("moved");
    copy(&bench.path("case"), &before);
    let sentence = "3 entries known to this device are no longer in the journal";
    for args in COMMANDS.iter().filter(|c| !c.contains(&"--again")) {
        let done = bench.run_as("home-older", args, Some("older"));
        assert!(done.code == 0 && done.err.contains("known to this device"), "{args:?}: {} {}", done.code, done.err);
        if args == &COMMANDS[0] {
            assert!(done.err.contains(sentence), "{}", done.err);
        }
    }
    assert_eq!(bench.verified("older").code, 1);
    assert_eq!(bench.run_as("home-older", &["journal", "add", "suite"], Some("older")).code, 0);
    let verified = bench.verified("older");
    assert!(verified.code == 1 && verified.out.contains("are missing"), "{}", verified.out);
    let mut merge = reflexe();
    merge.env("REFLEXE_HOME", bench.path("home-older")).args(["case", "merge"]).arg(&before).arg(bench.path("newer"));
    let merged = run(&mut merge);
    assert_eq!(merged.code, 0, "{}{}", merged.out, merged.err);
    assert_eq!(bench.verified("older").code, 0, "merging them back heals");
}
