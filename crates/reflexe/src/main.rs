//! The binary: reads the command line, wires the parts together, prints. Exit code: 0 done, 1 done but evidence was
//! rejected in part or not recognised, 2 wrong use, 3 failed.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod ask;
mod assemble;
mod cases;
mod casework;
mod cli;
mod commands;
mod desk;
mod files;
mod journal;
mod judged;
mod locale;
mod prepare;
mod prepared;
mod progress;
mod respond;
mod severity;
mod triage;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let lang = locale::from_arguments(std::env::args_os());
    let matches = match locale::translated(cli::Cli::command(), lang).try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print(); // nowhere left to say that printing failed
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let cli = match cli::Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match commands::run(cli, lang) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("reflexe: {}", locale::error(&error, lang));
            ExitCode::from(3)
        }
    }
}
