//! Exports of the journal: nothing lost, nothing that runs, corrections and removals shown.
#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use reflexe_model::{Content, Entry, Header, Kind, Lang, Origin, Payload, Precision, When, ZoneSource};
use reflexe_report::journal::{
    Delimiter, HtmlOptions, csv_human, csv_machine, from_jsonl, journal_html, journal_text, jsonl, one_line, tell, xlsx,
};

const EVIL: &str = "=cmd|'/c calc'!A1\"><img src=x onerror=alert(1)>\u{202e}";

fn entry(n: u64, kind: Kind, title: &str, supersedes: Option<&str>) -> Entry {
    let fact =
        |reason: &str| Payload::Fact { name: "correction".into(), facts: BTreeMap::from([("reason".into(), reason.into())]) };
    Entry {
        header: Header {
            entry_id: format!("id-{n}"),
            case_id: "case".into(),
            seq: n,
            writer: "ab".repeat(32),
            prev: None,
            seen: BTreeMap::new(),
            kind,
            recorded_at: format!("2026-11-22T14:0{n}:00.000Z"),
            supersedes: supersedes.map(str::to_owned),
            about: None,
            body_hash: "cd".repeat(32),
            attachments: Vec::new(),
        },
        hash: format!("{n:064x}"),
        signature: "ef".repeat(64),
        salt: Some("01".repeat(32)),
        content: Some(Content {
            when: When {
                text: "14h".into(),
                start: "2026-11-22T14:00:00+01:00".into(),
                end: None,
                precision: Precision::Hour,
                approx: true,
                tz_source: ZoneSource::Default,
            },
            actor: "Dupont".into(),
            recorded_by: "Dupont".into(),
            origin: Origin::Typed,
            title: title.into(),
            body: String::new(),
            targets: vec![EVIL.into()],
            links: Vec::new(),
            command: None,
            account_used: None,
            output_digest: None,
            status: None,
            assignee: None,
            due: None,
            effect: None,
            flags: Vec::new(),
            tlp: None,
            pap: None,
            data: supersedes.map(|_| serde_json::to_value(fact("mauvais nom")).unwrap()),
        }),
    }
}

fn journal() -> Vec<Entry> {
    let mut gone = entry(3, Kind::Note, "secret", None);
    (gone.content, gone.salt) = (None, None);
    vec![
        entry(1, Kind::Decision, "Couper le prestataire", None),
        entry(2, Kind::Correction, "Couper l’hébergeur", Some("id-1")),
        gone,
        entry(4, Kind::Redaction, "Contenu retiré", Some("id-3")),
        entry(5, Kind::Note, EVIL, None),
    ]
}

#[test]
fn corrections_and_removals_hang_on_their_entry() {
    let entries = journal();
    let told = tell(&entries);
    assert_eq!(told.len(), 3);
    let first = told.iter().find(|t| t.entry.header.entry_id == "id-1").unwrap();
    assert_eq!((first.kind(), first.content.unwrap().title.as_str()), (Kind::Decision, "Couper l’hébergeur"));
    assert_eq!((first.corrections.len(), first.conflict), (1, false));
    let gone = told.iter().find(|t| t.entry.header.entry_id == "id-3").unwrap();
    assert!(gone.content.is_none() && gone.redactions.len() == 1);
}

#[test]
fn csv_is_safe_for_people_and_exact_for_machines() {
    let entries = journal();
    let human = csv_human(&entries, Delimiter::Semicolon).unwrap();
    assert!(human.starts_with("\u{feff}\"entry_id\";\"kind\";"));
    let mut rows = csv::ReaderBuilder::new().delimiter(b';').from_reader(human.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), entries.len());
    assert!(rows.iter().all(|r| r.iter().all(|c| !c.starts_with(['=', '+', '-', '@', '|']))));
    assert_eq!(&rows[4][11], format!("'{EVIL}"));
    assert_eq!((&rows[0][3], &rows[0][7], &rows[0][18]), ("2026-11-22T13:00:00Z", "'+01:00", "id-2"));
    let machine = csv_machine(&entries).unwrap();
    let rows: Vec<_> = csv::Reader::from_reader(machine.as_bytes()).records().map(Result::unwrap).collect();
    assert_eq!(&rows[4][11], EVIL);
    assert_eq!(serde_json::from_str::<Vec<String>>(&rows[4][13]).unwrap(), [EVIL]);
}

