//! What this device saw last of a case's journal: the end of every chain, kept in the home of the device, where whoever changes the
//! case does not write. Entries that were taken from the end of a chain are then missed, and what this device writes next goes on
//! from the end that it knew: the journal itself tells from then on that entries are missing, and merging them back heals it.
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use reflexe_model::{Head, Text};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::error::{Doing, Error};

/// Where each chain ends, by writer.
pub(crate) type Heads = BTreeMap<String, Head>;

/// What a device remembers of one case.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    case: String,
    heads: Heads,
}

/// The place of it.
#[derive(Debug)]
pub(crate) struct Memory {
    path: PathBuf,
    case: String,
}

impl Memory {
    /// Of a case, in the home of a device. The id is read from the case: it becomes no part of a path.
    pub fn of(home: &Path, case: &str) -> Self {
        let name = format!("{}.json", &blake3::hash(case.as_bytes()).to_hex()[..32]);
        Self { path: home.join("heads").join(name), case: case.to_owned() }
    }

    /// The ends that the device knows; none if it never saw the case, or if the file is damaged.
    pub fn heads(&self) -> Heads {
        let read = fs::read(&self.path).ok().and_then(|bytes| serde_json::from_slice::<Remembered>(&bytes).ok());
        read.filter(|r| r.case == self.case).unwrap_or_default().heads
    }

    /// Takes note of where the chains end. An end that is known and not there any more is not forgotten, unless what `own` wrote
    /// goes on from it.
    ///
    /// # Errors
    /// When the home cannot be written.
    pub fn learn(&self, db: &Connection, own: Option<&str>) -> Result<(), Error> {
        if self.news(db, own)?.is_none() {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let writing = |path: &Path| Error::io(Doing::Writing, path);
        fs::create_dir_all(folder).map_err(writing(folder))?;
        // Several processes of one device may write at once.
        let lock = File::create(folder.join("lock")).map_err(writing(folder))?;
        lock.lock().map_err(writing(folder))?;
        let Some(heads) = self.news(db, own)? else { return Ok(()) };
        let text = serde_json::to_vec(&Remembered { case: self.case.clone(), heads })
            .map_err(|e| Error::Entry { id: self.case.clone(), what: e.to_string() })?;
        let staged = self.path.with_extension("new");
        let write = File::create(&staged).and_then(|mut f| f.write_all(&text)).and_then(|()| fs::rename(&staged, &self.path));
        write.map_err(writing(&self.path))
    }

    /// What is to be remembered, if it is not what is.
    fn news(&self, db: &Connection, own: Option<&str>) -> Result<Option<Heads>, Error> {
        let before = self.heads();
        let mut heads = before.clone();
        for (writer, head) in heads_of(db).map_err(Error::in_journal)? {
            let goes_on = match before.get(&writer) {
                None => true,
                Some(known) if known.seq > head.seq => false,
                Some(known) => own == Some(&*writer) || holds(db, &known.hash).map_err(Error::in_journal)?,
            };
            if goes_on {
                heads.insert(writer, head);
            }
        }
        Ok((heads != before).then_some(heads))
    }
}

/// Where each chain of a journal ends. Of a fork's two ends the lesser hash is taken, on every device alike.
pub(crate) fn heads_of(db: &Connection) -> rusqlite::Result<Heads> {
    let sql = "SELECT e.writer, e.seq, min(e.hash) FROM entry e
               JOIN (SELECT writer, max(seq) AS seq FROM entry GROUP BY writer) l ON l.writer = e.writer AND l.seq = e.seq
               GROUP BY e.writer, e.seq";
    let head = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Head { seq: row.get(1)?, hash: row.get(2)? }));
    db.prepare_cached(sql)?.query_map([], head)?.collect()
}

fn holds(db: &Connection, hash: &str) -> rusqlite::Result<bool> {
    db.query_row("SELECT EXISTS (SELECT 1 FROM entry WHERE hash = ?)", [hash], |row| row.get(0))
}

/// How many entries are missing: before the end of a chain as this device, the chain itself or the last entry of another tells it.
pub(crate) fn missing(db: &Connection, known: &Heads) -> rusqlite::Result<u64> {
    let mut named: Vec<(String, Head)> = known.iter().map(|(w, h)| (w.clone(), h.clone())).collect();
    let mut chains: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let ends = heads_of(db)?;
    let count = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
    for chain in db.prepare("SELECT writer, max(seq), count(DISTINCT seq) FROM entry GROUP BY writer")?.query_map([], count)? {
        let (writer, both): (String, (u64, u64)) = chain?;
        chains.insert(writer, both);
    }
    for end in ends.values() {
        let header: String = db.query_row("SELECT header FROM entry WHERE hash = ?", [&end.hash], |row| row.get(0))?;
        // A header that cannot be read is told as such.
        let seen = serde_json::from_str::<reflexe_model::Header>(&header).map(|h| h.seen).unwrap_or_default();
        named.extend(seen);
    }
    let mut replaced = 0u64;
    for (writer, head) in named {
        let chain = chains.entry(writer.clone()).or_default();
        if head.seq > chain.0 {
            chain.0 = head.seq;
        } else if !holds(db, &head.hash)? {
            let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE writer = ? AND seq = ?)";
            replaced += u64::from(db.query_row(sql, (&writer, head.seq), |row| row.get::<_, bool>(0))?);
        }
    }
    Ok(chains.values().fold(replaced, |sum, (last, there)| sum.saturating_add(last.saturating_sub(*there))))
}

/// The sentence.
pub(crate) fn sentence(missing: u64) -> Text {
    let (fr, en) = if missing == 1 {
        ("1 écriture que ce poste connaît n’est plus".to_owned(), "1 entry known to this device is".to_owned())
    } else {
        (format!("{missing} écritures que ce poste connaît ne sont plus"), format!("{missing} entries known to this device are"))
    };
    Text::new(
        format!(
            "{fr} dans le journal : des écritures ont été retirées, ou ce dossier est une copie plus ancienne. Fusionnez-le avec la copie qui les contient (reflexe case merge)."
        ),
        format!(
            "{en} no longer in the journal: entries were removed, or this case is an older copy. Merge it with the copy that holds them (reflexe case merge)."
        ),
    )
}
