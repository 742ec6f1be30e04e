//! JSON documents inside a cell, as checks read them: what a policy holds at a place, and which places differ between the
//! policy before and after.
//!
//! A document may be quoted once more (one log does), its names and words may be in any case, its lists in any order: none
//! of this is a difference, nor is a missing place beside one that holds `null`, `[]`, `{}` or `""`.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The texts at a dotted path, folded and sorted: the members of a list, or the one value. Nothing there: an empty list.
/// NULL where the text is no document, so that a cut one is never taken for an empty one.
pub fn texts_at(text: &str, path: &str) -> Option<Vec<String>> {
    let document = parse(text)?;
    let mut place = Some(&document);
    for name in path.split('.').filter(|n| !n.is_empty()) {
        place = place.and_then(|p| p.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v));
    }
    Some(place.map(texts).unwrap_or_default().into_iter().collect())
}

/// The dotted paths, in lower case, whose values differ between two documents; a list is one place. NULL where one of the
/// two is no document; an empty text is an empty document.
pub fn changes(old: &str, new: &str) -> Option<Vec<String>> {
    let read = |text: &str| if text.trim().is_empty() { Some(Value::Null) } else { parse(text) };
    let (old, new) = (read(old)?, read(new)?);
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    places(&old, "", &mut before);
    places(&new, "", &mut after);
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    Some(paths.into_iter().filter(|p| before.get(*p) != after.get(*p)).cloned().collect())
}

/// A document, unwrapped from the quotes of a log that quotes it once more.
fn parse(text: &str) -> Option<Value> {
    let read: Value = serde_json::from_str(text.trim()).ok()?;
    match &read {
        Value::String(inner) if inner.trim_start().starts_with(['{', '[', '"']) => {
            serde_json::from_str(inner).ok().or(Some(read))
        }
        _ => Some(read),
    }
}

/// The values of a place as folded texts; an object as its own canonical text.
fn texts(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Null => BTreeSet::new(),
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => Some(text.to_lowercase()).filter(|t| !t.is_empty()).into_iter().collect(),
        Value::Object(map) if map.is_empty() => BTreeSet::new(),
        other => [other.to_string().to_lowercase()].into(),
    }
}

fn places(value: &Value, path: &str, out: &mut BTreeMap<String, BTreeSet<String>>) {
    if let Value::Object(map) = value {
        for (name, inner) in map {
            let name = name.to_lowercase();
            places(inner, &if path.is_empty() { name } else { format!("{path}.{name}") }, out);
        }
        return;
    }
    let held = texts(value);
    if !held.is_empty() {
        out.entry(path.to_owned()).or_default().extend(held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_order_and_emptiness_are_no_difference() {
        let old = r#"{"State":"enabled","grantControls":{"builtInControls":["mfa","block"],"termsOfUse":[]},"x":null}"#;
        let new = r#"{"state":"Enabled","grantControls":{"builtInControls":["BLOCK","MFA"]}}"#;
        assert_eq!(changes(old, new), Some(Vec::new()));
    }

    #[test]
    fn what_is_gone_has_its_place_named() {
        let old = r#"{"grantControls":{"operator":"OR","builtInControls":["MFA"]},"displayName":"a"}"#;
        let new = r#""{\"displayName\":\"b\"}""#;
        let places = ["displayname", "grantcontrols.builtincontrols", "grantcontrols.operator"];
        assert_eq!(changes(old, new), Some(places.map(str::to_owned).to_vec()));
        assert_eq!(changes("", "[\"a\"]"), Some(vec![String::new()]), "a bare list is the document itself");
        assert_eq!(texts_at(old, "GrantControls.builtInControls"), Some(vec!["mfa".to_owned()]));
        assert_eq!(texts_at(new, "grantControls.builtInControls"), Some(Vec::new()));
        assert_eq!(texts_at(r#""Everyone""#, ""), Some(vec!["everyone".to_owned()]));
    }

    #[test]
    fn a_cut_document_is_unknown_not_empty() {
        assert_eq!(texts_at(r#"{"state":"ena"#, "state"), None);
        assert_eq!(changes(r#"{"state":"enabled"}"#, r#"{"state":"ena"#), None);
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(texts_at(&deep, "a"), None, "a document made to exhaust the stack is no document");
    }
}
