//! Two real tenants, as far as their exports stand beside the repository: an audit log with several attacks, and the
//! settings of a quiet tenant.
mod common;

use std::{collections::BTreeSet, fs, path::PathBuf};

use common::{cites, list, proposed, qualify, rank, shared, verdict};
use serde_json::Value;

/// Acts of the attacked tenant: what was done, the check that must see it, the least verdict, the record that proves it.
const ACTS: &[(&str, &str, &str, &str)] = &[
    ("forwarding set and removed 11 s later", "1b.external-forwarding", "suspicious", "832172e1-c09e-472a-e777-08d92fe44291"),
    ("rule that forwards invoices outside", "1b.inbox-rule-forward", "suspicious", "d1228274-445d-4f6d-7c44-08d92fe5b9a5"),
    ("nameless rule that deletes mail", "1b.inbox-rule-hiding", "suspicious", "ddf38a41-b116-475b-b1b6-08d92fe5ffa7"),
    ("a day-old account made Global Administrator", "1a.role-grants", "suspicious", "9bcccbf0-df00-4fa7-99b2-97a7d0e761e8"),
    ("another made Exchange Administrator", "1a.role-grants", "suspicious", "c3f55d2d-f23c-48b4-a8a0-29f2149e39da"),
    ("tenant-wide consent to a look-alike name", "1d.consent-events", "suspicious", "a99622bd-98f5-45c6-87c6-cbb472b0f017"),
    ("the look-alike name itself", "1d.name-lookalike", "suspicious", "a99622bd-98f5-45c6-87c6-cbb472b0f017"),
    ("consent to mail and files by AlexW", "1d.consent-events", "suspicious", "31a75912-4b5f-4e33-b60c-c7f025178cf7"),
    ("refused consent to a risky application", "1d.consent-events", "suspicious", "388df1dd-2591-468f-ad5c-9ac6ee690144"),
    ("secret added to the application sisai", "1d.app-credential-added", "suspicious", "50f9e6bd-9a32-452b-ba7e-803d82a0bc32"),
    (
        "application permissions on mail and files",
        "1d.sp-permission-grants",
        "suspicious",
        "00757c6f-90f1-4c84-8ea8-52fbe5276eff",
    ),
    ("mailboxes read through Graph", "1e.mail-app-access", "suspicious", "0a74e2d4-583e-4fba-b978-936c47405935"),
    (
        "forwarding inside the tenant to the new account",
        "1b.internal-forwarding",
        "suspicious",
        "164f4c09-f4e0-4290-03e3-08d9477294d2",
    ),
    ("wrong passwords on GradyA", "1b.tenant-attacks", "suspicious", "a93d5069-931b-4ec7-af85-e7bea490f701"),
    ("wrong passwords on MiriamG", "1b.tenant-attacks", "suspicious", "ae3b1918-7598-477b-a0ef-833ec914cf01"),
];

/// Applications that only look like the attacks: the log collector, and Microsoft's own Graph Explorer.
const LOOK_ALIKES: &[&str] = &["splunk", "graph explorer"];

