//! The case as people work at it: what the machine found out, what was said so far, and the pen. Every command that is about people
//! goes through here, so that the terminal and whatever comes later do the same.
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use jiff::{Timestamp, tz::TimeZone};
use reflexe_case::{
    Case,
    journal::{Draft, Journal, folder_risk, quick::Known, when},
};
use reflexe_fiche::{Catalogue, answers::Answers, response::Response, timebox};
use reflexe_model::{Entry, Kind, Lang, Payload, Text, When};

use crate::{
    assemble::{self, Answer, JudgeOptions, People},
    cli::JudgeArgs,
    commands,
    judged::Judged,
    prepared::Prepared,
};

/// A case, open to people.
pub struct Desk {
    /// The case, for reading.
    pub case: Case,
    /// Its journal, for writing.
    pub journal: Journal,
    /// Every entry, in order; see [`Desk::reload`].
    pub entries: Vec<Entry>,
    /// The sheet.
    pub catalogue: Catalogue,
    /// Steps, commands, clocks, contacts, words.
    pub response: Response,
    /// Who types.
    pub me: String,
    /// The case's zone.
    pub zone: TimeZone,
    /// The language.
    pub lang: Lang,
    /// What the organisation prepared.
    pub prepared: Prepared,
}

impl Desk {
    /// Opens a case. What a person should know of its place or of the device is told on the standard error.
    ///
    /// # Errors
    /// When the folder is no case, or its journal cannot be opened.
    pub fn open(dir: &Path, me: Option<&str>, lang: Lang) -> Result<Self> {
        let journal = Journal::open(dir)?;
        if let Some(warning) = journal.device().warning.as_ref() {
            errln!("{}", warning.get(lang));
        }
        warn_of_place(dir, lang);
        let case = commands::existing(dir, lang)?;
        let entries = journal.entries()?;
        let response = Response::load()?;
        let prepared = commands::prepared(dir, None, &response, lang)?;
        let zone = zone_of(&prepared);
        let catalogue = Catalogue::load()?;
        Ok(Self { case, journal, entries, catalogue, response, me: name_of(me), zone, lang, prepared })
    }

