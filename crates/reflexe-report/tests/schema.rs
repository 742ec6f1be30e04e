//! The published schema says what `--json` prints, and refuses what it does not.
#![allow(clippy::unwrap_used)] // a test may stop
mod common;

use common::sample;
use serde_json::{Value, json};

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(reflexe_report::SCHEMA_JSON).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn a_full_answer_is_valid() {
    let value = serde_json::to_value(sample()).unwrap();
    let errors: Vec<String> = validator().iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn an_empty_answer_is_valid() {
    let mut q = sample();
    q.evidence.clear();
    q.findings.clear();
    q.stories.clear();
    q.exports.clear();
    (q.next_export, q.next_question, q.case.window, q.case.since, q.case.tenant.id) = (None, None, None, None, None);
    assert!(validator().is_valid(&serde_json::to_value(q).unwrap()));
}

/// Every key that is always written is required, at every depth; and every key that is written is described.
#[test]
fn no_key_may_be_missing_and_none_is_undescribed() {
    let validator = validator();
    let full = serde_json::to_value(sample()).unwrap();
    let schema: Value = serde_json::from_str(reflexe_report::SCHEMA_JSON).unwrap();
    let mut paths = Vec::new();
    keys(&full, &mut String::new(), &mut paths);
    assert!(paths.len() > 150, "{}", paths.len());
    for (parent, key) in paths {
        let mut broken = full.clone();
        let object = broken.pointer_mut(&parent).and_then(Value::as_object_mut).unwrap();
        object.remove(&key);
        // Only written when something failed.
        let optional = key == "failures" || (key == "error" && parent.starts_with("/checks"));
        assert_eq!(validator.is_valid(&broken), optional, "without {parent}/{key}");
        assert!(mentions(&schema, &key), "{key} is not described");
    }
}

fn keys(value: &Value, path: &mut String, out: &mut Vec<(String, String)>) {
    let length = path.len();
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                out.push((path.clone(), key.clone()));
                path.push_str(&format!("/{key}"));
                keys(inner, path, out);
                path.truncate(length);
            }
        }
        Value::Array(list) => {
            for (n, inner) in list.iter().enumerate() {
                path.push_str(&format!("/{n}"));
                keys(inner, path, out);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

fn mentions(schema: &Value, key: &str) -> bool {
    match schema {
        Value::Object(map) => {
            map.get("properties").is_some_and(|p| p.get(key).is_some()) || map.values().any(|v| mentions(v, key))
        }
        Value::Array(list) => list.iter().any(|v| mentions(v, key)),
        _ => false,
    }
}

#[test]
fn words_outside_the_lists_are_refused_and_further_keys_are_not() {
    let validator = validator();
    for (pointer, wrong) in [
        ("/schema", json!("reflexe.qualification/2")),
        ("/items/0/verdict", json!("fine")),
        ("/items/0/coverage", json!("some")),
        ("/actions/0/proposed", json!("Confirmed")),
        ("/stories/0/level", json!("grave")),
        ("/severity/proposed/low", json!(0)),
        ("/severity/override", json!(5)),
        ("/axes/impact", json!([])),
        ("/evidence/0/sha256", json!("abc")),
        ("/findings/0/text", json!("only one language")),
        ("/findings/0/rows", json!(vec![json!({}); 1])),
        ("/case/window/from", json!("yesterday")),
    ] {
        let mut value = serde_json::to_value(sample()).unwrap();
        *value.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&value), "{pointer}");
    }
    let mut value = serde_json::to_value(sample()).unwrap();
    value["later"] = json!(1);
    value["findings"][0]["later"] = json!(1);
    assert!(validator.is_valid(&value));
}
