//! A walk over the members of one JSON object, without building anything. Nested values are skipped, not parsed; a record
//! whose walk fails is rejected, so the walk may be tolerant inside what it skips.
use memchr::memchr2;

/// Why a walk ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The bytes end inside the value.
    Incomplete,
    /// The byte at this index cannot stand there.
    Broken(usize),
}

/// Index after the white space at `at`.
#[inline]
pub fn space(b: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = b.get(at) {
        at += 1;
    }
    at
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of every byte of `word` that is `byte`; bits above the lowest one set may be wrong.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let x = word ^ (ONES * byte as u64);
    x.wrapping_sub(ONES) & !x & HIGHS
}

/// Index of the first quote or backslash from `at` on. Most strings are short: the first bytes are looked at eight at a
/// time, in place, before a search that costs a call.
#[inline]
fn quote_or_escape(b: &[u8], at: usize) -> Option<usize> {
    let mut rest = b.get(at..)?;
    for step in 0..4 {
        let Some(eight) = rest.first_chunk::<8>() else { break };
        let word = u64::from_le_bytes(*eight);
        let found = equal(word, b'"') | equal(word, b'\\');
        if found != 0 {
            return Some(at + step * 8 + (found.trailing_zeros() / 8) as usize);
        }
        rest = &rest[8..];
    }
    memchr2(b'"', b'\\', rest).map(|n| b.len() - rest.len() + n)
}

/// Whether the text holds a backslash.
#[inline]
pub fn escaped(text: &str) -> bool {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    words.iter().any(|w| equal(u64::from_le_bytes(*w), b'\\') != 0) || rest.contains(&b'\\')
}

/// Index after the string whose first byte (after the quote) is at `at`.
///
/// # Errors
/// When it does not end.
#[inline]
pub fn string_end(b: &[u8], mut at: usize) -> Result<usize, Stop> {
    loop {
        let n = quote_or_escape(b, at).ok_or(Stop::Incomplete)?;
        if b[n] == b'"' {
            return Ok(n + 1);
        }
        at = n + 2;
    }
}

/// Index after the value that starts at `at`.
///
/// # Errors
/// When no value starts there or it does not end.
#[inline]
pub fn value_end(b: &[u8], at: usize) -> Result<usize, Stop> {
    match b.get(at) {
        None => Err(Stop::Incomplete),
        Some(b'"') => string_end(b, at + 1),
        Some(b'{' | b'[') => container_end(b, at),
        Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            let mut i = at + 1;
            while let Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-') = b.get(i) {
                i += 1;
            }
            if i == b.len() { Err(Stop::Incomplete) } else { Ok(i) }
        }
        Some(_) => Err(Stop::Broken(at)),
    }
}

fn container_end(b: &[u8], mut at: usize) -> Result<usize, Stop> {
    let mut depth = 0_u32;
    loop {
        match b.get(at) {
            None => return Err(Stop::Incomplete),
            Some(b'"') => at = string_end(b, at + 1)?,
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Ok(at);
                }
            }
            Some(_) => at += 1,
        }
    }
}

/// Calls `member` with the key (between its quotes) and the range of the value of every member of the object that starts
/// at `at`; returns the index after the object.
///
/// # Errors
/// When the object does not end or is not one.
#[inline]
pub fn object(b: &[u8], at: usize, mut member: impl FnMut(&[u8], usize, usize)) -> Result<usize, Stop> {
    if b.get(at) != Some(&b'{') {
        return Err(Stop::Broken(at));
    }
    let mut i = space(b, at + 1);
    if b.get(i) == Some(&b'}') {
        return Ok(i + 1);
    }
    loop {
        expect(b, i, b'"')?;
        let key_end = string_end(b, i + 1)?;
        let colon = space(b, key_end);
        expect(b, colon, b':')?;
        let value = space(b, colon + 1);
        let end = value_end(b, value)?;
        member(&b[i + 1..key_end - 1], value, end);
        let next = space(b, end);
        match b.get(next) {
            Some(b',') => i = space(b, next + 1),
            Some(b'}') => return Ok(next + 1),
            Some(_) => return Err(Stop::Broken(next)),
            None => return Err(Stop::Incomplete),
        }
    }
}

/// Calls `element` with the range of every element of the array that starts at `at`; returns the index after it.
///
/// # Errors
/// When the array does not end or is not one.
pub fn array(b: &[u8], at: usize, mut element: impl FnMut(usize, usize)) -> Result<usize, Stop> {
    if b.get(at) != Some(&b'[') {
        return Err(Stop::Broken(at));
    }
    let mut i = space(b, at + 1);
    if b.get(i) == Some(&b']') {
        return Ok(i + 1);
    }
    loop {
        let end = value_end(b, i)?;
        element(i, end);
        let next = space(b, end);
        match b.get(next) {
            Some(b',') => i = space(b, next + 1),
            Some(b']') => return Ok(next + 1),
            Some(_) => return Err(Stop::Broken(next)),
            None => return Err(Stop::Incomplete),
        }
    }
}

fn expect(b: &[u8], at: usize, byte: u8) -> Result<(), Stop> {
    match b.get(at) {
        Some(x) if *x == byte => Ok(()),
        Some(_) => Err(Stop::Broken(at)),
        None => Err(Stop::Incomplete),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Result<Vec<(String, String)>, Stop> {
        let mut out = Vec::new();
        object(text.as_bytes(), 0, |k, a, z| {
            out.push((String::from_utf8_lossy(k).into_owned(), text[a..z].to_owned()));
        })?;
        Ok(out)
    }

    #[test]
    fn walks_members_and_skips_nested() {
        let got = members(r#"{ "a" : 1 , "b":"x\"}{", "c":{"d":["]}"]}, "e":[{},[]] }"#).unwrap();
        let want = [("a", "1"), ("b", r#""x\"}{""#), ("c", r#"{"d":["]}"]}"#), ("e", "[{},[]]")];
        assert_eq!(got, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(members("{}").unwrap(), []);
    }

    #[test]
    fn strings_of_every_length() {
        for n in 0..80 {
            let text = format!("{}\"tail\\", "\u{a2}x!".repeat(n));
            assert_eq!(string_end(text.as_bytes(), 0), Ok(n * 4 + 1));
            assert_eq!(string_end(&text.as_bytes()[..n * 4], 0), Err(Stop::Incomplete));
            let text = format!("{}\\\"{}\"", "ab".repeat(n), "c".repeat(n));
            assert_eq!(string_end(text.as_bytes(), 0), Ok(text.len()));
            assert!(escaped(&text) && !escaped(&text.replace('\\', "]")));
        }
    }

    #[test]
    fn says_where_it_broke() {
        assert_eq!(members(r#"{"a":1"#), Err(Stop::Incomplete));
        assert_eq!(members(r#"{"a":"x"#), Err(Stop::Incomplete));
        assert_eq!(members(r#"{"a":1 "b":2}"#), Err(Stop::Broken(7)));
        assert_eq!(members(r#"{"a":}"#), Err(Stop::Broken(5)));
        assert_eq!(members("[1]"), Err(Stop::Broken(0)));
    }
}
