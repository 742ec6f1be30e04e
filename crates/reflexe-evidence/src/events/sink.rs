//! The rows that a stretch of a file gives, before anybody decided which records are new.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_model::Scope;

use super::{
    columns,
    family::{Family, family},
    identity::Keys,
    lost::UNDATED,
    time::DateOrder,
};
use crate::{
    period::Days,
    reader::{
        Item, csv,
        keys::{Key, Object, Slots},
        value::Raw,
    },
    write::{Batch, Provenance, TableBuilder},
};

/// Tables of a sink that hold records or parts of them, in this order: `ual_event`, `ual_property`, `signin`,
/// `directory_audit`, `directory_audit_change`.
pub const TABLES: usize = 5;
pub(super) const UAL: usize = 0;
pub(super) const PROPERTY: usize = 1;
pub(super) const SIGNIN: usize = 2;
pub(super) const AUDIT: usize = 3;
pub(super) const CHANGE: usize = 4;

/// Different tenants or domains counted apart in a file; a real one has a handful.
const MANY: usize = 512;
/// Characters that a cell of Excel holds: longer texts are cut there.
const EXCEL: usize = 32_767;

/// A recognised export variant of the event families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "see `id`")]
pub enum Source {
    UalPowershellCsv,
    UalPurviewCsv,
    UalPortalCsv,
    UalSiemCsv,
    UalFlatCsv,
    UalAuditData,
    UalWrapper,
    UalGraph,
    UalOfficeActivity,
    UalCloudAppEvents,
    SigninGraph,
    SigninDiagnostics,
    SigninLogAnalytics,
    SigninPortalCsv,
    AuditGraph,
    AuditDiagnostics,
    AuditLogAnalytics,
}

impl Source {
    /// Id of the source: `source_kind` of its rows.
    pub fn id(self) -> &'static str {
        match self {
            Self::UalPowershellCsv => "ual.powershell_csv",
            Self::UalPurviewCsv => "ual.purview_csv",
            Self::UalPortalCsv => "ual.portal_csv",
            Self::UalSiemCsv => "ual.siem_csv",
            Self::UalFlatCsv => "ual.flat_csv",
            Self::UalAuditData => "ual.auditdata_json",
            Self::UalWrapper => "ual.wrapper_json",
            Self::UalGraph => "ual.graph_query",
            Self::UalOfficeActivity => "ual.office_activity",
            Self::UalCloudAppEvents => "ual.cloud_app_events",
            Self::SigninGraph => "signin.graph_json",
            Self::SigninDiagnostics => "signin.diagnostics",
            Self::SigninLogAnalytics => "signin.log_analytics",
            Self::SigninPortalCsv => "signin.portal_csv",
            Self::AuditGraph => "directory_audit.graph_json",
            Self::AuditDiagnostics => "directory_audit.diagnostics",
            Self::AuditLogAnalytics => "directory_audit.log_analytics",
        }
    }

    /// Table of its records.
    pub fn table(self) -> &'static str {
        match self {
            Self::SigninGraph | Self::SigninDiagnostics | Self::SigninLogAnalytics | Self::SigninPortalCsv => "signin",
            Self::AuditGraph | Self::AuditDiagnostics | Self::AuditLogAnalytics => "directory_audit",
            _ => "ual_event",
        }
    }
}

/// What holds for every record of a file.
#[derive(Debug, Clone)]
pub struct FileFacts {
    /// `e7`.
    pub evidence_id: String,
    /// `utf8:` when offsets refer to the text transcoded to UTF-8.
    pub member: Option<&'static str>,
    /// Flags of every row.
    pub flags: Vec<&'static str>,
    /// Order of day and month in its dates; `None` if nothing settles it.
    pub order: Option<DateOrder>,
    /// Sign-in class that only the file's name says.
    pub class_of_name: Option<&'static str>,
    /// The source of a CSV file, from its header.
    pub csv: Option<Source>,
}

/// A record that became rows.
#[derive(Debug, Clone, Copy)]
pub struct Primary {
    /// What the record is known by in its table.
    pub keys: Keys,
    /// Columns that it fills.
    pub richness: u16,
    /// Its source.
    pub source: Source,
    /// Its table, among [`TABLES`].
    pub table: u8,
    /// Its tenant, among those of the sink.
    pub tenant: u16,
    /// Rows of each table after it.
    pub ends: [u32; TABLES],
}

