//! What an event file gave, in words: accounting by source, notes, and the rows of `coverage`.
use std::path::Path;

use reflexe_model::{RowCount, Text};

use crate::{
    error::Error,
    events::{
        Coverage, Source,
        pipeline::{SourceCount, Totals, table_names},
        time::timestamp,
    },
    import::{FileInput, FileReport, Outcome, SourceReport},
    recognise::Plan,
    write::{Provenance, TableBuilder, write_part},
};

/// Why a source's rows cannot be all of its kind: a word of `coverage.reason`, and the sentence for the reader.
struct Cap {
    word: &'static str,
    note: Text,
}

/// Builds the report of a file and writes its coverage.
///
/// # Errors
/// When the coverage cannot be written.
pub fn event_report(input: &FileInput<'_>, out_dir: &Path, plan: &Plan, mut totals: Totals) -> Result<Outcome, Error> {
    // what cannot be read belongs to the source of the file
    if totals.rejected > 0
        && let Some(main) = plan.main.or_else(|| totals.sources.keys().next().copied())
    {
        let count = totals.sources.entry(main).or_default();
        count.rows.read += totals.rejected;
        count.rows.rejected += totals.rejected;
    }
    let c = Coverage::get();
    let mut coverage = TableBuilder::new(c.table);
    let mut sources = Vec::new();
    let mut first = true;
    for (source, count) in &totals.sources {
        let caps = caps(*source, &count.rows, &totals);
        let table = source.table();
        // One row for each class: sign-ins of services prove nothing about those of people.
        let classes: Vec<&str> = if count.classes.is_empty() { vec!["*"] } else { count.classes.iter().copied().collect() };
        for class in classes.into_iter().filter(|_| count.rows.read > count.rows.rejected) {
            coverage.row(&Provenance {
                evidence_id: &input.evidence_id(),
                source_kind: source.id(),
                member: plan.facts.member,
                ..Provenance::default()
            });
            coverage.text(c.table_name, table);
            coverage.text(c.operation, class);
            coverage.text(c.subject, "*");
            if let Some((from, to)) = count.span {
                coverage.ts(c.time_from, from);
                coverage.ts(c.time_to, to);
            }
            match caps.first() {
                Some(cap) => {
                    coverage.bool(c.complete, false);
                    coverage.text(c.reason, cap.word);
                }
                None => coverage.text(c.reason, "unknown whether filtered"),
            }
        }
        let mut notes: Vec<Text> = caps.into_iter().map(|cap| cap.note).collect();
        if first {
            notes.extend(file_notes(plan, &totals));
            first = false;
        }
        sources.push(source_report(*source, count, &totals, notes));
    }
    write_part(out_dir, input.file_no, 0, &coverage.finish())?;
    Ok(Outcome::Recognised(FileReport {
        blake3: String::new(),
        size: 0,
        sources,
        superseded: totals.superseded,
        domains: totals.domains.into_iter().collect(),
    }))
}

fn source_report(source: Source, count: &SourceCount, totals: &Totals, notes: Vec<Text>) -> SourceReport {
    let mut tables: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for (name, n) in table_names().into_iter().zip(count.tables) {
        if n > 0 {
            tables.insert(name.to_owned(), n);
        }
    }
    SourceReport {
        source: source.id().to_owned(),
        rows: count.rows,
        from: count.span.and_then(|s| timestamp(s.0)),
        to: count.span.and_then(|s| timestamp(s.1)),
        tenants: totals.tenants.iter().filter(|((s, _), _)| *s == source).map(|((_, t), n)| (t.clone(), *n)).collect(),
        notes,
        tables,
    }
}

