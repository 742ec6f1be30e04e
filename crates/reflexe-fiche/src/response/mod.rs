//! What follows a qualification, as data: steps of containment, commands to show, who to call, legal clocks, other sheets,
//! words and techniques. [`Response`] holds what `fiche/next`, `fiche/glossary.toml` and `fiche/attacks.toml` say.
pub mod def;
pub mod facts;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use self::def::{
    AttackDef, AttackFile, CommandDef, ContactDef, ContactFile, GlossaryFile, GoldenFile, Note, PackDefFile, PackTable,
    RegimeDef, RouteDef, RouteFile, StepDef, TermDef,
};
use crate::catalogue::{self, CatalogueError};

/// The response part of the tree.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// Steps of containment, in order.
    pub steps: Vec<StepDef>,
    /// Commands to show, by id.
    pub commands: BTreeMap<String, CommandDef>,
    /// Rules that stand above the steps.
    pub golden: Vec<Note>,
    /// Other sheets and regimes.
    pub routes: Vec<RouteDef>,
    /// Public contacts.
    pub contacts: Vec<ContactDef>,
    /// Legal clocks, in the order of their files' `order`.
    pub clocks: Vec<RegimeDef>,
    /// Tables of the preparation pack.
    pub pack: Vec<PackTable>,
    /// Words explained, in alphabetical order of the French term.
    pub glossary: Vec<TermDef>,
    /// Techniques of the sheet and of the checks, by number.
    pub attacks: Vec<AttackDef>,
}

impl Response {
    /// From the folder named by `REFLEXE_FICHE_DIR`, else as embedded at build.
    ///
    /// # Errors
    /// When a file cannot be read, parsed, or breaks the tree's rules.
    pub fn load() -> Result<Self, CatalogueError> {
        Self::from_files(&catalogue::tree()?)
    }

