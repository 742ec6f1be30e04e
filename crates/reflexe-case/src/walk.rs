//! Which files an import looks at: every regular file under the given paths, in byte order of the path as it is shown.
//!
//! The order is the same on every machine, because it decides which copy of a record is kept.
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use reflexe_model::Text;

use crate::{
    error::{Doing, Error},
    store,
};

/// A file to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Path to open.
    pub path: PathBuf,
    /// Path as given, then as found below it; `/` between the parts on every system.
    pub shown: String,
    /// Absolute path without links.
    pub origin: PathBuf,
    /// Size in bytes when it was listed.
    pub size: u64,
}

/// Everything under the given paths.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files to import, in order.
    pub files: Vec<Found>,
    /// What could not be listed or is no evidence by nature: shown path, reason, harmless.
    pub problems: Vec<(String, Text, bool)>,
}

/// Lists the files under `roots`. `case_dir` itself and other cases are left out.
pub fn list(roots: &[PathBuf], case_dir: &Path) -> Listing {
    let inside = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
    let mut walk = Walk { case_dir: case_dir.canonicalize().ok(), inside, ..Walk::default() };
    for root in roots {
        walk.visit(root, &shown(root));
    }
    let mut listing = walk.listing;
    listing.files.sort_by(|a, b| a.shown.as_bytes().cmp(b.shown.as_bytes()));
    // A folder and a file in it may both be given, and links may lead to one file twice: the first name stays.
    let mut seen = BTreeSet::new();
    listing.files.retain(|f| seen.insert(f.origin.clone()));
    listing.problems.sort_by(|a, b| a.0.cmp(&b.0));
    listing.problems.dedup_by(|a, b| a.0 == b.0);
    listing
}

#[derive(Default)]
struct Walk {
    case_dir: Option<PathBuf>,
    /// What was given, without links: what leads out of it was not.
    inside: Vec<PathBuf>,
    /// Folders already entered, without links: a link that leads back ends here.
    entered: BTreeSet<PathBuf>,
    listing: Listing,
}

impl Walk {
    fn visit(&mut self, path: &Path, shown: &str) {
        let (origin, meta) = match path.canonicalize().and_then(|origin| Ok((origin, fs::metadata(path)?))) {
            Ok(both) => both,
            Err(error) => return self.unreadable(path, shown, error),
        };
        if !self.inside.iter().any(|root| origin.starts_with(root)) {
            let reason = Text::new(
                format!(
                    "Lien vers l’extérieur du dossier donné ({}) : non suivi. Donnez ce chemin lui-même s’il fait partie des preuves.",
                    origin.display()
                ),
                format!(
                    "A link that leads out of the folder given ({}): not followed. Give that path itself if it is part of the evidence.",
                    origin.display()
                ),
            );
            self.listing.problems.push((shown.to_owned(), reason, false));
        } else if of_the_system(&origin) {
            let reason = Text::new(
                "Fichier du système (/proc, /sys ou /dev) : non lu.",
                "A file of the system itself (/proc, /sys or /dev): not read.",
            );
            self.listing.problems.push((shown.to_owned(), reason, false));
        } else if meta.is_dir() {
            self.enter(path, shown, origin);
        } else if meta.is_file() {
            self.listing.files.push(Found { path: path.to_owned(), shown: shown.to_owned(), origin, size: meta.len() });
        } else {
            let reason = Text::new(
                "Ni un fichier ni un dossier (périphérique, tube ou socket) : non lu.",
                "Neither a file nor a folder (device, pipe or socket): not read.",
            );
            self.listing.problems.push((shown.to_owned(), reason, false));
        }
    }

    fn enter(&mut self, path: &Path, shown: &str, origin: PathBuf) {
        if Some(&origin) == self.case_dir.as_ref() || store::looks_like_a_case(path) {
            let reason = Text::new(
                "Dossier reflexe : ses fichiers ne sont pas des preuves à importer.",
                "A reflexe case: its files are not evidence to import.",
            );
            self.listing.problems.push((shown.to_owned(), reason, true));
            return;
        }
        if !self.entered.insert(origin) {
            return;
        }
        let entries = match fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(mut entries) => {
                entries.sort_by_key(fs::DirEntry::file_name);
                entries
            }
            Err(error) => return self.unreadable(path, shown, error),
        };
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let below = if shown.ends_with('/') { format!("{shown}{name}") } else { format!("{shown}/{name}") };
            if is_left_by_a_system(&name) {
                let reason = Text::new(
                    "Fichier caché, ou laissé là par un système ou une suite bureautique : non lu. Donnez son chemin lui-même s’il fait partie des preuves.",
                    "A hidden file, or one that a system or an office program left there: not read. Give its own path if it is part of the evidence.",
                );
                self.listing.problems.push((below, reason, true));
            } else {
                self.visit(&entry.path(), &below);
            }
        }
    }

    fn unreadable(&mut self, path: &Path, shown: &str, error: io::Error) {
        let reason = Error::io(Doing::Reading, path)(error).text();
        self.listing.problems.push((shown.to_owned(), reason, false));
    }
}

