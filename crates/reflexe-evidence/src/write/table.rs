//! Rows of one table, collected column by column.
//!
//! ```
//! use reflexe_evidence::{spec, write::{Provenance, TableBuilder}};
//! use reflexe_model::Scope;
//!
//! let table = spec::table("accepted_domain").unwrap();
//! let name = TableBuilder::column_of(table, "domain_name").unwrap();
//! let mut rows = TableBuilder::new(table);
//! rows.row(&Provenance { evidence_id: "e1", source_kind: "exo.accepted_domain", scope: Scope::Full, ..Provenance::default() });
//! rows.text(name, "example.com"); // a column that is not set stays NULL; of two values for one cell the first counts
//! let batch = rows.finish();
//! assert_eq!(batch.rows, 1);
//! // write_part(out_dir, file_no, 0, batch) numbers the rows and writes `accepted_domain/<file_no>-0.parquet`
//! ```
use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, Float64Array, Int32Array, Int64Array, ListArray,
        NullBufferBuilder, PrimitiveArray, StringArray, TimestampMicrosecondArray, new_null_array,
    },
    buffer::{Buffer, OffsetBuffer, ScalarBuffer},
    datatypes::{ArrowNativeType, Field, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType},
};
use reflexe_model::Scope;

use crate::spec::{ColumnType, PROVENANCE, Table};

/// Where a row comes from: the columns that every table begins with (but `row_id`, which is given when the rows are written).
#[derive(Debug, Clone, Copy)]
pub struct Provenance<'a> {
    /// `e7`.
    pub evidence_id: &'a str,
    /// Id of the source, e.g. `ual.powershell_csv`.
    pub source_kind: &'a str,
    /// What the file claims to hold of its kind.
    pub scope: Scope,
    /// Tenant that the row speaks of.
    pub tenant_id: Option<&'a str>,
    /// When the object was seen (state tables), microseconds since 1970 UTC.
    pub collected_at: Option<i64>,
    /// Doubts about the row: `truncated_json`, `value_lost`, `date_ambiguous` …
    pub flags: &'a [&'a str],
    /// Offset in the bytes of the file, before decoding.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    /// Line, from 1.
    pub line: u64,
    /// `utf8:` when offsets refer to the text transcoded to UTF-8.
    pub member: Option<&'a str>,
    /// JSON pointer inside the record.
    pub pointer: Option<&'a str>,
}

impl Default for Provenance<'_> {
    fn default() -> Self {
        Self {
            evidence_id: "",
            source_kind: "",
            scope: Scope::Unknown,
            tenant_id: None,
            collected_at: None,
            flags: &[],
            offset: 0,
            length: 0,
            line: 1,
            member: None,
            pointer: None,
        }
    }
}

/// Rows of one table, columns in the order of [`Table::schema`]; the first (`row_id`) is still missing.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The table.
    pub table: &'static Table,
    /// Number of rows.
    pub rows: usize,
    /// Every column but `row_id`.
    pub columns: Vec<ArrayRef>,
}

/// Collects rows of one table.
#[derive(Debug)]
pub struct TableBuilder {
    table: &'static Table,
    rows: usize,
    columns: Vec<Column>,
}

/// Number of provenance columns after `row_id`.
const OWN: usize = PROVENANCE.len() - 1;

impl TableBuilder {
    /// No rows yet.
    pub fn new(table: &'static Table) -> Self {
        let types = PROVENANCE[1..].iter().map(|p| p.1).chain(table.columns.iter().map(|c| c.ty));
        Self { table, rows: 0, columns: types.map(Column::new).collect() }
    }

    /// No rows yet, in the memory of rows that nobody needs any more: growing anew costs more than filling.
    pub fn again(batch: Batch) -> Self {
        let types = PROVENANCE[1..].iter().map(|p| p.1).chain(batch.table.columns.iter().map(|c| c.ty));
        let columns = types.zip(batch.columns).map(|(ty, used)| Column::again(ty, used)).collect();
        Self { table: batch.table, rows: 0, columns }
    }

