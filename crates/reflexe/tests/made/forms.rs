//! The exports in which the same records reach us.
use std::{fs, path::Path};

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::who::TENANT;

fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, bytes).expect("written");
}

/// One record a line (the collecting tools' form of bare `AuditData`).
pub fn lines(path: &Path, records: &[Value]) {
    put(path, records.iter().map(|r| format!("{r}\n")).collect::<String>());
}

/// One array (the Management API; Graph objects exported by a script).
pub fn array(path: &Path, records: &[Value]) {
    put(path, json!(records).to_string());
}

/// A page of Microsoft Graph.
pub fn graph(path: &Path, kind: &str, records: &[Value]) {
    let page = json!({ "@odata.context": format!("https://graph.microsoft.com/v1.0/$metadata#{kind}"), "value": records });
    put(path, format!("{page:#}"));
}

/// Diagnostic settings of a storage account: an envelope a line.
pub fn diagnostics(path: &Path, category: &str, records: &[Value]) {
    put(path, records.iter().map(|r| format!("{}\n", envelope(category, r))).collect::<String>());
}

/// The envelope of diagnostic settings.
pub fn envelope(category: &str, record: &Value) -> Value {
    let time = record["activityDateTime"].as_str().or(record["createdDateTime"].as_str()).expect("a time");
    let ip = record["ipAddress"].as_str().or(record["initiatedBy"]["user"]["ipAddress"].as_str());
    let name = if category == "AuditLogs" { record["activityDisplayName"].as_str() } else { Some("Sign-in activity") };
    json!({
        "time": time,
        "resourceId": format!("/tenants/{TENANT}/providers/Microsoft.aadiam"),
        "operationName": name,
        "operationVersion": "1.0",
        "category": category,
        "tenantId": TENANT,
        "resultType": if category == "AuditLogs" { "" } else { "0" },
        "resultSignature": "None",
        "durationMs": 0,
        "callerIpAddress": ip.unwrap_or("<null>"),
        "correlationId": record["correlationId"],
        "Level": 4,
        "properties": record,
    })
}

/// A time as a machine with American settings writes it.
pub fn american(at: &str) -> String {
    let t: DateTime = at.parse().expect("a time");
    let (hour, half) = (if t.hour() % 12 == 0 { 12 } else { t.hour() % 12 }, if t.hour() < 12 { "AM" } else { "PM" });
    format!("{}/{}/{} {hour}:{:02}:{:02} {half}", t.month(), t.day(), t.year(), t.minute(), t.second())
}

fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record[key].as_str().unwrap_or_default()
}

fn kind(record: &Value) -> &'static str {
    match record["RecordType"].as_u64() {
        Some(1) => "ExchangeAdmin",
        Some(2) => "ExchangeItem",
        Some(8) => "AzureActiveDirectory",
        Some(14) => "SharePointSharingOperation",
        Some(15) => "AzureActiveDirectoryStsLogon",
        Some(50) => "ExchangeItemAggregated",
        other => panic!("no name for {other:?}"),
    }
}

/// What `Search-UnifiedAuditLog | Export-Csv` writes; `data` makes the AuditData cell of a record.
pub fn cmdlet_csv_with(path: &Path, records: &[Value], data: impl Fn(&Value) -> String) {
    let mut out = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
    let head = [
        "RecordType",
        "CreationDate",
        "UserIds",
        "Operations",
        "AuditData",
        "ResultIndex",
        "ResultCount",
        "Identity",
        "IsValid",
        "ObjectState",
    ];
    out.write_record(head).expect("written");
    for (n, r) in records.iter().enumerate() {
        let (index, count) = ((n + 1).to_string(), records.len().to_string());
        let (at, cell) = (american(text(r, "CreationTime")), data(r));
        out.write_record([
            kind(r),
            &at,
            text(r, "UserId"),
            text(r, "Operation"),
            &cell,
            &index,
            &count,
            text(r, "Id"),
            "True",
            "Unchanged",
        ])
        .expect("written");
    }
    put(path, out.into_inner().expect("flushed"));
}

/// The same, whole.
pub fn cmdlet_csv(path: &Path, records: &[Value]) {
    cmdlet_csv_with(path, records, Value::to_string);
}

/// What the Purview portal writes.
pub fn purview_csv(path: &Path, records: &[Value]) {
    put(path, purview(records, b',', |r| format!("{}.0000000Z ", text(r, "CreationTime")), Value::to_string));
}

/// The Purview columns with another delimiter, dates and AuditData.
pub fn purview(records: &[Value], delimiter: u8, date: impl Fn(&Value) -> String, data: impl Fn(&Value) -> String) -> Vec<u8> {
    let mut out = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let head = [
        "RecordId",
        "CreationDate",
        "RecordType",
        "Operation",
        "UserId",
        "AuditData",
        "AssociatedAdminUnits",
        "AssociatedAdminUnitsNames",
    ];
    out.write_record(head).expect("written");
    for r in records {
        let kind = r["RecordType"].to_string();
        out.write_record([text(r, "Id"), &date(r), &kind, text(r, "Operation"), text(r, "UserId"), &data(r), "", ""])
            .expect("written");
    }
    out.into_inner().expect("flushed")
}
