//! Steps, clocks, contacts, preparation, words: driven through the binary, as a person would. No command opens a connection.
mod common;

use std::{fs, path::Path};

use common::{Run, list, reflexe, run};
use serde_json::Value;

/// A folder of its own for one test, with a case in which everything is unknown.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn empty() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder") }
    }

    fn with_case() -> Self {
        let bench = Self::empty();
        let made = run(reflexe().env("REFLEXE_HOME", bench.path("home")).args(["case", "new"]).arg(bench.path("case")));
        assert_eq!(made.code, 0, "{}", made.err);
        bench
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a command on the case.
    fn on_case(&self, args: &[&str]) -> Run {
        let case = self.path("case");
        self.run(&[&args[..1], &["--case", case.to_str().expect("UTF-8")], &args[1..]].concat())
    }

    fn run(&self, args: &[&str]) -> Run {
        run(reflexe().env("REFLEXE_HOME", self.path("home")).env("REFLEXE_ME", "M. Durand").args(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let done = self.on_case(&[args, &["--json"]].concat());
        assert_eq!(done.code, 0, "{args:?}: {}", done.err);
        serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{e}: {}", done.out))
    }

    fn answer(&self, question: &str, value: &str) {
        let done = self.on_case(&["answer", question, value, "--because", "seen by the administrator"]);
        assert_eq!(done.code, 0, "{question}: {}{}", done.out, done.err);
    }

    fn clock(&self, id: &str) -> Value {
        let all = self.json(&["clocks"]);
        list(&all, "clocks").iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("{id} is listed")).clone()
    }
}

fn append(path: &Path, rows: &str) {
    let text = fs::read_to_string(path).expect("the file is there");
    fs::write(path, text + rows).expect("it can be written");
}

fn step<'a>(all: &'a Value, id: &str) -> Option<&'a Value> {
    list(all, "steps").iter().find(|s| s["id"] == id)
}

