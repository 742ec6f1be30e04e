//! Where a row stands, as one word that a person can copy: the only writer and the only reader of it.
use std::{fmt, fmt::Write as _, str::FromStr};

/// Where a row stands. As a text: `e7!member@offset+length:line#pointer` (the parts that do not apply left out), or `ref.table:line`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// In a file of evidence.
    Evidence(Place),
    /// In a table that the product ships (`ref.…`) or that people gave (`input`).
    Known {
        /// The table.
        table: String,
        /// Line, the heading being the first.
        line: u64,
    },
}

/// The place of a record in a file of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Evidence file, `e7`.
    pub evidence_id: String,
    /// The part of the file in which offset and length count: `utf8:` for the file's text as UTF-8 (it is in another encoding);
    /// none for the bytes of the file itself.
    pub member: Option<String>,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
    /// Line, from 1.
    pub line: u64,
    /// JSON pointer inside the record, if the row is a part of it.
    pub pointer: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { evidence_id, member, offset, length, line, pointer } = self;
        f.write_str(evidence_id)?;
        if let Some(member) = member {
            f.write_char('!')?;
            escape(f, member)?;
        }
        write!(f, "@{offset}+{length}:{line}")?;
        if let Some(pointer) = pointer {
            f.write_char('#')?;
            escape(f, pointer)?;
        }
        Ok(())
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evidence(place) => place.fmt(f),
            Self::Known { table, line } => write!(f, "{table}:{line}"),
        }
    }
}

/// What is not the form of a locator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotALocator;

impl NotALocator {
    /// What one looks like, for a sentence.
    pub const FORM: &str = "e7@offset+length:line";
}

impl fmt::Display for NotALocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not of the form {}", Self::FORM)
    }
}

impl std::error::Error for NotALocator {}

impl FromStr for Locator {
    type Err = NotALocator;

    fn from_str(text: &str) -> Result<Self, NotALocator> {
        read(text).ok_or(NotALocator)
    }
}

fn read(text: &str) -> Option<Locator> {
    // An `@` in the member is escaped: the first one ends it, and whatever the pointer holds comes after.
    let Some((origin, place)) = text.split_once('@') else {
        let (table, line) = text.split_once(':')?;
        let known = table == "input" || table.strip_prefix("ref.").is_some_and(is_name);
        return if known { Some(Locator::Known { table: table.to_owned(), line: number(line)? }) } else { None };
    };
    let (evidence_id, member) = match origin.split_once('!') {
        Some((id, member)) => (id, Some(unescape(member)?)),
        None => (origin, None),
    };
    number(evidence_id.strip_prefix('e')?)?;
    let (numbers, pointer) = match place.split_once('#') {
        Some((numbers, pointer)) => (numbers, Some(unescape(pointer)?)),
        None => (place, None),
    };
    let (offset, rest) = numbers.split_once('+')?;
    let (length, line) = rest.split_once(':')?;
    Some(Locator::Evidence(Place {
        evidence_id: evidence_id.to_owned(),
        member,
        offset: number(offset)?,
        length: number(length)?,
        line: number(line)?,
        pointer,
    }))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Digits only: `str::parse` would take a sign, and one place would have two names.
fn number(text: &str) -> Option<u64> {
    let plain = text == "0" || (text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// Writes a name of the evidence's own: blanks, hidden and foreign characters as `%XX`, so that the locator stays one visible word.
fn escape(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' && byte != b'@' {
            f.write_char(char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_that_do_not_apply_are_left_out() {
        let place = Place { evidence_id: "e16".into(), offset: 40, length: 8, line: 3, ..Place::default() };
        assert_eq!(place.to_string(), "e16@40+8:3");
        let whole = Place { member: Some("a b!c@d:#é.json".into()), pointer: Some("/@odata.type".into()), ..place };
        assert_eq!(whole.to_string(), "e16!a%20b!c%40d:#%C3%A9.json@40+8:3#/%40odata.type");
        assert_eq!(whole.to_string().parse(), Ok(Locator::Evidence(whole)));
        let known = Locator::Known { table: "ref.role".into(), line: 12 };
        assert_eq!("ref.role:12".parse(), Ok(known.clone()));
        assert_eq!(known.to_string(), "ref.role:12");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "e1",
            "e1@",
            "e1@1",
            "e1@1+2",
            "e1@1+2:",
            "e1@+1+2:3",
            "e1@1+2:03",
            "e1@-1+2:3",
            "e@1+2:3",
            "../e1@1+2:3",
            "e1!%4@1+2:3",
            "e1!%FF@1+2:3",
            "x@1+2:3",
            "e1@99999999999999999999+2:3",
            "ref.:1",
            "ref.a",
            "ual_event:1",
            "ref.../etc/passwd:1",
        ] {
            assert_eq!(text.parse::<Locator>(), Err(NotALocator), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            number in 0u32..1 << 20,
            member in proptest::option::of("\\PC{0,12}|[!@:#+% /]{0,12}|[\\u{0}-\\u{2fff}]{0,12}"),
            pointer in proptest::option::of("\\PC{0,12}|[!@:#+% /]{0,12}|[\\u{0}-\\u{2fff}]{0,12}"),
            (offset, length, line) in any::<(u64, u64, u64)>(),
        ) {
            let place = Locator::Evidence(Place { evidence_id: format!("e{number}"), member, offset, length, line, pointer });
            let text = place.to_string();
            prop_assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{}", text);
            prop_assert_eq!(text.parse(), Ok(place));
        }
    }
}
