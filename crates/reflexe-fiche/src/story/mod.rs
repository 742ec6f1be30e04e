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
use reflexe_model::{Finding, Link, RowRef, Story, StoryFact, Text, Verdict};
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
    /// The hostile context as `kind:value`, values in lower case: hostile whoever uses it.
    pub hostile: BTreeSet<String>,
    /// Links hostile for one account only: from where its decisive acts were done.
    #[serde(default)]
    pub hostile_for: BTreeMap<String, BTreeSet<String>>,
    /// Names of applications, by id: an id alone tells nobody anything.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Facts that are no findings but belong to the account of what happened.
    pub context_facts: Vec<ContextFact>,
}

impl StoryInputs {
    /// Whether a link of somebody's act stands in the hostile context.
    pub fn is_hostile(&self, link: &Link, who: &str) -> bool {
        let link = link_key(link);
        self.hostile.contains(&link) || self.hostile_for.get(&who.to_lowercase()).is_some_and(|links| links.contains(&link))
    }

    /// A subject as people read it: an application by its name, with the beginning of its id.
    pub fn shown(&self, subject: &str) -> String {
        match self.names.get(&subject.to_lowercase()) {
            Some(name) => format!("{} ({}…)", crate::say::clean(name), subject.chars().take(8).collect::<String>()),
            None => crate::say::clean(subject),
        }
    }

    /// Whether a link shows one and the same hand: a session, a token, a hostile address.
    pub fn same_hand(&self, link: &Link, who: &str) -> bool {
        match link.kind.as_str() {
            "session" | "token" => !link.value.is_empty(),
            "ip" => self.is_hostile(link, who),
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
    // Whoever is first established to have acted, else the first person, else where it began (an address that tries many accounts).
    let person = |a: &&&cluster::Act| a.principal.contains('@');
    let established = acts.iter().filter(person).find(|a| a.finding.verdict == Verdict::Compromise);
    let subject = established.or_else(|| acts.iter().find(person)).or(acts.first()).map_or("", |a| a.principal);
    let tied: BTreeSet<&str> = principals.iter().copied().chain(acts.iter().flat_map(|a| a.raised.iter().copied())).collect();
    let others: BTreeSet<&str> = tied.iter().copied().filter(|p| *p != subject).collect();
    let touched = acts.iter().map(|a| a.finding.subject.as_str()).filter(|s| s.contains('@'));
    let victims: BTreeSet<&str> = touched.filter(|s| !tied.contains(s)).collect();
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
        text: tell::account(acts, subject, [&others, &victims], data),
        title,
        pattern,
        breakdown: scored.breakdown,
        principals: others.iter().map(|p| (*p).to_owned()).collect(),
        victims: victims.iter().map(|v| (*v).to_owned()).collect(),
        context: context(acts, &tied, (from, to), inputs, data.cluster.context_days),
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
