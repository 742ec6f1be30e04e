//! Import of one document: part by part, each into the tables that read it.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, value::RawValue};

use super::{
    cell,
    document::{self, Record},
    importer::{At, Importer, Origin, Sink, coverage_row, instant, keys_of},
    map::{self, Joined, Row},
    path::{Frame, normal},
    source::{Command, Join, Mapping},
};
use crate::error::Error;

/// A document that is being read.
struct Export<'a> {
    root: Record<'a>,
    /// Where its parts stand.
    base: Record<'a>,
    /// Its small members: what every row may say of the export as a whole.
    head: Value,
    text: &'a str,
    at: &'a At,
    tenant: Option<String>,
    collected: Option<i64>,
}

impl<'a> Export<'a> {
    fn open(text: &'a str, base: &str, at: &'a At) -> Option<Self> {
        let root = Record::root(serde_json::from_str::<&RawValue>(text).ok()?);
        let base = document::part(&root, base)?.into_iter().next()?;
        let small = document::members(root.raw).into_iter().filter(|(_, raw)| raw.get().len() <= 1 << 16);
        let head = small.filter_map(|(key, raw)| Some((key, serde_json::from_str(raw.get()).ok()?))).collect();
        Some(Self { root, base, head: Value::Object(head), text, at, tenant: None, collected: None })
    }

    /// The records of a part; a path that begins with `/` is read from the root.
    fn records(&self, path: &str) -> Option<Vec<Record<'a>>> {
        match path.strip_prefix('/') {
            Some(path) => document::part(&self.root, path),
            None => document::part(&self.base, path),
        }
    }

    /// The first of these places that says something.
    fn find(&self, paths: &[String]) -> Option<Value> {
        let says = |v: &Value| !v.is_null() && v.as_str() != Some("");
        paths.iter().find_map(|p| self.records(p)?.first()?.value().filter(says))
    }

    fn joined(&self, mapping: &Mapping) -> Option<Joined> {
        let join = mapping.join.as_ref()?;
        let others: Vec<Value> = self.records(&join.part)?.iter().filter_map(Record::value).collect();
        Some(Joined::new(join, &others))
    }
}

impl Importer {
    /// Imports a document from its text.
    pub(super) fn document(&mut self, text: &str, at: &At, sink: &mut dyn Sink) -> Result<(), Error> {
        let source = self.source;
        let Some(mut export) = Export::open(text, &source.base, at) else {
            return self.reject("record_not_json", at, sink);
        };
        export.tenant = export.find(&source.tenant).map(|v| cell::text(&v).to_lowercase());
        export.collected = export.find(&source.collected).as_ref().and_then(instant);
        let (mut done, mut lost) = (BTreeSet::new(), BTreeMap::new());
        for path in source.tables.iter().filter_map(|m| m.part.as_deref()) {
            if done.insert(path)
                && let Some(records) = export.records(path)
            {
                self.part(path, &records, &export, &mut lost, sink)?;
            }
        }
        for (code, lost) in &lost {
            let names = lost.names();
            if !names.is_empty() {
                self.issue("warning", code, &names.join(", "), at, sink)?;
            }
        }
        self.unread_parts(&export, &done);
        let tenant = export.tenant.as_deref();
        let origin = Origin { source: self.id, scope: source.scope, tenant, collected: export.collected, at };
        for row in commands(&source.commands, &export.base) {
            sink.about(&row, &origin)?;
        }
        Ok(())
    }

