//! The journal on a terminal: one entry on two lines, the second for everything that is not time, name and text.
use std::{collections::BTreeSet, fmt::Write as _};

use reflexe_model::{Content, Entry, Lang, Payload, Precision};

use super::{
    told::{Told, tell},
    words,
};
use crate::show::{visible, visible_cut};

/// Longest shown body, in characters; the exports have all of it.
const BODY: usize = 2_000;

/// The journal as text. `all`: also what the product wrote by itself; else a last line says how much of it is left out.
pub fn journal_text(entries: &[Entry], all: bool, lang: Lang) -> String {
    let told = tell(entries);
    let ids: BTreeSet<&str> = entries.iter().map(|e| e.header.entry_id.as_str()).collect();
    let (mut out, mut day, mut hidden) = (String::new(), String::new(), 0);
    for t in &told {
        if !all && !t.is_by_people() {
            hidden += 1;
            continue;
        }
        let moment = words::minute(t.content.map_or(&t.entry.header.recorded_at, |c| &c.when.start));
        let on = moment.split(' ').next().unwrap_or_default();
        if on != day {
            on.clone_into(&mut day);
            let _ = writeln!(out, "{}", visible(on, 20));
        }
        entry(&mut out, t, &ids, lang);
    }
    if out.is_empty() {
        out.push_str(if lang == Lang::Fr { "Aucune écriture.\n" } else { "No entry.\n" });
    }
    if hidden > 0 {
        let _ = match lang {
            Lang::Fr => writeln!(out, "+ {hidden} du logiciel (--all)"),
            Lang::En => writeln!(out, "+ {hidden} by the product (--all)"),
        };
    }
    out
}

fn entry(out: &mut String, told: &Told<'_>, ids: &BTreeSet<&str>, lang: Lang) {
    let fr = lang == Lang::Fr;
    let pick = |a: &'static str, b: &'static str| if fr { a } else { b };
    let mut more = vec![words::kind(told.kind(), lang).to_owned()];
    match told.content {
        Some(c) => {
            let _ =
                writeln!(out, "  {}  {}{}{}", words::hour(c), visible(&c.actor, 60), pick(" : ", ": "), visible(&c.title, 120));
            more.extend(details(told.entry, c, lang));
            if !c.body.is_empty() {
                for line in visible_cut(&c.body, BODY, &['\n']).0.lines() {
                    let _ = writeln!(out, "      | {line}");
                }
            }
        }
        None => {
            let hour = told.entry.header.recorded_at.get(11..16).unwrap_or_default();
            let _ = writeln!(out, "  {} UTC  [{}]", visible(hour, 5), pick("contenu retiré", "content removed"));
        }
    }
    if !told.corrections.is_empty() {
        more.push(format!("{} ({})", pick("corrigé", "corrected"), told.corrections.len()));
    }
    if told.conflict {
        more.push(pick("corrections qui se contredisent", "corrections that differ").to_owned());
    }
    more.push(short_id(&told.entry.header.entry_id, ids));
    let _ = writeln!(out, "      {}", more.join(" · "));
    // What was there before, and why it is not any more.
    let all: Vec<&Entry> = std::iter::once(told.entry).chain(told.corrections.iter().copied()).collect();
    for old in all.iter().filter(|e| e.content.as_ref().is_some_and(|c| told.content != Some(c))) {
        if let Some(c) = &old.content {
            let text = if c.body.is_empty() { &c.title } else { &c.body };
            let id = short_id(&old.header.entry_id, ids);
            let _ = writeln!(out, "      {} {}  [{id}]", pick("avant :", "before:"), visible(text, 160));
        }
    }
    if told.content.is_some() && all.iter().any(|e| e.content.is_none()) {
        let _ = writeln!(out, "      {}", pick("un texte antérieur a été retiré", "an earlier text was removed"));
    }
    for later in told.corrections.iter().chain(&told.redactions) {
        if let Some(Payload::Fact { mut facts, .. }) = Payload::of(later)
            && let Some(reason) = facts.remove("reason")
        {
            let who = later.content.as_ref().map_or("", |c| c.recorded_by.as_str());
            let _ = writeln!(out, "      {} {} ({})", pick("raison :", "reason:"), visible(&reason, 200), visible(who, 60));
        }
    }
}

/// Everything but time, name and text.
fn details(entry: &Entry, c: &Content, lang: Lang) -> Vec<String> {
    let pick = |a: &'static str, b: &'static str| if lang == Lang::Fr { a } else { b };
    let mut out = Vec::new();
    if !c.targets.is_empty() {
        out.push(c.targets.iter().map(|t| visible(t, 120)).collect::<Vec<_>>().join(", "));
    }
    if let Some(status) = c.status {
        out.push(words::status(status, lang).to_owned());
    }
    if let Some(who) = &c.assignee {
        out.push(format!("{} {}", pick("chargé :", "owner:"), visible(who, 60)));
    }
    if let Some(effect) = &c.effect {
        out.push(format!("{} {}", pick("effet :", "effect:"), visible(effect, 200)));
    }
    out.extend(c.flags.iter().filter_map(|f| words::flag(f, lang)).map(str::to_owned));
    if !entry.header.attachments.is_empty() {
        out.push(format!("{} {}", pick("pièces jointes :", "attachments:"), entry.header.attachments.len()));
    }
    if c.recorded_by != c.actor && !c.recorded_by.is_empty() {
        out.push(format!("{} {}", pick("noté par", "noted by"), visible(&c.recorded_by, 60)));
    }
    out.extend(words::late(&entry.header.recorded_at, c, lang));
    out
}

/// The beginning of an id that no other entry has.
fn short_id(id: &str, ids: &BTreeSet<&str>) -> String {
    let alone = |start: &&str| ids.iter().filter(|other| other.starts_with(*start)).count() == 1;
    let start = [13, 18, 23].iter().filter_map(|n| id.get(..*n)).find(alone);
    visible(start.unwrap_or(id), 36)
}

/// What an entry was understood to say, on one line: day and time, who, text, accounts.
pub fn one_line(c: &Content, lang: Lang) -> String {
    let day = words::minute(&c.when.start);
    let day = day.split(' ').next().unwrap_or_default();
    let mut parts = vec![format!("{} {}", visible(day, 20), words::hour(c)), visible(&c.actor, 60), visible(&c.title, 120)];
    if !c.targets.is_empty() {
        let list = c.targets.iter().map(|t| visible(t, 120)).collect::<Vec<_>>().join(", ");
        parts.push(format!("{} {list}", if lang == Lang::Fr { "comptes :" } else { "accounts:" }));
    }
    if c.when.precision == Precision::Unknown {
        parts.push((if lang == Lang::Fr { "heure inconnue" } else { "time unknown" }).to_owned());
    }
    parts.join(" · ")
}
