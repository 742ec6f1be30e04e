//! What a file is, from its content: its container, and whether its records are of an event family. A name never decides.
use std::path::Path;

use reflexe_model::Text;

use crate::{
    error::Error,
    events::{
        Family, FileFacts, Source, family,
        time::{self, DateOrder},
    },
    reader::{
        csv::{self, CsvRecords, Dialect, Row},
        json::{JsonRecords, Layout, layout},
        keys::{Key, Object, Slots, key_of_title, normal},
        value::{Raw, member},
        window::Window,
    },
    text,
};

/// Records looked at before a file is judged.
const SAMPLE: usize = 200;
/// Bytes looked at.
pub(crate) const HEAD: u64 = 1 << 20;

/// How the records of a file are found.
#[derive(Debug, Clone)]
pub enum Container {
    /// JSON values.
    Json(Layout),
    /// CSV rows.
    Csv(Dialect),
}

/// What is to be done with a file.
#[derive(Debug)]
pub enum Judgement {
    /// Its records are of the event families.
    Events(Box<Plan>),
    /// It has records, but none of the event families: JSON or CSV for the state sources.
    Other,
    /// It has none.
    Nothing {
        /// Why.
        reason: Text,
        /// A document that merely lies beside evidence.
        harmless: bool,
    },
}

/// How to read an event file.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Offset of the first record.
    pub start: u64,
    /// How records are found.
    pub container: Container,
    /// What holds for all of them.
    pub facts: FileFacts,
    /// The source to which records belong that cannot be read.
    pub main: Option<Source>,
}

/// Judges a text file in UTF-8 (`mark` bytes of byte order mark).
///
/// # Errors
/// When the file cannot be read.
pub fn judge(path: &Path, shown: &str, head: &[u8], mark: usize, facts: FileFacts) -> Result<Judgement, Error> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let skip = head[mark..].iter().take_while(|b| blank(b)).count() + mark;
    match head.get(skip) {
        None => Ok(nothing(
            "fichier vide : l’export n’a rien donné ou s’est interrompu ; il ne prouve rien",
            "empty file: the export gave nothing or was interrupted; it proves nothing",
            false,
        )),
        Some(b'{' | b'[') => json(path, shown, head, mark, facts),
        Some(b'<') => Ok(markup(&head[skip..])),
        Some(_) => delimited(path, shown, head, mark, facts),
    }
}

pub(crate) fn nothing(fr: &str, en: &str, harmless: bool) -> Judgement {
    Judgement::Nothing { reason: Text::new(fr, en), harmless }
}

fn markup(head: &[u8]) -> Judgement {
    let start = String::from_utf8_lossy(&head[..head.len().min(400)]).to_lowercase();
    if start.contains("<html") || start.contains("<!doctype html") {
        nothing("page HTML : un rapport à lire, pas un export", "HTML page: a report to read, not an export", true)
    } else {
        Judgement::Other
    }
}

