//! What `evidence/sources/<source>/source.toml` says: how a state export is recognised, and which column of which table
//! each of its values fills. Everything that is particular to one export is said there, nothing here.
use std::{collections::BTreeMap, sync::OnceLock};

use reflexe_model::{Scope, Text};
use serde::Deserialize;

use super::path::{Path, normal};
use crate::{
    embedded::SOURCES,
    spec::{self, ColumnType, Table},
};

/// How the records of a source are found in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// A list of records: JSON array, Graph pages, JSON lines, concatenated or bare objects, or the rows of a CSV.
    Records,
    /// One JSON document whose keys hold different kinds of thing.
    Document,
}

/// A recognised export variant.
#[derive(Debug)]
pub struct Source {
    /// Id, e.g. `entra.users.graph_json`.
    pub id: String,
    /// Id when the records come as CSV; none if they never do.
    pub csv: Option<String>,
    /// What it is.
    pub title: Text,
    /// What a file of it claims to hold.
    pub scope: Scope,
    /// Container.
    pub container: Container,
    /// Keys that tell it, in [`normal`] form.
    pub signature: Signature,
    /// What the `@odata.context` of an empty page ends in, lower case: proof that there was nothing.
    pub context: Vec<String>,
    /// Where the parts of a document stand: a path from its root, empty for the root.
    pub base: String,
    /// Where the tenant's id stands; the first that says something.
    pub tenant: Vec<String>,
    /// Where the time of the export stands.
    pub collected: Vec<String>,
    /// Keys knowingly not read.
    pub ignore: Vec<String>,
    /// Tables it fills.
    pub tables: Vec<Mapping>,
    /// Coverage that a document itself proves, command by command.
    pub commands: Vec<Command>,
    /// Coverage of the tables of a list of records.
    pub coverage: Vec<Covers>,
}

/// Keys of a record, or of the document, that tell a source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signature {
    /// All of them.
    pub all: Vec<String>,
    /// At least one of them (if any is named).
    pub any: Vec<String>,
    /// None of them.
    pub none: Vec<String>,
}

/// How one table is filled.
#[derive(Debug)]
pub struct Mapping {
    /// Table.
    pub table: &'static Table,
    /// Where its records stand in a document, e.g. `privileged_users{}` (map), `remote_domains[]` (list), `/Results{}[].Controls[]`.
    pub part: Option<String>,
    /// Elements to open, one inside the other; a row for each of the innermost.
    pub each: Vec<Each>,
    /// All must hold, or the element gives no row of this table.
    pub when: Vec<Test>,
    /// None may hold.
    pub unless: Vec<Test>,
    /// Columns without which a row says nothing: it is then rejected.
    pub require: Vec<usize>,
    /// Columns that alone tell a copy from another row; empty = all.
    pub unique: Vec<usize>,
    /// Another part to look the element up in.
    pub join: Option<Join>,
    /// Columns.
    pub columns: Vec<(usize, ColumnType, Rule)>,
}

/// A level of elements to open.
#[derive(Debug)]
pub struct Each {
    /// Where.
    pub path: Path,
    /// Its entries, each with its key, rather than its elements.
    pub map: bool,
    /// A text is cut at these characters.
    pub split: String,
}

/// A condition on an element.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    path: String,
    /// Holds if a value is there and is one of these, compared without case.
    #[serde(default)]
    equals: Vec<String>,
    /// Holds if the text ends so, compared without case.
    #[serde(default)]
    ends: Option<String>,
    /// Holds if the key exists.
    #[serde(default)]
    present: bool,
}

/// A look-up in another part of the document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The other part.
    pub part: String,
    /// Elements to open in it.
    #[serde(default)]
    pub each: Vec<String>,
    /// Pairs of paths whose texts must be equal, without case: of the element, of the other.
    pub on: Vec<(String, String)>,
    /// Code of the issue that names the others that nobody matched, with the path of what names them.
    #[serde(default)]
    pub unmatched: Option<(String, String)>,
}

