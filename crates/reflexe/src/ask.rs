//! `reflexe ask`, `answer`, `triage` and `severity`: what only people can say.
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{cli::JudgeArgs, desk::Desk};

/// An answer as given on the command line.
pub struct Given {
    pub value: Option<String>,
    pub confidence: Option<String>,
    pub dont_know: Option<String>,
    pub not_applicable: Option<String>,
    pub because: Option<String>,
}

/// A decision on the severity.
pub struct Decided {
    pub retain: Option<u8>,
    pub release: bool,
    pub keep_perimeter: Option<String>,
    pub because: Option<String>,
    pub countersigned: Option<String>,
}

pub fn interview(desk: &mut Desk, judge: &JudgeArgs) -> Result<ExitCode> {
    let _ = (desk, judge);
    bail!("ask")
}
pub fn answer(desk: &mut Desk, question: Option<String>, given: Given, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let _ = (desk, question, given.value, given.confidence, given.dont_know, given.not_applicable, given.because, judge, json);
    bail!("answer")
}
pub fn triage(desk: &mut Desk, finding: &str, mark: &str, because: Option<String>) -> Result<ExitCode> {
    let _ = (desk, finding, mark, because);
    bail!("triage")
}
pub fn severity(desk: &mut Desk, decided: Decided, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let _ = (desk, decided.retain, decided.release, decided.keep_perimeter, decided.because, decided.countersigned, judge, json);
    bail!("severity")
}
