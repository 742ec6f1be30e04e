//! The simulated files beside real ones: every key exists there, and every value has the type and form of the real one.
//!
//! Real files are looked for in `../shared/data`; without them each test says so and passes.
#![allow(clippy::unwrap_used)] // a test
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use reflexe_simulate::{Options, simulate};
use serde_json::Value;

/// Path of keys → forms of the values met there.
type Shape = BTreeMap<String, BTreeSet<&'static str>>;

/// Differences that are meant: (where, path prefix, why).
const ALLOWED: [(&str, &str, &str); 12] = [
    (
        "ual Add-MailboxPermission",
        ".ClientIP",
        "the real records of this cmdlet are the service's own; those of people have an address, as in Set-Mailbox",
    ),
    ("ual Add-MailboxPermission", ".SessionId", "as above"),
    ("sign-in", ".authenticationMethodsUsed", "Graph beta gives it, diagnostic settings do not"),
    ("sign-in", ".signInEventTypes", "Graph beta gives it, diagnostic settings say it by the category"),
    ("application sign-in", ".signInEventTypes", "as above"),
    ("application sign-in", ".appDisplayName", "Graph writes every property, diagnostic settings leave some out"),
    ("application sign-in", ".autonomousSystemNumber", "as above"),
    ("application sign-in", ".homeTenantId", "as above"),
    ("application sign-in", ".resourceTenantId", "as above"),
    ("application sign-in", ".status", "as above"),
    ("application sign-in", ".ipAddress", "the real sample was anonymised with a GUID"),
    ("scubagear", ".Raw.domain_settings", "a tenant of one domain gives an object, one of two a list"),
];

fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: ../shared/data/{path} is not there");
    None
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

fn form(value: &Value) -> &'static str {
    let Some(text) = value.as_str() else {
        return match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::Array(_) => "list",
            _ => "object",
        };
    };
    let dated = text.len() >= 19 && text.as_bytes()[10] == b'T' && text[..4].bytes().all(|b| b.is_ascii_digit());
    match text {
        _ if is_guid(text) => "guid",
        _ if dated && text.len() == 19 => "time without zone",
        _ if dated && (text.ends_with('Z') || text.ends_with("+00:00")) => "time",
        _ if text.starts_with("/Date(") => "windows time",
        _ => "text",
    }
}

fn add(value: &Value, path: &str, shape: &mut Shape) {
    shape.entry(path.to_owned()).or_default().insert(form(value));
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = if is_guid(key) { "*" } else { key };
                add(value, &format!("{path}.{key}"), shape);
            }
        }
        Value::Array(list) => list.iter().for_each(|v| add(v, &format!("{path}[]"), shape)),
        _ => {}
    }
}

fn shape<'a>(records: impl IntoIterator<Item = &'a Value>) -> Shape {
    let mut shape = Shape::new();
    records.into_iter().for_each(|r| add(r, "", &mut shape));
    shape
}

/// Differences of a simulated shape from the real one.
fn differences(of: &str, simulated: &Shape, real: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    for (path, forms) in simulated {
        if ALLOWED.iter().any(|(whose, prefix, _)| *whose == of && path.starts_with(prefix)) {
            continue;
        }
        let Some(known) = real.get(path) else {
            // Below a value that is null in every real record there is nothing to compare with.
            let parent = path.trim_end_matches("[]");
            if real.get(parent).is_none_or(|p| !p.iter().all(|f| *f == "null" || *f == "list")) {
                found.push(format!("{of}: {path} does not exist in real records"));
            }
            continue;
        };
        for form in forms {
            let fits = known.contains(form)
                || *form == "null"
                || known.iter().all(|k| *k == "null")
                // A free text may happen to be an identifier, the value of a property also a time.
                || (known.contains("text") && (*form == "guid" || path.ends_with("Value")))
                // Real values that were anonymised lost their form.
                || (known.contains("null") && known.len() == 1);
            if !fits {
                found.push(format!("{of}: {path} is {form}, in real records {known:?}"));
            }
        }
    }
    found
}

fn messages(path: &Path) -> Vec<Value> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| {
            let wrapper: Value = serde_json::from_str(line).unwrap();
            serde_json::from_str(wrapper["message"].as_str().unwrap()).unwrap()
        })
        .collect()
}

fn simulated(pattern: &str) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    simulate(&Options { events: 3_000, ..Options::new("aitm-admin") }, dir.path()).unwrap();
    let mut folders = vec![dir.path().join("evidence")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap().to_string_lossy().contains(pattern) {
                let text = fs::read_to_string(&path).unwrap();
                match serde_json::from_str(&text) {
                    Ok(document) => found.push(document),
                    Err(_) => found
                        .extend(text.lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str::<Value>(l).unwrap())),
                }
            }
        }
    }
    assert!(!found.is_empty(), "nothing was written as {pattern}");
    found
}

