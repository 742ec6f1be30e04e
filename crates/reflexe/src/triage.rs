//! `reflexe triage`: every finding with what people made of it, and their marks, one finding or one subject at a time.
use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
};

use anyhow::{Result, bail};
use reflexe_evidence::obtain;
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
        None if json => crate::out::json(&Sheet::of(desk, findings).json())?,
        None => out!("{}", Sheet::of(desk, findings).text(desk, &|subject| judged.inputs.shown(subject))),
        Some(said) => {
            write(desk, findings, &answer.names, &said)?;
            let answer = assemble::conclude(&desk.catalogue, &judged, &desk.people());
            outln!("{}", desk.say(&answer.sentence));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(desk: &mut Desk, findings: &[Finding], names: &BTreeMap<String, String>, said: &Said) -> Result<()> {
    let mark = match said.mark.to_lowercase().as_str() {
        "legitimate" | "légitime" | "legitime" => Mark::Legitimate,
        "malicious" | "malveillant" => Mark::Malicious,
        "doubtful" | "douteux" => Mark::Doubtful,
        other => bail!("{}: legitimate/légitime, malicious/malveillant, doubtful/douteux", clean(other)),
    };
    let reason = said.because.clone().unwrap_or_default();
    let meant = meant(desk, findings, names, &said.what)?;
    for found in &meant {
        let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        let text = format!("{} : {}{why} — {}", found.id, desk.say(&word(mark)), desk.say(&found.text));
        let triage =
            Triage { finding: found.id.clone(), mark, reason: reason.clone(), fingerprint: Some(found.fingerprint.clone()) };
        let mut draft = desk.draft(Kind::Observation, &text).with(&Payload::Triage(triage));
        draft.content.links.push(found.id.clone());
        draft.content.targets.push(found.subject.clone());
        desk.journal.add(&draft)?;
        outln!("{}  {} : {}", found.id, desk.say(&word(mark)), desk.say(&found.text));
    }
    desk.reload()
}

/// The finding of an id, or those of a subject (by its id or its name) that stand unjudged.
fn meant<'f>(desk: &Desk, findings: &'f [Finding], names: &BTreeMap<String, String>, what: &str) -> Result<Vec<&'f Finding>> {
    if let Some(one) = findings.iter().find(|f| f.id == what) {
        return Ok(vec![one]);
    }
    let wanted = what.to_lowercase();
    let named: BTreeSet<&str> =
        names.iter().filter(|(_, name)| name.to_lowercase() == wanted).map(|(id, _)| id.as_str()).collect();
    if named.len() > 1 {
        let ids = named.into_iter().collect::<Vec<_>>().join(", ");
        bail!(
            "{}: {} {ids}",
            clean(what),
            desk.pick("plusieurs portent ce nom ; donnez l'identifiant :", "several have this name; give the id:")
        );
    }
    let marks = desk.people().answers.triage;
    let all: Vec<&Finding> = findings.iter().filter(|f| f.subject == wanted || named.contains(f.subject.as_str())).collect();
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

/// What there is to judge, and what was judged.
struct Sheet<'f> {
    /// A finding that asks or has a mark, its mark, and whether it asks.
    rows: Vec<(&'f Finding, Option<Marked>, bool)>,
    /// Marks whose finding is not found today.
    gone: Vec<(String, Marked)>,
}

impl<'f> Sheet<'f> {
    fn of(desk: &Desk, findings: &'f [Finding]) -> Self {
        let mut marks = desk.people().answers.triage;
        let rows = findings.iter().filter_map(|f| {
            let mark = marks.remove(&f.id);
            let asks = asks(f, mark.as_ref());
            (asks || mark.is_some()).then_some((f, mark, asks))
        });
        Self { rows: rows.collect(), gone: marks.into_iter().collect() }
    }

