//! Whether anything of a case was changed since it was written: chains, signatures, contents, evidence, tables, attachments,
//! reports, and the bytes that none of these cover. Tampering becomes evident; it is not made impossible.
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use reflexe_model::{Entry, Kind, Lang, Payload, Text};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::{
    chain, commit, device,
    evidence::{self, Depth},
    known::{self, Heads, Memory},
    store, sums,
};
use crate::{error::Error, folder, index, store as manifest_store};

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, evidence or entry.
    pub place: String,
    /// The entry that it concerns, if one does.
    pub entry: Option<String>,
    /// What it is, and what to do.
    pub text: Text,
}

impl Problem {
    pub(crate) fn of_file(file: &str, text: Text) -> Self {
        Self { place: file.to_owned(), entry: None, text }
    }

    pub(crate) fn unreadable(file: &str, error: &io::Error) -> Self {
        let (fr, en) = match error.kind() {
            io::ErrorKind::NotFound => ("il manque".to_owned(), "it is missing".to_owned()),
            _ => (error.to_string(), error.to_string()),
        };
        Self::of_file(
            file,
            Text::new(
                format!("{file} ne peut pas être lu : {fr}. Reprenez ce fichier d’une copie du dossier."),
                format!("{file} cannot be read: {en}. Take this file from a copy of the case."),
            ),
        )
    }

    fn of_entry(entry: &Entry, fr: &str, en: &str) -> Self {
        let id = &entry.header.entry_id;
        let place = format!("{}#{}", label(&entry.header.writer), entry.header.seq);
        let text = Text::new(format!("Écriture {id} ({place}) : {fr}"), format!("Entry {id} ({place}): {en}"));
        Self { place, entry: Some(id.clone()), text }
    }
}

/// A device that wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Public key, lower-case hexadecimal.
    pub key: String,
    /// Short name, as the device gave it: `PC-RSSI·7F3A`.
    pub label: String,
    /// How many entries it wrote.
    pub entries: usize,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many entries the journal has.
    pub entries: usize,
    /// The devices that wrote, by key.
    pub writers: Vec<Writer>,
    /// What is not as it was written. Empty: intact.
    pub problems: Vec<Problem>,
    /// What is worth knowing and breaks nothing: clocks that went back, sums of an earlier state.
    pub notices: Vec<Problem>,
    /// Fingerprint of the whole journal ([`head`]).
    pub head: String,
}

impl Verified {
    /// Whether nothing was changed. Decides the exit code.
    pub fn is_intact(&self) -> bool {
        self.problems.is_empty()
    }

    /// One line: `chaîne intacte · 214 écritures · 3 postes`.
    pub fn badge(&self, lang: Lang) -> String {
        let many =
            |n: usize, one: &str, more: &str| format!("{n} {}", if n > 1 || (n == 0 && lang == Lang::En) { more } else { one });
        let (entries, writers, problems) = (self.entries, self.writers.len(), self.problems.len());
        match lang {
            Lang::Fr => {
                let state = if problems == 0 { "chaîne intacte".into() } else { many(problems, "anomalie", "anomalies") };
                format!("{state} · {} · {}", many(entries, "écriture", "écritures"), many(writers, "poste", "postes"))
            }
            Lang::En => {
                let state = if problems == 0 { "chain intact".into() } else { many(problems, "problem", "problems") };
                format!("{state} · {} · {}", many(entries, "entry", "entries"), many(writers, "device", "devices"))
            }
        }
    }
}

/// Fingerprint of a journal: SHA-256 over `reflexe-heads-v1` and, in order, the hashes that no other entry names as the one
/// before it. Whoever noted it can prove that nothing before was taken away.
pub fn head(entries: &[Entry]) -> String {
    let before: BTreeSet<&str> = entries.iter().filter_map(|e| e.header.prev.as_deref()).collect();
    let ends: BTreeSet<&str> = entries.iter().map(|e| e.hash.as_str()).filter(|h| !before.contains(h)).collect();
    let mut hasher = Sha256::new();
    hasher.update("reflexe-heads-v1");
    ends.iter().for_each(|hash| hasher.update(hash));
    chain::hex(&hasher.finalize())
}

