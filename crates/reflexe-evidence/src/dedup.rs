//! Which records the case already holds, over all files, in bounded memory.
//!
//! Keys live in a map up to [`LIMIT`]; beyond that they are on disk only, in sorted runs that are searched when a Bloom
//! filter says that the key may be there. Every evidence file has runs of its own, named `<file_no>-<part>.keys`, so that a
//! file which is not committed leaves nothing.
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use reflexe_model::RowId;

use crate::{error::Error, events::Keys};

/// Keys held in memory at most: about 200 MB, half as much again while the map grows.
const LIMIT: usize = 3_000_000;
/// Keys of one file held for its run before a part of it is written: few, so that little is left to write at the end.
const PENDING: usize = 1 << 17;
/// Bytes of an entry on disk: table, key, richness, row.
const ENTRY: usize = 1 + 16 + 2 + 8;

/// Runs kept open between two look-ups; of more, none: a process has few descriptors.
const OPEN: usize = 64;
/// Extension of a run.
const EXTENSION: &str = "keys";
/// Extension of a run of an earlier version, whose keys are ids alone.
const BY_ID: &str = "run";

/// Where a run of an evidence file stands in the folder of an index: they are numbered from 0, without a gap.
pub fn run(dir: &Path, file_no: u32, part: u32) -> PathBuf {
    dir.join(format!("{file_no}-{part:05}.{EXTENSION}"))
}

/// Table number and key.
type Key = (u8, u128);

/// What is known of a record that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept {
    richness: u16,
    row: i64,
}

/// What to do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The case does not hold it.
    New,
    /// The case holds it, as rich or richer: this row.
    Duplicate(RowId),
    /// The case holds it, poorer: this one takes its place.
    Richer(RowId),
}

/// The records of a case.
#[derive(Debug)]
pub struct DedupIndex {
    dir: PathBuf,
    limit: usize,
    held: HashMap<Key, Kept>,
    runs: Vec<Run>,
    bloom: Option<Bloom>,
    /// Changes of the file being imported, with what they replaced.
    pending: Vec<(Key, Kept, Option<Kept>)>,
    file_no: u32,
    parts: u32,
    /// Whether the runs of the file imported last are complete on disk.
    flushed: bool,
    /// Whether a run of an earlier version is there, which knew records by their id alone.
    by_id: bool,
}

#[derive(Debug)]
struct Run {
    file_no: u32,
    path: PathBuf,
    entries: u64,
    file: Option<File>,
}

