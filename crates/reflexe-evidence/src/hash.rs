//! The SHA-256 of a file. It is sequential by nature, so it runs beside the reading of the records, on a thread of its own.
use std::{fmt::Write as _, fs::File, io::Read, path::Path};

use sha2::{Digest, Sha256};

/// SHA-256 (lower-case hexadecimal) and size of a file.
///
/// # Errors
/// When it cannot be read.
pub fn sha256(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(&buffer[..n]);
                size += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        // writing to a String cannot fail
        let _ = write!(hex, "{byte:02x}");
    }
    Ok((hex, size))
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_value() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let (hex, size) = super::sha256(file.path()).unwrap();
        assert_eq!((hex.as_str(), size), ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 3));
    }
}
