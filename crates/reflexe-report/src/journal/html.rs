//! The journal as a page to print: three columns and a place to sign, corrections struck through, the fingerprint on each sheet.
use askama::Template;
use reflexe_model::{Entry, Lang};

use super::{
    ExportError,
    told::{Told, tell},
    words,
};
use crate::{
    show::{Piece, pieces, visible, visible_cut},
    words::Words,
};

/// Longest shown body, in characters; JSONL has all of it.
const BODY: usize = 20_000;

/// What stands on the page beside the entries.
#[derive(Debug, Clone, Copy)]
pub struct HtmlOptions<'a> {
    /// Title of the case.
    pub title: &'a str,
    /// Id of the case.
    pub case_id: &'a str,
    /// Fingerprint of the journal, short: `3f2a 91bc 0d44 e7a0`.
    pub head: &'a str,
    /// The line about the chain: `chaîne intacte · 214 écritures · 3 postes`.
    pub verified: &'a str,
    /// Whether the chain is intact.
    pub intact: bool,
    /// When it is printed, as it is shown.
    pub printed: &'a str,
    /// Also what the product wrote by itself.
    pub generated: bool,
    /// Language of the page.
    pub lang: Lang,
}

#[derive(Template)]
#[template(path = "journal.html", whitespace = "minimize")]
struct Page {
    w: Words,
    title: Vec<Piece>,
    title_text: String,
    case_id: String,
    head: String,
    verified: String,
    intact: bool,
    printed: String,
    left_out: usize,
    entries: Vec<Line>,
}

struct Line {
    day: String,
    time: String,
    utc: String,
    late: String,
    actor: Vec<Piece>,
    by: Vec<Piece>,
    kind: &'static str,
    title: Vec<Piece>,
    body: String,
    targets: Vec<Vec<Piece>>,
    status: &'static str,
    /// Texts that no longer stand.
    struck: Vec<String>,
    redacted: bool,
    reasons: Vec<String>,
    conflict: bool,
    id: String,
}

/// The page in one language: no script, nothing fetched.
///
/// # Errors
/// When the template cannot be rendered.
pub fn journal_html(entries: &[Entry], options: &HtmlOptions<'_>) -> Result<String, ExportError> {
    let told = tell(entries);
    let shown = |t: &&Told<'_>| options.generated || t.is_by_people();
    let lines: Vec<Line> = told.iter().filter(shown).map(|t| line(t, options.lang)).collect();
    let page = Page {
        w: Words(options.lang),
        title: pieces(options.title, crate::view::LONG),
        title_text: visible(options.title, crate::view::LONG),
        case_id: visible(options.case_id, 64),
        head: visible(options.head, 64),
        verified: visible(options.verified, 200),
        intact: options.intact,
        printed: visible(options.printed, 64),
        left_out: told.len() - lines.len(),
        entries: lines,
    };
    Ok(crate::policy::sealed(&page.render()?))
}

fn line(told: &Told<'_>, lang: Lang) -> Line {
    let h = &told.entry.header;
    let long = crate::view::LONG;
    let content = told.content;
    let stands = |e: &&Entry| e.content.as_ref().is_some_and(|c| content != Some(c));
    let before = std::iter::once(told.entry).chain(told.corrections.iter().copied());
    let text = |e: &Entry| {
        e.content.as_ref().map(|c| visible_cut(&format!("{} {}", c.title, c.body), BODY, &['\n']).0.trim().to_owned())
    };
    let reason = |e: &&Entry| match reflexe_model::Payload::of(e) {
        Some(reflexe_model::Payload::Fact { mut facts, .. }) => facts.remove("reason").map(|r| visible(&r, long)),
        _ => None,
    };
    let mut out = Line {
        day: String::new(),
        time: String::new(),
        utc: String::new(),
        late: String::new(),
        actor: Vec::new(),
        by: Vec::new(),
        kind: words::kind(told.kind(), lang),
        title: Vec::new(),
        body: String::new(),
        targets: Vec::new(),
        status: "",
        struck: before.filter(stands).filter_map(text).collect(),
        redacted: content.is_none(),
        reasons: told.corrections.iter().chain(&told.redactions).filter_map(reason).collect(),
        conflict: told.conflict,
        id: h.entry_id.clone(),
    };
    let Some(c) = content else {
        out.day = words::minute(&h.recorded_at);
        return out;
    };
    let moment = words::minute(&c.when.start);
    moment.split(' ').next().unwrap_or_default().clone_into(&mut out.day);
    out.time = words::hour(c);
    let hour = !matches!(c.when.precision, reflexe_model::Precision::Day | reflexe_model::Precision::Unknown);
    if let Some(at) = c.when.instant().filter(|_| hour) {
        out.utc = at.strftime("%H:%M UTC").to_string();
    }
    out.late = words::late(&h.recorded_at, c, lang).unwrap_or_default();
    out.actor = pieces(&c.actor, long);
    if c.recorded_by != c.actor && !c.recorded_by.is_empty() {
        out.by = pieces(&c.recorded_by, long);
    }
    // One line that was only too long for a title is shown once, whole.
    let whole = !c.body.contains('\n') && c.body.starts_with(c.title.trim_end_matches('…'));
    out.title = pieces(if whole && !c.body.is_empty() { &c.body } else { &c.title }, long);
    out.body = if whole { String::new() } else { visible_cut(&c.body, BODY, &['\n']).0 };
    out.targets = c.targets.iter().map(|t| pieces(t, long)).collect();
    out.status = c.status.map_or("", |s| words::status(s, lang));
    out
}
