//! The binary: reads the command line, wires the parts together, prints. Exit code: 0 done, 1 done but evidence was
//! rejected in part or not recognised, 2 wrong use, 3 failed.
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[macro_use]
mod out;

mod ask;
mod assemble;
mod because;
mod cases;
mod casework;
mod catalogues;
mod check;
mod cli;
mod commands;
mod dates;
mod desk;
mod files;
mod journal;
mod judged;
mod limits;
mod locale;
mod original;
mod prepare;
mod prepared;
mod progress;
mod respond;
mod row;
mod severity;
mod triage;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let lang = locale::from_arguments(std::env::args_os());
    limits::tell_file_size();
    if let Some(code) = limits::watched(lang) {
        return code;
    }
    let matches = match locale::translated(cli::Cli::command(), lang).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return told(&error, lang),
    };
    let cli = match cli::Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return told(&error, lang),
    };
    let code = match commands::run(cli, lang) {
        Ok(code) => code,
        Err(error) if out::is_lost(&error) => ExitCode::SUCCESS, // why, and whether it matters, is said below
        Err(error) => {
            errln!("reflexe: {}", locale::error(&error, lang));
            ExitCode::from(3)
        }
    };
    out::ended(code, lang)
}

/// Help, the version, or what is wrong with the command line.
fn told(text: &clap::Error, lang: reflexe_model::Lang) -> ExitCode {
    let printed = text.print();
    if text.use_stderr() {
        return ExitCode::from(2);
    }
    printed.unwrap_or_else(out::failed);
    out::ended(ExitCode::SUCCESS, lang)
}
