//! What speaks against the evidence that a check needs, in a person's words.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_evidence::{obtain, reason};
use reflexe_fiche::{
    coverage::Coverage,
    def::{CheckDef, Need},
};
use reflexe_model::{Text, Window};

/// The sentences for the tables that a check lacks.
pub fn of<'t>(
    def: Option<&CheckDef>,
    tables: impl Iterator<Item = &'t String>,
    coverage: &Coverage,
    window: &Window,
) -> Vec<Text> {
    let mut out: Vec<Text> = Vec::new();
    for table in tables {
        let nothing = Need::default();
        let need = def.and_then(|d| d.needs.get(table).or_else(|| d.better_with.get(table))).unwrap_or(&nothing);
        for table in std::iter::once(table).chain(&need.or) {
            // By reason: how many records, of which operations.
            let mut by: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
            for row in coverage.against(table, need, window, None) {
                let entry = by.entry(&row.reason).or_default();
                entry.0 += row.lost;
                entry.1.insert(&row.operation);
            }
            let way = obtain::for_need(table, need.operations.first().map(String::as_str));
            for (word, (records, operations)) in by {
                let operations: Vec<&str> = operations.into_iter().collect();
                let Some(mut said) = reason::sentence(word, records, &operations) else { continue };
                if let Some(way) = way {
                    said = Text::new(format!("{}\u{a0}: {}", way.title.fr, said.fr), format!("{}: {}", way.title.en, said.en));
                    if let Some(instead) = way.refused.as_ref().filter(|_| word == "refused") {
                        said = Text::new(format!("{}. {}", said.fr, instead.fr), format!("{}. {}", said.en, instead.en));
                    }
                }
                said = Text::new(format!("{}.", said.fr.trim_end_matches('.')), format!("{}.", said.en.trim_end_matches('.')));
                if !out.contains(&said) {
                    out.push(said);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use reflexe_fiche::coverage::CoverageRow;

    use super::*;

    #[test]
    fn a_refused_collection_is_not_asked_for_again_alone() {
        let refused = CoverageRow {
            table: "signin".into(),
            operation: "*".into(),
            subject: "*".into(),
            complete: Some(false),
            reason: "refused".into(),
            ..CoverageRow::default()
        };
        let open = CoverageRow { complete: None, reason: "no_proof".into(), ..refused.clone() };
        let window = Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::UNIX_EPOCH };
        let coverage = Coverage { rows: vec![refused.clone(), open, refused], ..Coverage::default() };
        let said = of(None, ["signin".to_owned()].iter(), &coverage, &window);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].en.contains("refused") && said[0].en.contains("UserLoggedIn"), "{said:?}");
    }
}
