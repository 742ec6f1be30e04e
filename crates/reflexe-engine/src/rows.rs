//! Rows out of Arrow batches, and the facts of cited rows: time, actor, record id, place in the evidence, links.
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array},
    datatypes::{DataType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt64Type},
    record_batch::RecordBatch,
};
use datafusion::datasource::MemTable;
use indexmap::IndexMap;
use jiff::Timestamp;
use reflexe_evidence::spec::{self, TableKind};
use reflexe_fiche::value::Value;
use reflexe_model::{Link, Locator, RowId, RowRef};

use crate::{
    EngineError,
    session::{Session, quote},
};

/// Number of the first `ref.*` table in row ids; evidence tables stay below.
pub const REFERENCE_TABLE_BASE: usize = 100;
/// Number of the `input.*` tables in row ids.
pub const INPUT_TABLE: usize = 120;

/// Rows that are looked up at once: fewer than DataFusion takes for a small side of a join.
const LOOKED_UP: usize = 100_000;

/// A row: column → values (a list has several, NULL none), in the order of the query.
pub type Row = IndexMap<String, Vec<Value>>;

/// All rows of some batches.
pub fn all(batches: &[RecordBatch]) -> Vec<Row> {
    let mut out = Vec::new();
    for batch in batches {
        let schema = batch.schema();
        for i in 0..batch.num_rows() {
            let row = schema
                .fields()
                .iter()
                .zip(batch.columns())
                .map(|(field, column)| (field.name().clone(), values(column, i)))
                .collect();
            out.push(row);
        }
    }
    out
}

/// The values of one cell.
pub fn values(column: &ArrayRef, i: usize) -> Vec<Value> {
    if column.is_null(i) {
        return Vec::new();
    }
    let one = match column.data_type() {
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(i).to_owned()),
        DataType::LargeUtf8 => Value::Text(column.as_string::<i64>().value(i).to_owned()),
        DataType::Utf8View => Value::Text(column.as_string_view().value(i).to_owned()),
        DataType::Boolean => Value::Bool(column.as_boolean().value(i)),
        DataType::Int8 => Value::Int(column.as_primitive::<Int8Type>().value(i).into()),
        DataType::Int16 => Value::Int(column.as_primitive::<Int16Type>().value(i).into()),
        DataType::Int32 => Value::Int(column.as_primitive::<Int32Type>().value(i).into()),
        DataType::Int64 => Value::Int(column.as_primitive::<Int64Type>().value(i)),
        DataType::UInt64 => Value::Int(i64::try_from(column.as_primitive::<UInt64Type>().value(i)).unwrap_or(i64::MAX)),
        #[allow(clippy::cast_possible_truncation)] // thousandths are what is shown
        DataType::Float64 => Value::Milli((column.as_primitive::<Float64Type>().value(i) * 1000.0).round() as i64),
        DataType::Timestamp(unit, _) => return timestamp(column, unit, i).map(Value::Time).into_iter().collect(),
        DataType::List(_) => {
            let inner = column.as_list::<i32>().value(i);
            return (0..inner.len()).flat_map(|k| values(&inner, k)).collect();
        }
        DataType::LargeList(_) => {
            let inner = column.as_list::<i64>().value(i);
            return (0..inner.len()).flat_map(|k| values(&inner, k)).collect();
        }
        DataType::Null => return Vec::new(),
        _ => match arrow::compute::cast(&column.slice(i, 1), &DataType::Utf8) {
            Ok(text) if text.is_valid(0) => Value::Text(text.as_string::<i32>().value(0).to_owned()),
            _ => return Vec::new(),
        },
    };
    vec![one]
}

fn timestamp(column: &ArrayRef, unit: &arrow::datatypes::TimeUnit, i: usize) -> Option<Timestamp> {
    use arrow::datatypes::{TimeUnit, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType};
    match unit {
        TimeUnit::Second => Timestamp::from_second(column.as_primitive::<TimestampSecondType>().value(i)).ok(),
        TimeUnit::Millisecond => Timestamp::from_millisecond(column.as_primitive::<TimestampMillisecondType>().value(i)).ok(),
        TimeUnit::Microsecond => Timestamp::from_microsecond(column.as_primitive::<TimestampMicrosecondType>().value(i)).ok(),
        TimeUnit::Nanosecond => Timestamp::from_nanosecond(column.as_primitive::<TimestampNanosecondType>().value(i).into()).ok(),
    }
}

