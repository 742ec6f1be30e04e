//! The items of the sheet: the worst of their checks, and `ok` only when everything that an item asks for was looked at. A
//! narrow check does not clear a wide item: what no check looks at stays open until a person answers.
use std::collections::BTreeSet;

use reflexe_model::{CheckResult, CoverageLevel, ItemResult, OpenFact, Verdict};

use crate::{
    answers::Answers,
    catalogue::Catalogue,
    def::{Fact, ItemDef},
};

/// Every item of the sheet, in its order.
pub fn results(catalogue: &Catalogue, checks: &[CheckResult], answers: &Answers) -> Vec<ItemResult> {
    catalogue.items.iter().map(|item| result(catalogue, item, checks, answers)).collect()
}

fn result(catalogue: &Catalogue, item: &ItemDef, checks: &[CheckResult], answers: &Answers) -> ItemResult {
    let mine: Vec<&CheckResult> =
        checks.iter().filter(|c| catalogue.check(&c.id).is_some_and(|k| k.def.items.contains(&item.id))).collect();
    let open: Vec<OpenFact> = item
        .fact
        .iter()
        .filter(|f| !looked_at(catalogue, f, &mine, answers))
        .map(|f| OpenFact { text: f.text(), question: f.question.clone() })
        .collect();
    let mut missing: BTreeSet<String> = mine.iter().flat_map(|c| c.missing.iter().cloned()).collect();
    if mine.is_empty() {
        missing.extend(item.obtain.iter().cloned());
    }
    let worst = mine.iter().map(|c| c.verdict).max().unwrap_or(Verdict::Unknown);
    ItemResult {
        id: item.id.clone(),
        title: item.title.clone(),
        verdict: if open.is_empty() { worst } else { worst.max(Verdict::Unknown) },
        coverage: mine.iter().map(|c| c.coverage).min().unwrap_or(CoverageLevel::None),
        missing: missing.into_iter().collect(),
        checks: mine.iter().map(|c| c.id.clone()).collect(),
        open,
    }
}

/// Whether a fact was looked at: by all its checks (which say themselves what they could not see), else by a person who gave
/// its question the least grave of the answers.
fn looked_at(catalogue: &Catalogue, fact: &Fact, checks: &[&CheckResult], answers: &Answers) -> bool {
    if !fact.checks.is_empty() {
        return fact.checks.iter().all(|id| checks.iter().any(|c| c.id == *id));
    }
    let Some(question) = fact.question.as_deref().and_then(|id| catalogue.questions.iter().find(|q| q.id == id)) else {
        return false;
    };
    answers.choice(&question.id).is_some_and(|given| question.choices().first() == Some(&given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::tests::Journal;

    fn check(id: &str, verdict: Verdict) -> CheckResult {
        CheckResult {
            id: id.into(),
            question: reflexe_model::Text::default(),
            verdict,
            coverage: CoverageLevel::Full,
            missing: Vec::new(),
            missing_tables: Vec::new(),
            reasons: Vec::new(),
            findings: 0,
            examined: 1,
            error: None,
        }
    }

    fn item(id: &str, checks: &[CheckResult], answers: &Answers) -> ItemResult {
        results(&Catalogue::embedded().expect("the embedded tree"), checks, answers)
            .into_iter()
            .find(|i| i.id == id)
            .expect("an item")
    }

    #[test]
    fn a_narrow_check_does_not_clear_a_wide_item() {
        let grants = check("1a.role-grants", Verdict::Ok);
        let found = item("1.a.2", std::slice::from_ref(&grants), &Answers::default());
        assert_eq!(found.verdict, Verdict::Unknown);
        assert!(found.open.iter().any(|f| f.question.as_deref() == Some("Q.1a.04")), "{:?}", found.open);
        assert_eq!(item("1.V", &[check("1e.mail-sync", Verdict::Ok)], &Answers::default()).verdict, Verdict::Unknown);
        assert_eq!(item("2.a", &[check("2a.ca-mfa-changes", Verdict::Ok)], &Answers::default()).verdict, Verdict::Unknown);
        let bad = item("1.a.2", &[check("1a.role-grants", Verdict::Suspicious)], &Answers::default());
        assert_eq!(bad.verdict, Verdict::Suspicious, "what was found stands");
    }

    #[test]
    fn what_no_check_sees_a_person_clears() {
        let grants = [check("1a.role-grants", Verdict::Ok)];
        let mut journal = Journal::default();
        journal.say("Q.1a.04", "legitimate", &[]);
        assert_eq!(item("1.a.2", &grants, &journal.fold()).open.len(), 1, "the contractors are still open");
        journal.say("Q.1a.05", "legitimate", &[]);
        assert_eq!(item("1.a.2", &grants, &journal.fold()).verdict, Verdict::Ok);
        journal.say("Q.1a.04", "doubtful", &[]);
        assert_eq!(item("1.a.2", &grants, &journal.fold()).verdict, Verdict::Unknown);
    }

    #[test]
    fn a_check_that_did_not_run_leaves_its_fact_open() {
        let one = [check("1a.admin-mfa", Verdict::Ok)];
        assert_eq!(item("1.a.3", &one, &Answers::default()).verdict, Verdict::Unknown);
        let both = [check("1a.admin-mfa", Verdict::Ok), check("1a.admin-mfa-changes", Verdict::Ok)];
        assert_eq!(item("1.a.3", &both, &Answers::default()).verdict, Verdict::Ok);
    }
}
