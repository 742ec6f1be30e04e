//! Lines for a terminal of 100 columns, and moments and lengths of time as people read them.
use jiff::{SignedDuration, Zoned, civil::Weekday, tz::TimeZone};
use reflexe_model::Lang;

/// Columns.
const WIDTH: usize = 100;

/// Text that grows line by line.
#[derive(Default)]
pub struct Lines(Vec<String>);

impl Lines {
    /// An empty line, then a title.
    pub fn title(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push(String::new());
        }
        self.0.push(text.to_owned());
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.0.push(String::new());
    }

    /// A paragraph: `first` begins its first line, the following ones stand under its text.
    pub fn say(&mut self, first: &str, text: &str) {
        let indent = first.chars().count();
        for (n, part) in wrap(text, WIDTH.saturating_sub(indent)).into_iter().enumerate() {
            self.0.push(if n == 0 { format!("{first}{part}") } else { format!("{:indent$}{part}", "") });
        }
    }

    /// A line to copy: never wrapped.
    pub fn whole(&mut self, indent: usize, text: &str) {
        self.0.extend(text.lines().map(|line| format!("{:indent$}{line}", "")));
    }

    /// All of it.
    pub fn text(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut out = self.0.join("\n");
        out.push('\n');
        out
    }
}

/// Breaks at blanks; a word that is longer than a line stands alone. A no-break space breaks nothing.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in text.split([' ', '\n']).filter(|w| !w.is_empty()) {
        // French signs never begin a line.
        let sign = matches!(word, ":" | ";" | "?" | "!" | "»" | "·");
        match out.last_mut() {
            Some(line) if sign || line.ends_with('«') || line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => out.push(word.to_owned()),
        }
    }
    out
}

/// A moment where the case is, with the world's clock beside it: `mar. 27/10/2026 14:00 CET (13:00 UTC)`.
pub fn moment(at: &Zoned, lang: Lang) -> String {
    let world = at.with_time_zone(TimeZone::UTC);
    let (date, day) = if lang == Lang::Fr { ("%d/%m/%Y", "%d/%m ") } else { ("%Y-%m-%d", "%m-%d ") };
    let other = if world.date() == at.date() { String::new() } else { world.strftime(day).to_string() };
    let local = at.strftime(&format!("{date} %H:%M %Z")).to_string();
    let world =
        if at.time_zone() == &TimeZone::UTC { String::new() } else { format!(" ({other}{} UTC)", world.strftime("%H:%M")) };
    format!("{} {local}{world}", weekday(at.weekday(), lang))
}

fn weekday(day: Weekday, lang: Lang) -> &'static str {
    let (fr, en) = match day {
        Weekday::Monday => ("lun.", "Mon"),
        Weekday::Tuesday => ("mar.", "Tue"),
        Weekday::Wednesday => ("mer.", "Wed"),
        Weekday::Thursday => ("jeu.", "Thu"),
        Weekday::Friday => ("ven.", "Fri"),
        Weekday::Saturday => ("sam.", "Sat"),
        Weekday::Sunday => ("dim.", "Sun"),
    };
    if lang == Lang::Fr { fr } else { en }
}

/// A length of time, rounded down to what matters: `2 j 3 h`, `5 h 12 min`, `12 min`.
pub fn length(time: SignedDuration, lang: Lang) -> String {
    let minutes = time.abs().as_mins();
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let d = if lang == Lang::Fr { "j" } else { "d" };
    if days >= 2 {
        format!("{days} {d} {hours} h")
    } else if minutes >= 60 {
        format!("{} h {rest} min", minutes / 60)
    } else {
        format!("{rest} min")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_tell_both_clocks_and_lengths_are_short() {
        let at = |t: &str| t.parse::<Zoned>().unwrap();
        assert_eq!(moment(&at("2026-10-27T14:00[Europe/Paris]"), Lang::Fr), "mar. 27/10/2026 14:00 CET (13:00 UTC)");
        assert_eq!(moment(&at("2026-07-01T00:30[Europe/Paris]"), Lang::En), "Wed 2026-07-01 00:30 CEST (06-30 22:30 UTC)");
        let hours = SignedDuration::from_hours;
        assert_eq!(length(hours(51), Lang::Fr), "2 j 3 h");
        assert_eq!(length(hours(-47), Lang::En), "47 h 0 min");
    }

    #[test]
    fn a_sign_never_begins_a_line() {
        let lines = wrap("un mot : deux mots « ici »", 6);
        assert!(lines.iter().all(|l| !l.starts_with([':', '»']) && !l.ends_with('«')), "{lines:?}");
    }
}