/// The part of a fingerprint that is read aloud or printed: `3f2a 91bc 0d44 e7a0`.
pub fn head_short(head: &str) -> String {
    let groups = [0, 4, 8, 12].map(|at| head.get(at..at + 4).unwrap_or_default());
    groups.join(" ")
}

/// Verifies a whole case folder. Damage is in the result, also when the manifest cannot be opened any more.
///
/// # Errors
/// When the folder holds no case, or is of another version than this program's.
pub fn verify(dir: &Path) -> Result<Verified, Error> {
    verify_from(dir, device::home().as_deref())
}

/// The same, against what a home remembers of the case; against nothing if there is none.
///
/// # Errors
/// As [`verify`].
pub fn verify_from(dir: &Path, home: Option<&Path>) -> Result<Verified, Error> {
    let path = dir.join("case.sqlite");
    let damaged = |error: &Error| {
        let (e, f) = (error.text(), "case.sqlite");
        Problem::of_file(f, Text::new(format!("{f} est endommagé : {}", e.fr), format!("{f} is damaged: {}", e.en)))
    };
    let mut verified = Verified::default();
    if folder::is_beginning(dir)? {
        verified.notices.push(begun());
        return Ok(verified);
    }
    let mut db = manifest_store::open_raw(&path)?;
    // Before anything is read through the manifest: a change of its bytes is told even where nothing can be read.
    let (case_id, writers) = whose(&db).unwrap_or_default();
    match db.serialize("main") {
        Ok(bytes) => {
            let writers: Vec<&str> = writers.iter().map(String::as_str).collect();
            let (problems, notices) = sums::check_pages(&bytes, dir, &case_id, &writers);
            verified.problems.extend(problems);
            verified.notices.extend(notices);
        }
        Err(source) => verified.problems.push(damaged(&Error::Database { path: path.clone(), source })),
    }
    let opened = manifest_store::check_format(&db, &path);
    match opened {
        Err(error) if verified.is_intact() => return Err(error),
        Err(error) => verified.problems.push(damaged(&error)),
        Ok(()) => {
            if let Err(error) = contents(&db, dir, home, &mut verified) {
                verified.problems.push(damaged(&error));
            }
        }
    }
    verified.problems.extend(lock(dir));
    Ok(verified)
}

/// The case's id and the devices that wrote.
fn whose(db: &Connection) -> rusqlite::Result<(String, Vec<String>)> {
    let writers =
        db.prepare("SELECT DISTINCT writer FROM entry")?.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok((store::info(db, "id")?.unwrap_or_default(), writers))
}

/// What to tell of a case whose creation was interrupted.
fn begun() -> Problem {
    Problem::of_file(
        "case.sqlite",
        Text::new(
            "La création de ce dossier a été interrompue avant la première écriture : il ne contient rien. Relancez la même commande.",
            "The creation of this case was interrupted before anything was written: it holds nothing. Run the same command again.",
        ),
    )
}

/// The lock holds the number of the process that wrote last, and nothing else.
fn lock(dir: &Path) -> Option<Problem> {
    let text = std::fs::read(dir.join("case.lock")).ok()?;
    let number = text.strip_suffix(b"\n").unwrap_or(&text);
    let whole = text.is_empty() || (text.ends_with(b"\n") && number.iter().all(u8::is_ascii_digit));
    (!whole).then(|| {
        Problem::of_file(
            "case.lock",
            Text::new(
                "case.lock a été modifié hors de reflexe (il ne prouve rien et sera refait).",
                "case.lock was changed outside reflexe (it proves nothing and is made again).",
            ),
        )
    })
}

