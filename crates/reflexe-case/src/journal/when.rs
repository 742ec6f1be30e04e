//! Times as people write them: `14:32`, `14h32`, `vers 14h`, `hier 18:05`, `14:10–14:25`, `22/11 14h32`, `ce matin`.
//!
//! A time without a zone is in the case's, and the entry says so. An hour that the clocks go through twice is asked about, never
//! guessed; one that they skip does not exist. A date with numbers only is day, then month.
use jiff::{
    Timestamp, Zoned,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, Offset, TimeZone},
};
use reflexe_model::{Precision, Text, When, ZoneSource};

/// Why a time was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhenError {
    /// No time is written there.
    None,
    /// There is no such date or hour.
    Impossible(String),
    /// The clocks go through this hour twice: with which offset?
    Ambiguous {
        /// What was typed.
        text: String,
        /// The two offsets, summer time first: `+02`, `+01`.
        offsets: [String; 2],
    },
}

impl WhenError {
    /// The sentence to show.
    pub fn text(&self) -> Text {
        match self {
            Self::None => Text::new("Aucune heure reconnue.", "No time recognised."),
            Self::Impossible(what) => Text::new(
                format!("« {what} » n’existe pas (date, heure, ou heure sautée au changement d’heure)."),
                format!("“{what}” does not exist (date, hour, or an hour that the clocks skip)."),
            ),
            Self::Ambiguous { text, offsets: [a, b] } => Text::new(
                format!(
                    "« {text} » a eu lieu deux fois cette nuit-là (changement d’heure). Précisez : {text} {a} (la première) ou {text} {b} (la seconde)."
                ),
                format!(
                    "“{text}” happened twice that night (the clocks went back). Say which: {text} {a} (the first) or {text} {b} (the second)."
                ),
            ),
        }
    }
}

/// The case's usual zone; the database of zones is part of the program.
pub fn default_zone() -> TimeZone {
    // A program without its zones would be built wrongly: UTC then is shown as such with every time.
    TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC)
}

/// Reads the time at the beginning of a line; returns it with the rest of the line. `text` of the result is as typed.
///
/// # Errors
/// When the line begins with no time, or with one that does not exist or exists twice.
pub fn parse<'a>(line: &'a str, now: Timestamp, zone: &TimeZone) -> Result<(When, &'a str), WhenError> {
    let line = line.trim_start();
    let mut c = Cursor { line, at: 0 };
    let today = now.to_zoned(zone.clone()).date();
    let approx = c.any(&["vers ", "environ ", "autour de ", "about ", "around ", "circa ", "~"]).is_some();
    if let Some(found) = rfc3339(&mut c) {
        return Ok((found, c.rest()));
    }
    let mut date = c.date(today)?;
    if date.is_some() {
        c.any(&[", ", "à ", "at ", "T"]);
    }
    if let Some((words, part)) = PARTS.iter().find_map(|(word, part)| c.word(word).then_some((*word, *part))) {
        let _ = words;
        let day = match part.day {
            0 => date.unwrap_or(today),
            back => shift(today, -back).ok_or_else(|| WhenError::Impossible(c.taken().into()))?,
        };
        let ends = |h: i8| Time::new(h, 0, 0, 0).ok();
        let (Some(from), Some(to)) = (ends(part.from), ends(part.to)) else { return Err(WhenError::None) };
        let when = build(c.taken(), day, from, Some(to), Precision::Hour, true, None, zone)?;
        return Ok((when, c.rest()));
    }
    let approx = approx || c.any(&["vers ", "environ ", "about ", "around ", "~"]).is_some();
    let Some((start, precision)) = c.time()? else {
        let Some(day) = date else { return Err(WhenError::None) };
        let when = build(c.taken(), day, Time::midnight(), None, Precision::Day, approx, None, zone)?;
        return Ok((when, c.rest()));
    };
    let mark = c.at;
    let mut end = None;
    if c.any(&["–", "-", " – ", " - ", "—", " à ", " to ", "→", " → "]).is_some() {
        match c.time()? {
            Some((time, _)) => end = Some(time),
            None => c.at = mark,
        }
    }
    let typed = c.offset();
    // `14:32 hier` and `14h32 le 22/11` are said too.
    if date.is_none() {
        let mark = c.at;
        c.any(&[" le ", " on ", " "]);
        date = c.date(today)?;
        if date.is_none() {
            c.at = mark;
        }
    }
    let when = build(c.taken(), date.unwrap_or(today), start, end, precision, approx, typed, zone)?;
    Ok((when, c.rest()))
}

