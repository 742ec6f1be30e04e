//! Actions, stories, exports, items, files and limits, as the template prints them.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_fiche::{severity, story::Stages};
use reflexe_model::{ActionState, CoverageLevel, Finding, Lang, Qualification, Story, StoryLevel, Text, Unrecognised};

use super::{LONG, SENTENCE, Titles, finding::anchor};
use crate::{
    Obtains,
    evidence::total,
    show::{Piece, capital, pieces, span, visible, visible_cut},
    strip::{Strip, shape, strip},
    words::Words,
};

/// Stories told in full.
const STORIES: usize = 12;
/// Stories listed.
const STORIES_LISTED: usize = 200;
/// Facts of a story in its drawing and table.
const STORY_FACTS: usize = 80;
/// Facts of a weak story that are listed: each opens on its rows.
const WEAK_FACTS: usize = 5;
/// Exports explained.
const EXPORTS: usize = 5;

/// A link to a finding, if the page shows it.
pub(crate) struct Proof {
    pub anchor: Option<String>,
    pub text: String,
    pub class: &'static str,
}

fn proof(q: &Qualification, id: &str, w: Words, shown: &BTreeSet<&str>) -> Proof {
    let anchor = anchor(id);
    let shown = shown.contains(anchor.as_str());
    match q.findings.iter().find(|f| f.id == id) {
        Some(f) => Proof { anchor: shown.then_some(anchor), text: visible(f.text.get(w.0), LONG), class: shape(f.verdict) },
        // `against` may name a check.
        None => {
            let question = q.checks.iter().find(|c| c.id == id).map(|c| (c.question.get(w.0), shape(c.verdict)));
            let (text, class) = question.unwrap_or((id, "info"));
            Proof { anchor: None, text: visible(text, LONG), class }
        }
    }
}

/// One of the five actions.
pub(crate) struct ActionView {
    pub id: String,
    pub title: String,
    pub class: &'static str,
    pub word: &'static str,
    pub answered: Option<&'static str>,
    pub privileged: bool,
    pub reason: String,
    pub because: Vec<Proof>,
    pub because_more: Option<String>,
    pub against: Vec<Proof>,
}

pub(crate) fn actions(q: &Qualification, w: Words, shown: &BTreeSet<&str>) -> Vec<ActionView> {
    let of = |a: &reflexe_model::ActionResult| ActionView {
        id: visible(&a.id, 8),
        title: visible(a.title.get(w.0), LONG),
        class: state_class(a.proposed),
        word: w.state(a.proposed),
        answered: a.answer.map(|s| w.state(s)),
        privileged: a.privileged,
        reason: visible(a.reason.get(w.0), SENTENCE),
        because: a.because.iter().take(6).map(|id| proof(q, id, w, shown)).collect(),
        because_more: a.because.len().checked_sub(6).filter(|n| *n > 0).map(|n| w.more(n)),
        against: a.against.iter().take(6).map(|id| proof(q, id, w, shown)).collect(),
    };
    q.actions.iter().map(of).collect()
}

fn state_class(state: ActionState) -> &'static str {
    match state {
        ActionState::Confirmed => "found",
        ActionState::Suspected => "suspect",
        ActionState::NotConfirmed | ActionState::Refuted => "ok",
        ActionState::Unknown => "unknown",
    }
}

/// A story.
pub(crate) struct StoryView {
    pub n: usize,
    pub class: &'static str,
    pub word: &'static str,
    /// Whether the title names an attack; else it only repeats the level.
    pub named: bool,
    pub title: String,
    pub subject: Vec<Piece>,
    pub score: u32,
    pub breakdown: String,
    pub when: String,
    pub stages: String,
    pub text: String,
    pub principals: Vec<Vec<Piece>>,
    pub strip: Option<Strip>,
    pub facts: Vec<StoryRow>,
    pub facts_more: Option<String>,
}

/// From this score on a story that is only to be checked is told in full.
const FULL_SCORE: u32 = 20;

/// A line of a story's table.
pub(crate) struct StoryRow {
    pub when: String,
    pub stage: String,
    pub class: &'static str,
    pub word: &'static str,
    pub text: String,
    pub anchor: Option<String>,
}

/// Stories told in full, weaker ones listed, and how many more there are.
pub(crate) fn stories(q: &Qualification, w: Words, shown: &BTreeSet<&str>) -> (Vec<StoryView>, Vec<StoryView>, usize) {
    let by_id: BTreeMap<&str, &Finding> = q.findings.iter().map(|f| (f.id.as_str(), f)).collect();
    let full = q.stories.iter().filter(|s| s.level > StoryLevel::ToCheck || s.score >= FULL_SCORE).count().min(STORIES);
    let mut all: Vec<StoryView> =
        q.stories.iter().take(STORIES_LISTED).enumerate().map(|(n, s)| story(&by_id, s, n, n < full, w, shown)).collect();
    let weak = all.split_off(full.min(all.len()));
    let left = q.stories.len() - all.len() - weak.len();
    (all, weak, left)
}