/// Everything that is read through the manifest.
fn contents(db: &Connection, dir: &Path, home: Option<&Path>, verified: &mut Verified) -> Result<(), Error> {
    let mut entries = Vec::new();
    for (row, entry) in store::rows(db)? {
        match entry {
            Ok(entry) => {
                let header = &entry.header;
                let columns = row.writer == header.writer
                    && row.seq == header.seq
                    && row.entry_id == header.entry_id
                    && row.kind == commit::kind(header.kind)
                    && row.recorded_at == header.recorded_at
                    && chain::canonical(header).is_ok_and(|text| text == row.header);
                if !columns {
                    verified.problems.push(Problem::of_entry(
                        &entry,
                        "sa ligne dans case.sqlite ne dit pas la même chose que l’écriture. Reprenez-la d’une copie du dossier.",
                        "its row in case.sqlite differs from the entry. Take it from a copy of the case.",
                    ));
                }
                entries.push(entry);
            }
            Err(what) => verified.problems.push(Problem {
                place: format!("{}#{}", label(&row.writer), row.seq),
                entry: Some(row.entry_id.clone()),
                text: Text::new(
                    format!("Écriture {} : illisible ({what}). Reprenez-la d’une copie du dossier (fusion).", row.entry_id),
                    format!("Entry {}: cannot be read ({what}). Take it from a copy of the case (merge).", row.entry_id),
                ),
            }),
        }
    }
    let case_id = store::info(db, "id").map_err(Error::in_journal)?.unwrap_or_default();
    let chains = check(&entries, &case_id);
    verified.entries = chains.entries;
    verified.writers = chains.writers;
    verified.head = chains.head;
    verified.problems.extend(chains.problems);
    verified.notices.extend(chains.notices);
    let known = home.map_or_else(Heads::new, |home| Memory::of(home, &case_id).heads());
    let missing = known::missing(db, &known).map_err(Error::in_journal)?;
    if missing > 0 {
        verified.problems.push(Problem::of_file("case.sqlite", known::sentence(missing)));
    }
    verified.problems.extend(evidence::check(db, dir, &entries, Depth::Everything)?);
    verified.notices.extend(uncovered(db, dir)?);
    attachments(dir, &entries, verified)?;
    exports(dir, &entries, verified);
    let whole: String = db.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0)).map_err(Error::in_journal)?;
    if whole != "ok" {
        let text = Text::new(
            format!("case.sqlite : SQLite signale {whole}. Repartez d’une copie du dossier."),
            format!("case.sqlite: SQLite reports {whole}. Start again from a copy of the case."),
        );
        verified.problems.push(Problem::of_file("case.sqlite", text));
    }
    Ok(())
}