#[test]
fn the_attacked_tenant() {
    let Some(evidence) = shared("ual-dutchmasterz") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let case = dir.path().join("case");
    let (run, answers) = qualify(&case, &[evidence], &["--in-place"]);
    assert_eq!(run.code, 0, "a README beside is no problem: {}", run.err);
    assert_eq!(answers.len(), 1, "one tenant");
    let answer = &answers[0];

    let mut counts = [0_u64; 4];
    for file in list(answer, "evidence") {
        for (sum, key) in counts.iter_mut().zip(["read", "kept", "duplicate", "rejected"]) {
            *sum += file["rows"][key].as_u64().expect("a count");
        }
    }
    assert_eq!(counts, [8_750, 3_898, 4_852, 0]);

    let findings = list(answer, "findings");
    for (act, check, least, record) in ACTS {
        let seen = findings
            .iter()
            .any(|f| f["check"] == *check && cites(f, record) && rank(f["verdict"].as_str().expect("a verdict")) >= rank(least));
        assert!(seen, "{act}: {check} must say {least} on {record}");
    }
    let alerts = findings.iter().filter(|f| f["check"] == "1b.defender-alerts").count();
    assert!(alerts >= 1, "the forwarding alerts are listed");
    let synced = findings.iter().filter(|f| f["check"] == "1e.mail-sync").map(Value::to_string).collect::<String>();
    for address in ["178.85.138.132", "34.99.76.45"] {
        assert!(synced.contains(address), "whole mailbox synchronised from {address}");
    }
    for f in findings.iter().filter(|f| f["verdict"] == "compromise") {
        let text = f.to_string().to_lowercase();
        assert!(!LOOK_ALIKES.iter().any(|l| text.contains(l)), "only looks like an attack: {f}");
    }
    // Housekeeping of the service itself is 72 % of the rows and raises nothing.
    for f in findings {
        let actor = f["actor"].as_str().unwrap_or_default();
        assert!(
            !actor.starts_with("nt authority")
                && !actor.starts_with("nt service")
                && actor != "s-1-5-18"
                && !actor.starts_with("app@"),
            "{f}"
        );
    }
    let proven: BTreeSet<&str> = findings
        .iter()
        .filter(|f| f["check"] != "1b.defender-alerts") // the service writes the alerts about people
        .flat_map(|f| list(f, "rows"))
        .filter_map(|r| r["record_id"].as_str())
        .filter(|id| id.chars().all(|c| c.is_ascii_hexdigit() || c == '-'))
        .collect();
    let ids = proven.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let sql = format!("select id, user_id from ual_event where actor_class = 'system' and id in ({ids})");
    let system = common::run(common::reflexe().args(["query", &sql, "--json", "--case"]).arg(&case));
    assert_eq!((system.code, system.out.as_str()), (0, ""), "no finding rests on what the service itself did: {}", system.err);
    for action in ["1.a", "1.b", "1.d", "1.e"] {
        assert!(["suspected", "confirmed"].contains(&proposed(answer, action)), "{action}");
    }
    let context: String = list(answer, "stories").iter().map(|s| s["context"].to_string()).collect();
    assert!(context.contains("device registered"), "the device is told in a story");
    assert!(!findings.iter().any(|f| f["text"]["en"].as_str().is_some_and(|t| t.contains("MSEDGEWIN10"))), "and is no finding");
}

/// (check, key, verdict, record ids) of every finding.
fn essence(answer: &Value) -> BTreeSet<(String, String, String, Vec<String>)> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    list(answer, "findings")
        .iter()
        .map(|f| {
            let mut records: Vec<String> = list(f, "rows").iter().map(|r| text(&r["record_id"])).collect();
            records.sort();
            (text(&f["check"]), format!("{}/{}", text(&f["subject"]), text(&f["key"])), text(&f["verdict"]), records)
        })
        .collect()
}

#[test]
fn one_day_in_three_forms_says_the_same() {
    let Some(evidence) = shared("ual-dutchmasterz") else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let ids: BTreeSet<String> = fs::read_to_string(evidence.join("auditdata-2021-06-15.jsonl"))
        .expect("readable")
        .lines()
        .filter_map(|l| serde_json::from_str::<Value>(l).ok()?["Id"].as_str().map(str::to_owned))
        .collect();
    // The CSV cut to the same records.
    let whole = fs::read(evidence.join("Search-UnifiedAuditLog.csv")).expect("readable");
    let mut reader = csv::ReaderBuilder::new().from_reader(whole.as_slice());
    let header = reader.headers().expect("a header").clone();
    let at = header.iter().position(|h| h.trim_start_matches('\u{feff}') == "Identity").expect("the column");
    let cut = dir.path().join("cut.csv");
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_path(&cut).expect("writable");
    writer.write_record(&header).expect("written");
    for record in reader.records() {
        let record = record.expect("a record");
        if ids.contains(&record[at]) {
            writer.write_record(&record).expect("written");
        }
    }
    writer.flush().expect("written");
    drop(writer);
    let forms: Vec<PathBuf> =
        vec![cut, evidence.join("auditdata-2021-06-15.jsonl"), evidence.join("splunk-export-2021-06-15.csv")];
    let mut seen = Vec::new();
    for (n, form) in forms.into_iter().enumerate() {
        let (_, answers) = qualify(&dir.path().join(format!("case{n}")), &[form], &["--in-place"]);
        seen.push(essence(&answers[0]));
    }
    assert!(seen[0].len() > 5, "the day has findings");
    assert_eq!(seen[0], seen[1], "CSV and JSON lines");
    assert_eq!(seen[1], seen[2], "JSON lines and SIEM");
}