/// How one column is filled.
#[derive(Debug, Default)]
pub struct Rule {
    /// Where the value stands; the first place that holds one wins.
    pub paths: Vec<Path>,
    /// A fixed value.
    pub fixed: Option<serde_json::Value>,
    /// Joins the texts of all paths with `|` before `map`.
    pub combine: bool,
    /// Renames texts, compared without case; what is not named stays as it is.
    pub map: BTreeMap<String, String>,
    /// A text is cut into several at these characters (list columns).
    pub split: String,
    /// Beginnings to cut off, compared without case.
    pub strip: Vec<String>,
    /// Characters to trim from both ends.
    pub trim: String,
    /// Value where the key exists and holds null.
    pub null: Option<serde_json::Value>,
    /// The same, where the key is written as Graph's REST interface writes it.
    pub null_rest: Option<serde_json::Value>,
    /// Looks the text up in a dictionary of the product.
    pub lookup: Option<Lookup>,
    /// Only this text (or `true`/`false`) is believed; any other is unknown.
    pub only: Option<String>,
    /// Turns a boolean round.
    pub not: bool,
    /// Whether the text is one of these, compared without case (boolean columns).
    pub equals: Vec<String>,
    /// A text that stands for nothing.
    pub unless_text: Option<String>,
    /// Put before the text.
    pub before: String,
    /// Of a list of objects: the second member of the one whose first is true.
    pub pick: Vec<String>,
    /// Gathers the values of all paths, not of the first that holds one.
    pub together: bool,
    /// Takes the address out of `"Name" [SMTP:x@ext.example]`.
    pub recipient: bool,
    /// Value wherever there is one, whatever it is.
    pub some: Option<serde_json::Value>,
    /// JSON of the members with these names that hold something.
    pub keys: Vec<String>,
    /// JSON of the members whose name begins so and that hold something.
    pub prefix: Option<String>,
}

/// A dictionary that the product carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    /// Name of a directory role → template id.
    RoleTemplate,
    /// Template id → name; what is no id is a name already.
    RoleName,
    /// Id of an application permission → its name.
    Permission,
}

/// A coverage row that a document proves by the commands it lists.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Command, any of these names.
    pub names: Vec<String>,
    /// Keys that must then exist.
    pub parts: Vec<String>,
    /// Table.
    pub table: String,
    /// Operations, `*` unless named.
    #[serde(default = "every")]
    pub operations: Vec<String>,
    /// Subject, `*` unless named.
    #[serde(default = "star")]
    pub subject: String,
    /// Reason when collected; with it the row is incomplete even so.
    #[serde(default)]
    pub only: Option<String>,
}

/// A coverage row of a list of records.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covers {
    /// Table.
    pub table: String,
    /// Operation.
    #[serde(default = "star")]
    pub operation: String,
    /// Why even a whole list does not prove that nothing is missing; the row then stays unknown.
    #[serde(default)]
    pub doubt: Option<String>,
    /// Reason for which the file is whole however it is wrapped: there is only one such object.
    #[serde(default)]
    pub always: Option<String>,
    /// Only where a record has this key: what was not asked for is not covered.
    #[serde(default)]
    pub needs: Option<String>,
    /// The doubt holds only where the list under that key is exactly so long: then it may go on.
    #[serde(default)]
    pub cut_at: Option<usize>,
}

fn star() -> String {
    "*".to_owned()
}

fn every() -> Vec<String> {
    vec![star()]
}