/// Verifies entries by themselves: hashes, signatures, contents, order, gaps, forks, what was seen, clocks, redactions.
pub fn check(entries: &[Entry], case_id: &str) -> Verified {
    let mut v = Verified { entries: entries.len(), head: head(entries), ..Verified::default() };
    let mut chains: BTreeMap<&str, BTreeMap<u64, Vec<&Entry>>> = BTreeMap::new();
    for entry in entries {
        chains.entry(&entry.header.writer).or_default().entry(entry.header.seq).or_default().push(entry);
    }
    let labels = labels(entries);
    for (key, chain) in &chains {
        let label = labels.get(*key).cloned().unwrap_or_else(|| label(key));
        v.writers.push(Writer { key: (*key).to_owned(), label, entries: chain.values().map(Vec::len).sum() });
    }
    let redacted: BTreeSet<&str> =
        entries.iter().filter(|e| e.header.kind == Kind::Redaction).filter_map(|e| e.header.supersedes.as_deref()).collect();
    let mut bad = Vec::new();
    for e in entries {
        let mut say = |fr: &str, en: &str| bad.push(Problem::of_entry(e, fr, en));
        if !chain::is_hashed(e) {
            say(
                "son en-tête a été modifié. Reprenez-la d’une copie du dossier.",
                "its header was changed. Take it from a copy of the case.",
            );
        }
        if !chain::is_signed(e) {
            say("sa signature n’est pas celle du poste nommé.", "its signature is not that of the device it names.");
        }
        if e.header.case_id != case_id {
            say("elle appartient à un autre dossier.", "it belongs to another case.");
        }
        match chain::body_holds(e) {
            Some(true) => {}
            Some(false) => say(
                "son contenu a été modifié. Reprenez-le d’une copie du dossier.",
                "its content was changed. Take it from a copy of the case.",
            ),
            None if redacted.contains(e.header.entry_id.as_str()) => {}
            None => {
                say("son contenu a disparu sans écriture qui le retire.", "its content is gone without an entry that removes it.")
            }
        }
        let at = |seq| chains.get(e.header.writer.as_str()).and_then(|c| c.get(&seq)).map_or(&[][..], Vec::as_slice);
        let before = e.header.seq.checked_sub(1).map_or(&[][..], at);
        match &e.header.prev {
            None if e.header.seq == 1 => {}
            None => say("elle ne nomme pas l’écriture précédente.", "it does not name the entry before."),
            // A gap is told once, below.
            Some(_) if before.is_empty() && e.header.seq > 1 => {}
            Some(prev) if before.iter().any(|b| b.hash == *prev) => {}
            Some(_) => say(
                "elle suit une autre écriture que celle qui la précède ici.",
                "it follows another entry than the one before it here.",
            ),
        }
        for (writer, seen) in &e.header.seen {
            let there = chains.get(writer.as_str()).and_then(|c| c.get(&seen.seq));
            if !there.is_some_and(|list| list.iter().any(|o| o.hash == seen.hash)) {
                let (w, n) = (label(writer), seen.seq);
                say(
                    &format!(
                        "elle a vu l’écriture {n} du poste {w}, qui n’est pas ici : des écritures manquent ou ont été remplacées. Fusionnez avec la copie de ce poste."
                    ),
                    &format!(
                        "it has seen entry {n} of device {w}, which is not here: entries are missing or were replaced. Merge with the copy of that device."
                    ),
                );
            }
        }
        if let Some(latest) = before.iter().map(|b| &b.header.recorded_at).min()
            && e.header.recorded_at < *latest
        {
            v.notices.push(Problem::of_entry(
                e,
                &format!("l’horloge du poste a reculé (de {latest} à {}).", e.header.recorded_at),
                &format!("the clock of the device went back (from {latest} to {}).", e.header.recorded_at),
            ));
        }
    }
    for (writer, chain) in &chains {
        let last = chain.keys().next_back().copied().unwrap_or(0);
        let missing: Vec<u64> = (1..=last).filter(|n| !chain.contains_key(n)).take(20).collect();
        if !missing.is_empty() {
            let (w, list) = (label(writer), missing.iter().map(u64::to_string).collect::<Vec<_>>().join(", "));
            v.problems.push(Problem {
                place: w.clone(),
                entry: None,
                text: Text::new(
                    format!("Poste {w} : il manque les écritures {list}. Fusionnez avec la copie de ce poste."),
                    format!("Device {w}: entries {list} are missing. Merge with the copy of that device."),
                ),
            });
        }
        for e in chain.values().filter(|list| list.len() > 1).map(|list| list[0]) {
            v.problems.push(Problem::of_entry(
                e,
                "deux écritures différentes portent ce numéro : le dossier de ce poste a été copié puis continué deux fois, ou modifié. Les deux sont gardées.",
                "two different entries bear this number: the case was copied on this device and went on twice, or was changed. Both are kept.",
            ));
        }
    }
    let mut ids = BTreeMap::new();
    for e in entries {
        if ids.insert(&e.header.entry_id, &e.hash).is_some_and(|other| *other != e.hash) {
            bad.push(Problem::of_entry(e, "une autre écriture porte le même identifiant.", "another entry has the same id."));
        }
    }
    v.problems.extend(bad);
    v
}

/// The names that devices gave themselves.
pub(crate) fn labels(entries: &[Entry]) -> BTreeMap<String, String> {
    let of = |entry: &Entry| match Payload::of(entry) {
        Some(Payload::Fact { name, mut facts }) if name == "device" => {
            Some((entry.header.writer.clone(), facts.remove("label")?))
        }
        _ => None,
    };
    entries.iter().filter_map(of).collect()
}