#[test]
fn evidence_comes_first_and_an_answer_brings_the_eviction_with_its_names() {
    let bench = Bench::with_case();
    let before = bench.json(&["steps"]);
    assert!(list(&before, "golden").len() >= 5);
    let needed = |all: &Value| -> Vec<String> {
        let yes = list(all, "steps").iter().filter(|s| s["needed"] == "yes");
        yes.map(|s| s["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(needed(&before), ["N.00", "N.01", "N.61"]);
    bench.answer("V.T3", "confirmed: sean.o'brien@example.com, $(rm)@example.com");
    let after = bench.json(&["steps"]);
    let ids = needed(&after);
    let place = |id: &str| ids.iter().position(|i| i == id).unwrap_or_else(|| panic!("{id} is needed: {ids:?}"));
    assert!(place("N.00") < place("N.10") && place("N.10") < place("N.20"), "{ids:?}");
    let evict = step(&after, "N.20").expect("it is listed");
    assert!(list(evict, "commands").iter().all(Value::is_string), "the list names commands, it does not show them");

    let whole = bench.json(&["steps", "n.20"]);
    let quoted = whole["targets"].as_array().expect("targets").iter().find(|t| t["value"] == "sean.o'brien@example.com");
    let lines = quoted.expect("the person named him")["commands"][0]["lines"]["en"].as_str().expect("a command");
    assert_eq!(lines, "Update-MgUser -UserId 'sean.o''brien@example.com' -AccountEnabled:$false");
    for (lang, blank) in [("fr", "<compte>"), ("en", "<account>")] {
        let told = bench.on_case(&["steps", "N.20", "--lang", lang]);
        assert_eq!(told.code, 0, "{}", told.err);
        assert!(told.out.contains(&format!("Update-MgUser -UserId {blank} -AccountEnabled:$false")), "{}", told.out);
        let copied = told.out.lines().filter(|l| l.contains("-Mg"));
        assert!(copied.clone().count() > 5 && copied.into_iter().all(|l| !l.contains("$(rm)")), "{}", told.out);
    }
    // Principle: what was shown is in the journal, with who saw it.
    let journal = bench.on_case(&["journal", "list", "--all"]).out;
    assert!(journal.contains("N.20: commands shown"), "{journal}");
}

#[test]
fn a_state_is_written_kept_and_wrong_words_are_named() {
    let bench = Bench::with_case();
    bench.answer("V.T3", "confirmed: adm@example.com");
    let said =
        bench.json(&["steps", "N.20", "doing", "--target", "ADM@example.com", "--owner", "Dupont", "--due", "31/12/2030 18:00"]);
    assert_eq!(said["target"], "adm@example.com", "the name as it was found");
    bench.json(&["steps", "N.20", "fait", "--target", "adm@example.com", "--effect", "no sign-in since"]);
    let evict = bench.json(&["steps", "N.20"]);
    let state = &evict["targets"][0]["state"];
    assert_eq!((state["status"].as_str(), state["owner"].as_str()), (Some("done"), Some("Dupont")), "{state}");
    assert!(state["due"].as_str().expect("kept").starts_with("2030-12-31T18:00"), "{state}");
    assert_eq!(state["effect"], "no sign-in since");
    for (lang, args, expected) in [
        ("en", vec!["steps", "N.99"], "no such step"),
        ("fr", vec!["steps", "N.99"], "pas d’étape de ce nom"),
        ("en", vec!["steps", "N.20", "finished"], "no such state"),
        ("fr", vec!["steps", "N.20", "fini"], "cet état n’existe pas"),
        ("en", vec!["steps", "N.20", "done", "--due", "soonish"], "No time"),
        ("en", vec!["clocks", "event", "D.NONE", "aware", "14:32"], "no such deadline"),
        ("fr", vec!["clocks", "event", "D.GDPR33", "woke", "14:32"], "n’a pas cet événement"),
        ("en", vec!["clocks", "event", "D.GDPR33", "aware", "31/12/2099", "14:32"], "not happened yet"),
    ] {
        let done = bench.on_case(&[args.as_slice(), &["--lang", lang]].concat());
        assert_eq!(done.code, 2, "{args:?}: {}", done.err);
        assert!(done.err.contains(expected), "{args:?}: {}", done.err);
    }
}

#[test]
fn the_list_fits_a_terminal_in_both_languages() {
    let bench = Bench::with_case();
    bench.answer("V.T3", "confirmed: adm@example.com");
    for (lang, words) in [("fr", ["RÈGLES D’OR", "Peut-être"]), ("en", ["GOLDEN RULES", "Maybe"])] {
        let told = bench.on_case(&["steps", "--lang", lang]);
        assert_eq!(told.code, 0, "{}", told.err);
        assert!(words.iter().all(|w| told.out.contains(w)), "{}", told.out);
        let clocks = bench.on_case(&["clocks", "--lang", lang]);
        assert!(clocks.out.contains(" event D.GDPR33 aware \""), "{}", clocks.out);
        let contacts = bench.on_case(&["contacts", "--lang", lang]);
        for line in told.out.lines().chain(clocks.out.lines()).chain(contacts.out.lines()) {
            let command = line.trim_start().starts_with("reflexe ") || line.contains("--case") || line.contains("http");
            // A sign may hang over the edge: it never begins a line.
            assert!(command || line.chars().count() <= 102, "{line}");
        }
    }
}

/// The strict time across both changes of the clock: elapsed hours, told on the local clock.
#[test]
fn clocks_run_in_elapsed_hours_and_nobody_shares_a_moment() {
    let bench = Bench::with_case();
    assert_eq!(bench.clock("D.GDPR33")["state"], "not_started");
    for (at, due) in [("26/10/2024 15:00", "2024-10-29T14:00:00+01:00"), ("29/03/2025 10:00", "2025-04-01T11:00:00+02:00")] {
        let said = bench.json(&["clocks", "event", "D.GDPR33", "aware", at]);
        assert_eq!(said["clocks"][0]["due"], due, "{said}");
        assert_eq!(bench.clock("D.GDPR33")["state"], "overdue");
    }
    assert_eq!(bench.clock("D.GDPR34")["state"], "not_started", "its moment is its own");
    let ambiguous = bench.on_case(&["clocks", "event", "D.GDPR33", "aware", "26/10/2025 02:30"]);
    assert_eq!(ambiguous.code, 2, "that hour was lived twice");
    bench.json(&["clocks", "event", "D.GDPR33", "aware", "none"]);
    assert_eq!(bench.clock("D.GDPR33")["state"], "not_started");
    bench.json(&["clocks", "done", "D.LOPMI", "PV-2026-1"]);
    let done = bench.clock("D.LOPMI");
    assert_eq!((done["state"].as_str(), done["reason"].as_str()), (Some("done"), Some("PV-2026-1")));
    bench.json(&["clocks", "open", "D.LOPMI", "sent to the wrong office"]);
    assert_eq!(bench.clock("D.LOPMI")["state"], "not_started");
    bench.json(&["clocks", "not-applicable", "D.NIS2-EW", "not an essential entity"]);
    assert_eq!(bench.clock("D.NIS2-EW")["state"], "not_applicable");
}

#[test]
fn the_calendar_reads_back_and_is_in_the_journal() {
    let bench = Bench::with_case();
    let none = bench.on_case(&["clocks", "ics"]);
    assert!(none.code == 0 && none.out.contains("nothing to write"), "{}", none.out);
    bench.json(&["clocks", "event", "D.GDPR33", "aware", "26/10/2024 15:00"]);
    let said = bench.json(&["clocks", "ics"]);
    let path = Path::new(said["file"].as_str().expect("a file"));
    assert_eq!(path.parent(), Some(bench.path("case/reports").as_path()));
    let text = fs::read_to_string(path).expect("it was written");
    let unfolded = text.replace("\r\n ", "");
    let of = |name: &str| -> Vec<&str> { unfolded.split("\r\n").filter_map(|l| l.strip_prefix(name)).collect() };
    assert_eq!(of("DTSTART:"), ["20241029T130000Z"]);
    assert_eq!(of("BEGIN:"), ["VCALENDAR", "VEVENT", "VALARM", "VALARM", "VALARM"]);
    assert!(of("UID:")[0].starts_with("D.GDPR33."));
    let journal = bench.on_case(&["journal", "list", "--all"]).out;
    assert!(journal.contains("reports/clocks.ics"), "{journal}");
    let out = bench.path("elsewhere.ics");
    bench.json(&["clocks", "ics", "--out", out.to_str().expect("UTF-8")]);
    assert!(out.is_file());
}

#[test]
fn a_pack_is_made_checked_and_printed() {
    let bench = Bench::empty();
    let pack = bench.path("pack");
    let dir = pack.to_str().expect("UTF-8");
    let made = bench.run(&["prepare", "new", dir]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.out.contains("preparation.toml") && made.out.contains("administrators.csv"), "{}", made.out);
    let again = bench.run(&["prepare", "new", dir, "--lang", "fr"]);
    assert!(again.code != 0 && again.err.contains("existe déjà"), "{}", again.err);
    let empty = bench.run(&["prepare", "check", dir]);
    assert_eq!(empty.code, 0, "empty is no mistake: {}", empty.out);
    assert!(empty.out.contains("Up to date at 0 %") && empty.out.contains("Who to call"), "{}", empty.out);
    append(
        &pack.join("contacts.csv"),
        "A. Martin;CERT;Exemple;01 00 00 00 00;;help@example.com;24/7;C-1;tout;a@example.org;2020-01-01\n",
    );
    append(&pack.join("egress.csv"), "300.1.1.1;bureau;;;a@example.org;2026-11-01\n");
    for (lang, words) in [("fr", "À CORRIGER"), ("en", "TO CORRECT")] {
        let faulty = bench.run(&["prepare", "check", dir, "--lang", lang]);
        assert_eq!(faulty.code, 1, "{}", faulty.out);
        assert!(
            faulty.out.contains(words) && faulty.out.contains("egress.csv:") && faulty.out.contains("300.1.1.1"),
            "{}",
            faulty.out
        );
        assert!(faulty.out.contains("a@example.org"), "who has to look again: {}", faulty.out);
    }
    let printed = bench.run(&["prepare", "print", dir, "--json"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    let printed: Value = serde_json::from_str(&printed.out).expect("JSON");
    for (path, word) in list(&printed, "files").iter().zip(["Main courante", "Journal"]) {
        let page = fs::read_to_string(path.as_str().expect("a path")).expect("it was written");
        assert!(page.contains(word) && page.contains("A. Martin"));
    }
}

#[test]
fn own_contacts_come_first_and_a_mail_inside_the_tenant_warns() {
    let bench = Bench::empty();
    let none = bench.on_case(&["contacts", "--json"]);
    assert_eq!(none.code, 0, "who to call is told without a case too: {}", none.err);
    assert!(none.err.contains("No case"), "{}", none.err);
    let (case, _) = declared(&bench, "contacts.csv", |domain| {
        format!(
            "A. Martin;CERT;Exemple;;;help@{domain};24/7;C-1;tout;a@example.org;2026-11-01\nB. Petit;RSSI;Exemple;01 00 00 00 00;;help@{domain};24/7;;;a@example.org;2026-11-01\n"
        )
    });
    let told = bench.run(&["contacts", "--json", "--case", &case]);
    assert_eq!(told.code, 0, "{}", told.err);
    let told: Value = serde_json::from_str(&told.out).expect("JSON");
    let first = &list(&told, "contacts")[0];
    // Without a telephone the row is faulty: it is named and left out.
    assert_eq!((first["name"]["en"].as_str(), first["open"].as_bool()), (Some("B. Petit"), Some(true)));
    assert!(first["warning"]["en"].as_str().expect("a warning").contains("do not write"), "{first}");
    let text = bench.run(&["contacts", "--lang", "fr", "--case", &case]).out;
    assert!(text.contains("RÉPOND MAINTENANT") && text.contains("appelez, n'écrivez pas"), "{text}");
}

/// A simulated attack, qualified with a pack in which one table has rows; gives the case and its answer.
fn declared(bench: &Bench, table: &str, rows: impl Fn(&str) -> String) -> (String, Value) {
    let text = |p: std::path::PathBuf| p.to_str().expect("UTF-8").to_owned();
    let (tenant, pack, case) = (text(bench.path("tenant")), text(bench.path("pack")), text(bench.path("case")));
    if !bench.path("tenant").exists() {
        let made = bench.run(&["simulate", "aitm-admin", &tenant, "--users", "15", "--events", "2000", "--seed", "11"]);
        assert_eq!(made.code, 0, "{}", made.err);
    }
    let evidence = format!("{tenant}/evidence");
    let first = bench.run(&["qualify", &evidence, "--case", &case, "--in-place", "--json"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let answer: Value = serde_json::from_str(&first.out).expect("JSON");
    let domain = answer["case"]["tenant"]["domains"][0].as_str().expect("a domain");
    let made = bench.run(&["prepare", "new", &pack]);
    assert_eq!(made.code, 0, "{}", made.err);
    append(&bench.path("pack").join(table), &rows(domain));
    let again = bench.run(&["report", "--case", &case, "--prepared", &pack, "--json"]);
    assert_eq!(again.code, 0, "{}", again.err);
    (case, answer)
}

#[test]
fn a_declared_forward_becomes_information_with_the_name_and_nothing_else_moves() {
    let bench = Bench::empty();
    let (case, before) = declared(&bench, "vips.csv", |_| String::new());
    let forwards: Vec<&Value> = list(&before, "findings").iter().filter(|f| f["check"] == "1b.external-forwarding").collect();
    let forward = forwards.first().expect("the scenario forwards a mailbox");
    let (subject, key) = (forward["subject"].as_str().expect("a mailbox"), forward["links"][0]["value"].as_str());
    let destination = key.expect("where to");
    append(
        &bench.path("pack").join("forwards.csv"),
        &format!("transfert;{subject};{destination};payroll;;jane.doe@example.org;2026-11-01\n"),
    );
    let pack = bench.path("pack");
    let told = bench.run(&["report", "--case", &case, "--prepared", pack.to_str().expect("UTF-8"), "--json"]);
    assert_eq!(told.code, 0, "{}", told.err);
    let after: Value = serde_json::from_str(&told.out).expect("JSON");
    let same = list(&after, "findings").iter().find(|f| f["id"] == forward["id"]).expect("nothing is hidden");
    assert_eq!(same["verdict"], "info", "{same}");
    assert!(same.to_string().contains("jane.doe@example.org"), "who declared it: {same}");
    let others = |a: &Value| -> Vec<(String, String)> {
        let rest = list(a, "findings").iter().filter(|f| f["subject"] != subject);
        let mut all: Vec<(String, String)> = rest.map(|f| (f["id"].to_string(), f["verdict"].to_string())).collect();
        all.sort();
        all
    };
    assert_eq!(others(&before), others(&after));
}

#[test]
fn a_wide_exit_is_looked_up_in_the_evidence() {
    let bench = Bench::empty();
    // The whole of the addresses: no sign-in of an administrator comes from elsewhere any more.
    let (case, before) = declared(&bench, "egress.csv", |_| {
        "0.0.0.0/0;office;;;a@example.org;2026-11-01\n::/0;office;;;a@example.org;2026-11-01\n".to_owned()
    });
    let told = bench.run(&["report", "--case", &case, "--json"]);
    assert!(!told.err.contains("egress"), "{}", told.err);
    let after: Value = serde_json::from_str(&told.out).expect("JSON");
    let sources = |a: &Value| list(a, "findings").iter().filter(|f| f["check"] == "1a.admin-signin-sources").count();
    assert!(sources(&before) > 0 && sources(&after) < sources(&before), "{} {}", sources(&before), sources(&after));
}

#[test]
fn words_and_attacks_are_explained_in_both_languages() {
    let bench = Bench::empty();
    for (lang, word) in [("fr", "JETON"), ("en", "token")] {
        let told = bench.run(&["glossary", word, "--lang", lang]);
        assert_eq!(told.code, 0, "{}", told.err);
        assert!(told.out.to_lowercase().contains(&word.to_lowercase()) && told.out.lines().count() < 40, "{}", told.out);
    }
    assert!(bench.run(&["glossary"]).out.lines().count() > 40);
    assert!(bench.run(&["glossary", "zzzz"]).out.contains("Nothing contains"));
    let one = bench.run(&["attacks", "T1114.003", "--lang", "fr"]);
    assert!(one.out.starts_with("T1114.003") && one.out.matches("\nT1").count() == 0, "{}", one.out);
    let found: Value = serde_json::from_str(&bench.run(&["attacks", "phishing", "--json"]).out).expect("JSON");
    assert!(!found.as_array().expect("a list").is_empty());
}
