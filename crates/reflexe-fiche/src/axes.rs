//! From conclusions to the axes of the severity, as the set of values still possible on each.
//!
//! A machine proposes and never refutes: what it did not establish stays open. What people answer is read in `answered`.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_model::{
    ActionResult, ActionState, Axes, Confirmation, Finding, Impact, Perimeter, Story, StoryLevel, TenantState, Urgency, Verdict,
};

use crate::{
    conclude::Rules,
    story::{Stages, StoryInputs, principal_of},
};

mod answered;
mod voices;

pub use answered::{AxisReason, Frame, Judged, VERDICTS, answered, axis_of, combined};

pub use crate::conclude::Axis;

/// Action on privileged accounts: confirmed, the tenant is held to be compromised.
const PRIVILEGED_ACCOUNTS: &str = "1.a";
/// Action on applications: confirmed and privileged, likewise.
const APPLICATIONS: &str = "1.d";

/// Nothing is known.
pub fn open() -> Axes {
    Axes {
        confirmation: BTreeSet::from([Confirmation::Refuted, Confirmation::Confirmed]),
        tenant_compromised: BTreeSet::from([TenantState::No, TenantState::Precaution, TenantState::Yes]),
        perimeter: BTreeSet::from([Perimeter::Circumscribed, Perimeter::Extended]),
        impact: BTreeSet::from([Impact::None, Impact::Moderate, Impact::Strong]),
        urgency: BTreeSet::from([Urgency::None, Urgency::Degraded, Urgency::Stopped]),
    }
}

/// What the machine proposes. `compromised` counts the accounts that it holds to be compromised ([`compromised_accounts`]).
pub fn proposed(actions: &[ActionResult], compromised: usize, rules: &Rules) -> Axes {
    let mut axes = open();
    let confirmed = |a: &&ActionResult| a.proposed == ActionState::Confirmed;
    if actions.iter().any(|a| confirmed(&a)) {
        axes.confirmation = BTreeSet::from([Confirmation::Confirmed]);
    }
    let administration = |a: &ActionResult| a.id == PRIVILEGED_ACCOUNTS || (a.id == APPLICATIONS && a.privileged);
    let tenant = actions.iter().filter(confirmed).any(administration);
    if tenant {
        axes.tenant_compromised = BTreeSet::from([TenantState::Yes]);
    }
    if tenant || compromised >= rules.axes.many_accounts {
        axes.perimeter = BTreeSet::from([Perimeter::Extended]);
    }
    axes
}

/// Accounts held to be compromised: those whose stories establish it by an established fact of their own, and authors of decisive
/// findings. Only accounts count, not applications nor the tenant; neither victims nor whoever a story also names.
pub fn compromised_accounts(findings: &[Finding], stories: &[Story], inputs: &StoryInputs) -> BTreeSet<String> {
    let established = stories.iter().filter(|s| s.level == StoryLevel::Compromise);
    let grave: BTreeMap<&str, &Finding> =
        findings.iter().filter(|f| f.verdict == Verdict::Compromise).map(|f| (f.id.as_str(), f)).collect();
    let own_fact =
        |s: &&Story| s.findings.iter().filter_map(|id| grave.get(id.as_str())).any(|f| principal_of(f, inputs) == s.subject);
    let by_points = |s: &&Story| s.score >= Stages::embedded().level.compromise;
    let mut accounts: BTreeSet<&str> = established.filter(|s| by_points(s) || own_fact(s)).map(|s| s.subject.as_str()).collect();
    let decisive = |f: &&Finding| f.decisive && f.verdict == Verdict::Compromise && f.class != "posture";
    accounts.extend(findings.iter().filter(decisive).map(|f| principal_of(f, inputs)));
    accounts.into_iter().filter(|a| a.contains('@')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use reflexe_model::Text;

    use super::*;
    use crate::answers::Answers;
    use crate::story::tests_support::{finding, inputs};

    fn action(id: &str, proposed: ActionState, privileged: bool) -> ActionResult {
        ActionResult {
            id: id.into(),
            title: Text::default(),
            types: vec![],
            proposed,
            privileged,
            rule: String::new(),
            reason: Text::default(),
            because: vec![],
            against: vec![],
            answer: None,
        }
    }

    fn of(actions: &[ActionResult]) -> Axes {
        proposed(actions, 0, Rules::embedded())
    }

    #[test]
    fn a_confirmed_privileged_account_takes_the_tenant_and_the_perimeter() {
        let axes = of(&[action("1.a", ActionState::Confirmed, false)]);
        assert_eq!(axes.confirmation, BTreeSet::from([Confirmation::Confirmed]));
        assert_eq!(axes.tenant_compromised, BTreeSet::from([TenantState::Yes]));
        assert_eq!(axes.perimeter, BTreeSet::from([Perimeter::Extended]));
        assert_eq!(axes.impact.len(), 3);
    }

    #[test]
    fn an_application_takes_the_tenant_only_if_it_is_privileged() {
        assert_eq!(of(&[action("1.d", ActionState::Confirmed, false)]).tenant_compromised.len(), 3);
        assert_eq!(of(&[action("1.d", ActionState::Confirmed, true)]).tenant_compromised, BTreeSet::from([TenantState::Yes]));
        assert_eq!(
            of(&[action("1.b", ActionState::Confirmed, true)]).tenant_compromised.len(),
            3,
            "a privileged actor alone is not 1.a"
        );
    }

    #[test]
    fn what_is_not_confirmed_leaves_everything_open() {
        for state in [ActionState::Suspected, ActionState::NotConfirmed, ActionState::Unknown] {
            assert_eq!(of(&[action("1.a", state, true), action("1.d", state, true)]), open());
        }
        assert_eq!(answered(&Answers::default(), &Frame::default()), Judged { axes: open(), reasons: vec![] });
    }

    #[test]
    fn many_compromised_accounts_extend_the_perimeter() {
        let b = [action("1.b", ActionState::Confirmed, false)];
        assert_eq!(proposed(&b, 9, Rules::embedded()).perimeter.len(), 2);
        assert_eq!(proposed(&b, 10, Rules::embedded()).perimeter, BTreeSet::from([Perimeter::Extended]));
    }

    #[test]
    fn accounts_are_counted_once_and_applications_are_not() {
        let mut decisive = finding("a", "1b.x", "joe@example.com");
        (decisive.decisive, decisive.verdict) = (true, Verdict::Compromise);
        let mut again = decisive.clone();
        again.id = "b".into();
        let mut app = decisive.clone();
        (app.id, app.subject) = ("c".into(), "0d1e".into());
        let mut setting = decisive.clone();
        (setting.subject, setting.class) = ("ann@example.com".into(), "posture".into());
        assert_eq!(compromised_accounts(&[decisive, again, app, setting], &[], &inputs()).len(), 1);
    }
}
