//! The tables, as `evidence/tables/*.toml` describes them: the schema is the documentation.
use std::{collections::BTreeMap, sync::OnceLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use reflexe_model::Text;
use serde::Deserialize;

/// What kind of thing a row of the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableKind {
    /// Something that happened.
    Event,
    /// How something was when it was exported.
    State,
    /// A part of a record of another table.
    Child,
    /// Kept by the product about the evidence itself.
    System,
}

/// Whether an export of the table that holds nothing can be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Zero {
    /// There may really be none: no rule, no consent, no holder of a right.
    Plausible,
    /// There is always something, in every tenant that lives: nothing means that the export did not work.
    Implausible,
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// Boolean; NULL is unknown, never false.
    Bool,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 64-bit float.
    F64,
    /// Instant, UTC, microseconds.
    Ts,
    /// List of texts.
    List,
}

impl ColumnType {
    /// The Arrow type. Texts are plain strings in the file, never dictionaries.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::I32 => DataType::Int32,
            Self::I64 => DataType::Int64,
            Self::F64 => DataType::Float64,
            Self::Ts => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::List => DataType::List(Field::new("item", DataType::Utf8, true).into()),
        }
    }
}

/// One column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name: Microsoft's property name in snake case.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub ty: ColumnType,
    /// What it means, in both languages.
    #[serde(default)]
    pub about: Text,
}

/// One table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Name.
    pub name: String,
    /// Number in row ids, never reused.
    pub number: u8,
    /// Kind.
    pub kind: TableKind,
    /// Whether none at all can be an answer.
    pub zero: Zero,
    /// One sentence.
    pub title: Text,
    /// Column whose values `coverage` calls operations.
    #[serde(default)]
    pub operation: Option<String>,
    /// Column that holds the time of the row.
    #[serde(default)]
    pub time: Option<String>,
    /// Column that holds who did it.
    #[serde(default)]
    pub actor: Option<String>,
    /// Column that holds the source's own id.
    #[serde(default)]
    pub record_id: Option<String>,
    /// Parent table of a child.
    #[serde(default)]
    pub part_of: Option<String>,
    /// Columns whose values tie findings together: column → kind of link.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Columns, without the provenance columns that every table begins with.
    #[serde(rename = "column")]
    pub columns: Vec<Column>,
}

/// The columns that every table begins with, before its own (see [`Table::schema`]).
pub const PROVENANCE: [(&str, ColumnType); 12] = [
    ("row_id", ColumnType::I64),
    ("evidence_id", ColumnType::Text),
    ("source_kind", ColumnType::Text),
    // not `scope`: that is what a permission grant grants
    ("source_scope", ColumnType::Text),
    ("tenant_id", ColumnType::Text),
    ("collected_at", ColumnType::Ts),
    ("flags", ColumnType::List),
    ("src_offset", ColumnType::I64),
    ("src_length", ColumnType::I64),
    ("src_line", ColumnType::I64),
    ("src_member", ColumnType::Text),
    ("src_pointer", ColumnType::Text),
];

impl Table {
    /// Arrow schema of the Parquet files: provenance, then the table's own columns. Everything may be NULL but `row_id`.
    pub fn schema(&self) -> SchemaRef {
        let own = self.columns.iter().map(|c| (c.name.as_str(), c.ty));
        let fields = PROVENANCE
            .iter()
            .copied()
            .chain(own)
            .map(|(name, ty)| Field::new(name, ty.arrow(), name != "row_id"))
            .collect::<Vec<_>>();
        Schema::new(fields).into()
    }

    /// A column of the table's own by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }
}

/// Every table, by number.
///
/// # Panics
/// Never in a released build: the embedded files are parsed by a test.
pub fn tables() -> &'static [Table] {
    static TABLES: OnceLock<Vec<Table>> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut all: Vec<Table> = crate::embedded::TABLES
            .iter()
            .map(|(path, text)| match toml::from_str(text) {
                Ok(table) => table,
                Err(error) => panic!("evidence/tables/{path}: {error}"),
            })
            .collect();
        all.sort_by_key(|t| t.number);
        all
    })
}

/// A table by name.
pub fn table(name: &str) -> Option<&'static Table> {
    tables().iter().find(|t| t.name == name)
}

/// A table by the number in row ids.
pub fn table_by_number(number: u8) -> Option<&'static Table> {
    tables().iter().find(|t| t.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_table_is_well_formed() {
        let mut numbers = BTreeSet::new();
        for t in tables() {
            assert!(t.number > 0 && t.number < 128 && numbers.insert(t.number), "{}: number taken", t.name);
            assert!(!t.title.fr.is_empty() && !t.title.en.is_empty(), "{}: title in both languages", t.name);
            let mut names: BTreeSet<&str> = PROVENANCE.iter().map(|p| p.0).collect();
            for c in &t.columns {
                assert!(names.insert(&c.name), "{}.{} twice", t.name, c.name);
                assert!(!c.about.fr.is_empty() && !c.about.en.is_empty(), "{}.{}: sentence in both languages", t.name, c.name);
            }
            for c in t.time.iter().chain(&t.actor).chain(&t.operation).chain(&t.record_id).chain(t.links.keys()) {
                assert!(t.column(c).is_some(), "{}: no column {c}", t.name);
            }
            if let Some(parent) = &t.part_of {
                assert!(table(parent).is_some(), "{}: no table {parent}", t.name);
            }
        }
    }
}