/// Short name of a device that did not give its own.
fn label(writer: &str) -> String {
    super::device::label("", writer)
}

/// Files of the index that the manifest does not name: left by an interruption, by an older version or by somebody else. They count
/// for nothing, and the next import makes the index again where that is needed.
fn uncovered(db: &Connection, dir: &Path) -> Result<Option<Problem>, Error> {
    let read = || {
        let sql = "SELECT file FROM part WHERE table_name = ?";
        db.prepare(sql)?.query_map([index::TABLE], |r| r.get(0))?.collect::<rusqlite::Result<BTreeSet<String>>>()
    };
    let named = read().map_err(Error::in_journal)?;
    let there = folder::entries(&dir.join("index"))?.into_iter().map(|p| folder::relative(dir, &p));
    let other: Vec<String> = there.filter(|file| !named.contains(file)).collect();
    Ok(other.first().map(|first| {
        let n = other.len();
        Problem::of_file(
            first,
            Text::new(
                format!("{first} : fichier d’index que le manifeste ne nomme pas (ils sont {n}). Il n’est pas pris en compte."),
                format!("{first}: a file of the index that the manifest does not name ({n} of them). It does not count."),
            ),
        )
    }))
}

fn attachments(dir: &Path, entries: &[Entry], verified: &mut Verified) -> Result<(), Error> {
    let folder = dir.join("attachments");
    let mut there: BTreeSet<String> = folder::entries(&folder)?.iter().map(|p| folder::name(p)).collect();
    for entry in entries {
        for sha256 in &entry.header.attachments {
            there.remove(sha256);
            let path = folder.join(sha256);
            if entry.content.is_none() && !path.exists() {
                continue;
            }
            let id = Some(entry.header.entry_id.clone());
            verified.problems.extend(evidence::same_hash(dir, &path, sha256, id));
        }
    }
    for name in there {
        let path = folder.join(&name);
        if chain::unhex(&name).is_some_and(|h| h.len() == 32) {
            verified.problems.extend(evidence::same_hash(dir, &path, &name, None));
        }
        let place = folder::relative(dir, &path);
        let text = Text::new(
            format!("{place} n’est joint à aucune écriture (ajout interrompu)."),
            format!("{place} is attached to no entry (adding was interrupted)."),
        );
        verified.notices.push(Problem::of_file(&place, text));
    }
    Ok(())
}

/// Reports, exports and what else the product wrote below the case, where they still lie as one device recorded them last. Copies
/// that were united may each have written the same file: either is as it was written.
fn exports(dir: &Path, entries: &[Entry], verified: &mut Verified) {
    let mut last: BTreeMap<String, BTreeMap<&str, (u64, String, String)>> = BTreeMap::new();
    for entry in entries {
        let Some(Payload::Fact { name, mut facts }) = Payload::of(entry) else { continue };
        let (Some(file), Some(sha256)) = (facts.remove("file"), facts.remove("sha256")) else { continue };
        // Only below the case: a record names no other file of this machine.
        let inside = Path::new(&file).components().all(|c| matches!(c, std::path::Component::Normal(_)));
        if !matches!(name.as_str(), "export" | "migrated") || !inside {
            continue;
        }
        let (seq, id) = (entry.header.seq, entry.header.entry_id.clone());
        let by_writer = last.entry(file).or_default();
        if by_writer.get(entry.header.writer.as_str()).is_none_or(|l| l.0 < seq) {
            by_writer.insert(&entry.header.writer, (seq, sha256, id));
        }
    }
    for (file, by_writer) in last {
        let path = dir.join(&file);
        if !path.exists() {
            continue;
        }
        let id = by_writer.values().next().map(|l| l.2.clone());
        let now = folder::hash(&path);
        let same = now.map(|now| by_writer.values().any(|l| l.1 == now));
        verified.problems.extend(evidence::unchanged(dir, &path, same, id));
    }
}
