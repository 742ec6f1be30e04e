//! The time line of a story: one lane for each stage, one mark for each fact, time from left to right.
//! It only computes places; the template draws. The same facts always stand in a table beside it.
use jiff::{Timestamp, tz::TimeZone};
use reflexe_fiche::story::Stages;
use reflexe_model::{Finding, Lang, StoryFact, Verdict};

use crate::show::{day, minute, visible};

const LEFT: f64 = 176.0;
const RIGHT: f64 = 726.0;
const TOP: f64 = 34.0;
const LANE: f64 = 26.0;

/// A drawing, in units of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strip {
    pub height: String,
    pub bottom: String,
    pub lanes: Vec<Lane>,
    pub ticks: Vec<Tick>,
    pub marks: Vec<Mark>,
}

/// A line of the drawing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lane {
    pub y: String,
    pub text_y: String,
    pub name: String,
}

/// A time written at the top.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub x: String,
    pub name: String,
    /// Where the name hangs, so that it stays inside.
    pub anchor: &'static str,
    pub name_x: String,
}

/// A fact: a bar over its duration, a shape at its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub x: String,
    pub y: String,
    pub bar_y: String,
    pub width: String,
    /// Name of the shape in the sprite, also its colour class.
    pub shape: &'static str,
    pub title: String,
}

/// Draws a story; nothing if fewer than two moments are known.
pub(crate) fn strip(findings: &[&Finding], context: &[StoryFact], lang: Lang, context_word: &str) -> Option<Strip> {
    let times = findings.iter().flat_map(|f| [f.first_seen, f.last_seen]).chain(context.iter().map(|c| c.time)).flatten();
    let (from, to) =
        times.fold(None, |range: Option<(Timestamp, Timestamp)>, t| Some(range.map_or((t, t), |(a, b)| (a.min(t), b.max(t)))))?;
    if from == to {
        return None;
    }
    let (first, length) = (seconds(from), (seconds(to) - seconds(from)).max(1.0));
    let x = |t: Timestamp| LEFT + (RIGHT - LEFT) * (seconds(t) - first) / length;

    let mut stages: Vec<&str> = findings.iter().map(|f| f.stage.as_str()).collect();
    stages.sort_unstable();
    stages.dedup();
    let words = Stages::embedded();
    let mut names: Vec<String> =
        stages.iter().map(|s| if s.is_empty() { "–".to_owned() } else { words.word(s).get(lang).to_owned() }).collect();
    if !context.is_empty() {
        names.push(context_word.to_owned());
    }
    #[allow(clippy::cast_precision_loss)] // a handful of lanes
    let lane_y = |n: usize| TOP + LANE * (n as f64 + 0.5);

    let mut marks = Vec::new();
    for f in findings {
        let (Some(start), Some(lane)) = (f.first_seen.or(f.last_seen), stages.iter().position(|s| *s == f.stage)) else {
            continue;
        };
        let end = f.last_seen.unwrap_or(start).max(start);
        marks.push(Mark {
            x: one(x(start)),
            y: one(lane_y(lane) - 7.0),
            bar_y: one(lane_y(lane) - 2.0),
            width: one(x(end) - x(start)),
            shape: shape(f.verdict),
            title: format!("{} · {}", minute(start, lang), visible(f.text.get(lang), 300)),
        });
    }
    for c in context {
        let Some(t) = c.time else { continue };
        marks.push(Mark {
            x: one(x(t)),
            y: one(lane_y(stages.len()) - 7.0),
            bar_y: one(lane_y(stages.len()) - 2.0),
            width: "0".to_owned(),
            shape: "info",
            title: format!("{} · {}", minute(t, lang), visible(c.text.get(lang), 300)),
        });
    }
    let bottom = lane_y(names.len()) - LANE / 2.0;
    Some(Strip {
        height: one(bottom + 6.0),
        bottom: one(bottom),
        lanes: names
            .into_iter()
            .enumerate()
            .map(|(n, name)| Lane { y: one(lane_y(n)), text_y: one(lane_y(n) + 4.0), name })
            .collect(),
        ticks: ticks(from, to, lang, x),
        marks,
    })
}

/// Name of the shape of a verdict in the sprite; also its class.
pub(crate) fn shape(v: Verdict) -> &'static str {
    match v {
        Verdict::Compromise => "found",
        Verdict::Suspicious => "suspect",
        Verdict::Weakness => "weak",
        Verdict::Unknown => "unknown",
        Verdict::Info => "info",
        Verdict::Ok => "ok",
    }
}

/// Round moments, six at most.
fn ticks(from: Timestamp, to: Timestamp, lang: Lang, x: impl Fn(Timestamp) -> f64) -> Vec<Tick> {
    const STEPS: [i64; 16] =
        [1, 5, 10, 60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 7_776_000, 31_536_000];
    let length = to.as_second() - from.as_second();
    let step = STEPS.into_iter().find(|s| length / s < 5).unwrap_or(length / 4 + 1);
    let mut at = from.as_second() - from.as_second().rem_euclid(step) + step;
    let mut out = Vec::new();
    let mut last_day = String::new();
    while at <= to.as_second() && out.len() < 6 {
        // Between two timestamps, so a timestamp.
        let Ok(t) = Timestamp::from_second(at) else { break };
        let date = day(t, lang);
        let clock = t.to_zoned(TimeZone::UTC).strftime(if step < 60 { "%H:%M:%S" } else { "%H:%M" }).to_string();
        let name = if step >= 86_400 {
            date.clone()
        } else if date == last_day {
            clock
        } else {
            format!("{date} {clock}")
        };
        last_day = date;
        let px = x(t);
        let anchor = if px > RIGHT - 50.0 { "end" } else { "middle" };
        out.push(Tick { x: one(px), name, anchor, name_x: one(px.min(RIGHT + 8.0)) });
        at += step;
    }
    out
}

#[allow(clippy::cast_precision_loss)] // a place on a drawing
fn seconds(t: Timestamp) -> f64 {
    t.as_millisecond() as f64 / 1000.0
}

/// One decimal: a drawing is the same on every machine.
fn one(v: f64) -> String {
    format!("{v:.1}")
}
