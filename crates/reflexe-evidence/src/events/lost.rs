//! Detail that a record lost on its way: it was cut, or the exporter wrote the name of a type where a list stood, or its date
//! cannot be read. The record keeps what is left; what it lost is flagged, counted and told, and counts against `ok`.
use crate::{reader::value::Raw, state::cell::is_lost};

/// The audit data is cut, empty or no JSON.
pub(super) const CUT: &str = "truncated_json";
/// Lists or objects became one line of text (`ConvertTo-Json` without enough depth).
pub(super) const DEPTH: &str = "depth_loss";
/// No date of the record can be read.
pub(super) const UNDATED: &str = "date_unreadable";
/// Flags of rows that lost something which a check may need.
pub const LOST: [&str; 3] = [CUT, DEPTH, UNDATED];

/// Whether a value that should have parts is what PowerShell writes in their place: `@{Name=…; Value=…}` or the name of a type.
/// Of a list the first element tells.
pub(super) fn shallow(value: Option<Raw<'_>>) -> bool {
    let instead = |text: &str| text.starts_with("@{") || is_lost(text);
    let Some(value) = value else { return false };
    let raw = value.raw.trim_start();
    if value.plain {
        return instead(raw);
    }
    match raw.strip_prefix('[').unwrap_or(raw).trim_start().strip_prefix('"') {
        Some(text) => instead(text.split('"').next().unwrap_or_default()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_place_of_parts() {
        let json = |raw| shallow(Some(Raw::json(raw)));
        for raw in [
            r#""System.Object[]""#,
            r#"["@{Name=Identity; Value=x}", "@{Name=User; Value=y}"]"#,
            r#"[ "System.Collections.Hashtable" ]"#,
            r#""@{errorCode=0; failureReason=Other.}""#,
        ] {
            assert!(json(raw), "{raw}");
        }
        for raw in
            [r#"[{"Name":"@{x}","Value":"System.Object[]"}]"#, "[]", "null", r#"["RecipientInfo"]"#, r#""-Identity x""#, "{}"]
        {
            assert!(!json(raw), "{raw}");
        }
        assert!(shallow(Some(Raw { raw: "System.Object[]", plain: true })) && !shallow(None));
    }
}
