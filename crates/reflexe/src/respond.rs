//! `reflexe steps`, `clocks` and `contacts`: what to do now, until when, and who to call.
use std::{path::Path, process::ExitCode};

use anyhow::{Result, bail};
use reflexe_model::Lang;

use crate::{
    cli::{ClockAction, JudgeArgs},
    desk::Desk,
};

/// What a person says of a step.
pub struct Said {
    pub step: Option<String>,
    pub status: Option<String>,
    pub target: Option<String>,
    pub owner: Option<String>,
    pub due: Option<String>,
    pub effect: Option<String>,
}

pub fn steps(desk: &mut Desk, said: Said, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let _ = (desk, said.step, said.status, said.target, said.owner, said.due, said.effect, judge, json);
    bail!("steps")
}
pub fn clocks(desk: &mut Desk, action: Option<ClockAction>, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let _ = (desk, action, judge, json);
    bail!("clocks")
}
pub fn contacts(dir: &Path, lang: Lang, json: bool) -> Result<ExitCode> {
    let _ = (dir, lang, json);
    bail!("contacts")
}
