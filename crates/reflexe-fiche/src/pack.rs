//! The preparation pack: what an organisation wrote down in peace time. A folder with `preparation.toml` and one CSV a table;
//! each row has an owner and the date of its last check. The tables are data (`fiche/next/pack.toml`).
mod freshness;
mod inputs;
mod read;
mod template;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use reflexe_model::{Lang, Text};
use serde::Deserialize;

pub use self::{
    freshness::{Freshness, TableFreshness},
    inputs::{Egress, Legit, Prefill},
};
use crate::response::{Response, def::PackTable};

/// Name of the file that holds the profile.
pub const PROFILE: &str = "preparation.toml";

/// Why a pack cannot be made or read at all. Faults inside it are [`Fault`]s.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The folder holds a pack already.
    #[error("{path} exists already")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The folder holds no pack.
    #[error("{path} is not there")]
    NotAPack {
        /// The file that is missing.
        path: PathBuf,
    },
}

impl PackError {
    /// What went wrong, where, what to do.
    pub fn text(&self) -> Text {
        match self {
            Self::Io { path, source } => {
                let p = path.display();
                Text::new(
                    format!("{p} ne peut être ni lu ni écrit : {source}. Vérifiez le chemin et les droits."),
                    format!("{p} can be neither read nor written: {source}. Check the path and the rights."),
                )
            }
            Self::Exists { path } => {
                let p = path.display();
                Text::new(
                    format!("{p} existe déjà : rien n'a été écrasé. Choisissez un autre dossier."),
                    format!("{p} exists already: nothing was overwritten. Choose another folder."),
                )
            }
            Self::NotAPack { path } => {
                let p = path.display();
                Text::new(
                    format!(
                        "{p} n'existe pas : ce dossier n'est pas un dossier de préparation. Créez-en un avec « reflexe prepare new »."
                    ),
                    format!("{p} does not exist: this folder is no preparation pack. Create one with “reflexe prepare new”."),
                )
            }
        }
    }
}

/// Something wrong in a file of the pack; the rest is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the file.
    pub file: String,
    /// Line, from 1; `None`: the whole file.
    pub line: Option<u64>,
    /// What, and what to do.
    pub text: Text,
}

/// The organisation, as `preparation.toml` tells it. What is absent is not known.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Sector.
    pub sector: String,
    /// Number of people.
    pub people: Option<u32>,
    /// IANA zone.
    pub zone: String,
    /// Languages, the first one first.
    pub languages: Vec<Lang>,
    /// Traffic light of the case's papers.
    pub tlp: String,
    /// Data protection officer: name and telephone.
    pub dpo: String,
    /// Countries whose law applies.
    pub jurisdictions: Vec<String>,
    /// Statuses held or not (`nis2_essential = false`); absent: not known.
    pub statuses: BTreeMap<String, bool>,
    /// From how many accounts on an incident is extended.
    pub extended_accounts: Option<u32>,
    /// From which share of accounts on, in percent.
    pub extended_percent: Option<u32>,
    /// Insurer.
    pub insurer: Insurer,
    /// Hours that contracts give, by clock (`"D.CONTRACT" = 48`).
    pub contract_hours: BTreeMap<String, u32>,
}

/// The insurer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Insurer {
    /// Name.
    pub name: String,
    /// Number of the policy.
    pub policy: String,
    /// Telephone, day and night.
    pub phone: String,
    /// Hours of the notice clause.
    pub notice_hours: Option<u32>,
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// Cells by column, trimmed; empty ones are absent.
    pub cells: BTreeMap<String, String>,
}

impl Row {
    /// A cell; empty if it is not written.
    pub fn get(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// A date.
    pub fn date(&self, column: &str) -> Option<jiff::civil::Date> {
        self.get(column).parse().ok()
    }
}

/// A preparation pack in memory.
#[derive(Debug, Clone, Default)]
pub struct Pack {
    /// The organisation.
    pub profile: Profile,
    /// What the tables are.
    pub tables: Vec<PackTable>,
    /// Their rows, by table.
    pub rows: BTreeMap<String, Vec<Row>>,
}

impl Pack {
    /// Writes an empty, commented pack. Nothing that exists is overwritten.
    ///
    /// # Errors
    /// When a file exists already or cannot be written.
    pub fn create(dir: &Path, response: &Response, lang: Lang) -> Result<Vec<PathBuf>, PackError> {
        template::create(dir, &response.pack, lang)
    }

    /// Reads a pack. A faulty row is left out and named.
    ///
    /// # Errors
    /// When the folder holds no pack or a file cannot be read.
    pub fn load(dir: &Path, response: &Response) -> Result<(Self, Vec<Fault>), PackError> {
        read::load(dir, &response.pack)
    }

    /// Rows of a table.
    pub fn of(&self, table: &str) -> &[Row] {
        self.rows.get(table).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