#[test]
fn jsonl_is_lossless() {
    let entries = journal();
    assert_eq!(from_jsonl(&jsonl(&entries).unwrap()).unwrap(), entries);
    assert!(from_jsonl("{}\n").is_err());
}

#[test]
fn the_spreadsheet_is_written_in_both_languages() {
    for lang in [Lang::Fr, Lang::En] {
        let bytes = xlsx(&journal(), "chaîne intacte", lang).unwrap();
        assert!(bytes.starts_with(b"PK"));
    }
    assert!(xlsx(&[], "", Lang::Fr).unwrap().starts_with(b"PK"), "an empty journal too");
}

#[test]
fn the_page_shows_what_was_corrected_and_removed_and_runs_nothing() {
    for (lang, words) in [(Lang::Fr, ["contenu retiré", "Main courante"]), (Lang::En, ["content removed", "Incident journal"])] {
        let options = HtmlOptions {
            title: EVIL,
            case_id: "case",
            head: "3f2a 91bc 0d44 e7a0",
            verified: "chaîne intacte · 5 écritures · 1 poste",
            intact: true,
            printed: "22 nov. 2026",
            generated: true,
            lang,
        };
        let page = journal_html(&journal(), &options).unwrap();
        for word in words {
            assert!(page.contains(word), "{word}");
        }
        assert!(page.contains("<del>") && page.contains("Couper le prestataire") && page.contains("mauvais nom"));
        assert!(page.contains("3f2a 91bc 0d44 e7a0") && page.contains("chaîne intacte"));
        assert!(!page.contains("<img") && !page.contains("<script") && !page.contains('\u{202e}'));
        assert!(page.contains("≈ 14:00 +01:00") && page.contains("13:00 UTC"));
    }
}

#[test]
fn the_terminal_shows_what_was_corrected_and_removed_and_says_what_it_leaves_out() {
    let mut entries = journal();
    let mut product = entry(6, Kind::System, "Dossier ouvert", None);
    product.content.as_mut().unwrap().origin = Origin::Generated;
    entries.push(product);
    for (lang, words) in [
        (
            Lang::Fr,
            ["contenu retiré", "avant : Couper le prestataire", "raison : mauvais nom", "corrigé (1)", "écrit 1 h 01 plus tard"],
        ),
        (
            Lang::En,
            ["content removed", "before: Couper le prestataire", "reason: mauvais nom", "corrected (1)", "written 1 h 01 later"],
        ),
    ] {
        let text = journal_text(&entries, false, lang);
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(text.contains("≈ 14:00 +01:00") && !text.contains('\u{202e}') && !text.contains("secret"), "{text}");
        assert!(text.contains("--all") && !text.contains("Dossier ouvert"), "{text}");
        let all = journal_text(&entries, true, lang);
        assert!(all.contains("Dossier ouvert") && !all.contains("--all"), "{all}");
        assert!(!journal_text(&[], false, lang).is_empty());
    }
    // A day, or a moment that nobody knows, is never said to be late, nor given an hour.
    let mut content = entries[0].content.clone().unwrap();
    content.when.precision = Precision::Unknown;
    assert!(one_line(&content, Lang::En).starts_with("2026-11-22 14h · Dupont · Couper"), "{}", one_line(&content, Lang::En));
    content.when.precision = Precision::Day;
    assert!(!one_line(&content, Lang::En).contains("14:00"));
}
