//! Instants as the exports write them, to microseconds since 1970 UTC. A text without a zone is UTC: all event sources are.
use jiff::{Timestamp, civil};

/// Order of day and month in culture-formatted dates; settled once per file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// `5/18/2021`, and what nothing settles.
    #[default]
    MonthFirst,
    /// `18/05/2021`.
    DayFirst,
}

/// Reads any instant that an event source writes.
pub fn micros(text: &str, order: DateOrder) -> Option<i64> {
    let text = text.trim();
    iso(text).or_else(|| epoch(text)).or_else(|| culture(text, order).and_then(to_micros))
}

/// `2026-03-04T05:06:07[.fraction][Z|±hh:mm]`, a blank for the `T` too.
pub fn iso(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    let digits = |a: usize, z: usize| -> Option<i64> {
        b.get(a..z)?.iter().try_fold(0, |n: i64, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
    };
    let fixed =
        b.len() >= 19 && b[4] == b'-' && b[7] == b'-' && matches!(b[10], b'T' | b't' | b' ') && b[13] == b':' && b[16] == b':';
    if !fixed {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 || year < 1 {
        return None;
    }
    let mut at = 19;
    let mut fraction = 0;
    if b.get(at) == Some(&b'.') {
        at += 1;
        let start = at;
        while b.get(at).is_some_and(u8::is_ascii_digit) {
            if at - start < 6 {
                fraction = fraction * 10 + i64::from(b[at] - b'0');
            }
            at += 1;
        }
        for _ in (at - start)..6 {
            fraction *= 10;
        }
    }
    let zone = match b.get(at) {
        None => 0,
        Some(b'Z' | b'z') if at + 1 == b.len() => 0,
        Some(sign @ (b'+' | b'-')) => {
            let hours = digits(at + 1, at + 3)?;
            let minutes = digits(at + 4, at + 6).or_else(|| digits(at + 3, at + 5)).unwrap_or(0);
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        Some(_) => return None,
    };
    let days = days_from_civil(year, month, day)?;
    Some(((days * 86400 + hour * 3600 + minute * 60 + second - zone) * 1_000_000) + fraction)
}

/// Days since 1970-01-01 of a date that exists.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day > last {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// `/Date(1769788627239)/`, with or without escapes and offset: milliseconds since 1970 UTC.
fn epoch(text: &str) -> Option<i64> {
    let inner = text.strip_prefix('\\').unwrap_or(text).strip_prefix("/Date(")?;
    let end = inner.find(|c: char| !c.is_ascii_digit() && c != '-').filter(|n| *n > 0).unwrap_or(inner.len());
    // an offset (`+0200`) is for display only; a leading minus belongs to the number
    let end = inner[..end].get(1..).and_then(|rest| rest.find('-')).map_or(end, |n| n + 1);
    inner[..end].parse::<i64>().ok()?.checked_mul(1000)
}

/// A date in the collecting machine's culture.
fn culture(text: &str, order: DateOrder) -> Option<civil::DateTime> {
    let text = text.replace(['\u{202f}', '\u{a0}'], " ");
    let mut parts = text.split_ascii_whitespace();
    let mut numbers = parts.next()?.split(['/', '.', '-']).map(|n| n.parse::<i16>().ok());
    let (a, b, year) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let year = if year < 100 { year + 2000 } else { year };
    let (day, month) = if order == DateOrder::DayFirst { (a, b) } else { (b, a) };
    let mut clock = parts.next().unwrap_or("0:00").split([':', '.']).map(|n| n.parse::<i8>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next().unwrap_or(Some(0))?, clock.next().unwrap_or(Some(0))?);
    let hour = match parts.next() {
        Some(h) if h.eq_ignore_ascii_case("pm") => hour % 12 + 12,
        Some(h) if h.eq_ignore_ascii_case("am") => hour % 12,
        _ => hour,
    };
    civil::DateTime::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?, hour, minute, second, 0).ok()
}

fn to_micros(when: civil::DateTime) -> Option<i64> {
    Some(when.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// What one file's dates say about their order: `None` while nothing settles it.
pub fn order_of(text: &str, known: Option<i64>) -> Option<DateOrder> {
    let text = text.trim();
    if iso(text).is_some() || epoch(text).is_some() {
        return None;
    }
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse::<u32>().ok());
    let (a, b) = (numbers.next()??, numbers.next()??);
    let upper = text.to_ascii_uppercase();
    if a > 12 && a <= 31 {
        return Some(DateOrder::DayFirst);
    }
    if b > 12 || upper.ends_with("AM") || upper.ends_with("PM") {
        return Some(DateOrder::MonthFirst);
    }
    // the same instant written unambiguously beside it
    let known = known?;
    let near = |order| culture(text, order).and_then(to_micros).is_some_and(|t| (t - known).abs() < 60_000_000);
    match (near(DateOrder::MonthFirst), near(DateOrder::DayFirst)) {
        (true, false) => Some(DateOrder::MonthFirst),
        (false, true) => Some(DateOrder::DayFirst),
        _ => None,
    }
}

/// The instant as the reports carry it.
pub fn timestamp(micros: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(micros).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, order: DateOrder) -> String {
        micros(text, order).and_then(timestamp).map_or_else(|| "none".into(), |t| t.to_string())
    }

    #[test]
    fn reads_what_sources_write() {
        for (text, want) in [
            ("2021-05-18T21:13:33", "2021-05-18T21:13:33Z"),
            ("2026-01-24T06:54:24.0000000Z ", "2026-01-24T06:54:24Z"),
            ("2026-02-03T07:58:10.1234567+00:00", "2026-02-03T07:58:10.123456Z"),
            ("2026-02-03T07:58:10+02:00", "2026-02-03T05:58:10Z"),
            ("2026-02-03T07:58:10-0230", "2026-02-03T10:28:10Z"),
            ("/Date(1769788627239)/", "2026-01-30T15:57:07.239Z"),
            ("/Date(1769788627239+0200)/", "2026-01-30T15:57:07.239Z"),
            (r"\/Date(-1000)\/", "1969-12-31T23:59:59Z"),
            ("5/18/2021 9:13:33 PM", "2021-05-18T21:13:33Z"),
            ("5/18/2021 12:13:33 AM", "2021-05-18T00:13:33Z"),
            ("1969-12-31T23:59:59", "1969-12-31T23:59:59Z"),
            ("2024-02-29 00:00:00", "2024-02-29T00:00:00Z"),
            ("2023-02-29T00:00:00", "none"),
            ("not a date", "none"),
            ("2021-05-18T21:13:33é", "none"),
            ("", "none"),
        ] {
            assert_eq!(at(text, DateOrder::MonthFirst), want, "{text}");
        }
        assert_eq!(at("18/05/2021 21:13:33", DateOrder::DayFirst), "2021-05-18T21:13:33Z");
    }

    #[test]
    fn agrees_with_jiff_over_centuries() {
        for day in (-200_000_i64..200_000).step_by(17) {
            let want = Timestamp::from_second(day * 86_400 + day.rem_euclid(86_400)).unwrap();
            let text = want.to_string();
            if text.len() == 20 {
                assert_eq!(iso(&text), Some(want.as_microsecond()), "{text}");
            }
        }
    }

    #[test]
    fn settles_day_and_month() {
        assert_eq!(order_of("18/05/2021 21:13:33", None), Some(DateOrder::DayFirst));
        assert_eq!(order_of("5/18/2021 21:13", None), Some(DateOrder::MonthFirst));
        assert_eq!(order_of("3/4/2026 5:06:07 AM", None), Some(DateOrder::MonthFirst));
        assert_eq!(order_of("03/04/2026 05:06:07", None), None);
        let known = iso("2026-04-03T05:06:07");
        assert_eq!(order_of("03/04/2026 05:06:07", known), Some(DateOrder::DayFirst));
        assert_eq!(order_of("2026-04-03T05:06:07", None), None);
    }
}
