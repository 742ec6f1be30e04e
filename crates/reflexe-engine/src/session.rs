//! A session: the tables of one tenant's evidence, ready for SQL, in bounded memory with spilling to disk.
//!
//! Schemas: the evidence tables stand in the default schema, `ref.*` is shipped knowledge, `input.*` what people gave,
//! `signal.*` the views that checks share. `stored.*` are the Parquet files as written; the default schema narrows them
//! to one tenant, leaves out superseded copies, and shows each row's `locator`
//! and the `place` of its record, by which the parts of a record are joined to it.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use arrow::{
    array::Int64Array,
    compute::cast,
    datatypes::{DataType, Field, Schema, SchemaRef},
    record_batch::RecordBatch,
};
use datafusion::{
    catalog::MemorySchemaProvider,
    datasource::{
        MemTable,
        file_format::parquet::ParquetFormat,
        listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl},
    },
    execution::{memory_pool::GreedyMemoryPool, runtime_env::RuntimeEnvBuilder},
    prelude::{JoinType, SessionConfig, SessionContext},
};
use futures::TryStreamExt;
use jiff::Timestamp;
use reflexe_evidence::spec::{self, ColumnType, Table, TableKind};
use reflexe_fiche::{Signal, coverage::Coverage, value::Value};
use reflexe_model::RowId;

use crate::{
    EngineError, functions,
    functions::OwnDomain,
    grid::{self, TextRow},
    memory, parts, reference, rows,
};

/// Where the rows of a table come from.
pub enum Rows {
    /// Parquet files.
    Files(Vec<PathBuf>),
    /// Rows in memory.
    Batches(Vec<RecordBatch>),
}

/// What people gave: lists that sharpen verdicts. Column → cell, as text.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// `input.vip(principal)`.
    pub vip: Vec<TextRow>,
    /// `input.egress(ip)`: the organisation's own exits.
    pub egress: Vec<TextRow>,
    /// `input.legit(object, claim, who)`.
    pub legit: Vec<TextRow>,
    /// `input.answer(question, value, who)`.
    pub answer: Vec<TextRow>,
}

/// How to open a session.
pub struct Options {
    /// Threads; also the number of partitions.
    pub threads: usize,
    /// Memory that queries may hold before they spill, in bytes.
    pub memory: usize,
    /// Rows per batch.
    pub batch: usize,
    /// The tenant to look at: its id, and the evidence files whose rows without a tenant are its own. `None`: everything.
    pub tenant: Option<TenantFilter>,
    /// Rows that a richer copy replaces.
    pub superseded: Vec<i64>,
    /// What people gave.
    pub inputs: Inputs,
    /// Reference tables given instead of the shipped ones (cases of checks).
    pub references: BTreeMap<String, Vec<TextRow>>,
    /// Whether a claim to hold everything of a table that is empty is doubted, where there is always something.
    pub doubt_zero: bool,
    /// Open only these tables beside those that the engine itself reads; all when `None`.
    pub only: Option<BTreeSet<String>>,
    /// Files were given that could not be read: they may hold rows of any table, so that none is proven to be complete.
    pub unread: bool,
}

/// Tables that the engine itself reads: coverage, the tenant's own domains, who is privileged.
const OWN_USE: [&str; 8] =
    ["coverage", "accepted_domain", "domain", "mailbox", "entra_user", "ual_event", "role_assignment", "group_member"];

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            memory: memory::share_of_free(),
            batch: 8192,
            tenant: None,
            superseded: Vec::new(),
            inputs: Inputs::default(),
            references: BTreeMap::new(),
            doubt_zero: true,
            only: None,
            unread: false,
        }
    }
}

/// One tenant's part of a case.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// Directory id; `None` when no row says one.
    pub id: Option<String>,
    /// Evidence ids whose rows without a tenant id belong to it.
    pub evidence: BTreeSet<String>,
}

