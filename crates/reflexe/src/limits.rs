//! Limits that the system sets on a process: what they refuse is told and leaves the case whole, instead of ending the program without
//! a word.
use std::process::ExitCode;

use reflexe_model::Lang;

/// Set in the process that works while another watches over it.
#[cfg(unix)]
const WATCHED: &str = "REFLEXE_WATCHED";

/// Turns a file that grows past `ulimit -f` into an error of writing, which is told; the signal would end the process.
pub fn tell_file_size() {
    #[cfg(unix)]
    {
        let met = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        // Where no handler can be set the system ends the process as it always did.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, met);
    }
}

/// Under `ulimit -v` an allocation that is refused aborts the process at once, and no code of it can say why: the work is then done by
/// a child, and this process tells how it ended. `None` where the work is to be done here.
#[cfg(unix)]
pub fn watched(lang: Lang) -> Option<ExitCode> {
    use std::os::unix::process::ExitStatusExt as _;
    if std::env::var_os(WATCHED).is_some() {
        // A thread that could not be started leaves others waiting for it: here every panic ends the process, and is told outside.
        std::panic::set_hook(Box::new(|what| {
            errln!("{what}");
            std::process::abort();
        }));
        return None;
    }
    if !memory_is_limited() {
        return None;
    }
    let program = std::env::current_exe().ok()?;
    let mut child = std::process::Command::new(program);
    // A trace needs memory as well, and waits for ever where it is refused half-way.
    child.args(std::env::args_os().skip(1)).env(WATCHED, "1").env("RUST_BACKTRACE", "0");
    let status = child.status().ok()?;
    if status.signal() == Some(signal_hook::consts::SIGABRT) {
        match lang {
            Lang::Fr => errln!(
                "reflexe : le système refuse de la mémoire (ulimit -v). Ce qui était écrit dans le cas y reste ; levez la limite et relancez la même commande."
            ),
            Lang::En => errln!(
                "reflexe: the system refuses memory (ulimit -v). What was written to the case stays there; lift the limit and run the same command again."
            ),
        }
        return Some(ExitCode::from(3));
    }
    Some(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(3)))
}

/// Other systems refuse memory in other ways.
#[cfg(not(unix))]
pub fn watched(_: Lang) -> Option<ExitCode> {
    None
}

/// Whether the memory of this process is limited. Linux tells in a file; elsewhere nobody is asked.
#[cfg(unix)]
fn memory_is_limited() -> bool {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let mut memory = limits.lines().filter(|l| l.starts_with("Max address space") || l.starts_with("Max data size"));
    memory.any(|line| line.split_whitespace().nth(3).is_some_and(|soft| soft.parse::<u64>().is_ok()))
}
