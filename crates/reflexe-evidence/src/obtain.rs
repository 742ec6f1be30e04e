//! How missing evidence is obtained: `evidence/obtain/*.toml`, once per kind.
use std::sync::OnceLock;

use reflexe_model::Text;
use serde::Deserialize;

use crate::embedded::OBTAIN;

/// A way to obtain a kind of evidence.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obtain {
    /// Short stable word, the name of the file.
    pub id: String,
    /// What is obtained.
    pub title: Text,
    /// Tables that it fills.
    pub tables: Vec<String>,
    /// Operations (as in `coverage`) for which it is the way; empty = all of its tables.
    #[serde(default)]
    pub operations: Vec<String>,
    /// Items of the sheet that ask for it, where no table does yet.
    #[serde(default)]
    pub items: Vec<String>,
    /// Where it is in the portals.
    #[serde(default)]
    pub portal: Option<Text>,
    /// What to type, if it can be typed.
    #[serde(default)]
    pub command: Option<String>,
    /// Role that is needed, at least.
    #[serde(default)]
    pub role: Option<Text>,
    /// Licence that is needed.
    #[serde(default)]
    pub licence: Option<Text>,
    /// Minutes that it takes a person.
    pub minutes: u32,
    /// What else to know.
    #[serde(default)]
    pub note: Option<Text>,
    /// What to do where the service refused it: not the same again.
    #[serde(default)]
    pub refused: Option<Text>,
}

/// Every way, by id.
///
/// # Panics
/// Never in a released build: the embedded files are parsed by a test.
pub fn all() -> &'static [Obtain] {
    static ALL: OnceLock<Vec<Obtain>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<Obtain> = OBTAIN
            .iter()
            .map(|(path, text)| match toml::from_str(text) {
                Ok(obtain) => obtain,
                Err(error) => panic!("evidence/obtain/{path}: {error}"),
            })
            .collect();
        all.sort_by(|a: &Obtain, b| a.id.cmp(&b.id));
        all
    })
}

/// A way by id.
pub fn by_id(id: &str) -> Option<&'static Obtain> {
    all().iter().find(|o| o.id == id)
}

/// The way to obtain a table, or an operation of it: the one that names the operation, else one for the whole table; the
/// quickest of several.
pub fn for_need(table: &str, operation: Option<&str>) -> Option<&'static Obtain> {
    let operation = operation.filter(|o| *o != "*");
    let names = |o: &Obtain| operation.is_some_and(|op| o.operations.iter().any(|own| own.eq_ignore_ascii_case(op)));
    let fills = || all().iter().filter(|o| o.tables.iter().any(|t| t == table));
    let named = fills().filter(|o| names(o)).min_by_key(|o| o.minutes);
    let whole = || fills().filter(|o| o.operations.is_empty()).min_by_key(|o| o.minutes);
    // a table that several ways fill in parts has none for the whole of it: the first part is where to begin
    named.or_else(whole).or_else(|| fills().min_by_key(|o| o.minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{self, TableKind};

    #[test]
    fn every_way_is_well_formed() {
        for (path, text) in OBTAIN {
            let obtain: Obtain = toml::from_str(text).unwrap();
            assert_eq!(*path, format!("{}.toml", obtain.id));
        }
        for o in all() {
            let texts =
                [Some(&o.title), o.portal.as_ref(), o.role.as_ref(), o.licence.as_ref(), o.note.as_ref(), o.refused.as_ref()];
            for text in texts.into_iter().flatten() {
                assert!(!text.fr.is_empty() && !text.en.is_empty(), "{}: both languages", o.id);
            }
            assert!(o.tables.iter().all(|t| spec::table(t).is_some()), "{}: unknown table", o.id);
            assert!(o.minutes > 0 && (o.portal.is_some() || o.command.is_some() || o.note.is_some()), "{}: how?", o.id);
            assert!(!o.tables.is_empty() || !o.items.is_empty(), "{}: for what?", o.id);
        }
    }

    #[test]
    fn every_table_that_a_check_may_need_can_be_obtained() {
        for table in spec::tables().iter().filter(|t| matches!(t.kind, TableKind::Event | TableKind::State)) {
            assert!(for_need(&table.name, None).is_some(), "{}", table.name);
        }
        assert!(for_need("no_such_table", None).is_none());
    }

    #[test]
    fn an_operation_has_its_own_way() {
        assert_eq!(for_need("mailbox_permission", Some("send_on_behalf")).unwrap().id, "mailboxes");
        assert_eq!(for_need("mailbox_permission", Some("full_access")).unwrap().id, "mailbox-permissions");
        assert_eq!(for_need("ual_event", Some("New-InboxRule")).unwrap().id, "ual-full");
        assert_eq!(for_need("signin", None).unwrap().id, "signins");
        assert_eq!(for_need("role_assignment", None).unwrap().id, "role-assignments");
    }
}