fn story(by_id: &BTreeMap<&str, &Finding>, s: &Story, n: usize, full: bool, w: Words, shown: &BTreeSet<&str>) -> StoryView {
    let stages = Stages::embedded();
    let told: Vec<&Finding> = s.findings.iter().filter_map(|id| by_id.get(id.as_str()).copied()).collect();
    let limit = if full { STORY_FACTS } else { WEAK_FACTS };
    let some: Vec<&Finding> = told.iter().copied().take(limit).collect();
    let context = &s.context[..if full { s.context.len().min(limit) } else { 0 }];
    let mut facts: Vec<(Option<jiff::Timestamp>, StoryRow)> = some
        .iter()
        .map(|f| {
            let anchor = anchor(&f.id);
            let row = StoryRow {
                when: span(f.first_seen, f.last_seen, w.0),
                stage: if f.stage.is_empty() { String::new() } else { stages.word(&f.stage).get(w.0).to_owned() },
                class: shape(f.verdict),
                word: w.verdict(f.verdict),
                text: visible(f.text.get(w.0), SENTENCE),
                anchor: shown.contains(anchor.as_str()).then_some(anchor),
            };
            (f.first_seen, row)
        })
        .collect();
    facts.extend(context.iter().map(|c| {
        let row = StoryRow {
            when: span(c.time, None, w.0),
            stage: w.context().to_owned(),
            class: "info",
            word: w.verdict(reflexe_model::Verdict::Info),
            text: visible(c.text.get(w.0), SENTENCE),
            anchor: None,
        };
        (c.time, row)
    }));
    // Undated last; a stable sort keeps the story's own order.
    facts.sort_by_key(|(t, _)| (t.is_none(), *t));
    let all = if full { told.len() + s.context.len() } else { told.len() };
    let hidden = all.saturating_sub(facts.len());
    StoryView {
        n: n + 1,
        class: match s.level {
            StoryLevel::Compromise => "found",
            StoryLevel::Suspicion | StoryLevel::ToCheck => "suspect",
        },
        word: w.level(s.level),
        named: s.pattern.is_some(),
        title: visible(s.title.get(w.0), LONG),
        subject: pieces(s.shown(), LONG),
        score: s.score,
        breakdown: visible(s.breakdown.get(w.0), SENTENCE),
        when: span(s.from, s.to, w.0),
        stages: s.stages.iter().map(|id| stages.word(id).get(w.0).to_owned()).collect::<Vec<_>>().join(", "),
        text: visible(s.text.get(w.0), 2 * SENTENCE),
        principals: s.principals.iter().filter(|p| **p != s.subject).take(12).map(|p| pieces(p, LONG)).collect(),
        strip: if full { strip(&some, context, w.0, w.context()) } else { None },
        facts: facts.into_iter().map(|(_, row)| row).collect(),
        facts_more: (hidden > 0).then(|| w.more(hidden)),
    }
}

/// An export worth fetching.
pub(crate) struct ExportView {
    pub title: String,
    pub minutes: String,
    pub settles: String,
    pub helps: String,
    pub portal: String,
    pub command: String,
    pub role: String,
    pub licence: String,
    pub note: String,
}

pub(crate) fn exports(q: &Qualification, w: Words, obtains: Obtains) -> Vec<ExportView> {
    let said = |text: Option<Text>| text.map(|t| visible(t.get(w.0), SENTENCE)).unwrap_or_default();
    let of = |e: &reflexe_model::NextExport| {
        let how = obtains(&e.obtain).unwrap_or_default();
        let title =
            [e.title.get(w.0), how.title.get(w.0), &e.obtain].into_iter().find(|t| !t.is_empty()).unwrap_or_default().to_owned();
        ExportView {
            title: visible(&title, LONG),
            minutes: format!("{}\u{a0}{}", e.minutes, w.min()),
            settles: e.settles.join(", "),
            helps: e.helps.join(", "),
            portal: said(how.portal),
            command: visible_cut(&how.command.unwrap_or_default(), SENTENCE, &['\n']).0,
            role: said(how.role),
            licence: said(how.licence),
            note: said(how.note),
        }
    };
    q.exports.iter().take(EXPORTS).map(of).collect()
}

/// Items of one action or measure.
pub(crate) struct ItemGroup {
    pub title: String,
    pub items: Vec<ItemView>,
}

/// One item of the sheet.
pub(crate) struct ItemView {
    pub id: String,
    pub title: String,
    pub class: &'static str,
    pub word: &'static str,
    pub coverage: &'static str,
    pub missing: String,
    pub no_check: bool,
}

