//! Facts that belong to the account of what happened without being findings: a device registered, a password reset.
//! They come from the signal `story_fact(principal, seen_at, fr, en, row)`; a tree without it tells none.
use std::collections::BTreeSet;

use reflexe_fiche::value::Value;
use reflexe_model::{Link, StoryFact, Text};

use crate::{EngineError, Session, rows};

/// A fact with its principal and what ties it to findings.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Whom it is about, lower case.
    pub principal: String,
    /// The fact.
    pub fact: StoryFact,
    /// Links of its rows.
    pub links: Vec<Link>,
}

impl Session {
    /// The facts of the signal `story_fact`, in time order. Call it after the signals were registered.
    ///
    /// # Errors
    /// When a query fails.
    pub fn story_facts(&self, path_of: &dyn Fn(&str) -> String) -> Result<Vec<Fact>, EngineError> {
        if !self.ctx.table_exist("signal.story_fact")? {
            return Ok(Vec::new());
        }
        let batches = self.sql("select lower(principal) as principal, seen_at, fr, en, row_id from signal.story_fact where principal is not null order by seen_at, row_id")?;
        let found = rows::all(&batches);
        let ids: BTreeSet<i64> = found.iter().filter_map(|r| r.get("row_id")?.first()?.as_int()).collect();
        let cited = self.cited(&ids)?;
        let facts = found.into_iter().filter_map(|row| {
            let first = |c: &str| row.get(c).and_then(|v| v.first()).cloned();
            let text = |c: &str| first(c).and_then(|v| v.as_text().map(reflexe_fiche::say::clean));
            let cited = cited.get(&first("row_id")?.as_int()?)?;
            let proof = cited.shown(path_of);
            Some(Fact {
                principal: text("principal")?,
                fact: StoryFact {
                    time: first("seen_at").as_ref().and_then(Value::as_time),
                    text: Text::new(text("fr")?, text("en")?),
                    rows: vec![proof],
                },
                links: cited.links().collect(),
            })
        });
        Ok(facts.collect())
    }
}
