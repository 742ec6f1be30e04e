//! What the case holds, read from its manifest.
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use reflexe_evidence::hash;
use reflexe_model::{EvidenceInfo, RowCount, RowId, Text, Unrecognised};
use rusqlite::{OptionalExtension as _, Row};
use serde::de::DeserializeOwned;

use crate::{
    error::Error,
    folder::Case,
    tenants::{CaseTenant, Provenance, Tenants},
    unread,
};

/// An imported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFile {
    /// Number; `7` makes the evidence id `e7`.
    pub number: u32,
    /// BLAKE3 of the bytes, lower-case hexadecimal; `None` if an earlier version of the format imported the file.
    pub blake3: Option<String>,
    /// SHA-256 of the bytes, lower-case hexadecimal; `None` until it is computed ([`crate::seal`]).
    pub sha256: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// Path as given.
    pub path: String,
    /// Absolute path at the time of the import.
    pub origin: PathBuf,
    /// Whether the original stayed where it was.
    pub in_place: bool,
    /// Domains that the file shows to be the tenant's own.
    pub domains: Vec<String>,
    /// Who declared the export unfiltered, if somebody did.
    pub declared_unfiltered_by: Option<String>,
}

impl EvidenceFile {
    /// The digest that it is known and stored under.
    pub(crate) fn digest(&self) -> &str {
        self.blake3.as_deref().or(self.sha256.as_deref()).unwrap_or_default()
    }

    /// Whether the bytes of a file are those that were imported.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn is(&self, path: &Path) -> std::io::Result<bool> {
        match &self.blake3 {
            Some(blake3) => Ok(hash::blake3(path)?.0 == *blake3),
            None => Ok(Some(hash::digests(path)?.sha256) == self.sha256),
        }
    }

    /// The evidence id, as rows carry it.
    pub fn id(&self) -> String {
        format!("e{}", self.number)
    }
}

/// What one source gave in one file.
#[derive(Debug, Clone)]
pub(crate) struct SourceRow {
    pub evidence: u32,
    pub source: String,
    pub rows: RowCount,
    pub from: Option<jiff::Timestamp>,
    pub to: Option<jiff::Timestamp>,
    pub tenants: BTreeMap<String, u64>,
    pub notes: Vec<Text>,
}