fn fail_on(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_unified_audit_log() {
    let (Some(cmdlet), Some(api)) =
        (shared("ual-dutchmasterz/Search-UnifiedAuditLog.csv"), shared("vendor-messages/o365-management-activity.jsonl"))
    else {
        return;
    };
    let mut real = messages(&api);
    for row in csv::Reader::from_path(cmdlet).unwrap().records() {
        // Three real rows have an empty record.
        if let Ok(data) = serde_json::from_str(&row.unwrap()[7]) {
            real.push(data);
        }
    }
    let simulated = simulated("UAL-");
    let operations: BTreeSet<(String, u64)> =
        simulated.iter().map(|r| (r["Operation"].as_str().unwrap().to_owned(), r["RecordType"].as_u64().unwrap())).collect();
    let mut found = Vec::new();
    let mut compared = 0;
    let files = shape(real.iter().filter(|r| r["RecordType"] == 6));
    let mut context = shape(&real);
    context.retain(|path, _| path.starts_with(".AppAccessContext"));
    for (operation, record_type) in &operations {
        let of = |r: &&Value| r["Operation"] == operation.as_str() && r["RecordType"] == *record_type;
        if !real.iter().any(|r| of(&r)) {
            eprintln!("no real record of {operation} ({record_type}) to compare with");
            continue;
        }
        compared += 1;
        // Keys that came since the real records of an operation were made are those of its record type in newer records;
        // the token's context is one structure for all workloads.
        let mut known = shape(real.iter().filter(of));
        for (path, forms) in context.iter().chain(files.iter().filter(|_| *record_type == 6)) {
            known.entry(path.clone()).or_insert_with(|| forms.clone());
        }
        found.extend(differences(&format!("ual {operation}"), &shape(simulated.iter().filter(of)), &known));
    }
    assert!(compared > 20, "only {compared} operations could be compared");
    fail_on(found);
}

#[test]
fn the_directory_audit() {
    let (Some(graph), Some(diagnostics)) =
        (shared("vendor-messages/entra-graph-directoryaudits.jsonl"), shared("vendor-messages/entra-diagnostic-settings.jsonl"))
    else {
        return;
    };
    let mut real = messages(&graph);
    real.retain(|r| r.get("activityDisplayName").is_some());
    real.extend(messages(&diagnostics).iter().filter(|d| d["category"] == "AuditLogs").map(|d| d["properties"].clone()));
    fail_on(differences("directory audit", &shape(&simulated("AuditLogs")), &shape(&real)));
}

#[test]
fn the_sign_ins() {
    let Some(diagnostics) = shared("vendor-messages/entra-diagnostic-settings.jsonl") else {
        return;
    };
    let real = messages(&diagnostics);
    let of = |categories: &[&str]| {
        let list: Vec<Value> = real
            .iter()
            .filter(|d| d["category"].as_str().is_some_and(|c| categories.contains(&c)))
            .map(|d| d["properties"].clone())
            .collect();
        shape(&list)
    };
    fail_on(differences(
        "sign-in",
        &shape(&simulated("nonInteractiveUser-SignInLogs")),
        &of(&["SignInLogs", "NonInteractiveUserSignInLogs"]),
    ));
    fail_on(differences(
        "application sign-in",
        &shape(&simulated("servicePrincipal-SignInLogs")),
        &of(&["ServicePrincipalSignInLogs"]),
    ));
}

#[test]
fn the_results_of_scubagear() {
    let Some(results) = shared("scubagear-1.8.0/ScubaResults_fa5589b7-d528-4f80.json") else {
        return;
    };
    let text = fs::read_to_string(results).unwrap();
    let real: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    let simulated = simulated("ScubaResults_");
    fail_on(differences("scubagear", &shape(&simulated), &shape([&real])));
    // The same settings as cmdlets give them, in PowerShell 7's own dates.
    let listed: [(&str, &str); 4] = [
        ("Get-RemoteDomain", "remote_domains"),
        ("Get-AcceptedDomain", "accepted_domains"),
        ("Get-CsTeamsClientConfiguration", "client_configuration"),
        ("Get-CsTeamsMeetingPolicy", "meeting_policies"),
    ];
    for (file, key) in listed {
        let ours = shape(
            self::simulated(file)
                .iter()
                .flat_map(|v| v.as_array().cloned().unwrap_or_else(|| vec![v.clone()]))
                .collect::<Vec<_>>()
                .iter(),
        );
        let mut theirs = shape(real["Raw"][key].as_array().unwrap());
        for forms in theirs.values_mut() {
            if forms.contains("windows time") {
                forms.insert("time");
            }
        }
        fail_on(differences(file, &ours, &theirs));
    }
}