    /// Number of a column of the table's own, for the methods below. Look it up once, not per row.
    pub fn column_of(table: &Table, name: &str) -> Option<usize> {
        table.columns.iter().position(|c| c.name == name).map(|i| i + OWN)
    }

    /// Rows begun so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Begins a row: every column is NULL until it is set.
    pub fn row(&mut self, p: &Provenance<'_>) {
        self.rows += 1;
        self.text(0, p.evidence_id);
        self.text(1, p.source_kind);
        self.text(2, p.scope.as_str());
        self.opt_text(3, p.tenant_id);
        if let Some(at) = p.collected_at {
            self.ts(4, at);
        }
        if !p.flags.is_empty() {
            self.list(5, p.flags.iter().copied());
        }
        self.i64(6, p.offset.cast_signed());
        self.i64(7, p.length.cast_signed());
        self.i64(8, p.line.cast_signed());
        self.opt_text(9, p.member);
        self.opt_text(10, p.pointer);
    }

    /// Sets a text.
    pub fn text(&mut self, column: usize, value: &str) {
        let row = self.rows - 1;
        if let Column::Text(c) = &mut self.columns[column] {
            c.push(row, value.as_bytes());
        } else {
            debug_assert!(false, "{}: column {column} is not a text", self.table.name);
        }
    }

    /// Sets a text if there is one.
    pub fn opt_text(&mut self, column: usize, value: Option<&str>) {
        if let Some(value) = value {
            self.text(column, value);
        }
    }

    /// Sets a boolean.
    pub fn bool(&mut self, column: usize, value: bool) {
        let row = self.rows - 1;
        if let Column::Bool(values, valid) = &mut self.columns[column] {
            if values.len() > row {
                return;
            }
            values.append_n(row - values.len(), false);
            values.append(value);
            valid.append_n_nulls(row - valid.len());
            valid.append_non_null();
        } else {
            debug_assert!(false, "{}: column {column} is not a boolean", self.table.name);
        }
    }

    /// Sets a 32-bit integer.
    pub fn i32(&mut self, column: usize, value: i32) {
        let row = self.rows - 1;
        if let Column::I32(c) = &mut self.columns[column] {
            c.push(row, value);
        } else {
            debug_assert!(false, "{}: column {column} is not an i32", self.table.name);
        }
    }

    /// Sets a 64-bit integer.
    pub fn i64(&mut self, column: usize, value: i64) {
        let row = self.rows - 1;
        if let Column::I64(c) = &mut self.columns[column] {
            c.push(row, value);
        } else {
            debug_assert!(false, "{}: column {column} is not an i64", self.table.name);
        }
    }

    /// Sets a float.
    pub fn f64(&mut self, column: usize, value: f64) {
        let row = self.rows - 1;
        if let Column::F64(c) = &mut self.columns[column] {
            c.push(row, value);
        } else {
            debug_assert!(false, "{}: column {column} is not an f64", self.table.name);
        }
    }

    /// Sets an instant, microseconds since 1970 UTC.
    pub fn ts(&mut self, column: usize, micros: i64) {
        let row = self.rows - 1;
        if let Column::Ts(c) = &mut self.columns[column] {
            c.push(row, micros);
        } else {
            debug_assert!(false, "{}: column {column} is not an instant", self.table.name);
        }
    }

