//! The manifest `case.sqlite`: its format version, how it is opened, created and brought up to date.
//!
//! It keeps SQLite's rollback journal rather than a write-ahead log: between two transactions the case is one file
//! that can be copied, and it opens from a read-only disk.
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction};

use crate::error::{Doing, Error};

/// Format version that this program reads and writes.
pub(crate) const FORMAT: u32 = 2;

/// `RFLX`: tells a case from any other SQLite file.
const APPLICATION_ID: u32 = 0x5246_4c58;

const SCHEMA: &str = include_str!("schema.sql");

/// Brings a manifest from one format version to the next.
type Step = fn(&Transaction) -> rusqlite::Result<()>;

/// `STEPS[i]` brings format `i + 1` to `i + 2`. Format 1 is the first.
const STEPS: &[Step] = &[to_2];
const _: () = assert!(STEPS.len() + 1 == FORMAT as usize);

/// The journal, and hashes of the Parquet files. What the journal says of the case so far is written by the next opening.
fn to_2(tx: &Transaction) -> rusqlite::Result<()> {
    tx.execute_batch(include_str!("schema-2.sql"))?;
    tx.execute("INSERT INTO case_info (key, value) VALUES ('pending', '1')", [])?;
    Ok(())
}

/// What the header of the file says.
#[derive(Debug, PartialEq, Eq)]
enum Header {
    /// Nothing was ever committed: the creation was interrupted.
    Blank,
    /// A case of this format version.
    Case(u32),
    /// Some other SQLite file.
    Foreign,
}

/// Whether a folder holds a case. Reads the header of the file only, never a journal.
pub(crate) fn looks_like_a_case(dir: &Path) -> bool {
    use std::io::Read as _;
    let mut head = [0u8; 72];
    fs::File::open(dir.join("case.sqlite")).and_then(|mut f| f.read_exact(&mut head)).is_ok()
        && head.starts_with(b"SQLite format 3\0")
        && head[68..72] == APPLICATION_ID.to_be_bytes()
}

/// Opens a manifest that must be there, for reading. Never changes it.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, Error> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check_format(&db, path)?;
    db.pragma_update(None, "query_only", true).map_err(database(path))?;
    Ok(db)
}

/// Refuses a manifest that is none, or of another format.
pub(crate) fn check_format(db: &Connection, path: &Path) -> Result<(), Error> {
    let dir = folder(path);
    match header(db, path)? {
        Header::Case(FORMAT) => Ok(()),
        Header::Case(found) if found > FORMAT => Err(Error::Newer { dir, found, known: FORMAT }),
        Header::Case(found) => Err(Error::Older { dir, found, known: FORMAT }),
        Header::Blank | Header::Foreign => Err(Error::NotACase { dir }),
    }
}

/// Opens a manifest without looking at what it is: verification tells damage apart from another version.
pub(crate) fn open_raw(path: &Path) -> Result<Connection, Error> {
    if !path.exists() {
        return Err(Error::NotACase { dir: folder(path) });
    }
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(database(path))
}

/// Opens a manifest of this format to add entries, beside whoever holds the case's lock.
pub(crate) fn open_beside(path: &Path) -> Result<Connection, Error> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check_format(&db, path)?;
    Ok(db)
}

/// Whether the case must be opened by its one writer first: it is older, or its creation was interrupted.
pub(crate) fn needs_migration(path: &Path) -> Result<bool, Error> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match check_format(&db, path) {
        Err(Error::Older { .. }) => Ok(true),
        Err(error) => Err(error),
        Ok(()) => Ok(crate::journal::pending(&db).map_err(database(path))?),
    }
}

/// The case's id.
pub(crate) fn case_id(db: &Connection, path: &Path) -> Result<String, Error> {
    let id: Result<String, _> = db.query_row("SELECT value FROM case_info WHERE key = 'id'", [], |row| row.get(0));
    id.map_err(database(path))
}

