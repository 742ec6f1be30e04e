//! Opening hours and days of rest: whether somebody answers now, and when next. Public holidays are those of metropolitan France.
use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::{Date, Time, Weekday, date},
    tz::TimeZone,
};

use crate::response::def::HoursDef;

/// Why opening hours cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// The zone is not known.
    #[error("fuseau inconnu / unknown time zone: {0}")]
    Zone(String),
    /// A slot is not `HH:MM-HH:MM`.
    #[error("plage horaire illisible / unreadable slot: {0} (09:00-12:30)")]
    Slot(String),
    /// A day is not one of `mon` … `sun`.
    #[error("jour inconnu / unknown day: {0} (mon, tue, wed, thu, fri, sat, sun)")]
    Day(String),
}

/// Whether somebody answers at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// Yes, until then.
    Until(Zoned),
    /// No; from then on, within the next two weeks.
    Closed(Option<Zoned>),
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The end of a day in minutes.
const DAY: u16 = 24 * 60;

/// Whether somebody answers at `now`.
///
/// # Errors
/// When the hours name an unknown zone or day, or a slot is unreadable.
pub fn open_at(hours: &HoursDef, now: Timestamp) -> Result<Open, HoursError> {
    let zone = TimeZone::get(&hours.zone).map_err(|_| HoursError::Zone(hours.zone.clone()))?;
    if let Some(day) = hours.week.keys().find(|d| !DAYS.contains(&d.as_str())) {
        return Err(HoursError::Day(day.clone()));
    }
    let local = now.to_zoned(zone.clone());
    let mut open_since: Option<()> = None;
    let mut next = None;
    // A slot may end at midnight and go on the next day: walk until the first real closing.
    for ahead in 0..15_i64 {
        let Ok(day) = local.date().checked_add(ahead.days()) else { break };
        for (from, to) in slots(hours, day)? {
            let (start, end) = (moment(day, from, &zone), moment(day, to, &zone));
            let (Some(start), Some(end)) = (start, end) else { continue };
            if open_since.is_some() {
                if next.as_ref().is_some_and(|until: &Zoned| *until == start) {
                    next = Some(end);
                    continue;
                }
                return Ok(Open::Until(next.unwrap_or(local)));
            }
            if start.timestamp() <= now && now < end.timestamp() {
                open_since = Some(());
                next = Some(end);
            } else if start.timestamp() > now {
                return Ok(Open::Closed(Some(start)));
            }
        }
    }
    Ok(match (open_since, next) {
        (Some(()), Some(until)) => Open::Until(until),
        _ => Open::Closed(None),
    })
}

fn slots(hours: &HoursDef, day: Date) -> Result<Vec<(u16, u16)>, HoursError> {
    if hours.closed_on_french_holidays && is_french_holiday(day) {
        return Ok(Vec::new());
    }
    let name = DAYS[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())];
    let mut out = Vec::new();
    for slot in hours.week.get(name).into_iter().flatten() {
        let wrong = || HoursError::Slot(slot.clone());
        let (from, to) = slot.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (minutes(from).ok_or_else(wrong)?, minutes(to).ok_or_else(wrong)?);
        if from >= to {
            return Err(wrong());
        }
        out.push((from, to));
    }
    out.sort_unstable();
    Ok(out)
}

fn minutes(text: &str) -> Option<u16> {
    let (h, m) = text.trim().split_once(':')?;
    let (h, m) = (h.parse::<u16>().ok()?, m.parse::<u16>().ok()?);
    (m < 60 && h * 60 + m <= DAY).then_some(h * 60 + m)
}

fn moment(day: Date, minute: u16, zone: &TimeZone) -> Option<Zoned> {
    if minute == DAY {
        return day.tomorrow().ok()?.to_zoned(zone.clone()).ok();
    }
    let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    day.to_datetime(time).to_zoned(zone.clone()).ok()
}

