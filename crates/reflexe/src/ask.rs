//! `reflexe ask` and `answer`: what only people can say. The interview is a loop over pure steps: what to ask now, what a line
//! means, what it writes. It is left at any prompt and resumed from the journal.
use std::{collections::BTreeSet, process::ExitCode};

use anyhow::{Result, anyhow, bail};
use reflexe_fiche::{
    answers::Standing,
    interview::{self, Conclusion, Input, Prompt, Step},
    order::State,
    propose,
    say::clean,
    severity::{self, advice},
    timebox::{self, Stage, TimeBox},
};
use reflexe_model::{Answer as Said, Basis, Confidence, DontKnow, Kind, Origin, Payload};

use crate::{
    assemble::{self, Answer},
    cli::JudgeArgs,
    desk::Desk,
    judged::Judged,
    severity::show,
};

/// An answer as given on the command line.
pub struct Given {
    /// As one types it in the interview.
    pub value: Option<String>,
    /// `low`, `medium`, `high`.
    pub confidence: Option<String>,
    /// Why nobody knows.
    pub dont_know: Option<String>,
    /// Why the question makes no sense.
    pub not_applicable: Option<String>,
    /// A remark, or who said so.
    pub because: Option<String>,
}

/// What to do with the time-box before the interview.
pub struct Time {
    /// Prolong it, for this reason.
    pub extend: Option<String>,
    /// Stop the clock.
    pub pause: bool,
    /// Let it run again.
    pub resume: bool,
}

/// Leads a person through the questions.
///
/// # Errors
/// When the case cannot be judged or its journal cannot be written.
pub fn interview(desk: &mut Desk, time: Time, judge: &JudgeArgs) -> Result<ExitCode> {
    if time_box(desk, time)? {
        return Ok(ExitCode::SUCCESS);
    }
    let judged = desk.judged(judge)?;
    let mut skipped: BTreeSet<String> = BTreeSet::new();
    let (mut asked, mut lines) = (0_u32, std::io::stdin().lines());
    loop {
        desk.reload()?;
        let now = timebox::status(&desk.entries, desk.now());
        close_when_over(desk, &now)?;
        let answer = assemble::conclude(&desk.catalogue, &judged, &desk.people());
        let people = desk.people();
        let state = state(desk, &answer, &people.answers, &now);
        let prompt = match interview::next(&state, &now, &skipped) {
            Step::Ask(prompt) => prompt,
            Step::Conclude(end) => {
                conclude(desk, &answer, &end, &now, asked);
                return Ok(ExitCode::SUCCESS);
            }
        };
        asked += 1;
        print_prompt(desk, &prompt, &now, asked);
        loop {
            out!("> ");
            crate::out::flush()?;
            let Some(line) = lines.next().transpose()? else {
                outln!();
                return left(desk);
            };
            match interview::parse(&prompt, &line, desk.lang) {
                Err(text) => outln!("  {}", desk.say(&text)),
                Ok(Input::Help) => outln!("  {}", desk.say(&prompt.question.help)),
                Ok(Input::Leave) => return left(desk),
                Ok(Input::Skip) => {
                    skipped.insert(prompt.question.id.clone());
                    break;
                }
                Ok(Input::DontKnow) => {
                    let Some(said) = reason(desk, &prompt, &mut lines)? else { return left(desk) };
                    write(desk, &prompt, said)?;
                    break;
                }
                Ok(Input::Answer(said)) => {
                    write(desk, &prompt, *said)?;
                    break;
                }
            }
        }
    }
}

/// All that the order of the questions depends on.
fn state<'a>(desk: &'a Desk, answer: &'a Answer, answers: &'a reflexe_fiche::answers::Answers, now: &TimeBox) -> State<'a> {
    State {
        questions: &desk.catalogue.questions,
        qualification: &answer.qualification,
        answers,
        proposals: &answer.proposals,
        frame: answer.frame,
        minutes_left: now.minutes_left(),
    }
}

