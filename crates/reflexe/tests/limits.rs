//! A full disk, a limit on files or on memory, a folder that may not be written: what was not read is named everywhere, the exit code
//! is 3, and the next run heals.
#![cfg(target_os = "linux")]
mod common;

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use common::{Run, list, reflexe, run};
use serde_json::Value;

const TENANT: &str = "bbbbbbbb-0000-4000-8000-000000000009";

/// Three exports; the second does not fit into `room` bytes.
fn evidence(dir: &Path, room: usize) {
    fs::create_dir_all(dir).expect("a folder");
    let record = |n: usize| {
        format!(
            "{{\"CreationTime\":\"2026-03-04T10:00:00\",\"Id\":\"{n:08x}-0000-4000-8000-000000000000\",\"Operation\":\"MailItemsAccessed\",\
             \"OrganizationId\":\"{TENANT}\",\"RecordType\":2,\"UserType\":0,\"Version\":1,\"Workload\":\"Exchange\",\
             \"UserId\":\"anna@example.com\",\"ClientIP\":\"192.0.2.4\"}}\n"
        )
    };
    fs::write(dir.join("a.json"), record(1)).expect("written");
    fs::write(dir.join("b.json"), (10..10 + room / 200).map(record).collect::<String>()).expect("written");
    fs::write(dir.join("c.json"), record(2)).expect("written");
}

/// What an answer that rests on one file of three must say, and the case that it leaves.
fn told(done: &Run, case: &Path, home: &Path, why: &str) {
    assert_eq!(done.code, 3, "{}\n{}", done.out, done.err);
    assert!(done.err.contains(why), "{}", done.err);
    for name in ["b.json", "c.json"] {
        assert!(done.err.contains(name), "{name}: {}", done.err);
    }
    let first = done.out.lines().take(20).collect::<Vec<_>>().join("\n");
    assert!(first.contains("Judged on 1 of the 3 files given: 2 not read"), "{first}");
    let command = |args: &[&str]| {
        let mut command = reflexe();
        command.env("REFLEXE_HOME", home).arg(args[0]).arg("--case").arg(case).args(&args[1..]);
        run(command.args(["--lang", "en"]))
    };
    let checks = command(&["check", "--json"]);
    let checks: Value = serde_json::from_str(&checks.out).expect("JSON");
    let tenant = &checks["tenants"][0];
    let unread: Vec<&Value> = list(tenant, "unrecognised").iter().filter(|u| u["unread"] == true).collect();
    assert_eq!(unread.len(), 2, "{tenant}");
    let looked = list(tenant, "checks").iter().filter(|c| c["verdict"] == "ok" || c["coverage"] == "full").count();
    assert_eq!(looked, 0, "nothing is called looked at");
    for args in [&["check"][..], &["steps"]] {
        let done = command(args);
        assert!(done.err.contains("2 not read"), "{args:?}: {}", done.err);
    }
}

fn healed(case: &Path, home: &Path, given: &Path) {
    let mut command = reflexe();
    command.env("REFLEXE_HOME", home).arg("qualify").arg(given).arg("--case").arg(case);
    let done = run(command.args(["--json", "--lang", "en"]));
    assert_eq!(done.code, 0, "{}", done.err);
    let answer: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((list(&answer, "evidence").len(), list(&answer, "unrecognised").len()), (3, 0));
    let verified = run(reflexe().env("REFLEXE_HOME", home).args(["case", "verify"]).arg(case));
    assert_eq!(verified.code, 0, "{}", verified.out);
}

/// Runs the binary under a limit of the shell.
fn limited(limit: &str, args: &[&str], home: &Path) -> Run {
    let mut command = Command::new("sh");
    command.env("REFLEXE_HOME", home).env_remove("REFLEXE_FICHE_DIR").env("LC_ALL", "C");
    command.arg("-c").arg(format!("{limit}; exec \"$0\" \"$@\"")).arg(env!("CARGO_BIN_EXE_reflexe"));
    run(command.args(args).args(["--lang", "en"]))
}

#[test]
fn a_full_disk() {
    let dir = tempfile::tempdir().expect("a folder");
    let (disk, given, home) = (dir.path().join("disk"), dir.path().join("given"), dir.path().join("home"));
    fs::create_dir(&disk).expect("a folder");
    let mount = |options: &str| {
        Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&disk).output().is_ok_and(|o| o.status.success())
    };
    if !mount("size=1500k") {
        eprintln!("skipped: mounting a small disk is not allowed here");
        return;
    }
    evidence(&given, 2_000_000);
    let case = disk.join("case");
    let done =
        run(reflexe().env("REFLEXE_HOME", &home).arg("qualify").arg(&given).arg("--case").arg(&case).args(["--lang", "en"]));
    let tried = std::panic::catch_unwind(|| {
        told(&done, &case, &home, "is full");
        assert!(mount("remount,size=60m"));
        healed(&case, &home, &given);
    });
    assert!(Command::new("umount").arg(&disk).status().is_ok_and(|s| s.success()));
    tried.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
}

#[test]
fn a_limit_on_the_size_of_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let (case, given, home) = (dir.path().join("case"), dir.path().join("given"), dir.path().join("home"));
    evidence(&given, 2_000_000);
    let args = ["qualify", given.to_str().expect("UTF-8"), "--case", case.to_str().expect("UTF-8")];
    // In blocks of 512 bytes: less than the second export, more than the report.
    let done = limited("ulimit -f 3000", &args, &home);
    told(&done, &case, &home, "ulimit -f");
    healed(&case, &home, &given);
}

#[test]
fn memory_that_is_refused_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let (case, given, home) = (dir.path().join("case"), dir.path().join("given"), dir.path().join("home"));
    evidence(&given, 4_000_000);
    let args = ["qualify", given.to_str().expect("UTF-8"), "--case", case.to_str().expect("UTF-8")];
    // How much is too little depends on the machine: less and less, until it is refused. No try ends without a word.
    let refused = (0..17).any(|n| {
        let done = limited(&format!("ulimit -v {}", 300_000 - n * 10_000), &args, &home);
        assert!(done.code < 2 || done.err.contains("refuses memory"), "{} {}", done.code, done.err);
        done.code == 3
    });
    assert!(refused, "140 MB are enough?");
    healed(&case, &home, &given);
}

/// A case whose folder this account may not write: an error that names it, and nothing is called looked at.
#[test]
fn a_case_that_may_not_be_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let open_to_all = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a right");
    open_to_all(dir.path(), 0o755);
    let (case, given, home) = (dir.path().join("case"), dir.path().join("given"), dir.path().join("home"));
    evidence(&given, 1000);
    for folder in [&case, &home] {
        fs::create_dir(folder).expect("a folder");
    }
    open_to_all(&home, 0o777);
    open_to_all(&case, 0o555);
    let exe = dir.path().join("reflexe");
    fs::copy(env!("CARGO_BIN_EXE_reflexe"), &exe).expect("copied");
    open_to_all(&exe, 0o755);
    let mut command = Command::new(&exe);
    command.env("REFLEXE_HOME", &home).arg("qualify").arg(&given).arg("--case").arg(&case).args(["--lang", "en"]);
    if fs::write(case.join("probe"), "").is_ok() {
        // Root may write anywhere: the work is done by an account without rights.
        fs::remove_file(case.join("probe")).expect("removed");
        command.uid(65534).gid(65534);
    }
    let done = run(&mut command);
    assert!(done.code == 3 && done.err.contains("permission denied") && done.out.is_empty(), "{} {}", done.out, done.err);
    open_to_all(&case, 0o755);
    healed(&case, &home, &given);
}
