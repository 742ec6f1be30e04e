//! Many small Parquet files of one table, joined for a session: a folder of three thousand exports must cost neither three
//! thousand open files nor three thousand footers for every query. The case keeps its files as they are, since its journal
//! commits to each; the joined file is a temporary one and goes with the session.
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{array::new_null_array, compute::cast, record_batch::RecordBatch};
use datafusion::parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};
use reflexe_evidence::spec::Table;

use crate::EngineError;

/// Files at most as long are small.
const SMALL: u64 = 256 << 10;
/// So many small files of one table are read one by one.
const FEW: usize = 32;
/// Rows that are gathered before they are written.
const GATHERED: usize = 8192;

/// The files of a table, the small ones joined as one in `folder` if there are many.
pub(crate) fn joined(table: &Table, files: Vec<PathBuf>, folder: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let small = |path: &PathBuf| path.metadata().is_ok_and(|m| m.len() <= SMALL);
    let (small, mut large): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(small);
    if small.len() <= FEW {
        large.extend(small);
        return Ok(large);
    }
    let path = folder.join(format!("{}.parquet", table.name));
    join(table, &small, &path).map_err(|(path, error)| EngineError::Part { path, message: error.to_string() })?;
    large.push(path);
    Ok(large)
}

fn join(table: &Table, small: &[PathBuf], to: &Path) -> Result<(), (PathBuf, ParquetError)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let io = |error: io::Error| ParquetError::External(Box::new(error));
    let schema = table.schema();
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let file = File::create(to).map_err(io).map_err(at(to))?;
    let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(at(to))?;
    let mut gathered: Vec<RecordBatch> = Vec::new();
    let mut flush = |gathered: &mut Vec<RecordBatch>| {
        let whole = arrow::compute::concat_batches(&schema, gathered.iter())?;
        gathered.clear();
        writer.write(&whole)
    };
    for path in small {
        let read = || -> Result<Vec<RecordBatch>, ParquetError> {
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).map_err(io)?)?.build()?;
            reader.map(|batch| Ok(shaped(table, &batch?)?)).collect()
        };
        gathered.extend(read().map_err(at(path))?);
        if gathered.iter().map(RecordBatch::num_rows).sum::<usize>() >= GATHERED || gathered.len() >= GATHERED {
            flush(&mut gathered).map_err(at(to))?;
        }
    }
    flush(&mut gathered).map_err(at(to))?;
    writer.close().map_err(at(to))?;
    Ok(())
}

/// A batch with the columns of the table as it is today: a case of an earlier version may lack some.
fn shaped(table: &Table, batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => cast(column, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_, _>>()?)
}
