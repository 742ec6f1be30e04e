//! What every command tells of a case that is not as it was written, without reading the whole of it: entries that are missing or
//! do not prove themselves, files of the product's own that another hand changed, a manifest or tables that the journal contradicts.
use std::{collections::BTreeSet, fs, io};

use reflexe_model::{Entry, Payload, Text};
use sha2::{Digest as _, Sha256};

use super::{
    chain, device, evidence,
    known::{self, Heads, Memory},
    store, verify,
};
use crate::{
    error::{Doing, Error},
    folder::Case,
};

/// Ids of entries that one sentence names.
const NAMED: usize = 3;

/// A file that the product wrote below the case, as the journal tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// There is none.
    Absent,
    /// This device wrote these bytes.
    Here(Vec<u8>),
    /// Another device wrote these bytes: its name.
    Elsewhere(Vec<u8>, String),
    /// No device that signed the journal wrote these bytes last.
    Changed,
}

impl Case {
    /// What people should know before they trust this case; nothing if it is as it was written. Takes note of where the journal ends,
    /// for the next time.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn doubts(&self) -> Result<Vec<Text>, Error> {
        let memory = match device::home() {
            Some(home) => Some(Memory::of(&home, &self.id()?)),
            None => None,
        };
        let known = memory.as_ref().map_or_else(Heads::new, Memory::heads);
        let missing = known::missing(&self.db, &known).map_err(Error::in_journal)?;
        let mut doubts: Vec<Text> = (missing > 0).then(|| known::sentence(missing)).into_iter().collect();
        doubts.extend(unproven(&store::left_out(&self.db)?));
        if let Some(memory) = memory {
            // A home that cannot be written remembers nothing; whoever writes an entry is told so.
            let _ = memory.learn(&self.db, None);
        }
        Ok(doubts)
    }

    /// Reads a file of the product's own below the case, named as the manifest writes paths, and who wrote it.
    ///
    /// # Errors
    /// When the file or the journal cannot be read.
    pub fn written(&self, file: &str) -> Result<Written, Error> {
        let path = self.dir().join(file);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Written::Absent),
            Err(error) => return Err(Error::io(Doing::Reading, &path)(error)),
        };
        let sha256 = chain::hex(&Sha256::digest(&bytes));
        // Without a key nothing was written here.
        let me = self.device().map(device::Device::writer).unwrap_or_default();
        let mut last: Vec<(String, u64, bool)> = Vec::new();
        for entry in store::about(&self.db, file)? {
            let Some(Payload::Fact { name, facts }) = Payload::of(&entry) else { continue };
            if name != "export" || facts.get("file").is_none_or(|f| f != file) {
                continue;
            }
            let (writer, seq) = (entry.header.writer, entry.header.seq);
            last.retain(|l| l.0 != writer || l.1 > seq);
            if !last.iter().any(|l| l.0 == writer) {
                last.push((writer, seq, facts.get("sha256") == Some(&sha256)));
            }
        }
        let same: Vec<String> = last.into_iter().filter(|l| l.2).map(|l| l.0).collect();
        Ok(match same.first() {
            _ if same.contains(&me) => Written::Here(bytes),
            Some(other) => Written::Elsewhere(bytes, self.label_of(other)?),
            None => Written::Changed,
        })
    }

    /// Refuses a manifest or tables that are not what the journal says was imported: nothing is judged or shown out of them.
    ///
    /// # Errors
    /// [`Error::Tampered`] with what was found, or when the case cannot be read.
    pub fn check_tables(&self) -> Result<(), Error> {
        if self.tables_checked.get().is_some() {
            return Ok(());
        }
        let problems = evidence::check(&self.db, self.dir(), &self.entries()?, evidence::Depth::Tables)?;
        match problems.into_iter().map(|p| p.text).collect::<Vec<_>>() {
            found if found.is_empty() => {
                let _ = self.tables_checked.set(());
                Ok(())
            }
            found => Err(Error::Tampered { found }),
        }
    }

    /// The name that a device gave itself.
    fn label_of(&self, writer: &str) -> Result<String, Error> {
        let named = verify::labels(&store::about(&self.db, "device")?).remove(writer);
        Ok(named.unwrap_or_else(|| device::label("", writer)))
    }
}

/// Splits entries into those that prove themselves and the ids of those that do not: their header, content and case are as they were
/// signed. One signature proves its whole chain, since every entry names the hash of the one before.
pub(crate) fn proven(mut entries: Vec<Entry>, case_id: &str) -> (Vec<Entry>, Vec<String>) {
    entries.sort_by(|a, b| (&b.header.writer, b.header.seq).cmp(&(&a.header.writer, a.header.seq)));
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let mut named: BTreeSet<(String, String)> = BTreeSet::new();
    for entry in entries {
        let signed = chain::is_hashed(&entry)
            && (named.contains(&(entry.header.writer.clone(), entry.hash.clone())) || chain::is_signed(&entry));
        if signed && let Some(prev) = &entry.header.prev {
            named.insert((entry.header.writer.clone(), prev.clone()));
        }
        if signed && entry.header.case_id == case_id && chain::body_holds(&entry) != Some(false) {
            good.push(entry);
        } else {
            bad.push(entry.header.entry_id);
        }
    }
    (good, bad)
}

/// What to tell of entries that do not prove themselves.
fn unproven(ids: &[String]) -> Option<Text> {
    let first = ids.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if ids.len() > NAMED { ", …" } else { "" };
    let n = ids.len();
    (n > 0).then(|| {
        Text::new(
            format!(
                "Écritures du journal modifiées hors de reflexe : {n} ({first}{more}). Elles ne sont pas prises en compte ; reprenez-les d’une copie du dossier (reflexe case merge)."
            ),
            format!(
                "Entries of the journal changed outside reflexe: {n} ({first}{more}). They do not count; take them from a copy of the case (reflexe case merge)."
            ),
        )
    })
}
