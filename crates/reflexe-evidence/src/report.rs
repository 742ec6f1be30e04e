//! What an event file gave, in words: accounting by source, notes, and the rows of `coverage`.
use reflexe_model::{RowCount, Text};

use crate::{
    error::Error,
    events::{
        Coverage, LOST, Source,
        pipeline::{SourceCount, Totals, table_names},
        time::timestamp,
    },
    import::{FileInput, FileReport, ImportContext, Outcome, SourceReport},
    recognise::{Container, Plan},
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
pub fn event_report(input: &FileInput<'_>, ctx: &ImportContext<'_>, plan: &Plan, mut totals: Totals) -> Result<Outcome, Error> {
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
    let unread: u64 = totals.codes.iter().filter(|(code, _)| loses(code)).map(|(_, n)| n).sum();
    let mut first = true;
    for (source, count) in &totals.sources {
        let span = count.days.believed(Some(ctx.now.as_microsecond())).span;
        let caps = caps(*source, &count.rows, &totals);
        let table = source.table();
        // One row for each class: sign-ins of services prove nothing about those of people.
        let classes: Vec<&str> = if count.classes.is_empty() { vec!["*"] } else { count.classes.iter().copied().collect() };
        let begin = |coverage: &mut TableBuilder, operation: &str| {
            coverage.row(&Provenance {
                evidence_id: &input.evidence_id(),
                source_kind: source.id(),
                member: plan.facts.member,
                ..Provenance::default()
            });
            coverage.text(c.table_name, table);
            coverage.text(c.operation, operation);
            coverage.text(c.subject, "*");
            if let Some((from, to)) = span {
                coverage.ts(c.time_from, from);
                coverage.ts(c.time_to, to);
            }
        };
        if first && unread > 0 {
            begin(&mut coverage, "*");
            coverage.bool(c.complete, false);
            coverage.text(c.reason, "rows_rejected");
            coverage.i64(c.lost, unread.cast_signed());
        }
        for class in classes.into_iter().filter(|_| count.rows.read > count.rows.rejected) {
            begin(&mut coverage, class);
            match caps.first() {
                Some(cap) => {
                    coverage.bool(c.complete, false);
                    coverage.text(c.reason, cap.word);
                }
                None => coverage.text(c.reason, "unknown whether filtered"),
            }
        }
        let mut notes: Vec<Text> = caps.into_iter().map(|cap| cap.note).collect();
        notes.extend(doubts(*source, count, plan));
        if first {
            notes.extend(file_notes(plan, &totals));
            first = false;
        }
        sources.push(source_report(*source, count, span, &totals, notes));
    }
    write_part(ctx.out_dir, input.file_no, 0, &coverage.finish())?;
    Ok(Outcome::Recognised(FileReport {
        blake3: String::new(),
        size: 0,
        sources,
        superseded: totals.superseded,
        repeats: totals.repeats,
        domains: totals.domains.into_iter().collect(),
    }))
}

fn source_report(
    source: Source,
    count: &SourceCount,
    span: Option<(i64, i64)>,
    totals: &Totals,
    notes: Vec<Text>,
) -> SourceReport {
    let mut tables: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for (name, n) in table_names().into_iter().zip(count.tables) {
        if n > 0 {
            tables.insert(name.to_owned(), n);
        }
    }
    SourceReport {
        source: source.id().to_owned(),
        rows: count.rows,
        from: span.and_then(|s| timestamp(s.0)),
        to: span.and_then(|s| timestamp(s.1)),
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

/// Whether a record rejected with this code may have been evidence of the kind of its file: a log of another category, or a list
/// of contents, takes nothing away from it.
fn loses(code: &str) -> bool {
    !matches!(code, "category_unsupported" | "content_listing")
}

/// What the records of a source lost, and what they have in place of ids.
fn doubts(source: Source, count: &SourceCount, plan: &Plan) -> Vec<Text> {
    let mut notes = Vec::new();
    for flag in LOST {
        let by: Vec<(&str, u64)> =
            count.lost.iter().filter(|((f, _), _)| *f == flag).map(|((_, op), n)| (op.as_str(), *n)).collect();
        let n: u64 = by.iter().map(|(_, n)| n).sum();
        if n > 0 {
            let (fr, en) = lost(flag, n);
            let list = operations(by);
            notes.push(Text::new(format!("{fr}\u{a0}: {}.", list.fr), format!("{en}: {}.", list.en)));
        }
    }
    if count.excel > 0 {
        notes.push(Text::new(
            "Ce journal est passé par Excel, qui coupe chaque cellule à 32 767 caractères : demandez l’export d’origine, jamais ouvert.",
            "This log went through Excel, which cuts every cell at 32,767 characters: ask for the original export, never opened.",
        ));
    } else if matches!(&plan.container, Container::Csv(d) if d.delimiter == b';') && source.table() == "ual_event" {
        notes.push(Text::new(
            "Points-virgules au lieu des virgules : ce journal a sans doute été réenregistré par un tableur (Excel), qui coupe les longs détails et change les dates. Demandez l’export d’origine.",
            "Semicolons instead of commas: this log was probably saved again by a spreadsheet (Excel), which cuts long details and changes dates. Ask for the original export.",
        ));
    }
    if count.no_id > 0 {
        let n = count.no_id;
        notes.push(Text::new(
            format!("Dans {n} enregistrement(s), l’identifiant n’en est pas un (caviardé, anonymisé ou à zéro) : les copies se reconnaissent à leur contenu entier."),
            format!("In {n} record(s) the id is not an id (redacted, anonymised or zeroed): copies are told by their whole content."),
        ));
    }
    if count.shared_id > 0 {
        let n = count.shared_id;
        notes.push(Text::new(
            format!("{n} enregistrement(s) portent l’identifiant du précédent avec un autre contenu : ces identifiants n’en sont pas, aucun n’est écarté pour cela."),
            format!("{n} record(s) have the id of the one before and another content: these ids are not ids, and none is left out for it."),
        ));
    }
    notes
}

fn lost(flag: &str, n: u64) -> (String, String) {
    match flag {
        "date_unreadable" => (
            format!("{n} enregistrement(s) gardé(s) sans date lisible (lignes dans ingest_issue)"),
            format!("{n} record(s) kept without a date that can be read (lines in ingest_issue)"),
        ),
        "depth_loss" => (
            format!(
                "{n} enregistrement(s) dont les listes ont été aplaties par l’export (profondeur de ConvertTo-Json) : ce qui a changé est inconnu"
            ),
            format!("{n} record(s) whose lists were flattened by the export (depth of ConvertTo-Json): what changed is unknown"),
        ),
        _ => (
            format!(
                "{n} enregistrement(s) au détail coupé ou illisible : date, compte et opération sont gardés, ce qui a changé est inconnu"
            ),
            format!(
                "{n} record(s) whose detail is cut or unreadable: time, user and operation are kept, what changed is unknown"
            ),
        ),
    }
}

/// The operations, most frequent first; at most eight are named.
fn operations(mut by: Vec<(&str, u64)>) -> Text {
    by.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let more = by.len().saturating_sub(8);
    let list: Vec<String> = by.iter().take(8).map(|(op, n)| format!("{} ({n})", op.trim_end_matches('.'))).collect();
    let list = list.join(", ");
    match more {
        0 => Text::new(list.clone(), list),
        n => Text::new(format!("{list} et {n} autre(s)"), format!("{list} and {n} more")),
    }
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
        "date_unreadable" => {
            ("aucune date lisible : la ligne est gardée sans date", "no date that can be read: the row is kept without one")
        }
        "refusal" => ("message d’erreur à la place des données", "error message in place of data"),
        _ => ("voir le code", "see the code"),
    };
    Text::new(fr, en)
}
