//! Writing as the collecting tools do: the folder of Microsoft-Extractor-Suite with its own log, and single JSON documents.
//!
//! Only one page or window of records is held at a time, so that a log of any size needs the same memory.
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::acts::Log;
use crate::text::{Iso, Seconds, american, compact, invariant, spaced};
use crate::ual::Wrapper;
use crate::{Error, UalFormat};

/// Records on a page of Microsoft Graph.
const PAGE: u64 = 1000;

/// Writes a JSON document.
pub fn write_json(path: &Path, value: &Value) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| Error::Scenario(format!("{}: {e}", path.display())))?;
    text.extend_from_slice(b"\r\n");
    make_parent(path)?;
    fs::write(path, text).map_err(|source| Error::write(path, source))
}

fn make_parent(path: &Path) -> Result<(), Error> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(|source| Error::write(parent, source)),
        None => Ok(()),
    }
}

/// A file that is being written.
struct Out {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Out {
    fn new(path: PathBuf) -> Result<Self, Error> {
        make_parent(&path)?;
        let file = File::create(&path).map_err(|source| Error::write(&path, source))?;
        Ok(Out { path, file: BufWriter::with_capacity(1 << 20, file) })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|source| Error::write(&self.path, source))
    }

    fn close(mut self) -> Result<(), Error> {
        self.file.flush().map_err(|source| Error::write(&self.path, source))
    }
}

/// The log of the tool: what was asked, what came, what was finished.
pub struct ToolLog {
    out: Out,
    /// Time on the collecting machine's clock.
    pub now: Seconds,
}

impl ToolLog {
    /// Opens the log.
    pub fn new(path: PathBuf, now: Seconds) -> Result<Self, Error> {
        Ok(ToolLog { out: Out::new(path)?, now })
    }

    /// Writes a message, `after` seconds later. A message that begins with a line break stands on the next line, as the tool leaves it.
    pub fn say(&mut self, after: Seconds, message: &str) -> Result<(), Error> {
        self.now += after;
        let line = format!("{}: {}\r\n", spaced(self.now), message.replace('\n', "\r\n"));
        self.out.put(line.as_bytes())
    }

    /// Closes the log.
    pub fn close(self) -> Result<(), Error> {
        self.out.close()
    }
}

/// The unified audit log, one file a window.
pub struct UalSink {
    folder: PathBuf,
    format: UalFormat,
    window: Option<(Out, u64, u64)>,
    scratch: Vec<u8>,
    /// Path of the current file, from the evidence folder.
    pub current: String,
    prefix: String,
}

impl UalSink {
    /// Files go to `folder`, which is `prefix` as seen from the evidence folder.
    pub fn new(folder: PathBuf, prefix: String, format: UalFormat) -> Self {
        UalSink { folder, format, window: None, scratch: Vec::with_capacity(1 << 14), current: String::new(), prefix }
    }

    /// Begins a window of `rows` records.
    pub fn open(&mut self, from: Seconds, to: Seconds, rows: u64) -> Result<(), Error> {
        self.close()?;
        let extension = match self.format {
            UalFormat::Jsonl => "json",
            UalFormat::Csv => "csv",
        };
        let name = format!("UAL-{}-{}.{extension}", compact(from), compact(to));
        let mut out = Out::new(self.folder.join(&name))?;
        if self.format == UalFormat::Csv {
            out.put(b"\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\",\"IsValid\",\"ObjectState\"\r\n")?;
        }
        self.current = format!("{}/{name}", self.prefix);
        self.window = Some((out, 0, rows));
        Ok(())
    }