/// Signs that an export was cut.
fn caps(source: Source, rows: &RowCount, totals: &Totals) -> Vec<Cap> {
    let mut caps = Vec::new();
    let n = rows.read;
    let mut cap = |word, fr: String, en: String| caps.push(Cap { word, note: Text::new(fr, en) });
    if totals.next_link {
        cap(
            "page_missing",
            "une page annonce une page suivante (@odata.nextLink) : l’export est peut-être incomplet".into(),
            "a page announces another page (@odata.nextLink): the export may be incomplete".into(),
        );
    }
    let csv = matches!(source, Source::UalPowershellCsv | Source::UalPurviewCsv | Source::UalPortalCsv);
    if csv && n == 50_000 {
        cap(
            "export_cap",
            "exactement 50 000 lignes : le plafond d’un export d’audit est atteint, il manque des lignes".into(),
            "exactly 50,000 rows: the cap of an audit export is reached, rows are missing".into(),
        );
    }
    if source == Source::UalPowershellCsv && matches!(n, 100 | 1000 | 5000) {
        cap(
            "default_cap",
            format!("exactement {n} lignes : la limite par défaut de Search-UnifiedAuditLog, il manque sans doute des lignes"),
            format!("exactly {n} rows: the default limit of Search-UnifiedAuditLog, rows are probably missing"),
        );
    }
    if source.table() != "ual_event" && n == 250_000 {
        cap(
            "export_cap",
            "exactement 250 000 lignes : le plafond d’un téléchargement Entra est atteint".into(),
            "exactly 250,000 rows: the cap of an Entra download is reached".into(),
        );
    }
    if csv && totals.result_counts.keys().any(|count| *count >= 50_000) {
        cap(
            "session_cap",
            "une recherche annonce 50 000 résultats ou plus : le plafond d’une session est atteint, il manque des lignes".into(),
            "a search announces 50,000 results or more: the cap of a session is reached, rows are missing".into(),
        );
    }
    // each search announces how many results it has: fewer rows than announced were lost between pages
    let missing: u64 = totals.result_counts.iter().map(|(count, seen)| count.saturating_sub(*seen)).sum();
    if csv && missing > 0 {
        cap(
            "result_gap",
            format!("les recherches annoncent au moins {missing} résultats de plus que les lignes du fichier (ResultCount)"),
            format!("the searches announce at least {missing} results more than the file has rows (ResultCount)"),
        );
    }
    caps
}

/// What a reader should know of the file.
fn file_notes(plan: &Plan, totals: &Totals) -> Vec<Text> {
    let mut notes = Vec::new();
    for (code, n) in &totals.codes {
        let what = issue(code);
        notes.push(Text::new(format!("{n} rejeté(s) : {}", what.fr), format!("{n} rejected: {}", what.en)));
    }
    if plan.facts.flags.contains(&"encoding_guessed") {
        notes.push(Text::new("encodage supposé Windows-1252", "encoding supposed to be Windows-1252"));
    }
    if plan.facts.member.is_some() {
        notes.push(Text::new(
            "texte transcodé en UTF-8 : les positions se rapportent au texte transcodé",
            "text transcoded to UTF-8: positions refer to the transcoded text",
        ));
    }
    if !totals.superseded.is_empty() {
        let n = totals.superseded.len();
        notes.push(Text::new(
            format!("{n} copie(s) plus complète(s) remplacent des lignes déjà gardées"),
            format!("{n} more complete copies replace rows kept before"),
        ));
    }
    notes
}

/// What a code of `ingest_issue` means.
pub fn issue(code: &str) -> Text {
    let (fr, en) = match code {
        "record_truncated" => ("le fichier s’arrête au milieu de l’enregistrement", "the file ends inside the record"),
        "record_not_json" => ("l’enregistrement n’est pas du JSON", "the record is not JSON"),
        "row_malformed" => (
            "guillemets ou nombre de champs qui ne vont pas avec l’en-tête",
            "quotes or number of fields that do not fit the header",
        ),
        "record_too_long" => ("enregistrement de plus de 64 Mio", "record of more than 64 MiB"),
        "text_not_utf8" => ("texte illisible dans tout encodage connu", "text that no known encoding can read"),
        "record_unknown" => ("enregistrement d’aucune sorte connue", "record of no known kind"),
        "category_unsupported" => ("catégorie de journal qui n’est pas lue", "log category that is not read"),
        "content_listing" => ("liste de contenus à télécharger", "list of contents to be fetched"),
        "refusal" => ("message d’erreur à la place des données", "error message in place of data"),
        _ => ("voir le code", "see the code"),
    };
    Text::new(fr, en)
}
