//! From bytes to text: which encoding a file is in, and its transcoding to UTF-8 as a stream.
use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::Path,
};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::Error;

/// An encoding, as its bytes show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8 after this many bytes of mark.
    Utf8(usize),
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// Not UTF-8: Windows-1252 is supposed.
    Windows1252,
    /// No text.
    Binary,
}

/// Judges the beginning of a file.
pub fn charset(head: &[u8]) -> Charset {
    match head {
        [0xef, 0xbb, 0xbf, ..] => return Charset::Utf8(3),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Charset::Binary,
        [0xff, 0xfe, ..] => return Charset::Utf16Le,
        [0xfe, 0xff, ..] => return Charset::Utf16Be,
        _ => {}
    }
    let sample = &head[..head.len().min(512)];
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let half = sample.len() / 2;
    if half > 0 {
        if zeros(1) * 10 > half * 6 && zeros(0) * 10 < half {
            return Charset::Utf16Le;
        }
        if zeros(0) * 10 > half * 6 && zeros(1) * 10 < half {
            return Charset::Utf16Be;
        }
    }
    if head.iter().take(4096).filter(|b| **b == 0).count() > 0 {
        return Charset::Binary;
    }
    // characters of several bytes that are right, against bytes that are none: one bad byte does not make another encoding
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in head.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    let cut_at_end = std::str::from_utf8(head).err().is_some_and(|e| e.error_len().is_none());
    bad -= usize::from(cut_at_end && bad > 0);
    if bad > good { Charset::Windows1252 } else { Charset::Utf8(0) }
}

/// Writes the text of `from` as UTF-8 to `to`, without mark.
///
/// # Errors
/// When a file cannot be read or written.
pub fn transcode(from: &Path, shown: &str, charset: Charset, to: &Path) -> Result<(), Error> {
    let encoding: &'static Encoding = match charset {
        Charset::Utf16Le => UTF_16LE,
        Charset::Utf16Be => UTF_16BE,
        _ => WINDOWS_1252,
    };
    let mut source = BufReader::with_capacity(1 << 20, File::open(from).map_err(Error::read(shown))?);
    let mut sink = BufWriter::new(File::create(to).map_err(Error::write(to))?);
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut input = vec![0; 1 << 16];
    let mut output = String::with_capacity(1 << 18);
    loop {
        let n = source.read(&mut input).map_err(Error::read(shown))?;
        let mut rest = &input[..n];
        loop {
            output.clear();
            let (result, used, _) = decoder.decode_to_string(rest, &mut output, n == 0);
            rest = &rest[used..];
            sink.write_all(output.as_bytes()).map_err(Error::write(to))?;
            if result == encoding_rs::CoderResult::InputEmpty {
                break;
            }
        }
        if n == 0 {
            break;
        }
    }
    sink.flush().map_err(Error::write(to))
}

/// The text of a record. Bytes that are not UTF-8 are read as Windows-1252 if nothing in the record is UTF-8 of several
/// bytes, else replaced; the second value says that this was needed.
pub fn record_text(bytes: &[u8]) -> (std::borrow::Cow<'_, str>, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.into(), false),
        Err(_) if charset_of_record(bytes) == Charset::Windows1252 => (WINDOWS_1252.decode_without_bom_handling(bytes).0, true),
        Err(_) => (String::from_utf8_lossy(bytes), true),
    }
}

fn charset_of_record(bytes: &[u8]) -> Charset {
    let several = bytes.utf8_chunks().any(|c| !c.valid().is_ascii());
    if several { Charset::Utf8(0) } else { Charset::Windows1252 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges() {
        assert_eq!(charset(b"\xef\xbb\xbfa"), Charset::Utf8(3));
        assert_eq!(charset(b"\xff\xfea\0"), Charset::Utf16Le);
        assert_eq!(charset(b"a\0b\0c\0d\0"), Charset::Utf16Le);
        assert_eq!(charset(b"\0a\0b\0c\0d"), Charset::Utf16Be);
        assert_eq!(charset(b"{\"a\":\"\xe9t\xe9\"}"), Charset::Windows1252);
        assert_eq!(charset("{\"a\":\"été\"}".as_bytes()), Charset::Utf8(0));
        assert_eq!(charset("été été \u{e9}".as_bytes().split_last().unwrap().1), Charset::Utf8(0));
        assert_eq!(charset(b"PK\x03\x04\0\0\x01\x02"), Charset::Binary);
        assert_eq!(charset(b""), Charset::Utf8(0));
    }

    #[test]
    fn transcodes() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        let text = "été 😀 ".repeat(40_000);
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        std::fs::write(&from, bytes).unwrap();
        transcode(&from, "a", Charset::Utf16Le, &to).unwrap();
        assert!(std::fs::read_to_string(&to).unwrap() == text);
    }

    #[test]
    fn damaged_records_keep_what_is_right() {
        assert_eq!(record_text(b"caf\xe9"), ("café".into(), true));
        assert!(!record_text("é\u{fffd}".as_bytes()).1);
        assert_eq!(record_text(b"\xc3\xa9 \xff"), ("é \u{fffd}".into(), true));
    }
}
