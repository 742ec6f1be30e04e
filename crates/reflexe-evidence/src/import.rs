//! One evidence file in, Parquet tables and exact accounting out. Everything else in this crate serves this function.
use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use jiff::Timestamp;
use reflexe_model::{RowCount, RowId, Text};

use crate::{
    dedup::DedupIndex,
    error::Error,
    events::{FileFacts, class_of_name, pipeline},
    hash,
    recognise::{HEAD, Judgement, Plan, judge},
    report, state,
    text::{self, Charset},
};

/// A file to import.
#[derive(Debug, Clone, Copy)]
pub struct FileInput<'a> {
    /// Where its bytes can be read.
    pub path: &'a Path,
    /// Its path as the person gave it (`archive.zip!inner.csv` for a member): shown, and read for hints only.
    pub shown_path: &'a str,
    /// Evidence number in the case: `7` makes evidence id `e7`.
    pub file_no: u32,
}

impl FileInput<'_> {
    /// The evidence id of its rows.
    pub fn evidence_id(&self) -> String {
        format!("e{}", self.file_no)
    }
}

/// What an import needs from the case.
pub struct ImportContext<'a> {
    /// Staging folder; receives `<table>/<file_no>-<part>.parquet`. It is the caller's to keep or to delete.
    pub out_dir: &'a Path,
    /// Record ids that the case holds. On success the caller calls [`DedupIndex::flush`], on failure [`DedupIndex::rollback`].
    pub dedup: &'a mut DedupIndex,
    /// When the import happens: a date that is later cannot be believed.
    pub now: Timestamp,
    /// Worker threads, at least 1. The output does not depend on it.
    pub threads: usize,
    /// Told the number of bytes read so far, from any thread.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// What became of a file.
#[derive(Debug)]
pub enum Outcome {
    /// At least one source recognises it.
    Recognised(FileReport),
    /// None does. Nothing was written.
    Unrecognised {
        /// BLAKE3 of the bytes, lower-case hexadecimal.
        blake3: String,
        /// Size in bytes.
        size: u64,
        /// Why.
        reason: Text,
        /// A document that merely lies beside evidence.
        harmless: bool,
    },
}

/// What an imported file gave.
#[derive(Debug, Default)]
pub struct FileReport {
    /// BLAKE3 of the bytes, lower-case hexadecimal.
    pub blake3: String,
    /// Size in bytes.
    pub size: u64,
    /// One per source met in the file, by name of source.
    pub sources: Vec<SourceReport>,
    /// Rows kept before (in this file or an earlier one) that a richer copy replaces: views must leave them out, and the
    /// rows of child tables with the same `evidence_id` and `src_offset`.
    pub superseded: Vec<RowId>,
    /// Domains that the evidence shows to be the tenant's own, in order.
    pub domains: Vec<String>,
    /// Records that repeat one of an earlier file, by the number of that file.
    pub repeats: BTreeMap<u32, u64>,
}

/// What one source of a file gave.
#[derive(Debug, Default)]
pub struct SourceReport {
    /// Id of the recognised variant, e.g. `ual.powershell_csv`.
    pub source: String,
    /// Accounting. A record whose richer copy replaces an earlier row counts as a duplicate: the case holds no more records.
    pub rows: RowCount,
    /// Earliest event time that can be believed.
    pub from: Option<Timestamp>,
    /// Latest event time that can be believed.
    pub to: Option<Timestamp>,
    /// Rows by tenant id, copies included; rows that name none count under the empty string.
    pub tenants: BTreeMap<String, u64>,
    /// What a reader should know.
    pub notes: Vec<Text>,
    /// Rows written, by table (primary, derived and child rows).
    pub tables: BTreeMap<String, u64>,
}

/// Recognises a file from its content and imports it.
///
/// # Errors
/// When the file cannot be read or the tables cannot be written. The caller then deletes `out_dir` and calls
/// [`DedupIndex::rollback`].
pub fn import_file(input: &FileInput<'_>, ctx: &mut ImportContext<'_>) -> Result<Outcome, Error> {
    std::thread::scope(|scope| {
        let hash = scope.spawn(|| hash::blake3(input.path));
        let result = read(input, ctx);
        let hashed = hash.join().map_err(|_| internal(input, "the hash was not finished"))?;
        let (blake3, size) = hashed.map_err(Error::read(input.shown_path))?;
        Ok(match result? {
            Outcome::Recognised(report) => Outcome::Recognised(FileReport { blake3, size, ..report }),
            Outcome::Unrecognised { reason, harmless, .. } => Outcome::Unrecognised { blake3, size, reason, harmless },
        })
    })
}

