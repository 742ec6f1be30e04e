//! Writing records quickly: appending pieces to a byte buffer, and times in the forms that the tools use.
use crate::rng::Guid;

/// Something that can be appended to a record.
pub trait Put {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);
}

impl Put for str {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}
impl<T: Put + ?Sized> Put for &T {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}
impl Put for String {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}
impl Put for Guid {
    fn put(&self, out: &mut Vec<u8>) {
        self.write(out);
    }
}
impl Put for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = *self;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[at..]);
    }
}

/// Appends several pieces to a record.
macro_rules! put {
    ($out:expr, $($piece:expr),+ $(,)?) => {{ $( $crate::text::Put::put(&$piece, $out); )+ }};
}
pub(crate) use put;

/// Seconds since 1970, UTC.
pub type Seconds = i64;

/// Seconds in a day.
pub const DAY: Seconds = 86_400;

/// Year, month, day, hour, minute, second.
pub fn civil(at: Seconds) -> (i64, i64, i64, i64, i64, i64) {
    // Days to a date of the Gregorian calendar, counted in 400-year eras from 1 March of year 0.
    let days = at.div_euclid(DAY);
    let secs = at.rem_euclid(DAY);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, day, secs / 3600, secs / 60 % 60, secs % 60)
}

/// `2026-02-03T08:41:22`, as the audit log writes it (UTC without Z).
pub struct Iso(pub Seconds);

impl Put for Iso {
    fn put(&self, out: &mut Vec<u8>) {
        let (y, mo, d, h, mi, s) = civil(self.0);
        let two = |n: i64| [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        (y as u64).put(out);
        for (sep, n) in [(b'-', mo), (b'-', d), (b'T', h), (b':', mi), (b':', s)] {
            out.push(sep);
            out.extend_from_slice(&two(n));
        }
    }
}

impl std::fmt::Display for Iso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::with_capacity(20);
        self.put(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// `2026-02-03T08:41:22Z`.
pub fn zulu(at: Seconds) -> String {
    format!("{}Z", Iso(at))
}

/// `2/3/2026 8:41:22 AM`: the culture of an American Windows, as `Export-Csv` writes dates.
pub fn american(at: Seconds) -> String {
    let (y, mo, d, h, mi, s) = civil(at);
    let half = if h < 12 { "AM" } else { "PM" };
    let hour = if h % 12 == 0 { 12 } else { h % 12 };
    format!("{mo}/{d}/{y} {hour}:{mi:02}:{s:02} {half}")
}

/// `02/03/2026 08:41:22`, as PowerShell writes a date inside a text.
pub fn invariant(at: Seconds) -> String {
    let (y, mo, d, h, mi, s) = civil(at);
    format!("{mo:02}/{d:02}/{y} {h:02}:{mi:02}:{s:02}")
}

/// `20260203084122`.
pub fn compact(at: Seconds) -> String {
    let (y, mo, d, h, mi, s) = civil(at);
    format!("{y}{mo:02}{d:02}{h:02}{mi:02}{s:02}")
}

/// `20260203-084122`.
pub fn folder(at: Seconds) -> String {
    let text = compact(at);
    format!("{}-{}", &text[..8], &text[8..])
}

/// `2026-02-03 08:41:22`.
pub fn spaced(at: Seconds) -> String {
    Iso(at).to_string().replace('T', " ")
}

/// `/Date(1770108082000)/`, as Windows PowerShell writes dates in JSON.
pub fn slash_date(at: Seconds) -> String {
    format!("/Date({}000)/", at)
}

/// 0 for Monday to 6 for Sunday.
pub fn weekday(at: Seconds) -> i64 {
    (at.div_euclid(DAY) + 3).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_calendar_s() {
        let at = 1_770_108_082; // 2026-02-03, a Tuesday
        assert_eq!(zulu(at), "2026-02-03T08:41:22Z");
        assert_eq!(american(at), "2/3/2026 8:41:22 AM");
        assert_eq!(american(at + 12 * 3600), "2/3/2026 8:41:22 PM");
        assert_eq!(folder(at), "20260203-084122");
        assert_eq!(weekday(at), 1);
        assert_eq!(zulu(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(zulu(-1), "1969-12-31T23:59:59Z");
    }
}
