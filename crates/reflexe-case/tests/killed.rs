//! An import that is really killed (SIGKILL, at any moment) leaves nothing half done, and the next run ends where an
//! uninterrupted one does, byte for byte.
//!
//! The process that is killed is this test binary itself: it runs `child` and nothing else.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]
mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use common::{put, tree};
use reflexe_case::{Case, ImportOptions, import};

const CASE: &str = "REFLEXE_TEST_CASE";
const EVIDENCE: &str = "REFLEXE_TEST_EVIDENCE";
const FILES: u32 = 10;
const KILLS: u32 = 20;

/// One audit record; the longer of two copies of an id is the richer.
fn record(id: u32, extra: &str) -> String {
    format!(
        "{{\"CreationTime\":\"2026-03-{:02}T10:00:00\",\"Id\":\"00000000-0000-4000-8000-{id:012}\",\"Operation\":\"New-InboxRule\",\
         \"OrganizationId\":\"{}\",\"RecordType\":1,\"UserType\":0,\"Version\":1,\"Workload\":\"Exchange\",\
         \"UserId\":\"anna@example.com\",\"ClientIP\":\"192.0.2.{}\"{extra}}}\n",
        1 + id % 28,
        common::A,
        1 + id % 200,
    )
}

/// Files that overlap: each holds the last records of the one before, some of them richer.
fn evidence(dir: &Path) {
    for n in 0..FILES {
        let first = n * 20;
        let overlap =
            (first.saturating_sub(5)..first).map(|id| record(id, if id % 2 == 0 { ",\"ResultStatus\":\"True\"" } else { "" }));
        let text: String = overlap.chain((first..first + 20).map(|id| record(id, ""))).collect();
        put(dir, &format!("day-{n:02}.json"), &text);
    }
    put(dir, "README.md", "What this folder is.");
}

/// Not a test of its own: what the process that is killed does.
#[test]
fn child() {
    let (Some(case), Some(evidence)) = (env::var_os(CASE), env::var_os(EVIDENCE)) else { return };
    let mut case = Case::open_or_create(Path::new(&case)).unwrap();
    let report =
        import(&mut case, &[PathBuf::from(evidence)], &ImportOptions { threads: 2, ..ImportOptions::default() }).unwrap();
    assert!(report.is_complete(), "{report:?}");
}

fn start(case: &Path, evidence: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CASE, case)
        .env(EVIDENCE, evidence)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Everything of a case that does not depend on when and where it was made.
fn state(dir: &Path) -> impl PartialEq + std::fmt::Debug + use<> {
    let case = Case::open(dir).unwrap();
    let lists = (case.evidence().unwrap(), case.unrecognised().unwrap(), case.superseded().unwrap(), case.tenants().unwrap());
    (lists, named_hashes(&tree(&dir.join("tables"))), tree(&dir.join("evidence")), tree(&dir.join("index")))
}

/// Parquet files by name and hash, so that a difference can be read.
fn named_hashes(files: &std::collections::BTreeMap<String, Vec<u8>>) -> Vec<(String, usize, String)> {
    use sha2::{Digest as _, Sha256};
    let hash = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    files.iter().map(|(name, bytes)| (name.clone(), bytes.len(), hash(bytes))).collect()
}

/// What must hold after any kill, once the case was opened again.
fn nothing_is_half_done(dir: &Path) {
    if !dir.join("case.sqlite").exists() {
        return;
    }
    let case = Case::open_or_create(dir).unwrap();
    let files = case.evidence_files().unwrap();
    let originals: Vec<String> = files.iter().filter_map(|f| f.blake3.as_ref()).map(|b| format!("{}/{b}", &b[..2])).collect();
    let mut kept: Vec<String> = tree(&dir.join("evidence")).into_keys().collect();
    kept.sort_by_key(|k| originals.iter().position(|o| o == k));
    assert_eq!(kept, originals);
    assert!(tree(&dir.join("staging")).is_empty());
    let mut listed = Vec::new();
    for table in reflexe_evidence::spec::tables() {
        listed.extend(case.table_files(&table.name).unwrap());
    }
    listed.sort();
    let mut there: Vec<PathBuf> = tree(&dir.join("tables")).into_keys().map(|k| dir.join("tables").join(k)).collect();
    there.sort();
    assert_eq!(there, listed, "the manifest names every table file and no other");
    let rows = common::column(&case.table_files("ual_event").unwrap(), "evidence_id");
    for info in case.evidence().unwrap() {
        assert!(info.rows.balances(), "{info:?}");
        let written = rows.iter().filter(|id| id.as_deref() == Some(&info.id)).count() as u64;
        assert!(written >= info.rows.kept, "{written} rows of {info:?}");
    }
}

