//! `reflexe prepare`, `glossary` and `attacks`: what can be done and read before anything happens.
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Result, anyhow};
use jiff::{Timestamp, tz::TimeZone};
use reflexe_case::journal::when::default_zone;
use reflexe_fiche::{
    Catalogue,
    pack::{Fault, Pack},
    response::{
        Response,
        def::{AttackDef, TermDef},
    },
    say::clean,
};
use reflexe_model::Lang;
use reflexe_report::KitInput;
use serde_json::{Value, json};

use crate::{cli::PrepareAction, respond::lines::Lines};

/// A preparation pack: made, checked, or printed.
///
/// # Errors
/// When a file cannot be read or written.
pub fn run(action: PrepareAction, lang: Lang, json: bool) -> Result<ExitCode> {
    let response = Response::load()?;
    match action {
        PrepareAction::New { pack } => new(&pack, &response, lang, json),
        PrepareAction::Check { pack } => check(&pack, &response, lang, json),
        PrepareAction::Print { pack, out } => print(&pack, out, &response, lang, json),
    }
}

fn new(dir: &Path, response: &Response, lang: Lang, json: bool) -> Result<ExitCode> {
    let written = Pack::create(dir, response, lang).map_err(|e| anyhow!(e.text().get(lang).to_owned()))?;
    if json {
        let files: Vec<String> = written.iter().map(|p| p.display().to_string()).collect();
        crate::out::json(&json!({ "files": files }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for path in &written {
        let about = response.pack.iter().find(|t| path.file_stem().is_some_and(|s| s == t.id.as_str()));
        let profile = if lang == Lang::Fr { "L’organisation" } else { "The organisation" };
        outln!("{}  {}", path.display(), about.map_or(profile, |t| t.title.get(lang)));
    }
    let dir = dir.display();
    match lang {
        Lang::Fr => outln!("\nRemplissez ces fichiers hors du tenant, puis : reflexe prepare check {dir}"),
        Lang::En => outln!("\nFill these files in outside the tenant, then: reflexe prepare check {dir}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn load(dir: &Path, response: &Response, lang: Lang) -> Result<(Pack, Vec<Fault>)> {
    Pack::load(dir, response).map_err(|e| anyhow!(e.text().get(lang).to_owned()))
}

fn fault_line(f: &Fault, lang: Lang) -> String {
    let line = f.line.map(|n| format!(":{n}")).unwrap_or_default();
    let colon = if lang == Lang::Fr { " :" } else { ":" };
    format!("{}{line}{colon} {}", f.file, f.text.get(lang))
}

fn zone_of(pack: &Pack) -> TimeZone {
    TimeZone::get(&pack.profile.zone).unwrap_or_else(|_| default_zone())
}

fn check(dir: &Path, response: &Response, lang: Lang, json: bool) -> Result<ExitCode> {
    let (pack, faults) = load(dir, response, lang)?;
    let fresh = pack.freshness(Timestamp::now().to_zoned(zone_of(&pack)).date());
    let code = ExitCode::from(u8::from(!faults.is_empty()));
    if json {
        let faults: Vec<Value> = faults.iter().map(|f| json!({ "file": f.file, "line": f.line, "text": f.text })).collect();
        let tables: Vec<Value> = fresh
            .tables
            .iter()
            .map(|t| {
                let old: Vec<Value> = t.old.iter().map(|(line, owner)| json!({ "line": line, "owner": owner })).collect();
                json!({ "table": t.table, "title": t.title, "rows": t.rows, "fresh": t.fresh, "old": old,
                        "next_check": t.next_check.map(|d| d.to_string()), "unknown": t.unknown })
            })
            .collect();
        let told = json!({ "schema": "reflexe.preparation/1", "score": fresh.score, "reminder": fresh.reminder.map(|d| d.to_string()),
                           "faults": faults, "tables": tables });
        crate::out::json(&told)?;
        return Ok(code);
    }
    let fr = lang == Lang::Fr;
    let title = |fr_text: &str, en: &str| outln!("\n{}", if fr { fr_text } else { en });
    if fr {
        outln!("À jour à {} %.", fresh.score);
    } else {
        outln!("Up to date at {} %.", fresh.score);
    }
    if !faults.is_empty() {
        title("À CORRIGER (ces lignes ne sont pas utilisées)", "TO CORRECT (these rows are not used)");
        faults.iter().for_each(|f| outln!("  {}", fault_line(f, lang)));
    }
    title("TABLES", "TABLES");
    for t in &fresh.tables {
        let (rows, good) = (t.rows, t.fresh);
        let state = match (rows, rows - good) {
            (0, _) if fr => "vide".to_owned(),
            (0, _) => "empty".to_owned(),
            (_, 0) if fr => format!("{rows} à jour"),
            (_, 0) => format!("{rows} up to date"),
            (_, old) if fr => format!("{good} à jour, {old} à revérifier"),
            (_, old) => format!("{good} up to date, {old} to check again"),
        };
        let next = t.next_check.map(|d| format!("  → {d}")).unwrap_or_default();
        outln!("  {:18} {:52} {state}{next}", format!("{}.csv", t.table), t.title.get(lang));
        for (line, owner) in t.old.iter().take(5) {
            let word = if fr { "ligne" } else { "line" };
            outln!("  {:18} {word} {line} · {}", "", clean(owner));
        }
        if t.old.len() > 5 {
            outln!("  {:18} … {} {}", "", t.old.len() - 5, if fr { "de plus" } else { "more" });
        }
    }
    let unknown: Vec<&str> = fresh.tables.iter().filter_map(|t| t.unknown.as_ref()).map(|t| t.get(lang)).collect();
    if !unknown.is_empty() {
        title("SI L’INCIDENT COMMENÇAIT AUJOURD’HUI, PERSONNE NE SAURAIT", "IF THE INCIDENT BEGAN TODAY, NOBODY COULD TELL");
        unknown.iter().for_each(|u| outln!("  · {u}"));
    }
    if let Some(day) = fresh.reminder {
        outln!("\n{} {day}", if fr { "À relire le" } else { "Look again on" });
    }
    Ok(code)
}

fn print(dir: &Path, out: Option<PathBuf>, response: &Response, lang: Lang, json: bool) -> Result<ExitCode> {
    let (pack, faults) = load(dir, response, lang)?;
    for fault in &faults {
        errln!("{}", fault_line(fault, lang));
    }
    let out = out.unwrap_or_else(|| dir.to_owned());
    let catalogue = Catalogue::load()?;
    let input = KitInput { catalogue: &catalogue, response, pack: &pack, now: Timestamp::now() };
    let mut written = Vec::new();
    for one in [Lang::Fr, Lang::En] {
        let path = out.join(if one == Lang::Fr { "kit.fr.html" } else { "kit.en.html" });
        crate::files::plain(&path, reflexe_report::kit(&input, one)?.as_bytes())?;
        written.push(path.display().to_string());
    }
    if json {
        crate::out::json(&json!({ "files": written, "faults": faults.len() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    written.iter().for_each(|path| outln!("{path}"));
    match lang {
        Lang::Fr => outln!(
            "Ouvrez-les dans un navigateur et imprimez en A4. Rangez le papier hors du tenant : il nomme vos administrateurs."
        ),
        Lang::En => {
            outln!("Open them in a browser and print on A4. Keep the paper outside the tenant: it names your administrators.")
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Words explained: all, or those that hold a word.
///
/// # Errors
/// When the sheet cannot be read.
pub fn glossary(word: Option<&str>, lang: Lang, json: bool) -> Result<ExitCode> {
    let response = Response::load()?;
    let wanted = word.map(plain).unwrap_or_default();
    let named = |t: &&TermDef| [&t.fr.term, &t.en.term].iter().any(|s| plain(s).contains(&wanted));
    let explained = |t: &&TermDef| [&t.fr.means, &t.en.means].iter().any(|s| plain(s).contains(&wanted));
    let mut found: Vec<&TermDef> = response.glossary().iter().filter(named).collect();
    if found.is_empty() {
        found = response.glossary().iter().filter(explained).collect();
    }
    if lang == Lang::En {
        found.sort_by_key(|t| plain(&t.en.term));
    }
    if json {
        let side = |s: &reflexe_fiche::response::def::TermSide| json!({ "term": s.term, "means": s.means });
        let told: Vec<Value> = found.iter().map(|t| json!({ "fr": side(&t.fr), "en": side(&t.en) })).collect();
        crate::out::json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = Lines::default();
    for t in &found {
        let (mine, other) = if lang == Lang::Fr { (&t.fr, &t.en) } else { (&t.en, &t.fr) };
        let also = if plain(&mine.term) == plain(&other.term) { String::new() } else { format!("  ({})", other.term) };
        out.say("", &format!("{}{also}", mine.term));
        out.say("    ", &mine.means);
    }
    out!("{}", out.text());
    none(found.is_empty(), word, lang);
    Ok(ExitCode::SUCCESS)
}

/// Attacks explained: all, one technique, or those that hold a word.
///
/// # Errors
/// When the sheet cannot be read.
pub fn attacks(word: Option<&str>, lang: Lang, json: bool) -> Result<ExitCode> {
    let response = Response::load()?;
    let wanted = word.map(plain).unwrap_or_default();
    let exact = response.attacks().iter().find(|a| {
        let ids = [Some(&a.id), a.v18.as_ref(), a.v19.as_ref()];
        ids.into_iter().flatten().any(|id| plain(id) == wanted)
    });
    let holds = |a: &&AttackDef| {
        let texts = [&a.id, &a.name, &a.title.fr, &a.title.en, &a.looks_like.fr, &a.looks_like.en];
        texts.iter().any(|s| plain(s).contains(&wanted))
    };
    let found: Vec<&AttackDef> = exact.map_or_else(|| response.attacks().iter().filter(holds).collect(), |one| vec![one]);
    if json {
        let told = found.iter().map(|a| {
            json!({ "id": a.id, "name": a.name, "title": a.title, "looks_like": a.looks_like, "sheet": a.sheet, "v18": a.v18,
                    "v19": a.v19, "verified": a.verified })
        });
        crate::out::json(&told.collect::<Vec<Value>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let fr = lang == Lang::Fr;
    let mut out = Lines::default();
    for a in &found {
        let mut marks = Vec::new();
        marks.extend(a.sheet.then_some(if fr { "citée par la fiche" } else { "cited by the sheet" }.to_owned()));
        marks.extend(a.v18.as_ref().map(|v| format!("ATT&CK v18{} {v}", if fr { " :" } else { ":" })));
        marks.extend(a.v19.as_ref().map(|v| format!("ATT&CK v19{} {v}", if fr { " :" } else { ":" })));
        marks.extend((!a.verified).then_some(if fr { "à vérifier" } else { "to be verified" }.to_owned()));
        let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
        out.say(&format!("{:10} ", a.id), &format!("{} · {}{marks}", a.title.get(lang), a.name));
        out.say("    ", a.looks_like.get(lang));
    }
    out!("{}", out.text());
    none(found.is_empty(), word, lang);
    Ok(ExitCode::SUCCESS)
}

/// Says that nothing was found.
fn none(empty: bool, word: Option<&str>, lang: Lang) {
    if let (true, Some(word)) = (empty, word) {
        match lang {
            Lang::Fr => outln!("Rien ne contient « {} ».", clean(word)),
            Lang::En => outln!("Nothing contains “{}”.", clean(word)),
        }
    }
}

/// Lower case, without the accents and marks of French, so that `eviction` finds `Éviction`.
fn plain(text: &str) -> String {
    let fold = |c: char| match c {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        '’' => '\'',
        other => other,
    };
    text.trim().chars().flat_map(char::to_lowercase).map(fold).collect()
}
