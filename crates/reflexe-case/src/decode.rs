//! The text of evidence in UTF-16 or Windows-1252. The readers transcode such a file before they read it, and count
//! offsets in the result (member `utf8:`); the case keeps the file as it was given, and makes the same text again.
use std::{
    cell::RefCell,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use encoding_rs::{CoderResult, Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use reflexe_evidence::text::{Charset, charset};

/// The member that stands for the text of a file as UTF-8.
pub(crate) const MEMBER: &str = "utf8:";

/// The readers judge a file's encoding by as many bytes.
const HEAD: u64 = 1 << 20;

/// Texts up to this size are kept, because rows are looked up one after the other.
const KEPT: u64 = 128 << 20;

/// The text that was decoded last.
#[derive(Debug, Default)]
pub(crate) struct Decoded(RefCell<Option<(PathBuf, Vec<u8>)>>);

impl Decoded {
    /// A part of a file's text; none if it does not reach so far.
    pub(crate) fn slice(&self, path: &Path, offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
        if File::open(path)?.metadata()?.len() > KEPT {
            return part(path, offset, length);
        }
        let mut kept = self.0.borrow_mut();
        let text = match kept.take() {
            Some((of, text)) if of == path => text,
            _ => part(path, 0, u64::MAX)?.unwrap_or_default(),
        };
        let end = offset.checked_add(length).and_then(|end| usize::try_from(end).ok());
        let slice = usize::try_from(offset).ok().zip(end).and_then(|(from, to)| text.get(from..to)).map(<[u8]>::to_vec);
        *kept = Some((path.to_owned(), text));
        Ok(slice)
    }
}

/// Decodes a file as a stream and keeps `length` bytes of its text from `offset` (all of the rest for `u64::MAX`).
fn part(path: &Path, offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    let encoding: &'static Encoding = match charset(&head) {
        Charset::Utf16Le => UTF_16LE,
        Charset::Utf16Be => UTF_16BE,
        _ => WINDOWS_1252,
    };
    let end = offset.saturating_add(length);
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut file = File::open(path)?;
    let (mut input, mut output) = (vec![0; 1 << 16], String::with_capacity(1 << 18));
    let (mut at, mut kept) = (0u64, Vec::new());
    loop {
        let n = file.read(&mut input)?;
        let mut rest = &input[..n];
        loop {
            output.clear();
            let (result, used, _) = decoder.decode_to_string(rest, &mut output, n == 0);
            rest = &rest[used..];
            let next = at + output.len() as u64;
            if next > offset && at < end {
                // both differences are at most the length of `output`
                let from = offset.saturating_sub(at) as usize;
                let to = end.min(next).saturating_sub(at) as usize;
                kept.extend_from_slice(&output.as_bytes()[from..to]);
            }
            at = next;
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        if n == 0 || at >= end {
            let whole = length == u64::MAX || kept.len() as u64 == length;
            return Ok(whole.then_some(kept));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_of_a_large_file_are_those_of_its_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let text = "été 😀 ".repeat(40_000);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        std::fs::write(&path, [&[0xfe, 0xff], utf16.as_slice()].concat()).unwrap();
        proptest!(ProptestConfig::with_cases(40), |(offset in 0..text.len(), length in 0..300_000usize)| {
            let expected = text.as_bytes().get(offset..offset + length).map(<[u8]>::to_vec);
            prop_assert_eq!(&part(&path, offset as u64, length as u64).unwrap(), &expected);
            prop_assert_eq!(&Decoded::default().slice(&path, offset as u64, length as u64).unwrap(), &expected);
        });
    }

    #[test]
    fn what_is_kept_is_not_taken_for_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["caf\u{e9}", "th\u{e9}s"].map(|text| {
            let path = dir.path().join(text);
            std::fs::write(&path, WINDOWS_1252.encode(text).0).unwrap();
            path
        });
        let decoded = Decoded::default();
        assert_eq!(decoded.slice(&a, 0, 5).unwrap().unwrap(), "café".as_bytes());
        assert_eq!(decoded.slice(&b, 0, 5).unwrap().unwrap(), "thés".as_bytes());
        assert_eq!(decoded.slice(&a, 3, 2).unwrap().unwrap(), "é".as_bytes());
        assert_eq!(decoded.slice(&a, 3, 3).unwrap(), None);
    }
}
