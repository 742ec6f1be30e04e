//! Many rows, one finding. Ordinary rows of equal (subject, key, say) are one; rows of a `[bundle]` are one act, or several of one
//! hand on one subject close to each other. What each row said of whom stays apart ([`Act`]): one person's guilt is not another's.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use reflexe_model::Link;

use crate::{
    def::CheckDef,
    value::{Few, Value, Values},
};

/// One row that `check.sql` returned.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// Who or what.
    pub subject: String,
    /// What tells two findings of a subject apart.
    pub key: String,
    /// Which template words it; empty for `found`.
    pub say: String,
    /// Rows that prove it.
    pub rows: Vec<i64>,
    /// Boolean columns.
    pub signs: BTreeMap<String, Option<bool>>,
    /// Other columns.
    pub values: BTreeMap<String, Vec<Value>>,
}

/// What many acts have in common, kept once.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// Who did it, lower case: as `check.sql` says, else as the cited rows say. Empty: nobody is named.
    pub actors: Few<String>,
    /// The signs of the row.
    pub signs: BTreeMap<String, Option<bool>>,
    /// Values of the columns that tie findings.
    pub links: BTreeSet<Link>,
    /// Whom it makes a suspect beside its actor if it is decisive (`makes_suspect`), lower case.
    pub makes: BTreeSet<String>,
}

/// One row of the query inside a finding.
#[derive(Debug, Clone)]
pub struct Act {
    /// Who, and what speaks for or against him.
    pub head: Arc<Head>,
    /// Rows that prove it.
    pub rows: Vec<i64>,
    /// When it began.
    pub first: Option<Timestamp>,
    /// When it ended.
    pub last: Option<Timestamp>,
}

impl Act {
    /// Reaches over the time of another that was done alike.
    pub fn extend(&mut self, other: &Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
    }
}

/// What makes the rows of a bundle one act, beside whom it was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneAct {
    /// Who did it, lower case; empty if nobody is named.
    pub actor: String,
    /// What the rows share; without it they are near in time.
    pub link: Option<String>,
}

/// Rows made one.
#[derive(Debug, Clone)]
pub struct Folded {
    /// Who or what.
    pub subject: String,
    /// See [`Candidate::key`]; empty when a bundle unites several.
    pub key: String,
    /// See [`Candidate::say`].
    pub say: String,
    /// Of a bundle: whose act it is.
    pub bundle: Option<OneAct>,
    /// All rows.
    pub rows: BTreeSet<i64>,
    /// True if one is true, else unknown if one is unknown.
    pub signs: BTreeMap<String, Option<bool>>,
    /// Distinct values.
    pub values: BTreeMap<String, Values>,
    /// What ties it to other findings.
    pub links: BTreeSet<Link>,
    /// The rows of the query, each with its author.
    pub acts: Vec<Act>,
    keys: Few<String>,
    /// When its rows begin and end, as the query says.
    span: Option<(Timestamp, Timestamp)>,
}

impl Folded {
    fn of(check: &CheckDef, c: Candidate, actors: Few<String>) -> Self {
        let links: BTreeSet<Link> = check
            .links
            .iter()
            .flat_map(|(kind, column)| c.values.get(column).into_iter().flatten().map(move |v| (kind, v)))
            .map(|(kind, v)| Link { kind: kind.clone(), value: v.shown().to_lowercase() })
            .collect();
        let makes = match check.makes_suspect.as_deref() {
            Some("subject") => [c.subject.to_lowercase()].into(),
            Some(column) => lower(c.values.get(column)),
            None => BTreeSet::new(),
        };
        let first = time(&c.values, "first_seen");
        let mut signs = BTreeMap::new();
        let mut values: BTreeMap<String, Values> = c.values.into_iter().map(|(n, v)| (n, v.into_iter().collect())).collect();
        for (name, value) in c.signs {
            if check.signs.contains_key(&name) {
                signs.insert(name, value);
            } else if let Some(value) = value {
                values.entry(name).or_default().insert(Value::Bool(value));
            }
        }
        let last = values.get("last_seen").and_then(|v| v.last()).and_then(Value::as_time).or(first);
        let head = Head { actors, signs: signs.clone(), links: links.clone(), makes };
        let act = Act { head: Arc::new(head), rows: c.rows.clone(), first, last };
        Self {
            subject: c.subject,
            keys: [c.key.clone()].into(),
            key: c.key,
            say: c.say,
            bundle: None,
            rows: c.rows.into_iter().collect(),
            signs,
            values,
            links,
            acts: vec![act],
            span: first.zip(last),
        }
    }

