//! Why an export does not prove that nothing is missing, in a person's words: `evidence/coverage/reasons.toml`.
use std::{collections::BTreeMap, sync::OnceLock};

use reflexe_model::Text;

use crate::embedded::COVERAGE;

fn all() -> &'static BTreeMap<String, Text> {
    static ALL: OnceLock<BTreeMap<String, Text>> = OnceLock::new();
    ALL.get_or_init(|| {
        let text = COVERAGE.iter().find(|(path, _)| *path == "reasons.toml").map_or("", |(_, text)| *text);
        match toml::from_str(text) {
            Ok(all) => all,
            // a test parses the embedded file
            Err(error) => panic!("evidence/coverage/reasons.toml: {error}"),
        }
    })
}

/// The sentence of a word of `coverage.reason` that speaks against the coverage; none for words that only leave it open.
pub fn sentence(word: &str, records: u64, operations: &[&str]) -> Option<Text> {
    let text = all().get(word)?;
    let shown: Vec<&str> = operations.iter().copied().filter(|o| *o != "*").take(8).collect();
    let list = if shown.is_empty() { "*".to_owned() } else { shown.join(", ") };
    // one pass: an operation is an attacker's text and never a template
    let fill = |text: &str| {
        let with_count = text.split("{n}").collect::<Vec<_>>().join(&records.to_string());
        with_count.split("{operations}").collect::<Vec<_>>().join(&list)
    };
    Some(Text::new(fill(&text.fr), fill(&text.en)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_said_in_both_languages() {
        assert!(all().len() > 10);
        for (word, text) in all() {
            assert!(!text.fr.is_empty() && !text.en.is_empty(), "{word}");
            for hole in ["{n}", "{operations}"] {
                assert_eq!(text.fr.contains(hole), text.en.contains(hole), "{word}: {hole}");
            }
        }
        for flag in crate::events::LOST {
            assert!(all().contains_key(flag), "{flag}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_a_template() {
        let said = sentence("truncated_json", 2, &["{n}", "send"]).unwrap();
        assert!(said.en.starts_with("2 record(s) ({n}, send)"), "{}", said.en);
        assert_eq!(sentence("no_proof", 1, &[]), None);
    }
}
