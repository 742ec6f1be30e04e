//! Every cited row of every report opens on the very bytes of its original, wherever the original lies and however it is written.
#![allow(clippy::print_stdout)] // a skipped test says so
mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use common::{list, qualify, reflexe, run, shared};
use serde_json::Value;

/// Longest original that a page shows, in characters.
const SHOWN: usize = 2048;

/// A cited row, with the place that its locator gives, read here by hand.
struct Cited<'a> {
    row: &'a Value,
    id: &'a str,
    member: Option<&'a str>,
    offset: usize,
    length: usize,
    pointer: &'a str,
}

fn cited(row: &Value) -> Cited<'_> {
    let locator = row["locator"].as_str().expect("a locator");
    let (origin, place) = locator.split_once('@').unwrap_or_else(|| panic!("{row}"));
    let (id, member) = origin.split_once('!').map_or((origin, None), |(id, member)| (id, Some(member)));
    assert!(member.is_none_or(|m| !m.is_empty()), "an empty member: {row}");
    let (offset, rest) = place.split_once('+').expect("a length");
    let (length, rest) = rest.split_once(':').expect("a line");
    let pointer = rest.split_once('#').map_or("", |(_, pointer)| pointer);
    Cited { row, id, member, pointer, offset: offset.parse().expect("a number"), length: length.parse().expect("a number") }
}

/// Rows that an answer cites, each place once: those of its findings and those that its stories tell beside them.
fn rows(answer: &Value) -> Vec<&Value> {
    let of_findings = list(answer, "findings").iter().flat_map(|f| list(f, "rows"));
    let of_stories = list(answer, "stories").iter().flat_map(|s| list(s, "context")).flat_map(|c| list(c, "rows"));
    let all: BTreeMap<String, &Value> =
        of_findings.chain(of_stories).map(|r| (format!("{} {}", r["locator"], r["table"]), r)).collect();
    all.into_values().collect()
}

/// The text of a file in which its rows count their bytes.
fn text_of(path: &Path, member: Option<&str>) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    match member {
        None => bytes,
        Some("utf8:") => {
            let units: Vec<u16> = bytes[2..].chunks(2).map(|u| u16::from_le_bytes([u[0], u[1]])).collect();
            String::from_utf16(&units).expect("UTF-16").into_bytes()
        }
        Some(other) => panic!("member {other}"),
    }
}

/// Demands the very bytes of every row that an answer cites, from the command and from the report in both languages.
fn opens(case: &Path, answer: &Value, name: &str) -> usize {
    let rows = rows(answer);
    let mut expected: BTreeMap<&str, String> = BTreeMap::new();
    let mut texts: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for row in &rows {
        let locator = row["locator"].as_str().expect("a locator");
        if let Some((table, line)) = locator.strip_prefix("ref.").and_then(|l| l.split_once(':')) {
            let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../evidence/reference/{table}.csv"));
            let line: usize = line.parse().expect("a line");
            let text = fs::read_to_string(shipped).expect("a reference table");
            expected.insert(locator, text.lines().nth(line - 1).expect("a line").to_owned());
            continue;
        }
        let c = cited(row);
        let file = c.row["file"].as_str().expect("a file");
        let text = texts.entry(file).or_insert_with(|| text_of(Path::new(file), c.member));
        let record = text.get(c.offset..c.offset + c.length).unwrap_or_else(|| panic!("outside of {file}: {row}"));
        let record = String::from_utf8(record.to_vec()).expect("UTF-8");
        assert!(!record.trim().is_empty(), "{row}");
        let before = text[..c.offset].iter().filter(|b| **b == b'\n').count();
        assert_eq!(row["line"].as_u64(), Some(before as u64 + 1), "{row}");
        if let Some(id) = row["record_id"].as_str() {
            // In a map of records the id is the key.
            let named = record.to_lowercase().contains(&id.to_lowercase()) || c.pointer.ends_with(&format!("/{id}"));
            // A setting may be put together from two places of one file.
            let logs = ["ual_event", "signin", "directory_audit"];
            let beside = !logs.contains(&row["table"].as_str().expect("a table")) && String::from_utf8_lossy(text).contains(id);
            let named = named || beside;
            assert!(named, "{} {id} is not in {record}", c.id);
        }
        expected.insert(locator, record);
    }
    // The command prints them.
    for some in expected.keys().collect::<Vec<_>>().chunks(200) {
        let done = run(reflexe().args(["row", "--json", "--case"]).arg(case).args(some));
        assert_eq!(done.code, 0, "{name}: {}", done.err);
        let told: Value = serde_json::from_str(&done.out).expect("JSON");
        assert_eq!(list(&told, "rows").len(), some.len());
        for shown in list(&told, "rows") {
            let locator = shown["locator"].as_str().expect("a locator");
            assert_eq!(shown["record"].as_str(), Some(expected[locator].as_str()), "{locator}");
            for row in rows.iter().filter(|r| r["locator"] == locator && !locator.starts_with("ref.")) {
                assert_eq!((&shown["file"], &shown["line"]), (&row["file"], &row["line"]), "{locator}");
                let made = list(shown, "rows").iter().any(|m| m["table"] == row["table"] && m["record_id"] == row["record_id"]);
                assert!(made, "{row} is not among {shown}");
            }
        }
    }
    // Each page shows them.
    for lang in ["fr", "en"] {
        let page = fs::read_to_string(case.join(format!("reports/qualification.{lang}.html"))).expect("the report is written");
        let mut shown = 0;
        for (locator, raw) in originals(&page) {
            let expected = visible(expected[locator.as_str()].trim_end_matches(['\r', '\n']));
            let whole = expected.chars().count() <= SHOWN;
            assert_eq!(raw, if whole { expected } else { expected.chars().take(SHOWN).chain(['…']).collect() }, "{locator}");
            shown += 1;
        }
        assert!(shown > 0 || rows.is_empty(), "{name}: the page shows no original");
        for gone in ["n’est plus", "is no longer", "n’est pas un repère", "is not a locator"] {
            assert!(!page.contains(gone), "{name}: “{gone}”");
        }
    }
    rows.len()
}

