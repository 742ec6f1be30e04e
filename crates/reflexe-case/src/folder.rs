//! The case folder: its layout, its one writer, and the cleaning that undoes an interrupted import.
use std::{
    cell::OnceCell,
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use sha2::{Digest as _, Sha256};

use crate::{
    decode::Decoded,
    error::{Doing, Error},
    journal::{self, Device},
    raw::Sound,
    store,
};

/// Where a case stands if nobody says otherwise.
pub const DEFAULT_DIR: &str = "reflexe-case";

/// A case: a folder with `case.sqlite` (the manifest), `evidence/` (originals by hash), `tables/<table>/*.parquet`,
/// `reports/`, `index/` (record ids, to tell duplicates) and `staging/` (the file being imported; else empty).
#[derive(Debug)]
pub struct Case {
    dir: PathBuf,
    pub(crate) db: Connection,
    /// Held by the writer as long as it lives; the system lets go of it when a process dies.
    lock: Option<File>,
    created: bool,
    /// The key that signs what this process writes into the journal; loaded when it is first needed.
    device: OnceCell<Device>,
    /// The evidence text that was decoded last.
    pub(crate) decoded: Decoded,
    /// Which originals are what was imported.
    pub(crate) sound: Sound,
    /// Set once manifest and tables were found to be what the journal says.
    pub(crate) tables_checked: OnceCell<()>,
}

impl Case {
    /// Creates a case in a new or empty folder.
    ///
    /// # Errors
    /// When the folder holds other files, or cannot be written.
    pub fn create(dir: &Path) -> Result<Self, Error> {
        Self::create_by(dir, OnceCell::new())
    }

    /// The same, the journal signed with a given device.
    ///
    /// # Errors
    /// As [`Case::create`].
    pub fn create_as(dir: &Path, device: Device) -> Result<Self, Error> {
        Self::create_by(dir, OnceCell::from(device))
    }

    fn create_by(dir: &Path, device: OnceCell<Device>) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(Error::io(Doing::Writing, dir))?;
        only_beginnings(dir)?;
        let lock = lock(dir)?;
        let db = store::open_new(&dir.join("case.sqlite"))?;
        let mut case = Self { created: true, device, ..Self::of(dir, db, Some(lock)) };
        case.lay_out()?;
        journal::adopt(&mut case)?;
        Ok(case)
    }

    /// Opens a case for writing: takes its lock, migrates an older format (a copy of the old manifest is kept), and
    /// removes what an interrupted import left.
    ///
    /// # Errors
    /// When the folder is no case, is of a newer format, or another process writes to it.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_by(dir, OnceCell::new())
    }

    /// The same, the journal signed with a given device.
    ///
    /// # Errors
    /// As [`Case::open`].
    pub fn open_as(dir: &Path, device: Device) -> Result<Self, Error> {
        Self::open_by(dir, OnceCell::from(device))
    }

    fn open_by(dir: &Path, device: OnceCell<Device>) -> Result<Self, Error> {
        if !dir.join("case.sqlite").exists() {
            return Err(Error::NotACase { dir: dir.to_owned() });
        }
        let lock = lock(dir)?;
        let db = store::open_for_writing(&dir.join("case.sqlite"))?;
        let mut case = Self { device, ..Self::of(dir, db, Some(lock)) };
        case.lay_out()?;
        case.clean()?;
        journal::adopt(&mut case)?;
        Ok(case)
    }

    fn of(dir: &Path, db: Connection, lock: Option<File>) -> Self {
        let (device, tables_checked) = (OnceCell::new(), OnceCell::new());
        Self {
            dir: dir.to_owned(),
            db,
            lock,
            created: false,
            device,
            decoded: Decoded::default(),
            sound: Sound::default(),
            tables_checked,
        }
    }

    /// Opens a case for reading, beside a writer if there is one. It shows what is committed.
    ///
    /// # Errors
    /// When the folder is no case or is of another format.
    pub fn open_for_reading(dir: &Path) -> Result<Self, Error> {
        let db = store::open_for_reading(&dir.join("case.sqlite"))?;
        Ok(Self::of(dir, db, None))
    }

    /// Opens the case for writing, or creates it (see [`Case::was_created`]).
    ///
    /// # Errors
    /// As [`Case::open`] and [`Case::create`].
    pub fn open_or_create(dir: &Path) -> Result<Self, Error> {
        let manifest = dir.join("case.sqlite");
        if manifest.exists() && !store::is_blank(&manifest) { Self::open(dir) } else { Self::create(dir) }
    }

    /// Whether this call created the case.
    pub fn was_created(&self) -> bool {
        self.created
    }

    /// The case folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The device that signs; its warning, if any, is for the person.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn device(&self) -> Result<&Device, Error> {
        if let Some(device) = self.device.get() {
            return Ok(device);
        }
        let device = Device::load(&self.dir)?;
        Ok(self.device.get_or_init(|| device))
    }

    /// A transaction that holds the write lock from its beginning.
    pub(crate) fn begin(&self) -> Result<Transaction<'_>, Error> {
        Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate).map_err(self.database())
    }

    /// Renews the sums of the manifest and what the device knows of the journal, after a transaction.
    pub(crate) fn renew_sums(&mut self) -> Result<(), Error> {
        self.device()?;
        let id = self.id()?;
        let Some(device) = self.device.get() else { return Ok(()) };
        // What the home cannot remember is missed later, and stops nothing now.
        let _ = journal::remember(&self.db, &id, device);
        journal::refresh(&mut self.db, &self.dir, device)
    }

    /// Where reports go.
    pub fn reports_dir(&self) -> PathBuf {
        self.dir.join("reports")
    }

    /// Where the record ids are indexed.
    pub(crate) fn index_dir(&self) -> PathBuf {
        self.dir.join("index")
    }

    /// Where a file waits until the whole of it is imported.
    pub(crate) fn staging_dir(&self) -> PathBuf {
        self.dir.join("staging")
    }

    /// The manifest.
    pub(crate) fn manifest_path(&self) -> PathBuf {
        self.dir.join("case.sqlite")
    }

    /// Wraps a refusal of SQLite.
    pub(crate) fn database(&self) -> impl Fn(rusqlite::Error) -> Error + Clone + use<> {
        store::database(&self.manifest_path())
    }

    /// Refuses to write through a case that was opened for reading.
    pub(crate) fn writable(&self) -> Result<(), Error> {
        if self.lock.is_some() { Ok(()) } else { Err(Error::ReadOnly { dir: self.dir.clone() }) }
    }

    fn lay_out(&self) -> Result<(), Error> {
        for sub in ["evidence", "tables", "reports", "index", "staging", "attachments"] {
            let path = self.dir.join(sub);
            fs::create_dir_all(&path).map_err(Error::io(Doing::Writing, &path))?;
        }
        Ok(())
    }

    /// Removes what the manifest does not name: the leftovers of a process that was killed.
    ///
    /// Only files whose names this program gives are removed; anything else that somebody put there stays.
    pub(crate) fn clean(&self) -> Result<(), Error> {
        let staging = self.staging_dir();
        for entry in entries(&staging)? {
            remove(&entry)?;
        }
        for file in entries(&self.dir)?.into_iter().filter(|p| journal::is_leftover(&name(p))) {
            remove(&file)?;
        }
        let parts = self.column("SELECT file FROM part")?;
        for table in entries(&self.dir.join("tables"))?.into_iter().filter(|p| p.is_dir()) {
            for file in entries(&table)? {
                if !parts.contains(&relative(&self.dir, &file)) && is_part_name(&file) {
                    remove(&file)?;
                }
            }
        }
        let originals = self.column("SELECT coalesce(blake3, sha256) FROM evidence WHERE NOT in_place")?;
        for prefix in entries(&self.dir.join("evidence"))?.into_iter().filter(|p| p.is_dir()) {
            for file in entries(&prefix)? {
                let name = name(&file);
                if !originals.contains(&name) && is_digest(&name) {
                    remove(&file)?;
                }
            }
        }
        Ok(())
    }

    /// The texts of a query's only column.
    fn column(&self, sql: &str) -> Result<BTreeSet<String>, Error> {
        let read = || self.db.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>();
        read().map_err(self.database())
    }

    /// Random id of the case.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn id(&self) -> Result<String, Error> {
        self.info("id")?.ok_or_else(|| Error::Manifest { path: self.manifest_path(), what: "no case id".into() })
    }

    /// Title given by a person, if any.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn title(&self) -> Result<Option<String>, Error> {
        self.info("title")
    }

    /// Names the case.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn set_title(&mut self, title: &str) -> Result<(), Error> {
        self.writable()?;
        let (id, now) = (self.id()?, Timestamp::now());
        let tx = self.begin()?;
        set_info(&tx, "title", title).map_err(self.database())?;
        journal::append(&tx, &id, self.device()?, &journal::renamed(title, now), None, now)?;
        tx.commit().map_err(self.database())?;
        self.renew_sums()
    }

    /// Whether the case is an exercise. Exercises and real cases are never merged.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn is_exercise(&self) -> Result<bool, Error> {
        Ok(self.info("exercise")?.is_some())
    }

    /// Marks the case as an exercise, for good.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn set_exercise(&mut self) -> Result<(), Error> {
        self.writable()?;
        set_info(&self.db, "exercise", "1").map_err(self.database())?;
        self.renew_sums()
    }

    /// When the case was created.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn created_at(&self) -> Result<jiff::Timestamp, Error> {
        let text = self.info("created_at")?.unwrap_or_default();
        text.parse().map_err(|_| Error::Manifest { path: self.manifest_path(), what: format!("created_at “{text}”") })
    }

    fn info(&self, key: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT value FROM case_info WHERE key = ?";
        self.db.query_row(sql, [key], |row| row.get(0)).optional().map_err(self.database())
    }
}

