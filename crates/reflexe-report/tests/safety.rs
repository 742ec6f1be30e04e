//! What an attacker wrote stays text, the page stays within its size, and its structure and colours stay readable.
#![allow(clippy::unwrap_used)] // a test may stop
mod common;

use std::{cell::Cell, path::Path};

use common::{obtains, raw, sample, sentence};
use reflexe_model::{Failure, Lang, Qualification, RowRef, Text, Verdict};

/// Everything that a log can hold against a page or a terminal.
const HOSTILE: [&str; 7] = [
    "\"><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</style></title></pre></bdi><svg onload=alert(1)>",
    "a\u{202e}gpj.exe\u{200b}\u{2066}",
    "=cmd|'/c calc'!A1",
    "\u{1b}]8;;http://evil.example\u{7}\u{1b}[2J\u{9b}31m",
    "{{7*7}}{% raw %}&lt;",
];

/// The sample with one hostile string in every place that evidence can reach.
fn poisoned(bad: &str) -> Qualification {
    let mut q = sample();
    let text = Text::new(bad, bad);
    let list = || vec![bad.to_owned()];
    q.case.id = bad.into();
    q.case.title = bad.into();
    q.case.tenant.id = Some(bad.into());
    q.case.tenant.domains = list();
    q.case.other_tenants = list();
    for e in &mut q.evidence {
        (e.id, e.path, e.source, e.sha256) = (bad.into(), bad.into(), bad.into(), Some(bad.into()));
        e.notes = vec![text.clone()];
    }
    for u in &mut q.unrecognised {
        (u.path, u.reason) = (bad.into(), text.clone());
    }
    for i in &mut q.items {
        i.title = text.clone();
        i.missing = list();
        i.checks.clear();
    }
    for c in &mut q.checks {
        (c.question, c.error, c.missing_tables) = (text.clone(), Some(bad.into()), list());
    }
    q.failures = vec![Failure { what: bad.into(), error: bad.into() }];
    for f in &mut q.findings {
        f.beneficiaries = list();
        (f.subject, f.key, f.actor, f.text) = (bad.into(), bad.into(), Some(bad.into()), text.clone());
        (f.attack, f.missing, f.check) = (list(), list(), bad.into());
        f.signs.iter_mut().for_each(|s| s.text = text.clone());
        for r in &mut f.rows {
            (r.table, r.file, r.locator, r.record_id) = (bad.into(), bad.into(), bad.into(), Some(bad.into()));
        }
    }
    for s in &mut q.stories {
        (s.subject, s.title, s.text, s.breakdown, s.principals) = (bad.into(), text.clone(), text.clone(), text.clone(), list());
        s.principals.push("other".into());
        s.victims = list();
        s.context.iter_mut().for_each(|c| c.text = text.clone());
    }
    for a in &mut q.actions {
        (a.title, a.reason, a.against) = (text.clone(), text.clone(), list());
    }
    for e in &mut q.exports {
        (e.obtain, e.title) = (bad.into(), text.clone());
    }
    q.severity.proposed.because[0].text = text.clone();
    q.severity.proposed.because[0].rule = bad.into();
    q
}

#[test]
fn nothing_hostile_becomes_markup() {
    for bad in HOSTILE {
        let q = poisoned(bad);
        for lang in [Lang::Fr, Lang::En] {
            let html = reflexe_report::html(&q, &Text::new(bad, bad), &|_| Ok(bad.into()), lang, &|_| None).unwrap();
            let calm =
                reflexe_report::html(&poisoned("calm"), &Text::new("calm", "calm"), &|_| Ok("calm".into()), lang, &|_| None)
                    .unwrap();
            assert_eq!(tags(&html), tags(&calm), "{bad:?} changed the structure of the page");
            for never in ["<script", "<img", "onload=alert(1)>", "\u{202e}", "\u{200b}", "\u{2066}", "\u{1b}", "\u{7}", "\u{9b}"]
            {
                assert!(!html.contains(never), "{never:?} of {bad:?} stands in the page");
            }
        }
    }
}

/// Number of each tag, but for those that set a hidden character or a French joint apart.
fn tags(html: &str) -> std::collections::BTreeMap<String, usize> {
    let mut out = std::collections::BTreeMap::new();
    for part in html.split('<').skip(1) {
        let name: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '!')).collect();
        if !part.starts_with("i class=\"u\"") && !part.starts_with("/i") && !name.ends_with("span") {
            *out.entry(name).or_insert(0) += 1;
        }
    }
    out
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    for bad in HOSTILE {
        let q = poisoned(bad);
        for lang in [Lang::Fr, Lang::En] {
            let answer = reflexe_report::terminal(&q, &Text::new(bad, bad), Some(Path::new(bad)), lang, false, &|_| None);
            let import = reflexe_report::evidence_text(&q.evidence, &q.unrecognised, lang);
            for text in [answer, import] {
                let control = text.chars().find(|c| {
                    c.is_control() && *c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')
                });
                assert_eq!(control, None, "of {bad:?} in {text}");
            }
        }
    }
}

