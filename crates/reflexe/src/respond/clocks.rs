//! Legal deadlines: those that run first, by their due time; then those that may run and what starts them. No moment serves two
//! regimes, and nothing here says that somebody need not declare.
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::Result;
use jiff::{Timestamp, ToSpan as _};
use reflexe_fiche::{
    clocks::{Applies, Clock, ClockInput, ClockState, Moment, clocks},
    ics,
    response::{
        def::{Duration, LegalStatus, RegimeDef},
        facts::Facts,
    },
    say::clean,
};
use reflexe_model::{Kind, Lang, Payload};
use serde_json::{Value, json};

use super::{
    facts,
    lines::{Lines, length, moment},
    wrong,
};
use crate::{
    cli::{ClockAction, JudgeArgs},
    desk::Desk,
};

pub fn run(desk: &mut Desk, action: Option<ClockAction>, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    desk.prepare(judge.prepared.as_deref())?;
    match action {
        None => list(desk, judge, json),
        Some(ClockAction::Event { regime, event, when }) => set_event(desk, &regime, &event, &when.join(" "), judge, json),
        Some(ClockAction::Done { regime, reference }) => set_state(desk, &regime, "done", &reference, judge, json),
        Some(ClockAction::NotApplicable { regime, reason }) => set_state(desk, &regime, "not_applicable", &reason, judge, json),
        Some(ClockAction::Open { regime, reason }) => set_state(desk, &regime, "open", &reason, judge, json),
        Some(ClockAction::Ics { out }) => calendar(desk, out, judge, json),
    }
}

/// What the clocks are made from, beside the desk.
struct Base {
    facts: Facts,
    hours: BTreeMap<String, u32>,
    now: Timestamp,
}

impl Base {
    fn new(desk: &mut Desk, judge: &JudgeArgs) -> Result<Self> {
        let answer = desk.answer(judge)?;
        let hours = desk.prepared.pack.as_ref().map(reflexe_fiche::pack::Pack::contract_hours).unwrap_or_default();
        Ok(Self { facts: facts(desk, &answer), hours, now: desk.now() })
    }

    fn clocks<'a>(&'a self, desk: &'a Desk) -> Vec<Clock<'a>> {
        clocks(&ClockInput {
            response: &desk.response,
            facts: &self.facts,
            entries: &desk.entries,
            now: self.now,
            zone: &desk.zone,
            contract_hours: &self.hours,
            first_confirmed: first_confirmed(desk),
            opened: opened(desk),
        })
    }
}

/// The earliest moment at which a person confirmed an incident.
fn first_confirmed(desk: &Desk) -> Option<Timestamp> {
    let people = desk.people().answers;
    let verdicts: Vec<&str> = people.questions().filter(|q| q.starts_with("V.T")).collect();
    let given = verdicts.into_iter().flat_map(|q| people.given(q));
    let confirmed = given.filter(|g| g.answer.value.as_ref().is_some_and(|v| v.choice.as_deref() == Some("confirmed")));
    confirmed.filter_map(|g| g.at.parse().ok()).min()
}

/// When the case was opened.
fn opened(desk: &Desk) -> Option<Timestamp> {
    let is = |p: &Payload| matches!(p, Payload::Fact { name, .. } if name == "case_opened");
    let entries = desk.entries.iter().filter(|e| Payload::of(e).as_ref().is_some_and(is));
    entries.filter_map(|e| e.header.recorded_at.parse().ok()).min()
}

// The list.

