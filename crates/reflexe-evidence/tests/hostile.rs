//! Damaged, huge and random files: nothing panics, every record is counted, and what is whole is kept.
mod common;

use std::{fs, io::Write};

use common::{Bench, total};
use proptest::prelude::*;
use reflexe_evidence::import::Outcome;

fn record(n: u64) -> String {
    format!(
        r#"{{"CreationTime":"2026-02-03T08:41:22","Id":"5f0f6a51-0c11-4d9a-9d0a-{n:012x}","Operation":"FileAccessed","OrganizationId":"11111111-2222-3333-4444-555555555555","RecordType":6,"UserKey":"k","UserType":0,"Workload":"SharePoint","ClientIP":"203.0.113.7","UserId":"a@example.com","SourceFileName":"n° {n}.docx"}}"#
    )
}

fn row(n: u64) -> String {
    format!(
        "\"SharePointFileOperation\",\"2/13/2026 8:41:22 AM\",\"a@example.com\",\"FileAccessed\",\"{}\",\"5f0f6a51-0c11-4d9a-9d0a-{n:012x}\"\r\n",
        record(n).replace('"', "\"\"")
    )
}

const HEADER: &str = "\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"Identity\"\r\n";

fn counts(outcome: Outcome) -> (u64, u64, u64, u64) {
    let Outcome::Recognised(report) = outcome else { panic!("not recognised") };
    let c = total(&report);
    (c.read, c.kept, c.duplicate, c.rejected)
}

#[test]
fn damage_costs_only_what_it_touches() {
    let (a, b, c) = (record(1), record(2), record(3));
    let half = &b[..b.len() / 2];
    let deep = r#"{"CreationTime":"2026-02-03T08:41:22","Operation":"x","RecordType":1,"a":[{"b":1"#;
    for (name, text, want) in [
        ("truncated end", format!("{a}\n{b}\n{half}"), (3, 2, 0, 1)),
        ("truncated in the middle", format!("{a}\n{half}\n{c}\n"), (3, 2, 0, 1)),
        ("unbalanced", format!("{a}\n{deep}\n{b}\n{c}\n"), (4, 3, 0, 1)),
        ("garbage line", format!("{a}\nWARNING: throttled\n{b}\n"), (3, 2, 0, 1)),
        ("array cut short", format!("[{a},{b},{half}"), (3, 2, 0, 1)),
        ("indented among lines", format!("{a}\n{}\n{c}\n", b.replace(",\"", ",\n\"")), (3, 3, 0, 0)),
        ("several in a line", format!("{a}\n{b}{c}\n"), (3, 3, 0, 0)),
    ] {
        let mut bench = Bench::new(1);
        let outcome = bench.bytes("x.json", text.as_bytes());
        assert_eq!(counts(outcome), want, "{name}");
        let issues = bench.rows("ingest_issue");
        assert_eq!(issues.len() as u64, want.3, "{name}");
        for issue in issues {
            let at: usize = issue["src_offset"].parse().unwrap();
            let line: usize = issue["src_line"].parse().unwrap();
            assert_eq!(line, 1 + text[..at].matches('\n').count(), "{name}");
        }
    }
}

#[test]
fn csv_damage_costs_only_what_it_touches() {
    let (a, b, c, d) = (row(1), row(2), row(3), row(4));
    for (name, text, want) in [
        ("field too many", format!("{HEADER}{a}\"x\",{b}{c}"), (3, 2, 0, 1)),
        ("field missing", format!("{HEADER}{a}\"x\",\"y\"\r\n{c}"), (3, 2, 0, 1)),
        ("quote never closed", format!("{HEADER}{a}{}{c}{d}", b.replace("}\",\"5f0f", "},\"5f0f")), (4, 3, 0, 1)),
        ("stray quote", format!("{HEADER}{a}\"x\"y{b}{c}"), (3, 2, 0, 1)),
        ("cut at the end", format!("{HEADER}{a}{}", &b[..b.len() / 2]), (2, 1, 0, 1)),
        ("empty lines", format!("{HEADER}\r\n{a}\r\n\r\n{b}\r\n"), (2, 2, 0, 0)),
        ("no line break at the end", format!("{HEADER}{a}{}", b.trim_end()), (2, 2, 0, 0)),
    ] {
        let mut bench = Bench::new(1);
        let outcome = bench.bytes("x.csv", text.as_bytes());
        assert_eq!(counts(outcome), want, "{name}");
        for issue in bench.rows("ingest_issue") {
            let at: usize = issue["src_offset"].parse().unwrap();
            let line: usize = issue["src_line"].parse().unwrap();
            assert_eq!(line, 1 + text[..at].matches('\n').count(), "{name}");
        }
    }
}

#[test]
fn bytes_that_are_no_text() {
    let mut text = format!("{}\n", record(1)).into_bytes();
    text.extend(record(2).replace("n° ", "n\u{1}").into_bytes().iter().map(|b| if *b == 1 { 0xb0 } else { *b }));
    text.push(b'\n');
    let mut bench = Bench::new(1);
    assert_eq!(counts(bench.bytes("x.json", &text)), (2, 2, 0, 0));
    let rows = bench.rows("ual_event");
    assert_eq!((rows[1]["file_name"].as_str(), rows[1]["flags"].as_str()), ("n°2.docx", "[encoding_guessed]"));
    assert_eq!(rows[0].get("flags"), None);

    let mut csv = format!("{HEADER}{}", row(1)).into_bytes();
    csv.extend(row(2).replace("n° ", "n\u{1}").into_bytes().iter().map(|b| if *b == 1 { 0xb0 } else { *b }));
    let mut bench = Bench::new(1);
    assert_eq!(counts(bench.bytes("x.csv", &csv)), (2, 2, 0, 0));
    assert_eq!(bench.rows("ual_event")[1]["file_name"], "n°2.docx");
}