/// Whether a day is a public holiday of metropolitan France.
pub fn is_french_holiday(day: Date) -> bool {
    let fixed = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    if fixed.contains(&(day.month(), day.day())) {
        return true;
    }
    // Easter Monday, Ascension, Whit Monday.
    let easter = easter(day.year());
    [1_i64, 39, 50].iter().any(|after| easter.checked_add(after.days()).is_ok_and(|d| d == day))
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    #[allow(clippy::cast_possible_truncation)] // a month of 3 or 4, a day of 1 to 31
    date(year, (n / 31) as i8, (n % 31 + 1) as i8)
}

/// Noon of the next working day, if the moment falls on a weekend or a French public holiday.
pub(crate) fn noon_next_working_day(due: &Zoned) -> Option<Zoned> {
    let rest = |d: Date| matches!(d.weekday(), Weekday::Saturday | Weekday::Sunday) || is_french_holiday(d);
    let mut day = due.date();
    if !rest(day) {
        return None;
    }
    while rest(day) {
        day = day.tomorrow().ok()?;
    }
    day.at(12, 0, 0, 0).to_zoned(due.time_zone().clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> HoursDef {
        let day = || vec!["09:00-12:30".to_owned(), "14:00-17:30".to_owned()];
        HoursDef {
            zone: "Europe/Paris".into(),
            week: DAYS[..5].iter().map(|d| ((*d).to_owned(), day())).collect(),
            closed_on_french_holidays: true,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse::<Zoned>().unwrap().timestamp()
    }

    #[test]
    fn office_hours_lunch_weekend_and_holiday() {
        let is = |t: &str| open_at(&office(), at(t)).unwrap();
        let zoned = |t: &str| t.parse::<Zoned>().unwrap();
        assert_eq!(is("2026-11-23T10:00[Europe/Paris]"), Open::Until(zoned("2026-11-23T12:30[Europe/Paris]")));
        assert_eq!(is("2026-11-23T13:00[Europe/Paris]"), Open::Closed(Some(zoned("2026-11-23T14:00[Europe/Paris]"))));
        assert_eq!(is("2026-11-21T10:00[Europe/Paris]"), Open::Closed(Some(zoned("2026-11-23T09:00[Europe/Paris]"))));
        assert_eq!(is("2026-11-11T10:00[Europe/Paris]"), Open::Closed(Some(zoned("2026-11-12T09:00[Europe/Paris]"))));
    }

    #[test]
    fn round_the_clock_never_closes_within_two_weeks() {
        let hours = HoursDef {
            week: DAYS.iter().map(|d| ((*d).to_owned(), vec!["00:00-24:00".to_owned()])).collect(),
            closed_on_french_holidays: false,
            ..office()
        };
        let Open::Until(until) = open_at(&hours, at("2026-11-22T03:00[Europe/Paris]")).unwrap() else { panic!("open") };
        assert!(until.date() > date(2026, 12, 1));
    }

    #[test]
    fn faults_are_named() {
        let wrong = |hours: HoursDef| open_at(&hours, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(wrong(HoursDef { zone: "Nowhere".into(), ..office() }), HoursError::Zone("Nowhere".into()));
        assert_eq!(wrong(HoursDef { week: [("lun".into(), vec![])].into(), ..office() }), HoursError::Day("lun".into()));
        let slot = HoursDef { week: [("thu".into(), vec!["9h-12h".into()])].into(), ..office() };
        assert_eq!(wrong(slot), HoursError::Slot("9h-12h".into()));
    }

    #[test]
    fn holidays_that_move() {
        for (y, m, d) in [(2026, 4, 6), (2026, 5, 14), (2026, 5, 25), (2027, 3, 29), (2027, 5, 6), (2027, 5, 17)] {
            assert!(is_french_holiday(date(y, m, d)), "{y}-{m}-{d}");
        }
        assert!(!is_french_holiday(date(2026, 4, 5 + 2)));
    }
}
