//! `reflexe cases`: the cases of a folder of checks, run by the program that is there.
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::Result;
use reflexe_engine::cases;
use reflexe_model::Lang;

/// Runs them and prints each check with its faults; exit code 1 when a case fails.
///
/// # Errors
/// When the folder cannot be used or names no such check.
pub fn run(dir: Option<PathBuf>, ids: &[String], lang: Lang) -> Result<ExitCode> {
    let dir = dir.or_else(|| std::env::var_os("REFLEXE_FICHE_DIR").map(PathBuf::from)).unwrap_or_else(|| "fiche".into());
    let (checks, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    cases::run_folder(&dir, ids, &|id, faults| {
        checks.fetch_add(1, Ordering::Relaxed);
        failed.fetch_add(usize::from(!faults.is_empty()), Ordering::Relaxed);
        let lines: String = faults.iter().map(|f| format!("    {f}\n")).collect();
        out!("{} {id}\n{lines}", if faults.is_empty() { "✓" } else { "✗" });
    })?;
    let (checks, failed) = (checks.into_inner(), failed.into_inner());
    match lang {
        Lang::Fr => outln!("{checks} contrôle(s), {failed} en défaut"),
        Lang::En => outln!("{checks} check(s), {failed} with faults"),
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}
