//! What the product says, word for word. `REFLEXE_BLESS=1 cargo test -p reflexe-report` rewrites the files; the diff is the review.
#![allow(clippy::unwrap_used)] // a test may stop
mod common;

use std::{fs, path::Path};

use common::{obtains, raw, sample, sentence};
use reflexe_model::Lang;

fn golden(name: &str, got: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("REFLEXE_BLESS").is_some() {
        fs::write(&path, got).unwrap();
        return;
    }
    let want = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}. Run with REFLEXE_BLESS=1", path.display()));
    if want != got {
        let line =
            want.lines().zip(got.lines()).position(|(a, b)| a != b).unwrap_or(want.lines().count().min(got.lines().count()));
        panic!(
            "{name} differs at line {}:\n-{:?}\n+{:?}\nReview, then run with REFLEXE_BLESS=1",
            line + 1,
            want.lines().nth(line),
            got.lines().nth(line)
        );
    }
}

const LANGS: [(Lang, &str); 2] = [(Lang::Fr, "fr"), (Lang::En, "en")];

#[test]
fn the_terminal() {
    for (lang, code) in LANGS {
        let report = Path::new("reflexe-case/reports").join(format!("qualification.{code}.html"));
        let text = reflexe_report::terminal(&sample(), &sentence(), Some(&report), lang, false, &obtains);
        golden(&format!("terminal.{code}.txt"), &text);
        // Colour adds nothing but colour.
        let painted = reflexe_report::terminal(&sample(), &sentence(), Some(&report), lang, true, &obtains);
        assert_ne!(painted, text);
        assert_eq!(plain(&painted), text);
    }
}

/// Takes the colour codes off.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    out + rest
}

#[test]
fn the_import() {
    for (lang, code) in LANGS {
        let q = sample();
        golden(&format!("evidence.{code}.txt"), &reflexe_report::evidence_text(&q.evidence, &q.unrecognised, lang));
    }
}

#[test]
fn the_report() {
    for (lang, code) in LANGS {
        let html = reflexe_report::html(&sample(), &sentence(), &raw, lang, &obtains).unwrap();
        golden(&format!("report.{code}.html"), &html);
    }
}
