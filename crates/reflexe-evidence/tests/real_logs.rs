//! Imports real, public logs that lie beside the repository (skipped where they are absent) and counts every row.
mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Bench, shared, total};
use reflexe_evidence::import::Outcome;

#[test]
fn a_real_unified_audit_log_in_three_wrappings() {
    let Some(dir) = shared("ual-dutchmasterz") else { return };
    let run = |threads| {
        let mut bench = Bench::new(threads);
        let mut counts = Vec::new();
        for (name, source) in [
            ("Search-UnifiedAuditLog.csv", "ual.powershell_csv"),
            ("auditdata-2021-06-15.jsonl", "ual.auditdata_json"),
            ("splunk-export-2021-06-15.csv", "ual.siem_csv"),
        ] {
            let report = bench.recognised(&dir.join(name));
            assert_eq!(report.sources.iter().map(|s| s.source.as_str()).collect::<Vec<_>>(), [source]);
            // A file of copies belongs to the tenant of the rows that it repeats.
            assert_eq!(report.sources[0].tenants.len(), 1);
            counts.push(total(&report));
            assert!(report.superseded.is_empty());
        }
        (bench, counts)
    };
    let (bench, counts) = run(2);
    assert_eq!(counts.iter().map(|c| c.read).collect::<Vec<_>>(), [8130, 202, 418]);
    assert_eq!(counts.iter().map(|c| c.kept).sum::<u64>(), 3898);
    assert_eq!(counts.iter().map(|c| c.duplicate).sum::<u64>(), 4852);
    assert_eq!(counts.iter().map(|c| c.rejected).sum::<u64>(), 0);

    let events = bench.rows("ual_event");
    assert_eq!(events.len(), 3898);
    let ids: BTreeSet<&String> = events.iter().map(|r| &r["id"]).collect();
    assert_eq!(ids.len(), 3898);
    assert_eq!(bench.rows("row_copy").len(), 4852);
    assert!(events.iter().all(|r| r["tenant_id"] == "0873ee4d-d342-44f2-8961-74c442a2fad2"));
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &events {
        *types.entry(&event["record_type"]).or_default() += 1;
        assert!(event.contains_key("creation_time") && event.contains_key("operation_key") && event.contains_key("actor_class"));
        assert_eq!(event.contains_key("client_ip"), event.contains_key("ip_kind"));
    }
    assert_eq!(bench.column("signin", "derived").len(), types["15"], "every logon has a derived sign-in");
    assert_eq!(bench.rows("directory_audit").len(), types["8"]);

    // the record at a row's offset is the record
    let csv = std::fs::read(dir.join("Search-UnifiedAuditLog.csv")).unwrap();
    for event in events.iter().step_by(97) {
        let at: usize = event["src_offset"].parse().unwrap();
        let length: usize = event["src_length"].parse().unwrap();
        let raw = String::from_utf8_lossy(&csv[at..at + length]);
        assert!(raw.contains(&event["id"]) && raw.starts_with('"'));
        let line: usize = event["src_line"].parse().unwrap();
        assert_eq!(line, 1 + csv[..at].iter().filter(|b| **b == b'\n').count());
    }

    // facts that the data set's own description states
    let properties = bench.rows("ual_property");
    let of = |id: &str, name: &str| {
        properties.iter().find(|p| p["event_id"] == id && p["name"] == name).and_then(|p| p.get("value").cloned())
    };
    let forwards: BTreeSet<String> = events
        .iter()
        .filter(|e| e["operation_key"] == "new-inboxrule" || e["operation_key"] == "set-mailbox")
        .filter_map(|e| of(&e["id"], "ForwardTo").or_else(|| of(&e["id"], "ForwardingSmtpAddress")))
        .collect();
    assert!(forwards.iter().any(|f| f.contains("exdigy.net")), "{forwards:?}");
    assert!(forwards.iter().any(|f| f.contains("financial-technology.com")), "{forwards:?}");
    let failed = bench
        .rows("signin")
        .into_iter()
        .filter(|r| r["result"] == "failure" && r.get("user_principal_name").is_some_and(|u| u.starts_with("gradya@")))
        .count();
    assert!(failed >= 42, "{failed} failed sign-ins of one account");
    let changes = bench.rows("directory_audit_change");
    let admin = changes
        .iter()
        .find(|c| c["property"] == "Role.DisplayName" && c.get("new_value").is_some_and(|v| v == "Global Administrator"));
    let admin = &admin.expect("a new global administrator")["audit_id"];
    let grant = bench.rows("directory_audit").into_iter().find(|a| a["id"] == *admin).unwrap();
    assert_eq!(grant["activity_key"], "add member to role");
    assert!(grant["target1_upn"].starts_with("sans@") && grant["actor_upn"].starts_with("joey@"));
    assert_eq!(grant["target1_type"], "User");
    let keys: Vec<_> = changes.iter().filter(|c| c["property"] == "KeyDescription").collect();
    assert!(keys.iter().any(|c| c["new_value"].starts_with("[KeyIdentifier=")), "{keys:?}");

    // the number of threads changes nothing
    let (other, _) = run(1);
    for table in ["ual_event", "ual_property", "signin", "directory_audit", "directory_audit_change", "row_copy", "coverage"] {
        for part in ["1-0", "2-0", "3-0"] {
            let read = |b: &Bench| std::fs::read(b.out().join(table).join(format!("{part}.parquet"))).ok();
            assert!(read(&bench) == read(&other), "{table}/{part} depends on the number of threads");
        }
    }
}

