//! The one way in which commands write files: below the case through its journal, elsewhere as they are; whole or not at all.
use std::{
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use reflexe_case::journal::Journal;
use reflexe_model::Lang;

/// Files to be written: where, and what.
pub type Files = Vec<(PathBuf, Vec<u8>)>;

/// Writes files of the product's own below a case; the journal tells of each.
///
/// # Errors
/// When a file or the journal cannot be written.
pub fn own(case: &Path, files: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    let mut journal = Journal::open(case)?;
    for (path, bytes) in files {
        journal.export(path, bytes)?;
    }
    Ok(())
}

/// Writes files where a person wants them. Below the case that is `reports/` only, and the journal tells of each: nothing else
/// there is ever replaced.
///
/// # Errors
/// When a place is not for reports, or a file or the journal cannot be written.
pub fn wanted(case: &Path, files: &[(PathBuf, Vec<u8>)], lang: Lang) -> Result<()> {
    for (path, bytes) in files {
        match below(case, path)? {
            None => plain(path, bytes)?,
            Some(inside) if inside.starts_with("reports") => own(case, &[(case.join(inside), bytes.clone())])?,
            Some(_) if lang == Lang::Fr => bail!(
                "{} : dans le dossier du cas, un fichier ne s’écrit que sous reports/. Choisissez reports/ ou un autre dossier.",
                path.display()
            ),
            Some(_) => bail!(
                "{}: in the case folder a file is written to reports/ only. Choose reports/ or another folder.",
                path.display()
            ),
        }
    }
    Ok(())
}

/// Writes a file whole, or leaves what was there: who prints it never gets half of one.
///
/// # Errors
/// When it cannot be written.
pub fn plain(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut staged = OsString::from(path);
    staged.push(format!(".{}.new", std::process::id()));
    fs::write(&staged, bytes).and_then(|()| fs::rename(&staged, path)).with_context(|| path.display().to_string())
}

/// Where a file stands below the case folder, if it does, whatever links lead there. Its own folder need not exist yet.
fn below(case: &Path, path: &Path) -> Result<Option<PathBuf>> {
    let case = fs::canonicalize(case).with_context(|| case.display().to_string())?;
    let full = std::path::absolute(path).with_context(|| path.display().to_string())?;
    let name = full.file_name().with_context(|| path.display().to_string())?;
    let folder = full.parent().unwrap_or(&full);
    let there = folder.ancestors().find(|a| a.exists()).unwrap_or(folder);
    let rest = folder.strip_prefix(there).unwrap_or(Path::new(""));
    if rest.components().any(|c| c == Component::ParentDir) {
        bail!("{}", path.display());
    }
    let real = fs::canonicalize(there).with_context(|| path.display().to_string())?.join(rest).join(name);
    Ok(real.strip_prefix(&case).ok().map(Path::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_below_the_case_is_known_through_links_and_before_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        let case = dir.path().join("case");
        fs::create_dir_all(case.join("reports")).unwrap();
        let at = |p: &str| below(&case, &dir.path().join(p)).unwrap();
        assert_eq!(at("case/reports/a.html"), Some("reports/a.html".into()));
        assert_eq!(at("case/case.sqlite"), Some("case.sqlite".into()));
        assert_eq!(at("case/reports/../case.sqlite"), Some("case.sqlite".into()));
        assert_eq!(at("case/reports/new/deep/a"), Some("reports/new/deep/a".into()));
        assert_eq!(at("case2/a"), None);
        assert!(below(&case, &dir.path().join("case/reports/none/../../case.sqlite")).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&case, dir.path().join("link")).unwrap();
            assert_eq!(at("link/tables/a"), Some("tables/a".into()));
        }
    }

    #[test]
    fn nothing_of_the_case_is_replaced_but_reports() {
        let dir = tempfile::tempdir().unwrap();
        let case = dir.path().join("case");
        fs::create_dir(&case).unwrap();
        fs::write(case.join("case.sqlite"), "precious").unwrap();
        for lang in [Lang::Fr, Lang::En] {
            let error = wanted(&case, &[(case.join("case.sqlite"), b"x".to_vec())], lang).unwrap_err().to_string();
            assert!(error.contains("reports/"), "{error}");
        }
        assert_eq!(fs::read_to_string(case.join("case.sqlite")).unwrap(), "precious");
    }
}