/// Why a record was not taken.
#[derive(Debug)]
pub struct Reject {
    /// Code of the issue.
    pub code: &'static str,
    /// What exactly, if there is more to say.
    pub detail: String,
}

impl Reject {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// What a source gave in a stretch of a file.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Records that became rows, kept or not.
    pub taken: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Days of the records.
    pub days: Days,
    /// Records that lost something, by flag and operation.
    pub lost: BTreeMap<(&'static str, String), u64>,
    /// Records that have something else in the place of an id.
    pub no_id: u64,
    /// Records that follow another of the same id: the id is no id.
    pub shared_id: u64,
    /// Records cut where Excel cuts a cell.
    pub excel: u64,
    /// Classes of records that were met, where the source has classes: an export of one says nothing of another.
    pub classes: BTreeSet<&'static str>,
}

/// What a stretch of a file gave beside rows.
#[derive(Debug)]
pub struct Counts {
    /// Counts by source.
    pub tally: BTreeMap<Source, Tally>,
    /// Records rejected that belong to no source.
    pub rejected: u64,
    /// Tenants met; the first stands for none.
    pub tenants: Vec<String>,
    /// Domains of the organisation itself.
    pub domains: BTreeSet<String>,
    /// Records by the `ResultCount` that they carry.
    pub result_counts: BTreeMap<u64, u64>,
    /// Codes of rejects, counted.
    pub codes: BTreeMap<&'static str, u64>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            tally: BTreeMap::new(),
            rejected: 0,
            tenants: vec![String::new()],
            domains: BTreeSet::new(),
            result_counts: BTreeMap::new(),
            codes: BTreeMap::new(),
        }
    }
}

/// Collects the rows of a stretch of a file.
#[derive(Debug)]
pub struct Sink {
    /// One builder per table.
    pub tables: [TableBuilder; TABLES],
    /// Rows of `ingest_issue`.
    pub issues: TableBuilder,
    /// The records, in order.
    pub records: Vec<Primary>,
    /// What was counted.
    pub counts: Counts,
    last: Keys,
    pub(super) scratch: Scratch,
}

/// Buffers used again for every record.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub inner: Option<Box<Slots>>,
    pub key: String,
}

/// Where a record stands, and what it came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub item: &'a Item,
    pub source: Source,
    pub pointer: Option<&'a str>,
    pub tenant: Option<&'a str>,
}

/// What a sink collected; see [`Sink`].
#[derive(Debug)]
pub struct Collected {
    /// Rows by table.
    pub batches: Vec<Batch>,
    /// Rows of `ingest_issue`.
    pub issues: Batch,
    /// The records, in order.
    pub records: Vec<Primary>,
    /// What was counted.
    pub counts: Counts,
}

/// Builders whose memory is used again, by table.
pub type Spare = [Option<TableBuilder>; TABLES];

impl Sink {
    /// Nothing yet; tables grow in the memory of `spare`.
    pub fn new(spare: &mut Spare) -> Self {
        let mut used = spare.iter_mut();
        let mut t = |table| used.next().and_then(Option::take).unwrap_or_else(|| TableBuilder::new(table));
        Self {
            tables: [
                t(columns::Ual::get().table),
                t(columns::Property::get().table),
                t(columns::Signin::get().table),
                t(columns::Audit::get().table),
                t(columns::Change::get().table),
            ],
            issues: t(columns::Issue::get().table),
            records: Vec::new(),
            counts: Counts::default(),
            last: Keys::default(),
            scratch: Scratch::default(),
        }
    }
}

impl Sink {
    /// Takes a record, or says why not.
    ///
    /// # Errors
    /// When the record is of no kind that is read.
    pub fn accept(&mut self, o: &Object<'_>, file: &FileFacts, item: &Item) -> Result<(), Reject> {
        let mut inner = self.scratch.inner.take().unwrap_or_default();
        let result = self.dispatch(o, file, item, &mut inner);
        self.scratch.inner = Some(inner);
        result
    }

