//! A calendar file of the clocks (RFC 5545), with alarms: plain text, lines folded at 75 octets, stable ids.
use jiff::Timestamp;
use reflexe_model::Lang;

use crate::clocks::{Applies, Clock, ClockState};

/// Longest line, in octets, without its end.
const FOLD: usize = 75;

/// The calendar of the clocks that have a due time and are neither done nor excluded. `stamp` is the time of writing; `case` the
/// id of the case, so that a later file of the same case replaces the events of an earlier one.
pub fn calendar(clocks: &[Clock<'_>], case: &str, stamp: Timestamp, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: &str| fold(text, &mut out);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//reflexe//clocks//EN");
    line("CALSCALE:GREGORIAN");
    for clock in clocks {
        let closed = matches!(clock.state, ClockState::Done | ClockState::NotApplicable) || clock.applies == Applies::No;
        let Some(due) = clock.due.as_ref().filter(|_| !closed) else { continue };
        let maybe = match (clock.applies == Applies::Maybe, lang) {
            (false, _) => "",
            (true, Lang::Fr) => " (peut-être)",
            (true, Lang::En) => " (maybe)",
        };
        let title = format!("{}{maybe}", clock.def.title.get(lang));
        let local = due.strftime("%Y-%m-%d %H:%M %Z");
        let what = match lang {
            Lang::Fr => format!(
                "Échéance : {local}. À : {}. Par : {}. Source : {}{}.",
                clock.def.recipient.fr,
                clock.def.channel.fr,
                clock.def.source,
                if clock.def.verified { "" } else { " [à vérifier]" }
            ),
            Lang::En => format!(
                "Due: {local}. To: {}. By: {}. Source: {}{}.",
                clock.def.recipient.en,
                clock.def.channel.en,
                clock.def.source,
                if clock.def.verified { "" } else { " [to be verified]" }
            ),
        };
        line("BEGIN:VEVENT");
        line(&format!("UID:{}.{}@reflexe.invalid", escape(&clock.def.id), escape(case)));
        line(&format!("DTSTAMP:{}", utc(stamp)));
        line(&format!("DTSTART:{}", utc(due.timestamp())));
        line(&format!("DTEND:{}", utc(due.timestamp())));
        line(&format!("SUMMARY:{}", escape(&title)));
        line(&format!("DESCRIPTION:{}", escape(&what)));
        line("CLASS:CONFIDENTIAL");
        for before in ["-PT24H", "-PT6H", "-PT1H"] {
            line("BEGIN:VALARM");
            line("ACTION:DISPLAY");
            line(&format!("TRIGGER:{before}"));
            line(&format!("DESCRIPTION:{}", escape(&title)));
            line("END:VALARM");
        }
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    out
}

fn utc(t: Timestamp) -> String {
    t.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in crate::say::clean_whole(text).chars() {
        if matches!(c, '\\' | ';' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Writes a line, folded without cutting a character.
fn fold(text: &str, out: &mut String) {
    let mut width = 0;
    for c in text.chars() {
        if width + c.len_utf8() > FOLD {
            out.push_str("\r\n ");
            width = 1;
        }
        out.push(c);
        width += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        clocks::{ClockInput, clocks},
        response::{Response, facts::Facts},
        test_journal::{clock_event, clock_state},
    };

    /// Unfolds, splits and unescapes, as a calendar program does.
    fn parse(text: &str) -> Vec<(String, String)> {
        assert!(text.ends_with("\r\n") && text.split("\r\n").all(|l| l.len() <= FOLD && !l.contains('\n')));
        let unfolded = text.replace("\r\n ", "");
        let lines = unfolded.split("\r\n").filter(|l| !l.is_empty());
        let plain = |v: &str| v.replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\");
        lines.map(|l| l.split_once(':').map(|(n, v)| (n.to_owned(), plain(v))).unwrap()).collect()
    }

    #[test]
    fn it_reads_back_with_stable_ids_and_the_strict_moment() {
        let (response, zone) = (Response::load().unwrap(), TimeZone::get("Europe/Paris").unwrap());
        let entries = [
            clock_event("a", 1, "D.GDPR33", "aware", Some("2026-10-24T15:00:00+02:00")),
            clock_event("a", 2, "D.EIDAS", "aware", Some("2026-10-24T15:00:00+02:00")),
            clock_state("a", 3, "D.EIDAS", "not_applicable", "not a trust service"),
        ];
        let now: Timestamp = "2026-10-24T14:00:00Z".parse().unwrap();
        let input = ClockInput {
            response: &response,
            facts: &Facts::default(),
            entries: &entries,
            now,
            zone: &zone,
            contract_hours: &BTreeMap::new(),
            first_confirmed: None,
            opened: None,
        };
        let all = clocks(&input);
        for lang in [Lang::Fr, Lang::En] {
            let read = parse(&calendar(&all, "case;1\r\nX:y", now, lang));
            let get = |name: &str| read.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect::<Vec<_>>();
            assert_eq!(get("DTSTART"), ["20261027T130000Z"]);
            assert_eq!(get("UID").len(), 1);
            assert!(get("UID")[0].starts_with("D.GDPR33.") && get("X").is_empty(), "nothing breaks out of its line");
            assert_eq!(get("TRIGGER").len(), 3);
            assert!(get("SUMMARY")[0].contains(", article 33"), "the comma came back: {:?}", get("SUMMARY"));
        }
        let again = calendar(&all, "c", "2026-10-25T00:00:00Z".parse().unwrap(), Lang::Fr);
        assert!(again.contains("UID:D.GDPR33.c@reflexe.invalid"));
    }
}
