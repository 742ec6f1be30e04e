//! The records of one file, one after the other, into rows, coverage and notes.
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reflexe_model::{RowCount, Scope, Text};
use serde_json::Value;

use super::{
    cell::{self, Cell},
    map::{self, Row},
    path::{Frame, Path, normal},
    source::{Container, Mapping, Source},
};
use crate::{
    error::Error,
    period::Days,
    spec::{self, ColumnType, TableKind},
};

/// Where a row stands in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct At {
    /// Offset in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    /// Line, from 1.
    pub line: u64,
    /// JSON pointer, if the row is a part of the record.
    pub pointer: Option<String>,
}

/// What a row says of itself beside its values.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    /// Id of the source.
    pub source: &'a str,
    /// Scope.
    pub scope: Scope,
    /// Tenant.
    pub tenant: Option<&'a str>,
    /// When the export was made, microseconds.
    pub collected: Option<i64>,
    /// Place.
    pub at: &'a At,
}

/// Takes the rows.
pub trait Sink {
    /// Writes a row of evidence unless the case holds a copy; says whether it was written.
    ///
    /// # Errors
    /// When the case cannot be read or written.
    fn evidence(&mut self, row: &Row, origin: &Origin<'_>) -> Result<bool, Error>;

    /// Writes a row about the evidence (`coverage`, `ingest_issue`).
    ///
    /// # Errors
    /// When the case cannot be written.
    fn about(&mut self, row: &Row, origin: &Origin<'_>) -> Result<(), Error>;
}

/// How the records of the file were wrapped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pages {
    /// Number of `{"value": […]}` pages.
    pub pages: u64,
    /// Pages that name a next page.
    pub links: u64,
}

/// What the file gave.
#[derive(Debug, Default)]
pub struct Summary {
    /// Accounting: read = kept + duplicate + rejected.
    pub rows: RowCount,
    /// Records by tenant id, copies included, the empty text for none.
    pub tenants: BTreeMap<String, u64>,
    /// What a reader should know.
    pub notes: Vec<Text>,
    /// Domains of the tenant that the records show.
    pub domains: BTreeSet<String>,
    /// First and last date of the events that can be believed.
    pub span: Option<(i64, i64)>,
}

/// Imports the records of one file.
#[derive(Debug)]
pub struct Importer {
    pub(super) source: &'static Source,
    pub(super) id: &'static str,
    summary: Summary,
    aside: u64,
    pub(super) read_keys: BTreeSet<String>,
    pub(super) unread: BTreeSet<String>,
    met: BTreeSet<String>,
    prefixes: Vec<String>,
    /// Lists that are as long as the service lets them be.
    cut: BTreeSet<String>,
    /// Days of the rows that are events: their table says which column is their time.
    days: Days,
    /// Rows of events without a date, by table.
    undated: BTreeMap<String, u64>,
    /// Rows of which a value could not be read, by doubt.
    doubts: BTreeMap<&'static str, u64>,
    now: i64,
    whole: At,
}

impl Importer {
    /// An importer of a recognised source; `csv` says whether the records are rows of a CSV, `now` when they are imported.
    pub fn new(source: &'static Source, csv: bool, now: Timestamp) -> Self {
        let id = if csv { source.csv.as_deref().unwrap_or(&source.id) } else { &source.id };
        let mut read_keys: BTreeSet<String> = source.ignore.iter().cloned().collect();
        read_keys.extend(source.tenant.iter().chain(&source.collected).map(|p| normal(p.trim_start_matches('/'))));
        source.tables.iter().for_each(|mapping| keys_of(mapping, &mut read_keys));
        let prefixes = source.tables.iter().flat_map(|m| &m.columns).filter_map(|(_, _, rule)| rule.prefix.clone()).collect();
        let whole = At { line: 1, ..At::default() };
        Self {
            source,
            id,
            summary: Summary::default(),
            aside: 0,
            read_keys,
            unread: BTreeSet::new(),
            met: BTreeSet::new(),
            prefixes,
            cut: BTreeSet::new(),
            days: Days::default(),
            undated: BTreeMap::new(),
            doubts: BTreeMap::new(),
            now: now.as_microsecond(),
            whole,
        }
    }