/// Every message of every vendor sample, one a line as received, is kept or rejected with a reason.
#[test]
fn every_vendor_message_is_accounted_for() {
    let Some(dir) = shared("vendor-messages") else { return };
    let mut seen = BTreeMap::new();
    for name in
        ["o365-management-activity", "entra-diagnostic-settings", "entra-graph-directoryaudits", "defender-advanced-hunting"]
    {
        let text = std::fs::read_to_string(dir.join(format!("{name}.jsonl"))).unwrap();
        let mut lines = String::new();
        let mut messages = 0;
        for line in text.lines() {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            // as a file of this kind holds it: one message a line
            let message: serde_json::Value = serde_json::from_str(case["message"].as_str().unwrap()).unwrap();
            lines.push_str(&message.to_string());
            lines.push('\n');
            messages += 1;
        }
        let mut bench = Bench::new(2);
        let report = bench.text(&format!("{name}.jsonl"), &lines);
        let all = total(&report);
        assert_eq!(all.read, messages, "{name}");
        assert_eq!(bench.rows("ingest_issue").len() as u64, all.rejected, "{name}");
        assert!(bench.rows("ingest_issue").iter().all(|r| r.contains_key("code") && r.contains_key("src_offset")));
        seen.insert(name, (all.kept, all.duplicate, all.rejected));
        if name == "entra-diagnostic-settings" {
            let classes: BTreeSet<String> = bench.column("signin", "sign_in_class").into_iter().collect();
            assert_eq!(classes, ["interactive", "non_interactive", "service_principal"].map(String::from).into());
            assert!(bench.rows("directory_audit").len() >= 10);
        }
        if name == "o365-management-activity" {
            let rules: Vec<_> = bench.rows("ual_property").into_iter().filter(|p| p["bag"] == "operation").collect();
            assert!(!rules.is_empty(), "the rule of UpdateInboxRules is in OperationProperties");
        }
    }
    eprintln!("kept, duplicate, rejected: {seen:?}");
    assert_eq!(seen["o365-management-activity"].2, 0, "every management activity record is an audit record");
    assert_eq!(seen["entra-graph-directoryaudits"].2, 0);
    assert_eq!(seen["entra-diagnostic-settings"].2, 6, "risk detections and Graph activity are not read");
}

#[test]
fn forged_token_attack() {
    let Some(dir) = shared("golden-saml") else { return };
    let mut bench = Bench::new(1);
    let audits = bench.recognised(&dir.join("AADAuditEvents.json"));
    let count = total(&audits);
    assert_eq!((count.read, count.kept, count.duplicate, count.rejected), (4, 3, 1, 0));
    assert_eq!(audits.sources[0].source, "directory_audit.log_analytics");
    let defender = bench.recognised(&dir.join("Microsoft365DefenderEvents.json"));
    let count = total(&defender);
    assert_eq!(count.read, 9);
    assert!(count.kept > 0 && count.rejected > 0);
    let office = bench.recognised(&dir.join("OfficeActivityEvents.json"));
    let count = total(&office);
    assert_eq!((count.read, count.kept + count.duplicate), (1, 1));
    let Outcome::Unrecognised { reason, .. } = bench.import(&dir.join("WindowsEvents.json")) else {
        panic!("the server's side is no evidence of the tenant")
    };
    assert!(!reason.en.is_empty() && !reason.fr.is_empty());

    let changes = bench.rows("directory_audit_change");
    assert!(changes.iter().any(|c| c["property"] == "KeyDescription" && c["new_value"].contains("DisplayName=SimuLandCreds")));
    let audit = &bench.rows("directory_audit")[0];
    assert_eq!(audit["actor_upn"], "pgustavo@simulandlabs.com");
    assert_eq!(audit["activity_key"], "update application - certificates and secrets management");
    assert_eq!(audit["target1_name"], "SimuLandApp");
    assert!(audit["user_agent"].contains("WindowsPowerShell"));
    let read = bench.rows("ual_event").into_iter().find(|e| e["operation_key"] == "mailitemsaccessed").unwrap();
    assert_eq!((read["client_ip"].as_str(), read["user_type"].as_str(), read["actor_class"].as_str()), ("1.2.3.4", "0", "owner"));
}
