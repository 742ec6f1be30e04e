//! The interview through a pseudo-terminal, as a person meets it: from zero to a conclusion, in both languages, in few prompts; left
//! at any point and resumed; with a case that holds nothing at all.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rexpect::session::{PtySession, spawn_command};

const TIMEOUT: u64 = 300_000;

fn reflexe(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reflexe"));
    command.env("REFLEXE_HOME", home).env("REFLEXE_ME", "A. Martin").env_remove("REFLEXE_FICHE_DIR").env("LANG", "C");
    command
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn ok(command: &mut Command) -> String {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The terminal gives each byte as a character.
fn utf8(text: &str) -> String {
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads up to the next prompt; what was printed, and whether it was one. `None` at the end.
fn prompt(session: &mut PtySession) -> Option<(String, bool)> {
    let (text, found) = session.exp_regex(r"(\n> |\n\? |reflexe steps --case|reflexe ask --case)").unwrap();
    match found.as_str() {
        "\n> " => Some((utf8(&text), true)),
        "\n? " => Some((utf8(&text), false)),
        _ => None,
    }
}

/// Answers as a tired person would: accepts what is proposed, knows the plain facts of their house, else does not know.
fn line(text: &str, fr: bool, facts: &[(&str, &str)]) -> String {
    let id = text.rsplit_once('[').map_or("", |(_, rest)| rest.split(']').next().unwrap_or(""));
    if let Some((_, said)) = facts.iter().find(|(q, _)| *q == id) {
        return (*said).to_owned();
    }
    let proposed = if fr { "Proposé :" } else { "Proposed:" };
    if text.contains(proposed) || matches!(id, "Q.C.01" | "Q.C.05") { String::new() } else { "?".to_owned() }
}

/// Runs the interview to its end; how many prompts it took.
fn run(home: &Path, case: &Path, lang: &str, facts: &[(&str, &str)]) -> usize {
    let mut command = reflexe(home);
    command.args(["ask", "--lang", lang, "--case"]).arg(case);
    let mut session = spawn_command(command, Some(TIMEOUT)).unwrap();
    let mut asked = 0;
    while let Some((text, question)) = prompt(&mut session) {
        if !question {
            session.send_line("").unwrap();
            continue;
        }
        asked += 1;
        assert!(asked < 60, "no end: {text}");
        session.send_line(&line(&text, lang == "fr", facts)).unwrap();
    }
    session.exp_eof().unwrap();
    asked
}

fn severity(home: &Path, case: &Path) -> serde_json::Value {
    serde_json::from_str(&ok(reflexe(home).args(["severity", "--json", "--case"]).arg(case))).unwrap()
}

/// A simulated attacked tenant, judged once.
fn attacked(dir: &Path, home: &Path) -> PathBuf {
    let tenant = dir.join("tenant");
    ok(reflexe(home).args(["simulate", "aitm-admin"]).arg(&tenant).args(["--users", "12", "--events", "1500", "--seed", "11"]));
    let case = dir.join("case");
    ok(reflexe(home).args(["import", "--in-place", "--case"]).arg(&case).arg(tenant.join("evidence")));
    ok(reflexe(home).args(["severity", "--case"]).arg(&case));
    case
}

#[test]
fn from_zero_to_a_conclusion_in_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let case = attacked(dir.path(), &home);
    // What only people know: nothing stands still, nothing else is hit.
    let fr =
        [("Q.0.10", "30"), ("Q.1a.02", "oui"), ("Q.3b.01", "oui"), ("Q.3a.01", "oui"), ("Q.3c.01", "aucune"), ("Q.3x.02", "non")];
    let en =
        [("Q.0.10", "30"), ("Q.1a.02", "yes"), ("Q.3b.01", "yes"), ("Q.3a.01", "yes"), ("Q.3c.01", "none"), ("Q.3x.02", "no")];
    for (lang, facts) in [("fr", fr), ("en", en)] {
        let mine = dir.path().join(lang);
        copy(&case, &mine);
        // Another device: one that knew the other copy's answers would miss them here.
        let own = dir.path().join(format!("home-{lang}"));
        copy(&home, &own);
        let home = own;
        let asked = run(&home, &mine, lang, &facts);
        println!("{lang}: {asked} prompts");
        assert!((3..30).contains(&asked), "{lang}: {asked} prompts");
        let found = severity(&home, &mine);
        assert!(found["answered"]["low"].as_u64().unwrap() >= 3, "{lang}: {found}");
        assert_eq!(found["conflicts"], serde_json::json!([]));
        // What was answered stands in the journal, and the journal is whole.
        assert!(ok(reflexe(&home).args(["journal", "--lang", lang, "--case"]).arg(&mine).arg("list")).contains("Q.C.05"));
        ok(reflexe(&home).args(["case", "verify"]).arg(&mine));
        // Resumed, there is nothing left to ask.
        assert_eq!(run(&home, &mine, lang, &facts), 0);
    }
}

#[test]
fn left_and_resumed_and_a_case_that_holds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let case = dir.path().join("case");
    ok(reflexe(&home).args(["case", "new"]).arg(&case));
    let before = severity(&home, &case);
    assert_eq!((before["answered"]["low"].as_u64(), before["answered"]["high"].as_u64()), (Some(1), Some(4)));

    // Leaves at the second prompt; the first answer stands.
    let mut command = reflexe(&home);
    command.args(["ask", "--lang", "en", "--case"]).arg(&case);
    let mut session = spawn_command(command, Some(TIMEOUT)).unwrap();
    let (first, _) = prompt(&mut session).unwrap();
    assert!(first.contains("[Q.0.10]"), "{first}");
    session.send_line("30").unwrap();
    prompt(&mut session).unwrap();
    session.send_line("q").unwrap();
    assert!(prompt(&mut session).is_none());
    session.exp_eof().unwrap();

    let asked = run(&home, &case, "en", &[]);
    assert!((1..30).contains(&asked), "{asked} prompts");
    let after = severity(&home, &case);
    // Nobody knows anything: nothing is claimed.
    assert_eq!((after["answered"]["low"].as_u64(), after["answered"]["high"].as_u64()), (Some(1), Some(4)), "{after}");
}