/// What is known of a cited row. Half a million rows may be cited at once, so texts that repeat are shared.
#[derive(Debug, Clone, Default)]
pub struct Cited {
    /// Table.
    pub table: Arc<str>,
    /// When.
    pub time: Option<Timestamp>,
    /// Who, lower case.
    pub actor: Option<Arc<str>>,
    /// The source's own id.
    pub record_id: Option<Box<str>>,
    /// Evidence file.
    pub evidence_id: Arc<str>,
    /// Place in it.
    pub locator: Box<str>,
    /// Line.
    pub line: i64,
    /// What ties it to other rows: kind, value in lower case.
    links: Box<[(Arc<str>, Arc<str>)]>,
}

impl Cited {
    /// A row of which little is known.
    #[cfg(test)]
    pub(crate) fn of(time: Option<Timestamp>, links: Box<[(Arc<str>, Arc<str>)]>) -> Self {
        Self { time, links, ..Self::default() }
    }

    /// What ties it to other rows.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        self.links.iter().map(|(kind, value)| Link { kind: kind.to_string(), value: value.to_string() })
    }

    /// The same, shared.
    pub(crate) fn pairs(&self) -> &[(Arc<str>, Arc<str>)] {
        &self.links
    }

    /// The row as a finding shows it.
    pub fn shown(&self, path_of: &dyn Fn(&str) -> String) -> RowRef {
        RowRef {
            table: self.table.to_string(),
            file: path_of(&self.evidence_id),
            locator: self.locator.to_string(),
            line: self.line,
            record_id: self.record_id.as_deref().map(str::to_owned),
        }
    }
}

/// Texts, each kept once.
#[derive(Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn one(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }
}

impl Session {
    /// Looks up rows by number.
    ///
    /// # Errors
    /// When a query fails.
    pub fn cited(&self, ids: &BTreeSet<i64>) -> Result<BTreeMap<i64, Cited>, EngineError> {
        let mut out = BTreeMap::new();
        self.cited_each(ids.iter().copied(), |id, cited| {
            out.insert(id, cited);
        })?;
        Ok(out)
    }

