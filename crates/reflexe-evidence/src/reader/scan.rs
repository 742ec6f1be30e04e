//! A walk over the members of one JSON object, without building anything. Nested values are skipped, not parsed; a record
//! whose walk fails is rejected, so the walk may be tolerant inside what it skips.
use memchr::memchr2;

use super::block::{marks, quote_or_slash, slash};

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

/// Index of the first quote or backslash from `at` on. Most strings are short: the first bytes are looked at in place, before
/// a search that costs a call.
#[inline]
fn quote_or_escape(b: &[u8], at: usize) -> Option<usize> {
    let mut rest = b.get(at..)?;
    for step in 0..4 {
        let Some(part) = rest.first_chunk::<16>() else { break };
        if let Some(n) = quote_or_slash(part) {
            return Some(at + step * 16 + n);
        }
        rest = &rest[16..];
    }
    memchr2(b'"', b'\\', rest).map(|n| b.len() - rest.len() + n)
}

/// Whether the text holds a backslash.
#[inline]
pub fn escaped(text: &str) -> bool {
    let (parts, rest) = text.as_bytes().as_chunks::<16>();
    parts.iter().any(slash) || rest.contains(&b'\\')
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

/// Index after the object or array that starts at `at`: brackets outside strings are counted, 64 bytes at a time.
fn container_end(b: &[u8], at: usize) -> Result<usize, Stop> {
    let (mut from, mut depth, mut in_string, mut escape) = (at, 0_u32, 0_u64, false);
    loop {
        let rest = b.get(from..).unwrap_or_default();
        let mut padded = [0; 64];
        let block = rest.first_chunk::<64>().unwrap_or_else(|| {
            padded[..rest.len()].copy_from_slice(rest);
            &padded
        });
        let marks = marks(block);
        let quotes = marks.quote & !escaped_bits(marks.slash, &mut escape);
        // set from every opening quote up to its closing one
        let strings = odd_before(quotes) ^ in_string;
        in_string = if strings >> 63 == 1 { u64::MAX } else { 0 };
        let (open, close) = (marks.open & !strings, marks.close & !strings);
        if depth > close.count_ones() {
            depth = depth + open.count_ones() - close.count_ones();
        } else {
            let mut both = open | close;
            while both != 0 {
                let n = both.trailing_zeros();
                if open >> n & 1 == 1 {
                    depth += 1;
                } else {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(from + n as usize + 1);
                    }
                }
                both &= both - 1;
            }
        }
        if rest.len() <= 64 {
            return Err(Stop::Incomplete);
        }
        from += 64;
    }
}

/// The bytes that a backslash escapes, of those marked as backslashes; `carry` says it of the first byte of the next block.
#[inline]
fn escaped_bits(mut slash: u64, carry: &mut bool) -> u64 {
    let mut escaped = 0;
    if std::mem::take(carry) {
        escaped = 1;
        slash &= !1;
    }
    while slash != 0 {
        let n = slash.trailing_zeros();
        if n == 63 {
            *carry = true;
            break;
        }
        escaped |= 2 << n;
        slash &= !(3 << n);
    }
    escaped
}

/// A bit is set where an odd number of bits stands at it or before it.
#[inline]
fn odd_before(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
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
    use proptest::prelude::*;

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

    /// Byte by byte, to compare with.
    fn slow_end(b: &[u8]) -> Option<usize> {
        let (mut at, mut depth) = (0, 0);
        loop {
            match b.get(at)? {
                b'"' => at = string_end(b, at + 1).ok()?,
                open @ (b'{' | b'[' | b'}' | b']') => {
                    depth += if matches!(open, b'{' | b'[') { 1 } else { -1 };
                    at += 1;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => at += 1,
            }
        }
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            "-?[0-9]{1,20}",
            "[ -~é]{0,90}".prop_map(|t| serde_json::to_string(&t).unwrap()),
            r#"[{}"\\\[\]]{0,70}"#.prop_map(|t| serde_json::to_string(&t).unwrap()),
        ];
        leaf.prop_recursive(4, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|v| format!("[{}]", v.join(","))),
                prop::collection::vec(inner, 0..6)
                    .prop_map(|v| format!("{{{}}}", v.iter().map(|v| format!("\"k\": {v}")).collect::<Vec<_>>().join(" , "))),
            ]
        })
    }

    proptest! {
        #[test]
        fn containers_end_where_they_do(inner in json(), tail in "[ -~]{0,80}", cut in 0_usize..200) {
            let whole = format!("[{inner}]{tail}");
            prop_assert_eq!(container_end(whole.as_bytes(), 0), Ok(inner.len() + 2));
            let cut = &whole.as_bytes()[..cut.min(inner.len() + 1)];
            if cut.first() == Some(&b'[') {
                prop_assert_eq!(container_end(cut, 0).ok(), slow_end(cut));
            }
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