impl DedupIndex {
    /// Opens the index of a case folder (created if absent).
    ///
    /// # Errors
    /// When a run cannot be read.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Self::open_with(dir, LIMIT)
    }

    fn open_with(dir: &Path, limit: usize) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(Error::write(dir))?;
        let mut index = Self {
            dir: dir.to_owned(),
            limit,
            held: HashMap::new(),
            runs: Vec::new(),
            bloom: None,
            pending: Vec::new(),
            file_no: 0,
            parts: 0,
            flushed: true,
            by_id: false,
        };
        let shown = dir.display().to_string();
        for entry in fs::read_dir(dir).map_err(Error::read(&shown))? {
            let path = entry.map_err(Error::read(&shown))?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if name.ends_with(".tmp") {
                // a run that was never finished
                fs::remove_file(&path).map_err(Error::write(&path))?;
                continue;
            }
            let Some((stem, of)) = name.rsplit_once('.').filter(|(_, of)| matches!(*of, EXTENSION | BY_ID)) else { continue };
            let Some(file_no) = stem.split_once('-').and_then(|(n, _)| n.parse().ok()) else { continue };
            index.by_id |= of == BY_ID;
            let size = fs::metadata(&path).map_err(Error::read(&shown))?.len();
            if size % ENTRY as u64 != 0 {
                return Err(Error::Index { path });
            }
            index.runs.push(Run { file_no, path, entries: size / ENTRY as u64, file: None });
        }
        index.runs.sort_by(|a, b| (a.file_no, &a.path).cmp(&(b.file_no, &b.path)));
        index.load()?;
        Ok(index)
    }

    /// Deletes the runs of evidence files that the case does not hold (left by a process killed between `flush` and the
    /// commit). Call it once after `open`.
    ///
    /// # Errors
    /// When a run cannot be deleted or read.
    pub fn retain(&mut self, holds: &dyn Fn(u32) -> bool) -> Result<(), Error> {
        if self.runs.iter().all(|r| holds(r.file_no)) {
            return Ok(());
        }
        let (keep, drop) = std::mem::take(&mut self.runs).into_iter().partition(|r| holds(r.file_no));
        self.runs = keep;
        for run in drop {
            let Run { path, .. } = run;
            fs::remove_file(&path).map_err(Error::write(&path))?;
        }
        self.load()
    }

    /// Begins a file; forgets one that was begun and neither flushed nor rolled back.
    ///
    /// # Errors
    /// When a part of the earlier file cannot be deleted.
    pub(crate) fn begin(&mut self, file_no: u32) -> Result<(), Error> {
        if !self.flushed {
            self.rollback()?;
        }
        self.pending.clear();
        self.file_no = file_no;
        self.parts = 0;
        self.flushed = false;
        Ok(())
    }

    /// Decides about a record that would become `row`.
    ///
    /// # Errors
    /// When a run cannot be read or written.
    pub(crate) fn decide(&mut self, table: u8, keys: Keys, richness: u16, row: RowId) -> Result<Decision, Error> {
        let key = (table, keys.record);
        let new = Kept { richness, row: row.0 };
        let mut known = self.known(key)?;
        if known.is_none() && self.by_id && keys.id != 0 {
            known = self.known((table, keys.id))?;
        }
        let decision = match known {
            None => Decision::New,
            Some(kept) if kept.richness < richness => Decision::Richer(RowId(kept.row)),
            Some(kept) => return Ok(Decision::Duplicate(RowId(kept.row))),
        };
        let replaced = self.held.insert(key, new);
        self.pending.push((key, new, replaced));
        if self.pending.len() >= PENDING {
            self.write_part()?;
        }
        if self.held.len() > self.limit {
            self.spill()?;
        }
        Ok(decision)
    }

    fn known(&mut self, key: Key) -> Result<Option<Kept>, Error> {
        match self.held.get(&key).copied() {
            Some(kept) => Ok(Some(kept)),
            None if self.bloom.as_ref().is_some_and(|b| b.has(key)) => self.search(key),
            None => Ok(None),
        }
    }

    /// Writes the records of the file imported last as runs of its own. Call it just before the case commits the file.
    ///
    /// # Errors
    /// When a run cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.write_part()?;
        self.flushed = true;
        Ok(())
    }

    /// Forgets the records of the file imported last, on disk too.
    ///
    /// # Errors
    /// When a run cannot be deleted.
    pub fn rollback(&mut self) -> Result<(), Error> {
        let file_no = self.file_no;
        let pending = std::mem::take(&mut self.pending);
        // What was written is no longer known change by change: it is taken away below and the rest is read anew.
        for (key, _, before) in pending.into_iter().rev() {
            match before {
                Some(kept) => self.held.insert(key, kept),
                None => self.held.remove(&key),
            };
        }
        let (mine, others): (Vec<Run>, Vec<Run>) =
            std::mem::take(&mut self.runs).into_iter().partition(|r| r.file_no == file_no && self.parts > 0);
        self.runs = others;
        let any = !mine.is_empty();
        for Run { path, .. } in mine {
            fs::remove_file(&path).map_err(Error::write(&path))?;
        }
        self.flushed = true;
        self.parts = 0;
        if any { self.load() } else { Ok(()) }
    }

    /// Number of records known by heart (for tests and measures).
    #[cfg(test)]
    fn in_memory(&self) -> usize {
        self.held.len()
    }

    /// Reads the runs into memory, or, if they are too many, into the filter.
    fn load(&mut self) -> Result<(), Error> {
        self.held = HashMap::new();
        self.bloom = None;
        let entries: u64 = self.runs.iter().map(|r| r.entries).sum();
        if entries <= self.limit as u64 {
            self.held.reserve(entries as usize);
            for run in &self.runs {
                for_each(&run.path, |key, kept| {
                    let slot = self.held.entry(key).or_insert(kept);
                    if slot.richness < kept.richness {
                        *slot = kept;
                    }
                })?;
            }
            return Ok(());
        }
        self.filter(entries * 2)
    }

    /// Keeps no more than a filter of what the runs hold.
    fn filter(&mut self, capacity: u64) -> Result<(), Error> {
        let mut bloom = Bloom::new(capacity);
        for run in &self.runs {
            for_each(&run.path, |key, _| bloom.add(key))?;
        }
        self.bloom = Some(bloom);
        Ok(())
    }

    /// Moves what is in memory to the runs and the filter.
    fn spill(&mut self) -> Result<(), Error> {
        self.write_part()?;
        let entries: u64 = self.runs.iter().map(|r| r.entries).sum();
        match &mut self.bloom {
            Some(bloom) if entries <= bloom.capacity => {
                for key in self.held.keys() {
                    bloom.add(*key);
                }
            }
            _ => self.filter(entries.max(self.limit as u64) * 4)?,
        }
        self.held = HashMap::new();
        Ok(())
    }

    /// Writes the pending records as a sorted run.
    fn write_part(&mut self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let mut entries: Vec<(Key, Kept)> = pending.into_iter().map(|(k, kept, _)| (k, kept)).collect();
        // a record replaced within the file: the richer one, which came later
        entries.sort_unstable_by_key(|(k, kept)| (*k, std::cmp::Reverse(kept.richness)));
        entries.dedup_by_key(|e| e.0);
        let path = run(&self.dir, self.file_no, self.parts);
        let temporary = path.with_extension("tmp");
        let write = || -> std::io::Result<()> {
            let mut out = BufWriter::new(File::create(&temporary)?);
            for ((table, key), kept) in &entries {
                out.write_all(&[*table])?;
                out.write_all(&key.to_be_bytes())?;
                out.write_all(&kept.richness.to_le_bytes())?;
                out.write_all(&kept.row.to_le_bytes())?;
            }
            out.into_inner().map_err(|e| e.into_error())?.sync_data()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(Error::write(&path))?;
        self.runs.push(Run { file_no: self.file_no, path, entries: entries.len() as u64, file: None });
        self.parts += 1;
        Ok(())
    }

    /// Looks a key up in the runs; of several entries the richest.
    fn search(&mut self, key: Key) -> Result<Option<Kept>, Error> {
        let mut best: Option<Kept> = None;
        let many = self.runs.len() > OPEN;
        for run in &mut self.runs {
            if let Some(kept) = run.find(key)?
                && best.is_none_or(|b| b.richness < kept.richness)
            {
                best = Some(kept);
            }
            if many {
                run.file = None;
            }
        }
        Ok(best)
    }
}