// ---- the file as it is written

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    csv: Option<String>,
    title: Text,
    #[serde(default)]
    scope: Option<Scope>,
    container: Container,
    #[serde(default)]
    signature: Signature,
    #[serde(default)]
    context: Vec<String>,
    #[serde(default)]
    extends: Option<String>,
    #[serde(default)]
    base: String,
    #[serde(default)]
    tenant: Vec<String>,
    #[serde(default)]
    collected: Vec<String>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default, rename = "table")]
    tables: Vec<TableFile>,
    #[serde(default, rename = "command")]
    commands: Vec<Command>,
    #[serde(default)]
    coverage: Vec<Covers>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    name: String,
    /// Source whose mapping of the same table this one begins as: one object, wherever it is exported.
    like: Option<String>,
    part: Option<String>,
    #[serde(default)]
    each: Vec<String>,
    #[serde(default)]
    split: String,
    #[serde(default)]
    when: Vec<Test>,
    #[serde(default)]
    unless: Vec<Test>,
    #[serde(default)]
    require: Vec<String>,
    #[serde(default)]
    unique: Vec<String>,
    join: Option<Join>,
    #[serde(default)]
    columns: BTreeMap<String, ColumnFile>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ColumnFile {
    One(String),
    Several(Vec<String>),
    Rule(Box<RuleFile>),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RuleFile {
    path: Vec<String>,
    #[serde(rename = "const")]
    fixed: Option<serde_json::Value>,
    combine: bool,
    map: BTreeMap<String, String>,
    split: String,
    strip: Vec<String>,
    trim: String,
    null: Option<serde_json::Value>,
    null_rest: Option<serde_json::Value>,
    lookup: Option<Lookup>,
    only: Option<String>,
    not: bool,
    equals: Vec<String>,
    unless_text: Option<String>,
    before: String,
    pick: Vec<String>,
    together: bool,
    recipient: bool,
    some: Option<serde_json::Value>,
    keys: Vec<String>,
    prefix: Option<String>,
}

/// Every state source, by id.
///
/// # Panics
/// Never in a released build: the embedded files are parsed by a test.
pub fn sources() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| match parse_all(SOURCES) {
        Ok(sources) => sources,
        Err(error) => panic!("{error}"),
    })
}