fn json(path: &Path, shown: &str, head: &[u8], mark: usize, mut facts: FileFacts) -> Result<Judgement, Error> {
    let layout = layout(&head[mark..]);
    let window = Window::open(path).map_err(Error::read(shown))?;
    let mut records = JsonRecords::new(window, layout.clone(), mark as u64).map_err(Error::read(shown))?;
    let mut slots = Slots::default();
    let mut seen = Vec::new();
    let mut main = None;
    let mut refusal = None;
    while seen.len() < SAMPLE {
        let Some(item) = records.next(8 * HEAD, &mut slots).map_err(Error::read(shown))? else { break };
        if item.bad.is_some() {
            continue;
        }
        let (text, _) = text::record_text(records.bytes(&item));
        let o = Object { text: &text, slots: &slots, plain: false };
        let kind = family(&o);
        main = main.or_else(|| main_source(&o, kind));
        if kind == Family::Error && refusal.is_none() {
            refusal = o.get(Key::Error).and_then(Raw::nested).map(|error| refused(&error));
        }
        if let Some(date) = o.text(Key::CreationDate) {
            let known = o
                .get(Key::AuditData)
                .and_then(Raw::nested)
                .and_then(|a| member(&a, "CreationTime").and_then(Raw::text).and_then(|t| time::iso(&t)));
            facts.order = facts.order.or_else(|| time::order_of(&date, known));
        }
        seen.push(kind);
    }
    if let Some(main) = main {
        return Ok(Judgement::Events(Box::new(Plan {
            start: mark as u64,
            container: Container::Json(layout),
            facts,
            main: Some(main),
        })));
    }
    Ok(match seen.first() {
        Some(Family::Listing) => nothing(
            "liste de contenus à télécharger (contentUri), pas les contenus eux-mêmes",
            "a list of contents to be fetched (contentUri), not the contents themselves",
            false,
        ),
        Some(Family::Error) if seen.len() == 1 => {
            let said = refusal.unwrap_or_default();
            Judgement::Nothing {
                reason: Text::new(
                    format!("message d’erreur à la place des données : la requête a été refusée{}. {}", said, REFUSED.0),
                    format!("an error message in place of data: the request was refused{}. {}", said, REFUSED.1),
                ),
                harmless: false,
            }
        }
        None if head[mark..].iter().all(|b| b.is_ascii_whitespace() || matches!(b, b'[' | b']' | b',')) => nothing(
            "liste vide, sans rien qui dise de quoi : un export peut être vide parce qu’il a échoué, celui-ci ne prouve rien",
            "an empty list, and nothing says of what: an export may be empty because it failed, this one proves nothing",
            false,
        ),
        _ => Judgement::Other,
    })
}

/// What a refusal means for what to do next.
const REFUSED: (&str, &str) = (
    "Vérifiez la licence et le rôle avant de redemander le même export ; d’ici là, ce journal n’est pas « vide », il est inconnu",
    "Check the licence and the role before you ask for the same export again; until then this log is not “empty”, it is unknown",
);

/// Code and message of an error of Graph, as they are said.
fn refused(error: &str) -> String {
    let text = |name| member(error, name).and_then(Raw::text).map(|t| t.chars().take(160).collect::<String>());
    let parts: Vec<String> = [text("code"), text("message")].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(": ")) }
}

/// The source of a record that is of an event family.
fn main_source(o: &Object<'_>, kind: Family) -> Option<Source> {
    let analytics = o.slots.has(Key::TimeGenerated);
    Some(match kind {
        Family::UalWrapped if o.slots.has(Key::ActionType) => Source::UalCloudAppEvents,
        Family::UalWrapped if o.slots.has(Key::CreatedDateTime) => Source::UalGraph,
        Family::UalWrapped => Source::UalWrapper,
        Family::Ual if analytics => Source::UalOfficeActivity,
        Family::Ual => Source::UalAuditData,
        Family::Signin if analytics => Source::SigninLogAnalytics,
        Family::Signin => Source::SigninGraph,
        Family::Audit if analytics => Source::AuditLogAnalytics,
        Family::Audit => Source::AuditGraph,
        Family::Envelope => match o.text(Key::Category)?.as_ref() {
            "AuditLogs" => Source::AuditDiagnostics,
            "AdvancedHunting-CloudAppEvents" => Source::UalCloudAppEvents,
            c if c.ends_with("SignInLogs") => Source::SigninDiagnostics,
            _ => return None,
        },
        Family::SiemLine => Source::UalSiemCsv,
        Family::Listing | Family::Error | Family::Foreign => return None,
    })
}

/// A CSV header and where the rows begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Between two fields.
    pub delimiter: u8,
    /// Titles, as written.
    pub titles: Vec<String>,
    /// Offset of the first row.
    pub rows: u64,
}

