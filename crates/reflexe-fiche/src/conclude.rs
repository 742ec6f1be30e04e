//! How findings become the proposed conclusion of an action: the ordered rules of `fiche/conclude.toml`, the first that holds answers.
//!
//! The caller passes the findings of the window that no person dismissed. A finding belongs to an action if it answers one of
//! its items. Only findings that are at least suspicious and no settings count: a weakness confirms and suspects nothing.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use reflexe_model::{ActionResult, ActionState, CheckResult, CoverageLevel, Finding, Lang, Story, Text, Verdict};
use serde::Deserialize;

use crate::{
    say::{clean, list},
    story::{
        StoryInputs,
        fill::{Arg, fill},
        link_key,
    },
    triage::Marks,
};

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("fiche/conclude.toml: {0}. Correct the file, or remove it from the directory of your own rules")]
pub struct RulesError(#[from] toml::de::Error);

/// An action to conclude.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionInput {
    /// `1.a` …
    pub id: String,
    /// Title.
    pub title: Text,
    /// Types of incident that it concludes.
    pub types: Vec<String>,
    /// Items of the sheet that belong to it.
    pub items: Vec<String>,
    /// Checks that must all be covered before it may be called not confirmed. Empty: it never is.
    pub required: Vec<String>,
}

/// `fiche/conclude.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    rule: Vec<Rule>,
    otherwise: Otherwise,
    pub(crate) axes: AxesRule,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Otherwise {
    say: Text,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AxesRule {
    pub many_accounts: usize,
}

/// The five axes, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Is an incident established?
    Confirmation,
    /// Is the tenant's administration compromised?
    TenantCompromised,
    /// How far?
    Perimeter,
    /// How bad?
    Impact,
    /// How urgent?
    Urgency,
}

/// One line: where it applies, what must hold, what it answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    answer: ActionState,
    say: Text,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    when: When,
}

/// What must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum When {
    /// Some finding of the action is like this.
    Any(Like),
    /// Some story that holds a finding of the action of this weight is so strong.
    Story { score: u32, stages: usize, weight: u32 },
    /// Findings of so many checks about one account share a link of these kinds.
    Together { checks: usize, link: Vec<TogetherLink> },
    /// A finding of another action names this one.
    PointedAt(bool),
    /// All required checks are covered and none is above weakness.
    Required(bool),
    /// A person recognised the attacker in a finding of the action that is no setting.
    Marked(Like),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Like {
    #[serde(default)]
    decisive: bool,
    #[serde(default)]
    class: Option<String>,
    #[serde(default)]
    weight: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TogetherLink {
    Session,
    Token,
    HostileIp,
}

impl TogetherLink {
    fn kind(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::HostileIp => "ip",
        }
    }
}

static EMBEDDED: LazyLock<Rules> = LazyLock::new(|| {
    // The file is part of the binary and a test parses it: this cannot fail at a user's.
    Rules::parse(include_str!("../../../fiche/conclude.toml")).expect("embedded conclude.toml")
});

impl Rules {
    /// Reads the text of a `conclude.toml`.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        Ok(toml::from_str(text)?)
    }

    /// From how many compromised accounts on the perimeter is extended, unless the organisation says otherwise.
    pub fn many_accounts(&self) -> usize {
        self.axes.many_accounts
    }

    /// The file that the binary holds.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }
}

/// The proposed conclusion of every action, in the order given.
pub fn actions(
    actions: &[ActionInput],
    findings: &[Finding],
    checks: &[CheckResult],
    stories: &[Story],
    inputs: &StoryInputs,
    rules: &Rules,
) -> Vec<ActionResult> {
    actions_marked(actions, findings, checks, stories, inputs, rules, &Marks::default())
}

/// The same, with the marks of people: what they explained carries nothing, what they recognised as the attacker's carries its
/// action. `findings` and `stories` come after [`crate::triage::apply`].
pub fn actions_marked(
    actions: &[ActionInput],
    findings: &[Finding],
    checks: &[CheckResult],
    stories: &[Story],
    inputs: &StoryInputs,
    rules: &Rules,
    marks: &Marks,
) -> Vec<ActionResult> {
    actions.iter().map(|action| Case { action, findings, checks, stories, inputs, marks }.conclude(rules)).collect()
}

