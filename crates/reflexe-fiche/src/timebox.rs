//! The time-box of a qualification: how long it runs, what to say at half time, at 80 % and at the end. A function of the journal
//! and of the moment; nothing is ever blocked by it.
use jiff::Timestamp;
use reflexe_model::{Answer, Approx, Confidence, DontKnow, Entry, Payload, Text};

use crate::{
    answers::Answers,
    question::{Ask, QuestionDef, QuestionKind},
};

/// Minutes that an extension adds unless somebody says otherwise.
pub const EXTENSION: u32 = 15;

/// A moment of the time-box at which something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Not started.
    NotStarted,
    /// Before half time.
    Running,
    /// From half time.
    Half,
    /// From 80 %.
    Eighty,
    /// Over.
    Ended,
    /// A person concluded; the case goes on without a timer.
    Concluded,
}

/// Where the time-box stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeBox {
    /// Where.
    pub stage: Stage,
    /// Whole minutes allowed, extensions included.
    pub minutes: u32,
    /// Seconds spent, pauses not counted.
    pub spent: i64,
    /// Whether it is paused.
    pub paused: bool,
    /// How often it was extended.
    pub extensions: u32,
}

impl TimeBox {
    /// Seconds left; never below zero.
    pub fn left(&self) -> i64 {
        (i64::from(self.minutes) * 60 - self.spent).max(0)
    }

    /// Whole minutes left, for ordering questions; `None` when no timer runs.
    pub fn minutes_left(&self) -> Option<u32> {
        let runs = !matches!(self.stage, Stage::NotStarted | Stage::Concluded);
        runs.then(|| u32::try_from(self.left() / 60).unwrap_or(u32::MAX))
    }

    /// Whether suspected privileged accounts are now treated as compromised ([`crate::axes::Frame::ended`]).
    pub fn ended(&self) -> bool {
        matches!(self.stage, Stage::Ended | Stage::Concluded)
    }

    /// Whether an extension is still usual: once.
    pub fn may_extend(&self) -> bool {
        self.extensions == 0 && !matches!(self.stage, Stage::NotStarted | Stage::Concluded)
    }

    /// The count-down: minutes, and seconds in the last two.
    pub fn shown(&self) -> Text {
        let left = self.left();
        if left > 120 {
            let m = left / 60;
            return Text::new(format!("{m} min"), format!("{m} min"));
        }
        Text::new(format!("{} min {:02} s", left / 60, left % 60), format!("{} min {:02} s", left / 60, left % 60))
    }

    /// What to say now; `None` when nothing is.
    pub fn say(&self) -> Option<Text> {
        let text = match self.stage {
            Stage::NotStarted | Stage::Running | Stage::Concluded => return None,
            Stage::Half => Text::new(
                "La moitié du temps est passée. Où en est la personne qui appelle les métiers ?",
                "Half of the time is over. How far is the person who calls the business?",
            ),
            Stage::Eighty => Text::new(
                "Il est temps de conclure avec ce que vous avez. Ce qui reste inconnu reste ouvert, et se dit.",
                "Time to conclude with what you have. What stays unknown stays open, and is said.",
            ),
            Stage::Ended => Text::new(
                "Le temps est écoulé : choisissez une gravité dans l'intervalle. Les comptes à privilèges suspectés sont traités comme compromis. Une prolongation de 15 minutes demande une raison.",
                "Time is over: choose a severity within the interval. Suspected privileged accounts are treated as compromised. An extension of 15 minutes needs a reason.",
            ),
        };
        Some(text)
    }
}

/// Where the time-box stands at a moment.
pub fn status(entries: &[Entry], now: Timestamp) -> TimeBox {
    let mut told: Vec<(&Entry, Timestamp, String, u32)> = Vec::new();
    let gone: Vec<&str> = entries.iter().filter_map(|e| e.header.supersedes.as_deref()).collect();
    for entry in entries.iter().filter(|e| !gone.contains(&e.header.entry_id.as_str())) {
        if let Some(Payload::Timer { what, minutes }) = Payload::of(entry)
            && !told.iter().any(|(e, ..)| e.hash == entry.hash)
        {
            told.push((entry, entry.order().0, what, minutes));
        }
    }
    told.sort_by_cached_key(|(e, ..)| (e.order(), e.hash.clone()));
    let mut out = TimeBox { stage: Stage::NotStarted, minutes: 0, spent: 0, paused: false, extensions: 0 };
    let (mut since, mut concluded) = (None, false);
    for (_, at, what, minutes) in told {
        match what.as_str() {
            // Two devices that start side by side start one time-box.
            "started" if out.stage == Stage::NotStarted => {
                (out.stage, out.minutes, since) = (Stage::Running, minutes, Some(at));
            }
            "paused" => out.spent += since.take().map_or(0, |s| seconds(s, at)),
            "resumed" if out.stage != Stage::NotStarted && !concluded => since = since.or(Some(at)),
            "extended" if out.stage != Stage::NotStarted => {
                // After the end the extension counts from the moment it is given.
                let spent = out.spent + since.map_or(0, |s| seconds(s, at));
                let over = spent - i64::from(out.minutes) * 60;
                if over > 0 {
                    out.spent -= over;
                }
                out.minutes += minutes;
                out.extensions += 1;
            }
            "concluded" => {
                out.spent += since.take().map_or(0, |s| seconds(s, at));
                concluded = true;
            }
            _ => {}
        }
    }
    out.spent += since.map_or(0, |s| seconds(s, now));
    out.paused = since.is_none() && out.stage == Stage::Running && !concluded;
    let allowed = i64::from(out.minutes) * 60;
    out.stage = match out.stage {
        _ if concluded => Stage::Concluded,
        Stage::NotStarted => Stage::NotStarted,
        _ if out.spent >= allowed => Stage::Ended,
        _ if out.spent * 10 >= allowed * 8 => Stage::Eighty,
        _ if out.spent * 2 >= allowed => Stage::Half,
        _ => Stage::Running,
    };
    out
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(0)
}