impl Case {
    /// The imported files, in order of import.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn evidence_files(&self) -> Result<Vec<EvidenceFile>, Error> {
        let sql = "SELECT number, blake3, sha256, size, path, origin, in_place, domains, who
                   FROM evidence LEFT JOIN declaration ON declaration.evidence = number ORDER BY number";
        self.rows(sql, |row| {
            Ok(EvidenceFile {
                number: row.get(0)?,
                blake3: row.get(1)?,
                sha256: row.get(2)?,
                size: row.get(3)?,
                path: row.get(4)?,
                origin: PathBuf::from(row.get::<_, String>(5)?),
                in_place: row.get(6)?,
                domains: json(row, 7)?,
                declared_unfiltered_by: row.get(8)?,
            })
        })
    }

    /// When a file was imported last.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn last_import(&self) -> Result<Option<jiff::Timestamp>, Error> {
        Ok(self.rows("SELECT max(imported_at) FROM evidence", |row| time(row, 0))?.into_iter().flatten().next())
    }

    /// A digest of everything that the manifest says of the evidence: files, rows, tables, declarations. Another digest is another
    /// body of evidence.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn evidence_digest(&self) -> Result<String, Error> {
        let files = self.evidence_files()?;
        let digests = files.iter().map(|f| crate::journal::digest(&self.db, f.number)).collect::<rusqlite::Result<Vec<_>>>();
        let unrecognised = self.unrecognised()?.into_iter().map(|u| format!("{} {} {}", u.path, u.unread, u.reason.en));
        let all: Vec<String> = digests.map_err(self.database())?.into_iter().chain(unrecognised).collect();
        Ok(blake3::hash(all.join("\n").as_bytes()).to_hex().to_string())
    }

    pub(crate) fn source_rows(&self) -> Result<Vec<SourceRow>, Error> {
        let sql = "SELECT evidence, source, read, kept, duplicate, rejected, time_from, time_to, tenants, notes
                   FROM evidence_source ORDER BY evidence, position";
        self.rows(sql, |row| {
            Ok(SourceRow {
                evidence: row.get(0)?,
                source: row.get(1)?,
                rows: RowCount { read: row.get(2)?, kept: row.get(3)?, duplicate: row.get(4)?, rejected: row.get(5)? },
                from: time(row, 6)?,
                to: time(row, 7)?,
                tenants: json(row, 8)?,
                notes: json(row, 9)?,
            })
        })
    }

    /// Every recognised file with its accounting, one entry per source, in order of import.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn evidence(&self) -> Result<Vec<EvidenceInfo>, Error> {
        let files: BTreeMap<u32, EvidenceFile> = self.evidence_files()?.into_iter().map(|f| (f.number, f)).collect();
        let entry = |s: SourceRow| {
            files.get(&s.evidence).map(|file| EvidenceInfo {
                id: file.id(),
                path: file.path.clone(),
                sha256: file.sha256.clone(),
                blake3: file.blake3.clone(),
                source: s.source,
                rows: s.rows,
                from: s.from,
                to: s.to,
                notes: s.notes,
            })
        };
        Ok(self.source_rows()?.into_iter().filter_map(entry).collect())
    }

    /// Files that are not in the case, with the reason: those that were not read come first.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn unrecognised(&self) -> Result<Vec<Unrecognised>, Error> {
        let mut all = unread::list(&self.db).map_err(self.database())?;
        let known = self.rows("SELECT path, reason_fr, reason_en, harmless FROM unrecognised ORDER BY path", |row| {
            let reason = Text::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?);
            Ok(Unrecognised { path: row.get(0)?, reason, harmless: row.get(3)?, unread: false })
        })?;
        let unread: std::collections::BTreeSet<String> = all.iter().map(|u| u.path.clone()).collect();
        all.extend(known.into_iter().filter(|u| !unread.contains(&u.path)));
        Ok(all)
    }

    /// The Parquet files of a table, in order of import and part. Empty if nothing was collected.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn table_files(&self, table: &str) -> Result<Vec<PathBuf>, Error> {
        let sql = "SELECT file FROM part WHERE table_name = ? ORDER BY evidence, length(file), file";
        let read = || self.db.prepare(sql)?.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>();
        Ok(read().map_err(self.database())?.iter().map(|file| self.dir().join(file)).collect())
    }

    /// Rows of which a richer copy arrived later: views leave them out, and the rows of their child tables with the same
    /// `evidence_id` and `src_offset`. Sorted.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn superseded(&self) -> Result<Vec<RowId>, Error> {
        self.rows("SELECT row_id FROM superseded ORDER BY row_id", |row| Ok(RowId(row.get(0)?)))
    }

    /// The tenants of the case, by the evidence files they are dominant in; see [`Tenants`].
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn tenancy(&self) -> Result<Tenants, Error> {
        let mut rows: BTreeMap<u32, BTreeMap<String, u64>> = BTreeMap::new();
        for source in self.source_rows()? {
            let counts = rows.entry(source.evidence).or_default();
            for (tenant, n) in source.tenants {
                *counts.entry(tenant).or_default() += n;
            }
        }
        let files = self.evidence_files()?.into_iter().map(|file| Provenance {
            tenants: rows.remove(&file.number).unwrap_or_default(),
            id: file.id(),
            origin: file.origin,
            domains: file.domains,
        });
        Ok(Tenants::new(files.collect()))
    }

    /// The tenants to be judged, each apart; see [`Tenants::judged`].
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn tenants(&self) -> Result<Vec<CaseTenant>, Error> {
        Ok(self.tenancy()?.judged())
    }

    /// The tenant of the rows of a file that name none.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn default_tenant_of(&self, evidence_id: &str) -> Result<Option<String>, Error> {
        Ok(self.tenancy()?.default_of(evidence_id).map(str::to_owned))
    }

    /// The number of the evidence file with this BLAKE3, if the case holds it.
    pub(crate) fn number_of(&self, blake3: &str) -> Result<Option<u32>, Error> {
        let sql = "SELECT number FROM evidence WHERE blake3 = ?";
        self.db.query_row(sql, [blake3], |row| row.get(0)).optional().map_err(self.database())
    }

    /// The number of the evidence file with this SHA-256, if the case holds it and knows that.
    pub(crate) fn number_of_sha256(&self, sha256: &str) -> Result<Option<u32>, Error> {
        let sql = "SELECT number FROM evidence WHERE sha256 = ?";
        self.db.query_row(sql, [sha256], |row| row.get(0)).optional().map_err(self.database())
    }

    /// Whether the case holds the bytes of a file of another copy of it.
    pub(crate) fn holds(&self, file: &EvidenceFile) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM evidence WHERE blake3 = ?1 OR sha256 = ?2)";
        self.db.query_row(sql, (&file.blake3, &file.sha256), |row| row.get(0)).map_err(self.database())
    }

    /// Whether a file of this size was imported by a format that knew no BLAKE3.
    pub(crate) fn holds_old_size(&self, size: u64) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM evidence WHERE size = ? AND blake3 IS NULL)";
        self.db.query_row(sql, [size], |row| row.get(0)).map_err(self.database())
    }

    /// Whether the case holds a file of this size (if not, it cannot hold the same bytes).
    pub(crate) fn holds_size(&self, size: u64) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM evidence WHERE size = ?)";
        self.db.query_row(sql, [size], |row| row.get(0)).map_err(self.database())
    }

    fn rows<T>(&self, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, Error> {
        let all = || self.db.prepare(sql)?.query_map([], |row| read(row))?.collect::<rusqlite::Result<_>>();
        all().map_err(self.database())
    }
}

/// The number in an evidence id.
pub(crate) fn number(evidence_id: &str) -> Option<u32> {
    evidence_id.strip_prefix('e')?.parse().ok()
}

/// The path of an original below the case folder, by the digest that it is stored under.
pub(crate) fn original(digest: &str) -> PathBuf {
    let prefix = digest.get(..2).unwrap_or_default();
    Path::new("evidence").join(prefix).join(digest)
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|e| conversion(column, e))
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<jiff::Timestamp>> {
    let text: Option<String> = row.get(column)?;
    text.map(|t| t.parse().map_err(|e| conversion(column, e))).transpose()
}

fn conversion(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}
