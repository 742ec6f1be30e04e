//! What a directory record acts on, found by the kind of target and never by its position: the record of a role given through
//! privileged identity management names the role first and the person third, that of the directory itself the person first.
use serde::Deserialize;

/// One target, in whichever of the two forms a log writes it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Target {
    kind: Option<String>,
    id: Option<String>,
    name: Option<String>,
    upn: Option<String>,
}

/// A member of the list in the column `targets`: a target of the directory's own log, or one typed id of the unified log.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    #[serde(rename = "displayName")]
    name: Option<String>,
    #[serde(rename = "userPrincipalName")]
    upn: Option<String>,
    #[serde(rename = "ID")]
    typed: Option<String>,
    #[serde(rename = "Type")]
    typed_kind: Option<i64>,
}

/// A field (`id`, `name`, `upn`, `type`) of the first target that is of one of the kinds (`User Group`), any case.
pub(crate) fn target_of(targets: &str, kinds: &str, field: &str) -> Option<String> {
    let wanted = |t: &Target| t.kind.as_deref().is_some_and(|k| kinds.split(' ').any(|w| w.eq_ignore_ascii_case(k)));
    let found = read(targets).into_iter().find(wanted)?;
    match field {
        "id" => found.id,
        "name" => found.name,
        "upn" => found.upn,
        "type" => found.kind,
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// The targets in the order of the log. The unified log writes each as a run of typed ids that `Kind_<id>` opens.
fn read(targets: &str) -> Vec<Target> {
    let Ok(entries) = serde_json::from_str::<Vec<serde_json::Value>>(targets) else { return Vec::new() };
    let mut out: Vec<Target> = Vec::new();
    for e in entries.into_iter().filter_map(|e| serde_json::from_value::<Entry>(e).ok()) {
        let (Some(typed), Some(kind)) = (e.typed, e.typed_kind) else {
            out.push(Target { kind: e.kind, id: e.id, name: e.name, upn: e.upn });
            continue;
        };
        if let (2, Some((kind, id))) = (kind, typed.split_once('_'))
            && !kind.is_empty()
            && kind.bytes().all(|c| c.is_ascii_alphabetic())
        {
            out.push(Target { kind: Some(kind.to_owned()), id: Some(id.to_owned()), ..Target::default() });
        } else if let Some(last) = out.last_mut() {
            match kind {
                1 => last.name = last.name.take().or(Some(typed)),
                5 => last.upn = last.upn.take().or(Some(typed)),
                _ => {}
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: &str = r#"[{"type":"Role","id":"r","displayName":"Global Administrator"},{"type":"Request","id":"q"},
        {"type":"User","id":"u","displayName":"L Petit","userPrincipalName":"l.petit@example.com"},{"type":"Other","id":null}]"#;
    const UNIFIED: &str = r#"[{"ID":"Role_r","Type":2},{"ID":"r","Type":2},{"ID":"Role","Type":2},{"ID":"Global Administrator","Type":1},
        {"ID":"User_u","Type":2},{"ID":"u","Type":2},{"ID":"User","Type":2},{"ID":"l.petit@example.com","Type":5},{"ID":"1003","Type":3}]"#;

    #[test]
    fn a_target_is_found_by_its_kind_in_both_logs() {
        for log in [DIRECTORY, UNIFIED] {
            let of = |kinds, field| target_of(log, kinds, field);
            assert_eq!(of("User ServicePrincipal Group", "upn").as_deref(), Some("l.petit@example.com"));
            assert_eq!(of("user", "id").as_deref(), Some("u"));
            assert_eq!(of("Role", "name").as_deref(), Some("Global Administrator"));
            assert_eq!(of("Group", "id"), None);
            assert_eq!(of("User", "type").as_deref(), Some("User"));
        }
    }

    #[test]
    fn what_is_no_list_names_nobody() {
        for text in ["", "null", "{}", "[1]", "[{\"type\":1}]", "[{\"ID\":\"User_\",\"Type\":2}"] {
            assert_eq!(target_of(text, "User", "id"), None, "{text}");
        }
        assert_eq!(target_of("[{\"type\":\"User\",\"id\":\"\"}]", "User", "id"), None);
    }
}
