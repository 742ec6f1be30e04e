//! Exports of settings and the log of a collection tool, through the whole import: encodings, accounting, coverage, copies.
mod common;

use std::{fs, path::Path};

use common::Bench;

fn shared(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

#[test]
fn a_scubagear_folder_says_each_thing_once() {
    let Some(dir) = shared("scubagear-1.8.0") else { return };
    let mut bench = Bench::new(1);
    let mut files: Vec<_> = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    files.extend(fs::read_dir(dir.join("IndividualReports")).unwrap().map(|e| e.unwrap().path()));
    files.sort();
    let mut findings = 0;
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e != "md")) {
        let report = bench.recognised(file);
        for source in &report.sources {
            let r = &source.rows;
            assert_eq!(r.read, r.kept + r.duplicate + r.rejected, "{}", file.display());
            assert_eq!(r.rejected, 0, "{}", file.display());
            findings += source.tables.get("posture_finding").copied().unwrap_or_default();
        }
    }
    // 92 controls of the report, and one that only the rule engine knows
    assert_eq!(findings, 93);
}

#[test]
fn the_log_of_the_tool_covers_in_utf_16() {
    let readme = include_str!("../../../evidence/sources/mes-logfile/README.md");
    let example = readme.split("```").nth(1).unwrap().trim_start().replace('\n', "\r\n");
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(example.encode_utf16().flat_map(u16::to_le_bytes));
    let mut bench = Bench::new(1);
    let path = bench.dir.path().join("anything.bin");
    fs::write(&path, bytes).unwrap();
    let report = bench.recognised(&path);
    assert_eq!(report.sources[0].source, "mes.logfile");
    assert!(report.sources[0].tables["coverage"] >= 5);
}

#[test]
fn a_table_with_an_unknown_header_is_left_alone() {
    let mut bench = Bench::new(1);
    let path = bench.dir.path().join("x.csv");
    fs::write(&path, "Colour,Weight\nred,3\n").unwrap();
    assert!(matches!(bench.import(&path), reflexe_evidence::import::Outcome::Unrecognised { .. }));
}
