//! `reflexe prepare`, `glossary` and `attacks`.
use std::process::ExitCode;

use anyhow::{Result, bail};
use reflexe_model::Lang;

use crate::cli::PrepareAction;

pub fn run(action: PrepareAction, lang: Lang, json: bool) -> Result<ExitCode> {
    let _ = (action, lang, json);
    bail!("prepare")
}
pub fn glossary(word: Option<&str>, lang: Lang, json: bool) -> Result<ExitCode> {
    let _ = (word, lang, json);
    bail!("glossary")
}
pub fn attacks(word: Option<&str>, lang: Lang, json: bool) -> Result<ExitCode> {
    let _ = (word, lang, json);
    bail!("attacks")
}