    /// Imports one record: a JSON value, or the row of a CSV as an object of texts. `text` is its text if it is JSON.
    ///
    /// # Errors
    /// When the case cannot be written. A record that cannot be read is rejected, not an error.
    pub fn record(&mut self, value: Value, text: Option<&str>, at: &At, sink: &mut dyn Sink) -> Result<(), Error> {
        match (self.source.container, text) {
            (Container::Document, Some(text)) => self.document(text, at, sink),
            (Container::Document, None) => self.reject("not_a_document", at, sink),
            (Container::Records, _) if value.is_object() => self.object(&value, at, sink),
            (Container::Records, _) => self.reject("not_an_object", at, sink),
        }
    }

    fn object(&mut self, value: &Value, at: &At, sink: &mut dyn Sink) -> Result<(), Error> {
        for key in value.as_object().into_iter().flat_map(|o| o.keys()) {
            let name = normal(key);
            let prefixed = |p: &String| name.starts_with(p.as_str());
            if !self.read_keys.contains(&name) && !self.prefixes.iter().any(prefixed) {
                self.unread.insert(key.clone());
            }
            self.met.insert(name);
        }
        for (key, longest) in self.source.coverage.iter().filter_map(|c| c.needs.as_ref().zip(c.cut_at)) {
            let list = super::path::member(value, &normal(key)).and_then(|(_, v)| v.as_array());
            if list.is_some_and(|list| list.len() == longest) {
                self.cut.insert(key.clone());
            }
        }
        let frames = [Frame { value, key: None }];
        let find = |paths: &[String]| paths.iter().find_map(|p| Path::parse(p).find(&frames, None).values.first().copied());
        let tenant = find(&self.source.tenant).map(|v| cell::text(v).to_lowercase());
        let collected = find(&self.source.collected).and_then(instant);
        let source = self.source;
        let made: Vec<map::Made> = source.tables.iter().map(|m| map::rows(m, &frames, None, &mut BTreeSet::new())).collect();
        self.keep(made, tenant.as_deref(), collected, at, sink)
    }

    /// Writes what one record gave, and counts the record once.
    pub(super) fn keep(
        &mut self,
        made: Vec<map::Made>,
        tenant: Option<&str>,
        collected: Option<i64>,
        at: &At,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let (rows, empty): (usize, usize) = made.iter().fold((0, 0), |n, m| (n.0 + m.rows.len(), n.1 + m.empty));
        if rows == 0 && empty > 0 {
            return self.reject("record_without_identity", at, sink);
        }
        let origin = Origin { source: self.id, scope: self.source.scope, tenant, collected, at };
        if rows == 0 && made.iter().any(|m| m.aside > 0) {
            self.aside += 1;
        }
        let mut written = 0;
        for row in made.iter().flat_map(|m| &m.rows) {
            if sink.evidence(row, &origin)? {
                written += 1;
                self.note_domain(row);
                for doubt in &row.flags {
                    *self.doubts.entry(doubt).or_default() += 1;
                }
                self.note_time(row, at, sink)?;
            }
        }
        self.summary.rows.read += 1;
        if rows > 0 && written == 0 {
            self.summary.rows.duplicate += 1;
        } else {
            self.summary.rows.kept += 1;
        }
        *self.summary.tenants.entry(tenant.unwrap_or_default().to_owned()).or_default() += 1;
        Ok(())
    }

    fn note_time(&mut self, row: &Row, at: &At, sink: &mut dyn Sink) -> Result<(), Error> {
        if row.table.kind != TableKind::Event {
            return Ok(());
        }
        let Some(column) = row.table.columns.iter().position(|c| Some(&c.name) == row.table.time.as_ref()) else { return Ok(()) };
        match row.cells.iter().find(|(c, _)| *c == column) {
            Some((_, Cell::Ts(time))) => self.days.add(*time),
            _ => {
                *self.undated.entry(row.table.name.clone()).or_default() += 1;
                self.issue("warning", "date_unreadable", "", at, sink)?;
            }
        }
        Ok(())
    }

