//! The tree `fiche/` in memory: embedded at build, or read from the folder that `REFLEXE_FICHE_DIR` names, so that a
//! responder can edit or add checks without building.
use std::{collections::BTreeMap, fs, path::Path, sync::LazyLock};

use reflexe_model::Text;

use crate::def::{ActionDef, CaseFile, CheckDef, ItemDef, ItemFile, SignalDef};
use crate::question::{QuestionDef, QuestionFile};

/// Files found under `fiche/` at build.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/tree.rs"));
}

/// A check with its query.
#[derive(Debug, Clone)]
pub struct Check {
    /// How it judges and speaks.
    pub def: CheckDef,
    /// What it sees.
    pub sql: String,
    /// Folder, relative to `fiche/`.
    pub folder: String,
}

/// A signal with its query.
#[derive(Debug, Clone)]
pub struct Signal {
    /// Name: the view is `signal.<name>`.
    pub name: String,
    /// What it means.
    pub def: SignalDef,
    /// Its query.
    pub sql: String,
}

/// Everything that `fiche/` holds for Mesure 1.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Checks, by id.
    pub checks: Vec<Check>,
    /// Signals, each after those that it reads.
    pub signals: Vec<Signal>,
    /// Actions, in order.
    pub actions: Vec<ActionDef>,
    /// Items, in the order of the sheet.
    pub items: Vec<ItemDef>,
    /// Questions, in the order of the files, which is the sheet's.
    pub questions: Vec<QuestionDef>,
}

/// Why the tree cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file is missing or unreadable.
    #[error("cannot read {path}: {source}")]
    Read {
        /// File or folder.
        path: String,
        /// Cause.
        source: std::io::Error,
    },
    /// A file does not say what it should.
    #[error("{path}: {message}")]
    Wrong {
        /// File, relative to the tree.
        path: String,
        /// What is wrong.
        message: String,
    },
}

impl Catalogue {
    /// The tree from the folder named by `REFLEXE_FICHE_DIR`, else the embedded one.
    ///
    /// # Errors
    /// When the folder cannot be read or a file in it is wrong: it is never replaced silently by the embedded tree.
    pub fn load() -> Result<Self, CatalogueError> {
        match std::env::var_os("REFLEXE_FICHE_DIR") {
            Some(dir) => Self::from_dir(Path::new(&dir)),
            None => Self::embedded(),
        }
    }

    /// The tree as it was at build.
    ///
    /// # Errors
    /// Never in a released build: the build script parsed the same files.
    pub fn embedded() -> Result<Self, CatalogueError> {
        Self::from_files(embedded::FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
    }

    /// A tree on disk.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub fn from_dir(dir: &Path) -> Result<Self, CatalogueError> {
        let mut files = BTreeMap::new();
        read_tree(dir, dir, &mut files)?;
        Self::from_files(files)
    }

    fn from_files(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, CatalogueError> {
        let files: BTreeMap<String, String> = files.into_iter().collect();
        let mut all =
            Self { checks: Vec::new(), signals: Vec::new(), actions: Vec::new(), items: Vec::new(), questions: Vec::new() };
        for (path, text) in &files {
            if path == "items.toml" {
                all.items = parse::<ItemFile>(path, text)?.item;
            } else if let Some(folder) = path.strip_suffix("/check.toml") {
                let sql = required(&files, &format!("{folder}/check.sql"))?;
                all.checks.push(Check { def: parse(path, text)?, sql: strip(sql), folder: folder.to_owned() });
            } else if path.ends_with("/questions.toml") {
                all.questions.extend(parse::<QuestionFile>(path, text)?.question);
            } else if path.ends_with("/action.toml") {
                all.actions.push(parse(path, text)?);
            } else if let Some(name) = path.strip_prefix("signals/").and_then(|p| p.strip_suffix(".sql")) {
                let toml_path = format!("signals/{name}.toml");
                let def = parse(&toml_path, required(&files, &toml_path)?)?;
                all.signals.push(Signal { name: name.to_owned(), def, sql: strip(text) });
            }
        }
        all.checks.sort_by(|a, b| a.def.id.cmp(&b.def.id));
        all.actions.sort_by(|a, b| a.id.cmp(&b.id));
        all.signals = in_dependency_order(all.signals)?;
        Ok(all)
    }

    /// A check by id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|c| c.def.id == id)
    }

