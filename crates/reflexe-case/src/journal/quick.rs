//! The quick line: `14:32 Dupont appel du prestataire, comptes adm-x adm-y` becomes time, actor, title and targets. Pure; what it
//! understood is shown before it is written, and the text stays as typed.
use jiff::{Timestamp, tz::TimeZone};
use reflexe_model::{Kind, Precision, When, ZoneSource};

use super::{
    draft::Draft,
    when::{self, WhenError},
};

/// What the line is read against.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    /// The present moment.
    pub now: Timestamp,
    /// The case's zone.
    pub zone: TimeZone,
    /// Who types.
    pub me: &'a str,
    /// People of the case, by the names they are called.
    pub people: &'a [String],
    /// Accounts, mailboxes, applications and devices of the case.
    pub accounts: &'a [String],
}

/// Reads a line as a note by whoever types. A line without a time is about now.
///
/// # Errors
/// When the line begins with a time that does not exist or exists twice: the person is asked, nothing is guessed.
pub fn parse(line: &str, known: &Known<'_>) -> Result<Draft, WhenError> {
    let line = line.trim();
    let (when, rest) = match when::parse(line, known.now, &known.zone) {
        Ok(found) => found,
        Err(WhenError::None) => (now(known), line),
        Err(error) => return Err(error),
    };
    let (actor, text) = actor(rest, known.people);
    // A line that is a time and a name says nothing more: the whole of it is the title.
    let text = if text.is_empty() { rest } else { text };
    let text = if text.is_empty() { line } else { text };
    let mut draft = Draft::new(Kind::Note, when, actor.unwrap_or(known.me), text);
    known.me.clone_into(&mut draft.content.recorded_by);
    draft.content.targets = targets(text, known.accounts);
    Ok(draft)
}

fn now(known: &Known<'_>) -> When {
    let start = known.now.to_zoned(known.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    When { text: String::new(), start, end: None, precision: Precision::Minute, approx: false, tz_source: ZoneSource::Default }
}

/// The known person that the text begins with, and what follows. The longest name wins.
fn actor<'a, 'p>(text: &'a str, people: &'p [String]) -> (Option<&'p str>, &'a str) {
    let mut names: Vec<&String> = people.iter().filter(|n| !n.trim().is_empty()).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.chars().count()));
    for name in names {
        if let Some(rest) = strip(text, name)
            && !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@'))
        {
            return (Some(name), rest.trim_start_matches([' ', ',', ':', ';']));
        }
    }
    (None, text)
}

/// The rest after a name, whatever its case.
fn strip<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    let same = name.chars().all(|n| rest.next().is_some_and(|t| t.to_lowercase().eq(n.to_lowercase())));
    same.then_some(rest.as_str())
}

/// The known accounts in a text, and addresses written there, in order of appearance.
fn targets(text: &str, accounts: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '«' | '»' | '"' | '<' | '>')) {
        let word = word.trim_matches(['.', ':', '!', '?', '\'', '’']);
        let lower = word.to_lowercase();
        let known = accounts.iter().find(|a| {
            let account = a.to_lowercase();
            account == lower || account.split('@').next().is_some_and(|local| local.len() > 2 && local == lower)
        });
        let address = || {
            let (local, domain) = word.split_once('@')?;
            (!local.is_empty() && domain.contains('.') && !domain.contains('@')).then(|| word.to_owned())
        };
        let ip = || word.parse::<std::net::IpAddr>().ok().map(|_| word.to_owned());
        if let Some(target) = known.cloned().or_else(address).or_else(ip)
            && !found.contains(&target)
        {
            found.push(target);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Draft, WhenError> {
        let people = ["Dupont".to_owned(), "Anna Martin".into(), "Anna".into()];
        let accounts = ["adm-x".to_owned(), "adm-y@example.com".into()];
        parse(
            line,
            &Known {
                now: "2026-11-22T14:00:00+01:00".parse().unwrap(),
                zone: when::default_zone(),
                me: "R. Martin",
                people: &people,
                accounts: &accounts,
            },
        )
    }

    #[test]
    fn a_line_is_time_person_text_and_accounts() {
        let draft = read("14:32 Dupont appel du prestataire, comptes adm-x adm-y").unwrap();
        let c = &draft.content;
        assert_eq!((c.when.text.as_str(), c.when.start.as_str()), ("14:32", "2026-11-22T14:32:00+01:00"));
        assert_eq!((c.actor.as_str(), c.recorded_by.as_str()), ("Dupont", "R. Martin"));
        assert_eq!(c.title, "appel du prestataire, comptes adm-x adm-y");
        assert_eq!(c.targets, ["adm-x", "adm-y@example.com"]);
    }

    #[test]
    fn what_is_not_known_stays_text() {
        let c = read("Dupontel rappelle depuis 192.0.2.4").unwrap().content;
        assert_eq!((c.actor.as_str(), c.title.as_str()), ("R. Martin", "Dupontel rappelle depuis 192.0.2.4"));
        assert_eq!((c.when.start.as_str(), c.targets), ("2026-11-22T14:00:00+01:00", vec!["192.0.2.4".to_owned()]));
        let c = read("hier 18:05 anna martin : coupe eve@example.org").unwrap().content;
        assert_eq!((c.actor.as_str(), c.title.as_str()), ("Anna Martin", "coupe eve@example.org"));
        assert_eq!(c.targets, ["eve@example.org"]);
        assert!(matches!(read("25/10/2026 02:30 appel"), Err(WhenError::Ambiguous { .. })));
        assert_eq!(read("14:32").unwrap().content.title, "14:32");
    }
}