/// What carries an answer.
struct Held<'a> {
    findings: Vec<&'a Finding>,
    /// How many things carry it: findings, or checks where none was found.
    n: usize,
    /// Score and stages of the story, if a story carries it.
    story: Option<&'a Story>,
}

impl<'a> Held<'a> {
    fn by(findings: Vec<&'a Finding>) -> Option<Self> {
        (!findings.is_empty()).then_some(Self { n: findings.len(), findings, story: None })
    }
}

/// One action and all that speaks about it.
struct Case<'a> {
    action: &'a ActionInput,
    findings: &'a [Finding],
    checks: &'a [CheckResult],
    stories: &'a [Story],
    inputs: &'a StoryInputs,
    marks: &'a Marks,
}

impl<'a> Case<'a> {
    fn conclude(&self, rules: &Rules) -> ActionResult {
        let answer = rules.rule.iter().filter(|r| self.applies(r)).find_map(|r| Some((r, self.held(&r.when)?)));
        let (state, rule, held, say) = match answer {
            Some((r, held)) => (r.answer, r.id.clone(), Some(held), &r.say),
            None => (ActionState::Unknown, String::new(), None, &rules.otherwise.say),
        };
        let carried = held.as_ref().map_or(&[][..], |h| &h.findings);
        ActionResult {
            id: self.action.id.clone(),
            title: self.action.title.clone(),
            types: self.action.types.clone(),
            proposed: state,
            privileged: carried.iter().any(|f| self.privileged(f)),
            rule,
            reason: reason(say, held.as_ref(), self.marks, self.inputs),
            because: carried.iter().map(|f| f.id.clone()).collect(),
            against: self.against(state),
            answer: None,
        }
    }

    fn applies(&self, rule: &Rule) -> bool {
        (rule.only.is_empty() || rule.only.contains(&self.action.id)) && !rule.except.contains(&self.action.id)
    }

