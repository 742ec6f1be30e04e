//! What can be imported, as a list for people: the three event families, then the state sources.
use reflexe_model::Text;

use crate::{events::Source, state};

/// A recognised export variant.
#[derive(Debug, Clone)]
pub struct SourceInfo {
    /// Id, as rows carry it in `source_kind`.
    pub id: String,
    /// What it is.
    pub title: Text,
}

/// Every recognised export variant, events first.
pub fn sources() -> Vec<SourceInfo> {
    let events = EVENTS.iter().map(|(source, fr, en)| SourceInfo { id: source.id().to_owned(), title: Text::new(*fr, *en) });
    let states = state::sources().iter().map(|s| SourceInfo { id: s.id.clone(), title: s.title.clone() });
    events.chain(states).collect()
}

const EVENTS: [(Source, &str, &str); 17] = [
    (
        Source::UalPowershellCsv,
        "Journal d’audit unifié, CSV de Search-UnifiedAuditLog",
        "Unified audit log, CSV of Search-UnifiedAuditLog",
    ),
    (Source::UalPurviewCsv, "Journal d’audit unifié, CSV du portail Purview", "Unified audit log, CSV of the Purview portal"),
    (Source::UalPortalCsv, "Journal d’audit unifié, CSV des anciens portails", "Unified audit log, CSV of the older portals"),
    (
        Source::UalSiemCsv,
        "Journal d’audit unifié, CSV d’un SIEM qui a gardé la ligne",
        "Unified audit log, CSV of a SIEM that kept the line",
    ),
    (Source::UalFlatCsv, "Journal d’audit unifié, CSV aplati", "Unified audit log, flattened CSV"),
    (Source::UalAuditData, "Journal d’audit unifié, objets AuditData en JSON", "Unified audit log, AuditData objects as JSON"),
    (
        Source::UalWrapper,
        "Journal d’audit unifié, objets de la commande en JSON",
        "Unified audit log, the cmdlet’s objects as JSON",
    ),
    (Source::UalGraph, "Journal d’audit unifié, requête d’audit de Graph", "Unified audit log, Graph audit query"),
    (Source::UalOfficeActivity, "Journal d’audit unifié, table OfficeActivity", "Unified audit log, table OfficeActivity"),
    (Source::UalCloudAppEvents, "Journal d’audit unifié, table CloudAppEvents", "Unified audit log, table CloudAppEvents"),
    (Source::SigninGraph, "Connexions Entra, JSON de Graph ou du portail", "Entra sign-ins, JSON of Graph or of the portal"),
    (Source::SigninDiagnostics, "Connexions Entra, paramètres de diagnostic", "Entra sign-ins, diagnostic settings"),
    (Source::SigninLogAnalytics, "Connexions Entra, tables de Log Analytics", "Entra sign-ins, Log Analytics tables"),
    (Source::SigninPortalCsv, "Connexions Entra, CSV du portail", "Entra sign-ins, CSV of the portal"),
    (
        Source::AuditGraph,
        "Audit de l’annuaire Entra, JSON de Graph ou du portail",
        "Entra directory audit, JSON of Graph or of the portal",
    ),
    (
        Source::AuditDiagnostics,
        "Audit de l’annuaire Entra, paramètres de diagnostic",
        "Entra directory audit, diagnostic settings",
    ),
    (
        Source::AuditLogAnalytics,
        "Audit de l’annuaire Entra, tables de Log Analytics",
        "Entra directory audit, Log Analytics tables",
    ),
];