fn list(desk: &mut Desk, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let base = Base::new(desk, judge)?;
    let all = base.clocks(desk);
    if json {
        let told: Vec<Value> = all.iter().map(|c| as_json(c, desk)).collect();
        let told = json!({ "schema": "reflexe.clocks/1", "zone": desk.zone.iana_name(), "clocks": told });
        crate::out::json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let closed = |c: &&Clock<'_>| matches!(c.state, ClockState::Done | ClockState::NotApplicable);
    let mut out = Lines::default();
    let runs = |c: &&Clock<'_>| !closed(c) && c.state != ClockState::NotStarted;
    let waits = |c: &&Clock<'_>| c.state == ClockState::NotStarted && matches!(c.applies, Applies::Yes | Applies::Maybe);
    let rest = |c: &&Clock<'_>| c.state == ClockState::NotStarted && !waits(c);
    let section = |out: &mut Lines, title: &str, all: Vec<&Clock<'_>>| {
        if !all.is_empty() {
            out.title(title);
            all.into_iter().for_each(|c| told(out, c, desk));
        }
    };
    out.title(desk.pick(
        "Heures écoulées, week-ends compris. Passé le délai, déclarez tout de même, avec les raisons.",
        "Elapsed hours, weekends included. After the time, declare all the same, with the reasons.",
    ));
    section(&mut out, desk.pick("EN COURS", "RUNNING"), all.iter().filter(runs).collect());
    section(
        &mut out,
        desk.pick("À DÉMARRER : chaque délai a son propre début", "TO START: each clock has its own start"),
        all.iter().filter(waits).collect(),
    );
    section(&mut out, desk.pick("FAIT, OU SANS OBJET", "DONE, OR NOT APPLICABLE"), all.iter().filter(closed).collect());
    let others: Vec<&Clock<'_>> = all.iter().filter(rest).collect();
    if !others.is_empty() {
        out.title(desk.pick(
            "PAS POUR VOUS, D’APRÈS CE QUE L’ON SAIT (à vous de le confirmer)",
            "NOT FOR YOU, BY WHAT IS KNOWN (yours to confirm)",
        ));
        for c in others {
            let why = match (c.applies, desk.lang) {
                (Applies::NotEvaluated, Lang::Fr) => "cité seulement, à juger par un juriste".to_owned(),
                (Applies::NotEvaluated, Lang::En) => "listed only, for legal counsel to judge".to_owned(),
                _ => c.because.iter().map(|t| desk.say(t)).collect::<Vec<_>>().join(", "),
            };
            out.say(&format!("  {:9} ", c.def.id), &format!("{} · {why}", desk.say(&c.def.title)));
        }
    }
    out!("{}", out.text());
    Ok(ExitCode::SUCCESS)
}

fn told(out: &mut Lines, c: &Clock<'_>, desk: &Desk) {
    let lang = desk.lang;
    let maybe = if c.applies == Applies::Maybe { desk.pick("  [peut-être]", "  [maybe]") } else { "" };
    let indent = " ".repeat(12);
    out.gap();
    out.say(&format!("  {:9} ", c.def.id), &format!("{}{maybe}", desk.say(&c.def.title)));
    out.say(&indent, &state(c, desk));
    if matches!(c.state, ClockState::Done | ClockState::NotApplicable) {
        return;
    }
    if c.conflict {
        out.say(
            &indent,
            desk.pick(
                "Avis contraires : le moment le plus tôt compte. Redites-le pour trancher.",
                "People disagree: the earliest moment counts. Say it again to settle it.",
            ),
        );
    }
    if let Some(later) = &c.tolerated {
        let later = moment(later, lang);
        out.say(
            &indent,
            &match lang {
                Lang::Fr => format!("Jour de repos : le texte tolère jusqu’à {later}. Visez la limite stricte."),
                Lang::En => format!("A day of rest: the text tolerates until {later}. Aim at the strict time."),
            },
        );
    }
    for (event, question) in &c.ask {
        let (id, case) = (&c.def.id, desk.case_option());
        let when = desk.pick("JJ/MM HH:MM", "DD/MM HH:MM");
        out.say(&indent, &format!("? {}", desk.say(question)));
        out.whole(14, &format!("reflexe clocks{case} event {id} {event} \"{when}\""));
        for p in c.proposals.iter().filter(|p| p.event == *event) {
            let at = moment(&p.at.to_zoned(desk.zone.clone()), lang);
            out.say(&" ".repeat(14), &format!("{} {at} ({})", desk.pick("peut-être", "perhaps"), desk.say(&p.why)));
        }
    }
    if let Some(other) = c.def.depends_on.as_ref().filter(|_| c.started.is_none()) {
        let case = desk.case_option();
        let when = desk.pick("JJ/MM HH:MM", "DD/MM HH:MM");
        out.say(
            &indent,
            &match lang {
                Lang::Fr => format!("Part de l’envoi de {other} :"),
                Lang::En => format!("Runs from the sending of {other}:"),
            },
        );
        out.whole(14, &format!("reflexe clocks{case} event {other} submitted \"{when}\""));
    }
    let to = desk.pick("À :", "To:");
    out.say(&indent, &format!("{to} {} · {} · {}", desk.say(&c.def.recipient), desk.say(&c.def.channel), source(c.def, lang)));
}

