//! The journal and the case on the command line, driven as a person would: nothing printed is ever lost, nothing changed stays unseen.
#![allow(clippy::unwrap_used)]
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use serde_json::Value;
use tempfile::TempDir;

/// A case, a home of the device, and the binary between them.
struct Desk {
    dir: TempDir,
}

struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap() };
        desk.ok(&["case", "new", "case", "--title", "Exercice"]);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The binary in the test's folder; `home` is the device.
    fn command(&self, home: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reflexe"));
        command.current_dir(self.dir.path()).env("REFLEXE_HOME", self.path(home)).env("REFLEXE_ME", "R. Martin");
        command.env("LC_ALL", "en_US.UTF-8").env("NO_COLOR", "1").stdin(Stdio::null());
        for name in ["REFLEXE_FICHE_DIR", "REFLEXE_PASSPHRASE", "OneDrive", "OneDriveCommercial", "OneDriveConsumer"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        self.run_as("home", args)
    }

    fn run_as(&self, home: &str, args: &[&str]) -> Run {
        ended(self.command(home).args(args))
    }

    fn ok(&self, args: &[&str]) -> String {
        self.ok_as("home", args)
    }

    fn ok_as(&self, home: &str, args: &[&str]) -> String {
        let run = self.run_as(home, args);
        assert_eq!(run.code, 0, "{args:?}\n{}\n{}", run.out, run.err);
        run.out
    }

    fn journal(&self, args: &[&str]) -> String {
        self.ok(&[&["journal", "--case", "case"], args].concat())
    }
}

fn ended(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The id that `journal add` printed.
fn id(out: &str) -> String {
    let id = out.lines().last().unwrap().to_owned();
    assert_eq!(id.len(), 36, "{out}");
    id
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target)
        } else {
            assert!(fs::copy(entry.path(), target).is_ok())
        }
    }
}

#[test]
fn what_is_added_is_understood_listed_and_exported_in_both_languages() {
    let desk = Desk::new();
    desk.ok(&["case", "people", "case", "--add", "Dupont", "--role", "ADM", "--phone", "+33 1 99 00 00 00"]);
    let said = desk.journal(&[
        "add",
        "2026-11-20 14:32 Dupont appel du prestataire, comptes adm-x@example.com",
        "--target",
        "192.0.2.7",
    ]);
    assert!(said.starts_with("2026-11-20 14:32 +01:00 · Dupont · appel du prestataire"), "{said}");
    assert!(said.contains("accounts: adm-x@example.com, 192.0.2.7"), "{said}");
    let first = id(&said);
    let secret = id(&desk.journal(&["add", "collé par erreur motdepasse-Zx81"]));
    desk.journal(&["add", "couper le VPN", "--status", "planned", "--owner", "Dupont", "--flag", "important"]);
    desk.journal(&["correct", &first[..18], "appel de l’hébergeur", "--because", "mauvais nom"]);
    let told = desk.journal(&["redact", &secret, "--because", "secret"]);
    assert!(told.contains("Content removed"), "{told}");
    let hostile = desk.journal(&["add", "courriel de \u{202e}eve\u{1b}[31m"]);
    assert!(!hostile.contains(['\u{202e}', '\u{1b}']), "{hostile}");

    for (lang, words) in [
        (
            "fr",
            [
                "corrigé (1)",
                "avant : appel du prestataire",
                "raison : mauvais nom",
                "plus tard",
                "contenu retiré",
                "à faire",
                "du logiciel (--all)",
            ],
        ),
        (
            "en",
            [
                "corrected (1)",
                "before: appel du prestataire",
                "reason: mauvais nom",
                "later",
                "content removed",
                "to be done",
                "by the product (--all)",
            ],
        ),
    ] {
        let list = desk.journal(&["list", "--lang", lang]);
        for word in words {
            assert!(list.contains(word), "{word}: {list}");
        }
        // The correction says nothing of the time or of who acted: both stay.
        assert!(list.contains("14:32 +01:00  Dupont") && list.contains("appel de l’hébergeur"), "{list}");
        assert!(!list.contains("motdepasse") && !list.contains('\u{202e}'), "{list}");
        assert!(desk.journal(&["list", "--all", "--lang", lang]).lines().count() > list.lines().count());
        let page = PathBuf::from(desk.journal(&["export", "--lang", lang]).trim());
        let html = fs::read_to_string(desk.path("").join(page)).unwrap();
        assert!(
            html.contains(&format!("lang=\"{lang}\"")) && html.contains("appel de l’hébergeur") && !html.contains("motdepasse")
        );
        desk.journal(&["export", "--format", "xlsx", "--lang", lang]);
    }
    desk.journal(&["export", "--format", "csv", "--separator", ";"]);
    let table = fs::read_to_string(desk.path("case/reports/journal.csv")).unwrap();
    assert!(table.starts_with("\u{feff}\"entry_id\";") && table.contains(";\"2026-11-20 14:32\";"), "{table}");
    desk.journal(&["export", "--format", "csv-machine", "--out", "out.csv"]);
    desk.journal(&["export", "--format", "jsonl", "--out", "out.jsonl"]);
    let all: Value = serde_json::from_str(&desk.journal(&["list", "--all", "--json"])).unwrap();
    let lines = fs::read_to_string(desk.path("out.jsonl")).unwrap();
    assert!(lines.lines().count() > all.as_array().unwrap().len(), "corrections and removals are lines of their own");
    assert!(lines.contains(&first) && csv_rows(&desk.path("out.csv")) == lines.lines().count());
    let shown: Value = serde_json::from_str(&desk.journal(&["list", "--json"])).unwrap();
    let one = shown.as_array().unwrap().iter().find(|e| e["id"] == first.as_str()).unwrap();
    assert_eq!(
        (one["content"]["title"].as_str(), one["content"]["actor"].as_str()),
        (Some("appel de l’hébergeur"), Some("Dupont"))
    );
    assert_eq!(one["content"]["targets"], serde_json::json!(["192.0.2.7"]), "the account went with the text, the address stays");

    let people: Value = serde_json::from_str(&desk.ok(&["case", "people", "case", "--json"])).unwrap();
    assert_eq!(people[0]["role"], "ADM");
    // An export never replaces a file of the case.
    let before = fs::read(desk.path("case/case.sqlite")).unwrap();
    let refused = desk.run(&["journal", "--case", "case", "export", "--out", "case/case.sqlite"]);
    assert_eq!((refused.code, fs::read(desk.path("case/case.sqlite")).unwrap() == before), (3, true), "{}", refused.err);
    // What does not make sense is refused, with the words that do.
    for wrong in [
        &["add", "x", "--kind", "answer"][..],
        &["add", "x", "--status", "soon"],
        &["add", "x", "--flag", "y"],
        &["add", "x", "--kind", "note", "--owner", "y"],
    ] {
        let run = desk.run(&[&["journal", "--case", "case"], wrong].concat());
        assert_eq!(run.code, 3, "{wrong:?}");
    }
    assert_eq!(desk.run(&["case", "verify", "case"]).code, 0);
}