    /// Imports the records of one part into each of the tables that it fills.
    fn part(
        &mut self,
        path: &str,
        records: &[Record<'_>],
        export: &Export<'_>,
        lost: &mut BTreeMap<String, Lost>,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let source = self.source;
        let mappings: Vec<&Mapping> = source.tables.iter().filter(|m| m.part.as_deref() == Some(path)).collect();
        let mut fields = BTreeSet::new();
        mappings.iter().for_each(|m| keys_of(m, &mut fields));
        let joins: Vec<Option<Joined>> = mappings.iter().map(|m| export.joined(m)).collect();
        let mut seen = BTreeSet::new();
        let mut unread = BTreeSet::new();
        let mut lines = Lines { text: export.text, at: 0, line: export.at.line };
        for record in records {
            let offset = record.offset_in(export.text);
            let here = At {
                offset: export.at.offset + offset as u64,
                length: record.raw.get().len() as u64,
                line: lines.of(offset),
                pointer: Some(record.pointer.clone()),
            };
            let Some(value) = record.value() else {
                self.reject("record_not_json", &here, sink)?;
                continue;
            };
            let keys = value.as_object().into_iter().flat_map(|o| o.keys()).map(|k| normal(k));
            unread.extend(keys.filter(|k| !fields.contains(k)));
            let frames = [Frame { value: &export.head, key: None }, Frame { value: &value, key: record.key.as_deref() }];
            let made = mappings.iter().zip(&joins).map(|(m, j)| map::rows(m, &frames, j.as_ref(), &mut seen)).collect();
            self.keep(made, export.tenant.as_deref(), export.collected, &here, sink)?;
        }
        if !unread.is_empty() {
            self.unread.insert(format!("{path} ({})", unread.len()));
        }
        for (mapping, joined) in mappings.iter().zip(joins) {
            if let (Some(Join { unmatched: Some((code, _)), .. }), Some(joined)) = (&mapping.join, joined) {
                let lost = lost.entry(code.clone()).or_default();
                lost.others.extend(joined.others);
                lost.seen.extend(seen.iter().cloned());
            }
        }
        Ok(())
    }

    /// Notes the parts that nothing reads. Those whose content the lists of commands vouch for are read in that sense.
    fn unread_parts(&mut self, export: &Export<'_>, done: &BTreeSet<&str>) {
        let read: BTreeSet<String> = done.iter().map(|p| normal(p.split(['[', '{', '.']).next().unwrap_or(p))).collect();
        for (key, _) in document::members(export.base.raw) {
            let name = normal(&key);
            if !read.contains(&name) && !self.read_keys.contains(&name) && !name.ends_with("successfulcommands") {
                self.unread.insert(key);
            }
        }
    }
}

/// Records of another part that should match some record, and the keys that did.
#[derive(Debug, Default)]
struct Lost {
    others: Vec<(Vec<String>, String)>,
    seen: BTreeSet<Vec<String>>,
}

impl Lost {
    /// Names of those that nothing matched, in order, each once.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (key, name) in &self.others {
            if !self.seen.contains(key) && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}

/// Line numbers of rising offsets, counting each newline once; a step back starts over.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, offset: usize) -> u64 {
        let bytes = self.text.as_bytes();
        let count = |range: &[u8]| memchr::memchr_iter(b'\n', range).count() as u64;
        if offset >= self.at {
            self.line += count(&bytes[self.at..offset]);
        } else {
            self.line -= count(&bytes[offset..self.at]);
        }
        self.at = offset;
        self.line
    }
}

/// What the lists of successful and unsuccessful commands of a document prove.
fn commands(rules: &[Command], base: &Record<'_>) -> Vec<Row> {
    let members = document::members(base.raw);
    let (mut done, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for (key, raw) in &members {
        let names = || serde_json::from_str::<Vec<String>>(raw.get()).unwrap_or_default().into_iter().map(|n| n.to_lowercase());
        let key = normal(key);
        if key.ends_with("unsuccessfulcommands") {
            failed.extend(names());
        } else if key.ends_with("successfulcommands") {
            done.extend(names());
        }
    }
    let mut rows = Vec::new();
    for rule in rules {
        let listed = |set: &BTreeSet<String>| rule.names.iter().any(|n| set.contains(&n.to_lowercase()));
        let there = rule.parts.iter().all(|p| members.iter().any(|(key, _)| normal(key) == normal(p)));
        let (complete, reason) = match (listed(&done), listed(&failed), there) {
            (_, true, _) => (Some(false), "command_failed"),
            (true, false, true) => match &rule.only {
                Some(only) => (Some(false), only.as_str()),
                None => (Some(true), "command_succeeded"),
            },
            // the tool says that it ran, and what it gave is not in the file
            (true, false, false) => (Some(false), "not_collected"),
            (false, false, true) => (None, "command_not_listed"),
            (false, false, false) => continue,
        };
        rows.extend(rule.operations.iter().map(|op| coverage_row(&rule.table, op, &rule.subject, complete, reason)));
    }
    rows
}