fn set_info(db: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO case_info (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    db.execute(sql, [key, value]).map(|_| ())
}

/// Takes the lock of a case, or says who holds it. The file holds the writer's process id, for that message only.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("case.lock");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Error::io(Doing::Writing, &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Without the number the message is still right.
            let by = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(Error::Locked { dir: dir.to_owned(), by });
        }
        Err(TryLockError::Error(error)) => return Err(Error::io(Doing::Writing, &path)(error)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(Error::io(Doing::Writing, &path))?;
    Ok(file)
}

/// A new case may stand in an empty folder, or where its own creation was interrupted.
fn only_beginnings(dir: &Path) -> Result<(), Error> {
    if holds_beginnings(dir)? { Ok(()) } else { Err(Error::NotEmpty { dir: dir.to_owned() }) }
}

fn holds_beginnings(dir: &Path) -> Result<bool, Error> {
    const OWN: [&str; 4] = ["case.lock", "case.sqlite", "case.sqlite-journal", "device.key"];
    Ok(entries(dir)?.iter().all(|p| OWN.contains(&name(p).as_str())))
}

/// Whether the creation of a case was interrupted here before anything was written.
pub(crate) fn is_beginning(dir: &Path) -> Result<bool, Error> {
    let manifest = dir.join("case.sqlite");
    let begun = dir.is_dir() && holds_beginnings(dir)?;
    Ok(begun && (!manifest.exists() || store::is_blank(&manifest)))
}

