//! `reflexe case verify|merge|pack|unpack|people`: the case as a whole.
use std::{path::Path, process::ExitCode};

use anyhow::{Result, bail};
use reflexe_model::{Lang, Person};

use crate::desk::Desk;

pub fn verify(dir: &Path, lang: Lang, json: bool) -> Result<ExitCode> {
    let _ = (dir, lang, json);
    bail!("verify")
}
pub fn merge(dir: &Path, other: &Path, lang: Lang) -> Result<ExitCode> {
    let _ = (dir, other, lang);
    bail!("merge")
}
pub fn pack(dir: &Path, out: &Path, lang: Lang) -> Result<ExitCode> {
    let _ = (dir, out, lang);
    bail!("pack")
}
pub fn unpack(bundle: &Path, dir: &Path, lang: Lang) -> Result<ExitCode> {
    let _ = (bundle, dir, lang);
    bail!("unpack")
}
pub fn people(desk: &mut Desk, person: Option<Person>, json: bool) -> Result<ExitCode> {
    let _ = (desk, person, json);
    bail!("people")
}
