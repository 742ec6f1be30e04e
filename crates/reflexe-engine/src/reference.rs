//! Reference tables `ref.*`: what is known of roles, permissions, applications, codes. Shipped as `evidence/reference/*.csv`,
//! each header giving `name` or `name:type`.
use std::collections::BTreeMap;

use reflexe_evidence::spec::ColumnType;

/// A reference table's columns.
pub fn columns(name: &str) -> Option<Vec<(String, ColumnType)>> {
    let (_, text) = reflexe_evidence::embedded::REFERENCE.iter().find(|(p, _)| p.strip_suffix(".csv") == Some(name))?;
    let header = csv::Reader::from_reader(text.as_bytes()).headers().ok()?.clone();
    Some(header.iter().map(column).collect())
}

fn column(head: &str) -> (String, ColumnType) {
    let (name, ty) = head.split_once(':').unwrap_or((head, "text"));
    let ty = match ty {
        "bool" => ColumnType::Bool,
        "i32" => ColumnType::I32,
        _ => ColumnType::Text,
    };
    (name.to_owned(), ty)
}

/// Names of all reference tables, sorted: their order numbers their rows.
pub fn names() -> Vec<&'static str> {
    reflexe_evidence::embedded::REFERENCE.iter().filter_map(|(p, _)| p.strip_suffix(".csv")).collect()
}

/// Rows of a reference table: column → text, empty cells left out.
pub fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    let Some((_, text)) = reflexe_evidence::embedded::REFERENCE.iter().find(|(p, _)| p.strip_suffix(".csv") == Some(name)) else {
        return Vec::new();
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let Ok(header) = reader.headers().cloned() else { return Vec::new() };
    let names: Vec<String> = header.iter().map(|h| column(h).0).collect();
    reader
        .records()
        .filter_map(Result::ok)
        .map(|record| names.iter().cloned().zip(record.iter().map(str::to_owned)).filter(|(_, v)| !v.is_empty()).collect())
        .collect()
}

/// One line of a reference table as it is shipped, the heading being line 1.
pub fn line(name: &str, line: u64) -> Option<&'static str> {
    let (_, text) = reflexe_evidence::embedded::REFERENCE.iter().find(|(p, _)| p.strip_suffix(".csv") == Some(name))?;
    text.lines().nth(usize::try_from(line.checked_sub(1)?).ok()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_shipped_row_is_readable() {
        for (path, text) in reflexe_evidence::embedded::REFERENCE {
            let records: Vec<_> = csv::Reader::from_reader(text.as_bytes()).into_records().collect();
            assert!(!records.is_empty() && records.iter().all(Result::is_ok), "{path}");
            // A row is cited by its line.
            assert_eq!(text.lines().count(), records.len() + 1, "{path}: one line a row");
        }
    }
}
