//! `reflexe journal`: the main courante on the command line.
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{cli::JournalAction, desk::Desk};

/// Runs one of its commands.
pub fn run(desk: &mut Desk, action: JournalAction, json: bool) -> Result<ExitCode> {
    let _ = (desk, action, json);
    bail!("journal")
}