    /// Looks up rows by number, rising, and hands them over as they come: there may be millions.
    ///
    /// # Errors
    /// When a query fails.
    pub(crate) fn cited_each(&self, ids: impl Iterator<Item = i64>, mut take: impl FnMut(i64, Cited)) -> Result<(), EngineError> {
        let mut by_table: BTreeMap<u8, Vec<i64>> = BTreeMap::new();
        for id in ids {
            by_table.entry(RowId(id).table()).or_default().push(id);
        }
        let mut texts = Texts::default();
        // A part at a time: the numbers are then the small side of the join, and only the row groups of their range are read.
        let parts = by_table.iter().flat_map(|(number, ids)| ids.chunks(LOOKED_UP).map(move |ids| (*number, ids)));
        for (number, ids) in parts {
            let (Some(table), Some(first), Some(last)) = (spec::table_by_number(number), ids.first(), ids.last()) else {
                ids.iter().for_each(|id| take(*id, given(number, *id)));
                continue;
            };
            let schema =
                Arc::new(arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new("cited_id", DataType::Int64, false)]));
            let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(ids.to_vec()))])?;
            self.ctx.deregister_table("cited_row")?;
            self.ctx.register_table("cited_row", Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))?;
            let column = |c: &Option<String>| c.clone().map_or("cast(null as varchar)".to_owned(), |c| format!("t.{c}"));
            let time = match (&table.time, table.kind) {
                // The period that a coverage row covers is not the time of an act.
                (Some(c), kind) if kind != TableKind::System => format!("t.{c}"),
                _ => "cast(null as timestamp)".to_owned(),
            };
            let links: String = table.links.keys().map(|c| format!(", t.{c} as link_{c}")).collect();
            let sql = format!(
                "select t.row_id, {time} as seen, lower({}) as who, {} as record, t.evidence_id, t.locator, t.src_line{links} \
                 from cited_row c join {} t on t.row_id = c.cited_id where t.row_id between {first} and {last}",
                column(&table.actor),
                column(&table.record_id),
                table.name
            );
            self.each(&sql, |batch| {
                for row in all(std::slice::from_ref(batch)) {
                    let first = |c: &str| row.get(c).and_then(|v| v.first());
                    let text = |c: &str| first(c).and_then(Value::as_text);
                    let Some(id) = first("row_id").and_then(Value::as_int) else { continue };
                    let mut links: Vec<(Arc<str>, Arc<str>)> = Vec::new();
                    for (c, kind) in &table.links {
                        if let Some(value) = text(&format!("link_{c}")).filter(|v| !v.is_empty()) {
                            links.push((texts.one(kind), texts.one(&value.to_lowercase())));
                        }
                    }
                    links.sort();
                    let cited = Cited {
                        table: texts.one(&table.name),
                        time: first("seen").and_then(Value::as_time),
                        actor: text("who").map(|a| texts.one(a)),
                        record_id: text("record").map(Into::into),
                        evidence_id: texts.one(text("evidence_id").unwrap_or_default()),
                        locator: text("locator").unwrap_or_default().into(),
                        line: first("src_line").and_then(Value::as_int).unwrap_or(0),
                        links: links.into(),
                    };
                    take(id, cited);
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// A row that was made of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its table.
    pub table: &'static str,
    /// The source's own id of the record.
    pub record_id: Option<String>,
}

impl Session {
    /// The rows that stand at some places of the evidence, by locator; replaced copies too.
    ///
    /// # Errors
    /// When a query fails.
    pub fn made_of(&self, locators: &[Locator]) -> Result<BTreeMap<String, Vec<Made>>, EngineError> {
        let mut offsets: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for locator in locators {
            if let Locator::Evidence(place) = locator {
                offsets.entry(&place.evidence_id).or_default().insert(place.offset);
            }
        }
        let mut out: BTreeMap<String, Vec<Made>> = BTreeMap::new();
        if offsets.is_empty() {
            return Ok(out);
        }
        let of_file = |(id, offsets): (&&str, &BTreeSet<u64>)| {
            let offsets: Vec<String> = offsets.iter().map(u64::to_string).collect();
            format!("(evidence_id = {} and src_offset in ({}))", quote(id), offsets.join(", "))
        };
        let places = offsets.iter().map(of_file).collect::<Vec<_>>().join(" or ");
        let wanted: HashSet<String> = locators.iter().map(Locator::to_string).collect();
        for table in spec::tables() {
            let record = table.record_id.as_deref().unwrap_or("null");
            self.each(
                &format!(
                    "select distinct locator(evidence_id, src_member, src_offset, src_length, src_line, src_pointer) as l, \
                     cast({record} as varchar) as record from stored.{} where {places} order by l, record",
                    table.name
                ),
                |batch| {
                    for row in all(std::slice::from_ref(batch)) {
                        let text = |c: &str| row.get(c).and_then(|v| v.first()).and_then(Value::as_text);
                        if let Some(locator) = text("l").filter(|l| wanted.contains(*l)) {
                            let made = Made { table: &table.name, record_id: text("record").map(str::to_owned) };
                            out.entry(locator.to_owned()).or_default().push(made);
                        }
                    }
                    Ok(())
                },
            )?;
        }
        Ok(out)
    }
}

/// A row of shipped knowledge or of what people gave.
fn given(number: u8, id: i64) -> Cited {
    let names = crate::reference::names();
    let name = usize::from(number).checked_sub(REFERENCE_TABLE_BASE).and_then(|n| names.get(n));
    let table = name.map_or_else(|| "input".to_owned(), |n| format!("ref.{n}"));
    let line = RowId(id).row() + 1;
    let locator = Locator::Known { table: table.clone(), line }.to_string();
    Cited { locator: locator.into(), table: table.into(), line: line.cast_signed(), ..Cited::default() }
}