    /// Takes another's rows in. The order in which rows come changes nothing.
    pub(super) fn absorb(&mut self, other: Self) {
        // Names differ by case only: the one that is kept must not depend on which row came first.
        if other.subject < self.subject {
            self.subject = other.subject;
        }
        self.rows.extend(other.rows);
        for (name, value) in other.signs {
            let seen = self.signs.entry(name).or_insert(Some(false));
            *seen = either(*seen, value);
        }
        for (name, values) in other.values {
            let kept = self.values.entry(name.clone()).or_default();
            kept.extend(values);
            // Of times only the outermost are looked at.
            match name.as_str() {
                "first_seen" if kept.len() > 1 => *kept = kept.first().cloned().into_iter().collect(),
                "last_seen" if kept.len() > 1 => *kept = kept.last().cloned().into_iter().collect(),
                _ => {}
            }
        }
        self.links.extend(other.links);
        self.acts.extend(other.acts);
        self.keys.extend(other.keys);
        self.span = match (self.span, other.span) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, None) | (None, one) => one,
        };
    }

    /// Earliest time.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.values.get("first_seen")?.first()?.as_time()
    }

    /// Latest time.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.values.get("last_seen")?.last()?.as_time()
    }

    /// What tells it from all other findings of all checks, while they are judged.
    pub fn identity(&self, check: &CheckDef) -> String {
        let begin = self.span.map(|(first, _)| first.to_string()).unwrap_or_default();
        let link = self.bundle.as_ref().and_then(|b| b.link.as_deref()).unwrap_or_default();
        [check.id.as_str(), &self.subject, &self.key, &self.say, link, &begin, &self.hands()].join("\u{0}").to_lowercase()
    }

    /// All who had a hand in it, as one text.
    pub fn hands(&self) -> String {
        let hands: BTreeSet<&str> = self.acts.iter().flat_map(|a| &a.head.actors).map(String::as_str).collect();
        hands.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// Who did it, when the rows agree on one.
    pub fn actor(&self) -> Option<&str> {
        let actors = self.values.get("actor")?;
        if actors.len() == 1 { actors.first()?.as_text() } else { None }
    }
}

/// True if one is, else unknown if one is.
fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (None, _) | (_, None) => None,
        _ => Some(false),
    }
}

fn time(values: &BTreeMap<String, Vec<Value>>, column: &str) -> Option<Timestamp> {
    values.get(column)?.iter().filter_map(Value::as_time).min()
}

fn lower<S: FromIterator<String>>(values: Option<&Vec<Value>>) -> S {
    values.into_iter().flatten().filter_map(Value::as_text).filter(|t| !t.is_empty()).map(str::to_lowercase).collect()
}

/// What rows must share, beside subject and `say`, to be one finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// The key: an ordinary check, or a row of a bundle that has no time. And the hand, where the check judges the hand.
    Key(Few<String>, String),
    /// The same hand, and one act of it.
    Link(Few<String>, String),
    /// The same hand, and neighbours in time.
    Near(Few<String>),
}

/// Makes rows one, as they come: so `UNION ALL` of shapes, a state beside its change, and repeats need no GROUP BY, and half a
/// million rows need no more memory than the findings that they make.
pub struct Folding<'c> {
    check: &'c CheckDef,
    heads: BTreeSet<Arc<Head>>,
    /// By when they begin; only [`Tie::Near`] has several, and those stand further apart than the gap.
    out: BTreeMap<(String, String, Tie), BTreeMap<Option<Timestamp>, Folded>>,
}

impl<'c> Folding<'c> {
    /// Nothing yet.
    pub fn of(check: &'c CheckDef) -> Self {
        Self { check, heads: BTreeSet::new(), out: BTreeMap::new() }
    }

