//! What the rows that prove findings say: times, actors and links of all of them, however many, and the rows themselves as
//! far as they are kept. Rows pass by once; a million rows of one finding hold little more memory than their numbers.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use reflexe_fiche::{
    Check,
    judge::{Act, Folded, Head},
    value::{Value, Values},
};
use reflexe_model::{Link, Window};

use crate::{EngineError, Session, evidence, rows::Cited, run::Sight};

/// Rows kept of a finding: half from the start, half from the end.
const KEPT: usize = 1000;
/// Rows kept by all findings of a check together; thousands of findings keep fewer rows each, but never fewer than these.
const KEPT_BY_CHECK: usize = 200_000;
const KEPT_AT_LEAST: usize = 20;
/// So many different acts of one finding are told apart; what comes after is one act for each hand.
const ACTS: usize = 2000;
/// So many links of a kind that never makes anything hostile are kept of an act and of a finding: each sign-in has a token.
const LINKS: usize = 2000;
/// The kinds that may make something hostile: of these none is lost.
const HOSTILE_KINDS: [&str; 3] = ["ip", "session", "app"];

/// Order in which rows are told: time, the source's id, number.
type Place = (Option<Timestamp>, Option<Box<str>>, i64);

/// Links, kind and value.
#[derive(Debug, Clone, Default)]
struct Links {
    by_kind: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
}

impl Links {
    fn add(&mut self, (kind, value): &(Arc<str>, Arc<str>)) {
        let known = match self.by_kind.get_mut(kind) {
            Some(known) => known,
            None => self.by_kind.entry(kind.clone()).or_default(),
        };
        if !known.contains(value) && (known.len() < LINKS || HOSTILE_KINDS.contains(&kind.as_ref())) {
            known.insert(value.clone());
        }
    }

    fn all(&self) -> impl Iterator<Item = Link> {
        self.by_kind
            .iter()
            .flat_map(|(kind, values)| values.iter().map(|value| Link { kind: kind.to_string(), value: value.to_string() }))
    }
}

/// What is known of acts that are told as one.
#[derive(Debug, Clone, Default)]
struct Facts {
    links: Links,
    actors: BTreeSet<Arc<str>>,
    time: Option<(Timestamp, Timestamp)>,
}

impl Facts {
    fn add(&mut self, cited: &Cited) {
        cited.pairs().iter().for_each(|link| self.links.add(link));
        if let Some(actor) = cited.actor.as_ref().filter(|a| !self.actors.contains(*a)) {
            self.actors.insert(actor.clone());
        }
        self.reach(cited.time.map(|t| (t, t)));
    }

    fn reach(&mut self, time: Option<(Timestamp, Timestamp)>) {
        self.time = match (self.time, time) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }
}

/// What tells an act of one row from others of its finding: what the query says of it, and what its row says.
type Apart = (Arc<Head>, Option<Arc<str>>, Box<[(Arc<str>, Arc<str>)]>);

/// What the rows of one finding say so far.
#[derive(Default)]
struct Gathered {
    kept: usize,
    /// Whether all rows that have a date are outside the period that is asked for.
    outside: Option<bool>,
    time: Option<(Timestamp, Timestamp)>,
    early: BTreeMap<Place, Arc<Cited>>,
    late: BTreeMap<Place, Arc<Cited>>,
    /// Acts of one row, as far as they are told apart, and those beyond.
    single: BTreeMap<Apart, Facts>,
    beyond: BTreeMap<Arc<Head>, Facts>,
    /// Acts of several rows, by their place in the finding.
    several: BTreeMap<u32, Facts>,
}

impl Gathered {
    fn row(&mut self, id: i64, cited: &Arc<Cited>, window: Option<&Window>) {
        if let Some(outside) = window.and_then(|w| evidence::outside(cited, w)) {
            self.outside = Some(self.outside.unwrap_or(true) && outside);
        }
        if let Some(t) = cited.time {
            self.time = Some(self.time.map_or((t, t), |(a, z)| (a.min(t), z.max(t))));
        }
        // The earliest half stays; what it pushes out is among the latest or goes.
        self.early.insert((cited.time, cited.record_id.clone(), id), cited.clone());
        if self.early.len() > self.kept.div_ceil(2)
            && let Some((place, pushed)) = self.early.pop_last()
        {
            self.late.insert(place, pushed);
            if self.late.len() > self.kept / 2 {
                self.late.pop_first();
            }
        }
    }