/// Tables of one tenant, ready for SQL.
pub struct Session {
    pub(crate) ctx: SessionContext,
    pub(crate) runtime: Arc<tokio::runtime::Runtime>,
    pub(crate) threads: usize,
    /// See [`Options::unread`].
    pub(crate) unread: bool,
    pub(crate) doubt_zero: bool,
    /// Many small files of a table, joined; goes with the session.
    folder: Arc<tempfile::TempDir>,
    /// Domains of the tenant and where they are known from.
    pub own_domains: Vec<OwnDomain>,
}

impl Session {
    /// Opens a session over tables. A table that is not given is empty.
    ///
    /// # Errors
    /// When a Parquet file cannot be read or a query of the set-up fails.
    pub fn open(mut tables: BTreeMap<String, Rows>, options: &Options) -> Result<Self, EngineError> {
        let runtime = Arc::new(
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(options.threads.max(1))
                .enable_all()
                .build()
                .map_err(|e| EngineError::Start(e.to_string()))?,
        );
        let mut config = SessionConfig::new()
            .with_target_partitions(options.threads.max(1))
            .with_batch_size(options.batch)
            .with_information_schema(true);
        // Such a filter waits for every partition of its join, also for one that nobody will ask because the join above it has
        // nothing to look for there: the query then never ends (docs/adr/0007).
        config.options_mut().optimizer.enable_join_dynamic_filter_pushdown = false;
        // One pool for whoever comes first: a share for each of twenty waiting sorts was too small for one batch of a wide window.
        let env = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(GreedyMemoryPool::new(options.memory))).build_arc()?;
        let ctx = SessionContext::new_with_config_rt(config, env);
        let catalog = ctx.catalog("datafusion").ok_or_else(|| EngineError::Start("no default catalogue".into()))?;
        for schema in ["stored", "ref", "input", "signal"] {
            catalog.register_schema(schema, Arc::new(MemorySchemaProvider::new()))?;
        }
        let folder = Arc::new(tempfile::tempdir().map_err(|e| EngineError::Start(format!("no temporary folder: {e}")))?);
        let mut session = Self {
            ctx,
            runtime,
            threads: options.threads,
            unread: options.unread,
            doubt_zero: options.doubt_zero,
            folder,
            own_domains: Vec::new(),
        };
        session.register_small(options)?;
        functions::register_locator(&session.ctx);
        let wanted = |name: &str| options.only.as_ref().is_none_or(|only| only.contains(name) || OWN_USE.contains(&name));
        let mut opened = Vec::new();
        for table in spec::tables().iter().filter(|t| wanted(&t.name)) {
            let rows = tables.remove(&table.name).unwrap_or(Rows::Batches(Vec::new()));
            let empty = match &rows {
                Rows::Files(files) => files.is_empty(),
                Rows::Batches(batches) => batches.iter().all(|b| b.num_rows() == 0),
            };
            let rows = match rows {
                Rows::Files(files) => Rows::Files(parts::joined(table, files, session.folder.path())?),
                batches => batches,
            };
            register(&session.ctx, table, rows)?;
            opened.push((table, empty));
        }
        let gone = session.places(&options.superseded)?;
        for (table, empty) in opened {
            session.narrow(table, options, gone, empty)?;
        }
        session.own_domains = session.find_own_domains()?;
        functions::register(&session.ctx, session.own_domains.clone());
        Ok(session)
    }

    /// Runs one statement and collects its batches.
    ///
    /// # Errors
    /// When the statement is wrong or fails.
    pub fn sql(&self, sql: &str) -> Result<Vec<RecordBatch>, EngineError> {
        self.runtime.block_on(async { Ok(self.ctx.sql(sql).await?.collect().await?) })
    }

    /// The same tables for queries that did not fit, the ways to try in order; to be used while nothing else runs.
    pub(crate) fn thrifty(&self) -> impl Iterator<Item = Self> {
        [false, true].into_iter().map(|spilling_joins| Self {
            ctx: memory::thrifty(&self.ctx, spilling_joins),
            runtime: self.runtime.clone(),
            threads: self.threads,
            unread: self.unread,
            doubt_zero: self.doubt_zero,
            folder: self.folder.clone(),
            own_domains: self.own_domains.clone(),
        })
    }

    /// Runs one statement and hands its batches over as they come: for answers too long to hold at once.
    ///
    /// # Errors
    /// When the statement is wrong or fails, or `take` does.
    pub fn each(&self, sql: &str, mut take: impl FnMut(&RecordBatch) -> Result<(), EngineError>) -> Result<(), EngineError> {
        self.runtime.block_on(async {
            let mut batches = self.ctx.sql(sql).await?.execute_stream().await?;
            while let Some(batch) = batches.try_next().await? {
                take(&batch)?;
            }
            Ok(())
        })
    }

    fn register_small(&self, options: &Options) -> Result<(), EngineError> {
        for (number, name) in reference::names().into_iter().enumerate() {
            let Some(mut columns) = reference::columns(name) else { continue };
            columns.insert(0, ("row_id".into(), ColumnType::I64));
            let rows = options.references.get(name).cloned().unwrap_or_else(|| reference::rows(name));
            self.register_rows(&format!("ref.{name}"), &columns, &rows, rows::REFERENCE_TABLE_BASE + number)?;
        }
        let i = &options.inputs;
        for (name, columns, rows) in [
            ("vip", vec!["principal"], &i.vip),
            ("egress", vec!["ip"], &i.egress),
            ("legit", vec!["object", "claim", "who"], &i.legit),
            ("answer", vec!["question", "value", "who"], &i.answer),
        ] {
            let mut columns: Vec<(String, ColumnType)> = columns.into_iter().map(|c| (c.to_owned(), ColumnType::Text)).collect();
            columns.insert(0, ("row_id".into(), ColumnType::I64));
            self.register_rows(&format!("input.{name}"), &columns, rows, rows::INPUT_TABLE)?;
        }
        Ok(())
    }

    fn register_rows(
        &self,
        name: &str,
        columns: &[(String, ColumnType)],
        rows: &[TextRow],
        number: usize,
    ) -> Result<(), EngineError> {
        let number = u8::try_from(number).unwrap_or(127);
        let ids: Vec<i64> = (0..rows.len() as u64).map(|r| RowId::new(number, 0, r + 1).0).collect();
        let batch = grid::batch(name, columns, rows, &ids)?;
        self.ctx.register_table(name, Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))?;
        Ok(())
    }

    /// Places of superseded records in the evidence, as `stored.superseded_place`: every row made of them goes, in whatever
    /// table (parts and derived rows too). Says whether there are any.
    fn places(&self, superseded: &[i64]) -> Result<bool, EngineError> {
        let mut by_table: BTreeMap<u8, Vec<i64>> = BTreeMap::new();
        for id in superseded {
            by_table.entry(RowId(*id).table()).or_default().push(*id);
        }
        let mut places: Option<(SchemaRef, Vec<RecordBatch>)> = None;
        for (number, ids) in by_table {
            let Some(table) = spec::table_by_number(number) else { continue };
            let column = Field::new("superseded_id", DataType::Int64, false);
            let ids = RecordBatch::try_new(Arc::new(Schema::new(vec![column])), vec![Arc::new(Int64Array::from(ids))])?;
            let ids = self.ctx.read_batch(ids)?;
            let found = self.runtime.block_on(async {
                let rows = self.ctx.table(format!("stored.{}", table.name)).await?.select_columns(&[
                    "row_id",
                    "evidence_id",
                    "src_offset",
                ])?;
                let found = rows.join(ids, JoinType::LeftSemi, &["row_id"], &["superseded_id"], None)?;
                found.select_columns(&["evidence_id", "src_offset"])?.collect().await
            })?;
            if let Some(first) = found.first() {
                places.get_or_insert_with(|| (first.schema(), Vec::new())).1.extend(found);
            }
        }
        let Some((schema, batches)) = places else { return Ok(false) };
        self.ctx.register_table("stored.superseded_place", Arc::new(MemTable::try_new(schema, vec![batches])?))?;
        Ok(true)
    }

    /// The view of a table: one tenant, no superseded copy, no derived row that a direct record also shows.
    fn narrow(&self, table: &Table, options: &Options, gone: bool, empty: bool) -> Result<(), EngineError> {
        let name = &table.name;
        let mut conditions = Vec::new();
        if let Some(tenant) = &options.tenant {
            let evidence: Vec<String> = tenant.evidence.iter().map(|e| quote(e)).collect();
            let unowned = if evidence.is_empty() {
                "false".to_owned()
            } else {
                format!("(tenant_id is null and evidence_id in ({}))", evidence.join(", "))
            };
            conditions.push(match &tenant.id {
                Some(id) => format!("(tenant_id = {} or {unowned})", quote(id)),
                None => unowned,
            });
        }
        if gone && table.kind != TableKind::System {
            conditions.push(
                "not exists (select 1 from stored.superseded_place g where g.evidence_id = s.evidence_id and g.src_offset = s.src_offset)".into(),
            );
        }
        match name.as_str() {
            "signin" if !empty && self.both_kinds(name)? => {
                let twin = "coalesce(intra_system_id, id, '') in \
                            (select id from stored.signin where not coalesce(derived, false) and id is not null)";
                // Where ids were redacted or lost, the same account, address, answer and minute are the same sign-in.
                let alike = "concat_ws('/', lower(user_principal_name), ip, cast(error_code as varchar), \
                             cast(date_trunc('minute', created_date_time) as varchar))";
                let by_place = if self.any("stored.signin where id is null")? {
                    format!(
                        " or {alike} in (select {alike} from stored.signin where not coalesce(derived, false)) and (id is null \
                          or {alike} in (select {alike} from stored.signin where not coalesce(derived, false) and id is null))"
                    )
                } else {
                    String::new()
                };
                conditions.push(format!("not (coalesce(derived, false) and ({twin}{by_place}))"));
            }
            "directory_audit" if !empty && self.both_kinds(name)? => conditions.push(
                "not (coalesce(derived, false) and concat(coalesce(correlation_id, ''), '/', activity_key) in \
                 (select concat(correlation_id, '/', activity_key) from stored.directory_audit \
                  where not coalesce(derived, false) and correlation_id is not null))"
                    .into(),
            ),
            _ => {}
        }
        let filter = if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) };
        // Where a record stands in the evidence, as one number: its parts and the rows derived from it stand there too. They are
        // joined by it, never by the record's own id, which exports lose, repeat or redact.
        let place = match table.kind {
            TableKind::Event | TableKind::Child => format!(
                ", ((row_id >> {}) & {}) * {} + src_offset as place",
                RowId::ROW_BITS,
                (1_u32 << RowId::FILE_BITS) - 1,
                1_u64 << (63 - RowId::FILE_BITS)
            ),
            TableKind::State | TableKind::System => String::new(),
        };
        let locator = "locator(evidence_id, src_member, src_offset, src_length, src_line, src_pointer)";
        self.sql(&format!("create view {name} as select *, {locator} as locator{place} from stored.{name} s{filter}"))?;
        Ok(())
    }

    /// Whether there is a row.
    fn any(&self, from: &str) -> Result<bool, EngineError> {
        Ok(self.sql(&format!("select 1 from {from} limit 1"))?.iter().any(|b| b.num_rows() > 0))
    }

    fn both_kinds(&self, table: &str) -> Result<bool, EngineError> {
        let seen =
            self.strings(&format!("select distinct cast(coalesce(derived, false) as varchar) as d from stored.{table}"))?;
        Ok(seen.len() == 2)
    }

    /// The first column of a query as texts, NULLs left out.
    pub fn strings(&self, sql: &str) -> Result<Vec<String>, EngineError> {
        let mut out = Vec::new();
        for row in rows::all(&self.sql(sql)?) {
            if let Some(Value::Text(text)) = row.into_iter().next().and_then(|(_, v)| v.into_iter().next()) {
                out.push(text);
            }
        }
        Ok(out)
    }

    /// The tenant's own domains: the accepted ones where their list was exported whole; else these with what shows itself to
    /// be the tenant's: verified domains, mailboxes, members, the organisation that the log names, and those who acted in it
    /// with success as ordinary users or administrators. Sub-domains count. Never learnt from a guest, a partner, a failed
    /// attempt or a destination, and never a free mail service: an attacker's domain must not become ours.
    fn find_own_domains(&self) -> Result<Vec<OwnDomain>, EngineError> {
        let mut out = BTreeSet::new();
        let batches = self.sql(
            "select lower(domain_name) as name, coalesce(match_sub_domains, false) as sub from accepted_domain where domain_name is not null",
        )?;
        for row in rows::all(&batches) {
            let text = |c: &str| row.get(c).and_then(|v| v.first()).cloned();
            if let Some(Value::Text(name)) = text("name") {
                let sub_domains = matches!(text("sub"), Some(Value::Bool(true)));
                out.insert(OwnDomain { name: name.trim_start_matches("*.").to_owned(), sub_domains });
            }
        }
        let listed = !out.is_empty() && Coverage { rows: self.claims()?, gaps: Vec::new() }.whole("accepted_domain");
        if !listed {
            let names = self.strings(
                "with seen as (
                   select mailbox_owner_upn as owner, organization_name as organization,
                          case when user_type in (0, 2) and success and not coalesce(external_access, false)
                                and coalesce(actor_class, '') not in ('system', 'partner', 'guest', 'app') then actor_upn end as actor
                   from ual_event group by 1, 2, 3
                 )
                 select distinct lower(trim(d)) as d from (
                   select id as d from domain where coalesce(is_verified, true)
                   union all select split_part(primary_smtp_address, '@', 2) from mailbox
                   union all select split_part(user_principal_name, '@', 2) from entra_user
                     where user_principal_name not like '%#EXT#%' and coalesce(user_type, 'Member') <> 'Guest'
                   union all select split_part(owner, '@', 2) from seen where owner not like '%#EXT#%'
                   union all select split_part(actor, '@', 2) from seen
                   union all select organization from seen
                   -- the routing domain that comes with the initial one
                   union all select replace(organization, '.onmicrosoft.com', '.mail.onmicrosoft.com') from seen
                     where organization like '%.onmicrosoft.com' and organization not like '%.mail.onmicrosoft.com'
                 ) where d like '%.%' and lower(d) not like '%.prod.outlook.com' order by d",
            )?;
            let known: BTreeSet<String> = out.iter().map(|o| o.name.clone()).collect();
            let learnt = names.into_iter().filter(|name| !functions::is_freemail(name) && !known.contains(name));
            out.extend(learnt.map(|name| OwnDomain { name, sub_domains: true }));
        }
        Ok(out.into_iter().collect())
    }

    /// Runs a statement, more thriftily if it does not fit; its rows with the schema that its plan declares.
    fn whole(&self, sql: &str) -> Result<(SchemaRef, Vec<RecordBatch>), EngineError> {
        let run = |session: &Self| {
            session.runtime.block_on(async {
                let frame = session.ctx.sql(sql).await?;
                let schema = Arc::new(frame.schema().as_arrow().clone());
                Ok((schema, frame.collect().await?))
            })
        };
        let mut result = run(self);
        let mut ways = self.thrifty();
        while let Err(error) = &result
            && memory::is_exhausted(error)
            && let Some(session) = ways.next()
        {
            result = run(&session);
        }
        result
    }

    /// Registers signals, given in dependency order, with their parameters written in.
    ///
    /// # Errors
    /// When a signal's SQL is wrong.
    pub fn register_signals(&self, signals: &[&Signal], params: &dyn Fn(&str) -> Option<String>) -> Result<(), EngineError> {
        for signal in signals {
            let own = |name: &str| params(name).or_else(|| signal.def.params.get(name).and_then(|p| literal(&p.value)));
            let sql = bind(&signal.sql, &own)
                .map_err(|name| EngineError::Parameter { name, place: format!("signals/{}.sql", signal.name) })?;
            let fail = |source| EngineError::Signal { name: signal.name.clone(), source: Box::new(source) };
            if signal.def.cache {
                let (schema, batches) = self.whole(&sql).map_err(fail)?;
                // The optimiser may deliver another form of a type than the plan declared (text as Utf8View): bring it back.
                let batches: Vec<RecordBatch> = batches
                    .into_iter()
                    .map(|b| {
                        let columns = b.columns().iter().zip(schema.fields()).map(|(c, f)| cast(c, f.data_type()));
                        RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)
                    })
                    .collect::<Result<_, _>>()?;
                self.ctx
                    .register_table(format!("signal.{}", signal.name), Arc::new(MemTable::try_new(schema, vec![batches])?))?;
            } else {
                self.sql(&format!("create view signal.{} as {sql}", signal.name)).map_err(fail)?;
            }
        }
        Ok(())
    }
}