pub(crate) fn items(q: &Qualification, w: Words, titles: &Titles) -> Vec<ItemGroup> {
    let mut groups: Vec<ItemGroup> = Vec::new();
    for item in &q.items {
        let action = q.actions.iter().find(|a| item.id.starts_with(&format!("{}.", a.id)));
        let title =
            action.map_or_else(|| w.other_items().to_owned(), |a| format!("{} {}", a.id, visible(a.title.get(w.0), LONG)));
        if groups.last().is_none_or(|g| g.title != title) {
            groups.push(ItemGroup { title, items: Vec::new() });
        }
        let mut missing: Vec<String> = item.missing.iter().map(|id| titles.get(id).to_owned()).collect();
        // What no export brings: times that were not logged. Several checks have one reason.
        let reasons: BTreeSet<&Text> = q.checks.iter().filter(|c| item.checks.contains(&c.id)).flat_map(|c| &c.reasons).collect();
        missing.extend(reasons.into_iter().map(|r| visible(r.get(w.0), SENTENCE)));
        missing.extend(item.open.iter().map(|f| visible(f.text.get(w.0), LONG)));
        let view = ItemView {
            id: visible(&item.id, 16),
            title: visible(item.title.get(w.0), LONG),
            class: shape(item.verdict),
            word: w.verdict(item.verdict),
            coverage: w.coverage(item.coverage),
            missing: missing.join(w.pick("\u{a0}; ", "; ")),
            no_check: item.checks.is_empty(),
        };
        if let Some(group) = groups.last_mut() {
            group.items.push(view);
        }
    }
    groups
}

/// A file that was read.
pub(crate) struct EvidenceView {
    pub id: String,
    pub path: Vec<Piece>,
    pub source: String,
    /// Name and value of the digest that is known.
    pub digest: String,
    pub read: String,
    pub kept: String,
    pub duplicate: String,
    pub rejected: String,
    pub period: String,
    pub notes: Vec<String>,
}

/// SHA-256, which others compare; BLAKE3 where it is not known.
fn digest(e: &reflexe_model::EvidenceInfo) -> String {
    match (&e.sha256, &e.blake3) {
        (Some(sha256), _) => format!("SHA-256 {}", visible(sha256, 64)),
        (None, Some(blake3)) => format!("BLAKE3 {}", visible(blake3, 64)),
        (None, None) => String::new(),
    }
}

pub(crate) fn evidence(q: &Qualification, w: Words) -> (Vec<EvidenceView>, Option<EvidenceView>) {
    let of =
        |id: &str, path: &str, source: &str, digest: String, rows: reflexe_model::RowCount, period: String, notes| EvidenceView {
            id: visible(id, 16),
            path: pieces(path, LONG),
            source: visible(source, LONG),
            digest,
            read: w.number(rows.read),
            kept: w.number(rows.kept),
            duplicate: w.number(rows.duplicate),
            rejected: w.number(rows.rejected),
            period,
            notes,
        };
    let files: Vec<EvidenceView> = q
        .evidence
        .iter()
        .map(|e| {
            let notes = e.notes.iter().map(|n| visible(n.get(w.0), SENTENCE)).collect();
            of(&e.id, &e.path, &e.source, digest(e), e.rows, span(e.from, e.to, w.0), notes)
        })
        .collect();
    let all = (files.len() > 1).then(|| {
        of("", &w.files(crate::evidence::files(&q.evidence)), "", String::new(), total(&q.evidence), String::new(), Vec::new())
    });
    (files, all)
}

/// A file that was not read.
pub(crate) struct UnrecognisedView {
    pub path: Vec<Piece>,
    pub reason: String,
}

pub(crate) fn unrecognised(files: Vec<&Unrecognised>, lang: Lang) -> Vec<UnrecognisedView> {
    files
        .into_iter()
        .map(|u| UnrecognisedView { path: pieces(&u.path, LONG), reason: visible(u.reason.get(lang), SENTENCE) })
        .collect()
}

/// How it was judged, and what was not.
pub(crate) struct MethodView {
    pub version: &'static str,
    pub schema: String,
    pub proposed: String,
    pub answered: String,
    pub not_looked: Vec<String>,
    pub errors: Vec<(String, String)>,
    pub partial: Vec<(String, String)>,
    pub checks: String,
}

pub(crate) fn method(q: &Qualification, w: Words) -> MethodView {
    let n = q.checks.len() as u64;
    MethodView {
        version: env!("CARGO_PKG_VERSION"),
        schema: visible(&q.schema, LONG),
        proposed: capital(&severity::display(&q.severity.proposed, w.0)),
        answered: severity::display(&q.severity.answered, w.0),
        not_looked: q.items.iter().filter(|i| i.checks.is_empty()).map(|i| visible(&i.id, 16)).collect(),
        errors: q.failures.iter().map(|f| (visible(&f.what, LONG), visible(&f.error, SENTENCE))).collect(),
        partial: q
            .checks
            .iter()
            .filter(|c| c.coverage == CoverageLevel::Partial)
            .map(|c| {
                let tables = c.missing_tables.iter().map(|t| visible(t, LONG)).collect::<Vec<_>>().join(", ");
                let reasons = c.reasons.iter().map(|r| visible(r.get(w.0), SENTENCE));
                (visible(&c.id, LONG), std::iter::once(tables).chain(reasons).collect::<Vec<_>>().join(w.pick("\u{a0}; ", "; ")))
            })
            .collect(),
        checks: w.count(n, ("contrôle", "contrôles"), ("check", "checks")),
    }
}
