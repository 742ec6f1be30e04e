//! Helpers of the import tests: a staging folder with an index, and a reader of the tables that an import wrote.
#![allow(dead_code, reason = "each test file uses some of them")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::TimestampMicrosecondType,
    util::display::array_value_to_string,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use reflexe_evidence::{
    dedup::DedupIndex,
    import::{FileInput, FileReport, ImportContext, Outcome, import_file},
};
use reflexe_model::RowCount;

/// Column → value; columns that are NULL are left out.
pub type Row = BTreeMap<String, String>;

/// A case of its own for a test.
pub struct Bench {
    pub dir: tempfile::TempDir,
    pub dedup: DedupIndex,
    pub threads: usize,
    pub now: jiff::Timestamp,
    next: u32,
}

impl Bench {
    pub fn new(threads: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let dedup = DedupIndex::open(&dir.path().join("index")).unwrap();
        Self { dir, dedup, threads, now: "2030-01-01T00:00:00Z".parse().unwrap(), next: 1 }
    }

    pub fn out(&self) -> PathBuf {
        self.dir.path().join("tables")
    }

    pub fn import(&mut self, path: &Path) -> Outcome {
        let out = self.out();
        fs::create_dir_all(&out).unwrap();
        let shown = path.display().to_string();
        let input = FileInput { path, shown_path: &shown, file_no: self.next };
        let progress = |_: u64| {};
        let mut ctx =
            ImportContext { out_dir: &out, dedup: &mut self.dedup, now: self.now, threads: self.threads, progress: &progress };
        let outcome = import_file(&input, &mut ctx).unwrap();
        self.dedup.flush().unwrap();
        self.next += 1;
        outcome
    }

    pub fn recognised(&mut self, path: &Path) -> FileReport {
        match self.import(path) {
            Outcome::Recognised(report) => report,
            Outcome::Unrecognised { reason, .. } => panic!("{}: {}", path.display(), reason.en),
        }
    }

    /// Writes a file and imports it.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) -> Outcome {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        self.import(&path)
    }

    pub fn text(&mut self, name: &str, text: &str) -> FileReport {
        match self.bytes(name, text.as_bytes()) {
            Outcome::Recognised(report) => report,
            Outcome::Unrecognised { reason, .. } => panic!("{name}: {}", reason.en),
        }
    }

    /// The rows of a table, each as column → value; columns that are NULL are left out.
    pub fn rows(&self, table: &str) -> Vec<Row> {
        rows(&self.out(), table)
    }

    /// Every `step`th row of a table with its number, and how many rows there are.
    pub fn some_rows(&self, table: &str, step: usize) -> (Vec<(usize, Row)>, usize) {
        let mut out = Vec::new();
        let count = each_row(&self.out(), table, |number, row| {
            if number % step == 0 {
                out.push((number, row()));
            }
        });
        (out, count)
    }

    /// The values of one column of a table.
    pub fn column(&self, table: &str, column: &str) -> Vec<String> {
        self.rows(table).into_iter().map(|mut r| r.remove(column).unwrap_or_default()).collect()
    }
}

pub fn total(report: &FileReport) -> RowCount {
    let mut all = RowCount::default();
    for source in &report.sources {
        assert!(source.rows.balances(), "{}: {:?}", source.source, source.rows);
        all.add(source.rows);
    }
    all
}

pub fn rows(out: &Path, table: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    each_row(out, table, |_, row| rows.push(row()));
    rows
}

/// Calls `each` with the number of every row of a table and what reads it; returns how many rows there are.
fn each_row(out: &Path, table: &str, mut each: impl FnMut(usize, &dyn Fn() -> Row)) -> usize {
    let mut files: Vec<PathBuf> = fs::read_dir(out.join(table)).into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.sort_by_key(|p| {
        let name = p.file_stem().unwrap().to_str().unwrap();
        let (a, b) = name.split_once('-').unwrap();
        (a.parse::<u32>().unwrap(), b.parse::<u32>().unwrap())
    });
    let mut number = 0;
    for file in files {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(file).unwrap()).unwrap().build().unwrap();
        for batch in reader {
            let batch: RecordBatch = batch.unwrap();
            let schema = batch.schema();
            for row in 0..batch.num_rows() {
                each(number, &|| {
                    let cells = batch.columns().iter().zip(schema.fields()).filter(|(c, _)| c.is_valid(row));
                    cells.map(|(c, f)| (f.name().clone(), show(c, row))).collect()
                });
                number += 1;
            }
        }
    }
    number
}

fn show(column: &dyn Array, row: usize) -> String {
    match column.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => jiff::Timestamp::from_microsecond(times.value(row)).unwrap().to_string(),
        None => array_value_to_string(column, row).unwrap(),
    }
}

/// The real exports beside the repository; `None`, with a line, where they are absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if !full.exists() {
        eprintln!("skipped: ../shared/data/{path} is absent");
        return None;
    }
    Some(full)
}
