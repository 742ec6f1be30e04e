//! The plan of containment: which steps, in which order, on what, with which commands, and how far they are. A pure function of
//! what was found and of the journal.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_model::{Entry, Finding, Payload, Status, StoryLevel, Text, Verdict, standing};

use crate::{
    command::{self, Offered, ShownCommand},
    response::{
        Response,
        def::{RouteDef, StepDef, TargetDef, TargetKind},
        facts::{Facts, Tri, glob, holds},
    },
};

/// What the plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The data.
    pub response: &'a Response,
    /// What is known.
    pub facts: &'a Facts,
    /// The journal, in any order.
    pub entries: &'a [Entry],
}

/// How far a step, or one target of it, is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepState {
    /// State; `None`: nobody said anything.
    pub status: Option<Status>,
    /// Who does it.
    pub owner: Option<String>,
    /// Due, RFC 3339 with offset.
    pub due: Option<String>,
    /// Effect that was seen.
    pub effect: Option<String>,
    /// Two people wrote without knowing of each other: the least advanced state is shown.
    pub conflict: bool,
    /// Ids of the entries that stand.
    pub entries: Vec<String>,
}

/// Something that a step is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// As found. Hostile: show it through [`crate::say::clean`].
    pub value: String,
    /// Established (a compromise, or a person said so), not only suspected.
    pub certain: bool,
    /// Findings and stories that name it, by id; questions for what people named; entries for what somebody only wrote of.
    pub because: Vec<String>,
    /// How far the step is for it.
    pub state: StepState,
    /// Commands with this value in place.
    pub commands: Vec<ShownCommand>,
}

/// A step that is needed, or may be.
#[derive(Debug, Clone)]
pub struct PlannedStep<'a> {
    /// Its data.
    pub def: &'a StepDef,
    /// Whether it is needed; `No` only for a step that somebody began all the same, or that was asked for by its id.
    pub needed: Tri,
    /// What decided.
    pub because: Vec<Text>,
    /// What it is done to; empty: done once.
    pub targets: Vec<Target>,
    /// How far the step as a whole is: what people wrote about it, else the least advanced of its targets.
    pub state: StepState,
    /// Commands of a step without targets: with placeholders.
    pub commands: Vec<ShownCommand>,
}

/// The steps that hold or may hold, in order; an urgent one that holds comes first.
pub fn plan<'a>(input: &PlanInput<'a>) -> Vec<PlannedStep<'a>> {
    let states = states(input.entries);
    // A step that somebody has begun stays on the list, whatever is found later.
    let begun = |step: &PlannedStep<'_>| states.keys().any(|(id, _)| *id == step.def.id);
    let all = input.response.steps.iter().map(|def| planned(def, input, &states));
    let mut out: Vec<PlannedStep<'a>> = all.filter(|s| s.needed > Tri::No || begun(s)).collect();
    out.sort_by_key(|s| (!(s.def.urgent && s.needed == Tri::Yes), s.def.order));
    out
}

/// One step, by id, whether it is needed or not.
pub fn one<'a>(id: &str, input: &PlanInput<'a>) -> Option<PlannedStep<'a>> {
    let def = input.response.steps.iter().find(|s| s.id == id)?;
    Some(planned(def, input, &states(input.entries)))
}

fn planned<'a>(
    def: &'a StepDef,
    input: &PlanInput<'a>,
    states: &BTreeMap<(String, Option<String>), StepState>,
) -> PlannedStep<'a> {
    let holds = holds(&def.when, input.facts);
    let commands = |offered: &[Offered<'_>]| {
        let known = def.commands.iter().filter_map(|id| input.response.commands.get(id));
        known.map(|c| command::show(c, offered)).collect::<Vec<_>>()
    };
    let mut named = targets(def, input.facts);
    // What somebody wrote a state for is a target too, whatever the evidence says of it.
    if let Some(kind) = def.targets.first().map(|t| t.kind) {
        for ((_, target), state) in states.iter().filter(|((id, _), _)| *id == def.id) {
            let Some(value) = target.as_ref().filter(|v| !named.keys().any(|(_, known)| known == *v)) else { continue };
            named.insert((kind, value.clone()), Named { certain: true, because: state.entries.iter().cloned().collect() });
        }
    }
    let targets: Vec<Target> = named
        .into_iter()
        .map(|((kind, value), named)| Target {
            kind,
            state: states.get(&(def.id.clone(), Some(value.clone()))).cloned().unwrap_or_default(),
            commands: commands(&[Offered { kind, value: &value }]),
            certain: named.certain,
            because: named.because.into_iter().collect(),
            value,
        })
        .collect();
    let state = states.get(&(def.id.clone(), None)).cloned().unwrap_or_else(|| least(&targets));
    let commands = if targets.is_empty() { commands(&[]) } else { Vec::new() };
    PlannedStep { def, needed: holds.value, because: holds.because, targets, state, commands }
}

