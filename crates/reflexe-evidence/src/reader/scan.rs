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

/// Index after the string whose first byte (after the quote) is at `at`.
///
/// # Errors
/// When it does not end.
#[inline]
pub fn string_end(b: &[u8], mut at: usize) -> Result<usize, Stop> {
    loop {
        let rest = b.get(at..).ok_or(Stop::Incomplete)?;
        let n = memchr2(b'"', b'\\', rest).ok_or(Stop::Incomplete)?;
        if rest[n] == b'"' {
            return Ok(at + n + 1);
        }
        at += n + 2;
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
    fn says_where_it_broke() {
        assert_eq!(members(r#"{"a":1"#), Err(Stop::Incomplete));
        assert_eq!(members(r#"{"a":"x"#), Err(Stop::Incomplete));
        assert_eq!(members(r#"{"a":1 "b":2}"#), Err(Stop::Broken(7)));
        assert_eq!(members(r#"{"a":}"#), Err(Stop::Broken(5)));
        assert_eq!(members("[1]"), Err(Stop::Broken(0)));
    }
}