    fn note_domain(&mut self, row: &Row) {
        let column = match row.table.name.as_str() {
            "accepted_domain" => "domain_name",
            "domain" => "id",
            _ => return,
        };
        let number = row.table.columns.iter().position(|c| c.name == column);
        let name = row.cells.iter().find(|(c, _)| Some(*c) == number);
        if let Some((_, Cell::Text(name))) = name {
            self.summary.domains.insert(name.to_lowercase());
        }
    }

    /// Counts a record that could not be read, with its reason.
    ///
    /// # Errors
    /// When the case cannot be written.
    pub fn reject(&mut self, code: &str, at: &At, sink: &mut dyn Sink) -> Result<(), Error> {
        self.summary.rows.read += 1;
        self.summary.rows.rejected += 1;
        self.issue("error", code, "", at, sink)
    }

    pub(super) fn issue(&self, severity: &str, code: &str, message: &str, at: &At, sink: &mut dyn Sink) -> Result<(), Error> {
        let row = about("ingest_issue", &[("severity", severity), ("code", code), ("message", message)], None);
        sink.about(&row, &Origin { source: self.id, scope: self.source.scope, tenant: None, collected: None, at })
    }

    /// Writes coverage and returns what the file gave. `pages` says how the records were wrapped.
    ///
    /// # Errors
    /// When the case cannot be written.
    pub fn finish(mut self, pages: Pages, sink: &mut dyn Sink) -> Result<Summary, Error> {
        let (complete, reason) = match pages {
            Pages { pages: 0, .. } => (None, "no_proof"),
            // every page but the last names the next; one name too many and the last page is not there
            Pages { pages, links } if links >= pages => (Some(false), "page_missing"),
            Pages { .. } => (Some(true), "last_page"),
        };
        self.summary.span = self.days.believed(Some(self.now)).span;
        let lone = self.summary.tenants.len() == 1;
        let tenant = self.summary.tenants.keys().next().filter(|t| lone && !t.is_empty()).cloned();
        let origin =
            Origin { source: self.id, scope: self.source.scope, tenant: tenant.as_deref(), collected: None, at: &self.whole };
        for rule in &self.source.coverage {
            if rule.needs.as_ref().is_some_and(|key| !self.met.contains(&normal(key))) {
                continue;
            }
            let cut = rule.needs.as_ref().is_some_and(|key| self.cut.contains(key));
            let doubt = rule.doubt.as_ref().filter(|_| rule.cut_at.is_none() || cut);
            let (complete, reason) = match (doubt, &rule.always) {
                (Some(doubt), _) if complete != Some(false) => (None, doubt.as_str()),
                (_, Some(always)) => (Some(true), always.as_str()),
                _ => (complete, reason),
            };
            let mut row = coverage_row(&rule.table, &rule.operation, "*", complete, reason);
            if let Some((from, to)) = self.summary.span.filter(|_| is_event(&rule.table)) {
                put(&mut row, "time_from", Cell::Ts(from));
                put(&mut row, "time_to", Cell::Ts(to));
            }
            sink.about(&row, &origin)?;
        }
        let rejected = self.summary.rows.rejected;
        let tables: BTreeSet<&str> = self.source.coverage.iter().map(|c| c.table.as_str()).collect();
        for (table, reason, n) in tables
            .iter()
            .map(|t| (*t, "rows_rejected", rejected))
            .chain(self.undated.iter().map(|(t, n)| (t.as_str(), "date_unreadable", *n)))
            .filter(|(_, _, n)| *n > 0)
        {
            let mut row = coverage_row(table, "*", "*", Some(false), reason);
            put(&mut row, "lost", Cell::Int(n.cast_signed()));
            sink.about(&row, &origin)?;
        }
        for (doubt, n) in &self.doubts {
            let (fr, en) = match *doubt {
                cell::VALUE_LOST => (
                    "objet(s) dont une valeur est perdue : l’export a écrit un nom de type (System.Object[]) à sa place",
                    "object(s) of which a value is lost: the export wrote the name of a type (System.Object[]) in its place",
                ),
                cell::DATE_AMBIGUOUS => (
                    "objet(s) dont une date a un jour et un mois indistincts",
                    "object(s) of which a date does not say which number is the month",
                ),
                _ => ("objet(s) dont une valeur ne se lit pas", "object(s) of which a value cannot be read"),
            };
            self.summary.notes.push(Text::new(format!("{n} {fr}."), format!("{n} {en}.")));
        }
        if !self.unread.is_empty() {
            let list = self.unread.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            self.summary.notes.push(Text::new(
                format!("Champs présents et non lus : {list}."),
                format!("Fields present and not read: {list}."),
            ));
        }
        if self.aside > 0 {
            let n = self.aside;
            self.summary.notes.push(Text::new(
                format!("{n} enregistrements lus dont rien n’est gardé (droits d’un compte sur lui-même, par exemple)."),
                format!("{n} records read of which nothing is kept (an account’s rights on itself, for instance)."),
            ));
        }
        Ok(self.summary)
    }
}

pub(super) fn instant(value: &Value) -> Option<i64> {
    match cell::scalar(ColumnType::Ts, value).0 {
        Cell::Ts(us) => Some(us),
        _ => None,
    }
}

/// The keys of a record that a mapping reads.
pub(super) fn keys_of(mapping: &Mapping, keys: &mut BTreeSet<String>) {
    for (depth, each) in mapping.each.iter().enumerate() {
        keys.extend(each.path.first_key(depth).map(str::to_owned));
    }
    let depth = mapping.each.len();
    let tests = mapping.when.iter().chain(&mapping.unless).map(|t| t.path());
    keys.extend(tests.filter_map(|p| p.first_key(depth).map(str::to_owned)));
    for (_, _, rule) in &mapping.columns {
        keys.extend(rule.paths.iter().filter_map(|p| p.first_key(depth).map(str::to_owned)));
        keys.extend(rule.keys.iter().cloned());
    }
}

/// A row about the evidence, from texts by column.
pub fn about(table: &str, texts: &[(&str, &str)], complete: Option<bool>) -> Row {
    // the names are constants of this crate, and a test writes each of these rows
    let table = spec::table(table).unwrap_or_else(|| unreachable!("table {table} is part of the product"));
    let number = |name: &str| table.columns.iter().position(|c| c.name == name);
    let filled = texts.iter().filter(|(_, text)| !text.is_empty());
    let mut cells: Vec<(usize, Cell)> =
        filled.filter_map(|(name, text)| Some((number(name)?, Cell::Text((*text).to_owned())))).collect();
    if let (Some(complete), Some(column)) = (complete, number("complete")) {
        cells.push((column, Cell::Bool(complete)));
    }
    cells.sort_by_key(|c| c.0);
    Row { table, cells, flags: BTreeSet::new(), identity: Vec::new(), any_tenant: false }
}

fn is_event(table: &str) -> bool {
    spec::table(table).is_some_and(|t| t.kind == TableKind::Event)
}

/// Puts a value into a row by the name of its column.
pub fn put(row: &mut Row, column: &str, cell: Cell) {
    if let Some(column) = row.table.columns.iter().position(|c| c.name == column) {
        row.cells.push((column, cell));
        row.cells.sort_by_key(|c| c.0);
    }
}

/// A coverage row without a period.
pub fn coverage_row(table: &str, operation: &str, subject: &str, complete: Option<bool>, reason: &str) -> Row {
    let texts = [("table_name", table), ("operation", operation), ("subject", subject), ("reason", reason)];
    about("coverage", &texts, complete)
}
