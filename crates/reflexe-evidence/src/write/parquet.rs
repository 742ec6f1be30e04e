//! Parquet files of one table: row groups are encoded by any thread and appended in the order of the evidence, so that
//! the file does not depend on the number of threads.
use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Int64Array},
    datatypes::DataType,
};
use parquet::{
    arrow::{
        ArrowSchemaConverter,
        arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves},
    },
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
        writer::SerializedFileWriter,
    },
    schema::types::ColumnPath,
};
use reflexe_model::RowId;

use super::{layout, table::Batch};
use crate::{error::Error, spec::Table};

/// Rows of a row group at most; DataFusion and DuckDB read in parallel by row group.
pub(crate) const ROW_GROUP: usize = 131_072;

/// A Parquet file that grows by row groups.
pub struct PartWriter {
    table: &'static Table,
    path: PathBuf,
    writer: SerializedFileWriter<BufWriter<File>>,
}

impl PartWriter {
    /// Creates `out_dir/<table>/<file_no>-<part>.parquet`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(out_dir: &Path, table: &'static Table, file_no: u32, part: u32) -> Result<Self, Error> {
        let dir = out_dir.join(&table.name);
        fs::create_dir_all(&dir).map_err(Error::write(&dir))?;
        let path = dir.join(format!("{file_no}-{part}.parquet"));
        let file = BufWriter::new(File::create(&path).map_err(Error::write(&path))?);
        let writer = serialized(table, file).map_err(Error::table(&table.name))?;
        Ok(Self { table, path, writer })
    }

    /// Appends a row group made by [`encode`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&mut self, chunks: Vec<ArrowColumnChunk>) -> Result<(), Error> {
        let append = || -> Result<(), ParquetError> {
            let mut group = self.writer.next_row_group()?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group)?;
            }
            group.close()?;
            Ok(())
        };
        append().map_err(Error::table(&self.table.name))
    }

    /// Writes the footer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(self) -> Result<PathBuf, Error> {
        let file = self.writer.into_inner().map_err(Error::table(&self.table.name))?;
        file.into_inner().map_err(|e| Error::Write { path: self.path.clone(), source: e.into_error() })?;
        Ok(self.path)
    }
}

/// The numbers of `rows` rows from `first_row` of evidence file `file_no` on.
pub fn numbers(table: &Table, rows: usize, file_no: u32, first_row: u64) -> ArrayRef {
    let first = RowId::new(table.number, file_no, first_row).0;
    Arc::new(Int64Array::from_iter_values(first..first + rows as i64))
}

/// Encodes the columns of a table as one row group; `ids` are the numbers of its rows.
///
/// # Errors
/// When a column cannot be made, or the encoder refuses it.
pub fn encode(
    table: &'static Table,
    ids: ArrayRef,
    columns: impl Iterator<Item = Result<ArrayRef, ParquetError>>,
) -> Result<Vec<ArrowColumnChunk>, Error> {
    let run = || -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        let schema = table.schema();
        let factory = ArrowRowGroupWriterFactory::new(&serialized(table, Vec::new())?, schema.clone());
        let mut writers = factory.create_column_writers(0)?.into_iter();
        let mut chunks = Vec::with_capacity(schema.fields().len());
        for (field, array) in schema.fields().iter().zip(std::iter::once(Ok(ids)).chain(columns)) {
            for leaf in compute_leaves(field, &array?)? {
                let mut writer = writers.next().ok_or_else(|| ParquetError::General("fewer writers than columns".into()))?;
                writer.write(&leaf)?;
                chunks.push(writer.close()?);
            }
        }
        Ok(chunks)
    };
    run().map_err(Error::table(&table.name))
}

/// Writes all rows of a builder as one file, and says how many. Nothing is written if there are none.
///
/// # Errors
/// When the file cannot be written.
pub fn write_part(out_dir: &Path, file_no: u32, part: u32, batch: &Batch) -> Result<u64, Error> {
    if batch.rows == 0 {
        return Ok(0);
    }
    let mut writer = PartWriter::create(out_dir, batch.table, file_no, part)?;
    for start in (0..batch.rows).step_by(ROW_GROUP) {
        let rows = ROW_GROUP.min(batch.rows - start);
        let columns = batch.columns.iter().map(|c| Ok(c.slice(start, rows)));
        let first = (u64::from(part) << 30) + start as u64;
        writer.append(encode(batch.table, numbers(batch.table, rows, file_no, first), columns)?)?;
    }
    writer.close()?;
    Ok(batch.rows as u64)
}

fn serialized<W: std::io::Write + Send>(table: &Table, sink: W) -> Result<SerializedFileWriter<W>, ParquetError> {
    // no Arrow schema in the footer: readers then see plain strings and choose their own representation
    let schema = ArrowSchemaConverter::new().convert(&table.schema())?;
    SerializedFileWriter::new(sink, schema.root_schema_ptr(), properties(table))
}

fn properties(table: &Table) -> WriterPropertiesPtr {
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    let mut props = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP));
    // rising numbers and times: deltas are a few bits each
    for field in table.schema().fields() {
        if matches!(field.data_type(), DataType::Int64 | DataType::Timestamp(..)) {
            let path = ColumnPath::from(field.name().as_str());
            props = props.set_column_dictionary_enabled(path.clone(), false);
            props = props.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    // the least and the greatest text of a row group rule nothing out, but where row groups are made by it: see `layout`
    for field in table.schema().fields() {
        if matches!(field.data_type(), DataType::Utf8) && layout::column(table) != Some(field.name().as_str()) {
            props = props.set_column_statistics_enabled(ColumnPath::from(field.name().as_str()), EnabledStatistics::None);
        }
    }
    // a dictionary of values that never come back is work for nothing
    if let Some(id) = table.record_id.as_deref() {
        props = props.set_column_dictionary_enabled(ColumnPath::from(id), false);
    }
    props.build().into()
}