    fn dispatch(&mut self, o: &Object<'_>, file: &FileFacts, item: &Item, inner: &mut Slots) -> Result<(), Reject> {
        match family(o) {
            Family::Ual => {
                let source = file.csv.unwrap_or(if o.slots.has(Key::TimeGenerated) {
                    Source::UalOfficeActivity
                } else {
                    Source::UalAuditData
                });
                self.ual(o, None, file, Place { item, source, pointer: None, tenant: None }, false)
            }
            Family::UalWrapped => {
                let source = file.csv.unwrap_or(if o.slots.has(Key::ActionType) {
                    Source::UalCloudAppEvents
                } else if o.slots.has(Key::RecordType) && o.slots.has(Key::CreatedDateTime) {
                    Source::UalGraph
                } else {
                    Source::UalWrapper
                });
                self.wrapped(o, o.get(Key::AuditData), file, item, source, "/AuditData", inner)
            }
            Family::SiemLine => {
                let line = o.text(Key::Raw_).unwrap_or_default();
                let mut fields = Vec::new();
                let _ = csv::split(line.as_bytes(), 0, b',', true, &mut fields);
                let json = fields.into_iter().find_map(|f| {
                    let mut cell = Vec::new();
                    csv::unquote(line.as_bytes(), f, &mut cell);
                    String::from_utf8(cell).ok().filter(|c| c.starts_with('{') && c.contains("\"Operation\""))
                });
                let Some(json) = json.or_else(|| line.trim_start().starts_with('{').then(|| line.trim().to_owned())) else {
                    return Err(Reject::new("record_unknown", "no audit record in the original line"));
                };
                self.wrapped(o, Some(Raw::json(&json)), file, item, Source::UalSiemCsv, "/_raw", inner)
            }
            Family::Signin => {
                let source = file.csv.unwrap_or(if o.slots.has(Key::TimeGenerated) {
                    Source::SigninLogAnalytics
                } else {
                    Source::SigninGraph
                });
                self.signin(o, None, file, Place { item, source, pointer: None, tenant: None })
            }
            Family::Audit => {
                let source = if o.slots.has(Key::TimeGenerated) { Source::AuditLogAnalytics } else { Source::AuditGraph };
                self.audit(o, None, file, Place { item, source, pointer: None, tenant: None })
            }
            Family::Envelope => self.envelope(o, file, item, inner),
            Family::Listing => Err(Reject::new("content_listing", "a list of contents to be fetched, not the contents")),
            Family::Error => Err(Reject::new("refusal", "an error message in place of data")),
            Family::Foreign => Err(Reject::new("record_unknown", "no known kind of record has these members")),
        }
    }

    /// A record inside `properties`, of the kind that `category` says.
    fn envelope(&mut self, o: &Object<'_>, file: &FileFacts, item: &Item, inner: &mut Slots) -> Result<(), Reject> {
        let category = o.text(Key::Category).unwrap_or_default();
        let Some(properties) = o.get(Key::Properties).and_then(Raw::nested) else {
            return Err(Reject::new("record_unknown", "properties is not an object"));
        };
        inner.scan(properties.as_bytes(), 0).map_err(|_| Reject::new("record_not_json", "properties is not a JSON object"))?;
        let record = Object { text: &properties, slots: inner, plain: false };
        let tenant = o.text(Key::TenantId);
        let place = |source| Place { item, source, pointer: Some("/properties"), tenant: tenant.as_deref() };
        match category.as_ref() {
            "AuditLogs" => self.audit(&record, Some(o), file, place(Source::AuditDiagnostics)),
            c if c.ends_with("SignInLogs") => self.signin(&record, Some(o), file, place(Source::SigninDiagnostics)),
            "AdvancedHunting-CloudAppEvents" if record.has(Key::AuditData) => {
                let raw = record.get(Key::AuditData);
                let mut slots = Slots::default();
                self.wrapped(&record, raw, file, item, Source::UalCloudAppEvents, "/properties/RawEventData", &mut slots)
            }
            c => Err(Reject::new("category_unsupported", c)),
        }
    }

    /// An audit record in a member of `outer`.
    #[allow(clippy::too_many_arguments, reason = "one private caller per kind of wrapper")]
    fn wrapped(
        &mut self,
        outer: &Object<'_>,
        raw: Option<Raw<'_>>,
        file: &FileFacts,
        item: &Item,
        source: Source,
        pointer: &str,
        inner: &mut Slots,
    ) -> Result<(), Reject> {
        let text = raw.and_then(Raw::nested).unwrap_or_default();
        // a cut record keeps the members before the cut
        let damaged = inner.scan(text.as_bytes(), 0).is_err();
        if damaged && text.len() >= EXCEL && text.encode_utf16().count() == EXCEL {
            self.counts.tally.entry(source).or_default().excel += 1;
        }
        let record = Object { text: &text, slots: inner, plain: false };
        if !record.slots.has(Key::Operation) && !outer.slots.has(Key::Operations) && !outer.slots.has(Key::Operation) {
            return Err(Reject::new("record_unknown", "no operation"));
        }
        self.ual(&record, Some(outer), file, Place { item, source, pointer: Some(pointer), tenant: None }, damaged)
    }