/// What the end writes: every question that would have decided something and that nobody answered is unknown, for want of time.
pub fn close(questions: &[QuestionDef], answers: &Answers) -> Vec<Answer> {
    let open = questions.iter().filter(|q| q.ask == Ask::Decide && q.kind != QuestionKind::Auto && !answers.is_answered(&q.id));
    open.map(|q| Answer {
        question: q.id.clone(),
        value: None,
        approx: Approx::Exact,
        confidence: Confidence::High,
        basis: vec![],
        dont_know: Some(DontKnow::NoTime),
        not_applicable: None,
        comment: String::new(),
        accepted: None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalogue, answers::tests::Journal};

    fn at(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-11-22T13:00:00Z".parse().expect("a moment");
        Timestamp::from_second(start.as_second() + minute * 60).expect("a moment")
    }

    fn timer(j: &mut Journal, minute: i64, what: &str, minutes: u32) {
        let stamp = at(minute).to_string();
        j.add_at("a", "Ann", &[], &stamp, &Payload::Timer { what: what.into(), minutes });
    }

    #[test]
    fn stages_come_at_half_at_eighty_per_cent_and_at_the_end() {
        let mut j = Journal::default();
        assert_eq!(status(&j.entries, at(0)).stage, Stage::NotStarted);
        timer(&mut j, 0, "started", 30);
        let stage = |m| status(&j.entries, at(m)).stage;
        assert_eq!([stage(14), stage(15), stage(24), stage(30)], [Stage::Running, Stage::Half, Stage::Eighty, Stage::Ended]);
        assert!(status(&j.entries, at(14)).say().is_none());
        for m in [15, 24, 30] {
            let said = status(&j.entries, at(m)).say().expect("words");
            assert!(!said.fr.is_empty() && !said.en.is_empty());
        }
        assert_eq!(status(&j.entries, at(27)).shown().fr, "3 min");
        assert_eq!(status(&j.entries, at(29)).shown().fr, "1 min 00 s");
    }

    #[test]
    fn a_pause_does_not_count_and_two_starts_are_one() {
        let mut j = Journal::default();
        timer(&mut j, 0, "started", 30);
        timer(&mut j, 2, "started", 60);
        timer(&mut j, 10, "paused", 0);
        assert_eq!((status(&j.entries, at(40)).spent, status(&j.entries, at(40)).paused), (600, true));
        timer(&mut j, 40, "resumed", 0);
        let t = status(&j.entries, at(50));
        assert_eq!((t.spent, t.minutes, t.minutes_left(), t.paused), (1200, 30, Some(10), false));
        let mut other = j.entries.clone();
        other.reverse();
        assert_eq!(status(&other, at(50)), t);
    }

    #[test]
    fn an_extension_after_the_end_gives_its_full_minutes_and_a_conclusion_stops_all() {
        let mut j = Journal::default();
        timer(&mut j, 0, "started", 30);
        assert!(status(&j.entries, at(50)).may_extend());
        timer(&mut j, 50, "extended", EXTENSION);
        let t = status(&j.entries, at(50));
        assert_eq!((t.minutes_left(), t.ended(), t.may_extend()), (Some(15), false, false));
        timer(&mut j, 60, "concluded", 0);
        let t = status(&j.entries, at(90));
        assert_eq!((t.stage, t.ended(), t.minutes_left(), t.spent), (Stage::Concluded, true, None, 2400));
    }

    #[test]
    fn what_is_open_at_the_end_is_unknown_for_want_of_time() {
        let catalogue = Catalogue::embedded().expect("well formed");
        let mut j = Journal::default();
        j.say("V.T1", "confirmed", &[]);
        let closed = close(&catalogue.questions, &j.fold());
        assert!(closed.iter().all(|a| a.dont_know == Some(DontKnow::NoTime) && a.question != "V.T1"));
        assert!(closed.iter().any(|a| a.question == "Q.4b.01"));
    }
}
