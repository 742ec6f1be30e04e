//! What a record is, from its members. A file may hold several kinds; each record is judged by itself.
use crate::reader::keys::{Key, Object};

/// Kind of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A unified audit record in a member or column `AuditData` of another object.
    UalWrapped,
    /// The audit record itself.
    Ual,
    /// A CSV row that holds another tool's original CSV line.
    SiemLine,
    /// A sign-in.
    Signin,
    /// A directory audit record.
    Audit,
    /// An envelope whose `properties` are the record; its `category` says of which kind.
    Envelope,
    /// A list of contents to be fetched, not evidence.
    Listing,
    /// A refusal in place of data.
    Error,
    /// Something else.
    Foreign,
}

/// Judges a record.
pub fn family(o: &Object<'_>) -> Family {
    use Key as K;
    let slot = |k| o.slots.has(k);
    if slot(K::AuditData) && (o.has(K::AuditData) || o.plain || slot(K::Operations) || slot(K::Operation)) {
        return Family::UalWrapped;
    }
    if slot(K::Operation) && (slot(K::CreationTime) || (slot(K::Workload) && slot(K::TimeGenerated))) {
        return Family::Ual;
    }
    if slot(K::Properties) && slot(K::Category) {
        return Family::Envelope;
    }
    if slot(K::ActivityDisplayName) && (slot(K::ActivityDateTime) || slot(K::InitiatedBy)) {
        return Family::Audit;
    }
    let subject = slot(K::AppDisplayName) || slot(K::AppId) || slot(K::ServicePrincipalId) || slot(K::UserPrincipalName);
    let outcome = slot(K::Status) || slot(K::ConditionalAccessStatus) || slot(K::SignInErrorCode) || slot(K::ResultType);
    let origin = slot(K::IpAddress) || slot(K::ClientAppUsed) || slot(K::ResourceDisplayName) || slot(K::CorrelationId);
    if slot(K::CreatedDateTime) && subject && outcome && origin && !slot(K::RiskEventType) && !slot(K::AccountEnabled) {
        return Family::Signin;
    }
    if slot(K::Raw_) {
        return Family::SiemLine;
    }
    if slot(K::ContentUri) {
        return Family::Listing;
    }
    if slot(K::Error) {
        return Family::Error;
    }
    Family::Foreign
}