#[test]
fn the_quiet_tenant_and_both_together() {
    let (Some(settings), Some(log)) = (shared("scubagear-1.8.0"), shared("ual-dutchmasterz/auditdata-2021-06-15.jsonl")) else {
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let (run, answers) = qualify(&dir.path().join("case"), &[settings, log], &["--in-place"]);
    assert_eq!(answers.len(), 2, "two tenants, judged apart: {}", run.err);
    let quiet =
        answers.iter().find(|a| a["case"]["tenant"]["id"] != "0873ee4d-d342-44f2-8961-74c442a2fad2").expect("the quiet one");
    let attacked =
        answers.iter().find(|a| a["case"]["tenant"]["id"] == "0873ee4d-d342-44f2-8961-74c442a2fad2").expect("the other");
    for answer in [quiet, attacked] {
        assert_eq!(list(&answer["case"], "other_tenants").len(), 1, "the other tenant is named");
    }
    // No join across: nothing of one tenant stands in the other's answer.
    assert!(
        !quiet.to_string().contains("dutchmasterz")
            || list(quiet, "findings").iter().all(|f| !f.to_string().contains("dutchmasterz"))
    );
    assert!(list(attacked, "findings").iter().all(|f| !f.to_string().contains("ScubaResults")));

    for (item, expected) in [
        // Two hold the role, and this export does not say whether their accounts are enabled.
        ("1.a.1", "unknown"),
        ("1.a.5", "unknown"),
        ("1.b.3", "weakness"),
        ("1.b.4", "ok"),
        ("1.e.4", "weakness"),
        ("1.e.6", "weakness"),
        ("1.e.7", "weakness"),
    ] {
        assert_eq!(verdict(quiet, "items", item), expected, "{item}");
    }
    assert!(
        !["suspicious", "compromise", "weakness"].contains(&verdict(quiet, "items", "1.e.2")),
        "the one rule is listed, no more"
    );
    assert!(list(quiet, "findings").iter().any(|f| f["check"] == "1e.transport-rule-state"), "it is listed");
    let unknown = ["1.a.3", "1.b.7", "1.b.8", "1.b.9", "1.b.10", "1.c.1", "1.c.2", "1.e.1", "1.e.3", "1.e.5"];
    for item in unknown.into_iter().map(str::to_owned).chain((1..=10).map(|n| format!("1.d.{n}"))) {
        assert_eq!(verdict(quiet, "items", &item), "unknown", "{item}");
        let found = list(quiet, "items").iter().find(|i| i["id"] == item.as_str()).expect("listed");
        assert!(!list(found, "missing").is_empty(), "{item}: the way to obtain it is named");
    }
    for f in list(quiet, "findings") {
        assert!(!["suspicious", "compromise"].contains(&f["verdict"].as_str().expect("a verdict")), "{f}");
    }
}

/// Every record of foreign shapes is kept or rejected with a reason; nothing vanishes.
#[test]
fn strange_shapes_are_accounted_for() {
    let (Some(vendor), Some(saml)) = (shared("vendor-messages"), shared("golden-saml")) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let evidence = dir.path().join("evidence");
    fs::create_dir(&evidence).expect("a folder");
    let mut lines = 0;
    for file in ["o365-management-activity.jsonl", "entra-diagnostic-settings.jsonl", "entra-graph-directoryaudits.jsonl"] {
        // The test's own wrapper is no source: each message stands for a line of an export.
        let text = fs::read_to_string(vendor.join(file)).expect("readable");
        let messages: Vec<String> = text
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).expect("JSON")["message"].as_str().expect("a text").replace('\n', " "))
            .collect();
        lines += messages.len() as u64;
        fs::write(evidence.join(file), messages.join("\n")).expect("writable");
    }
    let mut import = common::reflexe();
    import.args(["import", "--in-place", "--json", "--case"]).arg(dir.path().join("case")).args([&evidence, &saml]);
    let held: Value = serde_json::from_str(&common::run(&mut import).out).expect("JSON");
    let mut read = 0;
    for file in list(&held, "evidence") {
        let n = |k: &str| file["rows"][k].as_u64().expect("a count");
        assert_eq!(n("read"), n("kept") + n("duplicate") + n("rejected"), "{file}");
        if file["path"].as_str().is_some_and(|p| p.starts_with(&*evidence.to_string_lossy())) {
            read += n("read");
        }
    }
    assert_eq!(read, lines, "each message is a record that was read");
    let named = |u: &Value| u["path"].as_str().is_some_and(|p| p.ends_with("WindowsEvents.json"));
    assert!(list(&held, "unrecognised").iter().any(named), "the log of another system is named as not recognised");
}
