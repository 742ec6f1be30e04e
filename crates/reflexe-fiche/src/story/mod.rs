//! Stories: the findings about one principal or one campaign, in time order, so that a reader gets five accounts rather than
//! five hundred alerts. Settings never enter. Same findings in any order give the same stories; the id of a story is made from
//! its earliest finding, so that evidence about somebody else changes nothing.
//!
//! First form: the campaign is one story whose further principals are listed; sub-stories are not kept apart.
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{SignedDuration, Timestamp};
use reflexe_model::{Finding, Link, RowRef, Story, StoryFact, Text};
use serde::{Deserialize, Serialize};

mod cluster;
pub(crate) mod fill;
mod score;
mod stages;
mod tell;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;

pub(crate) use cluster::link_key;
pub use cluster::principal_of;
pub use stages::{Stages, StagesError};

/// What stories and conclusions must know beyond the findings. Names are in lower case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoryInputs {
    /// Holders of privileged roles, and applications that hold privileged permissions (their ids).
    pub privileged: BTreeSet<String>,
    /// Sensitive persons.
    pub vip: BTreeSet<String>,
    /// The hostile context as `kind:value`, values in lower case. Never seeded by findings.
    pub hostile: BTreeSet<String>,
    /// Names of applications, by id: an id alone tells nobody anything.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Facts that are no findings but belong to the account of what happened.
    pub context_facts: Vec<ContextFact>,
}

impl StoryInputs {
    /// Whether a link stands in the hostile context.
    pub fn is_hostile(&self, link: &Link) -> bool {
        self.hostile.contains(&link_key(link))
    }

    /// A subject as people read it: an application by its name, with the beginning of its id.
    pub fn shown(&self, subject: &str) -> String {
        match self.names.get(&subject.to_lowercase()) {
            Some(name) => format!("{} ({}…)", crate::say::clean(name), subject.chars().take(8).collect::<String>()),
            None => crate::say::clean(subject),
        }
    }

    /// Whether a link shows one and the same hand: a session, a token, a hostile address.
    pub fn same_hand(&self, link: &Link) -> bool {
        match link.kind.as_str() {
            "session" | "token" => !link.value.is_empty(),
            "ip" => self.is_hostile(link),
            _ => false,
        }
    }
}

/// A fact about a principal, e.g. a device registered or a password reset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextFact {
    /// Whom it is about, lower case.
    pub principal: String,
    /// When.
    pub time: Option<Timestamp>,
    /// What.
    pub text: Text,
    /// The rows that show it.
    pub rows: Vec<RowRef>,
    /// Links of it.
    pub links: Vec<Link>,
}

/// Builds the stories, gravest first.
pub fn build(findings: &[Finding], inputs: &StoryInputs, data: &Stages) -> Vec<Story> {
    let (acts, groups) = cluster::cluster(findings, inputs, &data.cluster);
    let mut stories: Vec<Story> = groups
        .iter()
        .map(|group| {
            let acts: Vec<&cluster::Act> = group.iter().map(|&i| &acts[i]).collect();
            one(&acts, inputs, data)
        })
        .collect();
    // A person's evident seriousness first, then the most recent; the id makes the order total.
    let vip = |s: &Story| inputs.vip.contains(&s.subject) || s.principals.iter().any(|p| inputs.vip.contains(p));
    stories.sort_by(|a, b| {
        let key = |s: &Story| (Reverse(s.level), Reverse(s.score), Reverse(vip(s)), Reverse(s.to));
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
    });
    stories
}

/// One story of acts in time order. There is at least one act.
fn one(acts: &[&cluster::Act], inputs: &StoryInputs, data: &Stages) -> Story {
    let principals: BTreeSet<&str> = acts.iter().map(|a| a.principal).collect();
    // The principal of the earliest act: where it began, as far as the evidence shows.
    let subject = acts.first().map_or("", |a| a.principal);
    let others: BTreeSet<&str> = principals.iter().copied().filter(|p| *p != subject).collect();
    let scored = score::score(acts, &principals, inputs, data);
    let (title, pattern) = tell::title(acts, scored.level, data);
    let from = acts.iter().filter_map(|a| a.finding.first_seen).min();
    let to = acts.iter().filter_map(|a| a.finding.last_seen.or(a.finding.first_seen)).max();
    Story {
        id: format!("s-{}", acts.first().map_or("", |a| a.finding.id.as_str())),
        subject: subject.to_owned(),
        name: inputs.names.get(subject).cloned(),
        score: scored.score,
        level: scored.level,
        stages: score::stages_of(acts),
        from,
        to,
        findings: acts.iter().map(|a| a.finding.id.clone()).collect(),
        text: tell::account(acts, subject, &others, data),
        title,
        pattern,
        breakdown: scored.breakdown,
        principals: others.iter().map(|p| (*p).to_owned()).collect(),
        context: context(acts, &principals, (from, to), inputs, data.cluster.context_days),
    }
}

/// The facts about these principals that lie near the story in time or share a strong link with it.
fn context(
    acts: &[&cluster::Act],
    principals: &BTreeSet<&str>,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    inputs: &StoryInputs,
    days: i64,
) -> Vec<StoryFact> {
    let gap = SignedDuration::from_hours(24 * days);
    let near = |t: Option<Timestamp>| match (t, from, to) {
        (Some(t), Some(from), Some(to)) => from.duration_since(t) <= gap && t.duration_since(to) <= gap,
        _ => false,
    };
    let ties: BTreeSet<String> = acts.iter().flat_map(|a| &a.ties).map(|l| link_key(l)).collect();
    let mut facts: Vec<StoryFact> = inputs
        .context_facts
        .iter()
        .filter(|f| {
            let tied = f.links.iter().any(|l| ties.contains(&link_key(l)));
            tied || (principals.contains(f.principal.as_str()) && near(f.time))
        })
        .map(|f| StoryFact { time: f.time, text: f.text.clone(), rows: f.rows.clone() })
        .collect();
    facts.sort_by(|a, b| (a.time, &a.text.fr).cmp(&(b.time, &b.text.fr)));
    facts
}
