//! `reflexe triage`: every finding with what people made of it, and their marks, one finding or one subject at a time.
#![allow(clippy::print_stdout)] // printing is this module's job
use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Result, bail};
use reflexe_fiche::{answers::Marked, say::clean};
use reflexe_model::{Finding, Kind, Lang, Mark, Payload, Text, Triage, Verdict};

use crate::{assemble, cli::JudgeArgs, desk::Desk, respond::lines::Lines};

/// What a person says of findings.
pub struct Said {
    /// Id of a finding, or a subject: all of its findings that nobody judged yet.
    pub what: String,
    /// legitimate, malicious or doubtful.
    pub mark: String,
    /// Why.
    pub because: Option<String>,
}

/// Shows the findings with their marks, or writes marks.
///
/// # Errors
/// When the case cannot be judged, or there is no such finding or mark.
pub fn run(desk: &mut Desk, said: Option<Said>, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let judged = desk.judged(judge)?;
    let answer = assemble::conclude(&desk.catalogue, &judged, &desk.people());
    let findings = &answer.qualification.findings;
    match said {
        None if json => println!("{}", serde_json::to_string_pretty(&listed(desk, findings))?),
        None => print!("{}", list(desk, findings, &|subject| judged.inputs.shown(subject))),
        Some(said) => {
            write(desk, findings, &said)?;
            let answer = assemble::conclude(&desk.catalogue, &judged, &desk.people());
            println!("{}", desk.say(&answer.sentence));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(desk: &mut Desk, findings: &[Finding], said: &Said) -> Result<()> {
    let mark = match said.mark.to_lowercase().as_str() {
        "legitimate" | "légitime" | "legitime" => Mark::Legitimate,
        "malicious" | "malveillant" => Mark::Malicious,
        "doubtful" | "douteux" => Mark::Doubtful,
        other => bail!("{}: legitimate/légitime, malicious/malveillant, doubtful/douteux", clean(other)),
    };
    let reason = said.because.clone().unwrap_or_default();
    let meant = meant(desk, findings, &said.what)?;
    for found in &meant {
        let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        let text = format!("{} : {}{why} — {}", found.id, desk.say(&word(mark)), desk.say(&found.text));
        let triage =
            Triage { finding: found.id.clone(), mark, reason: reason.clone(), fingerprint: Some(found.fingerprint.clone()) };
        let mut draft = desk.draft(Kind::Observation, &text).with(&Payload::Triage(triage));
        draft.content.links.push(found.id.clone());
        draft.content.targets.push(found.subject.clone());
        desk.journal.add(&draft)?;
        println!("{}  {} : {}", found.id, desk.say(&word(mark)), desk.say(&found.text));
    }
    desk.reload()
}

/// The finding of an id, or those of a subject that stand unjudged.
fn meant<'f>(desk: &Desk, findings: &'f [Finding], what: &str) -> Result<Vec<&'f Finding>> {
    if let Some(one) = findings.iter().find(|f| f.id == what) {
        return Ok(vec![one]);
    }
    let marks = desk.people().answers.triage;
    let all: Vec<&Finding> = findings.iter().filter(|f| f.subject == what.to_lowercase()).collect();
    if all.is_empty() {
        bail!(
            "{}: {}",
            clean(what),
            desk.pick(
                "ni un fait, ni ce sur quoi porte un fait ; « reflexe triage » les montre",
                "neither a finding nor what one is about; “reflexe triage” shows them"
            )
        );
    }
    let open: Vec<&Finding> = all.into_iter().filter(|f| asks(f, marks.get(&f.id))).collect();
    if open.is_empty() {
        let done = desk.pick(
            "tout est déjà jugé ; pour changer un avis, donnez l'identifiant du fait",
            "everything is judged already; to change a mark, give the id of the finding",
        );
        bail!("{}: {done}", clean(what));
    }
    Ok(open)
}

/// Whether a finding waits for a person: it is worth a judgement, and nobody judged what it holds now.
fn asks(finding: &Finding, mark: Option<&Marked>) -> bool {
    match mark {
        Some(m) => m.is_outdated(finding) || m.conflict,
        None => is_open(finding),
    }
}

/// A weakness, an act, or rows of which missing evidence leaves open what they are.
fn is_open(finding: &Finding) -> bool {
    finding.verdict >= Verdict::Weakness || (finding.verdict == Verdict::Unknown && finding.rows_total > 0)
}

fn word(mark: Mark) -> Text {
    match mark {
        Mark::Legitimate => Text::new("légitime", "legitimate"),
        Mark::Malicious => Text::new("malveillant", "malicious"),
        Mark::Doubtful => Text::new("douteux", "doubtful"),
    }
}

fn listed(desk: &Desk, findings: &[Finding]) -> serde_json::Value {
    let marks = desk.people().answers.triage;
    let told = |id: &str, m: &Marked, outdated: bool| serde_json::json!({"finding": id, "mark": m.mark, "who": m.who, "reason": m.reason, "conflict": m.conflict, "outdated": outdated});
    let findings: Vec<_> = findings
        .iter()
        .filter(|f| is_open(f) || marks.contains_key(&f.id))
        .map(|f| {
            let mark = marks.get(&f.id).map(|m| told(&f.id, m, m.is_outdated(f)));
            serde_json::json!({"id": f.id, "check": f.check, "subject": f.subject, "verdict": f.verdict, "text": f.text,
                "asks": asks(f, marks.get(&f.id)), "triage": mark})
        })
        .collect();
    let known = |id: &str| findings.iter().any(|f| f["id"] == id);
    let gone: Vec<_> = marks.iter().filter(|(id, _)| !known(id)).map(|(id, m)| told(id, m, true)).collect();
    serde_json::json!({"findings": findings, "gone": gone})
}

/// Findings by subject, the subject with the gravest first: one call to one person settles its block.
fn list(desk: &Desk, findings: &[Finding], shown: &dyn Fn(&str) -> String) -> String {
    let marks = desk.people().answers.triage;
    let mut subjects: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for f in findings.iter().filter(|f| is_open(f) || marks.contains_key(&f.id)) {
        subjects.entry(&f.subject).or_default().push(f);
    }
    let mut blocks: Vec<(&str, Vec<&Finding>)> = subjects.into_iter().collect();
    for (_, block) in &mut blocks {
        block.sort_by_key(|f| (std::cmp::Reverse(f.verdict), std::cmp::Reverse(f.weight)));
    }
    let worst = |block: &[&Finding]| block.first().map(|f| (f.verdict, f.weight));
    blocks.sort_by(|(a, fa), (b, fb)| worst(fb).cmp(&worst(fa)).then_with(|| a.cmp(b)));
    let open = findings.iter().filter(|f| asks(f, marks.get(&f.id))).count();
    let mut out = Lines::default();
    out.title(&match desk.lang {
        Lang::Fr => format!("À juger : {open}. Un appel à la personne concernée règle souvent tout son bloc."),
        Lang::En => format!("To judge: {open}. One call to the person concerned often settles a whole block."),
    });
    for (subject, block) in blocks {
        out.title(&shown(subject));
        for f in block {
            let mark = marks.get(&f.id);
            let box_ = if asks(f, mark) { "[ ]" } else { "[×]" };
            out.say(
                &format!("  {box_} {}  ", f.id),
                &format!("{} · {}", reflexe_report::verdict_word(f.verdict, desk.lang), desk.say(&f.text)),
            );
            if let Some(m) = mark {
                out.say("                    ", &said_of(desk, f, m));
            }
        }
    }
    let gone: Vec<_> = marks.iter().filter(|(id, _)| !findings.iter().any(|f| f.id == **id)).collect();
    if !gone.is_empty() {
        out.title(desk.pick(
            "Jugés, mais introuvables aujourd'hui (autre fenêtre, ou preuves plus complètes : rejugez si besoin)",
            "Judged, but not found today (another window, or fuller evidence: judge again if need be)",
        ));
        for (id, m) in gone {
            let why = if m.reason.is_empty() { String::new() } else { format!(" — {}", clean(&m.reason)) };
            out.say(&format!("  {}  ", clean(id)), &format!("{} ({}){why}", desk.say(&word(m.mark)), clean(&m.who)));
        }
    }
    out.gap();
    let option = desk.case_option();
    out.whole(
        0,
        &format!(
            "reflexe triage{option} {}",
            desk.pick(
                "FAIT|SUJET légitime|malveillant|douteux --because \"…\"",
                "FINDING|SUBJECT legitimate|malicious|doubtful --because \"…\""
            )
        ),
    );
    out.text()
}

/// What a mark says, where the sentence of the finding does not say it already.
fn said_of(desk: &Desk, finding: &Finding, m: &Marked) -> String {
    let mut text = format!("{} ({})", desk.say(&word(m.mark)), clean(&m.who));
    if !m.reason.is_empty() {
        text.push_str(&format!(" — {}", clean(&m.reason)));
    }
    if m.is_outdated(finding) {
        text.push_str(desk.pick(" ; a changé depuis", "; has changed since"));
    }
    if m.conflict {
        text.push_str(desk.pick(" ; avis contraires, le plus grave est gardé", "; marks differ, the gravest is kept"));
    }
    text
}
