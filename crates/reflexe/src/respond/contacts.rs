//! Who to call: the organisation's own contacts first, then the public ones, with who answers now and whom the suspect tenant
//! would overhear.
use std::{collections::BTreeSet, path::Path, process::ExitCode};

use anyhow::Result;
use jiff::Timestamp;
use reflexe_case::journal::when::default_zone;
use reflexe_fiche::{
    contacts::{Badge, Contact},
    response::Response,
    say::clean,
};
use reflexe_model::{Lang, Text};
use serde_json::{Value, json};

use super::lines::{Lines, moment};
use crate::{commands, judged, prepared::Prepared};

pub fn run(dir: &Path, lang: Lang, json: bool) -> Result<ExitCode> {
    let (response, now) = (Response::load()?, Timestamp::now());
    let known = dir.is_dir();
    if !known {
        let dir = dir.display();
        match lang {
            Lang::Fr => errln!("Pas de cas dans {dir} : seuls les contacts publics sont connus."),
            Lang::En => errln!("No case in {dir}: the public contacts alone are known."),
        }
    }
    let prepared = Prepared::of_case(dir, &response, now.to_zoned(default_zone()).date(), lang)?;
    let own = prepared.pack.as_ref().map(reflexe_fiche::pack::Pack::contacts).unwrap_or_default();
    let domains = if known { domains(dir, lang)? } else { Vec::new() };
    // A card that only says "write yours here" is of no use beside those that were written.
    let public = response.contacts.iter().filter(|c| !c.own || own.is_empty()).map(Contact::from);
    let all: Vec<Contact> = own.iter().cloned().chain(public).collect();
    if json {
        let told = all.iter().map(|c| as_json(c, &domains, now)).collect::<Result<Vec<_>>>()?;
        crate::out::json(&json!({ "schema": "reflexe.contacts/1", "contacts": told }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = Lines::default();
    let (mine, others): (Vec<&Contact>, Vec<&Contact>) = all.iter().partition(|c| c.own);
    let written = !own.is_empty();
    let word = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    out.title(word("LES VÔTRES", "YOUR OWN"));
    if own.is_empty() {
        out.say(
            "  ",
            word(
                "Aucun n’est écrit. Le dossier de préparation les garde : reflexe prepare new DOSSIER, puis --prepared DOSSIER.",
                "None is written. The preparation pack keeps them: reflexe prepare new FOLDER, then --prepared FOLDER.",
            ),
        );
    }
    for c in mine {
        card(&mut out, c, written, &domains, now, lang)?;
    }
    out.title(word("PUBLICS", "PUBLIC"));
    for c in others {
        card(&mut out, c, false, &domains, now, lang)?;
    }
    out!("{}", out.text());
    Ok(ExitCode::SUCCESS)
}

/// Domains of the suspect tenant: what the evidence names, and what the judgement that was kept knows.
fn domains(dir: &Path, lang: Lang) -> Result<Vec<String>> {
    let case = commands::existing(dir, lang)?;
    let mut out: BTreeSet<String> = case.tenancy()?.judged().into_iter().flat_map(|t| t.domains).collect();
    out.extend(judged::latest(&case, lang)?.into_iter().flat_map(|t| t.case.tenant.domains));
    Ok(out.into_iter().collect())
}

fn badge(c: &Contact, now: Timestamp, lang: Lang) -> Result<String> {
    Ok(match (c.badge(now)?, lang) {
        (Badge::Open, Lang::Fr) => "RÉPOND MAINTENANT".to_owned(),
        (Badge::Open, Lang::En) => "ANSWERS NOW".to_owned(),
        (Badge::ClosedNow(Some(next)), Lang::Fr) => format!("FERMÉ, rouvre {}", moment(&next, lang)),
        (Badge::ClosedNow(Some(next)), Lang::En) => format!("CLOSED, opens {}", moment(&next, lang)),
        (Badge::ClosedNow(None), Lang::Fr) => "FERMÉ".to_owned(),
        (Badge::ClosedNow(None), Lang::En) => "CLOSED".to_owned(),
        (Badge::Unknown, Lang::Fr) => "horaires non connus".to_owned(),
        (Badge::Unknown, Lang::En) => "hours not known".to_owned(),
    })
}

/// `written`: by the organisation; then its texts are bounded and shown as what they are.
fn card(out: &mut Lines, c: &Contact, written: bool, domains: &[String], now: Timestamp, lang: Lang) -> Result<()> {
    let word = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    let shown = |list: &[String]| list.iter().map(|t| clean(t)).collect::<Vec<_>>().join(" · ");
    let own = |t: &Text| if written { clean(t.get(lang)) } else { t.get(lang).to_owned() };
    let phones = if c.phones.is_empty() { String::new() } else { format!("  ☎ {}", shown(&c.phones)) };
    let none = c.phones.is_empty() && c.emails.is_empty() && c.urls.is_empty();
    let head = format!("{}{phones}  [{}]", own(&c.name), badge(c, now, lang)?);
    out.say("  ", &head);
    let mut about = vec![own(&c.whom), own(&c.call_for)];
    about.retain(|t| !t.is_empty());
    if !c.contract.is_empty() {
        about.push(format!("{} {}", word("contrat", "contract"), clean(&c.contract)));
    }
    if !about.is_empty() {
        out.say("      ", &about.join(" · "));
    }
    let reach: Vec<String> = c.emails.iter().chain(&c.urls).map(|t| clean(t)).collect();
    let mut seen = Vec::new();
    if !c.as_of.is_empty() {
        seen.push(format!("{} {}", word("vu le", "seen on"), clean(&c.as_of)));
    }
    if !c.verified {
        seen.push(word("à vérifier", "to be verified").to_owned());
    }
    if none && c.own {
        seen.push(word("à écrire dans le dossier de préparation", "to be written in the preparation pack").to_owned());
    }
    let last: Vec<String> = reach.into_iter().chain(seen).collect();
    if !last.is_empty() {
        out.say("      ", &last.join(" · "));
    }
    if let Some(warning) = c.tenant_warning(domains) {
        out.say("    ! ", warning.get(lang));
    }
    Ok(())
}

fn as_json(c: &Contact, domains: &[String], now: Timestamp) -> Result<Value> {
    let (open, opens_at) = match c.badge(now)? {
        Badge::Open => (Some(true), None),
        Badge::ClosedNow(next) => (Some(false), next.map(|z| z.timestamp().to_string())),
        Badge::Unknown => (None, None),
    };
    Ok(json!({
        "name": c.name, "whom": c.whom, "call_for": c.call_for, "phones": c.phones, "emails": c.emails, "urls": c.urls,
        "contract": c.contract, "own": c.own, "open": open, "opens_at": opens_at, "as_of": c.as_of, "verified": c.verified,
        "warning": c.tenant_warning(domains),
    }))
}
