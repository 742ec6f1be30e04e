//! The user's language: from `--lang`, else from the locale; and the French words of the command line.
use std::{collections::BTreeMap, ffi::OsString};

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

/// `words/help.fr.toml`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct French {
    about: String,
    command: BTreeMap<String, String>,
    argument: BTreeMap<String, String>,
}

/// The command line's help in the user's language.
pub fn translated(command: clap::Command, lang: Lang) -> clap::Command {
    if lang == Lang::En {
        return command;
    }
    let Ok(french) = toml::from_str::<French>(include_str!("../words/help.fr.toml")) else {
        return command; // held by a test
    };
    let about = french.about.clone();
    in_french(command, "", &french).about(about)
}

fn in_french(mut command: clap::Command, path: &str, french: &French) -> clap::Command {
    if let Some(about) = french.command.get(path) {
        command = command.about(about.clone());
    }
    let ids: Vec<clap::Id> = command.get_arguments().map(|a| a.get_id().clone()).collect();
    for id in ids {
        if let Some(help) = french.argument.get(id.as_str()) {
            command = command.mut_arg(id, |a| a.help(help.clone()));
        }
    }
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in names {
        let below = format!("{path} {name}").trim_start().to_owned();
        command = command.mut_subcommand(&name, |c| in_french(c, &below, french));
    }
    command
        .subcommand_help_heading("Commandes")
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .arg(clap::Arg::new("help").short('h').long("help").action(clap::ArgAction::Help).help("Afficher cette aide"))
        .help_template("{about-with-newline}\nUsage : {usage}\n\n{all-args}")
}

/// An error in the user's language, with its causes.
pub fn error(error: &anyhow::Error, lang: Lang) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = match (cause.downcast_ref::<reflexe_case::Error>(), cause.downcast_ref::<reflexe_engine::EngineError>()) {
            (Some(e), _) => e.text().get(lang).to_owned(),
            (_, Some(reflexe_engine::EngineError::Refused(text))) => text.get(lang).to_owned(),
            _ => cause.to_string(),
        };
        if parts.last() != Some(&text) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;

    fn walk(command: &clap::Command, path: &str, commands: &mut BTreeSet<String>, arguments: &mut BTreeSet<String>) {
        arguments.extend(command.get_arguments().map(|a| a.get_id().as_str().to_owned()));
        for sub in command.get_subcommands() {
            let below = format!("{path} {}", sub.get_name()).trim_start().to_owned();
            walk(sub, &below, commands, arguments);
            commands.insert(below);
        }
    }

    #[test]
    fn every_command_and_argument_is_told_in_french_and_nothing_else_is() {
        let french: French = toml::from_str(include_str!("../words/help.fr.toml")).unwrap();
        let (mut commands, mut arguments) = (BTreeSet::new(), BTreeSet::new());
        walk(&crate::cli::Cli::command(), "", &mut commands, &mut arguments);
        assert_eq!(french.command.keys().cloned().collect::<BTreeSet<_>>(), commands);
        assert_eq!(french.argument.keys().cloned().collect::<BTreeSet<_>>(), arguments);
        let mut told = translated(crate::cli::Cli::command(), Lang::Fr);
        let help = told.find_subcommand_mut("qualify").unwrap().render_long_help().to_string();
        assert!(help.contains("Votre nom") && help.contains("Usage :") && !help.contains("Print help"), "{help}");
    }
}
