//! Legal clocks: which regimes may bind, when each began, when it is due, how far it is. The time is a parameter. Nothing here
//! says that somebody need not declare, and no moment serves two regimes unless a person says so for each.
mod fold;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, tz::TimeZone};
use reflexe_model::{Entry, Text};

pub use self::fold::{Moment, moments};
use crate::{
    hours::noon_next_working_day,
    response::{
        Response,
        def::{Duration, NonWorking, RegimeDef},
        facts::{Facts, Tri, holds},
    },
};

/// What the clocks are made from.
#[derive(Debug, Clone, Copy)]
pub struct ClockInput<'a> {
    /// The data.
    pub response: &'a Response,
    /// What is known.
    pub facts: &'a Facts,
    /// The journal, in any order.
    pub entries: &'a [Entry],
    /// Now.
    pub now: Timestamp,
    /// The case's zone: months are counted by its clock.
    pub zone: &'a TimeZone,
    /// Hours that contracts give, by regime (`D.INS` → 48), from the preparation pack.
    pub contract_hours: &'a BTreeMap<String, u32>,
    /// The earliest moment at which an incident was confirmed: proposed for `aware`.
    pub first_confirmed: Option<Timestamp>,
    /// When the case was opened: the cautious alternative.
    pub opened: Option<Timestamp>,
}

/// Whether a regime binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// Yes.
    Yes,
    /// Perhaps: shown like yes, dashed.
    Maybe,
    /// By what is known, no; the reason stands beside.
    No,
    /// Listed only.
    NotEvaluated,
}

/// How far a clock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// The moment that starts it was not given.
    NotStarted,
    /// Runs.
    Running,
    /// A quarter of the time or less than six hours are left.
    DueSoon,
    /// The time is over: declare all the same, with the reasons.
    Overdue,
    /// Declared.
    Done,
    /// A person said that it does not apply, and why.
    NotApplicable,
}

/// A moment to propose for an event. A person confirms it for this regime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Name of the event.
    pub event: String,
    /// The moment.
    pub at: Timestamp,
    /// Where it comes from.
    pub why: Text,
    /// The cautious alternative: the clock would end sooner.
    pub cautious: bool,
}

/// A regime and its clock.
#[derive(Debug, Clone)]
pub struct Clock<'a> {
    /// The regime.
    pub def: &'a RegimeDef,
    /// Whether it binds.
    pub applies: Applies,
    /// What decided.
    pub because: Vec<Text>,
    /// How far it is.
    pub state: ClockState,
    /// The moment that started it.
    pub started: Option<Moment>,
    /// Due, strict, in the case's zone. `None`: not started, or as soon as possible.
    pub due: Option<Zoned>,
    /// The due time may still move: one of its two moments is missing.
    pub provisional: bool,
    /// What the regime's own rule tolerates when `due` is a day of rest. For information: plan with `due`.
    pub tolerated: Option<Zoned>,
    /// Left until `due`; negative when over.
    pub remaining: Option<SignedDuration>,
    /// When it was sent.
    pub submitted: Option<Moment>,
    /// Reference number, or why it does not apply.
    pub reason: String,
    /// People disagree about a moment or the state: the earliest moment counts, and the clock stays open.
    pub conflict: bool,
    /// Events that a person must still date: name and question.
    pub ask: Vec<(String, Text)>,
    /// Moments to propose.
    pub proposals: Vec<Proposal>,
}

/// All regimes with their clocks, soonest due first, then in the order of the list.
pub fn clocks<'a>(input: &ClockInput<'a>) -> Vec<Clock<'a>> {
    let told = fold::moments(input.entries);
    let states = fold::states(input.entries);
    let mut out: Vec<Clock<'a>> = input.response.clocks.iter().map(|def| clock(def, input, &told, &states)).collect();
    out.sort_by_key(|c| {
        let open = !matches!(c.state, ClockState::Done | ClockState::NotApplicable);
        let due = c.due.as_ref().filter(|_| open && c.applies != Applies::No).map(Zoned::timestamp);
        (due.unwrap_or(Timestamp::MAX), c.applies == Applies::No, c.def.order)
    });
    out
}

