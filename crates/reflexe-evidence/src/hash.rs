//! What proves that a file is the same: BLAKE3, fast enough to be computed while the file is read, and SHA-256, which every other
//! tool and every court can compare. On processors without instructions for SHA-256 it alone takes longer than the whole import,
//! so it is computed once the answer is being judged, in one pass with BLAKE3: both then speak of the same bytes.
use std::{fs::File, io::Read, path::Path};

use sha2::{Digest as _, Sha256};

/// What a file is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// BLAKE3, lower-case hexadecimal.
    pub blake3: String,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub size: u64,
}

/// BLAKE3 (lower-case hexadecimal) and size of a file.
///
/// # Errors
/// When it cannot be read.
pub fn blake3(path: &Path) -> std::io::Result<(String, u64)> {
    let mut hasher = blake3::Hasher::new();
    let size = each(path, |bytes| {
        hasher.update(bytes);
    })?;
    Ok((hasher.finalize().to_hex().to_string(), size))
}

/// Both digests of a file, in one pass.
///
/// # Errors
/// When it cannot be read.
pub fn digests(path: &Path) -> std::io::Result<Digests> {
    let (mut blake3, mut sha256) = (blake3::Hasher::new(), Sha256::new());
    let size = each(path, |bytes| {
        blake3.update(bytes);
        sha256.update(bytes);
    })?;
    let sha256 = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Digests { blake3: blake3.finalize().to_hex().to_string(), sha256, size })
}

fn each(path: &Path, mut take: impl FnMut(&[u8])) -> std::io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(n) => {
                take(&buffer[..n]);
                size += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let got = digests(file.path()).unwrap();
        assert_eq!(got.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(got.blake3, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
        assert_eq!(blake3(file.path()).unwrap(), (got.blake3, 3));
    }
}