    /// Writes a record to the open window.
    pub fn record(&mut self, at: Seconds, wrapper: &Wrapper, line: &[u8]) -> Result<(), Error> {
        let Some((out, index, rows)) = self.window.as_mut() else {
            return Err(Error::Scenario("a record was written outside a window".into()));
        };
        *index += 1;
        match self.format {
            UalFormat::Jsonl => {
                out.put(line)?;
                out.put(b"\r\n")
            }
            UalFormat::Csv => {
                let s = &mut self.scratch;
                s.clear();
                quoted(wrapper.record_type.as_bytes(), s, b',');
                quoted(american(at).as_bytes(), s, b',');
                quoted(wrapper.user.as_bytes(), s, b',');
                quoted(wrapper.operation.as_bytes(), s, b',');
                quoted(line, s, b',');
                quoted(index.to_string().as_bytes(), s, b',');
                quoted(rows.to_string().as_bytes(), s, b',');
                quoted(wrapper.id.as_bytes(), s, b',');
                s.extend_from_slice(b"\"True\",\"Unchanged\"\r\n");
                out.put(s)
            }
        }
    }

    /// Ends the open window. The tool leaves an empty line at the end of its JSON files.
    pub fn close(&mut self) -> Result<(), Error> {
        if let Some((mut out, _, _)) = self.window.take() {
            if self.format == UalFormat::Jsonl {
                out.put(b"\n\r\n")?;
            }
            out.close()?;
        }
        Ok(())
    }
}

fn quoted(text: &[u8], out: &mut Vec<u8>, end: u8) {
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
    out.push(end);
}

/// A log of Microsoft Graph, one file a page: JSON Lines, or an array in the format that goes with CSV.
pub struct PageSink {
    folder: PathBuf,
    stem: &'static str,
    arrays: bool,
    page: Option<(Out, u64, Seconds, Seconds)>,
    name_clock: Seconds,
    /// Log that is written.
    pub log: Log,
    /// Records written.
    pub records: u64,
    /// Files written.
    pub files: u64,
    /// Path of the current file, from the evidence folder.
    pub current: String,
    prefix: String,
    /// What the tool's log says of each page.
    pub said: Vec<String>,
}

impl PageSink {
    /// Files go to `folder`, which is `prefix` as seen from the evidence folder.
    pub fn new(folder: PathBuf, prefix: String, stem: &'static str, log: Log, format: UalFormat, now: Seconds) -> Self {
        PageSink {
            folder,
            stem,
            arrays: format == UalFormat::Csv,
            page: None,
            name_clock: now,
            log,
            records: 0,
            files: 0,
            current: String::new(),
            prefix,
            said: Vec::new(),
        }
    }

    /// Writes a record.
    pub fn record(&mut self, at: Seconds, line: &[u8]) -> Result<(), Error> {
        if self.page.as_ref().is_some_and(|p| p.1 >= PAGE) {
            self.close()?;
        }
        if self.page.is_none() {
            let name = format!("{}-{}.json", compact(self.name_clock), self.stem);
            self.name_clock += 2;
            let mut out = Out::new(self.folder.join(&name))?;
            if self.arrays {
                out.put(b"[\r\n")?;
            }
            self.current = format!("{}/{name}", self.prefix);
            self.files += 1;
            self.page = Some((out, 0, at, at));
        }
        if let Some((out, count, _, last)) = self.page.as_mut() {
            if self.arrays && *count > 0 {
                out.put(b",\r\n")?;
            }
            out.put(line)?;
            if !self.arrays {
                out.put(b"\r\n")?;
            }
            *count += 1;
            *last = at;
        }
        self.records += 1;
        Ok(())
    }

    /// Ends the page.
    pub fn close(&mut self) -> Result<(), Error> {
        if let Some((mut out, count, from, to)) = self.page.take() {
            if self.arrays {
                out.put(b"\r\n]\r\n")?;
            }
            out.close()?;
            // The two logs are told in the two forms of the tool's two functions.
            let form = |at| match self.log {
                Log::DirectoryAudit => format!("{}Z", &Iso(at).to_string()[..16]),
                _ => invariant(at),
            };
            self.said.push(format!("[INFO] Retrieved {count} records between {} and {}", form(from), form(to)));
        }
        Ok(())
    }
}