fn internal(input: &FileInput<'_>, what: &str) -> Error {
    Error::Internal { path: input.shown_path.to_owned(), what: what.to_owned() }
}

/// The whole import but the hash, which is left empty.
fn read(input: &FileInput<'_>, ctx: &mut ImportContext<'_>) -> Result<Outcome, Error> {
    ctx.dedup.begin(input.file_no)?;
    let head = head(input.path).map_err(Error::read(input.shown_path))?;
    let charset = text::charset(&head);
    if charset == Charset::Binary {
        return Ok(binary(&head));
    }
    let facts = FileFacts {
        evidence_id: input.evidence_id(),
        member: None,
        flags: if charset == Charset::Windows1252 { vec!["encoding_guessed"] } else { Vec::new() },
        order: None,
        class_of_name: class_of_name(input.shown_path),
        csv: None,
    };
    if let Charset::Utf8(mark) = charset {
        return judged(input, ctx, input.path, &head, mark, facts);
    }
    // offsets then count in the transcoded text: said by the member `utf8:`
    let copy = ctx.out_dir.join(format!("{}.utf8", input.file_no));
    text::transcode(input.path, input.shown_path, charset, &copy)?;
    let again = self::head(&copy).map_err(Error::read(input.shown_path))?;
    let outcome = judged(input, ctx, &copy, &again, 0, FileFacts { member: Some("utf8:"), ..facts });
    std::fs::remove_file(&copy).map_err(Error::write(&copy))?;
    outcome
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn judged(
    input: &FileInput<'_>,
    ctx: &mut ImportContext<'_>,
    path: &Path,
    head: &[u8],
    mark: usize,
    facts: FileFacts,
) -> Result<Outcome, Error> {
    let (member, flags) = (facts.member, facts.flags.clone());
    match judge(path, input.shown_path, head, mark, facts)? {
        Judgement::Events(plan) => events(input, ctx, path, &plan),
        Judgement::Other => {
            let known = state::Known { path, head, mark, member, flags: &flags };
            Ok(state::import(input, ctx, &known)?.map_or_else(|| other(input, head), Outcome::Recognised))
        }
        Judgement::Nothing { reason, harmless } => Ok(unrecognised(reason, harmless)),
    }
}

fn unrecognised(reason: Text, harmless: bool) -> Outcome {
    Outcome::Unrecognised { blake3: String::new(), size: 0, reason, harmless }
}

/// A file that is no text.
fn binary(head: &[u8]) -> Outcome {
    let picture = [b"\x89PNG".as_slice(), b"\xff\xd8\xff", b"GIF8", b"%PDF", b"RIFF"].iter().any(|m| head.starts_with(m));
    let reason = if picture {
        Text::new("image ou document : à lire, pas un export", "a picture or a document: to be read, not an export")
    } else if head.starts_with(b"PK\x03\x04") {
        Text::new(
            "classeur ou archive : exportez la feuille en CSV, ou décompressez l’archive",
            "a workbook or an archive: save the sheet as CSV, or unpack the archive",
        )
    } else {
        Text::new("fichier binaire : ni JSON ni CSV", "binary file: neither JSON nor CSV")
    };
    unrecognised(reason, picture)
}

/// A text of no known source.
fn other(input: &FileInput<'_>, head: &[u8]) -> Outcome {
    let name = input.shown_path.to_lowercase();
    let document =
        [".md", ".txt", ".html", ".htm", ".rtf", ".log", ".ps1", ".toml", ".yml", ".yaml"].iter().any(|e| name.ends_with(e));
    let structured = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
    unrecognised(
        Text::new("aucune source connue n’a ces clés ou ces colonnes", "no known source has these keys or columns"),
        document && !structured,
    )
}

fn events(input: &FileInput<'_>, ctx: &mut ImportContext<'_>, path: &Path, plan: &Plan) -> Result<Outcome, Error> {
    let size = std::fs::metadata(path).map_err(Error::read(input.shown_path))?.len();
    let work = pipeline::Work {
        path,
        shown: input.shown_path,
        size,
        plan,
        file_no: input.file_no,
        out_dir: ctx.out_dir,
        threads: ctx.threads,
        progress: ctx.progress,
    };
    let totals = pipeline::run(&work, ctx.dedup)?;
    report::event_report(input, ctx, plan, totals)
}
