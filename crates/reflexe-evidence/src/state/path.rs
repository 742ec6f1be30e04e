//! Where a value stands in a record: the small path language of `source.toml`.
//!
//! `signInActivity.lastSignInDateTime` walks keys; `^name` looks one level up (the record around the element that `each`
//! opened); `$` is the element itself, `$key` the key under which it stood in a map; `/name` begins at the root of the
//! document; `join:name` looks into the record that `join` found. Names compare without case and punctuation, so `onPremisesSyncEnabled`, `OnPremisesSyncEnabled` and
//! `on_premises_sync_enabled` are one name. Where a list stands on the way, the path goes through each of its elements:
//! PowerShell unrolls lists of one, so a list, an object and nothing must read alike.
use serde_json::Value;

/// The part of a name that counts: letters and digits, lower case.
pub fn normal(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a key of a record is the one whose [`normal`] form is given.
fn same(key: &str, wanted: &str) -> bool {
    let mut wanted = wanted.chars();
    for c in key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
        if wanted.next() != Some(c) {
            return false;
        }
    }
    wanted.next().is_none()
}

/// An element in the nest of elements that a row is made from.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The element.
    pub value: &'a Value,
    /// The key under which it stood, if it stood in a map.
    pub key: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Frame(usize),
    Root,
    Join,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Key,
    Walk(Vec<String>),
}

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    place: Place,
    what: What,
}

/// What a path found.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// Values other than null.
    pub values: Vec<&'a Value>,
    /// The text of a map key.
    pub key: Option<&'a str>,
    /// Whether the last key of the path exists, be it with null.
    pub present: bool,
    /// Whether that key is written as Graph's REST interface writes it (`camelCase`), which never sends what was not asked for.
    pub rest: bool,
}

impl Path {
    /// Reads the text of a path.
    pub fn parse(text: &str) -> Self {
        let (place, rest) = if let Some(rest) = text.strip_prefix("join:") {
            (Place::Join, rest)
        } else if let Some(rest) = text.strip_prefix('/') {
            (Place::Root, rest)
        } else {
            let rest = text.trim_start_matches('^');
            (Place::Frame(text.len() - rest.len()), rest)
        };
        let what = match rest {
            "$key" => What::Key,
            "$" => What::Walk(Vec::new()),
            _ => What::Walk(rest.split('.').map(normal).collect()),
        };
        Self { place, what }
    }

    /// The key of the outermost record that this path reads, if it reads one, given the depth of the frame it starts from.
    pub fn first_key(&self, depth: usize) -> Option<&str> {
        match (&self.place, &self.what) {
            (Place::Frame(up), What::Walk(steps)) if *up == depth => steps.first().map(String::as_str),
            (Place::Root, What::Walk(steps)) => steps.first().map(String::as_str),
            _ => None,
        }
    }

    /// Looks the path up. `frames` runs from the outermost record to the innermost element.
    pub fn find<'a>(&self, frames: &[Frame<'a>], join: Option<&'a Value>) -> Found<'a> {
        let frame = match self.place {
            Place::Join => join.map(|value| Frame { value, key: None }),
            Place::Root => frames.first().copied(),
            Place::Frame(up) => frames.len().checked_sub(up + 1).map(|at| frames[at]),
        };
        let mut found = Found::default();
        match (frame, &self.what) {
            (None, _) => {}
            (Some(frame), What::Key) => {
                found.key = frame.key;
                found.present = frame.key.is_some();
            }
            (Some(frame), What::Walk(steps)) => walk(frame.value, steps, &mut found),
        }
        found
    }
}

fn walk<'a>(value: &'a Value, steps: &[String], found: &mut Found<'a>) {
    match (value, steps) {
        (Value::Array(items), [_, ..]) => items.iter().for_each(|item| walk(item, steps, found)),
        (Value::Object(_), [step, rest @ ..]) => {
            if let Some((key, value)) = member(value, step) {
                if rest.is_empty() {
                    found.present = true;
                    found.rest |= key.starts_with(|c: char| c.is_lowercase());
                }
                walk(value, rest, found);
            }
        }
        (_, [_, ..]) => {}
        (Value::Null, []) => found.present = true,
        (_, []) => {
            found.present = true;
            found.values.push(value);
        }
    }
}

/// A member of an object by [`normal`] name; what an object of the Graph module keeps in `AdditionalProperties` counts as its own.
pub fn member<'a>(object: &'a Value, wanted: &str) -> Option<(&'a str, &'a Value)> {
    let own = |object: &'a Value| {
        let mut hits = object.as_object()?.iter().filter(|(key, _)| same(key, wanted));
        let first = hits.next()?;
        // of `Mail` and `mail` in one object, the one that says something
        Some(if first.1.is_null() { hits.find(|(_, v)| !v.is_null()).unwrap_or(first) } else { first })
    };
    let direct = own(object).map(|(key, value)| (key.as_str(), value));
    if direct.is_some_and(|(_, value)| !value.is_null()) || wanted == "additionalproperties" {
        return direct;
    }
    let lifted = own_of_additional(object, wanted);
    lifted.or(direct)
}

fn own_of_additional<'a>(object: &'a Value, wanted: &str) -> Option<(&'a str, &'a Value)> {
    let (_, bag) = object.as_object()?.iter().find(|(key, _)| same(key, "additionalproperties"))?;
    bag.as_object()?.iter().find(|(key, value)| same(key, wanted) && !value.is_null()).map(|(k, v)| (k.as_str(), v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn find<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
        Path::parse(path).find(&[Frame { value, key: None }], None).values
    }

    #[test]
    fn names_ignore_case_and_punctuation() {
        let v = json!({"OnPremises_SyncEnabled": true, "@odata.type": "#user"});
        assert_eq!(find(&v, "onPremisesSyncEnabled"), [&json!(true)]);
        assert_eq!(find(&v, "@odata_type"), [&json!("#user")]);
    }

    #[test]
    fn lists_objects_and_nothing_read_alike() {
        for v in [json!({"a": {"b": 1}}), json!({"a": [{"b": 1}]}), json!({"a": [null, {"b": 1}]})] {
            assert_eq!(find(&v, "a.b"), [&json!(1)]);
        }
        assert!(find(&json!({"a": null}), "a.b").is_empty());
        assert!(find(&json!({"a": "x"}), "a.b").is_empty());
    }

    #[test]
    fn additional_properties_are_lifted() {
        let v = json!({"DisplayName": null, "AdditionalProperties": {"displayName": "Ada"}});
        assert_eq!(find(&v, "displayName"), [&json!("Ada")]);
    }

    #[test]
    fn missing_and_null_differ() {
        let frame = |v: &Value| Path::parse("mail").find(&[Frame { value: v, key: None }], None).present;
        assert!(frame(&json!({"mail": null})));
        assert!(!frame(&json!({})));
    }

    #[test]
    fn parents_and_keys() {
        let (outer, inner) = (json!({"name": "role"}), json!("x"));
        let frames = [Frame { value: &outer, key: Some("k") }, Frame { value: &inner, key: None }];
        assert_eq!(Path::parse("^name").find(&frames, None).values, [&json!("role")]);
        assert_eq!(Path::parse("^$key").find(&frames, None).key, Some("k"));
        assert_eq!(Path::parse("$").find(&frames, None).values, [&json!("x")]);
        assert!(Path::parse("^^x").find(&frames, None).values.is_empty());
    }
}
