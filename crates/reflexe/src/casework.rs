//! `reflexe case verify|merge|pack|unpack|people`: the case as a whole.
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use console::Term;
use reflexe_case::{
    Case, ImportOptions,
    journal::{self, Problem, Verified, bundle, head_short},
};
use reflexe_fiche::{
    Catalogue,
    answers::{Answers, Given, clock},
    interview::show_value,
    say::clean,
};
use reflexe_model::{Kind, Lang, Payload, Person};
use reflexe_report::journal::tell;
use serde_json::json;

use crate::{
    commands,
    desk::{Desk, warn_of_place},
    progress::Bar,
};

/// Names the passphrase of `pack` and `unpack` where nobody can type it.
const PASSPHRASE: &str = "REFLEXE_PASSPHRASE";

/// Verifies a case. Exit code 1 when something is not as it was written.
///
/// # Errors
/// When the folder is no case, or of another version.
pub fn verify(dir: &Path, lang: Lang, json: bool) -> Result<ExitCode> {
    warn_of_place(dir, lang);
    let verified = journal::verify(dir)?;
    if json {
        let list = |all: &[Problem]| {
            let one = |p: &Problem| json!({"place": p.place, "entry": p.entry, "fr": p.text.fr, "en": p.text.en});
            all.iter().map(one).collect::<Vec<_>>()
        };
        let writer = |w: &journal::Writer| json!({"key": w.key, "label": w.label, "entries": w.entries});
        let whole = json!({
            "intact": verified.is_intact(), "entries": verified.entries, "head": verified.head,
            "writers": verified.writers.iter().map(writer).collect::<Vec<_>>(),
            "problems": list(&verified.problems), "notices": list(&verified.notices),
        });
        crate::out::json(&whole)?;
    } else {
        tell_verified(&verified, lang);
    }
    Ok(ExitCode::from(u8::from(!verified.is_intact())))
}

fn tell_verified(verified: &Verified, lang: Lang) {
    outln!("{}", verified.badge(lang));
    outln!("{} {}", pick(lang, "Empreinte :", "Fingerprint:"), head_short(&verified.head));
    for writer in &verified.writers {
        outln!("  {}  {}", clean(&writer.label), writer.entries);
    }
    for problem in &verified.problems {
        outln!("✗ {}", sentence(problem.text.get(lang)));
    }
    for notice in &verified.notices {
        outln!("· {}", sentence(notice.text.get(lang)));
    }
}

/// A sentence of ours that quotes names of files: each word is cleaned, so that the sentence stays whole.
fn sentence(text: &str) -> String {
    text.split(' ').map(clean).collect::<Vec<_>>().join(" ")
}

fn pick<'t>(lang: Lang, fr: &'t str, en: &'t str) -> &'t str {
    if lang == Lang::Fr { fr } else { en }
}

/// Brings in what another copy of the case holds. Exit code 1 when something could not be brought over, or was changed.
///
/// # Errors
/// When the other folder is another case, or a folder cannot be read or written.
pub fn merge(dir: &Path, other: &Path, lang: Lang) -> Result<ExitCode> {
    warn_of_place(dir, lang);
    let mut case = Case::open(dir)?;
    commands::tell_doubts(&case, lang)?;
    let bar = Bar::new(lang);
    let report = journal::merge(&mut case, other, &ImportOptions { progress: &bar, ..ImportOptions::default() })?;
    bar.finish();
    let (entries, redacted, attachments, evidence) = (report.entries, report.redacted, report.attachments, report.evidence.len());
    match lang {
        Lang::Fr => {
            outln!("Reçu : {entries} écritures, {attachments} pièces jointes, {evidence} preuves ; {redacted} contenus retirés.")
        }
        Lang::En => outln!(
            "Received: {entries} entries, {attachments} attachments, {evidence} evidence files; {redacted} contents removed."
        ),
    }
    for missing in &report.missing {
        let (path, digest) = (clean(&missing.path), clean(&missing.digest));
        match lang {
            Lang::Fr => outln!("✗ {path} ({digest}) : l’original n’a pas pu être repris. Importez-le ici."),
            Lang::En => outln!("✗ {path} ({digest}): the original could not be brought over. Import it here."),
        }
    }
    tell_conflicts(&case, lang)?;
    tell_verified(&report.verified, lang);
    Ok(ExitCode::from(u8::from(!report.missing.is_empty() || !report.verified.is_intact())))
}

/// What people said differently without knowing of each other: nobody's word is dropped, one new entry decides.
fn tell_conflicts(case: &Case, lang: Lang) -> Result<()> {
    let entries = case.entries()?;
    let answers = Answers::fold(&entries);
    let catalogue = Catalogue::load()?;
    let (colon, answer) = (pick(lang, " :", ":"), pick(lang, "pour trancher :", "to decide:"));
    for id in answers.conflicts() {
        let question = catalogue.question(id).map_or_else(|| clean(id), |q| q.text().get(lang).to_owned());
        outln!("≠ {} {question}", clean(id));
        for given in answers.given(id) {
            outln!("    {} {}{colon} {}", clean(&given.who), clock(&given.at), said(&catalogue, id, given, lang));
        }
        outln!("    {answer} reflexe answer {} …", clean(id));
    }
    for (finding, marked) in answers.triage.iter().filter(|(_, m)| m.conflict) {
        let words = pick(lang, "marques différentes ; la plus grave est gardée", "marks differ; the gravest is kept");
        outln!("≠ {}{colon} {words} ({})\n    {answer} reflexe triage {} …", clean(finding), clean(&marked.who), clean(finding));
    }
    if answers.overrides.len() > 1 {
        let each = answers.overrides.iter().map(|d| format!("{} ({})", d.value.level, clean(&d.who))).collect::<Vec<_>>();
        outln!("≠ {}{colon} {}", pick(lang, "gravité retenue", "severity retained"), each.join(", "));
        outln!("    {answer} reflexe severity --retain …");
    }
    for told in tell(&entries).iter().filter(|t| t.conflict) {
        outln!(
            "≠ {} {}{colon} {}",
            pick(lang, "écriture", "entry"),
            clean(&told.entry.header.entry_id),
            pick(lang, "deux corrections différentes ; corrigez-la de nouveau", "two different corrections; correct it again")
        );
    }
    Ok(())
}