    fn act(&mut self, number: u32, act: &Act, cited: &Cited) {
        if act.rows.len() > 1 {
            self.several.entry(number).or_default().add(cited);
            return;
        }
        let said = act.first.map(|first| (first, act.last.unwrap_or(first)));
        let apart = (act.head.clone(), cited.actor.clone(), cited.pairs().into());
        let facts = if self.single.len() < ACTS || self.single.contains_key(&apart) {
            self.single.entry(apart).or_default()
        } else {
            self.beyond.entry(act.head.clone()).or_default()
        };
        let before = facts.time;
        facts.add(cited);
        if said.is_some() {
            // What the query says of the time goes before what the row says.
            facts.time = before;
            facts.reach(said);
        }
    }

    fn into_folded(mut self, f: &mut Folded, all: &mut BTreeMap<i64, Arc<Cited>>) {
        let total = f.rows.len();
        let mut heads: BTreeMap<Head, Act> = BTreeMap::new();
        // From here on only who, when and from where matter: what one hand did alike from one place is one act.
        let mut put = |head: &Head, facts: &Facts, said: Option<(Timestamp, Timestamp)>| {
            let mut head = head.clone();
            head.links.extend(facts.links.all());
            if head.actors.is_empty() {
                head.actors.extend(facts.actors.iter().map(|a| a.to_lowercase()));
            }
            let time = said.or(facts.time);
            let act = Act { head: Arc::default(), rows: Vec::new(), first: time.map(|t| t.0), last: time.map(|t| t.1) };
            match heads.get_mut(&head) {
                Some(known) => known.extend(&act),
                None => drop(heads.insert(head, act)),
            }
        };
        let nothing = Facts::default();
        for (act, number) in f.acts.iter().zip(0..).filter(|(act, _)| act.rows.len() != 1) {
            let said = act.first.map(|first| (first, act.last.unwrap_or(first)));
            put(&act.head, self.several.get(&number).unwrap_or(&nothing), said);
        }
        for ((head, ..), facts) in std::mem::take(&mut self.single) {
            put(&head, &facts, None);
        }
        for (head, facts) in std::mem::take(&mut self.beyond) {
            put(&head, &facts, None);
        }
        f.acts = heads.into_iter().map(|(head, act)| Act { head: head.into(), ..act }).collect();
        f.links.extend(f.acts.iter().flat_map(|a| a.head.links.iter().cloned()));

        if let Some((first, last)) = self.time {
            f.values.entry("first_seen".into()).or_insert_with(|| [Value::Time(first)].into());
            f.values.entry("last_seen".into()).or_insert_with(|| [Value::Time(last)].into());
        }
        if !f.values.contains_key("actor") {
            let actors: Values = f.acts.iter().flat_map(|a| &a.head.actors).cloned().map(Value::Text).collect();
            if !actors.is_empty() {
                f.values.insert("actor".into(), actors);
            }
        }
        let count = i64::try_from(total).unwrap_or(i64::MAX);
        f.values.entry("count".into()).or_insert_with(|| [Value::Int(count)].into());
        f.rows = BTreeSet::new();
        for ((_, _, id), cited) in self.early.into_iter().chain(self.late) {
            f.rows.insert(id);
            all.insert(id, cited);
        }
    }
}

/// A row, and where it is cited: finding, act.
type Owner = (i64, u32, u32);

