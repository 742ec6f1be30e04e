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
    prepared::{self, Prepared},
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
            eprintln!("{}", warning.get(lang));
        }
        warn_of_place(dir, lang);
        let case = Case::open_for_reading(dir)?;
        let entries = journal.entries()?;
        let response = Response::load()?;
        let today = Timestamp::now().to_zoned(when::default_zone()).date();
        let prepared = Prepared::of_case(dir, &response, today, lang)?;
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

    /// Copies a preparation pack into the case, with an entry for each file that is new.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn adopt(&mut self, pack: &Path) -> Result<()> {
        for path in prepared::adopt(pack, self.case.dir())? {
            self.journal.exported(&path)?;
        }
        self.prepared = Prepared::of_case(self.case.dir(), &self.response, self.today(), self.lang)?;
        self.zone = zone_of(&self.prepared);
        self.reload()
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The present day where the case is.
    pub fn today(&self) -> jiff::civil::Date {
        self.now().to_zoned(self.zone.clone()).date()
    }

    /// What the machine found out: kept from the last time, or judged now.
    ///
    /// # Errors
    /// When the case cannot be judged.
    pub fn judged(&mut self, judge: &JudgeArgs) -> Result<Vec<Judged>> {
        if let Some(pack) = &judge.prepared {
            self.adopt(pack)?;
        }
        let options = self.options(judge);
        commands::judged(&self.case, &self.catalogue, &options, self.lang)
    }

    /// How to judge, with what was prepared.
    pub fn options(&self, judge: &JudgeArgs) -> JudgeOptions {
        let (from, to, since) = (judge.from, judge.to, judge.since);
        JudgeOptions { from, to, since, prepared: self.prepared.clone(), ..JudgeOptions::default() }
    }

    /// What people said so far.
    pub fn people(&self) -> People {
        people(&self.entries, self.now(), self.prepared.clone())
    }

    /// The answer for the case's first tenant, as it stands now.
    ///
    /// # Errors
    /// When the case cannot be judged.
    pub fn answer(&mut self, judge: &JudgeArgs) -> Result<Answer> {
        let judged = self.judged(judge)?;
        let first = judged.first().context("no tenant")?;
        Ok(assemble::conclude(&self.catalogue, first, &self.people()))
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
    ///
    /// # Errors
    /// When the text is empty.
    pub fn draft(&self, kind: Kind, text: &str) -> Result<Draft> {
        let mut draft = self.line("", &[]).unwrap_or_else(|_| Draft::new(kind, self.moment_now(), self.me.clone(), text));
        let made = Draft::new(kind, self.moment_now(), self.me.clone(), text);
        draft.kind = kind;
        draft.content = made.content;
        Ok(draft)
    }

    /// Writes a payload with its sentence.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn write(&mut self, kind: Kind, text: &str, payload: &Payload) -> Result<Entry> {
        let draft = self.draft(kind, text)?.with(payload);
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

/// Tells where a case should not stand.
pub fn warn_of_place(dir: &Path, lang: Lang) {
    let full = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    if let Some(warning) = folder_risk::warning(&full, std::env::vars_os()) {
        eprintln!("{}", warning.get(lang));
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
