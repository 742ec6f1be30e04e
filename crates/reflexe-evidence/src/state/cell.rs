//! Values of evidence into values of columns: every text is somebody else's, so nothing here trusts a type.
use std::borrow::Cow;

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::Value;

use crate::spec::ColumnType;

/// A value for a column. What cannot be read is [`Cell::Null`] with a doubt, never a guess.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Unknown or not collected.
    Null,
    /// Text.
    Text(String),
    /// Boolean.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Microseconds since 1970, UTC.
    Ts(i64),
    /// List of texts.
    List(Vec<String>),
}

/// The exporter wrote the name of a type where a value stood: there was one, and it is lost.
pub const VALUE_LOST: &str = "value_lost";
/// A value that does not have the type of its column.
pub const VALUE_UNREADABLE: &str = "value_unreadable";
/// A date whose day and month cannot be told apart.
pub const DATE_AMBIGUOUS: &str = "date_ambiguous";

/// Texts that PowerShell writes instead of a value.
pub fn is_lost(text: &str) -> bool {
    (text.starts_with("System.") && (text.ends_with("[]") || text.starts_with("System.Collections.")))
        || text.starts_with("Microsoft.Graph.PowerShell.Models.")
        || text.starts_with("Deserialized.System.Collections.")
}

/// The text of a scalar; JSON for what has parts.
pub fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(s) => Cow::Borrowed(s),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        other => Cow::Owned(other.to_string()),
    }
}

/// Converts one scalar value to a column's type. The second part names the doubt, if there is one.
pub fn scalar(ty: ColumnType, value: &Value) -> (Cell, Option<&'static str>) {
    if let Value::String(s) = value
        && is_lost(s)
    {
        return (Cell::Null, Some(VALUE_LOST));
    }
    let unreadable = |cell: Option<Cell>, raw: &str| match cell {
        Some(cell) => (cell, None),
        // an empty field of a CSV says nothing, and that is no doubt
        None if raw.trim().is_empty() => (Cell::Null, None),
        None => (Cell::Null, Some(VALUE_UNREADABLE)),
    };
    let raw = text(value);
    match ty {
        ColumnType::Text => (Cell::Text(raw.into_owned()), None),
        ColumnType::List => (Cell::List(vec![raw.into_owned()]), None),
        ColumnType::Bool => unreadable(boolean(&raw).map(Cell::Bool), &raw),
        ColumnType::I32 => unreadable(integer(&raw).and_then(|n| i32::try_from(n).ok()).map(|n| Cell::Int(n.into())), &raw),
        ColumnType::I64 => unreadable(integer(&raw).map(Cell::Int), &raw),
        // no state table has a column of this type
        ColumnType::F64 => (Cell::Null, Some(VALUE_UNREADABLE)),
        ColumnType::Ts => instant(value),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "oui" | "vrai" => Some(true),
        "false" | "no" | "0" | "non" | "faux" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.strip_suffix(".0")?.parse().ok())
}

/// An instant, from any form that Graph and PowerShell write. A text without zone is UTC: so the services mean it.
fn instant(value: &Value) -> (Cell, Option<&'static str>) {
    let raw = match value {
        Value::String(s) => s.trim(),
        // Windows PowerShell writes a date that somebody touched as an object of three members
        Value::Object(parts) => match parts.get("value").or_else(|| parts.get("DateTime")) {
            Some(Value::String(s)) => s.trim(),
            _ => return (Cell::Null, Some(VALUE_UNREADABLE)),
        },
        _ => return (Cell::Null, Some(VALUE_UNREADABLE)),
    };
    if raw.is_empty() || raw.starts_with("0001-01-01") {
        return (Cell::Null, None);
    }
    let exact = |t: Timestamp| (Cell::Ts(t.as_microsecond()), None);
    if let Some(ms) = epoch_ms(raw) {
        return match Timestamp::from_millisecond(ms) {
            Ok(t) => exact(t),
            Err(_) => (Cell::Null, Some(VALUE_UNREADABLE)),
        };
    }
    if let Ok(t) = raw.parse::<Timestamp>() {
        return exact(t);
    }
    if let Ok(t) = raw.trim_end_matches('Z').parse::<civil::DateTime>().and_then(|d| d.to_zoned(TimeZone::UTC)) {
        return exact(t.timestamp());
    }
    match by_culture(raw) {
        Culture::Read(t) => exact(t),
        Culture::Ambiguous => (Cell::Null, Some(DATE_AMBIGUOUS)),
        Culture::No => (Cell::Null, Some(VALUE_UNREADABLE)),
    }
}

