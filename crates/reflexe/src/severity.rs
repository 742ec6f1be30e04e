//! `reflexe severity`: the severity with its reasons, and what a person decides about it.
use std::process::ExitCode;

use anyhow::{Result, bail};
use reflexe_fiche::{axes, say::clean, severity, severity::advice};
use reflexe_model::{ActionState, Kind, Lang, Payload, SeverityRange};

use crate::{ask::checked, assemble::Answer, cli::JudgeArgs, desk::Desk};

/// A decision on the severity.
pub struct Decided {
    /// The level retained.
    pub retain: Option<u8>,
    /// Take it back.
    pub release: bool,
    /// `yes` or `no`.
    pub keep_perimeter: Option<String>,
    /// Why.
    pub because: Option<String>,
    /// Who countersigns.
    pub countersigned: Option<String>,
}

/// Shows the severity, or writes a decision about it.
///
/// # Errors
/// When the case cannot be judged, or a decision lacks its reason.
pub fn run(desk: &mut Desk, decided: Decided, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let answer = desk.answer(judge)?;
    let range = answer.qualification.severity.answered.clone();
    let computed = (range.low, range.high);
    let because = decided.because.unwrap_or_default();
    if let Some(level) = decided.retain {
        checked(desk, level, &because)?;
        let text = format!(
            "{} {level} ({}) : {because}",
            desk.pick("Gravité retenue", "Severity retained"),
            severity::name(level).get(desk.lang)
        );
        let countersigned = decided.countersigned;
        desk.write(Kind::Severity, &text, &Payload::Override { level: Some(level), reason: because, computed, countersigned })?;
    } else if decided.release {
        let text = desk.pick("Gravité retenue : retirée", "Severity retained: withdrawn").to_owned();
        desk.write(Kind::Severity, &text, &Payload::Override { level: None, reason: because, computed, countersigned: None })?;
    } else if let Some(word) = decided.keep_perimeter {
        let keep = match word.to_lowercase().as_str() {
            "yes" | "y" | "oui" | "o" => true,
            "no" | "n" | "non" => false,
            _ => bail!("{}: yes/oui, no/non", clean(&word)),
        };
        if !advice::is_reason(&because) {
            checked(desk, 1, &because)?;
        }
        let text = match (keep, desk.lang) {
            (true, Lang::Fr) => "Périmètre tenu pour circonscrit malgré un tenant compromis",
            (true, Lang::En) => "Perimeter held to be circumscribed although the tenant is compromised",
            (false, Lang::Fr) => "Périmètre : plus de décision",
            (false, Lang::En) => "Perimeter: no decision any more",
        };
        let text = format!("{text} : {because}");
        desk.write(Kind::Decision, &text, &Payload::KeepPerimeter { keep, reason: because })?;
    }
    let answer = desk.answer(judge)?;
    let range = answer.qualification.severity.answered.clone();
    if json {
        let reasons = advice::reasons(&range, &answer.answered);
        crate::out::json(&serde_json::json!({
            "proposed": answer.qualification.severity.proposed,
            "answered": range,
            "override": answer.qualification.severity.overridden,
            "axes": answer.answered.axes,
            "reasons": reasons.iter().map(|r| serde_json::json!({"rule": r.rule, "text": r.text, "questions": r.questions})).collect::<Vec<_>>(),
            "distance": advice::distance(&answer.answered.axes, desk.people().answers.keeps_perimeter()),
            "next_question": answer.qualification.next_question,
            "conflicts": desk.people().answers.conflicts(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let proposed = &answer.qualification.severity.proposed;
    outln!(
        "{} {}",
        desk.pick("Selon les preuves et les réponses :", "From evidence and answers:"),
        severity::display(proposed, desk.lang)
    );
    outln!("{} {}", desk.pick("Selon les réponses seules :", "From answers alone:"), severity::display(&range, desk.lang));
    show(desk, &answer, &range, &answer.answered);
    if let Some(id) = &answer.qualification.next_question {
        let text = desk.catalogue.question(id).map(|q| desk.say(&q.text()).to_owned()).unwrap_or_default();
        outln!("{} {text} [{id}]", desk.pick("La question qui trancherait le plus :", "The question that would settle most:"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Why the severity is what it is, how far from the next level, disagreements, and what a person retained.
pub fn show(desk: &Desk, answer: &Answer, range: &SeverityRange, judged: &axes::Judged) {
    let answers = desk.people().answers;
    for reason in advice::reasons(range, judged) {
        outln!("  {}", desk.say(&reason.text));
    }
    if let Some(text) = advice::distance(&judged.axes, answers.keeps_perimeter()) {
        outln!("  {}", desk.say(&text));
    }
    let indicators =
        answer.qualification.actions.iter().any(|a| matches!(a.proposed, ActionState::Confirmed | ActionState::Suspected));
    if let Some(text) = advice::banner(range, &judged.axes, indicators) {
        outln!("! {}", desk.say(&text));
    }
    for id in answers.conflicts() {
        let voices: Vec<String> = answers.given(id).iter().map(|g| clean(&g.who)).collect();
        outln!("≠ {id} : {} ({})", desk.pick("réponses en désaccord", "answers in conflict"), voices.join(", "));
    }
    for kept in advice::overridden(&answers, range) {
        let by =
            kept.countersigned.as_ref().map(|c| format!(", {} {}", desk.pick("contresigné par", "countersigned by"), clean(c)));
        outln!(
            "{} {} — {} ({}){}",
            desk.pick("Retenue :", "Retained:"),
            kept.level,
            desk.say(&kept.reason),
            clean(&kept.who),
            by.unwrap_or_default()
        );
        for text in [&kept.outside, &kept.moved].into_iter().flatten() {
            outln!("! {}", desk.say(text));
        }
    }
}