/// Extends, pauses or resumes the time-box; whether that was all that was asked for.
fn time_box(desk: &mut Desk, time: Time) -> Result<bool> {
    let now = timebox::status(&desk.entries, desk.now());
    let timer = |what: &str, minutes| Payload::Timer { what: what.to_owned(), minutes };
    if let Some(reason) = time.extend {
        if reason.trim().is_empty() || !now.may_extend() {
            bail!(
                "{}",
                desk.pick(
                    "Une prolongation demande une raison, et il n’y en a qu’une.",
                    "An extension needs a reason, and there is only one."
                )
            );
        }
        let text = format!("{} : {}", desk.pick("Prolongation de 15 minutes", "Extension of 15 minutes"), reason.trim());
        desk.write(Kind::Decision, &text, &timer("extended", timebox::EXTENSION))?;
    }
    if time.pause || time.resume {
        let what = if time.pause { "paused" } else { "resumed" };
        let text = match (time.pause, desk.lang) {
            (true, reflexe_model::Lang::Fr) => "Chronomètre arrêté",
            (true, reflexe_model::Lang::En) => "Timer paused",
            (false, reflexe_model::Lang::Fr) => "Chronomètre relancé",
            (false, reflexe_model::Lang::En) => "Timer resumed",
        };
        desk.write(Kind::System, text, &timer(what, 0))?;
        outln!("{}", desk.say(&timebox::status(&desk.entries, desk.now()).shown()));
    }
    Ok(time.pause)
}

/// At the end of the time-box what is open is unknown, for want of time; written once.
fn close_when_over(desk: &mut Desk, now: &TimeBox) -> Result<()> {
    if now.stage != Stage::Ended {
        return Ok(());
    }
    let people = desk.people();
    let open = timebox::close(&desk.catalogue.questions, &people.answers);
    let text = desk.pick("Temps écoulé : sans réponse", "Time is over: not answered").to_owned();
    let drafts: Vec<_> = open
        .into_iter()
        .map(|said| {
            let mut draft = desk.draft(Kind::Answer, &format!("{text} ({})", said.question)).with(&Payload::Answer(said));
            // The clock says so, not a person.
            draft.content.origin = Origin::Generated;
            "reflexe".clone_into(&mut draft.content.actor);
            draft
        })
        .collect();
    desk.journal.add_all(&drafts)?;
    desk.reload()
}

fn print_prompt(desk: &Desk, prompt: &Prompt, now: &TimeBox, asked: u32) {
    let q = &prompt.question;
    let left = now.minutes_left().map(|_| format!(" · {}", desk.say(&now.shown()))).unwrap_or_default();
    let range = severity::display(&prompt.range, desk.lang);
    outln!("\n── {asked} ── {range}{left}");
    for note in &prompt.notes {
        outln!("  {}", desk.say(note));
    }
    let who: Vec<&str> = q.who.iter().map(|w| desk.say(interview::who_text(*w))).collect();
    outln!("{} {}", desk.say(&q.text()), if who.is_empty() { String::new() } else { format!("({})", who.join(", ")) });
    if let Some(proposal) = &prompt.proposal {
        let value = interview::show_value(q, Some(&proposal.value), desk.lang);
        outln!("  {} {value} — {}", desk.pick("Proposé :", "Proposed:"), desk.say(&proposal.reason));
    }
    outln!("  {}   [{}]", desk.say(&prompt.keys), q.id);
}