/// Opens a manifest that must be there, for writing; an older format is migrated after a backup. The caller holds the lock.
pub(crate) fn open_for_writing(path: &Path) -> Result<Connection, Error> {
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match header(&db, path)? {
        Header::Case(found) => migrate(&mut db, path, found, STEPS)?,
        Header::Blank | Header::Foreign => return Err(Error::NotACase { dir: folder(path) }),
    }
    Ok(db)
}

/// Creates a manifest, or finishes an interrupted creation. The caller holds the lock.
pub(crate) fn open_new(path: &Path) -> Result<Connection, Error> {
    let mut db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    if header(&db, path)? != Header::Blank {
        return Err(Error::NotEmpty { dir: folder(path) });
    }
    // Between two transactions no page is free: SQLite overwrites a free page without a way back, and after a kill its sum would lie.
    db.pragma_update(None, "auto_vacuum", "full").map_err(database(path))?;
    create(&mut db).map_err(database(path))?;
    Ok(db)
}

/// Whether the manifest was begun but never written: such a file is finished by [`open_new`].
pub(crate) fn is_blank(path: &Path) -> bool {
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).is_ok_and(|db| matches!(header(&db, path), Ok(Header::Blank)))
}

/// Wraps a refusal of SQLite.
pub(crate) fn database(path: &Path) -> impl Fn(rusqlite::Error) -> Error + Clone + use<> {
    let path = path.to_owned();
    move |source| Error::Database { path: path.clone(), source }
}

fn folder(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    // SQLite's own words for a missing file do not name it.
    if !flags.contains(OpenFlags::SQLITE_OPEN_CREATE) && !path.exists() {
        return Err(Error::NotACase { dir: folder(path) });
    }
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(database(path))?;
    db.busy_timeout(Duration::from_secs(30)).map_err(database(path))?;
    // What was removed leaves no bytes behind; what was committed survives a power failure.
    for (name, value) in [("foreign_keys", "on"), ("secure_delete", "on"), ("synchronous", "full")] {
        // Some of these answer with their new value, which `pragma_update` would refuse.
        db.pragma_update_and_check(None, name, value, |_| Ok(()))
            .or_else(|e| match e {
                rusqlite::Error::QueryReturnedNoRows => Ok(()),
                // What is no database at all is told by its header, next.
                rusqlite::Error::SqliteFailure(e, _) if e.code == rusqlite::ErrorCode::NotADatabase => Ok(()),
                e => Err(e),
            })
            .map_err(database(path))?;
    }
    Ok(db)
}

fn header(db: &Connection, path: &Path) -> Result<Header, Error> {
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let tables = || db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, u32>(0));
    let read = || -> rusqlite::Result<Header> {
        Ok(match (number("application_id")?, number("user_version")?, tables()?) {
            (APPLICATION_ID, version, _) => Header::Case(version),
            (0, 0, 0) => Header::Blank,
            _ => Header::Foreign,
        })
    };
    match read() {
        Err(rusqlite::Error::SqliteFailure(e, _)) if e.code == rusqlite::ErrorCode::NotADatabase => Ok(Header::Foreign),
        other => other.map_err(database(path)),
    }
}

fn create(db: &mut Connection) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    tx.execute_batch(SCHEMA)?;
    tx.execute_batch(include_str!("schema-2.sql"))?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", FORMAT)?;
    let random: [u8; 16] = tx.query_row("SELECT randomblob(16)", [], |row| row.get(0))?;
    let mut info = tx.prepare("INSERT INTO case_info (key, value) VALUES (?, ?)")?;
    info.execute(("id", uuid(random)))?;
    info.execute(("created_at", jiff::Timestamp::now().to_string()))?;
    info.execute(("pending", "created"))?;
    drop(info);
    tx.commit()
}

