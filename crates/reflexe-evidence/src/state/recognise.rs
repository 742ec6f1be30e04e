//! Which state source a file is, from the keys of its first records. A name or a folder never decides.
use std::collections::BTreeSet;

use super::{
    path::normal,
    source::{Container, Source, sources},
};

/// The source whose signature fits most of the records, given the keys of each of the first records of a file.
///
/// A record fits if it has all of a signature's keys, one of its alternatives and none of the forbidden ones. Of several
/// sources that fit at least half of the records, the one that names most of their keys wins.
pub fn recognise(records: &[Vec<String>], csv: bool) -> Option<&'static Source> {
    let records: Vec<BTreeSet<String>> = records.iter().map(|keys| keys.iter().map(|k| normal(k)).collect()).collect();
    let readable = |s: &&Source| !csv || (s.csv.is_some() && s.container == Container::Records);
    let scored = sources().iter().filter(readable).filter_map(|source| {
        let fits: Vec<usize> = records.iter().filter_map(|keys| fit(source, keys)).collect();
        (!fits.is_empty() && fits.len() * 2 >= records.len()).then(|| (fits.iter().sum::<usize>(), source))
    });
    // `max_by_key` takes the last of equals; ids are sorted and the scores of two sources must not be equal by design
    scored.max_by_key(|(score, _)| *score).map(|(_, source)| source)
}

fn fit(source: &Source, keys: &BTreeSet<String>) -> Option<usize> {
    let hit = |wanted: &[String]| wanted.iter().filter(|k| keys.contains(*k)).count();
    let s = &source.signature;
    let all = hit(&s.all);
    let any = hit(&s.any);
    (all == s.all.len() && (s.any.is_empty() || any > 0) && hit(&s.none) == 0).then_some(all + any)
}

/// The source of an empty Graph page: `{"@odata.context":"…#users","value":[]}` proves that there was nothing to list.
pub fn recognise_empty(head: &[u8]) -> Option<&'static Source> {
    #[derive(serde::Deserialize)]
    struct Page {
        #[serde(rename = "@odata.context")]
        context: String,
        value: Vec<serde::de::IgnoredAny>,
    }
    let text = std::str::from_utf8(head).ok()?.trim_start_matches('\u{feff}');
    let page: Page = serde_json::from_str(text).ok()?;
    let context = page.context.to_lowercase();
    // a selection or an expansion follows in brackets: users(id,displayName)
    let what = context.rsplit_once('#').map_or("", |(_, what)| what).split('(').next().unwrap_or("");
    page.value.is_empty().then(|| sources().iter().find(|s| s.context.iter().any(|c| ends(what, c))))?
}

fn ends(what: &str, wanted: &str) -> bool {
    let wanted = wanted.trim_start_matches("$metadata#");
    what == wanted || what.ends_with(&format!("/{wanted}"))
}