/// Reads the header of a CSV file, after a `#TYPE` or `sep=` line.
pub fn header(head: &[u8], mark: usize) -> Option<Header> {
    let mut at = mark;
    let mut declared = None;
    loop {
        let line_end = memchr::memchr(b'\n', head.get(at..)?).map_or(head.len(), |n| at + n);
        let line = head[at..line_end].trim_ascii();
        if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', d] = line {
            declared = Some(*d);
        } else if !line.is_empty() && !line.to_ascii_uppercase().starts_with(b"#TYPE") {
            break;
        }
        at = line_end + 1;
    }
    let mut fields = Vec::new();
    let candidates = declared.map_or_else(|| vec![b',', b';', b'\t', b'^', b'|'], |d| vec![d]);
    let mut best: Option<(usize, u8, usize)> = None;
    for delimiter in candidates {
        if let Row::Ends(end) = csv::split(head, at, delimiter, true, &mut fields)
            && best.is_none_or(|(n, ..)| fields.len() > n)
        {
            best = Some((fields.len(), delimiter, end));
        }
    }
    let (_, delimiter, end) = best?;
    csv::split(head, at, delimiter, true, &mut fields);
    let mut titles = Vec::with_capacity(fields.len());
    for field in &fields {
        let mut title = Vec::new();
        csv::unquote(head, *field, &mut title);
        titles.push(String::from_utf8_lossy(&title).trim().to_owned());
    }
    Some(Header { delimiter, titles, rows: end as u64 })
}

/// Columns of the portal's sign-in download, in English and French, whose titles are not the names of the members.
const PORTAL_SIGNIN: &[(&str, Key)] = &[
    ("dateutc", Key::CreatedDateTime),
    ("datautc", Key::CreatedDateTime),
    ("requestid", Key::Id),
    ("idderequete", Key::Id),
    ("idderequte", Key::Id),
    ("idcorrelation", Key::CorrelationId),
    ("iddecorrelation", Key::CorrelationId),
    ("useragent", Key::UserAgent),
    ("agentutilisateur", Key::UserAgent),
    ("userid", Key::UserId),
    ("identifiantutilisateur", Key::UserId),
    ("user", Key::UserDisplayName),
    ("utilisateur", Key::UserDisplayName),
    ("username", Key::UserPrincipalName),
    ("nomdutilisateur", Key::UserPrincipalName),
    ("usertype", Key::UserType),
    ("incomingtokentype", Key::IncomingTokenType),
    ("application", Key::AppDisplayName),
    ("applicationid", Key::AppId),
    ("resource", Key::ResourceDisplayName),
    ("resourceid", Key::ResourceId),
    ("ipaddress", Key::IpAddress),
    ("adresseip", Key::IpAddress),
    ("location", Key::Location),
    ("emplacement", Key::Location),
    ("status", Key::Status),
    ("statut", Key::Status),
    ("signinerrorcode", Key::SignInErrorCode),
    ("codederreurdeconnexion", Key::SignInErrorCode),
    ("failurereason", Key::FailureReason),
    ("raisondelechec", Key::FailureReason),
    ("clientapp", Key::ClientAppUsed),
    ("applicationcliente", Key::ClientAppUsed),
    ("deviceid", Key::DeviceId),
    ("iddelappareil", Key::DeviceId),
    ("browser", Key::Browser),
    ("navigateur", Key::Browser),
    ("operatingsystem", Key::OperatingSystem),
    ("systemedexploitation", Key::OperatingSystem),
    ("compliant", Key::IsCompliant),
    ("conforme", Key::IsCompliant),
    ("managed", Key::IsManaged),
    ("gere", Key::IsManaged),
    ("jointype", Key::TrustType),
    ("multifactorauthenticationauthmethod", Key::MfaMethod),
    ("methodedauthentificationmultifacteur", Key::MfaMethod),
    ("ipaddressseenbyresource", Key::IpAddressFromResourceProvider),
    ("autonomoussystemnumber", Key::AutonomousSystemNumber),
    ("numerodesystemeautonome", Key::AutonomousSystemNumber),
    ("conditionalaccess", Key::ConditionalAccessStatus),
    ("accesconditionnel", Key::ConditionalAccessStatus),
    ("signalepourrevision", Key::FlaggedForReview),
    ("credentialkeyid", Key::ServicePrincipalCredentialKeyId),
    ("credentialthumbprint", Key::ServicePrincipalCredentialThumbprint),
];

