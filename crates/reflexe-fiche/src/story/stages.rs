//! `fiche/stages.toml`: how stories are cut, scored and named.
use std::{collections::BTreeMap, sync::LazyLock};

use reflexe_model::Text;
use serde::Deserialize;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("fiche/stages.toml: {0}. Correct the file, or remove it from the directory of your own rules")]
pub struct StagesError(#[from] toml::de::Error);

/// Everything that the stories read from data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    pub(crate) cluster: Cluster,
    pub(crate) score: Score,
    pub(crate) level: Level,
    /// By id, which sorts as an attack goes.
    pub(crate) stage: BTreeMap<String, Stage>,
    pub(crate) say: Say,
    pub(crate) title: Title,
    pub(crate) pattern: Vec<Pattern>,
}

static EMBEDDED: LazyLock<Stages> = LazyLock::new(|| {
    // The file is part of the binary and a test parses it: this cannot fail at a user's.
    Stages::parse(include_str!("../../../../fiche/stages.toml")).expect("embedded stages.toml")
});

impl Stages {
    /// Reads the text of a `stages.toml`.
    pub fn parse(text: &str) -> Result<Self, StagesError> {
        Ok(toml::from_str(text)?)
    }

    /// The file that the binary holds.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Words of a stage, its id if it is unknown.
    pub fn word(&self, stage: &str) -> Text {
        self.stage.get(stage).map_or_else(|| Text::new(stage, stage), |s| Text::new(&s.fr, &s.en))
    }
}

/// How findings become one story.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub gap_days: i64,
    pub context_days: i64,
    pub least_weight: u32,
    pub extend: Vec<String>,
    pub merge: Vec<String>,
}

/// Points.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Score {
    pub compromise_percent: u32,
    pub suspicious_percent: u32,
    pub context_percent: u32,
    pub shared_link: u32,
    pub order: u32,
    pub order_hours: i64,
    pub further_principal: u32,
    pub further_principal_max: u32,
    pub vip: u32,
}

/// Lower bounds of the levels.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Level {
    pub compromise: u32,
    pub compromise_stages: usize,
    pub suspicion: u32,
}

/// One stage of an attack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stage {
    pub cap: u32,
    pub fr: String,
    pub en: String,
}

/// Sentences.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Say {
    pub acts: usize,
    pub from_to: Text,
    pub at: Text,
    pub undated: Text,
    pub others: Text,
    pub victims: Text,
    pub more: Text,
    pub established: Text,
    pub to_check: Text,
    pub shared_link: Text,
    pub order: Text,
    pub further_principal: Text,
    pub vip: Text,
    pub capped: Text,
}

/// Titles by level.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Title {
    pub compromise: Text,
    pub suspicion: Text,
    pub to_check: Text,
}

/// An attack that has a name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pattern {
    pub id: String,
    pub fr: String,
    pub en: String,
    pub steps: Vec<Step>,
    #[serde(default)]
    pub never: Vec<String>,
    #[serde(default)]
    pub only: bool,
}

/// One step of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    #[serde(default)]
    pub stages: Vec<String>,
    #[serde(default)]
    pub checks: Vec<String>,
    #[serde(default)]
    pub sign: Option<String>,
    #[serde(default)]
    pub optional: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_names_only_stages_that_it_has() {
        let s = Stages::embedded();
        for p in &s.pattern {
            assert!(!p.steps.iter().all(|s| s.optional), "{} would fit everything", p.id);
            for stage in p.never.iter().chain(p.steps.iter().flat_map(|s| &s.stages)) {
                assert!(s.stage.contains_key(stage), "{}: {stage}", p.id);
            }
        }
    }

    /// What each check's acts are in an attack. A new check stands under one of these words, or adds its own.
    #[test]
    fn every_check_is_at_its_stage() {
        let table: &[(&str, &[&str])] = &[
            ("access", &["1a.admin-signin-", "1b.tenant-attacks", "1b.defender-alerts"]),
            (
                "identity foothold",
                &[
                    "1a.admin-mfa",
                    "1a.synced-privileged",
                    "1d.app-credential-added",
                    "1d.app-owner-changes",
                    "1d.consent-",
                    "1d.name-lookalike",
                ],
            ),
            ("privilege gained", &["1a.role-grants", "1d.sp-permission-grants"]),
            ("defences weakened", &["2a.ca-mfa-changes", "2a.log-tampering"]),
            (
                "mail foothold",
                &[
                    "1b.inbox-rule-",
                    "1b.external-forwarding",
                    "1b.internal-forwarding",
                    "1b.mbx-delegation-change",
                    "1b.sendas",
                    "1b.sendonbehalf",
                    "1e.transport-rule-",
                    "1e.remote-domain-wildcard",
                ],
            ),
            ("collection", &["1e.mail-app-access"]),
            ("exfiltration", &["1e.mail-sync", "1e.anonymous-links"]),
            ("abuse", &["1e.fraud-send"]),
        ];
        let stages = Stages::embedded();
        for check in &crate::Catalogue::embedded().expect("well formed").checks {
            let def = &check.def;
            if def.class == crate::def::Class::Posture {
                assert_eq!(def.stage, "", "{}: a setting is no stage", def.id);
            }
            if def.stage.is_empty() {
                continue; // nobody's act: a detail that was lost
            }
            let stage = stages.stage.get(&def.stage).unwrap_or_else(|| panic!("{}: no stage {:?}", def.id, def.stage));
            let right = table.iter().find(|(_, ids)| ids.iter().any(|id| def.id.starts_with(id)));
            if let Some((word, _)) = right {
                assert_eq!(stage.en, *word, "{}", def.id);
            }
        }
        let known = |id: &&&str| crate::Catalogue::embedded().is_ok_and(|c| c.checks.iter().any(|k| k.def.id.starts_with(**id)));
        assert!(
            table.iter().flat_map(|(_, ids)| ids.iter()).filter(known).count() >= 20,
            "the table speaks of checks that are there"
        );
    }

    #[test]
    fn an_error_names_the_file() {
        let e = Stages::parse("x = 1").expect_err("must fail");
        assert!(e.to_string().starts_with("fiche/stages.toml"), "{e}");
    }
}
