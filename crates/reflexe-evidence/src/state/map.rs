//! From one record to rows of one table, as a [`Mapping`] says.
use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use serde_json::{Map, Value};

use super::{
    cell::{self, Cell, VALUE_LOST, is_lost},
    path::{Found, Frame, normal},
    source::{Each, Join, Lookup, Mapping, Rule},
};
use crate::{
    embedded::REFERENCE,
    spec::{ColumnType, Table},
};

static NOTHING: Value = Value::Null;

/// A row before it is written.
#[derive(Debug)]
pub struct Row {
    /// Table.
    pub table: &'static Table,
    /// Values by number of the column in the table; what is not here is NULL.
    pub cells: Vec<(usize, Cell)>,
    /// Doubts.
    pub flags: BTreeSet<&'static str>,
    /// What tells a copy from another row of the same tenant.
    pub identity: Vec<u8>,
    /// Copies are told without looking at the tenant: some files of one export do not name it.
    pub any_tenant: bool,
}

/// What a mapping made of a record.
#[derive(Debug, Default)]
pub struct Made {
    /// Rows.
    pub rows: Vec<Row>,
    /// Elements that lack a column without which a row says nothing.
    pub empty: usize,
    /// Elements that `when` and `unless` leave aside.
    pub aside: usize,
}

/// Another part of the document, by the texts that it is looked up with.
#[derive(Debug)]
pub struct Joined {
    by: HashMap<Vec<String>, Vec<Value>>,
    /// Key and name of each, in order, where the mapping asks for those that nothing matches.
    pub others: Vec<(Vec<String>, String)>,
}

impl Joined {
    /// Indexes the records of the other part.
    pub fn new(join: &Join, records: &[Value]) -> Self {
        let mut joined = Self { by: HashMap::new(), others: Vec::new() };
        let each: Vec<Each> =
            join.each.iter().map(|p| Each { path: super::path::Path::parse(p), map: false, split: String::new() }).collect();
        for record in records {
            let mut frames = vec![Frame { value: record, key: None }];
            open(&mut frames, &each, &mut |frames| {
                let key: Vec<String> = join.on.iter().map(|(_, theirs)| first_text(theirs, frames)).collect();
                if let Some((_, name)) = &join.unmatched {
                    joined.others.push((key.clone(), first_text(name, frames)));
                }
                if let Some(frame) = frames.last() {
                    joined.by.entry(key).or_default().push(frame.value.clone());
                }
            });
        }
        joined
    }