/// A version 4 UUID from 128 random bits.
fn uuid(random: [u8; 16]) -> String {
    let bits = u128::from_be_bytes(random) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Brings a manifest to the version after the last of `steps`, all steps or none, keeping a copy of the old one beside it.
fn migrate(db: &mut Connection, path: &Path, found: u32, steps: &[Step]) -> Result<(), Error> {
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX).saturating_add(1);
    if found == known {
        return Ok(());
    }
    let dir = folder(path);
    if found > known {
        return Err(Error::Newer { dir, found, known });
    }
    let Some(todo) = found.checked_sub(1).and_then(|done| steps.get(done as usize..)) else {
        return Err(Error::Manifest { path: path.to_owned(), what: format!("format version {found}") });
    };
    let backup = dir.join(format!("case.format-{found}.sqlite"));
    back_up(db, path, &backup)?;
    let mut run = || -> rusqlite::Result<()> {
        // a step may put a table in the place of another that rows refer to
        db.pragma_update(None, "foreign_keys", false)?;
        let tx = db.transaction()?;
        for step in todo {
            step(&tx)?;
        }
        tx.execute_batch("PRAGMA foreign_key_check")?;
        tx.pragma_update(None, "user_version", known)?;
        tx.commit()
    };
    let result = run();
    db.pragma_update(None, "foreign_keys", true).map_err(database(path))?;
    result.map_err(database(path))
}

/// Copies the manifest as it is committed. A backup that is already there comes from an interrupted migration of the
/// same manifest and is made again.
fn back_up(db: &Connection, path: &Path, backup: &Path) -> Result<(), Error> {
    match fs::remove_file(backup) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io(Doing::Writing, backup)(e)),
        _ => {}
    }
    db.execute("VACUUM INTO ?", [backup.to_string_lossy()]).map_err(database(path))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add_column(tx: &Transaction) -> rusqlite::Result<()> {
        tx.execute_batch("ALTER TABLE evidence ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'")
    }

    fn broken(tx: &Transaction) -> rusqlite::Result<()> {
        add_column(tx)?;
        tx.execute_batch("INSERT INTO no_such_table VALUES (1)")
    }

    fn version(db: &Connection) -> u32 {
        db.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap()
    }

    fn has_colour(db: &Connection) -> bool {
        db.prepare("SELECT colour FROM evidence").is_ok()
    }

    #[test]
    fn an_older_manifest_is_migrated_and_the_old_one_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("case.sqlite");
        let mut db = open_new(&path).unwrap();
        migrate(&mut db, &path, FORMAT, &[to_2, add_column]).unwrap();
        assert_eq!(version(&db), FORMAT + 1);
        assert!(has_colour(&db));
        let old = Connection::open(dir.path().join(format!("case.format-{FORMAT}.sqlite"))).unwrap();
        assert_eq!(version(&old), FORMAT);
        assert!(!has_colour(&old));
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("case.sqlite");
        let mut db = open_new(&path).unwrap();
        assert!(migrate(&mut db, &path, FORMAT, &[to_2, add_column, broken]).is_err());
        assert_eq!(version(&db), FORMAT);
        assert!(!has_colour(&db));
        // and can be tried again, although its backup is there
        migrate(&mut db, &path, FORMAT, &[to_2, add_column]).unwrap();
        assert!(has_colour(&db));
    }

    #[test]
    fn a_newer_manifest_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("case.sqlite");
        open_new(&path).unwrap().pragma_update(None, "user_version", FORMAT + 1).unwrap();
        let before = fs::read(&path).unwrap();
        for error in [open_for_reading(&path).unwrap_err(), open_for_writing(&path).unwrap_err()] {
            assert!(matches!(error, Error::Newer { found, known: FORMAT, .. } if found == FORMAT + 1), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn other_files_are_no_case() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("case.sqlite");
        assert!(matches!(open_for_writing(&path), Err(Error::NotACase { .. })));
        fs::write(&path, "not a database, only some text that is long enough to be read as a header").unwrap();
        assert!(matches!(open_for_writing(&path), Err(Error::NotACase { .. })));
        assert!(matches!(open_new(&path), Err(Error::NotEmpty { .. })));
        fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
        assert!(matches!(open_for_writing(&path), Err(Error::NotACase { .. })));
    }

    #[test]
    fn ids_are_random_version_4_uuids() {
        let id = uuid([0xff; 16]);
        assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