/// Asks why it is not known; `None` when the person leaves.
fn reason(desk: &Desk, prompt: &Prompt, lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Result<Option<Said>> {
    outln!("  {}", desk.say(Prompt::reason_question()));
    loop {
        out!("? ");
        crate::out::flush()?;
        let Some(line) = lines.next().transpose()? else { return Ok(None) };
        match interview::parse_reason(&prompt.question.id, &line) {
            Ok(said) => return Ok(Some(said)),
            Err(text) => outln!("  {}", desk.say(&text)),
        }
    }
}

/// Writes an answer and what follows from it, all or none.
fn write(desk: &mut Desk, prompt: &Prompt, said: Said) -> Result<()> {
    let mut drafts = Vec::new();
    for payload in interview::payloads(prompt, said) {
        let (kind, text) = told(desk, &payload);
        let mut draft = desk.draft(kind, &text).with(&payload);
        if let Payload::Answer(a) = &payload {
            draft.content.links.push(a.question.clone());
            draft.content.links.extend(a.basis.iter().filter_map(|b| match b {
                Basis::Finding(id) => Some(id.clone()),
                _ => None,
            }));
        }
        drafts.push(draft);
    }
    desk.journal.add_all(&drafts)?;
    desk.reload()
}

/// How the journal tells a payload.
fn told(desk: &Desk, payload: &Payload) -> (Kind, String) {
    match payload {
        Payload::Answer(a) => {
            let Some(q) = desk.catalogue.question(&a.question) else { return (Kind::Answer, a.question.clone()) };
            let value = match (&a.dont_know, &a.not_applicable) {
                (Some(why), _) => format!("{}{}", desk.pick("ne sait pas", "does not know"), why_not(why)),
                (_, Some(why)) => format!("{} ({})", desk.pick("sans objet", "not applicable"), clean(why)),
                _ => interview::show_value(q, a.value.as_ref(), desk.lang),
            };
            let sure = match a.confidence {
                Confidence::Low => desk.pick(" (probablement)", " (probably)"),
                _ => "",
            };
            (Kind::Answer, format!("{} : {value}{sure} — {}", a.question, desk.say(&q.text())))
        }
        Payload::Override { level, reason, .. } => {
            let level = level.map_or_else(|| "–".to_owned(), |n| format!("{n} ({})", severity::name(n).get(desk.lang)));
            (Kind::Severity, format!("{} {level} : {}", desk.pick("Gravité retenue", "Severity retained"), clean(reason)))
        }
        Payload::Timer { what, minutes } => {
            let text = match (what.as_str(), desk.lang) {
                ("started", reflexe_model::Lang::Fr) => format!("Qualification commencée, {minutes} minutes"),
                ("started", reflexe_model::Lang::En) => format!("Qualification started, {minutes} minutes"),
                (_, reflexe_model::Lang::Fr) => "Qualification conclue".to_owned(),
                (_, reflexe_model::Lang::En) => "Qualification concluded".to_owned(),
            };
            (Kind::System, text)
        }
        other => (Kind::Note, format!("{other:?}")),
    }
}

fn why_not(why: &DontKnow) -> String {
    let detail = match why {
        DontKnow::NoEvidence(t) | DontKnow::NoAccess(t) | DontKnow::WaitingFor(t) | DontKnow::NotMyField(t) => t.as_str(),
        _ => "",
    };
    if detail.is_empty() { String::new() } else { format!(" ({})", clean(detail)) }
}

fn left(desk: &Desk) -> Result<ExitCode> {
    let case = desk.case_option();
    match desk.lang {
        reflexe_model::Lang::Fr => outln!("Tout ce qui a été répondu est écrit. Pour reprendre : reflexe ask{case}"),
        reflexe_model::Lang::En => outln!("Everything answered is written. To go on: reflexe ask{case}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn conclude(desk: &Desk, answer: &Answer, end: &Conclusion, now: &TimeBox, asked: u32) {
    outln!("\n══ {}", severity::display(&end.range, desk.lang));
    if let Some(level) = end.retained {
        outln!("{} {level}, {}", desk.pick("Gravité retenue :", "Severity retained:"), severity::name(level).get(desk.lang));
        outln!("  {}", severity::meaning(level).get(desk.lang));
    }
    show(desk, answer, &end.range, &end.judged);
    if !end.open.is_empty() {
        outln!("{}", desk.pick("Ce qui resterait à savoir :", "Still to be known:"));
        for id in &end.open {
            let text = desk.catalogue.question(id).map(|q| desk.say(&q.text()).to_owned()).unwrap_or_default();
            outln!("  {id}  {text}");
        }
    }
    if let Some(text) = now.say() {
        outln!("{}", desk.say(&text));
    }
    let case = desk.case_option();
    match desk.lang {
        reflexe_model::Lang::Fr => {
            outln!("{asked} questions posées. Ensuite : reflexe steps{case} ; reflexe clocks{case}");
        }
        reflexe_model::Lang::En => {
            outln!("{asked} questions asked. Next: reflexe steps{case}; reflexe clocks{case}");
        }
    }
}

/// Answers one question by its id; without one, lists them with what was answered.
///
/// # Errors
/// When there is no such question, or the value is not understood.
pub fn answer(desk: &mut Desk, question: Option<String>, given: Given, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let Some(id) = question else { return list(desk, judge, json) };
    let judged = desk.judged(judge)?;
    let prompt = prompt_of(desk, &judged, &id)?;
    let confidence = match given.confidence.as_deref() {
        None => None,
        Some("low") => Some(Confidence::Low),
        Some("medium") => Some(Confidence::Medium),
        Some("high") => Some(Confidence::High),
        Some(other) => bail!("{other}: low, medium, high"),
    };
    let refuse = |text: &reflexe_model::Text| anyhow!("{id}: {}", text.get(desk.lang));
    let mut said = match (given.dont_know, given.not_applicable, given.value) {
        (Some(why), ..) => {
            let mut said = interview::parse_reason(&id, "").map_err(|t| refuse(&t))?;
            said.dont_know = Some(dont_know(&why));
            said
        }
        (_, Some(why), _) => {
            if why.trim().is_empty() {
                bail!("{}", desk.pick("Dites pourquoi la question est sans objet.", "Say why the question is not applicable."));
            }
            let mut said = interview::parse_reason(&id, "").map_err(|t| refuse(&t))?;
            (said.dont_know, said.not_applicable) = (None, Some(why));
            said
        }
        (_, _, Some(value)) => match interview::parse(&prompt, &value, desk.lang).map_err(|t| refuse(&t))? {
            Input::Answer(said) => *said,
            Input::DontKnow => interview::parse_reason(&id, "").map_err(|t| refuse(&t))?,
            Input::Skip | Input::Leave | Input::Help => bail!("{id}: {}", desk.say(&prompt.keys)),
        },
        (None, None, None) => {
            // Nothing to write: the question is shown.
            print_prompt(desk, &prompt, &timebox::status(&desk.entries, desk.now()), 1);
            outln!("  {}", desk.say(&prompt.question.help));
            return Ok(ExitCode::SUCCESS);
        }
    };
    if let Some(sure) = confidence {
        said.confidence = sure;
    }
    if let Some(text) = given.because {
        said.comment = text;
    }
    write(desk, &prompt, said)?;
    let answer = assemble::conclude(&desk.catalogue, &judged, &desk.people());
    outln!("{}", severity::display(&answer.qualification.severity.answered, desk.lang));
    Ok(ExitCode::SUCCESS)
}

/// A reason by its name (`no_time`, `waiting_for:Dupont`) or in words.
fn dont_know(why: &str) -> DontKnow {
    let (name, detail) = why.split_once(':').map_or((why, ""), |(n, d)| (n, d.trim()));
    let detail = detail.to_owned();
    match name.trim() {
        "no_evidence" => DontKnow::NoEvidence(detail),
        "no_access" => DontKnow::NoAccess(detail),
        "no_time" => DontKnow::NoTime,
        "waiting_for" => DontKnow::WaitingFor(detail),
        "not_my_field" => DontKnow::NotMyField(detail),
        "contradictory" => DontKnow::Contradictory,
        "" => DontKnow::Unsaid,
        _ => DontKnow::NoEvidence(why.to_owned()),
    }
}

fn prompt_of(desk: &Desk, judged: &Judged, id: &str) -> Result<Prompt> {
    let now = timebox::status(&desk.entries, desk.now());
    let people = desk.people();
    let answer = assemble::conclude(&desk.catalogue, judged, &people);
    let state = state(desk, &answer, &people.answers, &now);
    interview::prompt_for(&state, &now, id).ok_or_else(|| {
        anyhow!(
            "{}: {}",
            clean(id),
            desk.pick("pas de telle question ; liste : reflexe answer", "no such question; list: reflexe answer")
        )
    })
}

/// Every question with what was answered, in the sheet's order.
fn list(desk: &mut Desk, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let answer = desk.answer(judge)?;
    let answers = desk.people().answers;
    let mut rows = Vec::new();
    for q in &desk.catalogue.questions {
        let given = answers.given(&q.id);
        let state = match answers.standing(&q.id) {
            Standing::Open => "open",
            Standing::Answered(_) => "answered",
            Standing::Conflict(_) => "conflict",
        };
        let moved = given.iter().any(|g| propose::moved(g, answer.proposals.get(&q.id)));
        if json {
            rows.push(serde_json::json!({
                "id": q.id, "text": q.text(), "state": state, "evidence_moved": moved,
                "answers": given.iter().map(|g| serde_json::json!({"who": g.who, "at": g.at, "answer": g.answer})).collect::<Vec<_>>(),
                "proposed": answer.proposals.get(&q.id).map(|p| serde_json::json!({"value": p.value, "reason": p.reason, "findings": p.findings})),
            }));
            continue;
        }
        let voices: Vec<String> = given
            .iter()
            .map(|g| format!("{} ({})", interview::show_value(q, g.answer.value.as_ref(), desk.lang), clean(&g.who)))
            .collect();
        let mark = match (state, moved) {
            ("conflict", _) => desk.pick(" ≠ en désaccord", " ≠ in conflict"),
            (_, true) => desk.pick(" ! la preuve a changé depuis", " ! the evidence has moved since"),
            _ => "",
        };
        outln!("{:8} {}", q.id, desk.say(&q.text()));
        if !voices.is_empty() {
            outln!("         → {}{mark}", voices.join(" / "));
        }
    }
    if json {
        crate::out::json(&rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a level outside the interval may be retained for this reason.
///
/// # Errors
/// In the user's words.
pub fn checked(desk: &Desk, level: u8, reason: &str) -> Result<()> {
    advice::check(level, reason).map_err(|t| anyhow!(desk.say(&t).to_owned()))
}