    fn find(&self, join: &Join, frames: &[Frame<'_>]) -> &[Value] {
        self.by.get(&Self::key(join, frames)).map_or(&[], Vec::as_slice)
    }

    /// The key with which an element looks the other part up.
    fn key(join: &Join, frames: &[Frame<'_>]) -> Vec<String> {
        join.on.iter().map(|(ours, _)| first_text(ours, frames)).collect()
    }
}

fn first_text(path: &str, frames: &[Frame<'_>]) -> String {
    let found = super::path::Path::parse(path).find(frames, None);
    let text = found.key.map(str::to_owned).or_else(|| found.values.first().map(|v| cell::text(v).into_owned()));
    text.unwrap_or_default().to_lowercase()
}

/// Makes the rows of one record, given as nested frames: the head of the document if it stands in one, then itself. Keys
/// looked up in `joined` are added to `seen`.
pub fn rows(mapping: &Mapping, record: &[Frame<'_>], joined: Option<&Joined>, seen: &mut BTreeSet<Vec<String>>) -> Made {
    let mut made = Made::default();
    let mut frames = record.to_vec();
    open(&mut frames, &mapping.each, &mut |frames| {
        if !mapping.when.iter().all(|t| t.holds(frames)) || mapping.unless.iter().any(|t| t.holds(frames)) {
            made.aside += 1;
            return;
        }
        let others = match (&mapping.join, joined) {
            (Some(join), Some(joined)) => {
                seen.insert(Joined::key(join, frames));
                joined.find(join, frames)
            }
            _ => &[],
        };
        // an element that several others match gives a row for each: two assignments of one role are two facts
        let mut others: Vec<Option<&Value>> = others.iter().map(Some).collect();
        if others.is_empty() {
            others.push(None);
        }
        for other in others {
            match row(mapping, frames, other) {
                Some(row) => made.rows.push(row),
                None => made.empty += 1,
            }
        }
    });
    made
}

/// Opens the levels of elements, and calls back for each of the innermost.
fn open<'a>(frames: &mut Vec<Frame<'a>>, levels: &'a [Each], then: &mut dyn FnMut(&[Frame<'a>])) {
    let [level, deeper @ ..] = levels else {
        then(frames);
        return;
    };
    let found = level.path.find(frames, None);
    let mut elements: Vec<Frame<'a>> = Vec::new();
    for value in found.values {
        match value {
            Value::Object(map) if level.map => {
                elements.extend(map.iter().map(|(key, value)| Frame { value, key: Some(key) }));
            }
            Value::Array(items) => elements.extend(items.iter().map(|value| Frame { value, key: None })),
            Value::String(text) if !level.split.is_empty() => {
                let pieces = text.split(|c| level.split.contains(c)).map(str::trim).filter(|p| !p.is_empty());
                // the piece is its own key: a slice of a text is no JSON value
                elements.extend(pieces.map(|piece| Frame { value: &NOTHING, key: Some(piece) }));
            }
            _ => elements.push(Frame { value, key: None }),
        }
    }
    for element in elements.into_iter().filter(|e| !e.value.is_null() || e.key.is_some()) {
        frames.push(element);
        open(frames, deeper, then);
        frames.pop();
    }
}

fn row(mapping: &Mapping, frames: &[Frame<'_>], other: Option<&Value>) -> Option<Row> {
    let mut cells = Vec::with_capacity(mapping.columns.len());
    let mut flags = BTreeSet::new();
    for (column, ty, rule) in &mapping.columns {
        let (cell, doubt) = fill(*ty, rule, frames, other);
        flags.extend(doubt);
        if cell != Cell::Null {
            cells.push((*column, cell));
        }
    }
    let has = |column: &usize| cells.iter().any(|(c, v)| c == column && !matches!(v, Cell::Text(t) if t.is_empty()));
    if cells.is_empty() || !mapping.require.iter().all(has) {
        return None;
    }
    let mut identity = mapping.table.name.clone().into_bytes();
    for (column, cell) in &cells {
        if mapping.unique.is_empty() || mapping.unique.contains(column) {
            // Debug of a cell is total and unambiguous; it never leaves the program
            identity.extend_from_slice(format!("\u{1}{column}={cell:?}").as_bytes());
        }
    }
    Some(Row { table: mapping.table, cells, flags, identity, any_tenant: !mapping.unique.is_empty() })
}

fn fill(ty: ColumnType, rule: &Rule, frames: &[Frame<'_>], other: Option<&Value>) -> (Cell, Option<&'static str>) {
    if !rule.keys.is_empty() || rule.prefix.is_some() {
        return (members(rule, frames), None);
    }
    let mut found = Found::default();
    let mut owned: Vec<Value> = Vec::new();
    let (mut present, mut rest) = (false, false);
    for path in &rule.paths {
        found = path.find(frames, other);
        present |= found.present;
        rest |= found.rest;
        if let Some(key) = found.key {
            owned.push(Value::String(key.to_owned()));
        }
        owned.extend(found.values.iter().map(|v| (*v).clone()));
        if !rule.combine && !rule.together && !owned.is_empty() {
            break;
        }
    }
    if rule.combine && !owned.is_empty() {
        let texts: Vec<String> = owned.iter().map(|v| cell::text(v).into_owned()).collect();
        owned = vec![Value::String(texts.join("|"))];
    }
    drop(found);
    if let [flag, wanted] = &rule.pick[..] {
        owned = owned.iter().flat_map(elements).filter_map(|item| picked(item, flag, wanted)).collect();
    }
    if let Some(nothing) = &rule.unless_text {
        owned.retain(|v| !cell::text(v).trim().eq_ignore_ascii_case(nothing));
    }
    if owned.is_empty() {
        let stand_in = match (&rule.fixed, present) {
            (Some(fixed), _) if rule.paths.is_empty() => Some(fixed),
            (_, true) => rule.null.as_ref().or_else(|| rule.null_rest.as_ref().filter(|_| rest)),
            _ => None,
        };
        return match stand_in {
            Some(Value::Array(items)) if ty == ColumnType::List && items.is_empty() => (Cell::List(Vec::new()), None),
            Some(value) => cell::scalar(ty, value),
            None => (Cell::Null, None),
        };
    }
    if let Some(value) = &rule.some {
        return cell::scalar(ty, value);
    }
    if !rule.equals.is_empty() {
        let is = |v: &Value| rule.equals.iter().any(|wanted| cell::text(v).trim().eq_ignore_ascii_case(wanted));
        return (Cell::Bool(owned.iter().any(is)), None);
    }
    if ty == ColumnType::List { list(rule, &owned) } else { scalar(ty, rule, owned) }
}

fn elements(value: &Value) -> &[Value] {
    if let Value::Array(items) = value { items } else { std::slice::from_ref(value) }
}

fn picked(item: &Value, flag: &str, wanted: &str) -> Option<Value> {
    let (_, on) = super::path::member(item, flag)?;
    let (_, value) = super::path::member(item, wanted)?;
    cell::text(on).eq_ignore_ascii_case("true").then(|| value.clone())
}

fn list(rule: &Rule, values: &[Value]) -> (Cell, Option<&'static str>) {
    let mut items = Vec::new();
    for value in values {
        for part in elements(value).iter().filter(|p| !p.is_null()) {
            let text = cell::text(part);
            if is_lost(&text) {
                return (Cell::Null, Some(VALUE_LOST));
            }
            let text = text.trim_matches(|c| rule.trim.contains(c));
            if rule.recipient {
                items.extend(addresses(text));
                continue;
            }
            for piece in text.split(|c| rule.split.contains(c)).map(str::trim).filter(|p| !p.is_empty()) {
                items.push(rename(rule, piece));
            }
        }
    }
    (Cell::List(items), None)
}

fn scalar(ty: ColumnType, rule: &Rule, values: Vec<Value>) -> (Cell, Option<&'static str>) {
    let Some(mut value) = values.into_iter().next() else { return (Cell::Null, None) };
    if let Value::Array(items) = &mut value {
        match &items[..] {
            [] => return (Cell::Null, None),
            [Value::Null] => return (Cell::Null, None),
            [item] if !item.is_object() => value = items.remove(0),
            // a text column shows the whole list as JSON; no other type can
            _ if ty == ColumnType::Text => {}
            _ => value = items.remove(0),
        }
    }
    if !value.is_object() && !value.is_array() {
        let text = cell::text(&value);
        let changed = rename(rule, text.trim_matches(|c| rule.trim.contains(c)));
        if rule.lookup.is_some() && changed.is_empty() {
            return (Cell::Null, None);
        }
        if changed != *text {
            value = Value::String(changed);
        }
        if let Some(only) = &rule.only
            && !cell::text(&value).eq_ignore_ascii_case(only)
        {
            return (Cell::Null, None);
        }
    }
    match cell::scalar(ty, &value) {
        (Cell::Bool(b), doubt) if rule.not => (Cell::Bool(!b), doubt),
        done => done,
    }
}

/// The recipients in a text such as `"Name" [SMTP:x@ext.example], "Other" [EX:/o=…]`: the address where one stands in
/// brackets, else the text itself. Names may hold commas and brackets of their own.
fn addresses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let inner = &rest[open + 1..];
        let Some(close) = inner.find(']') else { break };
        let (kind, address) = inner[..close].split_once(':').unwrap_or(("", &inner[..close]));
        if kind.eq_ignore_ascii_case("smtp") || kind.eq_ignore_ascii_case("ex") {
            found.push(address.trim().to_owned());
        }
        rest = &inner[close + 1..];
    }
    if found.is_empty() {
        found.extend(
            text.split(';')
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(|t| t.strip_prefix("smtp:").or_else(|| t.strip_prefix("SMTP:")).unwrap_or(t).trim_matches('"').to_owned()),
        );
    }
    found
}

fn rename(rule: &Rule, text: &str) -> String {
    let mut text = text;
    for start in &rule.strip {
        if text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)) {
            text = &text[start.len()..];
        }
    }
    if let Some(named) = rule.map.get(&text.to_lowercase()) {
        return format!("{}{named}", rule.before);
    }
    match rule.lookup {
        None => format!("{}{text}", rule.before),
        // what is no id is a name already; an unknown id has no name, and an unknown name no id
        Some(which) => match dictionary(which).get(&text.to_lowercase()) {
            Some(known) => known.clone(),
            None if which == Lookup::RoleName && !is_guid(text) => text.to_owned(),
            None => String::new(),
        },
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

fn members(rule: &Rule, frames: &[Frame<'_>]) -> Cell {
    let Some(Value::Object(object)) = frames.last().map(|f| f.value) else { return Cell::Null };
    let wanted = |key: &str| {
        let key = normal(key);
        rule.keys.contains(&key) || rule.prefix.as_ref().is_some_and(|p| key.starts_with(p.as_str()))
    };
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(|i| !i.is_null()),
        Value::Object(parts) => !parts.is_empty(),
        _ => true,
    };
    if !object.keys().any(|key| wanted(key)) {
        return Cell::Null;
    }
    let kept: Map<String, Value> =
        object.iter().filter(|(key, value)| wanted(key) && says(value)).map(|(k, v)| (k.clone(), v.clone())).collect();
    Cell::Text(Value::Object(kept).to_string())
}

/// A dictionary of `evidence/reference`, by lower-case text.
fn dictionary(which: Lookup) -> &'static HashMap<String, String> {
    static ALL: OnceLock<[HashMap<String, String>; 3]> = OnceLock::new();
    let [template, name, permission] = ALL.get_or_init(|| {
        [
            pairs("role.csv", "name", "template_id"),
            pairs("role.csv", "template_id", "name"),
            pairs("permission.csv", "permission_id", "permission"),
        ]
    });
    match which {
        Lookup::RoleTemplate => template,
        Lookup::RoleName => name,
        Lookup::Permission => permission,
    }
}

fn pairs(file: &str, from: &str, to: &str) -> HashMap<String, String> {
    let text = REFERENCE.iter().find(|(path, _)| *path == file).map_or("", |(_, text)| *text);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    // a header may carry its type: `tier:i32`
    let header: Vec<String> =
        reader.headers().map(|h| h.iter().map(|n| n.split(':').next().unwrap_or(n).to_owned()).collect()).unwrap_or_default();
    let column = |name: &str| header.iter().position(|h| h == name);
    let (Some(from), Some(to)) = (column(from), column(to)) else { return HashMap::new() };
    let rows = reader.records().filter_map(Result::ok);
    rows.filter_map(|r| Some((r.get(from)?.to_lowercase(), r.get(to)?.to_owned()))).collect()
}
