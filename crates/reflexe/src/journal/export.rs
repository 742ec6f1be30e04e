//! Writes the journal to a file; one below the case is recorded, so that a later change of it is found.
use std::path::PathBuf;

use anyhow::{Result, bail};
use reflexe_case::journal::{head, head_short, verify};
use reflexe_fiche::say::clean;
use reflexe_model::Lang;
use reflexe_report::journal::{Delimiter, HtmlOptions, csv_human, csv_machine, journal_html, jsonl, xlsx};

use crate::{desk::Desk, files};

/// Writes the journal in a format and tells where it lies.
pub(super) fn export(desk: &mut Desk, format: &str, out: Option<PathBuf>, separator: Option<&str>) -> Result<()> {
    let lang = if desk.lang == Lang::Fr { "fr" } else { "en" };
    let name = match format {
        "csv" => "journal.csv".to_owned(),
        "csv-machine" => "journal-machine.csv".to_owned(),
        "xlsx" => format!("journal.{lang}.xlsx"),
        "jsonl" => "journal.jsonl".to_owned(),
        "html" => format!("journal.{lang}.html"),
        other => {
            bail!("{} : {} (csv, csv-machine, xlsx, jsonl, html)", clean(other), desk.pick("forme inconnue", "unknown format"))
        }
    };
    let delimiter = match separator {
        Some(";") => Delimiter::Semicolon,
        Some(",") => Delimiter::Comma,
        None if desk.lang == Lang::Fr => Delimiter::Semicolon,
        None => Delimiter::Comma,
        Some(other) => bail!("{} : {}", clean(other), desk.pick("séparateur inconnu (; ou ,)", "unknown separator (; or ,)")),
    };
    if separator.is_some() && format != "csv" {
        bail!(desk.pick("--separator ne vaut que pour csv.", "--separator is for csv only.").to_owned());
    }
    let out = out.unwrap_or_else(|| desk.case.reports_dir().join(name));
    let bytes = made(desk, format, delimiter)?;
    files::wanted(desk.case.dir(), &[(out.clone(), bytes)], desk.lang)?;
    desk.reload()?;
    outln!("{}", out.display());
    Ok(())
}

fn made(desk: &Desk, format: &str, delimiter: Delimiter) -> Result<Vec<u8>> {
    let entries = &desk.entries;
    Ok(match format {
        "csv" => csv_human(entries, delimiter)?.into_bytes(),
        "csv-machine" => csv_machine(entries)?.into_bytes(),
        "jsonl" => jsonl(entries)?.into_bytes(),
        "xlsx" => xlsx(entries, &verify(desk.case.dir())?.badge(desk.lang), desk.lang)?,
        _ => {
            let verified = verify(desk.case.dir())?;
            let title = desk.case.title()?.unwrap_or_default();
            let printed = desk.now().to_zoned(desk.zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string();
            let options = HtmlOptions {
                title: &title,
                case_id: &desk.case.id()?,
                head: &head_short(&head(entries)),
                verified: &verified.badge(desk.lang),
                intact: verified.is_intact(),
                printed: &printed,
                generated: false,
                lang: desk.lang,
            };
            journal_html(entries, &options)?.into_bytes()
        }
    })
}