/// A whole moment as machines write it.
fn rfc3339(c: &mut Cursor<'_>) -> Option<When> {
    let word = c.tail().split_whitespace().next()?;
    let word = word.trim_end_matches([',', ';']);
    let instant: Timestamp = word.parse().ok()?;
    c.at += word.len();
    let _ = instant;
    let zone = if word.ends_with('Z') { ZoneSource::Evidence } else { ZoneSource::Typed };
    Some(When {
        text: word.to_owned(),
        start: word.to_owned(),
        end: None,
        precision: Precision::Second,
        approx: false,
        tz_source: zone,
    })
}

#[derive(Clone, Copy)]
struct Part {
    /// Days before today; 0 leaves the date as said.
    day: i64,
    from: i8,
    to: i8,
}

const fn part(day: i64, from: i8, to: i8) -> Part {
    Part { day, from, to }
}

/// Parts of a day, longest words first.
const PARTS: &[(&str, Part)] = &[
    ("cette nuit", part(0, 0, 6)),
    ("ce matin", part(0, 6, 12)),
    ("cet après-midi", part(0, 12, 18)),
    ("cet apres-midi", part(0, 12, 18)),
    ("ce soir", part(0, 18, 23)),
    ("this morning", part(0, 6, 12)),
    ("this afternoon", part(0, 12, 18)),
    ("this evening", part(0, 18, 23)),
    ("tonight", part(0, 18, 23)),
    ("last night", part(1, 18, 23)),
    ("matin", part(0, 6, 12)),
    ("après-midi", part(0, 12, 18)),
    ("soir", part(0, 18, 23)),
    ("morning", part(0, 6, 12)),
    ("afternoon", part(0, 12, 18)),
    ("evening", part(0, 18, 23)),
];

const MONTHS: [&[&str]; 12] = [
    &["janvier", "january", "janv", "jan"],
    &["février", "fevrier", "february", "févr", "fevr", "fév", "fev", "feb"],
    &["mars", "march", "mar"],
    &["avril", "april", "avr", "apr"],
    &["mai", "may"],
    &["juin", "june", "jun"],
    &["juillet", "july", "juil", "jul"],
    &["août", "aout", "august", "aug"],
    &["septembre", "september", "sept", "sep"],
    &["octobre", "october", "oct"],
    &["novembre", "november", "nov"],
    &["décembre", "decembre", "december", "déc", "dec"],
];

