//! Which name and value lists of an audit record become rows of `ual_property`.
use crate::reader::{keys::Key, scan, value::Raw};

/// What to take from the records of a type.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Lists of names and values, with the `bag` they become.
    pub bags: &'static [(Key, &'static str)],
    /// Members that are not columns and that a check may read: they become rows of bag `extended` under their own name.
    pub members: &'static [Key],
}

/// Logons, mail reads and file operations are most of a log, and what checks read of them are columns of `ual_event`:
/// rows for their lists would multiply the table for nothing.
const NONE: Rule = Rule { bags: &[], members: &[] };
const CMDLET: Rule = Rule { bags: &[(Key::Parameters, "parameters")], members: &[Key::NonPIIParameters] };
const DIRECTORY: Rule =
    Rule { bags: &[(Key::ModifiedProperties, "modified"), (Key::ExtendedProperties, "extended")], members: &[] };
const MAILBOX: Rule = Rule {
    bags: &[(Key::OperationProperties, "operation"), (Key::ModifiedProperties, "modified"), (Key::Parameters, "parameters")],
    members: &[Key::SendAsUserSmtp, Key::SendOnBehalfOfUserSmtp, Key::SendonBehalfOfUserSmtp],
};
const SHARING: Rule =
    Rule { bags: &[(Key::ModifiedProperties, "modified")], members: &[Key::TargetUserOrGroupType, Key::EventData] };
const ALERT: Rule = Rule {
    bags: &[],
    members: &[
        Key::AlertId,
        Key::Name,
        Key::Severity,
        Key::Category,
        Key::Source,
        Key::Status,
        Key::EntityType,
        Key::AlertEntityId,
        Key::AlertType,
        Key::PolicyId,
        Key::Comments,
    ],
};
const TEAMS: Rule = Rule {
    bags: &[(Key::Parameters, "parameters")],
    members: &[
        Key::TeamName,
        Key::CommunicationType,
        Key::ItemName,
        Key::ParticipantInfo,
        Key::ChatThreadId,
        Key::MessageURLs,
        Key::Members,
    ],
};
/// Record types that nobody looked at: everything that is a list.
const OTHER: Rule = Rule {
    bags: &[
        (Key::Parameters, "parameters"),
        (Key::ModifiedProperties, "modified"),
        (Key::ExtendedProperties, "extended"),
        (Key::OperationProperties, "operation"),
    ],
    members: &[],
};

/// The rule for a record.
pub fn rule(record_type: Option<i32>, operation_key: &str) -> Rule {
    match record_type {
        Some(1 | 18 | 23) => CMDLET,
        Some(8) => DIRECTORY,
        Some(9 | 15 | 4 | 6 | 36 | 37 | 54 | 55 | 56 | 101 | 102) => NONE,
        Some(14) => SHARING,
        Some(25 | 57 | 59) => TEAMS,
        Some(40 | 98) => ALERT,
        Some(2 | 3 | 50) if operation_key == "mailitemsaccessed" => NONE,
        Some(2 | 3 | 50 | 19) => MAILBOX,
        _ => OTHER,
    }
}

/// Calls `each` with name, new value and old value of every pair of a list: objects with `Name` and `Value` or `NewValue`,
/// one object alone, plain texts (names without values), or a text that is the whole list.
pub fn pairs(list: Raw<'_>, mut each: impl FnMut(&str, Option<&str>, Option<&str>)) {
    let Some(text) = list.text() else { return };
    let mut one = |json: &str| {
        if !json.starts_with('{') {
            if let Some(name) = Raw::json(json).text() {
                each(&name, None, None);
            }
            return;
        }
        let (mut name, mut value, mut old) = (None, None, None);
        let _ = scan::object(json.as_bytes(), 0, |key, a, z| {
            let slot = match key {
                b"Name" | b"name" | b"Key" | b"key" => &mut name,
                b"Value" | b"value" | b"NewValue" | b"newValue" => &mut value,
                b"OldValue" | b"oldValue" => &mut old,
                _ => return,
            };
            *slot = Some(Raw::json(&json[a..z]));
        });
        let Some(name) = name.and_then(Raw::text) else { return };
        let (value, old) = (value.and_then(Raw::text_or_empty), old.and_then(Raw::text_or_empty));
        each(&name, value.as_deref(), old.as_deref());
    };
    let start = scan::space(text.as_bytes(), 0);
    match text.as_bytes().get(start) {
        Some(b'[') => {
            // what stands before a damage counts
            let _ = scan::array(text.as_bytes(), start, |a, z| one(&text[a..z]));
        }
        Some(b'{') => one(&text[start..]),
        _ => each("", Some(&text), None),
    }
}

/// A value of the directory's `modifiedProperties`: JSON text decoded once. A string loses its quotes, an array of one loses
/// its brackets, anything else loses the blanks between its parts.
pub fn decode(text: &str) -> String {
    let trimmed = text.trim();
    let Some(first) = trimmed.bytes().next() else { return String::new() };
    if !matches!(first, b'"' | b'[' | b'{') {
        return text.to_owned();
    }
    match serde_json::from_str::<serde_json::Value>(trimmed) {
        Ok(serde_json::Value::String(inner)) => inner,
        Ok(serde_json::Value::Array(items)) if items.len() == 1 && !items[0].is_object() && !items[0].is_array() => {
            match &items[0] {
                serde_json::Value::String(inner) => inner.clone(),
                other => other.to_string(),
            }
        }
        Ok(other) => other.to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once() {
        for (text, want) in [
            ("\"KeyDescription\"", "KeyDescription"),
            ("[\r\n  \"[KeyIdentifier=x,KeyType=Password]\"\r\n]", "[KeyIdentifier=x,KeyType=Password]"),
            ("[\r\n  true\r\n]", "true"),
            ("[]", "[]"),
            ("\"\"", ""),
            ("", ""),
            ("Global Administrator", "Global Administrator"),
            ("[\"a\", \"b\"]", "[\"a\",\"b\"]"),
            ("[[Id: x]] => [[Id: y]]; ", "[[Id: x]] => [[Id: y]]; "),
            ("\"\\\"twice\\\"\"", "\"twice\""),
        ] {
            assert_eq!(decode(text), want, "{text}");
        }
    }

    #[test]
    fn lists_of_every_shape() {
        let got = |json: &str| {
            let mut out = Vec::new();
            pairs(Raw::json(json), |n, v, o| out.push((n.to_owned(), v.map(str::to_owned), o.map(str::to_owned))));
            out
        };
        let some = |s: &str| Some(s.to_owned());
        assert_eq!(got(r#"[{"Name":"A","Value":"1"},{"Name":"B"}]"#), [("A".into(), some("1"), None), ("B".into(), None, None)]);
        assert_eq!(got(r#"[{"Name":"A","NewValue":"","OldValue":"x"}]"#), [("A".into(), some(""), some("x"))]);
        assert_eq!(got(r#"{"Name":"A","Value":true}"#), [("A".into(), some("true"), None)]);
        assert_eq!(got(r#"["RecipientInfo"]"#), [("RecipientInfo".into(), None, None)]);
        assert_eq!(got(r#""-Identity \"x\"""#), [(String::new(), some("-Identity \"x\""), None)]);
        assert_eq!(got("null"), []);
    }
}
