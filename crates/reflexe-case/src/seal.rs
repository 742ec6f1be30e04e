//! The SHA-256 of every original: computed apart from the import, since it alone can take longer, and only of bytes whose BLAKE3 is
//! the one of the import. Whoever prints an answer computes it beside the judging.
use std::path::PathBuf;

use reflexe_evidence::hash;
use reflexe_model::Text;

use crate::{
    error::{Doing, Error},
    folder::Case,
    manifest,
};

/// A file whose SHA-256 is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsealed {
    number: u32,
    blake3: String,
    path: PathBuf,
}

/// What came of computing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// The SHA-256 of the bytes that were imported.
    Sha256 {
        /// Evidence id.
        id: String,
        /// Lower-case hexadecimal.
        sha256: String,
    },
    /// The original is gone, or is not what was imported.
    Problem {
        /// Evidence id.
        id: String,
        /// What, and what to do.
        reason: Text,
    },
}

impl Unsealed {
    /// Reads the original once and computes both digests.
    pub fn seal(&self) -> Sealed {
        let id = format!("e{}", self.number);
        match hash::digests(&self.path) {
            Ok(found) if found.blake3 == self.blake3 => Sealed::Sha256 { id, sha256: found.sha256 },
            Ok(_) => Sealed::Problem { reason: Error::OriginalChanged { id: id.clone(), path: self.path.clone() }.text(), id },
            Err(error) => Sealed::Problem { id, reason: Error::io(Doing::Reading, &self.path)(error).text() },
        }
    }
}

impl Case {
    /// The originals whose SHA-256 is not known yet.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn unsealed(&self) -> Result<Vec<Unsealed>, Error> {
        let files = self.evidence_files()?.into_iter().filter(|f| f.sha256.is_none());
        let file = |f: manifest::EvidenceFile| {
            let blake3 = f.blake3?;
            let path = if f.in_place { f.origin } else { self.dir().join(manifest::original(&blake3)) };
            Some(Unsealed { number: f.number, blake3, path })
        };
        Ok(files.filter_map(file).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_the_bytes_that_were_imported_are_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "abc").unwrap();
        let (blake3, _) = hash::blake3(&path).unwrap();
        let file = Unsealed { number: 7, blake3, path: path.clone() };
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        assert_eq!(file.seal(), Sealed::Sha256 { id: "e7".into(), sha256 });
        fs::write(&path, "abd").unwrap();
        assert!(matches!(file.seal(), Sealed::Problem { .. }));
        fs::remove_file(&path).unwrap();
        assert!(matches!(file.seal(), Sealed::Problem { .. }));
    }
}