/// Where reading stands in a line.
struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn tail(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn taken(&self) -> &'a str {
        self.line[..self.at].trim_end_matches([' ', ','])
    }

    /// The rest of the line without what separates it from the time.
    fn rest(&self) -> &'a str {
        self.tail().trim_start_matches([' ', '\t', ',', ';', ':', '-', '–', '—']).trim_start()
    }

    /// Takes the first of these that stands here, whatever its case.
    fn any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().find(|word| self.begins(word))?;
        self.at += self.length(found);
        Some(found)
    }

    /// Bytes that a word takes here, its capital letters included.
    fn length(&self, word: &str) -> usize {
        self.tail().chars().take(word.chars().count()).map(char::len_utf8).sum()
    }

    fn begins(&self, word: &str) -> bool {
        let mut tail = self.tail().chars();
        word.chars().all(|w| tail.next().is_some_and(|t| t.to_lowercase().eq(w.to_lowercase())))
    }

    /// Takes a whole word.
    fn word(&mut self, word: &str) -> bool {
        if !self.begins(word) {
            return false;
        }
        let length = self.length(word);
        if self.tail()[length..].chars().next().is_some_and(char::is_alphanumeric) {
            return false;
        }
        self.at += length;
        true
    }

    /// Takes a number of at most `most` digits.
    fn number(&mut self, most: usize) -> Option<i16> {
        let digits = self.tail().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > most {
            return None;
        }
        let value = self.tail()[..digits].parse().ok()?;
        self.at += digits;
        Some(value)
    }

    /// Takes blanks.
    fn blanks(&mut self) {
        self.at += self.tail().len() - self.tail().trim_start_matches([' ', '\u{a0}', '\u{202f}']).len();
    }

    /// A date: relative, with a month's name, ISO, or day/month.
    fn date(&mut self, today: Date) -> Result<Option<Date>, WhenError> {
        let start = self.at;
        for (word, back) in
            [("avant-hier", 2), ("hier", 1), ("yesterday", 1), ("aujourd’hui", 0), ("aujourd'hui", 0), ("today", 0)]
        {
            if self.word(word) {
                self.blanks();
                return Ok(shift(today, -back));
            }
        }
        self.any(&["le ", "on "]);
        // The name of the day proves nothing; the date is what counts.
        const DAYS: [&str; 28] = [
            "lundi",
            "mardi",
            "mercredi",
            "jeudi",
            "vendredi",
            "samedi",
            "dimanche",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "lun",
            "mar",
            "mer",
            "jeu",
            "ven",
            "sam",
            "dim",
            "mon",
            "tue",
            "wed",
            "thu",
            "fri",
            "sat",
            "sun",
        ];
        let before = self.at;
        if DAYS.iter().any(|day| self.word(day)) {
            self.any(&[". ", ", ", " "]);
            if !self.tail().starts_with(|c: char| c.is_ascii_digit()) {
                self.at = before;
            }
        }
        let found = self.written(today)?;
        if found.is_none() {
            self.at = start;
        } else {
            self.blanks();
        }
        Ok(found)
    }

    fn written(&mut self, today: Date) -> Result<Option<Date>, WhenError> {
        let from = self.at;
        let month_first = MONTHS.iter().position(|names| names.iter().any(|name| self.word(name)));
        if let Some(month) = month_first {
            self.any(&[". ", " "]);
            let Some(day) = self.number(2) else { return Ok(None) };
            self.any(&["st", "nd", "rd", "th"]);
            return self.year_then(day, month + 1, today, from);
        }
        let Some(first) = self.number(4) else { return Ok(None) };
        if self.at - from == 4 {
            // 2026-11-22
            let Some(separator) = self.any(&["-", "/"]) else { return Ok(None) };
            let (Some(month), true) = (self.number(2), self.any(&[separator]).is_some()) else { return Ok(None) };
            let Some(day) = self.number(2) else { return Ok(None) };
            return self.made(first, month, day, from).map(Some);
        }
        self.any(&["er", "st", "nd", "rd", "th"]);
        if let Some(separator) = self.any(&["/", ".", "-"]) {
            let Some(month) = self.number(2) else { return Ok(None) };
            let mark = self.at;
            let year = if self.any(&[separator]).is_some() { self.number(4) } else { None };
            let year = match year {
                Some(y) if self.at - mark == 3 => Some(y + 2000),
                Some(y) if self.at - mark == 5 => Some(y),
                _ => {
                    self.at = mark;
                    None
                }
            };
            // `14-15` is no date, and neither is `14.15`: only a slash alone says day/month.
            if year.is_none() && separator != "/" {
                return Ok(None);
            }
            return match year {
                Some(year) => self.made(year, month, first, from).map(Some),
                None => self.recent(month, first, today, from).map(Some),
            };
        }
        self.any(&[" "]);
        let Some(month) = MONTHS.iter().position(|names| names.iter().any(|name| self.word(name))) else { return Ok(None) };
        self.any(&["."]);
        self.year_then(first, month + 1, today, from)
    }

    fn year_then(&mut self, day: i16, month: usize, today: Date, from: usize) -> Result<Option<Date>, WhenError> {
        let month = i16::try_from(month).unwrap_or(0);
        let mark = self.at;
        self.any(&[", ", " "]);
        let begin = self.at;
        match self.number(4) {
            Some(year) if self.at - begin == 4 => self.made(year, month, day, from).map(Some),
            _ => {
                self.at = mark;
                self.recent(month, day, today, from).map(Some)
            }
        }
    }

    fn made(&self, year: i16, month: i16, day: i16, from: usize) -> Result<Date, WhenError> {
        let small = |n: i16| i8::try_from(n).unwrap_or(0);
        Date::new(year, small(month), small(day)).map_err(|_| WhenError::Impossible(self.line[from..self.at].to_owned()))
    }

    /// A day without a year: the last such day, tomorrow included (people plan, and clocks differ).
    fn recent(&self, month: i16, day: i16, today: Date, from: usize) -> Result<Date, WhenError> {
        let here = self.made(today.year(), month, day, from);
        match here {
            Ok(date) if shift(today, 31).is_some_and(|limit| date <= limit) => Ok(date),
            _ => self.made(today.year() - 1, month, day, from),
        }
    }

    /// An hour: `14:32`, `14:32:05`, `14h32`, `14h`, `2:32 pm`, `midi`. `Ok(None)` if none stands here.
    fn time(&mut self) -> Result<Option<(Time, Precision)>, WhenError> {
        for (word, hour) in [("midi", 12), ("noon", 12), ("minuit", 0), ("midnight", 0)] {
            if self.word(word) {
                return Ok(Time::new(hour, 0, 0, 0).ok().map(|t| (t, Precision::Hour)));
            }
        }
        let start = self.at;
        let Some(hour) = self.number(2) else { return Ok(None) };
        let (mut minute, mut second, mut precision) = (0, 0, Precision::Hour);
        let mark = self.at;
        if self.any(&[":"]).is_some() {
            let Some(m) = self.number(2) else {
                self.at = start;
                return Ok(None);
            };
            (minute, precision) = (m, Precision::Minute);
            let mark = self.at;
            if self.any(&[":"]).is_some() {
                match self.number(2) {
                    Some(s) => (second, precision) = (s, Precision::Second),
                    None => self.at = mark,
                }
            }
        } else {
            self.blanks();
            if self.any(&["heures", "heure", "h"]).is_some() {
                let before = self.at;
                self.blanks();
                match self.number(2) {
                    Some(m) if self.at - before >= 2 && !self.tail().starts_with(char::is_alphanumeric) => {
                        (minute, precision) = (m, Precision::Minute);
                    }
                    _ => self.at = before,
                }
            } else {
                self.at = mark;
            }
        }
        let said = self.at > mark;
        let before = self.at;
        self.blanks();
        let half = ["am", "pm"].into_iter().find(|w| self.word(w));
        let hour = match half {
            Some("pm") if hour < 12 => hour + 12,
            Some("am") if hour == 12 => 0,
            Some(_) => hour,
            None => {
                self.at = before;
                if !said {
                    // A number alone is no hour: it may be the beginning of anything.
                    self.at = start;
                    return Ok(None);
                }
                hour
            }
        };
        let small = |n: i16| i8::try_from(n).unwrap_or(-1);
        match Time::new(small(hour), small(minute), small(second), 0) {
            Ok(time) => Ok(Some((time, precision))),
            Err(_) => Err(WhenError::Impossible(self.line[start..self.at].to_owned())),
        }
    }

    /// An offset after an hour: `+01`, `+02:00`, `UTC`, `Z`.
    fn offset(&mut self) -> Option<Offset> {
        let start = self.at;
        self.blanks();
        if ["utc", "gmt", "z"].into_iter().any(|w| self.word(w)) {
            return Some(Offset::UTC);
        }
        let sign = match self.any(&["+", "-", "−"]) {
            Some("+") => 1,
            Some(_) if start < self.at => -1,
            _ => {
                self.at = start;
                return None;
            }
        };
        let begin = self.at;
        let hours = self.number(2);
        let two = self.at - begin == 2;
        self.any(&[":"]);
        let minutes = self.number(2).unwrap_or(0);
        let free = !self.tail().starts_with(char::is_alphanumeric);
        let offset = hours.and_then(|h| Offset::from_seconds(sign * (i32::from(h) * 3600 + i32::from(minutes) * 60)).ok());
        if two && free && offset.is_some() {
            return offset;
        }
        self.at = start;
        None
    }
}

