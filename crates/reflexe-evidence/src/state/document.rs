//! One JSON document whose keys hold different kinds of thing, read part by part: a part is parsed only when a mapping asks
//! for it, and each of its records keeps its place in the file.
//!
//! A document is held in memory as text: it is a tenant's configuration, whose size does not grow with the tenant's logs.
use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::path::normal;

/// A record of a part.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// Its text, a slice of the document.
    pub raw: &'a RawValue,
    /// The key under which it stood, if the part is a map.
    pub key: Option<String>,
    /// JSON pointer from the root of the document.
    pub pointer: String,
}

impl<'a> Record<'a> {
    /// The whole document.
    pub fn root(raw: &'a RawValue) -> Self {
        Self { raw, key: None, pointer: String::new() }
    }

    /// Where its text begins in the document's text.
    pub fn offset_in(&self, document: &str) -> usize {
        (self.raw.get().as_ptr() as usize).saturating_sub(document.as_ptr() as usize)
    }

    /// The value. `None` only for numbers that no JSON parser of this program can hold.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(self.raw.get()).ok()
    }
}

/// The members of an object, in order, keys that appear twice included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct All<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for All<'a> {
            type Value = Members<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut all = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    all.push((Cow::Owned(key), value));
                }
                Ok(Members(all))
            }
        }
        d.deserialize_map(All(std::marker::PhantomData))
    }
}

/// The members of an object; none if it is not one.
pub fn members(raw: &RawValue) -> Vec<(String, &RawValue)> {
    let all = serde_json::from_str::<Members<'_>>(raw.get()).map(|m| m.0).unwrap_or_default();
    all.into_iter().map(|(key, value)| (key.into_owned(), value)).collect()
}

/// The records of a part: `key.key[]` goes into the elements of a list (a lone object is a list of one, null none),
/// `key{}` into the entries of a map. An empty path is the record itself.
///
/// `None` if a key of the path does not exist.
pub fn part<'a>(from: &Record<'a>, path: &str) -> Option<Vec<Record<'a>>> {
    let mut here = vec![from.clone()];
    for step in path.split('.').filter(|s| !s.is_empty()) {
        let name = step.trim_end_matches("[]").trim_end_matches("{}").trim_end_matches("[]");
        let openings = &step[name.len()..];
        if !name.is_empty() {
            let wanted = normal(name);
            let mut next = Vec::new();
            for record in here {
                let hit = members(record.raw).into_iter().find(|(key, _)| normal(key) == wanted);
                next.extend(hit.map(|(key, raw)| Record { raw, key: None, pointer: pointer(&record.pointer, &key) }));
            }
            if next.is_empty() {
                return None;
            }
            here = next;
        }
        let mut rest = openings;
        while let Some(opening) = rest.get(..2) {
            here = here.into_iter().flat_map(|r| if opening == "{}" { entries(&r) } else { elements(&r) }).collect();
            rest = &rest[2..];
        }
    }
    Some(here)
}

fn pointer(base: &str, key: &str) -> String {
    format!("{base}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn entries<'a>(record: &Record<'a>) -> Vec<Record<'a>> {
    let members = members(record.raw).into_iter();
    members.map(|(key, raw)| Record { raw, pointer: pointer(&record.pointer, &key), key: Some(key) }).collect()
}

fn elements<'a>(record: &Record<'a>) -> Vec<Record<'a>> {
    let text = record.raw.get();
    let items = match text.as_bytes().first() {
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default(),
        Some(b'{') => return vec![record.clone()],
        _ => return Vec::new(),
    };
    let items = items.into_iter().enumerate().filter(|(_, raw)| raw.get() != "null");
    items.map(|(n, raw)| Record { raw, key: None, pointer: pointer(&record.pointer, &n.to_string()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(text: &str, path: &str) -> Option<Vec<String>> {
        let root: &RawValue = serde_json::from_str(text).unwrap();
        part(&Record::root(root), path).map(|all| all.into_iter().map(|r| r.pointer).collect())
    }

    #[test]
    fn lists_objects_and_null_read_alike() {
        assert_eq!(pointers(r#"{"a":[{},{}]}"#, "a[]").unwrap(), ["/a/0", "/a/1"]);
        assert_eq!(pointers(r#"{"A_":{"x":1}}"#, "a[]").unwrap(), ["/A_"]);
        assert_eq!(pointers(r#"{"a":null}"#, "a[]").unwrap(), [""; 0]);
        assert_eq!(pointers(r#"{"a":[null]}"#, "a[]").unwrap(), [""; 0]);
        assert_eq!(pointers(r#"{"b":1}"#, "a[]"), None);
    }

    #[test]
    fn maps_and_nested_lists() {
        assert_eq!(pointers(r#"{"a":{"x/y":{},"z":{}}}"#, "a{}").unwrap(), ["/a/x~1y", "/a/z"]);
        let text = r#"{"R":{"P":[{"C":[{},{}]},{"C":{}}]}}"#;
        assert_eq!(pointers(text, "R{}[].C[]").unwrap(), ["/R/P/0/C/0", "/R/P/0/C/1", "/R/P/1/C"]);
        assert_eq!(pointers(r#"[{"C":[{}]}]"#, "[].C[]").unwrap(), ["/0/C/0"]);
    }

    #[test]
    fn records_keep_their_place() {
        let text = r#" {"a": [ {"b":1} ]}"#;
        let root: &RawValue = serde_json::from_str(text).unwrap();
        let all = part(&Record::root(root), "a[]").unwrap();
        let at = all[0].offset_in(text);
        assert_eq!(&text[at..at + all[0].raw.get().len()], r#"{"b":1}"#);
    }
}