fn register(ctx: &SessionContext, table: &Table, rows: Rows) -> Result<(), EngineError> {
    let name = format!("stored.{}", table.name);
    match rows {
        Rows::Files(files) if !files.is_empty() => {
            let urls = files.iter().map(|f| ListingTableUrl::parse(file_url(f))).collect::<Result<Vec<_>, _>>()?;
            let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
            let config =
                ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(view_schema(table));
            ctx.register_table(name, Arc::new(ListingTable::try_new(config)?))?;
        }
        Rows::Batches(batches) if !batches.is_empty() => {
            let schema = batches[0].schema();
            ctx.register_table(name, Arc::new(MemTable::try_new(schema, batches.into_iter().map(|b| vec![b]).collect())?))?;
        }
        _ => {
            let empty = RecordBatch::new_empty(table.schema());
            ctx.register_table(name, Arc::new(MemTable::try_new(empty.schema(), vec![vec![empty]])?))?;
        }
    }
    Ok(())
}

/// The table's schema with texts as views: DataFusion compares and groups these faster than plain strings.
fn view_schema(table: &Table) -> arrow::datatypes::SchemaRef {
    let fields: Vec<Field> = table
        .schema()
        .fields()
        .iter()
        .map(|f| match f.data_type() {
            DataType::Utf8 => Field::new(f.name(), DataType::Utf8View, f.is_nullable()),
            _ => f.as_ref().clone(),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// A `file:` URL of a path, so that a name with `*` or `?` is not read as a pattern.
fn file_url(path: &std::path::Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut out = String::from("file://");
    for byte in absolute.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A text as an SQL literal.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A parameter's value as an SQL literal.
pub(crate) fn literal(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Integer(n) => Some(n.to_string()),
        toml::Value::Float(n) => Some(n.to_string()),
        toml::Value::Boolean(b) => Some(b.to_string()),
        toml::Value::String(s) => Some(quote(s)),
        _ => None,
    }
}

/// Writes parameters into a query: a view cannot hold them. A `$name` without a value is an error.
pub(crate) fn bind(sql: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let end = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len());
        let name = &tail[..end];
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            out.push('$'); // a `$` of a regular expression
            rest = tail;
            continue;
        }
        out.push_str(&value(name).ok_or_else(|| name.to_owned())?);
        rest = &tail[end..];
    }
    out.push_str(rest);
    Ok(out)
}

/// An instant as an SQL literal.
pub(crate) fn instant(t: Timestamp) -> String {
    format!("timestamp '{}+00:00'", t.strftime("%Y-%m-%dT%H:%M:%S%.6f"))
}
