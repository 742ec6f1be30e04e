//! Readers made for tests, small evidence, and ways to compare two cases.
#![allow(dead_code, reason = "each test binary uses a part of it")]
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::array::{Array as _, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, new_null_array};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use reflexe_case::Importer;
use reflexe_evidence::{
    error::Error,
    import::{FileInput, FileReport, Outcome, SourceReport},
    spec,
};
use reflexe_model::{RowCount, RowId, Text};

pub const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";

/// What a fault does instead of, or after, reading the file with this name.
pub type Fault = Box<dyn FnMut(&FileInput<'_>, &Path) -> Option<Error>>;

/// Reads files of lines `LOG <tenant> <record id>`; nothing else is recognised. One row of `ual_event` a line.
#[derive(Default)]
pub struct Lines {
    /// Called after the tables were written.
    pub fault: Option<Fault>,
    /// Recognise anything.
    pub any: bool,
    /// How often each method was called.
    pub kept: usize,
    pub forgotten: usize,
}

impl Importer for Lines {
    fn import(
        &mut self,
        file: &FileInput<'_>,
        out_dir: &Path,
        _: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Outcome, Error> {
        let bytes = fs::read(file.path).map_err(Error::read(file.shown_path))?;
        progress(bytes.len() as u64);
        let (blake3, _) = reflexe_evidence::hash::blake3(file.path).map_err(Error::read(file.shown_path))?;
        let size = bytes.len() as u64;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split(' ').collect()).collect();
        let rows = if self.any { vec![vec!["LOG", A, "any"]] } else { rows };
        if rows.iter().any(|r| r.len() != 3 || r[0] != "LOG") {
            let harmless = file.shown_path.ends_with(".md");
            return Ok(Outcome::Unrecognised { blake3, size, reason: Text::new("inconnu", "unknown"), harmless });
        }
        let ids: Vec<&str> = rows.iter().map(|r| r[2]).collect();
        let tenants: Vec<&str> = rows.iter().map(|r| r[1]).collect();
        write(out_dir, "ual_event", file.file_no, &[("id", texts(&ids)), ("tenant_id", texts(&tenants))], ids.len());
        write(
            out_dir,
            "coverage",
            file.file_no,
            &[
                ("table_name", texts(&["ual_event", "ual_event", "entra_user"])),
                ("operation", texts(&["*", "Send", "*"])),
                ("complete", Arc::new(BooleanArray::from(vec![None, Some(false), None]))),
            ],
            3,
        );
        if let Some(error) = self.fault.as_mut().and_then(|fault| fault(file, out_dir)) {
            return Err(error);
        }
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for tenant in tenants {
            *counts.entry(tenant.replace('-', if tenant == "-" { "" } else { "-" })).or_default() += 1;
        }
        let kept = ids.len() as u64;
        let source = SourceReport {
            source: "test.lines".into(),
            rows: RowCount { read: kept, kept, ..RowCount::default() },
            tenants: counts,
            tables: [("ual_event".to_owned(), kept)].into(),
            ..SourceReport::default()
        };
        Ok(Outcome::Recognised(FileReport { blake3, size, sources: vec![source], ..FileReport::default() }))
    }

    fn keep(&mut self) -> Result<(), Error> {
        self.kept += 1;
        Ok(())
    }

    fn forget(&mut self) -> Result<(), Error> {
        self.forgotten += 1;
        Ok(())
    }
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Writes a table with these columns; the others are NULL.
fn write(out_dir: &Path, table: &str, file_no: u32, columns: &[(&str, ArrayRef)], rows: usize) {
    let spec = spec::table(table).unwrap();
    let ids = (0..rows as u64).map(|i| RowId::new(spec.number, file_no, i).0);
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
    let schema = spec.schema();
    let given = |name: &str| columns.iter().find(|c| c.0 == name).map(|c| c.1.clone());
    let arrays = schema.fields().iter().map(|f| match f.name().as_str() {
        "row_id" => ids.clone(),
        name => given(name).unwrap_or_else(|| new_null_array(f.data_type(), rows)),
    });
    let batch = RecordBatch::try_new(schema.clone(), arrays.collect()).unwrap();
    let dir = out_dir.join(table);
    fs::create_dir_all(&dir).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(dir.join(format!("{file_no}-0.parquet"))).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// A text file of evidence.
pub fn put(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

/// Every file below a folder: path relative to it → bytes.
pub fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                found.insert(path.strip_prefix(dir).unwrap().to_string_lossy().replace('\\', "/"), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The values of a text or boolean column over Parquet files.
pub fn column(files: &[PathBuf], name: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    for file in files {
        for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            let column = batch.column_by_name(name).unwrap();
            if let Some(texts) = column.as_any().downcast_ref::<StringArray>() {
                values.extend(texts.iter().map(|v| v.map(str::to_owned)));
            } else if let Some(bools) = column.as_any().downcast_ref::<BooleanArray>() {
                values.extend(bools.iter().map(|v| v.map(|b| b.to_string())));
            } else {
                let ints = column.as_any().downcast_ref::<Int64Array>().unwrap();
                values.extend(ints.iter().map(|v| v.map(|i| i.to_string())));
            }
        }
    }
    values
}