fn delimited(path: &Path, shown: &str, head: &[u8], mark: usize, mut facts: FileFacts) -> Result<Judgement, Error> {
    let Some(header) = header(head, mark) else { return Ok(Judgement::Other) };
    let titles: Vec<String> = header.titles.iter().map(|t| normal(t)).collect();
    let has = |title: &str| titles.iter().any(|t| t == title);
    let portal = (has("dateutc") && has("requestid") && (has("status") || has("signinerrorcode")))
        || (has("dateutc") && has("nomdutilisateur") && has("adresseip"));
    let key = |title: &str, raw: &str| {
        if portal {
            PORTAL_SIGNIN.iter().find(|(t, _)| *t == title).map(|(_, k)| *k).or_else(|| key_of_title(raw))
        } else if title == "raw" {
            Some(Key::Raw_)
        } else {
            key_of_title(raw)
        }
    };
    let mut wanted: Vec<(usize, Key)> = Vec::new();
    for (column, (title, raw)) in titles.iter().zip(&header.titles).enumerate() {
        if let Some(key) = key(title, raw)
            // the first column of a name counts
            && !wanted.iter().any(|(_, k)| *k == key)
        {
            wanted.push((column, key));
        }
    }
    let wants = |key| wanted.iter().any(|(_, k)| *k == key);
    let source = if portal {
        Source::SigninPortalCsv
    } else if wants(Key::Raw_) && (wants(Key::AuditData) || !wants(Key::Operation)) {
        Source::UalSiemCsv
    } else if wants(Key::AuditData) && wants(Key::RecordId) {
        Source::UalPurviewCsv
    } else if wants(Key::AuditData) && wants(Key::CreatedDateTime) {
        Source::UalGraph
    } else if wants(Key::AuditData) && (wants(Key::ResultIndex) || wants(Key::Identity) || wants(Key::RecordType)) {
        Source::UalPowershellCsv
    } else if wants(Key::AuditData)
        && (wants(Key::Operations) || wants(Key::Operation) || wants(Key::UserIds) || wants(Key::CreationDate))
    {
        Source::UalPortalCsv
    } else if wants(Key::CreationTime) && wants(Key::Operation) && (wants(Key::RecordType) || wants(Key::Workload)) {
        Source::UalFlatCsv
    } else {
        return Ok(Judgement::Other);
    };
    if wants(Key::AuditData) {
        // the original line says nothing that the cell beside it does not say
        wanted.retain(|(_, k)| *k != Key::Raw_);
    }
    let dialect = Dialect { delimiter: header.delimiter, columns: header.titles.len(), wanted };
    let window = Window::open(path).map_err(Error::read(shown))?;
    let mut rows = CsvRecords::new(window, &dialect, header.rows).map_err(Error::read(shown))?;
    let mut slots = Slots::default();
    let mut cells = Vec::new();
    let mut audit = source != Source::UalSiemCsv;
    let mut order: Option<DateOrder> = None;
    for _ in 0..SAMPLE {
        let Some(item) = rows.next(8 * HEAD, &mut slots, &mut cells).map_err(Error::read(shown))? else { break };
        let Ok(text) = std::str::from_utf8(&cells) else { continue };
        if item.bad.is_some() {
            continue;
        }
        let o = Object { text, slots: &slots, plain: true };
        audit |= o.first(&[Key::Raw_, Key::AuditData]).is_some_and(|t| t.contains("CreationTime"));
        let known = o
            .get(Key::AuditData)
            .and_then(Raw::nested)
            .and_then(|a| member(&a, "CreationTime").and_then(Raw::text).and_then(|t| time::iso(&t)));
        if let Some(date) = o.first(&[Key::CreationDate, Key::CreationTime, Key::CreatedDateTime]) {
            order = order.or_else(|| time::order_of(&date, known));
        }
    }
    if !audit {
        return Ok(Judgement::Other);
    }
    facts.order = order;
    facts.csv = Some(source);
    Ok(Judgement::Events(Box::new(Plan { start: header.rows, container: Container::Csv(dialect), facts, main: Some(source) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let h = header(b"#TYPE System.Object\r\n\"a\",\"b;c\",\"d\"\r\n\"1\",\"2\",\"3\"\r\n", 0).unwrap();
        assert_eq!((h.delimiter, h.titles, h.rows), (b',', vec!["a".into(), "b;c".into(), "d".into()], 36));
        let h = header(b"\xef\xbb\xbfsep=;\na;b\n", 3).unwrap();
        assert_eq!((h.delimiter, h.titles), (b';', vec!["a".into(), "b".into()]));
        assert_eq!(header(b"x^y^z", 0).unwrap().delimiter, b'^');
        assert!(header(b"", 0).is_none());
    }
}
