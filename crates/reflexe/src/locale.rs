//! The user's language: from `--lang`, else from the locale; and the French words of the command line.
use std::ffi::OsString;

use reflexe_model::Lang;

/// The language, before the command line is parsed: help and errors of use must already speak it.
pub fn from_arguments(args: impl Iterator<Item = OsString>) -> Lang {
    let args: Vec<String> = args.map(|a| a.to_string_lossy().into_owned()).collect();
    let given = args.iter().enumerate().find_map(|(i, a)| match a.strip_prefix("--lang") {
        Some("") => args.get(i + 1).cloned(),
        Some(rest) => rest.strip_prefix('=').map(str::to_owned),
        None => None,
    });
    let from_environment =
        || ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|v| std::env::var(v).ok().filter(|v| !v.is_empty()));
    match given.or_else(from_environment) {
        Some(word) if word.to_lowercase().starts_with("fr") => Lang::Fr,
        _ => Lang::En,
    }
}

/// The command line's help in the user's language.
pub fn translated(command: clap::Command, lang: Lang) -> clap::Command {
    if lang == Lang::En {
        return command;
    }
    let mut command = command
        .about("Qualifier une compromission supposée d’un tenant Microsoft 365 / Entra ID, hors ligne, à partir de ses exports");
    for (name, about) in FRENCH {
        command = command.mut_subcommand(name, |c| c.about(about));
    }
    command
}

/// What each command does, in French.
const FRENCH: [(&str, &str); 12] = [
    ("demo", "Un tenant compromis simulé, jugé, avec son rapport"),
    ("qualify", "Importer des preuves, les juger, donner la réponse et écrire le rapport"),
    ("import", "Importer des fichiers ou dossiers dans un cas ; dire ce qui est reconnu et ce qui ne l’est pas"),
    ("check", "Relancer des contrôles sur un cas"),
    ("case", "Créer un cas ou montrer ce qu’il contient"),
    ("query", "Interroger les tables, en SQL"),
    ("report", "Réécrire le rapport"),
    ("tables", "Lister les tables et leurs colonnes"),
    ("checks", "Lister les contrôles"),
    ("items", "Lister les points de la fiche"),
    ("sources", "Lister ce qui peut être importé"),
    ("simulate", "Écrire un tenant simulé, avec sa vérité à côté"),
];

/// An error in the user's language, with its causes.
pub fn error(error: &anyhow::Error, lang: Lang) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text =
            cause.downcast_ref::<reflexe_case::Error>().map_or_else(|| cause.to_string(), |e| e.text().get(lang).to_owned());
        if parts.last() != Some(&text) {
            parts.push(text);
        }
    }
    parts.join(": ")
}