fn state(c: &Clock<'_>, desk: &Desk) -> String {
    let lang = desk.lang;
    let local = |m: &Moment| moment(&m.at.to_zoned(desk.zone.clone()), lang);
    let mut parts = Vec::new();
    if let (Some(due), Some(left)) = (&c.due, c.remaining)
        && !matches!(c.state, ClockState::Done | ClockState::NotApplicable)
    {
        parts.push(format!("{} {}", desk.pick("Limite", "Due"), moment(due, lang)));
        let left_told = length(left, lang);
        parts.push(match (c.state == ClockState::Overdue, lang) {
            (true, Lang::Fr) => format!("DÉPASSÉE de {left_told}"),
            (true, Lang::En) => format!("OVERDUE by {left_told}"),
            (false, Lang::Fr) => format!("reste {left_told}"),
            (false, Lang::En) => format!("{left_told} left"),
        });
    }
    parts.push(match c.state {
        ClockState::NotStarted => format!("{} ({})", desk.pick("pas démarrée", "not started"), duration(c.def, lang)),
        ClockState::Running if c.due.is_none() => {
            format!("{}, {}", desk.pick("en cours", "running"), duration(c.def, lang))
        }
        ClockState::Running => desk.pick("en cours", "running").to_owned(),
        ClockState::DueSoon => desk.pick("BIENTÔT", "SOON").to_owned(),
        ClockState::Overdue => {
            desk.pick("déclarez maintenant, avec les raisons du retard", "declare now, with the reasons of the delay").to_owned()
        }
        ClockState::Done => {
            let sent = c.submitted.as_ref().map(|m| format!(" {}", local(m))).unwrap_or_default();
            format!("{}{sent}", desk.pick("faite", "done"))
        }
        ClockState::NotApplicable => desk.pick("sans objet", "not applicable").to_owned(),
    });
    if c.provisional {
        parts.push(
            desk.pick("provisoire : il manque un des deux moments", "provisional: one of its two moments is missing").to_owned(),
        );
    }
    if !c.reason.is_empty() {
        parts.push(clean(&c.reason));
    }
    if let Some(start) = c.started.as_ref().filter(|_| c.state != ClockState::NotApplicable) {
        parts.push(format!("{} {} ({})", desk.pick("départ", "from"), local(start), clean(&start.who)));
    }
    parts.join(" · ")
}

fn duration(def: &RegimeDef, lang: Lang) -> String {
    let fr = lang == Lang::Fr;
    match def.duration {
        Duration::Hours(n) if fr => format!("{n} heures"),
        Duration::Hours(n) => format!("{n} hours"),
        Duration::CalendarMonths(n) if fr => format!("{n} mois"),
        Duration::CalendarMonths(n) => format!("{n} month{}", if n == 1 { "" } else { "s" }),
        Duration::WithoutDelay => (if fr { "au plus tôt" } else { "as soon as possible" }).to_owned(),
        Duration::Contract => (if fr { "selon le contrat" } else { "by the contract" }).to_owned(),
    }
}

fn source(def: &RegimeDef, lang: Lang) -> String {
    let fr = lang == Lang::Fr;
    let status = match def.status {
        LegalStatus::InForce => "",
        LegalStatus::Pending if fr => "pas encore appliqué en France, ",
        LegalStatus::Pending => "not yet applied in France, ",
        LegalStatus::Proposed if fr => "proposition, ",
        LegalStatus::Proposed => "proposal, ",
    };
    let verified = match (def.verified, fr) {
        (true, _) => "",
        (false, true) => ", à vérifier",
        (false, false) => ", to be verified",
    };
    let (word, seen) = if fr { ("source :", "vu le") } else { ("source:", "seen on") };
    format!("{word} {} ({status}{seen} {}{verified})", def.source, def.as_of)
}

// What a person says.