    /// Notes a record that cannot be read.
    pub fn reject(&mut self, file: &FileFacts, item: &Item, source: Option<Source>, code: &'static str, detail: &str) {
        match source {
            Some(source) => self.counts.tally.entry(source).or_default().rejected += 1,
            None => self.counts.rejected += 1,
        }
        *self.counts.codes.entry(code).or_default() += 1;
        self.issue(file, item, source, "error", code, detail);
    }

    fn issue(&mut self, file: &FileFacts, item: &Item, source: Option<Source>, severity: &str, code: &str, detail: &str) {
        let c = columns::Issue::get();
        self.issues.row(&Provenance {
            evidence_id: &file.evidence_id,
            source_kind: source.map_or("", Source::id),
            offset: item.offset,
            length: item.length,
            line: item.line + 1,
            member: file.member,
            flags: &file.flags,
            ..Provenance::default()
        });
        self.issues.text(c.severity, severity);
        self.issues.text(c.code, code);
        if !detail.is_empty() {
            self.issues.text(c.message, detail);
        }
    }

    /// Notes a record that is kept and lost something.
    pub(super) fn lost(&mut self, flag: &'static str, operation: &str, date: &str, file: &FileFacts, place: Place<'_>) {
        let lost = &mut self.counts.tally.entry(place.source).or_default().lost;
        let name: String = operation.chars().take(120).collect();
        if lost.len() < MANY || lost.contains_key(&(flag, name.clone())) {
            *lost.entry((flag, name)).or_default() += 1;
        }
        if flag == UNDATED {
            let date: String = date.chars().take(120).collect();
            self.issue(file, place.item, Some(place.source), "warning", UNDATED, &date);
        }
    }

    /// Begins a row of a table.
    pub(super) fn row(&mut self, table: usize, file: &FileFacts, place: Place<'_>, flags: &[&str]) -> &mut TableBuilder {
        self.tables[table].row(&Provenance {
            evidence_id: &file.evidence_id,
            source_kind: place.source.id(),
            scope: Scope::Unknown,
            tenant_id: place.tenant,
            collected_at: None,
            flags,
            offset: place.item.offset,
            length: place.item.length,
            line: place.item.line + 1,
            member: file.member,
            pointer: place.pointer,
        });
        &mut self.tables[table]
    }

    /// Closes a record: all its rows are written.
    pub(super) fn record(&mut self, table: usize, keys: Keys, richness: u16, place: Place<'_>, time: Option<i64>) {
        let tally = self.counts.tally.entry(place.source).or_default();
        tally.taken += 1;
        if let Some(t) = time {
            tally.days.add(t);
        }
        if keys.id != 0 && keys.id == self.last.id && keys.record != self.last.record {
            tally.shared_id += 1;
        }
        self.last = keys;
        let tenant = self.tenant(place.tenant.unwrap_or_default());
        let ends = std::array::from_fn(|i| self.tables[i].rows() as u32);
        self.records.push(Primary { keys, richness, source: place.source, table: table as u8, tenant, ends });
    }

    fn tenant(&mut self, id: &str) -> u16 {
        if let Some(last) = self.records.last().map(|r| r.tenant)
            && self.counts.tenants[usize::from(last)] == id
        {
            return last;
        }
        match self.counts.tenants.iter().position(|t| t == id) {
            Some(i) => i as u16,
            None if self.counts.tenants.len() < MANY => {
                self.counts.tenants.push(id.to_owned());
                (self.counts.tenants.len() - 1) as u16
            }
            None => 0,
        }
    }

    pub(super) fn domain(&mut self, domain: &str) {
        if domain.contains('.') && self.counts.domains.len() < MANY && !self.counts.domains.contains(domain) {
            self.counts.domains.insert(domain.to_lowercase());
        }
    }

    /// The rows, and what was counted.
    pub fn finish(self) -> Collected {
        Collected {
            batches: self.tables.into_iter().map(TableBuilder::finish).collect(),
            issues: self.issues.finish(),
            records: self.records,
            counts: self.counts,
        }
    }
}
