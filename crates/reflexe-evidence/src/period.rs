//! Which dates of evidence can be believed: the ends of its period are taken over these. A date that cannot be believed is named
//! by whoever prints the period; its row is judged like any other.
use std::collections::BTreeMap;

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;
/// A record alone is far from every other beyond this gap [J].
pub const FAR: i64 = 30 * DAY;
/// Clocks and time zones: so much after the import is no future [J].
pub const TOLERANCE: i64 = DAY;
/// Days told apart; more than a century of them is no log.
const MOST: usize = 40_000;

/// The days on which something happened, each with its number of records and its first and last instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Days {
    by: BTreeMap<i64, Day>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    records: u64,
    first: i64,
    last: i64,
}

/// What can be believed of the dates of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Believed {
    /// First and last instant that can be believed.
    pub span: Option<(i64, i64)>,
    /// Instants of what cannot: first and last of each day, in order.
    pub strange: Vec<(i64, i64)>,
}

impl Days {
    /// Takes a record in.
    pub fn add(&mut self, at: i64) {
        self.take(Day { records: 1, first: at, last: at });
    }

    /// Takes several records of one day in.
    pub fn add_day(&mut self, records: u64, first: i64, last: i64) {
        self.take(Day { records, first, last });
    }

    /// Takes other days in.
    pub fn extend(&mut self, other: &Self) {
        other.by.values().for_each(|day| self.take(*day));
    }

    /// Whether any record lies in a period (its ends included, as exactly as days tell).
    pub fn any_between(&self, from: i64, to: i64) -> bool {
        let days = self.by.range(from.div_euclid(DAY)..=to.div_euclid(DAY).max(from.div_euclid(DAY)));
        days.into_iter().any(|(_, day)| day.last >= from && day.first <= to)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by.is_empty()
    }

    fn take(&mut self, new: Day) {
        let key = new.first.div_euclid(DAY);
        if let Some(day) = self.by.get_mut(&key) {
            day.records += new.records;
            day.first = day.first.min(new.first);
            day.last = day.last.max(new.last);
        } else if self.by.len() < MOST {
            self.by.insert(key, new);
        }
    }

    /// What can be believed, given when the evidence was imported: not what is later than that, and not a record alone whose
    /// date lies more than 30 days from every other. Where most dates are later than the import, the clock of this machine is
    /// wrong and not the evidence; where every record stands alone, none is strange.
    pub fn believed(&self, imported: Option<i64>) -> Believed {
        let all: u64 = self.by.values().map(|d| d.records).sum();
        let later = |day: &Day| imported.is_some_and(|now| day.last > now.saturating_add(TOLERANCE));
        let future: u64 = self.by.values().filter(|d| later(d)).map(|d| d.records).sum();
        let clock = future * 2 <= all;
        let mut strange = Vec::new();
        let mut groups: Vec<Day> = Vec::new();
        for day in self.by.values() {
            if clock && later(day) {
                strange.push((day.first, day.last));
                continue;
            }
            match groups.last_mut() {
                Some(group) if day.first.saturating_sub(group.last) <= FAR => {
                    group.records += day.records;
                    group.last = day.last;
                }
                _ => groups.push(*day),
            }
        }
        let body = groups.iter().any(|g| g.records > 1);
        let (alone, kept): (Vec<Day>, Vec<Day>) = groups.into_iter().partition(|g| body && g.records == 1);
        strange.extend(alone.iter().map(|g| (g.first, g.last)));
        strange.sort_unstable();
        let span = kept.first().zip(kept.last()).map(|(a, z)| (a.first, z.last));
        Believed { span, strange }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn days(all: &[i64]) -> Days {
        let mut days = Days::default();
        all.iter().for_each(|d| days.add(d * DAY));
        days
    }

    #[test]
    fn one_date_apart_moves_nothing() {
        let believed = days(&[100, 101, 101, 140]).believed(None);
        assert_eq!(believed, Believed { span: Some((100 * DAY, 101 * DAY)), strange: vec![(140 * DAY, 140 * DAY)] });
        let near = days(&[100, 101, 131]).believed(None);
        assert_eq!(near, Believed { span: Some((100 * DAY, 131 * DAY)), strange: vec![] });
        let two = days(&[100, 101, 500, 500]).believed(None);
        assert_eq!(two.span, Some((100 * DAY, 500 * DAY)), "two that agree are no mistake of one");
        assert_eq!(days(&[-5000, 100, 101]).believed(None).span, Some((100 * DAY, 101 * DAY)), "nor the beginning");
    }

    #[test]
    fn a_sparse_log_is_believed_whole() {
        assert_eq!(days(&[0, 50, 100]).believed(None), Believed { span: Some((0, 100 * DAY)), strange: vec![] });
        assert_eq!(days(&[7]).believed(None).span, Some((7 * DAY, 7 * DAY)));
        assert_eq!(days(&[]).believed(None), Believed::default());
    }

    #[test]
    fn what_is_later_than_the_import_is_named_unless_the_clock_is_wrong() {
        let log = days(&[100, 101, 101, 103, 110]);
        let believed = log.believed(Some(102 * DAY));
        assert_eq!(believed.span, Some((100 * DAY, 103 * DAY)));
        assert_eq!(believed.strange, [(110 * DAY, 110 * DAY)]);
        assert_eq!(log.believed(Some(0)).strange, [], "the machine believes it is 1970");
    }

    proptest! {
        #[test]
        fn the_span_holds_no_strange_end(all in proptest::collection::vec(-40_000i64..40_000, 0..40), now in proptest::option::of(-40_000i64..40_000)) {
            let log = days(&all);
            let believed = log.believed(now.map(|n| n * DAY));
            prop_assert_eq!(believed.span.is_none(), all.is_empty());
            if let Some((from, to)) = believed.span {
                prop_assert!(from <= to && log.any_between(from, to));
                prop_assert!(all.iter().any(|d| d * DAY == from) && all.iter().any(|d| d * DAY == to));
                let ends = |(a, z): &(i64, i64)| *a == from || *z == to;
                prop_assert!(!believed.strange.iter().any(ends));
            }
        }
    }
}
