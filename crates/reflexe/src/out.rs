//! The one way in which the program prints. Who reads may go away (`| head`), and a disk may be full: the first failure is kept,
//! what follows is dropped, the command does its work to the end, and [`ended`] says what came of it.
use std::{
    fmt, io,
    io::Write as _,
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use reflexe_fiche::say;
use reflexe_model::Lang;
use serde::Serialize;

/// Why the standard output takes nothing more.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Nobody gets what is printed any more; [`ended`] tells why.
#[derive(Debug)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the output is closed")
    }
}

impl std::error::Error for Lost {}

/// Prints.
macro_rules! out {
    ($($told:tt)*) => { $crate::out::print(format_args!($($told)*)) };
}

/// Prints a line.
macro_rules! outln {
    () => { $crate::out::print(format_args!("\n")) };
    ($($told:tt)*) => { $crate::out::print(format_args!("{}\n", format_args!($($told)*))) };
}

/// Prints a line on standard error.
macro_rules! errln {
    ($($told:tt)*) => { $crate::out::complain(format_args!($($told)*)) };
}

/// What [`out!`] and [`outln!`] stand for.
pub fn print(told: fmt::Arguments<'_>) {
    let _ = attempt(|| io::stdout().lock().write_fmt(told)); // kept, and said at the end
}

/// What [`errln!`] stands for.
pub fn complain(told: fmt::Arguments<'_>) {
    // An error may quote evidence; nothing of ours is hidden but line breaks and tabs.
    let told: Vec<String> =
        told.to_string().split('\n').map(|line| line.split('\t').map(say::clean_whole).collect::<Vec<_>>().join("\t")).collect();
    let _ = writeln!(io::stderr().lock(), "{}", told.join("\n")); // nowhere left to say that it failed
}

/// Prints JSON.
///
/// # Errors
/// When a value has no form in JSON.
pub fn json(value: &impl Serialize) -> Result<()> {
    print(format_args!("{}", reflexe_report::json(value)?));
    Ok(())
}

/// Hands over what waits: before somebody is asked something.
///
/// # Errors
/// When nobody gets it.
pub fn flush() -> Result<(), Lost> {
    attempt(|| io::stdout().lock().flush()).map_err(|_| Lost)
}

/// Remembers that printing failed.
pub fn failed(error: io::Error) {
    let _ = attempt(|| Err(error)); // kept, and said at the end
}

fn attempt(act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_none() {
        *failed = act().err();
    }
    if failed.is_some() { Err(io::Error::other(Lost)) } else { Ok(()) }
}

/// The standard output, for what writes by itself.
pub struct Out;

impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        attempt(|| io::stdout().lock().write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        attempt(|| io::stdout().lock().flush())
    }
}

/// Whether an error only tells that nobody reads.
pub fn is_lost(error: &anyhow::Error) -> bool {
    let inner = |e: &io::Error| e.get_ref().is_some_and(|e| e.is::<Lost>());
    error.chain().any(|cause| cause.is::<Lost>() || cause.downcast_ref().is_some_and(inner))
}

/// The exit code, once everything was handed over: that of the run, unless its output could not be written. A reader that went
/// away had what it wanted.
pub fn ended(code: ExitCode, lang: Lang) -> ExitCode {
    let _ = flush(); // looked at below
    let failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner).take();
    match failed {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            errln!(
                "reflexe: {}: {error}",
                match lang {
                    Lang::Fr => "la sortie n’a pas pu être écrite entièrement ; libérez de la place ou redirigez-la ailleurs",
                    Lang::En => "the output could not be written whole; free some space or send it elsewhere",
                }
            );
            ExitCode::from(3)
        }
        _ => code,
    }
}