    /// Sets a list of texts; an empty list is empty, not NULL.
    pub fn list<'v>(&mut self, column: usize, values: impl IntoIterator<Item = &'v str>) {
        let row = self.rows - 1;
        if let Column::List(ends, valid, items) = &mut self.columns[column] {
            if ends.len() - 1 > row {
                return;
            }
            let end = ends.last().copied().unwrap_or(0);
            ends.resize(row + 1, end);
            valid.append_n_nulls(row - valid.len());
            valid.append_non_null();
            for value in values {
                items.push(items.len(), value.as_bytes());
            }
            ends.push(items.len() as i32);
        } else {
            debug_assert!(false, "{}: column {column} is not a list", self.table.name);
        }
    }

    /// Whether the column is set in the row begun last.
    pub fn is_set(&self, column: usize) -> bool {
        self.columns[column].len() == self.rows
    }

    /// Number of columns of the table's own that are set in the row begun last.
    pub fn richness(&self) -> u16 {
        self.columns[OWN..].iter().filter(|c| c.len() == self.rows).count() as u16
    }

    /// The rows as Arrow arrays.
    ///
    /// # Panics
    /// Never: texts come from `&str` or from bytes that were validated.
    pub fn finish(self) -> Batch {
        let rows = self.rows;
        // Most columns of a wide table are empty in most files: one array of nothing serves them all.
        let mut nothing: Vec<(ColumnType, ArrayRef)> = Vec::new();
        let columns = self.columns.into_iter().map(|c| {
            if c.len() > 0 {
                return c.finish(rows);
            }
            let ty = c.ty();
            if let Some((_, array)) = nothing.iter().find(|(t, _)| *t == ty) {
                return array.clone();
            }
            let array = new_null_array(&ty.arrow(), rows);
            nothing.push((ty, array.clone()));
            array
        });
        let columns = columns.collect();
        Batch { table: self.table, rows, columns }
    }
}

/// A growing column. It is as long as the last row in which it was set: what follows, or lies between, is NULL.
#[derive(Debug)]
enum Column {
    Text(Texts),
    Bool(BooleanBufferBuilder, NullBufferBuilder),
    I32(Numbers<i32>),
    I64(Numbers<i64>),
    F64(Numbers<f64>),
    Ts(Numbers<i64>),
    List(Vec<i32>, NullBufferBuilder, Texts),
}

#[derive(Debug)]
struct Numbers<T> {
    values: Vec<T>,
    valid: NullBufferBuilder,
}

impl<T: Default + Clone> Numbers<T> {
    fn new() -> Self {
        Self { values: Vec::new(), valid: NullBufferBuilder::new(0) }
    }

    fn again<P: ArrowPrimitiveType<Native = T>>(used: ArrayRef) -> Self
    where
        T: ArrowNativeType,
    {
        let Some(array) = sole(used, |a: &PrimitiveArray<P>| a.clone()) else { return Self::new() };
        let (_, values, _) = array.into_parts();
        Self { values: emptied(values.into_inner()), valid: NullBufferBuilder::new(0) }
    }

    fn push(&mut self, row: usize, value: T) {
        if self.values.len() != row {
            if self.values.len() > row {
                return;
            }
            self.pad(row);
        }
        self.values.push(value);
        self.valid.append_non_null();
    }

    fn pad(&mut self, rows: usize) {
        self.valid.append_n_nulls(rows - self.values.len());
        self.values.resize(rows, T::default());
    }
}

#[derive(Debug)]
struct Texts {
    ends: Vec<i32>,
    bytes: Vec<u8>,
    valid: NullBufferBuilder,
}

impl Texts {
    fn new() -> Self {
        Self { ends: vec![0], bytes: Vec::new(), valid: NullBufferBuilder::new(0) }
    }

    fn again(used: ArrayRef) -> Self {
        let Some(array) = sole(used, |a: &StringArray| a.clone()) else { return Self::new() };
        let (ends, bytes, _) = array.into_parts();
        let (mut ends, bytes) = (emptied::<i32>(ends.into_inner().into_inner()), emptied(bytes));
        ends.push(0);
        Self { ends, bytes, valid: NullBufferBuilder::new(0) }
    }

    fn len(&self) -> usize {
        self.ends.len() - 1
    }

    fn push(&mut self, row: usize, value: &[u8]) {
        if self.len() != row {
            if self.len() > row {
                return;
            }
            self.pad(row);
        }
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len() as i32);
        self.valid.append_non_null();
    }

    fn pad(&mut self, rows: usize) {
        self.valid.append_n_nulls(rows - self.len());
        self.ends.resize(rows + 1, self.bytes.len() as i32);
    }

    fn finish(mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Arc::new(StringArray::new(offsets, Buffer::from_vec(self.bytes), self.valid.finish()))
    }
}