/// What somebody answered, in words.
fn said(catalogue: &Catalogue, id: &str, given: &Given, lang: Lang) -> String {
    let answer = &given.answer;
    if answer.dont_know.is_some() {
        return pick(lang, "ne sait pas", "does not know").to_owned();
    }
    if let Some(why) = &answer.not_applicable {
        return format!("{} ({})", pick(lang, "sans objet", "not applicable"), clean(why));
    }
    match catalogue.question(id) {
        Some(question) => show_value(question, answer.value.as_ref(), lang),
        None => {
            pick(lang, "réponse à une question que cette version ne connaît pas", "answer to a question unknown to this version")
                .to_owned()
        }
    }
}

/// Writes the whole case into one encrypted file.
///
/// # Errors
/// When no passphrase is given, or the case or the file cannot be read or written.
pub fn pack(dir: &Path, out: &Path, lang: Lang) -> Result<ExitCode> {
    let case = Case::open(dir)?;
    commands::tell_doubts(&case, lang)?;
    let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let below = |folder: &Path| -> std::io::Result<bool> { Ok(folder.canonicalize()?.starts_with(dir.canonicalize()?)) };
    if below(folder).with_context(|| folder.display().to_string())? {
        let why = pick(lang, "choisissez un fichier hors du dossier du cas.", "choose a file outside the case folder.");
        bail!("{}: {why}", out.display());
    }
    let passphrase = passphrase(true, lang)?;
    bundle::pack(&case, out, &passphrase)?;
    outln!("{}", out.display());
    let advice = pick(
        lang,
        "Donnez la phrase de passe par un autre canal, jamais par le tenant concerné.",
        "Give the passphrase by another channel, never through the tenant concerned.",
    );
    outln!("{advice}");
    Ok(ExitCode::SUCCESS)
}

/// Opens what `pack` wrote into a new folder, and verifies it. Exit code 1 when something was changed.
///
/// # Errors
/// When no passphrase is given or it is wrong, or the folder is not empty.
pub fn unpack(file: &Path, dir: &Path, lang: Lang) -> Result<ExitCode> {
    warn_of_place(dir, lang);
    let passphrase = passphrase(false, lang)?;
    let verified = bundle::unpack(file, dir, &passphrase, bundle::Limits::default())?;
    outln!("{}", PathBuf::from(dir).display());
    tell_verified(&verified, lang);
    Ok(ExitCode::from(u8::from(!verified.is_intact())))
}

/// The passphrase: of the environment, else typed without being shown, twice where a mistake would lock the case away.
fn passphrase(twice: bool, lang: Lang) -> Result<String> {
    if let Some(given) = std::env::var(PASSPHRASE).ok().filter(|p| !p.is_empty()) {
        return Ok(given);
    }
    let term = Term::stderr();
    if !term.is_term() {
        let why = pick(
            lang,
            "Personne ne peut taper la phrase de passe ici : lancez la commande dans un terminal, ou donnez-la par la variable",
            "Nobody can type the passphrase here: run the command in a terminal, or give it by the variable",
        );
        bail!("{why} {PASSPHRASE}.");
    }
    let ask = |words: &str| -> Result<String> {
        term.write_str(words)?;
        Ok(term.read_secure_line()?)
    };
    let first = ask(pick(lang, "Phrase de passe : ", "Passphrase: "))?;
    if twice && ask(pick(lang, "Encore une fois : ", "Once more: "))? != first {
        bail!(pick(lang, "Les deux phrases diffèrent : rien n’est écrit.", "The two differ: nothing is written.").to_owned());
    }
    Ok(first)
}

/// Adds somebody who works on the case, or lists them.
///
/// # Errors
/// When the name is empty, or the journal cannot be read or written.
pub fn people(desk: &mut Desk, person: Option<Person>, json: bool) -> Result<ExitCode> {
    if let Some(person) = person {
        let name = person.name.trim().to_owned();
        if name.is_empty() {
            bail!(desk.pick("Donnez un nom.", "Give a name.").to_owned());
        }
        let what = [person.role.trim(), person.organisation.trim()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>();
        let what = if what.is_empty() { String::new() } else { format!(" ({})", what.join(", ")) };
        let text = format!("{}{name}{what}", desk.pick("Travaille sur le cas : ", "Works on the case: "));
        desk.write(Kind::Note, &text, &Payload::Person(Person { name, ..person }))?;
    }
    let people = Answers::fold(&desk.entries).people;
    if json {
        crate::out::json(&people)?;
        return Ok(ExitCode::SUCCESS);
    }
    if people.is_empty() {
        outln!(
            "{}",
            desk.pick(
                "Personne n’est inscrit. Ajouter : --add NOM --role RÔLE --phone …",
                "Nobody is listed. Add: --add NAME --role ROLE --phone …"
            )
        );
    }
    for p in &people {
        let parts = [&p.name, &p.role, &p.organisation, &p.phone].into_iter().filter(|t| !t.trim().is_empty());
        outln!("{}", parts.map(|t| clean(t)).collect::<Vec<_>>().join(" · "));
    }
    Ok(ExitCode::SUCCESS)
}