    fn json(&self) -> serde_json::Value {
        let told = |id: &str, m: &Marked, outdated: bool| {
            serde_json::json!({"finding": id, "mark": m.mark, "who": m.who, "reason": m.reason, "conflict": m.conflict,
                "outdated": outdated})
        };
        let rows = self.rows.iter().map(|(f, mark, asks)| {
            let mark = mark.as_ref().map(|m| told(&f.id, m, m.is_outdated(f)));
            serde_json::json!({"id": f.id, "check": f.check, "subject": f.subject, "verdict": f.verdict, "text": f.text,
                "asks": asks, "missing": f.missing, "triage": mark})
        });
        let gone = self.gone.iter().map(|(id, m)| told(id, m, true));
        serde_json::json!({"findings": rows.collect::<Vec<_>>(), "gone": gone.collect::<Vec<_>>()})
    }

    /// By subject, the subject with the gravest finding first: one call to one person settles its block.
    fn text(&self, desk: &Desk, shown: &dyn Fn(&str) -> String) -> String {
        let mut subjects: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for row in &self.rows {
            subjects.entry(&row.0.subject).or_default().push(row);
        }
        let mut blocks: Vec<(&str, Vec<_>)> = subjects.into_iter().collect();
        let gravity = |f: &Finding| std::cmp::Reverse((f.verdict, f.weight));
        blocks.iter_mut().for_each(|(_, block)| block.sort_by_key(|(f, ..)| gravity(f)));
        blocks.sort_by_key(|(_, block)| block.first().map(|(f, ..)| gravity(f)));
        let open = self.rows.iter().filter(|(.., asks)| *asks).count();
        let mut out = Lines::default();
        out.title(&match desk.lang {
            Lang::Fr => format!("À juger : {open}. Un appel à la personne concernée règle souvent tout son bloc."),
            Lang::En => format!("To judge: {open}. One call to the person concerned often settles a whole block."),
        });
        for (subject, block) in blocks {
            out.title(&shown(subject));
            for (f, mark, asks) in block {
                let first = format!("  {} {}  ", if *asks { "[ ]" } else { "[×]" }, f.id);
                let verdict = reflexe_report::verdict_word(f.verdict, desk.lang);
                out.say(&first, &format!("{verdict} · {}", desk.say(&f.text)));
                if *asks && !f.missing.is_empty() {
                    out.say(&" ".repeat(first.chars().count()), &settled_by(desk, f));
                }
                if let Some(m) = mark {
                    out.say(&" ".repeat(first.chars().count()), &said_of(desk, m, m.is_outdated(f)));
                }
            }
        }
        if !self.gone.is_empty() {
            out.title(desk.pick(
                "Jugés, mais introuvables aujourd'hui (autre fenêtre, ou preuves plus complètes : rejugez si besoin)",
                "Judged, but not found today (another window, or fuller evidence: judge again if need be)",
            ));
            for (id, m) in &self.gone {
                out.say(&format!("  {}  ", clean(id)), &said_of(desk, m, false));
            }
        }
        out.gap();
        let how = desk.pick(
            "FAIT|COMPTE légitime|malveillant|douteux --because \"…\"",
            "FINDING|ACCOUNT legitimate|malicious|doubtful --because \"…\"",
        );
        out.whole(0, &format!("reflexe triage{} {how}", desk.case_option()));
        out.text()
    }
}

/// The exports that would say what the finding leaves open.
fn settled_by(desk: &Desk, f: &Finding) -> String {
    let titles: Vec<&str> = f.missing.iter().map(|id| obtain::by_id(id).map_or(id.as_str(), |o| desk.say(&o.title))).collect();
    match desk.lang {
        Lang::Fr => format!("manque pour trancher : {}", titles.join(" ; ")),
        Lang::En => format!("missing to settle it: {}", titles.join("; ")),
    }
}

/// What a mark says.
fn said_of(desk: &Desk, m: &Marked, outdated: bool) -> String {
    let mut text = format!("{} ({})", desk.say(&word(m.mark)), clean(&m.who));
    if !m.reason.is_empty() {
        text.push_str(&format!(" — {}", clean(&m.reason)));
    }
    if outdated {
        text.push_str(desk.pick(" ; a changé depuis", "; has changed since"));
    }
    if m.conflict {
        text.push_str(desk.pick(" ; avis contraires, le plus grave est gardé", "; marks differ, the gravest is kept"));
    }
    text
}