/// A regime as it is typed, or what to say instead.
fn regime<'a>(desk: &'a Desk, typed: &str) -> Result<&'a RegimeDef, String> {
    desk.response.clocks.iter().find(|c| c.id.eq_ignore_ascii_case(typed.trim())).ok_or_else(|| {
        let ids = desk.response.clocks.iter().map(|c| c.id.as_str()).collect::<Vec<_>>().join(", ");
        let typed = clean(typed);
        match desk.lang {
            Lang::Fr => format!("{typed} : pas d’échéance de ce nom. Échéances : {ids}."),
            Lang::En => format!("{typed}: no such deadline. Deadlines: {ids}."),
        }
    })
}

fn set_event(desk: &mut Desk, typed: &str, event: &str, when: &str, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let lang = desk.lang;
    let def = match regime(desk, typed) {
        Ok(def) => def,
        Err(text) => return wrong(&text),
    };
    // The event from which it runs, the one that caps it, and its own sending.
    let mut known: Vec<(&str, &str)> = Vec::new();
    if def.depends_on.is_none() {
        known.push((&def.trigger.event, desk.say(&def.trigger.ask)));
    }
    known.extend(def.cap.as_ref().map(|c| (c.event.as_str(), desk.say(&c.ask))));
    known.push(("submitted", desk.pick("Quand a-t-elle été envoyée ?", "When was it sent?")));
    let Some((event, _)) = known.iter().find(|(name, _)| name.eq_ignore_ascii_case(event.trim())) else {
        let list = known.iter().map(|(name, ask)| format!("\n  {name}  {ask}")).collect::<String>();
        let (event, id) = (clean(event), &def.id);
        return wrong(&match lang {
            Lang::Fr => format!("{event} : {id} n’a pas cet événement. Les siens :{list}"),
            Lang::En => format!("{event}: {id} has no such event. Its own:{list}"),
        });
    };
    let (id, event) = (def.id.clone(), (*event).to_owned());
    let back = matches!(when.trim().to_lowercase().as_str(), "none" | "aucun" | "aucune");
    let at = if back {
        None
    } else {
        match desk.moment(when) {
            Ok(found) => Some(found.start),
            Err(error) => return wrong(&error.to_string()),
        }
    };
    let stamp = at.as_ref().and_then(|t| t.parse::<Timestamp>().ok());
    let shown = stamp.map(|t| moment(&t.to_zoned(desk.zone.clone()), lang));
    if stamp.is_some_and(|t| t > desk.now() + 5.minutes()) {
        let shown = shown.clone().unwrap_or_default();
        return wrong(&match lang {
            Lang::Fr => format!(
                "« {} » est lu {shown} : ce n’est pas encore arrivé. Précisez la date et l’année (22/11/2026 14:32).",
                clean(when)
            ),
            Lang::En => format!(
                "“{}” is read as {shown}: that has not happened yet. Say the date and the year (22/11/2026 14:32).",
                clean(when)
            ),
        });
    }
    let text = match (&shown, lang) {
        (Some(at), Lang::Fr) => format!("{id}, {event} : {at}"),
        (Some(at), Lang::En) => format!("{id}, {event}: {at}"),
        (None, Lang::Fr) => format!("{id}, {event} : moment retiré"),
        (None, Lang::En) => format!("{id}, {event}: moment taken back"),
    };
    let entry = desk.write(Kind::Deadline, &text, &Payload::ClockEvent { regime: id.clone(), event, at })?;
    after(desk, &id, &entry.header.entry_id, judge, json)
}

fn set_state(desk: &mut Desk, typed: &str, state: &str, reason: &str, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let lang = desk.lang;
    let id = match regime(desk, typed) {
        Ok(def) => def.id.clone(),
        Err(text) => return wrong(&text),
    };
    if reason.trim().is_empty() {
        return wrong(desk.pick(
            "Il manque le numéro de la déclaration, ou la raison.",
            "The number of the declaration, or the reason, is missing.",
        ));
    }
    let word = match (state, lang) {
        ("done", Lang::Fr) => "déclaration faite",
        ("done", Lang::En) => "declaration made",
        ("not_applicable", Lang::Fr) => "sans objet",
        ("not_applicable", Lang::En) => "not applicable",
        (_, Lang::Fr) => "rouverte",
        (_, Lang::En) => "open again",
    };
    let text = match lang {
        Lang::Fr => format!("{id} : {word}, {}", reason.trim()),
        Lang::En => format!("{id}: {word}, {}", reason.trim()),
    };
    let payload = Payload::ClockState { regime: id.clone(), state: state.to_owned(), reason: reason.trim().to_owned() };
    let entry = desk.write(Kind::Deadline, &text, &payload)?;
    after(desk, &id, &entry.header.entry_id, judge, json)
}