impl Run {
    fn find(&mut self, key: Key) -> Result<Option<Kept>, Error> {
        let shown = self.path.display().to_string();
        let file = match &mut self.file {
            Some(file) => file,
            slot => slot.insert(File::open(&self.path).map_err(Error::read(&shown))?),
        };
        let (mut low, mut high) = (0, self.entries);
        let mut entry = [0; ENTRY];
        while low < high {
            let middle = low + (high - low) / 2;
            file.seek(SeekFrom::Start(middle * ENTRY as u64)).map_err(Error::read(&shown))?;
            file.read_exact(&mut entry).map_err(Error::read(&shown))?;
            let (found, kept) = parse(&entry);
            match found.cmp(&key) {
                std::cmp::Ordering::Equal => return Ok(Some(kept)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }
}

fn parse(entry: &[u8; ENTRY]) -> (Key, Kept) {
    let mut key = [0; 16];
    key.copy_from_slice(&entry[1..17]);
    let mut row = [0; 8];
    row.copy_from_slice(&entry[19..27]);
    let richness = u16::from_le_bytes([entry[17], entry[18]]);
    ((entry[0], u128::from_be_bytes(key)), Kept { richness, row: i64::from_le_bytes(row) })
}

fn for_each(path: &Path, mut each: impl FnMut(Key, Kept)) -> Result<(), Error> {
    let shown = path.display().to_string();
    let mut file = std::io::BufReader::new(File::open(path).map_err(Error::read(&shown))?);
    let mut entry = [0; ENTRY];
    loop {
        match file.read_exact(&mut entry) {
            Ok(()) => {
                let (key, kept) = parse(&entry);
                each(key, kept);
            }
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(e) => return Err(Error::read(&shown)(e)),
        }
    }
}

/// A Bloom filter of ten bits a key and seven probes: one lookup in a hundred is for nothing.
#[derive(Debug)]
struct Bloom {
    bits: Vec<u64>,
    capacity: u64,
}

impl Bloom {
    fn new(capacity: u64) -> Self {
        Self { bits: vec![0; (capacity * 10).div_ceil(64).max(1) as usize], capacity }
    }

    fn probes(&self, key: Key) -> impl Iterator<Item = (usize, u64)> + use<> {
        // GUIDs are chosen by whoever wrote the file: mix them before use
        let mut x = (key.1 as u64) ^ ((key.1 >> 64) as u64).rotate_left(32) ^ u64::from(key.0);
        let count = self.bits.len() as u64 * 64;
        (0..7).map(move |_| {
            x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = x;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bit = (z ^ (z >> 31)) % count;
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }

    fn add(&mut self, key: Key) {
        for (word, bit) in self.probes(key) {
            self.bits[word] |= bit;
        }
    }

    fn has(&self, key: Key) -> bool {
        self.probes(key).all(|(word, bit)| self.bits[word] & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(file: u32, n: u64) -> RowId {
        RowId::new(1, file, n)
    }

    fn key(n: u128) -> Keys {
        Keys { record: n, id: 0 }
    }

    fn import(index: &mut DedupIndex, file: u32, keys: std::ops::Range<u128>) -> usize {
        index.begin(file).unwrap();
        keys.filter(|k| index.decide(1, key(*k), 5, row(file, *k as u64)).unwrap() == Decision::New).count()
    }

    #[test]
    fn a_file_given_up_after_parts_were_written_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let many = PENDING as u128 + 10;
        let mut index = DedupIndex::open(dir.path()).unwrap();
        assert_eq!(import(&mut index, 1, 0..5), 5);
        index.flush().unwrap();
        assert_eq!(import(&mut index, 2, 3..many), many as usize - 5);
        index.rollback().unwrap();
        assert_eq!(index.in_memory(), 5);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(import(&mut index, 3, 0..8), 3);
    }

    #[test]
    fn remembers_over_files_and_openings() {
        let dir = tempfile::tempdir().unwrap();
        // with a limit of 50 keys everything goes through runs and filter
        for limit in [50, 1000] {
            let dir = dir.path().join(limit.to_string());
            let mut index = DedupIndex::open_with(&dir, limit).unwrap();
            assert_eq!(import(&mut index, 1, 0..100), 100);
            index.flush().unwrap();
            assert_eq!(import(&mut index, 2, 50..150), 50);
            index.rollback().unwrap();
            assert_eq!(import(&mut index, 2, 50..150), 50, "a file that was rolled back left nothing");
            index.flush().unwrap();
            drop(index);
            let mut index = DedupIndex::open_with(&dir, limit).unwrap();
            assert!(index.in_memory() <= limit);
            assert_eq!(import(&mut index, 3, 0..160), 10);
            index.flush().unwrap();
            index.retain(&|n| n != 2).unwrap();
            assert_eq!(import(&mut index, 4, 0..160), 50, "file 2 is not in the case, file 3 held the rest");
        }
    }

    #[test]
    fn a_run_of_an_earlier_version_knows_records_by_their_id() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = DedupIndex::open(dir.path()).unwrap();
        assert_eq!(import(&mut index, 1, 7..8), 1);
        index.flush().unwrap();
        let copy = |n| Keys { record: 1000 + n, id: n };
        index.begin(2).unwrap();
        assert_eq!(index.decide(1, copy(7), 5, row(2, 0)).unwrap(), Decision::New, "ids alone fold nothing");
        index.rollback().unwrap();
        drop(index);
        fs::rename(dir.path().join("1-00000.keys"), dir.path().join("1-00000.run")).unwrap();
        let mut index = DedupIndex::open(dir.path()).unwrap();
        index.begin(2).unwrap();
        assert_eq!(index.decide(1, copy(7), 5, row(2, 0)).unwrap(), Decision::Duplicate(row(1, 7)));
        assert_eq!(index.decide(1, copy(8), 5, row(2, 0)).unwrap(), Decision::New);
    }

    #[test]
    fn a_richer_copy_takes_the_place() {
        let dir = tempfile::tempdir().unwrap();
        for limit in [0, 1000] {
            let dir = dir.path().join(limit.to_string());
            let mut index = DedupIndex::open_with(&dir, limit).unwrap();
            index.begin(1).unwrap();
            assert_eq!(index.decide(1, key(7), 5, row(1, 0)).unwrap(), Decision::New);
            assert_eq!(index.decide(2, key(7), 5, row(1, 0)).unwrap(), Decision::New, "tables are apart");
            assert_eq!(index.decide(1, key(7), 5, row(1, 1)).unwrap(), Decision::Duplicate(row(1, 0)));
            assert_eq!(index.decide(1, key(7), 6, row(1, 2)).unwrap(), Decision::Richer(row(1, 0)));
            index.flush().unwrap();
            index.begin(2).unwrap();
            assert_eq!(index.decide(1, key(7), 9, row(2, 0)).unwrap(), Decision::Richer(row(1, 2)));
            index.rollback().unwrap();
            index.begin(3).unwrap();
            assert_eq!(index.decide(1, key(7), 6, row(3, 0)).unwrap(), Decision::Duplicate(row(1, 2)));
            assert_eq!(index.decide(1, key(7), 7, row(3, 1)).unwrap(), Decision::Richer(row(1, 2)));
        }
    }
}