/// Stretches are read beside each other whatever the wrapping, and the result is that of one thread.
#[test]
fn large_files_are_cut_into_stretches() {
    let records: Vec<String> = (0..60_000).map(record).collect();
    let damaged = records.iter().enumerate().map(|(i, r)| if i % 997 == 5 { &r[..90] } else { r.as_str() }).collect::<Vec<_>>();
    let rejected = damaged.iter().zip(&records).filter(|(a, b)| a.len() != b.len()).count() as u64;
    let pretty = |r: &String| r.replace(",\"", ",\n    \"").replace("{\"", "{\n    \"");
    let n = records.len() as u64;
    let csv: String = (0..n).map(row).collect();
    for (name, text, want) in [
        ("lines", records.join("\n"), (n, n, 0, 0)),
        ("damaged lines", damaged.join("\n"), (n, n - rejected, 0, rejected)),
        ("array", format!("[{}]", records.join(",")), (n, n, 0, 0)),
        ("page", format!("{{\"@odata.context\":\"x\",\"value\":[{}]}}", records.join(",")), (n, n, 0, 0)),
        ("indented array", format!("[\n{}\n]\n", records.iter().map(pretty).collect::<Vec<_>>().join(",\n")), (n, n, 0, 0)),
        ("twice", format!("{}\n{}", records.join("\n"), records.join("\n")), (2 * n, n, n, 0)),
        ("csv", format!("{HEADER}{csv}"), (n, n, 0, 0)),
    ] {
        assert!(text.len() > 12 << 20, "{name} is long enough to be cut");
        let mut tables = Vec::new();
        for threads in [1, 3] {
            let mut bench = Bench::new(threads);
            assert_eq!(counts(bench.bytes("x", text.as_bytes())), want, "{name}");
            let (rows, count) = bench.some_rows("ual_event", 1009);
            assert_eq!(count as u64, want.1);
            for (i, r) in rows {
                assert_eq!(r["row_id"].parse::<u64>().unwrap() & 0x7_ffff_ffff, i as u64, "{name}");
                let at: usize = r["src_offset"].parse().unwrap();
                let length: usize = r["src_length"].parse().unwrap();
                assert!(text[at..at + length].contains(&r["id"]), "{name}");
                let line = 1 + text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count();
                assert_eq!(r["src_line"], line.to_string(), "{name}");
            }
            tables.push(fs::read(bench.out().join("ual_event/1-0.parquet")).unwrap());
        }
        assert!(tables[0] == tables[1], "{name} depends on the number of threads");
    }
}

#[test]
fn a_record_of_fifty_megabytes_is_read_and_one_of_seventy_is_refused() {
    for (megabytes, want) in [(50, (3, 3, 0, 0)), (70, (3, 2, 0, 1))] {
        for (before, after) in [("", "\n"), ("[", ",")] {
            let mut bench = Bench::new(2);
            let path = bench.dir.path().join("x.json");
            let mut out = std::io::BufWriter::new(fs::File::create(&path).unwrap());
            write!(out, "{before}{}{after}", record(1)).unwrap();
            let long = record(2);
            write!(out, "{},\"X\":\"", &long[..long.len() - 1]).unwrap();
            for _ in 0..megabytes {
                out.write_all(&vec![b'x'; 1 << 20]).unwrap();
            }
            write!(out, "\"}}{after}{}", record(3)).unwrap();
            out.flush().unwrap();
            drop(out);
            assert_eq!(counts(bench.import(&path)), want, "{megabytes} MiB after {before:?}");
            if want.3 == 1 {
                assert_eq!(bench.column("ingest_issue", "code"), ["record_too_long"]);
            }
        }
    }
}

fn never_panics(name: &str, bytes: &[u8]) {
    let mut bench = Bench::new(2);
    if let Outcome::Recognised(report) = bench.bytes(name, bytes) {
        let count = total(&report);
        assert_eq!(bench.rows("ual_event").len() as u64, count.kept + report.superseded.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
        never_panics("x.json", &bytes);
    }

    #[test]
    fn random_structure(text in "[\\[\\]{}\":,\\\\ \n\r0-9a-zA-Z]{0,600}") {
        never_panics("x.json", text.as_bytes());
    }

    #[test]
    fn mutated_records(edits in proptest::collection::vec((0_usize..3000, any::<u8>()), 0..12), cut in 0_usize..3000, csv in any::<bool>(), wrap in any::<bool>()) {
        let text = if csv {
            format!("{HEADER}{}{}{}", row(1), row(2), row(3))
        } else if wrap {
            format!("{{\"value\":[{},{},{}]}}", record(1), record(2), record(3))
        } else {
            format!("{}\n{}\n{}\n", record(1), record(2), record(3))
        };
        let mut bytes = text.into_bytes();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len().max(1) - cut % bytes.len().max(1) / 2);
        never_panics("x", &bytes);
    }
}