fn csv_rows(path: &Path) -> usize {
    csv::Reader::from_path(path).unwrap().records().map(Result::unwrap).count()
}

#[test]
fn notes_are_shown_first_and_written_once() {
    let desk = Desk::new();
    fs::write(
        desk.path("notes.csv"),
        "Date;Heure;Qui;Description\n20/11/2026;14:32;Dupont;Appel\n20/11/2026;14:32;Dupont;Appel\n;;;sans heure\n",
    )
    .unwrap();
    let preview = desk.journal(&["import", "notes.csv"]);
    assert!(
        preview.contains("3 rows, 1 there already, 1 to be looked at") && preview.contains("Nothing is written"),
        "{preview}"
    );
    assert!(!desk.journal(&["list"]).contains("Appel"));
    assert!(desk.journal(&["import", "notes.csv", "--write"]).contains("2 entries added"));
    assert!(desk.journal(&["import", "notes.csv", "--write"]).contains("0 entries added"), "not twice");
    fs::write(desk.path("bare.csv"), "20/11/2026,15:00,Anna,Coupure\n").unwrap();
    let unknown = desk.run(&["journal", "--case", "case", "import", "bare.csv"]);
    assert!(unknown.code == 3 && unknown.err.contains("--columns") && unknown.err.contains("4: Coupure"), "{}", unknown.err);
    desk.journal(&["import", "bare.csv", "--columns", "date=1,time=2,person=3,text=4", "--write"]);
    let mut command = desk.command("home");
    let mut child = command
        .args(["journal", "--case", "case", "import", "-", "--write"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all("21 novembre 2026\n09:10 réunion de crise\n".as_bytes()).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    let list = desk.journal(&["list"]);
    for text in [
        "14:32 +01:00  Dupont: Appel",
        "15:00 +01:00  Anna: Coupure",
        "09:10 +01:00  R. Martin: réunion de crise",
        "noted by R. Martin",
    ] {
        assert!(list.contains(text), "{text}: {list}");
    }
    let book = desk.journal(&["export", "--format", "xlsx", "--out", "out.xlsx"]);
    assert!(
        book.contains("out.xlsx") && desk.run(&["journal", "--case", "case", "import", "out.xlsx"]).code == 0,
        "a spreadsheet is read"
    );
}

#[test]
fn two_copies_are_united_and_a_conflict_waits_for_one_answer() {
    let desk = Desk::new();
    desk.ok(&["journal", "--case", "case", "add", "avant la copie"]);
    copy(&desk.path("case"), &desk.path("other"));
    let severity = |case: &str| -> Value {
        let told: Value = serde_json::from_str(&desk.ok(&["severity", "--case", case, "--json"])).unwrap();
        serde_json::json!([told["answered"]["low"], told["answered"]["high"]])
    };
    let question = "Q.3b.01"; // is a clean global administrator left?
    desk.ok(&["answer", "--case", "case", question, "no", "--because", "essai"]);
    desk.ok_as("home-b", &["answer", "--case", "other", question, "yes", "--because", "essai", "--me", "B. Leroy"]);
    let before = severity("case");
    assert_eq!((&before, severity("other")), (&serde_json::json!([3, 4]), serde_json::json!([1, 4])), "the question decides");
    desk.ok_as("home-b", &["journal", "--case", "other", "add", "vu par B"]);
    let merged = desk.run(&["case", "merge", "case", "other"]);
    assert_eq!(merged.code, 0, "{}\n{}", merged.out, merged.err);
    assert!(
        merged.out.contains(&format!("≠ {question} ")) && merged.out.contains("R. Martin") && merged.out.contains("B. Leroy"),
        "{}",
        merged.out
    );
    assert!(merged.out.contains("2 devices"), "{}", merged.out);
    assert!(desk.journal(&["list"]).contains("vu par B"));
    assert!(desk.ok(&["case", "merge", "case", "other"]).contains("0 entries"), "a second merge brings nothing");
    assert_eq!(severity("case"), serde_json::json!([1, 4]), "both answers stay possible");
    desk.ok(&["answer", "--case", "case", question, "no", "--because", "vérifié ensemble"]);
    assert_eq!(severity("case"), before);
    let again = desk.ok(&["case", "merge", "case", "other"]);
    assert!(!again.contains('≠'), "one entry decides: {again}");
    assert_eq!(desk.run(&["case", "verify", "case"]).code, 0);
}

#[test]
fn a_killed_process_loses_nothing_that_it_printed() {
    let desk = Desk::new();
    let began = Instant::now();
    desk.journal(&["add", "pour mesurer"]);
    let whole = began.elapsed();
    let mut printed = Vec::new();
    for n in 0..24u32 {
        let mut command = desk.command("home");
        command.args(["journal", "--case", "case", "add", &format!("écriture {n}")]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut told = Vec::new();
        if n % 2 == 0 {
            // At the very moment at which the id is told.
            told.extend(lines.find(|line| line.len() == 36));
        } else {
            // At another moment each time, from before the entry is written to after the process would have ended.
            thread::sleep(whole * n / 20);
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        told.extend(lines);
        printed.extend(told.into_iter().filter(|line| line.len() == 36));
    }
    assert!(printed.len() >= 12, "every second one was told: {printed:?}");
    let last = id(&desk.journal(&["add", "après"]));
    let all: Value = serde_json::from_str(&desk.journal(&["list", "--json"])).unwrap();
    let there: BTreeSet<&str> = all.as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap()).collect();
    assert!(printed.iter().chain([&last]).all(|id| there.contains(id.as_str())));
    let verified = desk.run(&["case", "verify", "case"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
}

#[test]
fn two_processes_write_at_once() {
    let desk = Desk::new();
    let written: Vec<String> = thread::scope(|scope| {
        let each: Vec<_> = (0..2)
            .map(|p| {
                let desk = &desk;
                scope.spawn(move || (0..10).map(|n| id(&desk.journal(&["add", &format!("de {p}, {n}")]))).collect::<Vec<_>>())
            })
            .collect();
        each.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let verified: Value = serde_json::from_str(&desk.ok(&["case", "verify", "case", "--json"])).unwrap();
    assert_eq!((verified["intact"].as_bool(), verified["writers"].as_array().unwrap().len()), (Some(true), 1));
    let all: Value = serde_json::from_str(&desk.journal(&["list", "--json"])).unwrap();
    let there: BTreeSet<&str> = all.as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap()).collect();
    assert_eq!(written.iter().collect::<BTreeSet<_>>().len(), 20);
    assert!(written.iter().all(|id| there.contains(id.as_str())));
}

#[test]
fn a_flipped_byte_is_named() {
    let desk = Desk::new();
    fs::write(desk.path("shot.txt"), "capture d’écran").unwrap();
    desk.journal(&["add", "capture", "--attach", "shot.txt"]);
    desk.journal(&["export", "--format", "jsonl"]);
    let before = desk.run(&["case", "verify", "case"]);
    assert_eq!(before.code, 0, "{}", before.out);
    assert!(before.out.starts_with("chain intact · "), "{}", before.out);
    let attachment = fs::read_dir(desk.path("case/attachments")).unwrap().next().unwrap().unwrap().path();
    for file in [desk.path("case/reports/journal.jsonl"), attachment, desk.path("case/case.sqlite")] {
        let bytes = fs::read(&file).unwrap();
        let mut changed = bytes.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        fs::write(&file, changed).unwrap();
        for (lang, word) in [("fr", "anomalie"), ("en", "problem")] {
            let run = desk.run(&["case", "verify", "case", "--lang", lang]);
            let name = file.file_name().unwrap().to_string_lossy();
            assert!(run.code == 1 && run.out.contains(&*name) && run.out.contains(word), "{name}: {} {}", run.code, run.out);
        }
        fs::write(&file, bytes).unwrap();
    }
    assert_eq!(desk.run(&["case", "verify", "case"]).code, 0);
}

#[test]
fn the_fingerprint_is_given_out_and_noted() {
    let desk = Desk::new();
    desk.journal(&["add", "avant"]);
    let head = desk.journal(&["anchor", "préfecture, par téléphone"]);
    let short = head.lines().next().unwrap();
    assert!(short.len() == 19 && short.split(' ').all(|g| g.len() == 4), "{head}");
    assert!(desk.journal(&["list"]).contains("préfecture, par téléphone"));
}

#[test]
fn a_case_is_handed_over_encrypted() {
    let desk = Desk::new();
    let secret = id(&desk.journal(&["add", "texte-que-personne-ne-lit"]));
    let words = "quatre mots pour essayer";
    let with = |args: &[&str], words: &str| ended(desk.command("home").env("REFLEXE_PASSPHRASE", words).args(args));
    let nobody = desk.run(&["case", "pack", "case", "case.rfx"]);
    assert!(nobody.code == 3 && nobody.err.contains("REFLEXE_PASSPHRASE") && !desk.path("case.rfx").exists(), "{}", nobody.err);
    assert_eq!(with(&["case", "pack", "case", "case.rfx"], "court").code, 3);
    assert_eq!(with(&["case", "pack", "case", "case/reports/case.rfx"], words).code, 3, "not into itself");
    let packed = with(&["case", "pack", "case", "case.rfx"], words);
    assert_eq!(packed.code, 0, "{}", packed.err);
    let bytes = fs::read(desk.path("case.rfx")).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1") && !bytes.windows(12).any(|w| w == b"texte-que-pe"));
    let wrong = with(&["case", "unpack", "case.rfx", "opened"], "une autre phrase");
    assert_eq!(wrong.code, 3, "{}", wrong.out);
    let opened = with(&["case", "unpack", "case.rfx", "opened"], words);
    assert!(opened.code == 0 && opened.out.contains("chain intact"), "{} {}", opened.out, opened.err);
    assert!(desk.ok(&["journal", "--case", "opened", "list"]).contains("texte-que-personne-ne-lit"));
    assert!(desk.ok(&["journal", "--case", "opened", "list", "--json"]).contains(&secret));
}

#[test]
fn an_older_case_opens_with_a_backup() {
    let desk = Desk::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../reflexe-case/tests/fixtures/case-v1"), &desk.path("old"));
    let refused = desk.run(&["case", "verify", "old"]);
    assert!(
        refused.code == 3 && refused.err.contains("reflexe journal"),
        "verifying changes nothing, and says what to do: {}",
        refused.err
    );
    desk.ok(&["journal", "--case", "old", "add", "repris"]);
    assert!(desk.path("old/case.format-1.sqlite").exists());
    let verified = desk.run(&["case", "verify", "old"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
    assert!(desk.ok(&["journal", "--case", "old", "list", "--all"]).contains("e3"));
}

#[test]
fn a_synchronised_folder_warns() {
    let desk = Desk::new();
    copy(&desk.path("case"), &desk.path("OneDrive - Example/case"));
    for (lang, word) in [("fr", "synchronisé"), ("en", "synchronised")] {
        let run = desk.run(&["journal", "--case", "OneDrive - Example/case", "list", "--lang", lang]);
        assert!(run.code == 0 && run.err.contains(word), "{}", run.err);
        assert!(!desk.run(&["journal", "--case", "case", "list", "--lang", lang]).err.contains(word));
    }
}