/// `/Date(1613679244000)/`, with or without slashes and offset; the offset is only for display.
fn epoch_ms(text: &str) -> Option<i64> {
    let inner = text.trim_matches('/').strip_prefix("Date(")?.strip_suffix(')')?;
    let end = inner.char_indices().skip(1).find(|(_, c)| *c == '+' || *c == '-').map_or(inner.len(), |(at, _)| at);
    inner.get(..end)?.parse().ok()
}

enum Culture {
    Read(Timestamp),
    Ambiguous,
    No,
}

/// `5/18/2021 9:13:33 PM` and `18/05/2021 21:13:33`: read only where the value itself says which number is the month.
fn by_culture(text: &str) -> Culture {
    let mut parts = text.split_whitespace();
    let (Some(date), time, half) = (parts.next(), parts.next().unwrap_or("0:0:0"), parts.next()) else {
        return Culture::No;
    };
    let numbers = |s: &str, by: char| s.split(by).map(|n| n.parse::<i16>().ok()).collect::<Option<Vec<_>>>();
    let (Some(d), Some(t)) = (numbers(date, '/'), numbers(time, ':')) else { return Culture::No };
    let [first, second, year] = d[..] else { return Culture::No };
    let (mut hour, minute, seconds) = match t[..] {
        [h, m] => (h, m, 0),
        [h, m, s] => (h, m, s),
        _ => return Culture::No,
    };
    let (day, month) = match half.map(str::to_ascii_uppercase).as_deref() {
        Some("PM") => {
            hour = hour % 12 + 12;
            (second, first)
        }
        Some("AM") => {
            hour %= 12;
            (second, first)
        }
        _ if first > 12 => (first, second),
        _ if second > 12 => (second, first),
        _ if first == second => (first, second),
        _ => return Culture::Ambiguous,
    };
    let small = |n: i16| i8::try_from(n).unwrap_or(-1);
    let read = civil::Date::new(year, small(month), small(day))
        .and_then(|d| civil::Time::new(small(hour), small(minute), small(seconds), 0).map(|t| d.to_datetime(t)))
        .and_then(|dt| dt.to_zoned(TimeZone::UTC));
    read.map_or(Culture::No, |z| Culture::Read(z.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ts(value: Value) -> (Option<String>, Option<&'static str>) {
        match scalar(ColumnType::Ts, &value) {
            (Cell::Ts(us), doubt) => (Timestamp::from_microsecond(us).ok().map(|t| t.to_string()), doubt),
            (_, doubt) => (None, doubt),
        }
    }

    #[test]
    fn reads_every_form_of_a_date() {
        for (given, read) in [
            (json!("2026-03-04T05:06:07Z"), "2026-03-04T05:06:07Z"),
            (json!("2026-03-04T05:06:07"), "2026-03-04T05:06:07Z"),
            (json!("2026-03-04 05:06:07"), "2026-03-04T05:06:07Z"),
            (json!("2026-03-04T05:06:07.1234567Z"), "2026-03-04T05:06:07.123456Z"),
            (json!("2026-03-04T07:06:07+02:00"), "2026-03-04T05:06:07Z"),
            (json!("/Date(1613679244000)/"), "2021-02-18T20:14:04Z"),
            (json!("Date(1613679244000)"), "2021-02-18T20:14:04Z"),
            (json!("/Date(1613679244000+0200)/"), "2021-02-18T20:14:04Z"),
            (json!({"value": "/Date(1613679244000)/", "DisplayHint": 2}), "2021-02-18T20:14:04Z"),
            (json!("5/18/2021 9:13:33 PM"), "2021-05-18T21:13:33Z"),
            (json!("3/4/2021 12:00:01 AM"), "2021-03-04T00:00:01Z"),
            (json!("18/05/2021 21:13:33"), "2021-05-18T21:13:33Z"),
        ] {
            assert_eq!(ts(given.clone()), (Some(read.to_owned()), None), "{given}");
        }
    }

    #[test]
    fn never_guesses() {
        assert_eq!(ts(json!("03/04/2026 05:06:07")), (None, Some(DATE_AMBIGUOUS)));
        assert_eq!(ts(json!("soon")), (None, Some(VALUE_UNREADABLE)));
        assert_eq!(ts(json!("")), (None, None));
        assert_eq!(scalar(ColumnType::Bool, &json!("maybe")), (Cell::Null, Some(VALUE_UNREADABLE)));
        assert_eq!(scalar(ColumnType::Bool, &json!("False")), (Cell::Bool(false), None));
        assert_eq!(scalar(ColumnType::List, &json!("System.Collections.ArrayList")), (Cell::Null, Some(VALUE_LOST)));
        assert_eq!(scalar(ColumnType::I32, &json!(99_999_999_999_i64)), (Cell::Null, Some(VALUE_UNREADABLE)));
    }
}