fn clock<'a>(
    def: &'a RegimeDef,
    input: &ClockInput<'a>,
    told: &BTreeMap<(String, String), Moment>,
    states: &BTreeMap<String, fold::StateTold>,
) -> Clock<'a> {
    let get = |regime: &str, event: &str| told.get(&(regime.to_owned(), event.to_owned()));
    let from = def.depends_on.as_deref().unwrap_or(&def.id);
    let trigger = get(from, &def.trigger.event);
    let cap = def.cap.as_ref().and_then(|c| get(&def.id, &c.event));
    let hours = match def.duration {
        Duration::Hours(n) => Some(n),
        Duration::Contract => input.contract_hours.get(&def.id).copied(),
        _ => None,
    };
    let due = due(def, hours, trigger.map(|m| m.at), cap.map(|m| m.at), input.zone);
    let submitted = get(&def.id, "submitted").cloned();
    let state_told = states.get(&def.id);
    let started = trigger.or(cap).cloned();
    let state = match (state_told.map(|s| s.state.as_str()), &submitted) {
        (Some("not_applicable"), _) => ClockState::NotApplicable,
        (Some("done"), _) | (None, Some(_)) => ClockState::Done,
        _ => phase(started.as_ref().map(|m| m.at), due.as_ref(), input.now),
    };
    let (applies, because) = applies(def, input.facts);
    let mut ask = Vec::new();
    let open = !matches!(state, ClockState::Done | ClockState::NotApplicable);
    if open && trigger.is_none() && def.depends_on.is_none() {
        ask.push((def.trigger.event.clone(), def.trigger.ask.clone()));
    }
    if let Some(c) = def.cap.as_ref().filter(|_| open && cap.is_none()) {
        ask.push((c.event.clone(), c.ask.clone()));
    }
    let proposals = ask.iter().flat_map(|(event, _)| propose(def, event, input, told)).collect();
    Clock {
        applies,
        because,
        state,
        remaining: due.as_ref().map(|d| d.timestamp().duration_since(input.now)),
        tolerated: due
            .as_ref()
            .filter(|_| def.non_working_rule == NonWorking::NoonNextWorkingDay)
            .and_then(noon_next_working_day),
        provisional: due.is_some() && def.cap.is_some() && (trigger.is_none() || cap.is_none()),
        conflict: [trigger, cap, submitted.as_ref()].into_iter().flatten().any(|m| m.conflict)
            || state_told.is_some_and(|s| s.conflict),
        reason: state_told.map(|s| s.reason.clone()).unwrap_or_default(),
        started,
        due,
        submitted,
        ask,
        proposals,
        def,
    }
}

/// The strict due time: hours on the world's clock, months by the local clock.
fn due(
    def: &RegimeDef,
    hours: Option<u32>,
    trigger: Option<Timestamp>,
    cap: Option<Timestamp>,
    zone: &TimeZone,
) -> Option<Zoned> {
    let after = |start: Timestamp, n: u32| start.checked_add(SignedDuration::from_hours(i64::from(n))).ok();
    if let Duration::CalendarMonths(n) = def.duration {
        // The same day of the month and time, else the month's last day.
        return trigger?.to_zoned(zone.clone()).checked_add(i64::from(n).months()).ok();
    }
    let own = trigger.zip(hours).and_then(|(start, n)| after(start, n));
    let capped = def.cap.as_ref().zip(cap).and_then(|(c, start)| after(start, c.hours));
    let due = match (own, capped) {
        // The event came after the latest time had passed: its own hours count.
        (Some(own), Some(latest)) if trigger.is_some_and(|t| t > latest) => own,
        (Some(own), Some(latest)) => own.min(latest),
        (own, latest) => own.or(latest)?,
    };
    Some(due.to_zoned(zone.clone()))
}

fn phase(started: Option<Timestamp>, due: Option<&Zoned>, now: Timestamp) -> ClockState {
    let Some(started) = started else { return ClockState::NotStarted };
    let Some(due) = due else { return ClockState::Running };
    let left = due.timestamp().duration_since(now);
    let whole = due.timestamp().duration_since(started);
    if left < SignedDuration::ZERO {
        ClockState::Overdue
    } else if left < SignedDuration::from_hours(6) || left.as_secs() * 4 <= whole.as_secs() {
        ClockState::DueSoon
    } else {
        ClockState::Running
    }
}

fn applies(def: &RegimeDef, facts: &Facts) -> (Applies, Vec<Text>) {
    if def.not_evaluated {
        return (Applies::NotEvaluated, Vec::new());
    }
    let holds = holds(&def.when, facts);
    let value = match holds.value {
        Tri::Yes => Applies::Yes,
        Tri::Maybe => Applies::Maybe,
        Tri::No => Applies::No,
    };
    (value, holds.because)
}

fn propose(def: &RegimeDef, event: &str, input: &ClockInput<'_>, told: &BTreeMap<(String, String), Moment>) -> Vec<Proposal> {
    let mut out = Vec::new();
    let make = |at, why, cautious| Proposal { event: event.to_owned(), at, why, cautious };
    if let Some(other) = def.propose_from.as_ref()
        && let Some(moment) = told.get(&(other.clone(), event.to_owned()))
    {
        out.push(make(moment.at, Text::new(format!("donné pour {other}"), format!("given for {other}")), false));
    }
    if matches!(event, "aware" | "victim_knows" | "significant") {
        if let Some(at) = input.first_confirmed {
            out.push(make(at, Text::new("première confirmation", "first confirmation"), false));
        }
        if let Some(at) = input.opened {
            out.push(make(at, Text::new("ouverture du dossier, par prudence", "opening of the case, to be cautious"), true));
        }
    }
    out
}

#[cfg(test)]
mod tests;