/// What a Unix system shows as files and is none: reading it may never end.
fn of_the_system(origin: &Path) -> bool {
    cfg!(unix) && ["/proc", "/sys", "/dev"].iter().any(|root| origin.starts_with(root))
}

/// Hidden files, and what operating systems and office programs leave beside others.
fn is_left_by_a_system(name: &str) -> bool {
    const LEFT: [&str; 6] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "__macosx"];
    name.starts_with('.') || name.starts_with("~$") || LEFT.contains(&name.to_lowercase().as_str())
}

fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(listing: &Listing, root: &Path) -> Vec<String> {
        let root = format!("{}/", root.display());
        listing.files.iter().map(|f| f.shown.strip_prefix(&root).unwrap_or(&f.shown).to_owned()).collect()
    }

    #[test]
    fn hidden_files_cases_and_duplicates_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.json", "a/z.csv", "a.csv", ".hidden", "Thumbs.db", "~$open.xlsx", "old/case.lock", "mine/x"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        store::open_new(&dir.path().join("old/case.sqlite")).unwrap();
        let roots = [dir.path().to_owned(), dir.path().join("b.json")];
        let listing = list(&roots, &dir.path().join("mine"));
        // byte order: '.' (0x2e) sorts before '/' (0x2f)
        assert_eq!(names(&listing, dir.path()), ["a.csv", "a/z.csv", "b.json"]);
        let problems: Vec<&str> = listing.problems.iter().map(|p| p.0.rsplit('/').next().unwrap()).collect();
        assert_eq!(problems, [".hidden", "Thumbs.db", "mine", "old", "~$open.xlsx"], "each is named, two are cases");
        assert!(listing.problems.iter().all(|p| p.2), "and none is a problem: {:?}", listing.problems);
    }

    #[test]
    fn a_missing_path_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let listing = list(&[dir.path().join("nowhere.csv")], dir.path());
        assert!(listing.files.is_empty());
        assert!(listing.problems[0].1.en.contains("does not exist"), "{:?}", listing.problems);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_back_end_and_pipes_are_not_opened() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let sub = dir.path().join("sub");
        fs::create_dir(&sub).unwrap();
        fs::write(sub.join("a.csv"), "x").unwrap();
        symlink(dir.path(), sub.join("back")).unwrap();
        symlink(sub.join("a.csv"), dir.path().join("same.csv")).unwrap();
        symlink(dir.path().join("gone"), dir.path().join("broken.csv")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        let listing = list(&[dir.path().to_owned()], Path::new("elsewhere"));
        assert_eq!(names(&listing, dir.path()), ["same.csv"], "one file under its first name");
        let problems: Vec<_> = listing.problems.iter().map(|p| p.0.rsplit('/').next().unwrap()).collect();
        assert_eq!(problems, ["broken.csv", "socket"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_leads_out_or_is_no_file_is_named_and_left() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let (given, away) = (dir.path().join("given"), dir.path().join("away"));
        fs::create_dir_all(given.join("sub")).unwrap();
        fs::create_dir(&away).unwrap();
        fs::write(away.join("a.csv"), "x").unwrap();
        fs::write(given.join("sub/b.csv"), "x").unwrap();
        symlink(away.join("a.csv"), given.join("file.csv")).unwrap();
        symlink(&away, given.join("folder")).unwrap();
        symlink("/proc/self/environ", given.join("environ")).unwrap();
        symlink("/dev/zero", given.join("zero")).unwrap();
        symlink(given.join("sub"), given.join("within")).unwrap();
        let listing = list(std::slice::from_ref(&given), Path::new("elsewhere"));
        assert_eq!(names(&listing, &given), ["sub/b.csv"], "a link inside shows the same file under its first name");
        let left: Vec<(&str, bool)> =
            listing.problems.iter().map(|p| (p.0.rsplit('/').next().unwrap(), p.1.en.contains("leads out"))).collect();
        assert_eq!(left, [("environ", true), ("file.csv", true), ("folder", true), ("zero", true)]);
        let asked = list(&[PathBuf::from("/proc/self/environ"), PathBuf::from("/dev/null")], Path::new("elsewhere"));
        assert!(asked.files.is_empty() && asked.problems.len() == 2, "{asked:?}");
        let link = list(&[given.join("folder")], Path::new("elsewhere"));
        assert_eq!(link.files.len(), 1, "a link that was given itself is meant");
    }

    proptest! {
        #[test]
        fn order_does_not_depend_on_creation_or_argument_order(names_in in proptest::collection::btree_set("[a-c][a-c.-]{0,3}", 1..8), turn in 0usize..8) {
            let dir = tempfile::tempdir().unwrap();
            let mut paths: Vec<PathBuf> = names_in.iter().map(|n| dir.path().join(n)).collect();
            for p in &paths { fs::write(p, "x").unwrap(); }
            let whole = list(&[dir.path().to_owned()], Path::new("elsewhere"));
            let n = paths.len();
            paths.rotate_left(turn % n);
            let single = list(&paths, Path::new("elsewhere"));
            prop_assert_eq!(whole.files, single.files);
        }
    }
}
