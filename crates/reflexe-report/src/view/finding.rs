//! Findings, grouped by check, each with the rows that prove it; and the bounds that keep the page readable.
use std::collections::BTreeMap;

use reflexe_fiche::story::Stages;
use reflexe_model::{Finding, Qualification, RowRef, Verdict};

use super::{LONG, SENTENCE, Titles};
use crate::{
    Originals,
    show::{Piece, pieces, second, span, visible, visible_cut},
    strip::shape,
    words::Words,
};

/// Findings shown; the lighter ones beyond are counted.
const FINDINGS: usize = 1000;
/// Rows shown in the whole page.
const ROWS: usize = 3000;
/// Bytes of original records in the whole page, as written with their escapes.
const RAW_TOTAL: usize = 2_000_000;
/// Characters of one record.
const RAW: usize = 2048;

/// What was left out, and what may still be shown.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    findings_shown: usize,
    rows_shown: usize,
    raw_shown: usize,
    findings: usize,
    rows: u64,
    raws: usize,
}

impl Cut {
    /// What was left out, in words; nothing if everything is there.
    pub(crate) fn sentence(&self, w: Words) -> Option<String> {
        (self.findings > 0 || self.rows > 0 || self.raws > 0).then(|| w.cut(self.findings, self.rows, self.raws))
    }
}

/// A check and its findings.
pub(crate) struct CheckView {
    pub id: String,
    pub items: String,
    pub question: String,
    pub findings: Vec<FindingView>,
}

