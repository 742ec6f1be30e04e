//! The report as the template prints it: chosen, cut to size and put into words. Plain values only.
mod finding;
mod head;
mod parts;

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use reflexe_model::{Lang, Qualification, Text, Verdict};

use crate::{Obtains, Originals, show::Piece, show::pieces, words::Words};

pub(crate) use self::{
    finding::{CheckView, Cut},
    head::{BoxView, ScaleStep, WhyView, act_high, open},
    parts::{ActionView, EvidenceView, ExportView, ItemGroup, MethodView, StoryView, UnrecognisedView},
};

/// Longest shown name or path, in characters.
pub(crate) const LONG: usize = 300;
/// Longest shown sentence.
pub(crate) const SENTENCE: usize = 2000;

/// Everything on the page.
#[derive(Template)]
#[template(path = "report.html", whitespace = "minimize")]
pub(crate) struct Page {
    pub w: Words,
    pub title: Vec<Piece>,
    pub title_text: String,
    pub domains: Vec<Vec<Piece>>,
    pub tenant_id: Option<Vec<Piece>>,
    pub case_id: String,
    pub period: String,
    pub since: Option<String>,
    pub other_tenants: Vec<Vec<Piece>>,
    pub severity_mark: &'static str,
    pub headline: String,
    pub punctuation: String,
    pub condition: String,
    pub scale: Vec<ScaleStep>,
    pub why: Vec<WhyView>,
    pub act_high: bool,
    pub rests_on: Option<String>,
    pub failed: Option<String>,
    pub boxes: Vec<BoxView>,
    pub question: Option<&'static str>,
    pub actions: Vec<ActionView>,
    pub exports: Vec<ExportView>,
    pub unknown_items: String,
    pub nothing_unknown: bool,
    pub stories: Vec<StoryView>,
    pub weak_stories: Vec<StoryView>,
    pub stories_left: usize,
    pub traces: Vec<CheckView>,
    pub others: Vec<CheckView>,
    pub hardening: Vec<CheckView>,
    pub items: Vec<ItemGroup>,
    pub evidence: Vec<EvidenceView>,
    pub evidence_total: Option<EvidenceView>,
    pub accounting: String,
    pub unrecognised: Vec<UnrecognisedView>,
    pub beside: Vec<UnrecognisedView>,
    pub method: MethodView,
    pub cut: Option<String>,
}

impl Page {
    /// Puts an answer into words.
    pub(crate) fn new(q: &Qualification, sentence: &Text, raw: Originals, lang: Lang, obtains: Obtains) -> Self {
        let w = Words(lang);
        let mut cut = Cut::default();
        let titles = Titles::new(q, obtains, lang);
        let (traces, others, hardening) = finding::sections(q, raw, w, &titles, &mut cut);
        let shown: BTreeSet<&str> =
            traces.iter().chain(&others).chain(&hardening).flat_map(|c| &c.findings).map(|f| f.id.as_str()).collect();
        let (stories, weak_stories, stories_left) = parts::stories(q, w, &shown);
        let (headline, punctuation, condition) = head::headline(q, sentence, lang);
        let actions = parts::actions(q, w, &shown);
        let unknown = q.items.iter().filter(|i| i.verdict == Verdict::Unknown).count();
        let (beside, unrecognised) = q.unrecognised.iter().partition::<Vec<_>, _>(|u| u.harmless);
        let (evidence, evidence_total) = parts::evidence(q, w);
        let title_text = crate::show::visible(&q.case.title, 80);
        Self {
            w,
            title: pieces(&q.case.title, LONG),
            title_text,
            domains: q.case.tenant.domains.iter().filter(|d| **d != q.case.title).take(6).map(|d| pieces(d, LONG)).collect(),
            tenant_id: q.case.tenant.id.as_deref().filter(|id| *id != q.case.title).map(|id| pieces(id, LONG)),
            case_id: crate::show::visible(&q.case.id, 64),
            period: q.case.window.map_or_else(
                || w.no_period().to_owned(),
                |p| format!("{} → {}", crate::show::minute(p.from, lang), crate::show::minute(p.to, lang)),
            ),
            since: q.case.since.map(|t| crate::show::minute(t, lang)),
            other_tenants: q.case.other_tenants.iter().map(|t| pieces(t, LONG)).collect(),
            severity_mark: head::headline_mark(&q.severity.proposed),
            headline,
            punctuation,
            condition,
            scale: head::scale(q, w),
            why: head::why(q, lang),
            act_high: head::act_high(q),
            rests_on: crate::evidence::rests_on(&q.evidence, &q.unrecognised, lang),
            failed: w.failed(&q.failures),
            boxes: head::boxes(q, w),
            question: q.next_question.as_deref().and_then(|id| w.question(id)),
            exports: parts::exports(q, w, obtains),
            unknown_items: w.unknown_items(unknown, q.items.len()),
            nothing_unknown: unknown == 0 && q.exports.is_empty(),
            items: parts::items(q, w, &titles),
            accounting: w.accounting(crate::evidence::total(&q.evidence)),
            unrecognised: parts::unrecognised(unrecognised, lang),
            beside: parts::unrecognised(beside, lang),
            method: parts::method(q, w),
            cut: cut.sentence(w),
            actions,
            stories,
            weak_stories,
            stories_left,
            traces,
            others,
            hardening,
            evidence,
            evidence_total,
        }
    }
}

/// Titles of exports, by id.
pub(crate) struct Titles(BTreeMap<String, String>);

impl Titles {
    fn new(q: &Qualification, obtains: Obtains, lang: Lang) -> Self {
        let missing = q.items.iter().flat_map(|i| &i.missing).chain(q.findings.iter().flat_map(|f| &f.missing));
        let ids: BTreeSet<&String> = missing.chain(q.exports.iter().map(|e| &e.obtain)).collect();
        let of = |id: &String| {
            let known =
                obtains(id).map(|o| o.title).or_else(|| q.exports.iter().find(|e| e.obtain == *id).map(|e| e.title.clone()));
            known.map(|t| t.get(lang).to_owned()).filter(|t| !t.is_empty()).unwrap_or_else(|| id.clone())
        };
        Self(ids.into_iter().map(|id| (id.clone(), crate::show::visible(&of(id), LONG))).collect())
    }

    /// The title, or the id itself.
    pub(crate) fn get<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map_or(id, String::as_str)
    }
}
