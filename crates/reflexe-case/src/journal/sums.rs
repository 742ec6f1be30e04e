//! Sums of the bytes that no hash chain covers: every page of `case.sqlite`, in `case.sum`, signed by the device that wrote last.
//!
//! They are renewed after each transaction, under SQLite's read lock. If the process ends between the two, SQLite's own change
//! counter shows that the sums speak of an earlier state.
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use reflexe_model::Text;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::{
    chain,
    device::{Device, random},
    verify::Problem,
};
use crate::{
    error::{Doing, Error},
    store,
};

const PAGES: &str = "case.sum";
/// What stands before the sums in the hash that is signed.
const DOMAIN: &str = "reflexe-sums-v1";
const PAGE: usize = 4096;

/// Renews the sums of the manifest.
pub(crate) fn refresh(db: &mut Connection, dir: &Path, device: &Device) -> Result<(), Error> {
    let database = store::database(&dir.join("case.sqlite"));
    // The read lock is held until the sums are in place: they never replace those of a later state.
    db.execute_batch("BEGIN").map_err(&database)?;
    let result = write_pages(db, dir, device);
    db.execute_batch("ROLLBACK").map_err(&database)?;
    result
}

fn write_pages(db: &mut Connection, dir: &Path, device: &Device) -> Result<(), Error> {
    let database = store::database(&dir.join("case.sqlite"));
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(&database)?;
    let bytes = db.serialize("main").map_err(&database)?;
    let mut text = format!("counter {}\n", counter(&bytes));
    for page in bytes.chunks(PAGE) {
        let _ = writeln!(text, "{}", blake3::hash(page).to_hex());
    }
    let case_id = store::case_id(db, &dir.join("case.sqlite"))?;
    // Without a signature the sums would be refused: a hash is always hexadecimal.
    let signature = chain::sign(device.key(), &signed(&case_id, &text)).unwrap_or_default();
    let _ = writeln!(text, "by {} {signature}", device.writer());
    replace(dir, PAGES, &text)
}

/// What is signed: the sums of this case and of no other.
fn signed(case_id: &str, sums: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(case_id);
    hasher.update(sums);
    chain::hex(&hasher.finalize())
}

