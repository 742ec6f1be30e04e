//! Files that were given and are not in the case: written down before the first of them is read, so that an import which stops, is
//! stopped or is killed leaves their names, and no answer passes over them.
use reflexe_model::{Text, Unrecognised};
use rusqlite::{Connection, Transaction};

use crate::{error::Error, folder::Case, walk::Found};

/// The table is an addition: a case without it has no unread files, and a version that does not know it passes over it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS unread (path TEXT PRIMARY KEY, reason_fr TEXT NOT NULL, reason_en TEXT NOT NULL)
                     WITHOUT ROWID";

impl Case {
    /// Writes down what an import is about to read. What the case holds under the same path and size is left out: it was read.
    pub(crate) fn expect(&self, files: &[Found]) -> Result<(), Error> {
        let database = self.database();
        let held: std::collections::BTreeSet<(String, u64)> =
            self.evidence_files()?.into_iter().map(|f| (f.path, f.size)).collect();
        let why = Text::new(
            "pas lu : l’import s’est arrêté avant. Relancez la même commande, elle reprend où elle s’est arrêtée.",
            "not read: the import stopped before. Run the same command again, it resumes where it stopped.",
        );
        let tx = self.begin()?;
        tx.execute_batch(TABLE).map_err(&database)?;
        for file in files.iter().filter(|f| !held.contains(&(f.shown.clone(), f.size))) {
            put(&tx, &file.shown, &why).map_err(&database)?;
        }
        tx.commit().map_err(&database)
    }
}

/// Notes a file as not read.
pub(crate) fn put(tx: &Transaction<'_>, path: &str, why: &Text) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO unread (path, reason_fr, reason_en) VALUES (?, ?, ?)";
    tx.prepare_cached(sql)?.execute((path, &why.fr, &why.en)).map(|_| ())
}

/// A file was read, or is none of ours.
pub(crate) fn forget(tx: &Transaction<'_>, path: &str) -> rusqlite::Result<()> {
    if !exists(tx)? {
        return Ok(());
    }
    tx.prepare_cached("DELETE FROM unread WHERE path = ?")?.execute([path]).map(|_| ())
}

/// The files that were not read, by path.
pub(crate) fn list(db: &Connection) -> rusqlite::Result<Vec<Unrecognised>> {
    if !exists(db)? {
        return Ok(Vec::new());
    }
    let file = |row: &rusqlite::Row<'_>| {
        let reason = Text::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        Ok(Unrecognised { path: row.get(0)?, reason, harmless: false, unread: true })
    };
    db.prepare("SELECT path, reason_fr, reason_en FROM unread ORDER BY path")?.query_map([], file)?.collect()
}

fn exists(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'unread')", [], |row| row.get(0))
}
