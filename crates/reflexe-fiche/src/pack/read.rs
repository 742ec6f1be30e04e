//! Reads a pack: comma or semicolon, with or without a byte order mark, `#` for comments. A faulty row is named and left out.
use std::{collections::BTreeMap, fs, path::Path};

use ipnet::IpNet;
use reflexe_model::Text;

use super::{Fault, PROFILE, Pack, PackError, Profile, Row};
use crate::{
    command::{is_address, is_guid},
    response::def::{CellKind, HoursDef, PackColumn, PackTable},
};

pub(super) fn load(dir: &Path, tables: &[PackTable]) -> Result<(Pack, Vec<Fault>), PackError> {
    let mut faults = Vec::new();
    let path = dir.join(PROFILE);
    if !path.is_file() {
        return Err(PackError::NotAPack { path });
    }
    let text = fs::read_to_string(&path).map_err(|source| PackError::Io { path, source })?;
    let profile: Profile = toml::from_str(&text).unwrap_or_else(|error| {
        faults.push(fault(PROFILE, None, format!("profil illisible : {error}"), format!("unreadable profile: {error}")));
        Profile::default()
    });
    if !profile.zone.is_empty() && jiff::tz::TimeZone::get(&profile.zone).is_err() {
        let zone = crate::say::clean(&profile.zone);
        faults.push(fault(
            PROFILE,
            None,
            format!("fuseau inconnu : {zone} (ex. Europe/Paris)"),
            format!("unknown zone: {zone} (e.g. Europe/Paris)"),
        ));
    }
    let mut rows = BTreeMap::new();
    for table in tables {
        let name = format!("{}.csv", table.id);
        let path = dir.join(&name);
        if !path.is_file() {
            faults.push(fault(&name, None, "fichier absent : la table est vide", "file missing: the table is empty"));
            continue;
        }
        let bytes = fs::read(&path).map_err(|source| PackError::Io { path, source })?;
        rows.insert(table.id.clone(), parse(table, &name, &bytes, &mut faults));
    }
    Ok((Pack { profile, tables: tables.to_vec(), rows }, faults))
}

fn fault(file: &str, line: Option<u64>, fr: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault { file: file.to_owned(), line, text: Text::new(fr, en) }
}

fn parse(table: &PackTable, file: &str, bytes: &[u8], faults: &mut Vec<Fault>) -> Vec<Row> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        faults.push(fault(
            file,
            None,
            "le fichier n'est pas en UTF-8 : enregistrez-le en « CSV UTF-8 »",
            "the file is not UTF-8: save it as “CSV UTF-8”",
        ));
        return Vec::new();
    };
    let text = text.trim_start_matches('\u{feff}');
    let head = text.lines().find(|l| !l.starts_with('#') && !l.trim().is_empty()).unwrap_or_default();
    let delimiter = if head.matches(';').count() >= head.matches(',').count() { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(str::to_lowercase).collect(),
        Err(error) => {
            faults.push(fault(file, None, format!("illisible : {error}"), format!("unreadable: {error}")));
            return Vec::new();
        }
    };
    for column in table.column.iter().filter(|c| c.required && !names.contains(&c.name)) {
        faults.push(fault(file, None, format!("colonne absente : {}", column.name), format!("column missing: {}", column.name)));
    }
    for name in names.iter().filter(|n| !n.is_empty() && !table.column.iter().any(|c| c.name == **n)) {
        let name = crate::say::clean(name);
        faults.push(fault(
            file,
            None,
            format!("colonne inconnue, non lue : {name}"),
            format!("unknown column, not read: {name}"),
        ));
    }
    let mut out = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map(csv::Position::line);
                faults.push(fault(file, line, format!("ligne illisible : {error}"), format!("unreadable row: {error}")));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let cells: BTreeMap<String, String> =
            names.iter().zip(&record).filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.clone(), v.to_owned())).collect();
        if cells.is_empty() {
            continue;
        }
        let wrong: Vec<Text> =
            table.column.iter().filter_map(|c| cell_fault(c, cells.get(&c.name).map(String::as_str))).collect();
        if wrong.is_empty() {
            out.push(Row { line, cells });
        }
        faults.extend(wrong.into_iter().map(|text| Fault { file: file.to_owned(), line: Some(line), text }));
    }
    out
}

fn cell_fault(column: &PackColumn, value: Option<&str>) -> Option<Text> {
    let name = &column.name;
    let Some(value) = value else {
        return column.required.then(|| Text::new(format!("{name} est vide"), format!("{name} is empty")));
    };
    let good = match column.kind {
        CellKind::Text => true,
        CellKind::Date => value.parse::<jiff::civil::Date>().is_ok(),
        CellKind::Ip => net(value).is_some(),
        CellKind::Address => is_address(value),
        CellKind::Guid => is_guid(value),
        CellKind::Number => value.parse::<u32>().is_ok(),
        CellKind::YesNo => yes_no(value).is_some(),
        CellKind::Hours => hours(value, "UTC").is_some(),
    };
    let shown = crate::say::clean(value);
    let (hint_fr, hint_en) = (&column.hint.fr, &column.hint.en);
    (!good).then(|| {
        Text::new(
            format!("{name} : « {shown} » ne convient pas ({hint_fr})"),
            format!("{name}: “{shown}” does not fit ({hint_en})"),
        )
    })
}

/// An address or range.
pub(super) fn net(value: &str) -> Option<IpNet> {
    value.parse().ok().or_else(|| value.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

/// Yes or no, in either language.
pub(super) fn yes_no(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "oui" | "yes" | "o" | "y" | "true" | "1" => Some(true),
        "non" | "no" | "n" | "false" | "0" => Some(false),
        _ => None,
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const JOURS: [&str; 7] = ["lun", "mar", "mer", "jeu", "ven", "sam", "dim"];

/// Opening hours as typed: `24/7`, or days and slots, groups apart by `|`.
pub(super) fn hours(value: &str, zone: &str) -> Option<HoursDef> {
    let mut week: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if matches!(value.trim(), "24/7" | "24h/24" | "7j/7") {
        week.extend(DAYS.iter().map(|d| ((*d).to_owned(), vec!["00:00-24:00".to_owned()])));
        return Some(HoursDef { zone: zone.to_owned(), week, closed_on_french_holidays: false });
    }
    for group in value.split('|') {
        let mut words = group.split_whitespace();
        let (first, last) = words.next().map(|d| d.split_once('-').unwrap_or((d, d)))?;
        let index = |d: &str| DAYS.iter().position(|x| *x == d).or_else(|| JOURS.iter().position(|x| *x == d));
        let slots: Vec<String> = words.map(str::to_owned).collect();
        let (first, last) = (index(&first.to_lowercase())?, index(&last.to_lowercase())?);
        for day in DAYS.get(first..=last)? {
            week.entry((*day).to_owned()).or_default().extend(slots.iter().cloned());
        }
    }
    let hours = HoursDef { zone: zone.to_owned(), week, closed_on_french_holidays: true };
    let whole = hours.week.values().all(|s| !s.is_empty());
    (whole && crate::hours::open_at(&hours, jiff::Timestamp::UNIX_EPOCH).is_ok()).then_some(hours)
}