/// The array behind a reference that is given up, so that its memory is owned by nobody else.
fn sole<A: 'static>(used: ArrayRef, clone: impl Fn(&A) -> A) -> Option<A> {
    used.as_any().downcast_ref::<A>().map(clone)
}

/// A vector in the memory of a buffer; an empty one where somebody else still holds it.
fn emptied<T: ArrowNativeType>(buffer: Buffer) -> Vec<T> {
    let mut vec = buffer.into_vec::<T>().unwrap_or_default();
    vec.clear();
    vec
}

impl Column {
    fn again(ty: ColumnType, used: ArrayRef) -> Self {
        match ty {
            ColumnType::Text => Self::Text(Texts::again(used)),
            ColumnType::I32 => Self::I32(Numbers::again::<Int32Type>(used)),
            ColumnType::I64 => Self::I64(Numbers::again::<Int64Type>(used)),
            ColumnType::F64 => Self::F64(Numbers::again::<Float64Type>(used)),
            ColumnType::Ts => Self::Ts(Numbers::again::<TimestampMicrosecondType>(used)),
            ColumnType::Bool | ColumnType::List => Self::new(ty),
        }
    }

    fn new(ty: ColumnType) -> Self {
        match ty {
            ColumnType::Text => Self::Text(Texts::new()),
            ColumnType::Bool => Self::Bool(BooleanBufferBuilder::new(0), NullBufferBuilder::new(0)),
            ColumnType::I32 => Self::I32(Numbers::new()),
            ColumnType::I64 => Self::I64(Numbers::new()),
            ColumnType::F64 => Self::F64(Numbers::new()),
            ColumnType::Ts => Self::Ts(Numbers::new()),
            ColumnType::List => Self::List(vec![0], NullBufferBuilder::new(0), Texts::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(c) => c.len(),
            Self::Bool(c, _) => c.len(),
            Self::I32(c) => c.values.len(),
            Self::I64(c) | Self::Ts(c) => c.values.len(),
            Self::F64(c) => c.values.len(),
            Self::List(ends, ..) => ends.len() - 1,
        }
    }

    fn ty(&self) -> ColumnType {
        match self {
            Self::Text(_) => ColumnType::Text,
            Self::Bool(..) => ColumnType::Bool,
            Self::I32(_) => ColumnType::I32,
            Self::I64(_) => ColumnType::I64,
            Self::F64(_) => ColumnType::F64,
            Self::Ts(_) => ColumnType::Ts,
            Self::List(..) => ColumnType::List,
        }
    }

    fn finish(self, rows: usize) -> ArrayRef {
        match self {
            Self::Text(c) => c.finish(rows),
            Self::Bool(mut values, mut valid) => {
                values.append_n(rows - values.len(), false);
                valid.append_n_nulls(rows - valid.len());
                Arc::new(BooleanArray::new(values.finish(), valid.finish()))
            }
            Self::I32(mut c) => {
                c.pad(rows);
                Arc::new(Int32Array::new(c.values.into(), c.valid.finish()))
            }
            Self::I64(mut c) => {
                c.pad(rows);
                Arc::new(Int64Array::new(c.values.into(), c.valid.finish()))
            }
            Self::F64(mut c) => {
                c.pad(rows);
                Arc::new(Float64Array::new(c.values.into(), c.valid.finish()))
            }
            Self::Ts(mut c) => {
                c.pad(rows);
                Arc::new(TimestampMicrosecondArray::new(c.values.into(), c.valid.finish()).with_timezone("UTC"))
            }
            Self::List(mut ends, mut valid, items) => {
                let end = ends.last().copied().unwrap_or(0);
                valid.append_n_nulls(rows - (ends.len() - 1));
                ends.resize(rows + 1, end);
                let count = items.len();
                let field = Field::new("item", ColumnType::Text.arrow(), true);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                Arc::new(ListArray::new(field.into(), offsets, items.finish(count), valid.finish()))
            }
        }
    }
}
