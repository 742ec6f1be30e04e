//! `reflexe journal`: the main courante on the command line.
mod export;
mod notes;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Result, bail};
use reflexe_case::journal::{
    ATTACHMENT_LIMIT, Draft, head_short,
    quick::{self, Known},
};
use reflexe_fiche::say::clean;
use reflexe_model::{Content, Entry, Kind, Lang, Origin, Payload, Status};
use reflexe_report::journal::{Told, journal_text, one_line, tell};
use serde_json::{Value, json};

use crate::{cli::JournalAction, desk::Desk, judged};

/// Runs one of its commands.
///
/// # Errors
/// When the line, an option or the named entry is not understood, or the case cannot be read or written.
pub fn run(desk: &mut Desk, action: JournalAction, json: bool) -> Result<ExitCode> {
    match action {
        JournalAction::Add { line, kind, actor, target, attach, status, owner, effect, flag } => {
            let said = Said { kind, actor, target, attach, status, owner, effect, flag };
            add(desk, &line.join(" "), said, json)?;
        }
        JournalAction::List { all } => list(desk, all, json)?,
        JournalAction::Import { file, columns, write } => return notes::import(desk, &file, columns.as_deref(), write),
        JournalAction::Export { format, out, separator } => export::export(desk, &format, out, separator.as_deref())?,
        JournalAction::Correct { entry, line, because } => correct(desk, &entry, &line.join(" "), &because, json)?,
        JournalAction::Redact { entry, because } => redact(desk, &entry, &because)?,
        JournalAction::Anchor { to } => anchor(desk, &to)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What was said of an entry beside its line.
struct Said {
    kind: Option<String>,
    actor: Option<String>,
    target: Vec<String>,
    attach: Vec<PathBuf>,
    status: Option<String>,
    owner: Option<String>,
    effect: Option<String>,
    flag: Vec<String>,
}

/// Kinds that people write as such; the others come of a command of their own.
const KINDS: [&str; 6] = ["event", "action", "decision", "communication", "observation", "note"];
const FLAGS: [&str; 3] = ["in_summary", "important", "legitimate"];

fn add(desk: &mut Desk, line: &str, said: Said, json: bool) -> Result<()> {
    let kind = said.kind.as_deref().map(|k| one_of(desk, k, &KINDS)).transpose()?;
    let status: Option<Status> = said.status.as_deref().map(|s| one_of(desk, s, &[])).transpose()?;
    for flag in &said.flag {
        one_of::<String>(desk, flag, &FLAGS)?;
    }
    let mut draft = desk.line(line, &accounts(desk)?)?;
    // Who has a state or somebody to do it is an action.
    let action = status.is_some() || said.owner.is_some();
    draft.kind = kind.unwrap_or(if action { Kind::Action } else { Kind::Note });
    if action && draft.kind != Kind::Action {
        bail!(
            desk.pick("--status et --owner ne valent que pour une action.", "--status and --owner are for an action only.")
                .to_owned()
        );
    }
    let c = &mut draft.content;
    if let Some(actor) = said.actor {
        c.actor = actor;
    }
    for target in said.target.into_iter().filter(|t| !t.trim().is_empty()) {
        if !c.targets.contains(&target) {
            c.targets.push(target);
        }
    }
    (c.status, c.assignee, c.effect, c.flags) = (status, said.owner, said.effect, said.flag);
    for path in said.attach {
        draft.attachments.push(desk.journal.attach(&path, ATTACHMENT_LIMIT)?);
    }
    let entry = desk.journal.add(&draft)?;
    desk.reload()?;
    tell_written(desk, &entry, json)
}

/// The entry as it was understood, and its id.
fn tell_written(desk: &Desk, entry: &Entry, json: bool) -> Result<()> {
    if json {
        crate::out::json(entry)?;
    } else if let Some(content) = &entry.content {
        outln!("{}\n{}", one_line(content, desk.lang), entry.header.entry_id);
    }
    Ok(())
}

fn list(desk: &Desk, all: bool, json: bool) -> Result<()> {
    if json {
        let told = tell(&desk.entries);
        let shown: Vec<Value> = told.iter().filter(|t| all || t.is_by_people()).map(told_json).collect();
        crate::out::json(&shown)?;
    } else {
        out!("{}", journal_text(&desk.entries, all, desk.lang));
    }
    Ok(())
}

fn told_json(told: &Told<'_>) -> Value {
    let ids = |list: &[&Entry]| list.iter().map(|e| e.header.entry_id.clone()).collect::<Vec<_>>();
    json!({
        "id": told.entry.header.entry_id, "kind": told.kind(), "recorded_at": told.entry.header.recorded_at,
        "writer": told.entry.header.writer, "content": told.content, "attachments": told.entry.header.attachments,
        "corrected_by": ids(&told.corrections), "redacted_by": ids(&told.redactions), "conflict": told.conflict,
    })
}

/// Replaces what an entry says. What the new line does not speak of stays: the time, who acted, targets given apart, the files.
fn correct(desk: &mut Desk, id: &str, line: &str, because: &str, json: bool) -> Result<()> {
    let entry = desk.journal.entry(id)?;
    let told = told_of(&desk.entries, &entry);
    let Some(before) = told.as_ref().and_then(|t| t.content.cloned()) else {
        bail!(
            desk.pick(
                "Le contenu de cette écriture a été retiré : rien à corriger.",
                "The content of this entry was removed: there is nothing to correct."
            )
            .to_owned()
        );
    };
    let attachments = told.map_or_else(Vec::new, |t| t.entry.header.attachments.clone());
    let (people, accounts) = (desk.known_people(), accounts(desk)?);
    let known = Known { now: desk.now(), zone: desk.zone.clone(), me: &before.actor, people: &people, accounts: &accounts };
    let read = quick::parse(line, &known).map_err(|e| anyhow::anyhow!(desk.say(&e.text()).to_owned()))?;
    let draft = Draft { attachments, ..corrected(before, read, &desk.me) };
    let entry = desk.journal.correct(&entry.header.entry_id, because, &draft)?;
    desk.reload()?;
    tell_written(desk, &entry, json)
}

fn corrected(before: Content, mut read: Draft, me: &str) -> Draft {
    let mut targets = std::mem::take(&mut read.content.targets);
    // Accounts that stood in the old text go with it; those given apart stay.
    let text = format!("{} {}", before.title, before.body).to_lowercase();
    let written = |t: &String| text.contains(t.split('@').next().unwrap_or(t).to_lowercase().as_str());
    targets.extend(before.targets.iter().filter(|t| !written(t)).cloned());
    let mut seen = std::collections::BTreeSet::new();
    targets.retain(|t| seen.insert(t.clone()));
    let when = if read.content.when.text.is_empty() { before.when.clone() } else { read.content.when };
    let (title, body, actor) = (read.content.title, read.content.body, read.content.actor);
    read.content =
        Content { when, title, body, actor, targets, recorded_by: me.to_owned(), origin: Origin::Typed, data: None, ..before };
    read
}

fn redact(desk: &mut Desk, id: &str, because: &str) -> Result<()> {
    let entry = desk.journal.entry(id)?;
    desk.journal.redact(&entry.header.entry_id, because, &desk.me)?;
    desk.reload()?;
    outln!("{} {}", desk.pick("Contenu retiré :", "Content removed:"), entry.header.entry_id);
    // Other versions of the entry, and files written before, may still hold it: who removes a secret must know.
    if let Some(told) = told_of(&desk.entries, &entry) {
        let versions = std::iter::once(told.entry).chain(told.corrections.iter().copied());
        for left in versions.filter(|e| e.content.is_some()) {
            let left = &left.header.entry_id;
            match desk.lang {
                Lang::Fr => outln!("Une autre version de cette écriture se lit encore : {left}. Retirez-la aussi si besoin."),
                Lang::En => outln!("Another version of this entry can still be read: {left}. Remove it too if needed."),
            }
        }
    }
    let written = written_files(&desk.entries);
    let still: Vec<String> = written.into_iter().filter(|f| desk.case.dir().join(f).exists()).map(|f| clean(&f)).collect();
    if !still.is_empty() {
        outln!(
            "{} {}",
            desk.pick("Écrits avant ce retrait, à refaire ou à supprimer :", "Written before, to be made again or deleted:"),
            still.join(", ")
        );
    }
    outln!(
        "{}",
        desk.pick(
            "Les copies du dossier faites avant gardent ce texte jusqu’à leur fusion.",
            "Copies of the case made before keep this text until they are merged."
        )
    );
    Ok(())
}

/// Journals and reports that were written below the case folder.
fn written_files(entries: &[Entry]) -> std::collections::BTreeSet<String> {
    let of = |e: &Entry| match Payload::of(e) {
        Some(Payload::Fact { name, mut facts }) if name == "export" => facts.remove("file").filter(|f| f.starts_with("reports/")),
        _ => None,
    };
    entries.iter().filter_map(of).collect()
}

fn anchor(desk: &mut Desk, to: &str) -> Result<()> {
    let entry = desk.journal.anchor(to, &desk.me)?;
    let head = match Payload::of(&entry) {
        Some(Payload::Fact { mut facts, .. }) => facts.remove("head").unwrap_or_default(),
        _ => String::new(),
    };
    outln!("{}", head_short(&head));
    outln!("{} {}", desk.pick("noté, communiqué à :", "noted, given to:"), clean(to));
    desk.reload()
}

/// The entry with everything that hangs on it, whichever of its versions was named.
fn told_of<'a>(entries: &'a [Entry], entry: &Entry) -> Option<Told<'a>> {
    let id = &entry.header.entry_id;
    let named = |t: &Told<'_>| t.entry.header.entry_id == *id || t.corrections.iter().any(|c| c.header.entry_id == *id);
    tell(entries).into_iter().find(named)
}

/// The value of a closed list that a word names. With `only`, one of these words.
fn one_of<T: serde::de::DeserializeOwned>(desk: &Desk, word: &str, only: &[&str]) -> Result<T> {
    let word = word.trim().to_lowercase();
    let allowed = only.is_empty() || only.contains(&word.as_str());
    match serde_json::from_value(Value::String(word.clone())) {
        Ok(value) if allowed => Ok(value),
        _ => {
            let known = if only.is_empty() { &["planned", "doing", "done", "failed", "cancelled"] } else { only };
            bail!("{} : {} ({})", clean(&word), desk.pick("valeur inconnue", "unknown value"), known.join(", "))
        }
    }
}

/// Accounts and people that the findings name, if the case was judged: what a typed line may speak of. An older judgement names
/// them as well as the latest one, and none names nobody.
fn accounts(desk: &Desk) -> Result<Vec<String>> {
    let findings = judged::latest(&desk.case, desk.lang)?.into_iter().flat_map(|t| t.findings);
    let names = findings.flat_map(|f| std::iter::once(f.subject).chain(f.actor));
    let names: std::collections::BTreeSet<String> = names.filter(|n| !n.trim().is_empty()).collect();
    Ok(names.into_iter().collect())
}