/// Locators of a page with the original that stands below each.
fn originals(page: &str) -> Vec<(String, String)> {
    let between = |text: &str, from: &str, to: &str| -> Option<String> {
        let rest = &text[text.find(from)? + from.len()..];
        Some(unescaped(&rest[..rest.find(to)?]))
    };
    page.split("<p class=\"place\">")
        .skip(1)
        .filter_map(|part| {
            let locator = between(part, "<bdi class=\"id dim\">", "</bdi>")?;
            let below = &part[..part.find("</div>").unwrap_or(part.len())];
            Some((locator, between(below, "<pre class=\"code\" tabindex=\"0\"><bdi>", "</bdi>")?))
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A text as a page shows it.
fn visible(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if reflexe_fiche::say::hidden(c) && c != '\n' && c != '\t' {
            out.push_str(&format!("‹U+{:04X}›", c as u32));
        } else {
            out.push(c);
        }
        out
    })
}

fn simulate(dir: &Path, scenario: &str) -> PathBuf {
    let out = dir.join(scenario);
    let done = run(reflexe().args(["simulate", scenario]).arg(&out).args(["--seed", "7", "--users", "15", "--events", "2000"]));
    assert_eq!(done.code, 0, "{}", done.err);
    out.join("evidence")
}

#[test]
fn every_scenario_copied_and_in_place() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut attacked = 0;
    for scenario in reflexe_simulate::scenarios().expect("scenarios") {
        let evidence = simulate(dir.path(), &scenario.name);
        for more in [&["--in-place"][..], &[]] {
            let case = dir.path().join(format!("case-{}-{}", scenario.name, more.len()));
            let (_, answers) = qualify(&case, std::slice::from_ref(&evidence), more);
            let cited = opens(&case, &answers[0], &scenario.name);
            println!("{} {more:?}: {cited} rows", &scenario.name);
            attacked = attacked.max(cited);
        }
    }
    assert!(attacked > 100, "too few rows prove anything: {attacked}");
}

#[test]
fn in_another_encoding() {
    let dir = tempfile::tempdir().expect("a folder");
    let evidence = simulate(dir.path(), "aitm-admin");
    let mut wide = 0;
    for path in files(&evidence) {
        if path.extension().is_some_and(|e| e == "csv" || e == "json" || e == "jsonl") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let text = text.trim_start_matches('\u{feff}');
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            fs::write(&path, units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).expect("written");
            wide += 1;
        }
    }
    assert!(wide > 3);
    let case = dir.path().join("case");
    let (_, answers) = qualify(&case, &[evidence], &[]);
    let members = rows(&answers[0]).iter().filter(|r| r["locator"].as_str().is_some_and(|l| l.contains("!utf8:@"))).count();
    assert!(members > 50, "{members} rows in UTF-16");
    opens(&case, &answers[0], "utf-16");
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder").flatten() {
        if entry.path().is_dir() { out.extend(files(&entry.path())) } else { out.push(entry.path()) }
    }
    out
}

