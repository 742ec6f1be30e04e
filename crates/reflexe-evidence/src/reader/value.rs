//! One value of a record, read only when somebody asks.
use std::borrow::Cow;

use super::scan;

/// A value: JSON text, or the plain text of a CSV cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a> {
    /// The text as it stands (a JSON string with its quotes).
    pub raw: &'a str,
    /// Whether it is a CSV cell.
    pub plain: bool,
}

impl<'a> Raw<'a> {
    /// A JSON value.
    pub fn json(raw: &'a str) -> Self {
        Self { raw, plain: false }
    }

    /// Its text: a string without its quotes and escapes, a number or boolean as written, an object or array as JSON.
    /// `None` for `null` and for a text that is empty.
    pub fn text(self) -> Option<Cow<'a, str>> {
        self.text_or_empty().filter(|t| !t.is_empty())
    }

    /// As [`Raw::text`], but an empty text is a text.
    pub fn text_or_empty(self) -> Option<Cow<'a, str>> {
        if self.plain {
            return Some(Cow::Borrowed(self.raw));
        }
        match self.raw.as_bytes().first() {
            Some(b'"') => Some(unescape(&self.raw[1..self.raw.len() - 1])),
            Some(b'n') | None => None,
            Some(_) => Some(Cow::Borrowed(self.raw)),
        }
    }

    /// JSON inside it: itself, or the content of the string that it is. `None` unless it is an object or an array.
    pub fn nested(self) -> Option<Cow<'a, str>> {
        let text = self.text()?;
        let start = scan::space(text.as_bytes(), 0);
        matches!(text.as_bytes().get(start), Some(b'{' | b'[')).then(|| match text {
            Cow::Borrowed(t) => Cow::Borrowed(&t[start..]),
            Cow::Owned(t) => Cow::Owned(t[start..].to_owned()),
        })
    }

    /// As an integer, a number or its text.
    pub fn int(self) -> Option<i64> {
        self.text().and_then(|t| t.trim().parse().ok())
    }

    /// As a 32-bit integer.
    pub fn int32(self) -> Option<i32> {
        self.int().and_then(|n| i32::try_from(n).ok())
    }

    /// As a number.
    pub fn float(self) -> Option<f64> {
        self.text().and_then(|t| t.trim().parse().ok()).filter(|f: &f64| f.is_finite())
    }

    /// As a boolean, or the words for one.
    pub fn boolean(self) -> Option<bool> {
        let text = self.text()?;
        let text = text.trim();
        if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("yes") || text == "1" {
            Some(true)
        } else if text.eq_ignore_ascii_case("false") || text.eq_ignore_ascii_case("no") || text == "0" {
            Some(false)
        } else {
            None
        }
    }
}

/// A member of a JSON object given as text, by name (either case of the first letter).
pub fn member<'a>(object: &'a str, name: &str) -> Option<Raw<'a>> {
    let mut found = None;
    // a damaged nested object gives what stands before the damage
    let _ = scan::object(object.as_bytes(), 0, |key, a, z| {
        if key.eq_ignore_ascii_case(name.as_bytes()) && found.is_none() {
            found = Some(Raw::json(&object[a..z]));
        }
    });
    found
}

/// The elements of a JSON array; of anything else that is not null, that thing alone (a list of one loses its brackets).
pub fn elements(list: &str) -> Vec<Raw<'_>> {
    let mut out = Vec::new();
    match list.as_bytes().first() {
        Some(b'[') => {
            let _ = scan::array(list.as_bytes(), 0, |a, z| out.push(Raw::json(&list[a..z])));
            out.retain(|v| v.raw != "null");
        }
        None | Some(b'n') => {}
        Some(_) => out.push(Raw::json(list)),
    }
    out
}

/// The text of a JSON string, given between its quotes.
#[inline]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !scan::escaped(text) {
        return Cow::Borrowed(text);
    }
    unescape_from(text, memchr::memchr(b'\\', text.as_bytes()))
}

fn unescape_from(text: &str, first: Option<usize>) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut at = first;
    while let Some(n) = at {
        out.push_str(&rest[..n]);
        let escape = rest.as_bytes().get(n + 1).copied();
        let mut used = n + 2;
        match escape {
            Some(b'n') => out.push('\n'),
            Some(b't') => out.push('\t'),
            Some(b'r') => out.push('\r'),
            Some(b'b') => out.push('\u{8}'),
            Some(b'f') => out.push('\u{c}'),
            Some(b'u') => {
                let (c, end) = unicode(rest, n);
                out.push(c);
                used = end;
            }
            Some(c) if c.is_ascii() => out.push(char::from(c)),
            // a backslash before something else, or at the end: kept as it stands
            _ => {
                out.push('\\');
                used = n + 1;
            }
        }
        rest = &rest[used..];
        at = memchr::memchr(b'\\', rest.as_bytes());
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character of `\uXXXX` (and its low surrogate) at `at`, and the index after it. Half a pair is U+FFFD.
fn unicode(text: &str, at: usize) -> (char, usize) {
    let unit = |i: usize| {
        let b = text.as_bytes();
        (b.get(i) == Some(&b'\\') && b.get(i + 1) == Some(&b'u'))
            .then(|| text.get(i + 2..i + 6))
            .flatten()
            .filter(|h| h.bytes().all(|c| c.is_ascii_hexdigit()))
            .and_then(|h| u32::from_str_radix(h, 16).ok())
    };
    match unit(at) {
        None => ('\u{fffd}', at + 2),
        Some(high @ 0xd800..=0xdbff) => match unit(at + 6) {
            Some(low @ 0xdc00..=0xdfff) => {
                let c = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(c).unwrap_or('\u{fffd}'), at + 12)
            }
            _ => ('\u{fffd}', at + 6),
        },
        Some(c) => (char::from_u32(c).unwrap_or('\u{fffd}'), at + 6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescapes_as_serde_does() {
        for text in [r"plain", r#"a\"b\\c\/d"#, r"\n\r\t\b\f", r"é\u00e9", r"\ud83d\ude00x", r"\u003cnull\u003e"] {
            let want: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(unescape(text), want, "{text}");
        }
        assert_eq!(unescape(r"\ud83dx"), "\u{fffd}x");
        assert_eq!(unescape(r"\u00"), "\u{fffd}00");
        assert_eq!(unescape(r"end\"), "end\\");
    }

    #[test]
    fn lists_of_one_lose_their_brackets() {
        assert_eq!(elements(r#"{"a":1}"#).len(), 1);
        assert_eq!(elements(r#"[{"a":1},null,2]"#).len(), 2);
        assert!(elements("null").is_empty());
        assert_eq!(member(r#"{"Name":"x","Value":null}"#, "name").unwrap().text().unwrap(), "x");
    }
}
