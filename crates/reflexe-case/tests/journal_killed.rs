//! A process that writes the journal is really killed: what it said was written is there, and the journal verifies. Two that
//! write at once leave no gap and no fork.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    env,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use reflexe_case::{
    Case,
    journal::{Device, Draft, Journal, verify},
};
use reflexe_model::{Kind, Precision, When, ZoneSource};

const CASE: &str = "REFLEXE_TEST_JOURNAL";
const MOST: &str = "REFLEXE_TEST_ENTRIES";
/// Also writes a report again and again.
const REPORT: &str = "REFLEXE_TEST_REPORT";

/// Not a test of its own: adds entries and says each id after it was written.
#[test]
fn child() {
    let Some(case) = env::var_os(CASE) else { return };
    let most: u32 = env::var(MOST).unwrap().parse().unwrap();
    let mut journal = Journal::open_as(Path::new(&case), Device::with_key([9; 32], "PC")).unwrap();
    for n in 0..most {
        let start = "2026-11-22T14:32:00+01:00".to_owned();
        let when = When {
            text: String::new(),
            start,
            end: None,
            precision: Precision::Minute,
            approx: false,
            tz_source: ZoneSource::Default,
        };
        let entry = journal.add(&Draft::new(Kind::Note, when, "Dupont", &format!("écriture {n}"))).unwrap();
        println!("\nid {}", entry.header.entry_id);
        std::io::stdout().flush().unwrap();
        if env::var_os(REPORT).is_some() {
            journal.export(&Path::new(&case).join("reports/report.html"), format!("report {n}").as_bytes()).unwrap();
        }
    }
}

fn start(case: &Path, most: u32, report: bool) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env(CASE, case).env(MOST, most.to_string()).stdout(Stdio::piped());
    if report {
        command.env(REPORT, "1");
    }
    command.spawn().unwrap()
}

fn ids(child: Child) -> Vec<String> {
    let output = child.wait_with_output().unwrap();
    // A line that was cut by the kill was not said.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let whole = text.rfind('\n').map_or("", |at| &text[..at]);
    whole.lines().filter_map(|l| l.strip_prefix("id ")).map(str::to_owned).collect()
}

#[test]
fn what_was_said_to_be_written_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("case");
    drop(Case::create(&case).unwrap());
    let mut said = BTreeSet::new();
    let mut random = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos() | 1;
    for round in 0..20 {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let mut child = start(&case, 100_000, round % 2 == 0);
        thread::sleep(Duration::from_millis(u64::from(40 + random % 400)));
        child.kill().unwrap();
        said.extend(ids(child));
        let verified = verify(&case).unwrap();
        assert!(verified.is_intact(), "{:#?}", verified.problems);
        let there: BTreeSet<String> =
            Case::open_for_reading(&case).unwrap().entries().unwrap().into_iter().map(|e| e.header.entry_id).collect();
        assert!(said.is_subset(&there), "{:?}", said.difference(&there).collect::<Vec<_>>());
    }
    assert!(said.len() > 15, "the processes were killed before they wrote: {}", said.len());
}

#[test]
fn two_at_once_leave_no_gap_and_no_fork() {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("case");
    // The case stays open for writing, as during an import.
    let _held = Case::create(&case).unwrap();
    let children = [start(&case, 40, false), start(&case, 40, false), start(&case, 40, false)];
    let said: BTreeSet<String> = children.into_iter().flat_map(ids).collect();
    assert_eq!(said.len(), 120);
    let verified = verify(&case).unwrap();
    assert!(verified.is_intact() && verified.notices.is_empty(), "{verified:#?}");
    // Each of the three is the same device: one chain, with the entry that names it.
    assert!(verified.writers.iter().any(|w| w.entries == 121), "{:?}", verified.writers);
}