#[test]
fn real_exports() {
    let dir = tempfile::tempdir().expect("a folder");
    for name in [
        "ual-dutchmasterz",
        "scubagear-1.8.0",
        "scubagear-1.3.0",
        "scubagear-0.3.0",
        "det-eng",
        "golden-saml",
        "message-trace-2025",
    ] {
        let Some(evidence) = shared(name) else { continue };
        let case = dir.path().join(name);
        let (_, answers) = qualify(&case, &[evidence], &["--in-place"]);
        if let [answer] = answers.as_slice() {
            println!("{name}: {} rows", opens(&case, answer, name));
        } else {
            println!("{name}: {} tenants", answers.len());
        }
    }
}

#[test]
fn what_is_gone_or_changed_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let evidence = simulate(dir.path(), "aitm-admin");
    let case = dir.path().join("case");
    let (_, answers) = qualify(&case, &[evidence], &["--in-place"]);
    let all = rows(&answers[0]);
    let row = all.iter().find(|r| r["table"] == "ual_event").expect("a row of the audit log");
    let (file, locator) = (row["file"].as_str().expect("a file"), row["locator"].as_str().expect("a locator"));
    let name = Path::new(file).file_name().and_then(|n| n.to_str()).expect("a name");
    let bytes = fs::read(file).expect("readable");

    let said = |lang: &str, words: &str| {
        let done = run(reflexe().args(["row", "--lang", lang, "--case"]).arg(&case).arg(locator));
        assert_eq!(done.code, 3, "{}", done.out);
        assert!(done.err.contains(name) && done.err.contains(words), "{}", done.err);
        assert_eq!(run(reflexe().args(["report", "--lang", lang, "--case"]).arg(&case)).code, 0);
        let page = fs::read_to_string(case.join(format!("reports/qualification.{lang}.html"))).expect("a page");
        let place = page.find(&format!("<bdi class=\"id dim\">{locator}</bdi>")).expect("the row stands in the page");
        let below = &page[place..place + 1500];
        assert!(below.contains(words) && below.contains(name), "{below}");
    };
    // Changed, but of the same size and date.
    let date = fs::metadata(file).and_then(|m| m.modified()).expect("a date");
    let mut other = bytes.clone();
    let at = cited(row).offset + cited(row).length / 2;
    other[at] ^= 1;
    fs::write(file, &other).expect("written");
    fs::File::options().append(true).open(file).and_then(|f| f.set_modified(date)).expect("dated");
    said("en", "it was changed since");
    said("fr", "il a été modifié depuis");
    fs::remove_file(file).expect("removed");
    said("en", "is no longer at");
    said("fr", "n’est plus à");
    fs::write(file, &bytes).expect("put back");
    assert_eq!(run(reflexe().args(["row", "--case"]).arg(&case).arg(locator)).code, 0);
}

#[test]
fn a_wrong_locator_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let evidence = simulate(dir.path(), "clean");
    let case = dir.path().join("case");
    assert_eq!(run(reflexe().args(["import", "--case"]).arg(&case).arg(evidence)).code, 0);
    let ask = |locator: &str| run(reflexe().args(["row", "--case"]).arg(&case).arg(locator));
    for (locator, code, words) in [
        ("e1", 2, "is not a locator"),
        ("e1!@0+5:1 x\u{1b}[2J", 2, "‹U+001B›"),
        ("e9999@0+5:1", 3, "holds no evidence e9999"),
        ("e1@1+5:1", 3, "no row of the case"),
        ("e1@0+99999999999:1", 3, "no row of the case"),
        ("ref.nothing:3", 3, "ships no row"),
    ] {
        let done = ask(locator);
        assert_eq!(done.code, code, "{locator}: {}", done.err);
        assert!(done.err.contains(words) && done.out.is_empty(), "{locator}: {}", done.err);
    }
}