    /// Reads the journal anew.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn reload(&mut self) -> Result<()> {
        self.entries = self.journal.entries()?;
        Ok(())
    }

    /// Takes a preparation pack into the case, if one is given.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn prepare(&mut self, given: Option<&Path>) -> Result<()> {
        if given.is_some() {
            self.prepared = commands::prepared(self.case.dir(), given, &self.response, self.lang)?;
            self.zone = zone_of(&self.prepared);
        }
        Ok(())
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// See [`case_option`].
    pub fn case_option(&self) -> String {
        case_option(self.case.dir())
    }

    /// What the machine found out about the case's tenant: kept from the last time, or judged now. A case is about one tenant: of
    /// several the first is taken, and that is told.
    ///
    /// # Errors
    /// When the case cannot be judged.
    pub fn judged(&mut self, judge: &JudgeArgs) -> Result<Judged> {
        self.prepare(judge.prepared.as_deref())?;
        let (from, to, since) = (judge.from, judge.to, judge.since);
        let limits = assemble::Limits { memory: judge.memory, ..assemble::Limits::default() };
        let options = JudgeOptions { from, to, since, limits, prepared: self.prepared.clone() };
        let judged = commands::judged(&self.case, &self.catalogue, &options, self.lang)?;
        self.reload()?; // judging writes entries of its own
        let others = judged.len().saturating_sub(1);
        let first = judged.into_iter().next().context("no tenant")?;
        if others > 0 {
            let name = first.case.tenant.id.clone().unwrap_or_default();
            let n = others + 1;
            match self.lang {
                Lang::Fr => {
                    errln!(
                        "Ce cas contient {n} tenants ; questions, gravité et étapes portent sur {name}. Faites un cas par tenant."
                    );
                }
                Lang::En => {
                    errln!(
                        "This case holds {n} tenants; questions, severity and steps are about {name}. Make one case for each."
                    );
                }
            }
        }
        Ok(first)
    }

    /// What people said so far.
    pub fn people(&self) -> People {
        people(&self.entries, self.now(), self.prepared.clone())
    }

    /// The answer, as it stands now.
    ///
    /// # Errors
    /// When the case cannot be judged.
    pub fn answer(&mut self, judge: &JudgeArgs) -> Result<Answer> {
        let judged = self.judged(judge)?;
        Ok(assemble::conclude(&self.catalogue, &judged, &self.people()))
    }

    /// Names that a typed line may begin with or speak of: people of the case, accounts of its findings.
    pub fn known_people(&self) -> Vec<String> {
        Answers::fold(&self.entries).people.into_iter().map(|p| p.name).collect()
    }

    /// Reads a moment that a person typed.
    ///
    /// # Errors
    /// When it is none, does not exist, or exists twice.
    pub fn moment(&self, text: &str) -> Result<When> {
        let (found, rest) = when::parse(text, self.now(), &self.zone).map_err(|e| anyhow!(e.text().get(self.lang).to_owned()))?;
        if rest.trim().is_empty() {
            Ok(found)
        } else {
            Err(anyhow!("{}: {rest}", self.pick("Je ne comprends pas", "Not understood")))
        }
    }

    /// Reads a typed line against what is known.
    ///
    /// # Errors
    /// When its time does not exist or exists twice.
    pub fn line(&self, line: &str, accounts: &[String]) -> Result<Draft> {
        let people = self.known_people();
        let known = Known { now: self.now(), zone: self.zone.clone(), me: &self.me, people: &people, accounts };
        reflexe_case::journal::quick::parse(line, &known).map_err(|e| anyhow!(e.text().get(self.lang).to_owned()))
    }

    /// A draft by whoever types, about now.
    pub fn draft(&self, kind: Kind, text: &str) -> Draft {
        Draft::new(kind, self.moment_now(), self.me.clone(), text)
    }

    /// Writes a payload with its sentence.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn write(&mut self, kind: Kind, text: &str, payload: &Payload) -> Result<Entry> {
        let draft = self.draft(kind, text).with(payload);
        let entry = self.journal.add(&draft)?;
        self.reload()?;
        Ok(entry)
    }

    fn moment_now(&self) -> When {
        let start = self.now().to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        When {
            text: String::new(),
            start,
            end: None,
            precision: reflexe_model::Precision::Second,
            approx: false,
            tz_source: reflexe_model::ZoneSource::Default,
        }
    }

    /// One of two texts, by language.
    pub fn pick<'t>(&self, fr: &'t str, en: &'t str) -> &'t str {
        if self.lang == Lang::Fr { fr } else { en }
    }

    /// A text in the language.
    pub fn say<'t>(&self, text: &'t Text) -> &'t str {
        text.get(self.lang)
    }
}

/// What people said, at a moment.
pub fn people(entries: &[Entry], now: Timestamp, prepared: Prepared) -> People {
    let timebox = timebox::status(entries, now);
    People { answers: Answers::fold(entries), ended: timebox.ended(), minutes_left: timebox.minutes_left(), prepared }
}

/// The part ` --case DIR` of a command to type, where the case does not stand in the usual place.
pub fn case_option(dir: &Path) -> String {
    if dir == Path::new("./reflexe-case") || dir == Path::new(reflexe_case::DEFAULT_DIR) {
        return String::new();
    }
    let dir = reflexe_fiche::say::clean(&dir.display().to_string());
    let plain = dir.chars().all(|c| c.is_alphanumeric() || "._-/\\:".contains(c));
    if plain { format!(" --case {dir}") } else { format!(" --case \"{dir}\"") }
}

/// Tells where a case should not stand.
pub fn warn_of_place(dir: &Path, lang: Lang) {
    let full = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    if let Some(warning) = folder_risk::warning(&full, std::env::vars_os()) {
        errln!("{}", warning.get(lang));
    }
}

fn zone_of(prepared: &Prepared) -> TimeZone {
    let named = prepared.pack.as_ref().map(|p| p.profile.zone.as_str()).filter(|z| !z.is_empty());
    named.and_then(|z| TimeZone::get(z).ok()).unwrap_or_else(when::default_zone)
}

/// The name that the journal shall say: given, else of the environment, else of the session.
pub fn name_of(given: Option<&str>) -> String {
    let from = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
    given
        .map(str::to_owned)
        .or_else(|| from("REFLEXE_ME"))
        .or_else(|| from("USER"))
        .or_else(|| from("USERNAME"))
        .unwrap_or_else(|| "?".to_owned())
}