/// What a folder holds, in order; nothing if there is no such folder.
pub(crate) fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut paths = match fs::read_dir(dir).and_then(|all| all.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>()) {
        Ok(paths) => paths,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::io(Doing::Reading, dir)(error)),
    };
    paths.sort();
    Ok(paths)
}

/// Removes a file or a whole folder; a link is removed, never followed.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let is_dir = fs::symlink_metadata(path).is_ok_and(|m| m.is_dir());
    let result = if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(Doing::Cleaning, path)(error)),
        _ => Ok(()),
    }
}

/// A path below the case folder as the manifest writes it: `/` between the parts on every system.
pub(crate) fn relative(dir: &Path, path: &Path) -> String {
    let below = path.strip_prefix(dir).unwrap_or(path);
    below.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// SHA-256 of a file, lower-case hexadecimal.
pub(crate) fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `<file number>-….parquet`
fn is_part_name(path: &Path) -> bool {
    let name = name(path);
    name.ends_with(".parquet")
        && name.split_once('-').is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn is_digest(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_created_once_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("new");
        let mut case = Case::open_or_create(&dir).unwrap();
        assert!(case.was_created());
        case.set_title("Exercise").unwrap();
        let (id, at) = (case.id().unwrap(), case.created_at().unwrap());
        drop(case);
        let case = Case::open_or_create(&dir).unwrap();
        assert!(!case.was_created());
        assert_eq!((case.id().unwrap(), case.created_at().unwrap()), (id, at));
        assert_eq!(case.title().unwrap().as_deref(), Some("Exercise"));
    }

    #[test]
    fn a_creation_that_was_interrupted_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        File::create(dir.path().join("case.lock")).unwrap();
        File::create(dir.path().join("case.sqlite")).unwrap();
        assert!(Case::open_or_create(dir.path()).unwrap().was_created());
    }

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("evidence")).unwrap();
        assert!(matches!(Case::open_or_create(dir.path()), Err(Error::NotEmpty { .. })));
        assert_eq!(entries(dir.path()).unwrap().len(), 1);
        assert!(matches!(Case::open(dir.path()), Err(Error::NotACase { .. })));
        assert!(matches!(Case::open_for_reading(dir.path()), Err(Error::NotACase { .. })));
    }

    #[test]
    fn a_second_writer_is_told_and_a_reader_is_not_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let case = Case::create(dir.path()).unwrap();
        match Case::open(dir.path()) {
            Err(Error::Locked { by, .. }) => assert_eq!(by, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        let mut reader = Case::open_for_reading(dir.path()).unwrap();
        assert_eq!(reader.id().unwrap(), case.id().unwrap());
        assert!(matches!(reader.set_title("x"), Err(Error::ReadOnly { .. })));
        drop(case);
        Case::open(dir.path()).unwrap();
    }

    #[test]
    fn leftovers_go_and_foreign_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        drop(Case::create(dir.path()).unwrap());
        let hash = "ab".repeat(32);
        let leftovers = ["staging/1/original".to_owned(), "tables/signin/1-0.parquet".into(), format!("evidence/ab/{hash}")];
        let foreign = ["tables/signin/notes.txt", "tables/readme.parquet", "evidence/ab/photo.jpg"];
        for path in leftovers.iter().map(String::as_str).chain(foreign) {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        Case::open_for_reading(dir.path()).unwrap();
        assert!(dir.path().join(&leftovers[0]).exists(), "a reader changes nothing");
        Case::open(dir.path()).unwrap();
        for path in leftovers {
            assert!(!dir.path().join(&path).exists(), "{path}");
        }
        for path in foreign {
            assert!(dir.path().join(path).exists(), "{path}");
        }
    }
}
