//! When things happen: the number of everyday events of every hour, gathered into the windows that the tool asks for.
//!
//! People work on weekdays; the services work all the time. The totals are exact, and no list of events is ever held.
use crate::text::{Seconds, civil, weekday};

/// A stretch of time with its number of everyday events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Start.
    pub from: Seconds,
    /// End, excluded.
    pub to: Seconds,
    /// Events.
    pub events: u64,
}

/// Most events in a slot: what one window may hold at least.
const MOST: u64 = 2_500;
/// Events in a window of the tool, about: it aims at 3,000 and may never pass 5,000.
const WINDOW: u64 = 3_000;

fn weight(hour: Seconds) -> u64 {
    let (_, _, _, h, _, _) = civil(hour);
    match (weekday(hour), h) {
        (0..=4, 7..=10 | 12..=15) => 100,
        (0..=4, 6 | 11 | 16 | 17) => 50,
        (0..=4, _) => 4,
        (_, 8..=19) => 6,
        _ => 2,
    }
}

/// All slots from `from` to `to`, holding `events` in all, in order.
pub fn slots(from: Seconds, to: Seconds, events: u64) -> impl Iterator<Item = Slot> {
    let hours = move || (0..).map(move |n| from + n * 3600).take_while(move |h| *h < to);
    let share = move |h: Seconds| weight(h) * (3600.min(to - h)) as u64;
    let total: u128 = hours().map(|h| u128::from(share(h))).sum();
    let (mut weight_so_far, mut events_so_far) = (0u128, 0u64);
    hours().flat_map(move |hour| {
        weight_so_far += u128::from(share(hour));
        let until = (u128::from(events) * weight_so_far / total.max(1)) as u64;
        let here = until - events_so_far;
        events_so_far = until;
        let length = 3600.min(to - hour);
        let pieces = here.div_ceil(MOST).clamp(1, length as u64) as i64;
        (0..pieces).map(move |n| Slot {
            from: hour + length * n / pieces,
            to: hour + length * (n + 1) / pieces,
            events: here * (n as u64 + 1) / pieces as u64 - here * n as u64 / pieces as u64,
        })
    })
}

/// Slots gathered into windows: full enough, never too full.
pub fn windows(slots: impl Iterator<Item = Slot>) -> impl Iterator<Item = Vec<Slot>> {
    let mut slots = slots.peekable();
    std::iter::from_fn(move || {
        let mut window = vec![slots.next()?];
        let mut events = window[0].events;
        while let Some(next) = slots.next_if(|s| events + s.events <= WINDOW) {
            events += next.events;
            window.push(next);
        }
        Some(window)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::DAY;

    #[test]
    fn every_event_has_its_place_and_no_window_passes_the_cap() {
        for events in [0, 1, 20_000, 3_000_000] {
            let (from, to) = (1_774_980_000 - 40 * DAY, 1_774_980_000);
            let windows: Vec<_> = windows(slots(from, to, events)).collect();
            let all: Vec<Slot> = windows.iter().flatten().copied().collect();
            assert_eq!(all.iter().map(|s| s.events).sum::<u64>(), events);
            assert!(windows.iter().all(|w| w.iter().map(|s| s.events).sum::<u64>() < 4_900));
            assert_eq!((all[0].from, all[all.len() - 1].to), (from, to));
            assert!(all.windows(2).all(|two| two[0].to == two[1].from));
        }
    }

    #[test]
    fn nights_and_sundays_are_calm() {
        let monday = 1_774_828_800; // 2026-03-30
        assert!(weight(monday + 9 * 3600) > 20 * weight(monday + 2 * 3600));
        assert!(weight(monday + 9 * 3600) > 10 * weight(monday - DAY + 9 * 3600));
    }
}
