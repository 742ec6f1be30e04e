//! `reflexe steps`, `clocks` and `contacts`: what to do now, until when, and who to call.
mod clocks;
mod contacts;
pub mod lines;
mod steps;

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use reflexe_fiche::response::facts::Facts;
use reflexe_model::Lang;

use crate::{
    assemble::Answer,
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

/// The steps, one of them whole, or what a person says of one.
///
/// # Errors
/// When the case cannot be judged, or its journal cannot be written.
pub fn steps(desk: &mut Desk, said: Said, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    steps::run(desk, said, judge, json)
}

/// The clocks, or what a person says of one.
///
/// # Errors
/// When the case cannot be judged, its journal cannot be written, or the calendar cannot.
pub fn clocks(desk: &mut Desk, action: Option<ClockAction>, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    clocks::run(desk, action, judge, json)
}

/// Who to call. Works without a case too: then the public contacts alone are known.
///
/// # Errors
/// When the case or its pack is there and cannot be read.
pub fn contacts(dir: &Path, lang: Lang, json: bool) -> Result<ExitCode> {
    contacts::run(dir, lang, json)
}

/// What steps and clocks depend on, as it stands now.
fn facts(desk: &Desk, answer: &Answer) -> Facts {
    let people = desk.people().answers;
    let answers =
        people.questions().map(|id| (id.to_owned(), people.given(id).iter().map(|g| g.answer.clone()).collect())).collect();
    let mut facts = Facts::new(&answer.qualification, answers, desk.prepared.statuses());
    facts.names.clone_from(&answer.names);
    facts
}

/// Says what was wrong in the use of a command.
#[allow(clippy::unnecessary_wraps, reason = "what every command returns")]
fn wrong(text: &str) -> Result<ExitCode> {
    errln!("reflexe: {text}");
    Ok(ExitCode::from(2))
}
