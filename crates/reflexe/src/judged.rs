//! What the machine found out about a tenant, before any person said anything: kept in the case, so that an answer, a mark or a
//! step never waits for the checks to run again.
use std::{fs, path::Path};

use anyhow::Result;
use reflexe_case::Case;
use reflexe_fiche::story::StoryInputs;
use reflexe_model::{CaseInfo, CheckResult, EvidenceInfo, Finding, Unrecognised};
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
    /// Every finding, in their one order.
    pub findings: Vec<Finding>,
    /// What stories and conclusions need beyond the findings.
    pub inputs: StoryInputs,
    /// Enabled accounts, if the evidence counts them.
    pub accounts: Option<u64>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// What it depends on: another key is another judgement.
    key: String,
    tenants: Vec<Judged>,
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

/// The judgement kept for this key; `None` if there is none, or it is of something else, or cannot be read: it is then made again.
pub fn kept(dir: &Path, key: &str) -> Option<Vec<Judged>> {
    // Rules that lie open on the disk may change between two commands.
    if std::env::var_os("REFLEXE_FICHE_DIR").is_some() {
        return None;
    }
    let kept: Kept = serde_json::from_slice(&fs::read(dir.join(FILE)).ok()?).ok()?;
    (kept.key == key).then_some(kept.tenants)
}

/// A judgement, as it is kept.
pub fn text(key: String, tenants: &[Judged]) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Kept { key, tenants: tenants.to_vec() })?)
}