    /// Findings that count, in the order given.
    fn own(&self) -> impl Iterator<Item = &'a Finding> {
        let items = &self.action.items;
        let explained = |f: &&Finding| self.marks.explain(f);
        self.findings.iter().filter(move |f| counts(f) && !explained(f) && f.items.iter().any(|i| items.contains(i)))
    }

    /// Findings in which a person recognised the attacker. Their word counts however light the finding is; a setting is no act.
    fn recognised(&self, like: &Like) -> Vec<&'a Finding> {
        let items = &self.action.items;
        let own = self.findings.iter().filter(|f| f.class != "posture" && f.items.iter().any(|i| items.contains(i)));
        own.filter(|f| self.marks.malicious.contains_key(&f.id) && like.fits(f)).collect()
    }

    fn held(&self, when: &When) -> Option<Held<'a>> {
        match when {
            When::Any(like) => Held::by(self.own().filter(|f| like.fits(f)).collect()),
            When::Marked(like) => Held::by(self.recognised(like)),
            When::Story { score, stages, weight } => self.story(*score, *stages, *weight),
            When::Together { checks, link } => Held::by(self.together(*checks, link)),
            When::PointedAt(wanted) => {
                let pointing =
                    |f: &&Finding| counts(f) && !self.marks.explain(f) && f.also_suspects.as_ref() == Some(&self.action.id);
                if *wanted { Held::by(self.findings.iter().filter(pointing).collect()) } else { None }
            }
            When::Required(wanted) => {
                let required = &self.action.required;
                let quiet = self.own().next().is_none();
                let all = *wanted && quiet && !required.is_empty() && required.iter().all(|id| self.covered(id));
                all.then_some(Held { findings: Vec::new(), n: required.len(), story: None })
            }
        }
    }

    fn story(&self, score: u32, stages: usize, weight: u32) -> Option<Held<'a>> {
        self.stories.iter().filter(|s| s.score >= score && s.stages.len() >= stages).find_map(|s| {
            let told: BTreeSet<&String> = s.findings.iter().collect();
            let own: Vec<&Finding> = self.own().filter(|f| told.contains(&f.id)).collect();
            let heavy = own.iter().any(|f| f.weight >= weight);
            heavy.then_some(Held { n: own.len(), findings: own, story: Some(s) })
        })
    }

    /// All findings that stand in some group of one account and one link with enough different checks.
    fn together(&self, checks: usize, kinds: &[TogetherLink]) -> Vec<&'a Finding> {
        let mut groups: BTreeMap<(&str, String), Vec<&'a Finding>> = BTreeMap::new();
        for f in self.own() {
            let links = f.links.iter().filter(|l| self.inputs.same_hand(l, f.hand()) && kinds.iter().any(|k| k.kind() == l.kind));
            for key in links.map(link_key).collect::<BTreeSet<_>>() {
                groups.entry((f.hand(), key)).or_default().push(f);
            }
        }
        let strong: BTreeSet<&str> = groups
            .values()
            .filter(|g| g.iter().map(|f| f.check.as_str()).collect::<BTreeSet<_>>().len() >= checks)
            .flat_map(|g| g.iter().map(|f| f.id.as_str()))
            .collect();
        self.own().filter(|f| strong.contains(f.id.as_str())).collect()
    }

    /// Whether a check saw all that it needs and found nothing above weakness.
    fn covered(&self, id: &str) -> bool {
        self.checks.iter().any(|c| {
            c.id == id
                && c.error.is_none()
                && c.coverage == CoverageLevel::Full
                && matches!(c.verdict, Verdict::Ok | Verdict::Info | Verdict::Weakness)
        })
    }

    /// A privileged account or application is concerned: it suffers, it acts, or it is the application.
    fn privileged(&self, f: &Finding) -> bool {
        let known = |name: &str| self.inputs.privileged.contains(&name.to_lowercase());
        known(&f.subject) || f.actor.as_deref().is_some_and(known) || f.links.iter().any(|l| l.kind == "app" && known(&l.value))
    }

    /// What speaks against the answer: against an incident, the required checks that saw everything and found nothing;
    /// against its absence, the findings that were too light to suspect it.
    fn against(&self, state: ActionState) -> Vec<String> {
        match state {
            ActionState::Confirmed | ActionState::Suspected => {
                self.action.required.iter().filter(|id| self.covered(id)).cloned().collect()
            }
            _ => self.own().map(|f| f.id.clone()).collect(),
        }
    }
}

impl Like {
    fn fits(&self, f: &Finding) -> bool {
        (!self.decisive || (f.decisive && f.verdict == Verdict::Compromise))
            && self.class.as_ref().is_none_or(|c| *c == f.class)
            && f.weight >= self.weight
    }
}

/// Whether a finding may speak about an incident at all.
fn counts(f: &Finding) -> bool {
    f.accuses()
}

fn reason(say: &Text, held: Option<&Held>, marks: &Marks, inputs: &StoryInputs) -> Text {
    let one = |lang: Lang| {
        let Some(held) = held else {
            return say.get(lang).to_owned();
        };
        let who: BTreeSet<String> = match held.story {
            Some(s) => BTreeSet::from([inputs.shown(&s.subject)]),
            None => held.findings.iter().map(|f| inputs.shown(f.hand())).collect(),
        };
        // What has a name is read first.
        let mut who: Vec<String> = who.into_iter().collect();
        who.sort_by_key(|w| crate::command::is_guid(w));
        let (score, stages) = held.story.map_or((0, 0), |s| (s.score as usize, s.stages.len()));
        let by: BTreeSet<String> =
            held.findings.iter().filter_map(|f| marks.malicious.get(&f.id)).map(|name| clean(name)).collect();
        let by: Vec<String> = by.into_iter().collect();
        let args = [
            ("n", Arg::Count(held.n)),
            ("by", Arg::Word(list(&by, lang))),
            ("who", Arg::Word(list(&who, lang))),
            ("score", Arg::Count(score)),
            ("stages", Arg::Count(stages)),
        ];
        fill(say.get(lang), lang, &args)
    };
    Text::new(one(Lang::Fr), one(Lang::En))
}

#[cfg(test)]
mod tests;
