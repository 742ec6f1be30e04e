//! `simulate SCENARIO OUT [--users N] [--days N] [--events N] [--seed N] [--ual csv|jsonl] [--ual-only]`
#![allow(clippy::print_stdout)] // a command
use std::path::Path;
use std::process::ExitCode;

use reflexe_simulate::{Options, Parts, UalFormat, scenarios, simulate};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), String> {
    let mut args = std::env::args().skip(1);
    let (Some(scenario), Some(out)) = (args.next(), args.next()) else {
        let known: Vec<String> =
            scenarios().map_err(|e| e.to_string())?.iter().map(|s| format!("{}: {}", s.name, s.title.en)).collect();
        return Err(format!(
            "usage: simulate SCENARIO OUT [--users N] [--days N] [--events N] [--seed N] [--ual csv|jsonl] [--ual-only]\n{}",
            known.join("\n")
        ));
    };
    let mut options = Options::new(&scenario);
    while let Some(flag) = args.next() {
        if flag == "--ual-only" {
            options.parts = Parts::UalOnly;
            continue;
        }
        let value = args.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{flag}: `{value}` is not a number"));
        match flag.as_str() {
            "--users" => options.users = number()? as u32,
            "--days" => options.days = number()? as u32,
            "--events" => options.events = number()?,
            "--seed" => options.seed = number()?,
            "--ual" if value == "csv" => options.ual = UalFormat::Csv,
            "--ual" if value == "jsonl" => options.ual = UalFormat::Jsonl,
            _ => return Err(format!("{flag} {value}: not understood")),
        }
    }
    let summary = simulate(&options, Path::new(&out)).map_err(|e| e.to_string())?;
    println!("{summary:#?}");
    Ok(())
}