fn shift(day: Date, days: i64) -> Option<Date> {
    day.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

fn build(
    text: &str,
    day: Date,
    start: Time,
    end: Option<Time>,
    precision: Precision,
    approx: bool,
    typed: Option<Offset>,
    zone: &TimeZone,
) -> Result<When, WhenError> {
    let from = moment(text, day.to_datetime(start), typed, zone)?;
    let to = match end {
        None => None,
        Some(end) => {
            // An interval over midnight ends on the next day.
            let day = if end < start { shift(day, 1).ok_or_else(|| WhenError::Impossible(text.into()))? } else { day };
            Some(moment(text, day.to_datetime(end), typed, zone)?)
        }
    };
    let tz_source = if typed.is_some() { ZoneSource::Typed } else { ZoneSource::Default };
    Ok(When { text: text.to_owned(), start: from, end: to, precision, approx, tz_source })
}

/// A moment with its offset, RFC 3339.
fn moment(text: &str, at: DateTime, typed: Option<Offset>, zone: &TimeZone) -> Result<String, WhenError> {
    if let Some(offset) = typed {
        let zoned: Zoned = at.to_zoned(TimeZone::fixed(offset)).map_err(|_| WhenError::Impossible(text.into()))?;
        return Ok(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
    }
    match zone.to_ambiguous_timestamp(at).offset() {
        AmbiguousOffset::Unambiguous { offset } => {
            let zoned = at.to_zoned(TimeZone::fixed(offset)).map_err(|_| WhenError::Impossible(text.into()))?;
            Ok(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
        }
        AmbiguousOffset::Gap { .. } => Err(WhenError::Impossible(text.into())),
        AmbiguousOffset::Fold { before, after } => {
            let short = |o: Offset| {
                let seconds = o.seconds();
                let (sign, s) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
                if s % 3600 == 0 {
                    format!("{sign}{:02}", s / 3600)
                } else {
                    format!("{sign}{:02}:{:02}", s / 3600, s % 3600 / 60)
                }
            };
            Err(WhenError::Ambiguous { text: text.to_owned(), offsets: [short(before), short(after)] })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T14:00:00+01:00".parse().unwrap()
    }

    fn read(line: &str) -> Result<(When, &str), WhenError> {
        parse(line, now(), &default_zone())
    }

    #[test]
    fn times_as_people_write_them() {
        for (line, start, end, approx, rest) in [
            ("14:32 Dupont appel", "2026-11-22T14:32:00+01:00", None, false, "Dupont appel"),
            ("14h32 : appel", "2026-11-22T14:32:00+01:00", None, false, "appel"),
            ("vers 14h appel", "2026-11-22T14:00:00+01:00", None, true, "appel"),
            ("ce matin appel", "2026-11-22T06:00:00+01:00", Some("2026-11-22T12:00:00+01:00"), true, "appel"),
            ("hier 18:05 appel", "2026-11-21T18:05:00+01:00", None, false, "appel"),
            ("14:10–14:25 réunion", "2026-11-22T14:10:00+01:00", Some("2026-11-22T14:25:00+01:00"), false, "réunion"),
            ("22/11 14h32 appel", "2026-11-22T14:32:00+01:00", None, false, "appel"),
            ("03/07/2026 09:05:07 appel", "2026-07-03T09:05:07+02:00", None, false, "appel"),
            ("2026-11-22 14:32 appel", "2026-11-22T14:32:00+01:00", None, false, "appel"),
            ("1er décembre 2025 à 8h appel", "2025-12-01T08:00:00+01:00", None, false, "appel"),
            ("Nov 22, 2026 2:32 pm call", "2026-11-22T14:32:00+01:00", None, false, "call"),
            ("dim. 22 nov. 14:32 appel", "2026-11-22T14:32:00+01:00", None, false, "appel"),
            ("23:50-00:10 veille", "2026-11-22T23:50:00+01:00", Some("2026-11-23T00:10:00+01:00"), false, "veille"),
            ("14:32 UTC call", "2026-11-22T14:32:00+00:00", None, false, "call"),
            ("2026-11-22T13:32:00Z call", "2026-11-22T13:32:00Z", None, false, "call"),
            ("24/12 10:00 veille de Noël", "2025-12-24T10:00:00+01:00", None, false, "veille de Noël"),
            ("22/11 appel", "2026-11-22T00:00:00+01:00", None, false, "appel"),
        ] {
            let (when, left) = read(line).unwrap_or_else(|e| panic!("{line}: {e:?}"));
            assert_eq!((when.start.as_str(), when.end.as_deref(), when.approx, left), (start, end, approx, rest), "{line}");
            assert!(when.instant().is_some() && line.starts_with(&when.text), "{line}: {when:?}");
        }
        assert_eq!(read("22/11 appel").unwrap().0.precision, Precision::Day);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for line in [
            "Dupont appel",
            "3 comptes bloqués",
            "14 comptes",
            "",
            "12-15 boîtes",
            "maire de la ville",
            "2026 sera long",
            "10.5 Go",
        ] {
            assert_eq!(read(line), Err(WhenError::None), "{line}");
        }
        for line in ["25:00 appel", "31/02/2026 10:00 appel", "29/03/2026 02:30 appel"] {
            assert!(matches!(read(line), Err(WhenError::Impossible(_))), "{line}: {:?}", read(line));
        }
    }

    #[test]
    fn the_hour_that_comes_twice_is_asked_about() {
        let asked = read("25/10/2026 02:30 appel").unwrap_err();
        assert!(matches!(&asked, WhenError::Ambiguous { offsets: [a, b], .. } if a == "+02" && b == "+01"), "{asked:?}");
        assert!(asked.text().fr.contains("+02") && asked.text().en.contains("+01"));
        let (when, rest) = read("25/10/2026 02:30 +01 appel").unwrap();
        assert_eq!((when.start.as_str(), rest, when.tz_source), ("2026-10-25T02:30:00+01:00", "appel", ZoneSource::Typed));
        assert_eq!(read("25/10/2026 02:30 +02 appel").unwrap().0.start, "2026-10-25T02:30:00+02:00");
    }
}
