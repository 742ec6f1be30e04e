//! Sums of the bytes that no hash chain covers: every page of `case.sqlite` (`case.sum`), the index of record ids and the copies
//! of older manifests (`files.sum`). They find damage, not malice: whoever can write the case can write them.
//!
//! `case.sum` is renewed after each transaction, under SQLite's read lock. If the process ends between the two, SQLite's own
//! change counter shows that the sums speak of an earlier state. `files.sum` is taken away while an import runs.
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use reflexe_model::Text;
use rusqlite::Connection;

use super::{chain, device::random, verify::Problem};
use crate::{
    error::{Doing, Error},
    folder, store,
};

const PAGES: &str = "case.sum";
const FILES: &str = "files.sum";
const PAGE: usize = 4096;

/// Renews the sums of the manifest.
pub(crate) fn refresh(db: &mut Connection, dir: &Path) -> Result<(), Error> {
    let database = store::database(&dir.join("case.sqlite"));
    // The read lock is held until the sums are in place: they never replace those of a later state.
    db.execute_batch("BEGIN").map_err(&database)?;
    let result = write_pages(db, dir);
    db.execute_batch("ROLLBACK").map_err(&database)?;
    result
}

fn write_pages(db: &mut Connection, dir: &Path) -> Result<(), Error> {
    let database = store::database(&dir.join("case.sqlite"));
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(&database)?;
    let bytes = db.serialize("main").map_err(&database)?;
    let mut text = format!("counter {}\n", counter(&bytes));
    for page in bytes.chunks(PAGE) {
        let _ = writeln!(text, "{}", blake3::hash(page).to_hex());
    }
    replace(dir, PAGES, &text)
}

/// Takes the sums of the other files away: they are about to change.
pub(crate) fn forget_files(dir: &Path) -> Result<(), Error> {
    folder::remove(&dir.join(FILES))
}

/// Renews the sums of the other files. The caller holds the case's lock.
pub(crate) fn refresh_files(dir: &Path) -> Result<(), Error> {
    let mut text = String::new();
    for path in covered(dir)? {
        let sum = sum(&path).map_err(Error::io(Doing::Reading, &path))?;
        let _ = writeln!(text, "{sum} {}", folder::relative(dir, &path));
    }
    replace(dir, FILES, &text)
}

/// Files that only `files.sum` covers.
fn covered(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = folder::entries(&dir.join("index"))?;
    let old = |p: &PathBuf| folder::name(p).starts_with("case.format-");
    files.extend(folder::entries(dir)?.into_iter().filter(old));
    files.retain(|p| p.is_file());
    Ok(files)
}

fn sum(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
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
    [PAGES, FILES].iter().any(|n| name.strip_prefix(n).is_some_and(|rest| rest.len() == 17 && rest.starts_with('.')))
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

/// Compares the manifest with its sums. The second list is not wrong, only to be known.
pub(crate) fn check_pages(bytes: &[u8], dir: &Path) -> (Vec<Problem>, Vec<Problem>) {
    let name = "case.sqlite";
    let mut problems = Vec::new();
    if counter(bytes) != number(bytes, 92) {
        problems.push(page_changed(1));
    }
    let lines = match lines(dir, PAGES) {
        Ok(Some(lines)) => lines,
        Ok(None) => return (problems, vec![stale(name)]),
        Err(problem) => return (vec![problem], Vec::new()),
    };
    let Some((head, sums)) = lines.split_first() else { return (problems, vec![stale(name)]) };
    if *head != format!("counter {}", counter(bytes)) {
        let notices = if problems.is_empty() { vec![stale(name)] } else { Vec::new() };
        return (problems, notices);
    }
    let pages: Vec<&[u8]> = bytes.chunks(PAGE).collect();
    for n in 0..pages.len().max(sums.len()) {
        let now = pages.get(n).map(|page| blake3::hash(page).to_hex().to_string());
        if now.as_ref() != sums.get(n) && problems.len() < 20 {
            problems.push(page_changed(n + 1));
        }
    }
    problems.dedup();
    (problems, Vec::new())
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

/// Compares the other files with their sums.
pub(crate) fn check_files(dir: &Path) -> Result<(Vec<Problem>, Vec<Problem>), Error> {
    let lines = match lines(dir, FILES) {
        Ok(Some(lines)) => lines,
        Ok(None) => {
            let any = !covered(dir)?.is_empty();
            return Ok((Vec::new(), if any { vec![stale("index/")] } else { Vec::new() }));
        }
        Err(problem) => return Ok((vec![problem], Vec::new())),
    };
    let (mut problems, mut notices) = (Vec::new(), Vec::new());
    let mut there = covered(dir)?;
    for line in lines {
        let Some((before, file)) = line.split_once(' ') else { continue };
        let path = dir.join(file);
        there.retain(|p| *p != path);
        match sum(&path) {
            Ok(now) if now == before => {}
            Ok(_) => problems.push(Problem::of_file(
                file,
                Text::new(
                    format!("{file} a été modifié hors de reflexe. Reprenez ce fichier d’une copie du dossier, ou réimportez les preuves dans un nouveau dossier."),
                    format!("{file} was changed outside reflexe. Take it from a copy of the case, or import the evidence into a new one."),
                ),
            )),
            Err(error) => problems.push(Problem::unreadable(file, &error)),
        }
    }
    for path in there {
        let file = folder::relative(dir, &path);
        notices.push(Problem::of_file(
            &file,
            Text::new(format!("{file} n’est couvert par aucune somme."), format!("{file} is covered by no sum.")),
        ));
    }
    Ok((problems, notices))
}