    /// Takes a row in.
    pub fn add(&mut self, mut c: Candidate) {
        let bundle = self.check.bundle.as_ref();
        let column = bundle.map_or("actor", |b| b.actor.as_str());
        let actors: Few<String> = lower(c.values.get(column));
        if let Some(whom) = bundle.and_then(|b| b.subject.as_ref()).and_then(|s| c.values.get(s)).and_then(|v| v.first()) {
            c.subject = whom.shown();
        }
        let link = bundle
            .and_then(|b| b.link.as_ref())
            .and_then(|l| c.values.get(l))
            .and_then(|v| v.first())
            .map(|v| v.shown().to_lowercase());
        let hands = bundle.is_some() || self.check.judges_hands();
        let tie = match (bundle, &link, time(&c.values, "first_seen")) {
            (Some(_), Some(link), _) => Tie::Link(actors.clone(), link.clone()),
            (Some(_), None, Some(_)) => Tie::Near(actors.clone()),
            _ if hands => Tie::Key(actors.clone(), c.key.clone()),
            _ => Tie::Key(Few::default(), c.key.clone()),
        };
        let subject = if bundle.is_some() { c.subject.to_lowercase() } else { c.subject.clone() };
        let mut new = Folded::of(self.check, c, actors);
        for act in &mut new.acts {
            // Thousands of rows say the same of the same hand.
            match self.heads.get(&act.head) {
                Some(known) => act.head = known.clone(),
                None => drop(self.heads.insert(act.head.clone())),
            }
        }
        new.bundle = bundle.map(|_| OneAct { actor: new.hands(), link });
        let gap = bundle.map(|b| SignedDuration::from_mins(b.gap_minutes.into())).filter(|_| matches!(tie, Tie::Near(_)));
        let place = self.out.entry((subject, new.say.clone(), tie)).or_default();
        match gap {
            None => match place.first_entry() {
                Some(mut known) => known.get_mut().absorb(new),
                None => drop(place.insert(None, new)),
            },
            Some(gap) => put_near(place, new, gap),
        }
    }

    /// What became of the rows.
    pub fn done(self) -> Vec<Folded> {
        let bundled = self.check.bundle.is_some();
        // How a thing stood when it was exported, or what names nobody, belongs to the acts upon it.
        let hands = bundled || self.check.judges_hands();
        let is_state = |tie: &Tie| matches!(tie, Tie::Key(who, _) if hands && who.is_empty());
        let (mut out, mut states): (Vec<Folded>, Vec<Folded>) = (Vec::new(), Vec::new());
        for ((_, _, tie), found) in self.out {
            let to = if is_state(&tie) { &mut states } else { &mut out };
            to.extend(found.into_values());
        }
        let object = |f: &Folded, key: &str| (f.subject.to_lowercase(), f.say.clone(), key.to_owned());
        let mut acts: BTreeMap<(String, String, String), Vec<usize>> = BTreeMap::new();
        if !states.is_empty() {
            for (at, f) in out.iter().enumerate() {
                f.keys.iter().for_each(|key| acts.entry(object(f, key)).or_default().push(at));
            }
        }
        for state in states {
            let mut upon = acts.get(&object(&state, &state.key)).cloned().unwrap_or_default();
            if bundled {
                upon = upon.into_iter().max_by_key(|at| out.get(*at).and_then(|f| f.span)).into_iter().collect();
            }
            if upon.is_empty() {
                out.push(state);
                continue;
            }
            for at in upon {
                if let Some(act) = out.get_mut(at) {
                    act.absorb(state.clone());
                }
            }
        }
        for f in &mut out {
            f.values.retain(|_, v| !v.is_empty());
            f.acts.sort_by(|a, b| (a.first, a.last, &a.head, &a.rows).cmp(&(b.first, b.last, &b.head, &b.rows)));
            if bundled {
                let acts = i64::try_from(f.acts.len()).unwrap_or(i64::MAX);
                f.values.insert("count".into(), [Value::Int(acts)].into());
                if f.keys.len() > 1 {
                    f.key = String::new();
                }
            }
        }
        out
    }
}

/// Puts dated rows among those of the same hand, and joins all that are then no further apart than the gap.
fn put_near(place: &mut BTreeMap<Option<Timestamp>, Folded>, mut new: Folded, gap: SignedDuration) {
    while let Some((first, last)) = new.span {
        let reach = last.checked_add(gap).unwrap_or(Timestamp::MAX);
        let neighbour = place
            .range(..=Some(reach))
            .next_back()
            .filter(|(_, f)| f.span.is_some_and(|(_, end)| first.duration_since(end) <= gap));
        let Some(mut known) = neighbour.map(|(at, _)| *at).and_then(|at| place.remove(&at)) else {
            place.insert(Some(first), new);
            return;
        };
        known.absorb(new);
        new = known;
    }
}

#[cfg(test)]
mod tests;
