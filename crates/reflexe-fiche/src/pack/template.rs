//! An empty pack to fill in: each file says what goes where.
use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use reflexe_model::Lang;

use super::{PROFILE, PackError};
use crate::response::def::PackTable;

const PROFILE_FR: &str = include_str!("profile.fr.toml");
const PROFILE_EN: &str = include_str!("profile.en.toml");

pub(super) fn create(dir: &Path, tables: &[PackTable], lang: Lang) -> Result<Vec<PathBuf>, PackError> {
    let fail = |path: &Path, source| PackError::Io { path: path.to_owned(), source };
    fs::create_dir_all(dir).map_err(|e| fail(dir, e))?;
    let mut files = vec![(dir.join(PROFILE), if lang == Lang::Fr { PROFILE_FR } else { PROFILE_EN }.to_owned())];
    files.extend(tables.iter().map(|t| (dir.join(format!("{}.csv", t.id)), csv(t, lang))));
    if let Some((path, _)) = files.iter().find(|(p, _)| p.exists()) {
        return Err(PackError::Exists { path: path.clone() });
    }
    for (path, text) in &files {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => PackError::Exists { path: path.clone() },
            _ => fail(path, e),
        })?;
        file.write_all(text.as_bytes()).map_err(|e| fail(path, e))?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn csv(table: &PackTable, lang: Lang) -> String {
    let mut out = format!("# {}\n", table.title.get(lang));
    for column in &table.column {
        let star = if column.required { " *" } else { "" };
        let _ = writeln!(out, "# {}{star} : {}", column.name, column.hint.get(lang));
    }
    out.push_str(&table.column.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(";"));
    out.push('\n');
    out
}
