//! "Was this export unfiltered?" The answer of a person, as coverage.
//!
//! The readers write a row of the table `coverage` with `complete` NULL for every log of which nobody knows whether it
//! was filtered, and for every list of objects that may not be whole. A declaration repeats these rows with `complete`
//! true and the name of who said so, in a Parquet file of its own; what the readers proved, one way or the other, stands.
//! A source that lists only some objects by design says so in `source_scope`, and cannot be declared whole: a tool that
//! lists only the privileged users may be run without a filter and still not list all users.
use std::{fs::File, path::PathBuf, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array},
    compute::{cast, concat_batches, filter_record_batch},
    datatypes::TimestampMicrosecondType,
    error::ArrowError,
};
use parquet::{arrow::arrow_reader::ParquetRecordBatchReaderBuilder, errors::ParquetError};
use reflexe_evidence::{
    spec::{self, TableKind},
    write::{Batch, write_part},
};
use reflexe_model::Window;

use crate::{
    error::Error,
    folder::{self, Case},
    journal,
};

/// What a person says of exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Who says it.
    pub who: String,
    /// The period that was asked for; without it a log covers from its first event to its last.
    pub period: Option<Window>,
}

impl Declaration {
    /// A declaration without a period.
    pub fn by(who: impl Into<String>) -> Self {
        Self { who: who.into(), period: None }
    }
}

/// Number of the declared part among the coverage files of an evidence file: the last that row ids leave room for.
const PART: u32 = 31;

impl Case {
    /// Records that a person declares exports unfiltered; all evidence if `ids` is `None`. A file that is already
    /// declared keeps its first declaration. Returns the ids that are declared now and were not before.
    ///
    /// # Errors
    /// When the name is empty, the case holds no such evidence, or it cannot be written.
    pub fn declare_unfiltered(&mut self, said: &Declaration, ids: Option<&[String]>) -> Result<Vec<String>, Error> {
        self.writable()?;
        if said.who.trim().is_empty() {
            return Err(Error::NoName);
        }
        let files = self.evidence_files()?;
        if let Some(id) = ids.into_iter().flatten().find(|id| !files.iter().any(|f| f.id() == **id)) {
            return Err(Error::NoSuchEvidence { id: id.clone() });
        }
        let asked = |id: &String| ids.is_none_or(|ids| ids.contains(id));
        let mut declared = Vec::new();
        for file in files.iter().filter(|f| f.declared_unfiltered_by.is_none() && asked(&f.id())) {
            self.declare(said, file.number)?;
            declared.push(file.id());
        }
        Ok(declared)
    }

    fn declare(&mut self, said: &Declaration, number: u32) -> Result<(), Error> {
        let who = said.who.trim();
        let mut coverage = self.table_files("coverage")?;
        coverage.retain(|path| folder::name(path).split_once('-').is_some_and(|(n, _)| n == number.to_string()));
        let staged = self.staging_dir().join("declared");
        folder::remove(&staged)?;
        let refused = |source| Error::Declaration { path: staged.clone(), source };
        let file = match declared_rows(&coverage, said).map_err(refused)? {
            None => None,
            Some(rows) => {
                write_part(&staged, number, PART, &rows)?;
                let part = staged.join(format!("coverage/{number}-{PART}.parquet"));
                self.place_parts(&[("coverage".to_owned(), part)])?.pop()
            }
        };
        folder::remove(&staged)?;
        let (database, id, now) = (self.database(), self.id()?, jiff::Timestamp::now());
        let tx = self.begin()?;
        let before = journal::digest(&tx, number).map_err(&database)?;
        let insert = || {
            tx.execute("INSERT INTO declaration (evidence, who, declared_at) VALUES (?, ?, ?)", (number, who, now.to_string()))?;
            if let Some((file, _, blake3)) = &file {
                let sql = "INSERT INTO part (file, evidence, table_name, blake3) VALUES (?, ?, 'coverage', ?)";
                tx.execute(sql, (file, number, blake3))?;
            }
            Ok(())
        };
        insert().map_err(&database)?;
        let why = journal::Why::Declared { who: who.to_owned(), before };
        journal::record_evidence(&tx, &id, self.device()?, number, &why, now)?;
        tx.commit().map_err(&database)?;
        self.renew_sums()
    }
}

/// The rows of a file's coverage of which nobody knew whether they are complete, as declared.
fn declared_rows(coverage: &[PathBuf], said: &Declaration) -> Result<Option<Batch>, ParquetError> {
    let mut open = Vec::new();
    for path in coverage {
        for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()? {
            let batch = batch?;
            open.push(filter_record_batch(&batch, &declarable(&batch)?)?);
        }
    }
    let (Some(table), Some(first)) = (spec::table("coverage"), open.first()) else { return Ok(None) };
    let batch = concat_batches(first.schema_ref(), &open)?;
    let rows = batch.num_rows();
    if rows == 0 {
        return Ok(None);
    }
    let mut columns = Vec::new();
    for field in table.schema().fields() {
        match field.name().as_str() {
            "row_id" => {} // given when it is written
            "complete" => columns.push(Arc::new(BooleanArray::from(vec![true; rows])) as ArrayRef),
            "reason" => {
                columns.push(Arc::new(StringArray::from(vec![format!("declared unfiltered by {}", said.who.trim()); rows])))
            }
            // what was lost is not declared; files of earlier versions do not have the column
            "lost" => columns.push(new_null_array(field.data_type(), rows)),
            "time_from" | "time_to" => columns.push(cast(&period(&batch, field.name(), said)?, field.data_type())?),
            name => columns.push(cast(column(&batch, name)?, field.data_type())?),
        }
    }
    Ok(Some(Batch { table, rows, columns }))
}

/// One end of the declared period, for rows that have one: the wider of what was seen and what was asked for.
fn period(batch: &RecordBatch, name: &str, said: &Declaration) -> Result<ArrayRef, ArrowError> {
    let seen = column(batch, name)?;
    let Some(asked) = said.period else { return Ok(seen.clone()) };
    let seen = seen.as_primitive_opt::<TimestampMicrosecondType>();
    let seen = seen.ok_or_else(|| ArrowError::SchemaError(format!("coverage.{name} is not a time")))?;
    let wider = |t: i64| {
        if name == "time_from" { t.min(asked.from.as_microsecond()) } else { t.max(asked.to.as_microsecond()) }
    };
    let widened: TimestampMicrosecondArray = seen.iter().map(|t| t.map(wider)).collect();
    Ok(Arc::new(widened.with_timezone("UTC")))
}

/// Which rows may be declared: nobody knows whether they are complete, and the source does not list only some by design.
fn declarable(batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
    let complete = column(batch, "complete")?;
    let text = |name| {
        let texts = column(batch, name)?.as_any().downcast_ref::<StringArray>();
        texts.ok_or_else(|| ArrowError::SchemaError(format!("coverage.{name} is not text")))
    };
    let (tables, scopes) = (text("table_name")?, text("source_scope")?);
    let collected = |name: &str| spec::table(name).is_some_and(|t| matches!(t.kind, TableKind::Event | TableKind::State));
    let by_design = |i: usize| scopes.is_valid(i) && matches!(scopes.value(i), "filtered" | "findings_only");
    let rows = (0..batch.num_rows())
        .map(|i| Some(complete.is_null(i) && tables.is_valid(i) && collected(tables.value(i)) && !by_design(i)));
    Ok(rows.collect())
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("coverage has no column {name}")))
}
