//! The sentences that the product writes into the journal by itself, and the facts beside them.
use std::collections::BTreeMap;

use jiff::Timestamp;
use reflexe_model::{Kind, Origin, Text};

use super::draft::{Draft, TITLE};

/// Facts from pairs.
pub(crate) fn facts<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

/// A name shortened so that a title in two languages holds it twice.
pub(crate) fn short(name: &str) -> String {
    const MOST: usize = (TITLE - 60) / 2;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    let skip = name.chars().count() - (MOST - 1);
    format!("…{}", name.chars().skip(skip).collect::<String>())
}

pub(crate) fn device(label: &str, now: Timestamp) -> Draft {
    let title = Text::new(format!("Poste {label} : première écriture"), format!("Device {label}: first entry"));
    Draft::fact(Kind::System, "device", &title, facts([("label", label.to_owned())]), now)
}

pub(crate) fn clock_back(before: Timestamp, now: Timestamp) -> Draft {
    let title = Text::new("L’horloge de ce poste a reculé", "The clock of this device went back");
    Draft::fact(Kind::System, "clock_back", &title, facts([("before", before.to_string()), ("now", now.to_string())]), now)
}

pub(crate) fn case_opened(id: &str, format: u32, now: Timestamp) -> Draft {
    let facts =
        facts([("case", id.to_owned()), ("version", env!("CARGO_PKG_VERSION").to_owned()), ("format", format.to_string())]);
    Draft::fact(Kind::System, "case_opened", &Text::new("Dossier ouvert", "Case opened"), facts, now)
}

pub(crate) fn migrated(found: u32, known: u32, kept: &(String, String), now: Timestamp) -> Draft {
    let title = Text::new(
        format!("Dossier converti du format {found} au format {known}"),
        format!("case converted from format {found} to {known}"),
    );
    let (file, sha256) = kept.clone();
    let facts = facts([("from", found.to_string()), ("to", known.to_string()), ("file", file), ("sha256", sha256)]);
    Draft::fact(Kind::System, "migrated", &title, facts, now)
}

pub(crate) fn renamed(title: &str, now: Timestamp) -> Draft {
    let words = Text::new(format!("Dossier nommé {}", short(title)), format!("case named {}", short(title)));
    Draft::fact(Kind::System, "case_named", &words, facts([("title", title.to_owned())]), now)
}

pub(crate) fn sealed(number: u32, digest: String, sha256: &str, now: Timestamp) -> Draft {
    let title = Text::new(format!("SHA-256 de la preuve e{number} calculé"), format!("SHA-256 of evidence e{number} computed"));
    let facts = facts([("evidence", format!("e{number}")), ("digest", digest), ("sha256", sha256.to_owned())]);
    Draft::fact(Kind::Evidence, "sealed", &title, facts, now)
}

pub(crate) fn merged(entries: usize, missing: &[String], now: Timestamp) -> Draft {
    let title = Text::new(format!("Fusion : {entries} écritures reçues"), format!("Merge: {entries} entries received"));
    let facts = facts([("entries", entries.to_string()), ("missing", missing.join(","))]);
    Draft::fact(Kind::System, "merge", &title, facts, now)
}

pub(crate) fn exported(file: &str, sha256: &str, now: Timestamp) -> Draft {
    let title = Text::new(format!("Export : {}", short(file)), format!("export: {}", short(file)));
    Draft::fact(Kind::System, "export", &title, facts([("file", file.to_owned()), ("sha256", sha256.to_owned())]), now)
}

pub(crate) fn anchored(head: &str, to: &str, by: &str, now: Timestamp) -> Draft {
    let title = Text::new("Empreinte du journal communiquée", "journal fingerprint given out");
    let facts = facts([("head", head.to_owned()), ("to", to.to_owned())]);
    let mut draft = Draft::fact(Kind::System, "anchor", &title, facts, now);
    // Somebody did this: the journal shows it among what people wrote.
    draft.content.origin = Origin::Typed;
    by.clone_into(&mut draft.content.actor);
    by.clone_into(&mut draft.content.recorded_by);
    to.clone_into(&mut draft.content.body);
    draft
}