    /// A question by id.
    pub fn question(&self, id: &str) -> Option<&QuestionDef> {
        self.questions.iter().find(|q| q.id == id)
    }

    /// Signals that a query reads, directly or through others, in dependency order.
    pub fn signals_of(&self, sql: &str) -> Vec<&Signal> {
        let mut names = signals_in(sql);
        // Signals are sorted so that each stands after those it reads: walking backwards closes the set in one pass.
        for signal in self.signals.iter().rev() {
            if names.contains(&signal.name) {
                names.extend(signals_in(&signal.sql));
            }
        }
        self.signals.iter().filter(|s| names.contains(&s.name)).collect()
    }

    /// Cases of a check in a tree on disk (they are not embedded).
    ///
    /// # Errors
    /// When the file cannot be read or parsed.
    pub fn cases(dir: &Path, check: &Check) -> Result<CaseFile, CatalogueError> {
        let path = dir.join(&check.folder).join("cases.toml");
        let shown = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|source| CatalogueError::Read { path: shown.clone(), source })?;
        parse(&shown, &text)
    }
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(path: &str, text: &str) -> Result<T, CatalogueError> {
    toml::from_str(text).map_err(|e| CatalogueError::Wrong { path: path.to_owned(), message: e.to_string() })
}

/// The files of the tree: from `REFLEXE_FICHE_DIR` if it is set, else as embedded.
pub(crate) fn tree() -> Result<BTreeMap<String, String>, CatalogueError> {
    let Some(dir) = std::env::var_os("REFLEXE_FICHE_DIR") else {
        return Ok(embedded::FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
    };
    let mut files = BTreeMap::new();
    read_tree(Path::new(&dir), Path::new(&dir), &mut files)?;
    Ok(files)
}

fn required<'a>(files: &'a BTreeMap<String, String>, path: &str) -> Result<&'a str, CatalogueError> {
    files
        .get(path)
        .map(String::as_str)
        .ok_or_else(|| CatalogueError::Wrong { path: path.to_owned(), message: "is missing".to_owned() })
}

fn strip(sql: &str) -> String {
    sql.trim().trim_end_matches(';').to_owned()
}

fn read_tree(root: &Path, dir: &Path, out: &mut BTreeMap<String, String>) -> Result<(), CatalogueError> {
    let fail = |path: &Path, source| CatalogueError::Read { path: path.display().to_string(), source };
    for entry in fs::read_dir(dir).map_err(|e| fail(dir, e))? {
        let path = entry.map_err(|e| fail(dir, e))?.path();
        if path.is_dir() {
            read_tree(root, &path, out)?;
        } else if path.extension().is_some_and(|e| e == "toml" || e == "sql") {
            let short = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            out.insert(short, fs::read_to_string(&path).map_err(|e| fail(&path, e))?);
        }
    }
    Ok(())
}

/// Names after `signal.` in a query.
pub fn signals_in(sql: &str) -> std::collections::BTreeSet<String> {
    sql.match_indices("signal.")
        .map(|(at, word)| {
            let rest = &sql[at + word.len()..];
            rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn in_dependency_order(mut left: Vec<Signal>) -> Result<Vec<Signal>, CatalogueError> {
    left.sort_by(|a, b| a.name.cmp(&b.name));
    let known: std::collections::BTreeSet<String> = left.iter().map(|s| s.name.clone()).collect();
    let mut out: Vec<Signal> = Vec::new();
    while !left.is_empty() {
        let ready =
            left.iter().position(|s| signals_in(&s.sql).iter().all(|n| !known.contains(n) || out.iter().any(|o| &o.name == n)));
        let Some(at) = ready else {
            let names: Vec<_> = left.iter().map(|s| s.name.as_str()).collect();
            return Err(CatalogueError::Wrong {
                path: "signals".into(),
                message: format!("{} read each other", names.join(", ")),
            });
        };
        out.push(left.remove(at));
    }
    Ok(out)
}

/// The words of a question of the embedded tree.
pub fn question_text(id: &str) -> Option<&'static Text> {
    static WORDS: LazyLock<BTreeMap<String, Text>> = LazyLock::new(|| {
        // The tree is validated when it is embedded; without it no report could be written either.
        let questions = Catalogue::embedded().map(|c| c.questions).unwrap_or_default();
        questions.into_iter().map(|q| (q.id.clone(), q.text())).collect()
    });
    WORDS.get(id)
}
