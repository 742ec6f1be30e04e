//! What can go wrong with a case folder, said in both languages: what, where, what to do.
use std::{
    error::Error as StdError,
    fmt, io,
    path::{Path, PathBuf},
};

use reflexe_model::Text;

/// What was being done to a file when the system refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Reading a file or listing a folder.
    Reading,
    /// Writing a file or making a folder.
    Writing,
    /// Moving a file to its place in the case.
    Moving,
    /// Removing what an interrupted import left.
    Cleaning,
}

/// What is wrong with a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleFault {
    /// The passphrase is too short.
    ShortPassphrase,
    /// The passphrase is not the one that it was made with.
    WrongPassphrase,
    /// It is damaged, cut short, or no bundle.
    Damaged,
    /// A file in it has a name or a kind that a case does not have.
    ForeignFile,
    /// It holds more than this program unpacks.
    TooLarge,
}

/// An error of the case folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder holds no case.
    NotACase {
        /// The folder.
        dir: PathBuf,
    },
    /// A case cannot be created among other files.
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// The case was made by a newer reflexe.
    Newer {
        /// The folder.
        dir: PathBuf,
        /// Format version of the case.
        found: u32,
        /// Latest format version that this program knows.
        known: u32,
    },
    /// The case was made by an older reflexe and was opened for reading only, so that it cannot be migrated.
    Older {
        /// The folder.
        dir: PathBuf,
        /// Format version of the case.
        found: u32,
        /// Format version that this program works with.
        known: u32,
    },
    /// Another process writes to the case.
    Locked {
        /// The folder.
        dir: PathBuf,
        /// Process id of the other, if it could be read.
        by: Option<u32>,
    },
    /// The case was opened for reading only.
    ReadOnly {
        /// The folder.
        dir: PathBuf,
    },
    /// The system refused something.
    Io {
        /// What was being done.
        doing: Doing,
        /// To which file or folder.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// SQLite refused something.
    Database {
        /// The database.
        path: PathBuf,
        /// The refusal.
        source: rusqlite::Error,
    },
    /// A value in the manifest is not what this program writes.
    Manifest {
        /// The database.
        path: PathBuf,
        /// What is wrong, in English (for whoever repairs it).
        what: String,
    },
    /// The coverage of a declaration could not be written.
    Declaration {
        /// The Parquet file.
        path: PathBuf,
        /// The refusal.
        source: parquet::errors::ParquetError,
    },
    /// A declaration needs a name.
    NoName,
    /// The case holds no such evidence.
    NoSuchEvidence {
        /// The id asked for.
        id: String,
    },
    /// The original of an evidence file is no longer where the case looks for it.
    OriginalMissing {
        /// Evidence id.
        id: String,
        /// Where it was expected.
        path: PathBuf,
        /// Whether it was referenced in place.
        in_place: bool,
    },
    /// The original of an evidence file is no longer the one that was imported.
    OriginalChanged {
        /// Evidence id.
        id: String,
        /// Where it is.
        path: PathBuf,
    },
    /// A row reference points outside the evidence file.
    OutOfBounds {
        /// Evidence id.
        id: String,
        /// First byte asked for.
        offset: u64,
        /// Number of bytes asked for.
        length: u64,
        /// Size of the file.
        size: u64,
    },
    /// A row reference names a part of a file that this version cannot open.
    NoSuchMember {
        /// Evidence id.
        id: String,
        /// The part.
        member: String,
    },
    /// The case holds as many evidence files as row ids can number.
    TooManyFiles {
        /// The limit.
        limit: u32,
    },
    /// An entry needs a title.
    NoTitle,
    /// A title is too long.
    LongTitle {
        /// Most characters.
        most: usize,
    },
    /// A correction or a redaction needs a reason.
    NoReason,
    /// Corrections and redactions name the entry that they concern.
    NotByAdd,
    /// The journal holds no such entry, or several begin so.
    NoSuchEntry {
        /// The id asked for.
        id: String,
    },
    /// The content of the entry is gone already.
    AlreadyRedacted {
        /// Its id.
        id: String,
    },
    /// The entry is changed by a new entry of its own kind, not by a correction.
    NotCorrectable {
        /// Its id.
        id: String,
    },
    /// A file that was to be attached is not there.
    NoSuchAttachment {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file is too large to be attached.
    LargeAttachment {
        /// The file.
        path: PathBuf,
        /// Most bytes.
        limit: u64,
    },
    /// An entry could not be read or written.
    Entry {
        /// Its id.
        id: String,
        /// What is wrong, in English (for whoever repairs it).
        what: String,
    },
    /// SQLite refused something while the journal was read or written.
    Journal {
        /// The refusal.
        source: rusqlite::Error,
    },
    /// The system gave no random bytes.
    Random {
        /// The refusal.
        why: String,
    },
    /// The manifest or the tables are not what the journal says was imported.
    Tampered {
        /// What was found, with what to do.
        found: Vec<Text>,
    },
    /// The index cannot be made again: this version reads a file otherwise than the one that imported it.
    ReadOtherwise {
        /// Evidence id.
        id: String,
    },
    /// Two folders are not copies of one case.
    OtherCase {
        /// The other folder.
        dir: PathBuf,
        /// Whether one of them is an exercise and the other is not.
        exercise: bool,
    },
    /// A bundle could not be written or read.
    Bundle {
        /// The bundle.
        path: PathBuf,
        /// Why.
        why: BundleFault,
    },
    /// Notes could not be read.
    Notes {
        /// The file.
        path: PathBuf,
        /// What is wrong, as the reader of the format says it.
        what: String,
    },
    /// Reading an evidence file failed.
    Evidence(#[from] reflexe_evidence::error::Error),
}

impl Error {
    /// Wraps a refusal of the system.
    pub(crate) fn io(doing: Doing, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// Wraps a refusal of SQLite about the journal.
    pub(crate) fn in_journal(source: rusqlite::Error) -> Self {
        Self::Journal { source }
    }

    /// Whether the system refused room or memory: the disk is full, a quota or a limit is reached.
    pub fn is_refused(&self) -> bool {
        refused(self).is_some()
    }

    /// The message in both languages.
    pub fn text(&self) -> Text {
        match self {
            Self::NotACase { dir } => {
                let d = dir.display();
                Text::new(
                    format!(
                        "Le dossier {d} ne contient pas de dossier reflexe (pas de case.sqlite). Vérifiez le chemin donné à --case."
                    ),
                    format!("{d} is not a reflexe case (no case.sqlite). Check the path given to --case."),
                )
            }
            Self::NotEmpty { dir } => {
                let d = dir.display();
                Text::new(
                    format!(
                        "{d} contient déjà d’autres fichiers : un nouveau dossier reflexe demande un dossier vide ou inexistant. Choisissez-en un autre avec --case."
                    ),
                    format!(
                        "{d} already holds other files: a new case needs an empty folder or a new one. Choose another with --case."
                    ),
                )
            }
            Self::Newer { dir, found, known } => {
                let d = dir.display();
                Text::new(
                    format!(
                        "Le dossier {d} a été écrit par une version plus récente de reflexe (format {found}, cette version connaît {known}). Mettez reflexe à jour ; rien n’a été modifié."
                    ),
                    format!(
                        "The case {d} was written by a newer reflexe (format {found}, this version knows {known}). Update reflexe; nothing was changed."
                    ),
                )
            }
            Self::Older { dir, found, known } => {
                let d = dir.display();
                Text::new(
                    format!(
                        "Le dossier {d} est au format {found}, cette version travaille au format {known}. Lancez « reflexe journal --case {d} list » : il sera converti, une copie de l’ancien manifeste est gardée."
                    ),
                    format!(
                        "The case {d} has format {found}, this version works with {known}. Run “reflexe journal --case {d} list”: it will be converted, a copy of the old manifest is kept."
                    ),
                )
            }
            Self::Locked { dir, by } => {
                let d = dir.display();
                let (fr, en) =
                    by.map_or((String::new(), String::new()), |p| (format!(" (processus {p})"), format!(" (process {p})")));
                Text::new(
                    format!("Un autre reflexe écrit déjà dans {d}{fr}. Attendez qu’il termine, ou arrêtez-le, puis recommencez."),
                    format!("Another reflexe is already writing to {d}{en}. Wait until it is done, or stop it, then try again."),
                )
            }
            Self::ReadOnly { dir } => {
                let d = dir.display();
                Text::new(
                    format!("Le dossier {d} est ouvert en lecture seule."),
                    format!("The case {d} is open for reading only."),
                )
            }
            Self::Io { path, .. } if self.is_refused() => at(refused_words(refused(self)), path),
            Self::Database { path, .. } if self.is_refused() => at(refused_words(refused(self)), path),
            Self::Journal { .. } if self.is_refused() => refused_words(refused(self)),
            Self::Io { doing, path, source } => io_text(*doing, path, source),
            Self::Database { path, source } => {
                let p = path.display();
                Text::new(
                    format!(
                        "Le manifeste {p} ne peut pas être lu ou écrit : {source}. Vérifiez le disque, les droits et les limites (ulimit) ; sinon repartez d’une copie du dossier."
                    ),
                    format!(
                        "The manifest {p} cannot be read or written: {source}. Check the disk, the permissions and the limits (ulimit), or start again from a copy of the case."
                    ),
                )
            }
            Self::Manifest { path, what } => {
                let p = path.display();
                Text::new(
                    format!(
                        "Le manifeste {p} contient une valeur que reflexe n’a pas écrite ({what}). Repartez d’une copie du dossier ou réimportez les preuves dans un nouveau dossier."
                    ),
                    format!(
                        "The manifest {p} holds a value that reflexe did not write ({what}). Start again from a copy of the case, or import the evidence into a new one."
                    ),
                )
            }
            Self::Declaration { path, source } => {
                let p = path.display();
                Text::new(
                    format!(
                        "La déclaration n’a pas pu être écrite dans {p} : {source}. Vérifiez la place disponible et les droits."
                    ),
                    format!("The declaration could not be written to {p}: {source}. Check the free space and the permissions."),
                )
            }
            Self::NoName => Text::new(
                "Une déclaration d’export complet demande le nom de la personne qui la fait.",
                "Declaring an export complete needs the name of the person who does.",
            ),
            Self::NoSuchEvidence { id } => Text::new(
                format!("Le dossier ne contient pas de preuve « {id} »."),
                format!("The case holds no evidence “{id}”."),
            ),
            Self::OriginalMissing { id, path, in_place: true } => {
                let p = path.display();
                Text::new(
                    format!("L’original de {id} n’est plus à {p} (il avait été référencé sur place). Remettez-le à cet endroit."),
                    format!("The original of {id} is no longer at {p} (it was referenced in place). Put it back there."),
                )
            }
            Self::OriginalMissing { id, path, in_place: false } => {
                let p = path.display();
                Text::new(
                    format!("L’original de {id} manque dans le dossier ({p}). Reprenez-le d’une copie du dossier."),
                    format!("The original of {id} is missing from the case ({p}). Take it from a copy of the case."),
                )
            }
            Self::OriginalChanged { id, path } => {
                let p = path.display();
                Text::new(
                    format!(
                        "Le fichier {p} n’est plus celui qui fut importé ({id}) : il a été modifié depuis. Retrouvez l’original."
                    ),
                    format!("{p} is no longer the file that was imported ({id}): it was changed since. Find the original."),
                )
            }
            Self::OutOfBounds { id, offset, length, size } => Text::new(
                format!("La référence {id}@{offset}+{length} sort du fichier ({size} octets)."),
                format!("The reference {id}@{offset}+{length} points outside the file ({size} bytes)."),
            ),
            Self::NoSuchMember { id, member } => Text::new(
                format!(
                    "La référence {id}!{member} désigne une partie de fichier que cette version ne sait pas ouvrir. Mettez reflexe à jour."
                ),
                format!("The reference {id}!{member} names a part of a file that this version cannot open. Update reflexe."),
            ),
            Self::TooManyFiles { limit } => Text::new(
                format!("Le dossier contient déjà {limit} fichiers de preuve, le maximum. Ouvrez un second dossier avec --case."),
                format!("The case already holds {limit} evidence files, the most it can. Open a second case with --case."),
            ),
            Self::Evidence(error) => evidence_text(error),
            other => crate::error_journal::text(other),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text().en)
    }
}

/// The sentence for an evidence file whose import stopped.
fn evidence_text(error: &reflexe_evidence::error::Error) -> Text {
    use reflexe_evidence::error::Error as E;
    if let Some(refusal) = refused(error) {
        return refused_words(Some(refusal));
    }
    match error {
        E::Read { path, source } => io_text(Doing::Reading, Path::new(path), source),
        E::Write { path, source } => io_text(Doing::Writing, path, source),
        E::Table { table, source } => Text::new(
            format!("La table {table} n’a pas pu être écrite : {source}. Vérifiez la place disponible et les droits."),
            format!("The table {table} could not be written: {source}. Check the free space and the permissions."),
        ),
        E::Index { path } => {
            let p = path.display();
            Text::new(
                format!(
                    "L’index des enregistrements déjà connus est endommagé ({p}). Réimportez les preuves dans un nouveau dossier."
                ),
                format!("The index of known records is damaged ({p}). Import the evidence into a new case."),
            )
        }
        E::Internal { path, what } => Text::new(
            format!(
                "Erreur interne pendant l’import de {path} : {what}. Merci de la signaler ; rien de ce fichier n’a été gardé."
            ),
            format!("Internal error while importing {path}: {what}. Please report it; nothing of this file was kept."),
        ),
    }
}

/// The sentence for a refusal of the system.
fn io_text(doing: Doing, path: &Path, source: &io::Error) -> Text {
    let p = path.display();
    let what = match doing {
        Doing::Reading => Text::new(format!("{p} ne peut pas être lu"), format!("{p} cannot be read")),
        Doing::Writing => Text::new(format!("{p} ne peut pas être écrit"), format!("{p} cannot be written")),
        Doing::Moving => Text::new(format!("{p} ne peut pas être mis en place"), format!("{p} cannot be moved into place")),
        Doing::Cleaning => Text::new(
            format!("{p}, reste d’un import interrompu, ne peut pas être supprimé"),
            format!("{p}, left by an interrupted import, cannot be removed"),
        ),
    };
    let why = match source.kind() {
        io::ErrorKind::PermissionDenied => Text::new(
            "droits insuffisants. Donnez à ce compte le droit d’y accéder, ou copiez-le ailleurs",
            "permission denied. Give this account access, or copy it elsewhere",
        ),
        io::ErrorKind::NotFound => Text::new("il n’existe pas. Vérifiez le chemin", "it does not exist. Check the path"),
        io::ErrorKind::ReadOnlyFilesystem => {
            Text::new("le disque est en lecture seule. Choisissez un autre disque", "the disk is read-only. Choose another disk")
        }
        _ => Text::new(source.to_string(), source.to_string()),
    };
    Text::new(format!("{} : {}.", what.fr, why.fr), format!("{}: {}.", what.en, why.en))
}

/// What the system refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// Room on the disk.
    Room,
    /// A file as large as that.
    Size,
    /// Memory, or one more thread.
    Memory,
}

fn at(words: Text, path: &Path) -> Text {
    Text::new(format!("{} ({})", words.fr, path.display()), format!("{} ({})", words.en, path.display()))
}

fn refused_words(refusal: Option<Refusal>) -> Text {
    match refusal {
        Some(Refusal::Size) => Text::new(
            "Le système refuse un fichier aussi grand (ulimit -f). Levez cette limite et relancez la même commande : l’import reprendra là où il s’est arrêté.",
            "The system refuses a file as large as that (ulimit -f). Lift the limit and run the same command again: the import resumes where it stopped.",
        ),
        Some(Refusal::Memory) => Text::new(
            "Le système refuse de la mémoire (ulimit -v, ou plus rien de libre). Libérez-en et relancez la même commande : l’import reprendra là où il s’est arrêté.",
            "The system refuses memory (ulimit -v, or none is free). Free some and run the same command again: the import resumes where it stopped.",
        ),
        _ => Text::new(
            "Le disque du dossier est plein. Libérez de la place et relancez la même commande : l’import reprendra là où il s’est arrêté.",
            "The disk that holds the case is full. Free some space and run the same command again: the import resumes where it stopped.",
        ),
    }
}

/// What the system refused, if that is what an error is about.
fn refused(error: &(dyn StdError + 'static)) -> Option<Refusal> {
    let mut next = Some(error);
    while let Some(e) = next {
        let io = e.downcast_ref::<io::Error>().and_then(|e| match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Refusal::Room),
            io::ErrorKind::FileTooLarge => Some(Refusal::Size),
            io::ErrorKind::OutOfMemory => Some(Refusal::Memory),
            _ => None,
        });
        let sqlite = e.downcast_ref::<rusqlite::Error>().and_then(|e| match e {
            rusqlite::Error::SqliteFailure(e, _) if e.code == rusqlite::ErrorCode::DiskFull => Some(Refusal::Room),
            rusqlite::Error::SqliteFailure(e, _) if e.code == rusqlite::ErrorCode::OutOfMemory => Some(Refusal::Memory),
            _ => None,
        });
        if let Some(refusal) = io.or(sqlite) {
            return Some(refusal);
        }
        next = e.source();
    }
    None
}
