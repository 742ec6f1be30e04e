//! What the machine found out about a tenant, before any person said anything: kept in the case, so that an answer, a mark or a
//! step never waits for the checks to run again.
use std::fs;

use anyhow::Result;
use reflexe_case::{Case, journal::Written};
use reflexe_fiche::{say::clean, story::StoryInputs};
use reflexe_model::{CaseInfo, CheckResult, EvidenceInfo, Failure, Finding, Lang, Unrecognised};
use serde::{Deserialize, Serialize};

/// Name of the file in the case folder.
pub const FILE: &str = "judgement.json";

/// What the machine found out about one tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Judged {
    /// Case, tenant, window.
    pub case: CaseInfo,
    /// Its evidence.
    pub evidence: Vec<EvidenceInfo>,
    /// What was not recognised.
    pub unrecognised: Vec<Unrecognised>,
    /// The checks.
    pub checks: Vec<CheckResult>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// Every finding, in their one order.
    pub findings: Vec<Finding>,
    /// What stories and conclusions need beyond the findings.
    pub inputs: StoryInputs,
    /// Enabled accounts, if the evidence counts them.
    pub accounts: Option<u64>,
}

/// The file, read.
#[derive(Debug, Deserialize)]
struct Kept {
    /// What it depends on: another key is another judgement.
    key: String,
    tenants: Vec<Judged>,
}

/// The file, written.
#[derive(Serialize)]
struct Keep<'a> {
    key: &'a str,
    tenants: &'a [Judged],
}

/// What a judgement depends on, as one text: the evidence, the options, and the program that judges.
///
/// # Errors
/// When the manifest cannot be read.
pub fn key(case: &Case, options: &str) -> Result<String> {
    // A version number does not tell two builds apart; the file of the program does.
    let program = std::env::current_exe().and_then(fs::metadata).ok().map(|m| (m.len(), m.modified().ok()));
    Ok(serde_json::to_string(&(env!("CARGO_PKG_VERSION"), program, case.evidence_digest()?, options))?)
}

/// The judgement kept for this key; `None` if there is none or it is of something else: it is then made again.
///
/// # Errors
/// When the file or the journal cannot be read.
pub fn kept(case: &Case, key: &str, lang: Lang) -> Result<Option<Vec<Judged>>> {
    // Rules that lie open on the disk may change between two commands.
    if std::env::var_os("REFLEXE_FICHE_DIR").is_some() {
        return Ok(None);
    }
    Ok(load(case, lang)?.filter(|kept| kept.key == key).map(|kept| kept.tenants))
}

/// The last judgement of this device, whatever it depended on: for the names in it.
///
/// # Errors
/// As [`kept`].
pub fn latest(case: &Case, lang: Lang) -> Result<Vec<Judged>> {
    Ok(load(case, lang)?.map(|kept| kept.tenants).unwrap_or_default())
}

/// The one way in which a kept judgement is read: only what this device wrote and signed in the journal is believed. Anything else is
/// told, and made again from the evidence.
fn load(case: &Case, lang: Lang) -> Result<Option<Kept>> {
    let told = match case.written(FILE)? {
        Written::Absent => return Ok(None),
        Written::Here(bytes) => return Ok(serde_json::from_slice(&bytes).ok()),
        Written::Elsewhere(_, device) => match lang {
            Lang::Fr => format!(
                "Le jugement gardé dans le cas vient du poste {} : les preuves sont jugées de nouveau ici.",
                clean(&device)
            ),
            Lang::En => {
                format!("The judgement kept in the case is that of device {}: the evidence is judged again here.", clean(&device))
            }
        },
        Written::Changed => match lang {
            Lang::Fr => format!("{FILE} a été modifié hors de reflexe : il n’est pas cru, les preuves sont jugées de nouveau."),
            Lang::En => format!("{FILE} was changed outside reflexe: it is not believed, the evidence is judged again."),
        },
    };
    errln!("{told}");
    Ok(None)
}

/// A judgement, as it is kept.
pub fn text(key: &str, tenants: &[Judged]) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Keep { key, tenants })?)
}
