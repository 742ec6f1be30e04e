//! A window that slides over a file: what a record needs is in memory, the rest is not.
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use super::MAX_RECORD;

/// Bytes asked for at once.
const CHUNK: usize = 4 << 20;

/// Bytes of a file from `start` on.
#[derive(Debug)]
pub struct Window {
    file: File,
    buffer: Vec<u8>,
    filled: usize,
    start: u64,
    end_of_file: bool,
}

impl Window {
    /// Opens a file; nothing is read yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, buffer: Vec::new(), filled: 0, start: 0, end_of_file: false })
    }

    /// Moves to an offset and forgets the bytes held.
    ///
    /// # Errors
    /// When the file cannot seek.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.start = offset;
        self.filled = 0;
        self.end_of_file = false;
        Ok(())
    }

    /// Bytes held.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Offset in the file of the first byte held.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Whether the bytes held reach the end of the file.
    pub fn at_end(&self) -> bool {
        self.end_of_file
    }

    /// Forgets the first `done` bytes and reads more. `false` if there is no more, or if the bytes held already fill what
    /// a record may take.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn more(&mut self, done: usize) -> io::Result<bool> {
        if done > 0 {
            self.buffer.copy_within(done..self.filled, 0);
            self.filled -= done;
            self.start += done as u64;
        }
        if self.end_of_file || self.filled > MAX_RECORD {
            return Ok(false);
        }
        // double what is held when a record is longer than a chunk, so that a long record is not scanned over and over
        let want = (self.filled + CHUNK.max(self.filled)).min(MAX_RECORD + 2 * CHUNK);
        if self.buffer.len() < want {
            self.buffer.resize(want, 0);
        }
        let limit = want.max(self.filled + 1).min(self.buffer.len());
        let before = self.filled;
        while self.filled < limit {
            match self.file.read(&mut self.buffer[self.filled..limit]) {
                Ok(0) => {
                    self.end_of_file = true;
                    break;
                }
                Ok(n) => self.filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(self.filled > before)
    }
}