/// SQLite's change counter.
fn counter(bytes: &[u8]) -> u32 {
    number(bytes, 24)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// Writes a file of sums, closed by its own sum, in one step.
fn replace(dir: &Path, name: &str, text: &str) -> Result<(), Error> {
    let staged = dir.join(format!("{name}.{}", chain::hex(&random::<8>()?)));
    let write = || {
        let mut file = File::create_new(&staged)?;
        writeln!(file, "{text}end {}", blake3::hash(text.as_bytes()).to_hex())?;
        file.sync_all()?;
        fs::rename(&staged, dir.join(name))
    };
    write().map_err(|error| {
        // The first error is the one to tell.
        let _ = fs::remove_file(&staged);
        Error::io(Doing::Writing, &dir.join(name))(error)
    })
}

/// Whether this is what an interrupted renewal leaves.
pub(crate) fn is_leftover(name: &str) -> bool {
    name.strip_prefix(PAGES).is_some_and(|rest| rest.len() == 17 && rest.starts_with('.'))
}

/// The lines of a file of sums; `None` if there is none, `Err` if it is damaged.
fn lines(dir: &Path, name: &str) -> Result<Option<Vec<String>>, Problem> {
    let bytes = match fs::read(dir.join(name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Problem::unreadable(name, &error)),
    };
    let damaged = || {
        Problem::of_file(
            name,
            Text::new(
                format!("{name} a été modifié : ces sommes de contrôle ne prouvent plus rien. La prochaine écriture les refera."),
                format!("{name} was changed: these sums prove nothing any more. The next entry or import makes them again."),
            ),
        )
    };
    let text = String::from_utf8(bytes).map_err(|_| damaged())?;
    let body = text.rfind("end ").map(|at| text.split_at(at));
    match body {
        Some((body, end)) if end == format!("end {}\n", blake3::hash(body.as_bytes()).to_hex()) => {
            Ok(Some(body.lines().map(str::to_owned).collect()))
        }
        _ => Err(damaged()),
    }
}

/// Compares the manifest with its sums. `writers`: the devices that wrote the journal. The second list is not wrong, only to be known.
pub(crate) fn check_pages(bytes: &[u8], dir: &Path, case_id: &str, writers: &[&str]) -> (Vec<Problem>, Vec<Problem>) {
    let name = "case.sqlite";
    let mut problems = Vec::new();
    if counter(bytes) != number(bytes, 92) {
        problems.push(page_changed(1));
    }
    if fs::metadata(dir.join(name)).is_ok_and(|m| m.len() != bytes.len() as u64) {
        problems.push(page_changed(bytes.len() / PAGE + 1));
    }
    let lines = match lines(dir, PAGES) {
        Ok(Some(lines)) => lines,
        Ok(None) => return (problems, vec![lost()]),
        Err(problem) => return (vec![problem], Vec::new()),
    };
    let Some((head, mut sums)) = lines.split_first() else { return (problems, vec![stale(name)]) };
    let mut notices = Vec::new();
    match sums.split_last() {
        Some((by, rest)) if by.starts_with("by ") => {
            sums = rest;
            let body = lines[..lines.len() - 1].iter().map(|l| format!("{l}\n")).collect::<String>();
            let mut words = by.split(' ').skip(1);
            let (writer, signature) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if !writers.contains(&writer) || !chain::verifies(writer, &signed(case_id, &body), signature) {
                problems.push(not_ours());
                return (problems, notices);
            }
        }
        _ => notices.push(unsigned()),
    }
    if *head != format!("counter {}", counter(bytes)) {
        if problems.is_empty() {
            notices.push(stale(name));
        }
        return (problems, notices);
    }
    let pages: Vec<&[u8]> = bytes.chunks(PAGE).collect();
    // Cases of earlier versions have free pages. They hold nothing, and a transaction that was rolled back may have left anything there.
    let free = free(bytes);
    for n in (0..pages.len().max(sums.len())).filter(|n| !free.contains(&(n + 1))) {
        let now = pages.get(n).map(|page| blake3::hash(page).to_hex().to_string());
        if now.as_ref() != sums.get(n) && problems.len() < 20 {
            problems.push(page_changed(n + 1));
        }
    }
    problems.dedup();
    (problems, notices)
}

/// The free pages of a database that hold nothing at all: the leaves of its list of free pages.
fn free(bytes: &[u8]) -> BTreeSet<usize> {
    let mut leaves = BTreeSet::new();
    let mut trunk = number(bytes, 32) as usize;
    // Whoever damages the list must not keep us here.
    for _ in 0..bytes.len() / PAGE {
        let Some(at) = trunk.checked_sub(1).map(|n| n * PAGE).filter(|at| at + PAGE <= bytes.len()) else { break };
        let count = (number(bytes, at + 4) as usize).min(PAGE / 4 - 2);
        leaves.extend((0..count).map(|i| number(bytes, at + 8 + 4 * i) as usize));
        trunk = number(bytes, at) as usize;
    }
    leaves
}

fn not_ours() -> Problem {
    Problem::of_file(
        PAGES,
        Text::new(
            format!(
                "{PAGES} n’est signé par aucun poste du journal : ces sommes de contrôle ne prouvent rien. La prochaine écriture les refera."
            ),
            format!("{PAGES} is signed by no device of the journal: these sums prove nothing. The next entry makes them again."),
        ),
    )
}

fn unsigned() -> Problem {
    Problem::of_file(
        PAGES,
        Text::new(
            format!("{PAGES} n’est pas signé (une version antérieure l’a écrit). La prochaine écriture le refera."),
            format!("{PAGES} is not signed (an earlier version wrote it). The next entry makes it again."),
        ),
    )
}

fn lost() -> Problem {
    Problem::of_file(
        PAGES,
        Text::new(
            format!(
                "{PAGES} manque : les octets de case.sqlite ne sont vérifiés que par les écritures et les preuves. La prochaine écriture le refera."
            ),
            format!(
                "{PAGES} is missing: the bytes of case.sqlite are verified through entries and evidence only. The next entry makes it again."
            ),
        ),
    )
}

fn page_changed(page: usize) -> Problem {
    Problem::of_file(
        "case.sqlite",
        Text::new(
            format!(
                "case.sqlite, page {page} : des octets ont changé hors de reflexe. Comparez avec une copie du dossier ; si des écritures sont aussi nommées, elles sont touchées."
            ),
            format!(
                "case.sqlite, page {page}: bytes were changed outside reflexe. Compare with a copy of the case; entries named beside this are affected."
            ),
        ),
    )
}

fn stale(name: &str) -> Problem {
    Problem::of_file(
        name,
        Text::new(
            format!(
                "{name} : les sommes de contrôle datent d’un état antérieur (reflexe a été interrompu, ou une autre version a écrit). Les écritures et les preuves sont vérifiées quand même ; la prochaine écriture refera les sommes."
            ),
            format!(
                "{name}: the sums speak of an earlier state (reflexe was interrupted, or something else wrote). Entries and evidence are verified all the same; the next entry renews the sums."
            ),
        ),
    )
}