    /// From files: path relative to the tree, content.
    ///
    /// # Errors
    /// When a file does not parse or the tree breaks its own rules.
    pub fn from_files(files: &BTreeMap<String, String>) -> Result<Self, CatalogueError> {
        if let Some(fault) = def::faults(files).into_iter().next() {
            let (path, message) = fault.split_once(": ").unwrap_or(("next", &fault));
            return Err(CatalogueError::Wrong { path: path.to_owned(), message: message.to_owned() });
        }
        let mut all = Self {
            steps: every(files, "next/steps/")?,
            commands: every::<CommandDef>(files, "next/commands/")?.into_iter().map(|c| (c.id.clone(), c)).collect(),
            golden: one::<GoldenFile>(files, "next/golden.toml")?.rule,
            routes: one::<RouteFile>(files, "next/routes.toml")?.route,
            contacts: one::<ContactFile>(files, "next/contacts.toml")?.contact,
            clocks: every(files, "next/clocks/")?,
            pack: one::<PackDefFile>(files, "next/pack.toml")?.table,
            glossary: one::<GlossaryFile>(files, "glossary.toml")?.term,
            attacks: one::<AttackFile>(files, "attacks.toml")?.attack,
        };
        all.steps.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        all.clocks.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        all.glossary.sort_by_key(|t| t.fr.term.to_lowercase());
        all.attacks.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// The words explained.
    pub fn glossary(&self) -> &[TermDef] {
        &self.glossary
    }

    /// The techniques of the annex.
    pub fn attacks(&self) -> &[AttackDef] {
        &self.attacks
    }

    /// A technique by number.
    pub fn attack(&self, id: &str) -> Option<&AttackDef> {
        self.attacks.iter().find(|a| a.id == id)
    }

    /// A clock by id.
    pub fn clock(&self, id: &str) -> Option<&RegimeDef> {
        self.clocks.iter().find(|c| c.id == id)
    }
}

fn every<T: DeserializeOwned>(files: &BTreeMap<String, String>, folder: &str) -> Result<Vec<T>, CatalogueError> {
    files.iter().filter(|(p, _)| p.starts_with(folder)).map(|(p, t)| catalogue::parse(p, t)).collect()
}

fn one<T: DeserializeOwned>(files: &BTreeMap<String, String>, path: &str) -> Result<T, CatalogueError> {
    let text =
        files.get(path).ok_or_else(|| CatalogueError::Wrong { path: path.to_owned(), message: "is missing".to_owned() })?;
    catalogue::parse(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[test]
    fn every_technique_of_a_check_stands_in_the_annex() {
        let (catalogue, response) = (Catalogue::load().unwrap(), Response::load().unwrap());
        for check in &catalogue.checks {
            for id in &check.def.attack {
                assert!(response.attack(id).is_some(), "{}: {id} is not in fiche/attacks.toml", check.def.id);
            }
        }
        for id in ["T1586.002", "T1078.004", "T1114", "T1213", "T1021.007", "T1496.004", "T1190", "T1528"] {
            assert!(response.attack(id).is_some_and(|a| a.sheet), "{id} is cited by the sheet");
        }
    }

    #[test]
    fn exact_checks_named_by_steps_exist() {
        let (catalogue, response) = (Catalogue::load().unwrap(), Response::load().unwrap());
        for step in &response.steps {
            let named = step.targets.iter().flat_map(|t| &t.checks).chain(step.when.iter().flat_map(|c| &c.checks));
            for check in named.filter(|c| !c.ends_with('*')) {
                assert!(catalogue.check(check).is_some(), "{}: no check {check}", step.id);
            }
        }
    }

    #[test]
    fn questions_choices_and_categories_named_by_steps_clocks_and_routes_exist() {
        let (catalogue, r) = (Catalogue::load().unwrap(), Response::load().unwrap());
        let question = |id: &str| catalogue.questions.iter().find(|q| q.id == id);
        let clauses = (r.steps.iter().flat_map(|s| s.when.iter().map(move |c| (&s.id, c))))
            .chain(r.clocks.iter().flat_map(|s| s.when.iter().map(move |c| (&s.id, c))))
            .chain(r.routes.iter().flat_map(|s| s.when.iter().map(move |c| (&s.id, c))));
        let categories: std::collections::BTreeSet<&String> =
            catalogue.questions.iter().flat_map(|q| q.categories.keys()).collect();
        let types: std::collections::BTreeSet<&String> = catalogue.actions.iter().flat_map(|a| &a.types).collect();
        for (id, clause) in clauses {
            if let Some(asked) = &clause.answer {
                let found = question(&asked.question).unwrap_or_else(|| panic!("{id}: no question {}", asked.question));
                for choice in &asked.choice {
                    assert!(found.choices().contains(&choice.as_str()), "{id}: {} has no choice {choice}", found.id);
                }
            }
            for data in &clause.data {
                assert!(categories.contains(data), "{id}: no question names the category {data}");
            }
            for kind in clause.types.iter().filter(|t| *t != "TX") {
                assert!(types.contains(kind), "{id}: no action concludes {kind}");
            }
        }
        for step in &r.steps {
            for role in &step.roles {
                let known: Result<crate::question::Who, _> = serde_json::from_value(role.as_str().into());
                assert!(known.is_ok(), "{}: nobody is {role}", step.id);
            }
            for asked in step.targets.iter().filter_map(|t| t.answer.as_ref()) {
                assert!(question(asked).is_some(), "{}: no question {asked}", step.id);
            }
        }
        // Those that facts.rs reads by name.
        for (id, choices) in
            [("V.T1", ["confirmed", "suspected"]), ("V.T6", ["confirmed", "refuted"]), ("Q.2a.07", ["malicious", "doubtful"])]
        {
            let found = question(id).unwrap_or_else(|| panic!("no question {id}"));
            assert!(choices.iter().all(|c| found.choices().contains(c)), "{id}: {:?}", found.choices());
        }
    }

    #[test]
    fn a_faulty_tree_is_refused_by_name() {
        let mut files = catalogue::tree().unwrap();
        files.insert("next/commands/bad.toml".into(), "id = \"bad\"".into());
        let error = Response::from_files(&files).unwrap_err().to_string();
        assert!(error.starts_with("next/commands/bad.toml: "), "{error}");
    }
}
