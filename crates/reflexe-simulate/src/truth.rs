//! The truth of a simulation, record by record, beside the evidence and never inside it.
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::acts::Log;
use crate::story::{Expect, Scenario, Step};
use crate::text::{Seconds, zulu};
use crate::{Both, Error, Options, Summary};

/// A record that proves a step.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// Log that holds it.
    pub log: Log,
    /// The source's own id.
    pub record_id: String,
    /// Time.
    pub time: String,
    /// Operation, for the unified audit log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// File, from the evidence folder.
    pub file: String,
}

/// A step with its records.
#[derive(Debug, Serialize)]
struct Act<'a> {
    id: &'a str,
    act: &'a str,
    title: &'a Both,
    actor: &'a str,
    hostile: bool,
    from: Option<&'a str>,
    to: Option<&'a str>,
    expect: &'a [Expect],
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<&'a str>,
    records: &'a [Proof],
}

/// A file with the tables that it fills.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// File or folder, from the evidence folder.
    pub path: String,
    /// Tables.
    pub tables: Vec<&'static str>,
}

/// What is gathered while writing.
pub struct Truth {
    proofs: Vec<Vec<Proof>>,
    /// Files with the tables that they fill.
    pub inputs: Vec<Input>,
}

impl Truth {
    /// Nothing proven yet.
    pub fn new(steps: usize) -> Self {
        Truth { proofs: vec![Vec::new(); steps], inputs: Vec::new() }
    }

    /// Notes a record of a step.
    pub fn note(&mut self, step: usize, at: Seconds, log: Log, record_id: &str, operation: &str, file: &str) {
        self.proofs[step].push(Proof {
            log,
            record_id: record_id.into(),
            time: zulu(at),
            operation: operation.into(),
            file: file.into(),
        });
    }

    /// Writes the truth.
    pub fn write(
        &self,
        path: &Path,
        scenario: &Scenario,
        options: &Options,
        actors: &[String],
        summary: &Summary,
        window: (Seconds, Seconds),
    ) -> Result<(), Error> {
        let mut acts: Vec<(&[Proof], &Step, &str)> =
            scenario.step.iter().enumerate().map(|(n, s)| (self.proofs[n].as_slice(), s, actors[n].as_str())).collect();
        acts.sort_by(|a, b| (a.0.first().map(|p| &p.time), &a.1.id).cmp(&(b.0.first().map(|p| &p.time), &b.1.id)));
        let acts: Vec<Act<'_>> = acts
            .iter()
            .map(|(records, step, actor)| Act {
                id: &step.id,
                act: &step.act,
                title: &step.title,
                actor,
                hostile: step.hostile,
                from: records.iter().map(|r| r.time.as_str()).min(),
                to: records.iter().map(|r| r.time.as_str()).max(),
                expect: &step.expect,
                at_most: step.at_most.as_deref(),
                records,
            })
            .collect();
        let document = json!({
            "schema": "reflexe.truth/1",
            "scenario": scenario.name,
            "title": scenario.title,
            "about": scenario.about,
            "options": options,
            "tenant": { "id": summary.tenant_id, "domains": [scenario.tenant.domain, scenario.tenant.initial_domain] },
            "window": { "from": zulu(window.0), "to": zulu(window.1) },
            "counts": { "ual_records": summary.ual_records, "ual_repeated": summary.ual_repeated, "sign_ins": summary.sign_ins, "directory_audits": summary.directory_audits },
            "actions": scenario.actions,
            "gravest": scenario.gravest,
            "expect": scenario.expect,
            "inputs": self.inputs,
            "acts": acts,
        });
        crate::output::write_json(path, &document)
    }
}