/// One finding.
pub(crate) struct FindingView {
    pub id: String,
    pub item: String,
    pub class: &'static str,
    pub word: &'static str,
    pub text: String,
    pub when: String,
    pub rows_word: String,
    pub decisive: bool,
    pub facts: Vec<(&'static str, String)>,
    pub subject: Vec<Piece>,
    pub actor: Option<Vec<Piece>>,
    pub signs: Vec<(String, String)>,
    pub points: String,
    pub missing: String,
    pub rows: Vec<RowView>,
    pub bare: Vec<RowView>,
    pub bare_word: String,
    pub left: Option<String>,
}

/// One row of evidence.
pub(crate) struct RowView {
    pub table: String,
    pub file: Vec<Piece>,
    pub line: i64,
    pub locator: String,
    pub record: Option<Vec<Piece>>,
    pub raw: Option<String>,
    pub cut: bool,
    /// Why the original cannot be shown.
    pub gone: Option<String>,
}

/// Findings of an attacker's hand, other findings, and weak settings.
pub(crate) fn sections(
    q: &Qualification,
    raw: Originals,
    w: Words,
    titles: &Titles,
    cut: &mut Cut,
) -> (Vec<CheckView>, Vec<CheckView>, Vec<CheckView>) {
    // In the order of the answer, worst first: what is cut is the lightest.
    let of = |verdicts: &[Verdict], cut: &mut Cut| by_check(q, verdicts, raw, w, titles, cut);
    let traces = of(&[Verdict::Compromise, Verdict::Suspicious], cut);
    let hardening = of(&[Verdict::Weakness], cut);
    let others = of(&[Verdict::Unknown, Verdict::Info, Verdict::Ok], cut);
    (traces, others, hardening)
}

fn by_check(q: &Qualification, verdicts: &[Verdict], raw: Originals, w: Words, titles: &Titles, cut: &mut Cut) -> Vec<CheckView> {
    let mut out: Vec<CheckView> = Vec::new();
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    for f in q.findings.iter().filter(|f| verdicts.contains(&f.verdict)) {
        if cut.findings_shown == FINDINGS {
            cut.findings += 1;
            continue;
        }
        cut.findings_shown += 1;
        let at = *place.entry(&f.check).or_insert_with(|| {
            let question = q.checks.iter().find(|c| c.id == f.check).map(|c| c.question.get(w.0)).unwrap_or_default();
            out.push(CheckView {
                id: visible(&f.check, LONG),
                items: f.items.join(", "),
                question: visible(question, SENTENCE),
                findings: Vec::new(),
            });
            out.len() - 1
        });
        out[at].findings.push(one(f, raw, w, titles, cut));
    }
    out
}

fn one(f: &Finding, raw: Originals, w: Words, titles: &Titles, cut: &mut Cut) -> FindingView {
    let grave = f.verdict >= Verdict::Suspicious;
    let (texts, lines) = if grave { (10, 100) } else { (3, 20) };
    let mut rows = Vec::new();
    let mut bare = Vec::new();
    for row in &f.rows {
        if rows.len() + bare.len() == lines || cut.rows_shown == ROWS {
            break;
        }
        cut.rows_shown += 1;
        if rows.len() < texts && cut.raw_shown < RAW_TOTAL {
            let view = with_text(row, raw, w);
            cut.raw_shown += view.raw.as_deref().map_or(0, written);
            rows.push(view);
        } else {
            cut.raws += 1;
            bare.push(row_view(row));
        }
    }
    let left = f.rows_total.max(f.rows.len() as u64) - (rows.len() + bare.len()) as u64;
    cut.rows += left;
    FindingView {
        id: anchor(&f.id),
        item: f.items.first().cloned().unwrap_or_default(),
        class: shape(f.verdict),
        word: w.verdict(f.verdict),
        text: visible(f.text.get(w.0), SENTENCE),
        when: span(f.first_seen, f.last_seen, w.0),
        rows_word: w.rows_n(f.rows_total),
        decisive: f.decisive,
        facts: facts(f, w),
        subject: pieces(&f.subject, LONG),
        actor: f.actor.as_deref().map(|a| pieces(a, LONG)),
        signs: f
            .signs
            .iter()
            .map(|s| (visible(s.text.get(w.0), SENTENCE), s.points.map(|p| format!("{p:+}")).unwrap_or_default()))
            .collect(),
        points: if f.signs.iter().any(|s| s.points.is_some()) { format!("{:+}", f.points) } else { String::new() },
        missing: f.missing.iter().map(|id| titles.get(id)).collect::<Vec<_>>().join(w.pick("\u{a0}; ", "; ")),
        bare_word: w.more_rows(bare.len()),
        left: (left > 0).then(|| w.rows_left(left)),
        rows,
        bare,
    }
}

/// What is known beside the sentence: time, stage, techniques.
fn facts(f: &Finding, w: Words) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let mut add = |name, value: String| {
        if !value.is_empty() {
            out.push((name, value));
        }
    };
    let seen = match (f.first_seen, f.last_seen) {
        (Some(a), Some(b)) if a != b => format!("{} → {}", second(a, w.0), second(b, w.0)),
        (Some(a), _) | (None, Some(a)) => second(a, w.0),
        _ => String::new(),
    };
    add(w.seen(), if f.count > 1 && !seen.is_empty() { format!("{seen}, {}", w.times(f.count)) } else { seen });
    if !f.stage.is_empty() {
        add(w.stage(), Stages::embedded().word(&f.stage).get(w.0).to_owned());
    }
    add(w.attack(), f.attack.iter().map(|a| visible(a, 20)).collect::<Vec<_>>().join(", "));
    add(w.weight(), if f.verdict >= Verdict::Suspicious { format!("{} / 100", f.weight) } else { String::new() });
    add(w.could_be(), f.could_be.map(|v| w.verdict(v).to_owned()).unwrap_or_default());
    out
}

fn row_view(row: &RowRef) -> RowView {
    RowView {
        table: visible(&row.table, LONG),
        file: pieces(&row.file, LONG),
        line: row.line,
        locator: visible(&row.locator, LONG),
        record: row.record_id.as_deref().map(|r| pieces(r, LONG)),
        raw: None,
        cut: false,
        gone: None,
    }
}

fn with_text(row: &RowRef, raw: Originals, w: Words) -> RowView {
    let mut view = row_view(row);
    match raw(row) {
        Ok(text) => {
            let (text, cut) = visible_cut(text.trim_end_matches(['\r', '\n']), RAW, &['\n', '\t']);
            (view.raw, view.cut) = (Some(text), cut);
        }
        Err(reason) => view.gone = Some(visible(reason.get(w.0), SENTENCE)),
    }
    view
}

/// Bytes of a text once escaped.
fn written(text: &str) -> usize {
    text.len() + 4 * text.bytes().filter(|b| matches!(b, b'<' | b'>' | b'&' | b'"' | b'\'')).count()
}

/// The part of an address that names a finding: letters and digits only, whatever the id holds.
pub(crate) fn anchor(id: &str) -> String {
    let safe: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(80).collect();
    format!("f-{safe}")
}