/// Shows the clock as it stands after an entry, and those that follow from it.
fn after(desk: &mut Desk, id: &str, entry: &str, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let base = Base::new(desk, judge)?;
    let all = base.clocks(desk);
    let mine = all.iter().filter(|c| c.def.id == id || c.def.depends_on.as_deref() == Some(id));
    if json {
        let told: Vec<Value> = mine.map(|c| as_json(c, desk)).collect();
        crate::out::json(&json!({ "entry": entry, "clocks": told }))?;
    } else {
        let mut out = Lines::default();
        mine.for_each(|c| told(&mut out, c, desk));
        out!("{}", out.text().trim_start_matches('\n'));
    }
    Ok(ExitCode::SUCCESS)
}

fn calendar(desk: &mut Desk, out: Option<PathBuf>, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let base = Base::new(desk, judge)?;
    let all = base.clocks(desk);
    let text = ics::calendar(&all, desk.journal.case_id(), base.now, desk.lang);
    let events = text.matches("BEGIN:VEVENT").count();
    drop(all);
    if events == 0 {
        if json {
            crate::out::json(&json!({ "file": null, "events": 0 }))?;
        } else {
            outln!(
                "{}",
                desk.pick(
                    "Aucune échéance ne court : il n’y a rien à écrire. « reflexe clocks » dit ce qui les démarre.",
                    "No deadline is running: there is nothing to write. “reflexe clocks” says what starts them.",
                )
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    let path = out.unwrap_or_else(|| desk.case.reports_dir().join("clocks.ics"));
    crate::files::wanted(desk.case.dir(), &[(path.clone(), text.into_bytes())], desk.lang)?;
    if json {
        crate::out::json(&json!({ "file": path.display().to_string(), "events": events }))?;
    } else {
        outln!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(c: &Clock<'_>, desk: &Desk) -> Value {
    let applies = match c.applies {
        Applies::Yes => "yes",
        Applies::Maybe => "maybe",
        Applies::No => "no",
        Applies::NotEvaluated => "not_evaluated",
    };
    let state = match c.state {
        ClockState::NotStarted => "not_started",
        ClockState::Running => "running",
        ClockState::DueSoon => "due_soon",
        ClockState::Overdue => "overdue",
        ClockState::Done => "done",
        ClockState::NotApplicable => "not_applicable",
    };
    let at = |m: &Moment| json!({ "at": m.at.to_string(), "text": m.text, "who": m.who });
    let local = |z: &jiff::Zoned| z.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    let ask: Vec<Value> = c.ask.iter().map(|(event, question)| json!({ "event": event, "question": question })).collect();
    let proposals: Vec<Value> = c
        .proposals
        .iter()
        .map(
            |p| json!({ "event": p.event, "at": local(&p.at.to_zoned(desk.zone.clone())), "why": p.why, "cautious": p.cautious }),
        )
        .collect();
    json!({
        "id": c.def.id, "title": c.def.title, "who": c.def.who, "applies": applies, "because": c.because, "state": state,
        "started": c.started.as_ref().map(at), "due": c.due.as_ref().map(local), "due_utc": c.due.as_ref().map(|z| z.timestamp().to_string()),
        "provisional": c.provisional, "tolerated": c.tolerated.as_ref().map(local),
        "remaining_minutes": c.remaining.map(|r| r.as_mins()), "submitted": c.submitted.as_ref().map(at), "reason": c.reason,
        "conflict": c.conflict, "ask": ask, "proposals": proposals, "recipient": c.def.recipient, "channel": c.def.channel,
        "source": c.def.source, "as_of": c.def.as_of, "verified": c.def.verified,
    })
}