#[test]
fn the_terminal_stays_within_a_screen_and_a_half() {
    let mut q = poisoned(&"x".repeat(10_000));
    q.stories = vec![q.stories[0].clone(); 40];
    q.unrecognised = vec![q.unrecognised[0].clone(); 40];
    q.exports = vec![q.exports[0].clone(); 40];
    for lang in [Lang::Fr, Lang::En] {
        let text = reflexe_report::terminal(&q, &sentence(), Some(Path::new("out.html")), lang, false, &obtains);
        assert!(text.lines().count() <= 60, "{} lines:\n{text}", text.lines().count());
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn a_long_name_is_cut_in_the_page() {
    let html = reflexe_report::html(&poisoned(&"x".repeat(10_000)), &sentence(), &raw, Lang::Fr, &obtains).unwrap();
    let longest = html.split(|c| c != 'x').map(str::len).max().unwrap();
    assert!(longest <= 4000, "{longest}");
}

#[test]
fn a_huge_answer_stays_readable_and_says_what_it_leaves_out() {
    let mut q = sample();
    let one = q.findings[0].clone();
    q.findings = (0..3_000)
        .map(|n| {
            let mut f = one.clone();
            f.id = format!("id{n}");
            f.subject = format!("user{n}@example.com");
            f.rows = vec![one.rows[0].clone(); 100];
            f.rows_total = 5_000;
            f
        })
        .collect();
    let asked = Cell::new(0);
    let big = |_: &RowRef| {
        asked.set(asked.get() + 1);
        Ok("<&>".repeat(20_000))
    };
    let html = reflexe_report::html(&q, &sentence(), &big, Lang::En, &obtains).unwrap();
    assert!(html.len() < 5_000_000, "{}", html.len());
    assert!(asked.get() < 2000, "{} records were read", asked.get());
    assert!(html.contains("2,000\u{a0}lighter facts"), "the cut is not said");
    assert!(html.contains("[cut here]"));
}

#[test]
fn the_page_is_one_quiet_document() {
    for (lang, code) in [(Lang::Fr, "fr"), (Lang::En, "en")] {
        let html = reflexe_report::html(&sample(), &sentence(), &raw, lang, &obtains).unwrap();
        assert_eq!(html.matches("<h1").count(), 1);
        assert!(html.contains(&format!("<html lang=\"{code}\">")));
        assert!(html.contains("default-src 'none'"));
        assert!(html.contains("style-src 'sha256-") && !html.contains("unsafe-inline"));
        for never in ["<script", "http://", "https://", "href=\"http", "src=", "style=\"", "onclick", "url("] {
            assert!(!html.contains(never), "{never}");
        }
        // Every link leads to a place of the page, and no place has two names.
        let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|p| p.split('"').next()).collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "an id stands twice");
        for target in html.split("href=\"#").skip(1).filter_map(|p| p.split('"').next()) {
            assert!(ids.contains(&target), "#{target} leads nowhere");
        }
        // The unknown is there with its export, and weak settings stand apart from traces.
        let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} is missing"));
        let harden = place(" id=\"harden\"");
        let weakness = place(if lang == Lang::Fr { "Les invités voient" } else { "Guests see the directory" });
        assert!(place(" id=\"findings\"") < harden && harden < weakness);
    }
}

#[test]
fn the_same_answer_gives_the_same_page() {
    let page = || reflexe_report::html(&sample(), &sentence(), &raw, Lang::Fr, &obtains).unwrap();
    assert_eq!(page(), page());
}

#[test]
fn nothing_found_is_never_said_without_the_period() {
    let mut q = sample();
    q.findings.clear();
    q.stories.clear();
    q.items.iter_mut().for_each(|i| i.verdict = Verdict::Unknown);
    q.case.window = None;
    let text = reflexe_report::terminal(&q, &sentence(), None, Lang::En, false, &obtains);
    assert!(text.contains("none (no log was given)"), "{text}");
    assert!(text.contains("8\u{a0}items unknown out of 8"), "{text}");
}

/// Text needs 4.5 on every ground, borders of what can be operated 3, in light and in dark.
#[test]
fn every_colour_can_be_read() {
    let css = include_str!("../templates/style.css");
    let colour = |name: &str, dark: bool| {
        let rest = css.split(&format!("--{name}: light-dark(")).nth(1).unwrap_or_else(|| panic!("{name}"));
        let pair = rest.split(')').next().unwrap();
        luminance(pair.split(", ").nth(usize::from(dark)).unwrap())
    };
    for dark in [false, true] {
        for ground in ["surface", "page", "sunk", "accent-soft"] {
            for text in ["ink", "ink-2", "accent", "found", "suspect", "weak", "ok", "unknown", "sev1", "sev2", "sev3", "sev4"] {
                let c = contrast(colour(text, dark), colour(ground, dark));
                assert!(c >= 4.5, "{text} on {ground} (dark: {dark}): {c:.1}");
            }
            assert!(contrast(colour("edge", dark), colour(ground, dark)) >= 3.0, "edge on {ground}");
        }
    }
}

fn luminance(hex: &str) -> f64 {
    let part = |at: usize| {
        let v = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

fn contrast(a: f64, b: f64) -> f64 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}