fn parse_all(files: &[(&str, &str)]) -> Result<Vec<Source>, String> {
    let mut all = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with("source.toml")) {
        let file: File = toml::from_str(text).map_err(|e| format!("evidence/sources/{path}: {e}"))?;
        let parent = match &file.extends {
            None => None,
            Some(id) => Some(find_file(files, id).ok_or_else(|| format!("evidence/sources/{path}: no source {id}"))??),
        };
        let file = borrow(file, files).map_err(|e| format!("evidence/sources/{path}: {e}"))?;
        let parent = parent.map(|p| borrow(p, files)).transpose()?;
        all.push(resolve(file, parent).map_err(|e| format!("evidence/sources/{path}: {e}"))?);
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

fn find_file(files: &[(&str, &str)], id: &str) -> Option<Result<File, String>> {
    let source = files.iter().filter(|(path, _)| path.ends_with("source.toml"));
    source.map(|(path, text)| toml::from_str::<File>(text).map_err(|e| format!("{path}: {e}"))).find(|file| match file {
        Ok(file) => file.id == id,
        Err(_) => true,
    })
}

/// Fills the tables that say `like` with what the other source says.
fn borrow(mut file: File, files: &[(&str, &str)]) -> Result<File, String> {
    for table in &mut file.tables {
        let Some(id) = &table.like else { continue };
        let other = find_file(files, id).ok_or_else(|| format!("no source {id}"))??;
        let wanted = other.tables.into_iter().find(|t| t.name == table.name);
        let mut wanted = wanted.ok_or_else(|| format!("source {id} does not fill {}", table.name))?;
        wanted.columns.append(&mut table.columns);
        wanted.part = table.part.take();
        *table = wanted;
    }
    Ok(file)
}

fn resolve(file: File, parent: Option<File>) -> Result<Source, String> {
    let mut tables = file.tables;
    let (mut commands, mut coverage, mut ignore) = (file.commands, file.coverage, file.ignore);
    let (mut tenant, mut collected) = (file.tenant, file.collected);
    if let Some(parent) = parent {
        tables.extend(parent.tables);
        commands.extend(parent.commands);
        coverage.extend(parent.coverage);
        ignore.extend(parent.ignore);
        tenant.extend(parent.tenant);
        collected.extend(parent.collected);
    }
    for name in commands.iter().map(|c| &c.table).chain(coverage.iter().map(|c| &c.table)) {
        spec::table(name).ok_or_else(|| format!("coverage of {name}: no such table"))?;
    }
    let normals = |keys: Vec<String>| keys.iter().map(|k| normal(k)).collect();
    Ok(Source {
        id: file.id,
        csv: file.csv,
        title: file.title,
        scope: file.scope.unwrap_or(Scope::Unknown),
        container: file.container,
        signature: Signature {
            all: normals(file.signature.all),
            any: normals(file.signature.any),
            none: normals(file.signature.none),
        },
        context: file.context.iter().map(|c| c.to_lowercase()).collect(),
        base: file.base,
        tenant,
        collected,
        ignore: normals(ignore),
        tables: tables.into_iter().map(resolve_table).collect::<Result<_, _>>()?,
        commands,
        coverage,
    })
}

fn resolve_table(file: TableFile) -> Result<Mapping, String> {
    let name = file.name;
    let table = spec::table(&name).ok_or_else(|| format!("no table {name}"))?;
    let number = |column: &str| {
        table.columns.iter().position(|c| c.name == column).ok_or_else(|| format!("{name} has no column {column}"))
    };
    let each = file.each.iter().map(|path| Each {
        path: Path::parse(path.trim_end_matches("{}")),
        map: path.ends_with("{}"),
        split: file.split.clone(),
    });
    let mut columns = Vec::new();
    for (column, rule) in file.columns {
        let at = number(&column)?;
        columns.push((at, table.columns[at].ty, resolve_rule(rule)));
    }
    columns.sort_by_key(|c| c.0);
    Ok(Mapping {
        table,
        part: file.part,
        each: each.collect(),
        when: file.when,
        unless: file.unless,
        require: file.require.iter().map(|c| number(c)).collect::<Result<_, _>>()?,
        unique: file.unique.iter().map(|c| number(c)).collect::<Result<_, _>>()?,
        join: file.join,
        columns,
    })
}

fn resolve_rule(file: ColumnFile) -> Rule {
    let paths = |texts: &[String]| texts.iter().map(|t| Path::parse(t)).collect();
    match file {
        ColumnFile::One(path) => Rule { paths: vec![Path::parse(&path)], ..Rule::default() },
        ColumnFile::Several(all) => Rule { paths: paths(&all), ..Rule::default() },
        ColumnFile::Rule(r) => Rule {
            paths: paths(&r.path),
            fixed: r.fixed,
            combine: r.combine,
            map: r.map.into_iter().map(|(k, v)| (k.to_lowercase(), v)).collect(),
            split: r.split,
            strip: r.strip,
            trim: r.trim,
            null: r.null,
            null_rest: r.null_rest,
            lookup: r.lookup,
            only: r.only,
            not: r.not,
            equals: r.equals,
            unless_text: r.unless_text,
            before: r.before,
            pick: r.pick.iter().map(|k| normal(k)).collect(),
            together: r.together,
            recipient: r.recipient,
            some: r.some,
            keys: r.keys.iter().map(|k| normal(k)).collect(),
            prefix: r.prefix.as_deref().map(normal),
        },
    }
}

impl Test {
    /// Whether it holds for the innermost of the frames.
    pub fn holds(&self, frames: &[super::path::Frame<'_>]) -> bool {
        let found = Path::parse(&self.path).find(frames, None);
        if self.present && !found.present {
            return false;
        }
        let texts: Vec<String> = found.values.iter().map(|v| super::cell::text(v).to_lowercase()).collect();
        let among = self.equals.is_empty() || texts.iter().any(|t| self.equals.iter().any(|e| e.to_lowercase() == *t));
        let ending = self.ends.as_ref().is_none_or(|e| texts.iter().any(|t| t.ends_with(&e.to_lowercase())));
        among && ending
    }

    /// The key of the record that it reads.
    pub(super) fn path(&self) -> Path {
        Path::parse(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_source_is_well_formed() {
        let mut ids = BTreeSet::new();
        for source in sources() {
            assert!(ids.insert(&source.id), "{} twice", source.id);
            assert!(!source.title.fr.is_empty() && !source.title.en.is_empty(), "{}: title", source.id);
            assert!(!source.signature.all.is_empty(), "{}: signature", source.id);
            assert!(!source.tables.is_empty(), "{}: fills nothing", source.id);
            for mapping in &source.tables {
                assert_eq!(mapping.part.is_some(), source.container == Container::Document, "{}: part", source.id);
            }
        }
        assert!(!ids.is_empty());
    }
}