/// Fills in what the cited rows of all findings know (time, actor, count, links, of each act and of the whole), and leaves each
/// a bounded number of rows; those are returned. Findings whose events are all outside the window, if one is asked for, go.
pub(crate) fn gather(
    session: &Session,
    works: &mut [(&Check, Result<Sight, EngineError>)],
    window: Option<&Window>,
) -> Result<BTreeMap<i64, Arc<Cited>>, EngineError> {
    let mut gathered: Vec<Gathered> = Vec::new();
    let mut owners: Vec<Owner> = Vec::new();
    for folded in works.iter().filter_map(|(_, seen)| Some(&seen.as_ref().ok()?.folded)) {
        let kept = (KEPT_BY_CHECK / folded.len().max(1)).clamp(KEPT_AT_LEAST, KEPT);
        for f in folded {
            let number = u32::try_from(gathered.len()).unwrap_or(u32::MAX);
            gathered.push(Gathered { kept, ..Gathered::default() });
            for (act, at) in f.acts.iter().zip(0..) {
                owners.extend(act.rows.iter().map(|id| (*id, number, at)));
            }
        }
    }
    owners.sort_unstable();
    let mut last = None;
    let ids: Vec<i64> = owners.iter().map(|(id, ..)| *id).filter(|id| last.replace(*id) != Some(*id)).collect();
    let findings: Vec<&Folded> = works.iter().filter_map(|(_, seen)| Some(&seen.as_ref().ok()?.folded)).flatten().collect();
    session.cited_each(ids.into_iter(), |id, cited| {
        let cited = Arc::new(cited);
        let from = owners.partition_point(|(owned, ..)| *owned < id);
        let mut before = None;
        for (_, number, at) in owners.iter().skip(from).take_while(|(owned, ..)| *owned == id) {
            let (Some(g), Some(f)) = (gathered.get_mut(*number as usize), findings.get(*number as usize)) else { continue };
            if before.replace(*number) != Some(*number) {
                g.row(id, &cited, window);
            }
            if let Some(act) = f.acts.get(*at as usize) {
                g.act(*at, act, &cited);
            }
        }
    })?;
    drop((owners, findings));
    let mut kept = BTreeMap::new();
    let mut gathered = gathered.into_iter();
    for folded in works.iter_mut().filter_map(|(_, seen)| Some(&mut seen.as_mut().ok()?.folded)) {
        let mut inside = Vec::with_capacity(folded.len());
        for (mut f, g) in std::mem::take(folded).into_iter().zip(&mut gathered) {
            if g.outside != Some(true) {
                g.into_folded(&mut f, &mut kept);
                inside.push(f);
            }
        }
        *folded = inside;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: i64, id: i64, ip: &str) -> (i64, Arc<Cited>) {
        let links = [("ip".into(), ip.into()), ("token".into(), format!("t{id}").into())].into();
        (id, Arc::new(Cited::of(Timestamp::from_second(at).ok(), links)))
    }

    #[test]
    fn of_many_rows_the_outermost_stay_whatever_the_order() {
        for step in [1, 7, 37] {
            let mut g = Gathered { kept: 6, ..Gathered::default() };
            for n in 0..100 {
                let at = n * step % 100;
                let (id, cited) = row(at, at, "192.0.2.1");
                g.row(id, &cited, None);
            }
            let ids: Vec<i64> = g.early.keys().chain(g.late.keys()).map(|(_, _, id)| *id).collect();
            assert_eq!(ids, [0, 1, 2, 97, 98, 99], "step {step}");
            assert_eq!(g.time.map(|(a, z)| (a.as_second(), z.as_second())), Some((0, 99)));
        }
    }

    #[test]
    fn no_address_is_lost_among_many_acts() {
        let mut g = Gathered { kept: 6, ..Gathered::default() };
        let head: Arc<Head> = Arc::default();
        for n in 0..5000 {
            let (id, cited) = row(n, n, &format!("198.51.100.{n}"));
            let act = Act { head: head.clone(), rows: vec![id], first: None, last: None };
            g.act(0, &act, &cited);
        }
        assert_eq!(g.single.len() + g.beyond.len(), ACTS + 1);
        let beyond = g.beyond.get(&head).expect("what comes after");
        assert_eq!(beyond.links.by_kind.get("ip").map(BTreeSet::len), Some(3000));
        assert_eq!(beyond.links.by_kind.get("token").map(BTreeSet::len), Some(LINKS));
    }
}