/// Other sheets to go to, with whether each holds and why; those that do not are left out.
pub fn routes<'a>(response: &'a Response, facts: &Facts) -> Vec<(&'a RouteDef, Tri, Vec<Text>)> {
    let judged = response.routes.iter().map(|r| (r, holds(&r.when, facts)));
    judged.filter(|(_, h)| h.value > Tri::No).map(|(r, h)| (r, h.value, h.because)).collect()
}

/// How far every step and target is, by (step, target).
pub fn states(entries: &[Entry]) -> BTreeMap<(String, Option<String>), StepState> {
    let mut groups: BTreeMap<(String, Option<String>), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        if let Some(Payload::Step { step, target }) = Payload::of(entry) {
            groups.entry((step, target)).or_default().push(entry);
        }
    }
    groups.into_iter().map(|(key, entries)| (key, fold(&standing(&entries)))).collect()
}

fn fold(standing: &[&Entry]) -> StepState {
    let contents: Vec<_> = standing.iter().filter_map(|e| e.content.as_ref()).collect();
    let first = |get: &dyn Fn(&reflexe_model::Content) -> Option<String>| contents.iter().find_map(|c| get(c));
    let statuses: BTreeSet<Option<Status>> = contents.iter().map(|c| c.status).collect();
    StepState {
        status: contents.iter().map(|c| c.status).min_by_key(|s| advance(*s)).flatten(),
        owner: first(&|c| c.assignee.clone()),
        // The earliest due time is the safe one.
        due: contents
            .iter()
            .filter_map(|c| c.due.clone())
            .min_by_key(|d| (d.parse::<jiff::Timestamp>().unwrap_or(jiff::Timestamp::MAX), d.clone())),
        effect: first(&|c| c.effect.clone()),
        conflict: statuses.len() > 1,
        entries: standing.iter().map(|e| e.header.entry_id.clone()).collect(),
    }
}

/// How near a state is to its end.
fn advance(status: Option<Status>) -> u8 {
    match status {
        None => 0,
        Some(Status::Failed) => 1,
        Some(Status::Planned) => 2,
        Some(Status::Doing) => 3,
        Some(Status::Cancelled) => 4,
        Some(Status::Done) => 5,
    }
}

fn least(targets: &[Target]) -> StepState {
    let conflict = targets.iter().any(|t| t.state.conflict);
    let last = targets.iter().map(|t| &t.state).min_by_key(|s| advance(s.status)).cloned().unwrap_or_default();
    StepState { conflict, entries: Vec::new(), ..last }
}

#[derive(Default)]
struct Named {
    certain: bool,
    because: BTreeSet<String>,
}

/// What a step is done to, each once, whatever named it.
fn targets(def: &StepDef, facts: &Facts) -> BTreeMap<(TargetKind, String), Named> {
    let mut out: BTreeMap<(TargetKind, String), Named> = BTreeMap::new();
    let mut add = |kind: TargetKind, value: &str, certain: bool, why: &str| {
        if !value.trim().is_empty() && value != "tenant" {
            let named = out.entry((kind, value.to_owned())).or_default();
            named.certain |= certain;
            named.because.insert(why.to_owned());
        }
    };
    for source in &def.targets {
        for finding in facts.findings.iter().filter(|f| names(source, f)) {
            let certain = finding.verdict == Verdict::Compromise;
            match source.from.as_str() {
                "key" => add(source.kind, &finding.key, certain, &finding.id),
                "subject" => add(source.kind, &finding.subject, certain, &finding.id),
                link => {
                    let kind = link.strip_prefix("link:").unwrap_or(link);
                    for l in finding.links.iter().filter(|l| l.kind == kind) {
                        add(source.kind, &l.value, certain, &finding.id);
                    }
                }
            }
        }
        for answer in source.answer.iter().flat_map(|q| facts.answers.get(q).into_iter().flatten()) {
            for value in answer.value.iter().flat_map(|v| v.list.iter().flatten()) {
                add(source.kind, value, true, &answer.question);
            }
        }
        if source.stories {
            for story in facts.stories.iter().filter(|s| s.level == StoryLevel::Compromise) {
                for principal in story.principals.iter().filter(|p| command::is_address(p)) {
                    add(source.kind, principal, true, &story.id);
                }
            }
        }
    }
    out
}

fn names(source: &TargetDef, finding: &Finding) -> bool {
    finding.verdict >= Verdict::Suspicious
        && source.checks.iter().any(|g| glob(g, &finding.check))
        && source.sign.as_ref().is_none_or(|s| finding.signs.iter().any(|on| on.name == *s))
}

#[cfg(test)]
mod tests;