#[test]
fn killed_at_any_moment_it_resumes_to_the_same_case() {
    let dir = tempfile::tempdir().unwrap();
    let given = dir.path().join("given");
    evidence(&given);
    let whole = dir.path().join("whole");
    let began = Instant::now();
    assert!(start(&whole, &given).wait().unwrap().success());
    let duration = began.elapsed();
    let expected = state(&whole);

    let mut random = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos() | 1;
    let (mut kills, mut finished, mut leftovers) = (0, 0, 0);
    while kills < KILLS {
        let case = dir.path().join(format!("killed-{finished}"));
        loop {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let mut child = start(&case, &given);
            thread::sleep(duration.mul_f64(f64::from(random % 1000) / 2000.0));
            child.kill().unwrap();
            if child.wait().unwrap().success() {
                break;
            }
            kills += 1;
            leftovers += u32::from(!tree(&case.join("staging")).is_empty());
            nothing_is_half_done(&case);
            if kills % 10 == 0 {
                break;
            }
        }
        assert!(start(&case, &given).wait().unwrap().success());
        assert_eq!(state(&case), expected);
        fs::remove_dir_all(&case).unwrap();
        finished += 1;
        assert!(finished < 60, "the import is over before it can be killed: {kills} kills, {duration:?}");
    }
    eprintln!("{kills} kills over {finished} cases, {leftovers} in the middle of a file; uninterrupted {duration:?}");
}

#[test]
fn a_second_process_is_told_who_writes() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = {
        let case = Case::create(&dir.path().join("case")).unwrap();
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CASE, case.dir())
            .env(EVIDENCE, dir.path())
            .output()
            .unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("Locked") && said.contains(&std::process::id().to_string()), "{said}");
        // The lock ends with its holder.
        drop(case);
        start(&dir.path().join("case"), dir.path())
    };
    assert!(child.wait().unwrap().success());
}

/// A file and a folder that the account may not read. Run as an account without privileges: root may read anything.
#[test]
fn no_permission() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    let dir = tempfile::tempdir().unwrap();
    let open_to_all = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open_to_all(dir.path(), 0o777);
    let given = dir.path().join("given");
    let secret = put(&given, "secret.json", &record(1, ""));
    put(&given, "closed/inside.json", &record(2, ""));
    put(&given, "open.json", &record(3, ""));
    open_to_all(&secret, 0o000);
    open_to_all(&given.join("closed"), 0o000);
    let case = dir.path().join("case");
    let root = fs::File::open(&secret).is_ok();
    let exe = dir.path().join("test");
    let mut command = if root {
        fs::copy(env::current_exe().unwrap(), &exe).unwrap();
        open_to_all(&exe, 0o755);
        let mut command = Command::new(&exe);
        command.uid(65534).gid(65534);
        command
    } else {
        Command::new(env::current_exe().unwrap())
    };
    let output = command
        .args(["--exact", "child", "--nocapture"])
        .current_dir("/")
        .env(CASE, &case)
        .env(EVIDENCE, &given)
        .output()
        .unwrap();
    open_to_all(&given.join("closed"), 0o755);
    let case = Case::open(&case).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let mut listed: Vec<_> = case.unrecognised().unwrap();
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(listed.len(), 2, "{listed:?}");
    for (one, name) in listed.iter().zip(["closed", "secret.json"]) {
        assert!(one.path.ends_with(name) && !one.harmless, "{listed:?}");
        assert!(one.reason.en.contains("permission denied") && one.reason.fr.contains("droits insuffisants"), "{one:?}");
    }
    assert_eq!(case.evidence().unwrap().len(), 1, "the other file went in: {output:?}");
    // `child` asserts a complete import: that it is not is the exit code's business.
    assert!(!output.status.success());
}
