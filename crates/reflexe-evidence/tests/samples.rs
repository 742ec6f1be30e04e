//! The samples of the event sources under `evidence/sources/*/samples` give the rows written beside them, to the last column.
//! `REFLEXE_BLESS=1 cargo test -p reflexe-evidence --test samples` writes them again: read the difference.
mod common;

use std::{fs, path::Path};

use common::{Bench, total};
use serde_json::{Map, Value, json};

const TABLES: [&str; 8] =
    ["ual_event", "ual_property", "signin", "directory_audit", "directory_audit_change", "row_copy", "coverage", "ingest_issue"];

#[test]
fn samples_give_the_expected_rows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evidence/sources");
    let mut seen = 0;
    for source in ["ual", "signin", "directory-audit"] {
        for entry in fs::read_dir(root.join(source).join("samples")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".expected.json") {
                continue;
            }
            let mut bench = Bench::new(1);
            let report = bench.recognised(&path);
            let count = total(&report);
            let mut tables = Map::new();
            for table in TABLES {
                let rows = bench.rows(table);
                if !rows.is_empty() {
                    tables.insert(table.to_owned(), json!(rows));
                }
            }
            let sources: Vec<Value> =
                report.sources.iter().map(|s| json!({"source": s.source, "rows": s.rows, "notes": s.notes})).collect();
            let got = json!({"read": count.read, "sources": sources, "tables": tables});
            let expected = path.with_file_name(format!("{name}.expected.json"));
            if std::env::var_os("REFLEXE_BLESS").is_some() {
                fs::write(&expected, serde_json::to_string_pretty(&got).unwrap() + "\n").unwrap();
            }
            let want: Value = serde_json::from_str(&fs::read_to_string(&expected).unwrap()).unwrap();
            assert_eq!(got, want, "{source}/{name}");
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen} samples");
}
