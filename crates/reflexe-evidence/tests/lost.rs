//! What exports lose on their way: detail, dates, ids, addresses. The record keeps what is left, and the loss is told.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]
mod common;

use std::collections::BTreeSet;

use common::{Bench, total};
use proptest::prelude::*;
use reflexe_evidence::import::{FileReport, Outcome};
use reflexe_model::RowCount;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// An audit record of a mailbox right.
fn right(n: u32, id: &str) -> String {
    format!(
        r#"{{"CreationTime":"2026-02-03T08:{:02}:00","Id":"{id}","Operation":"Add-MailboxPermission","OrganizationId":"{TENANT}","RecordType":1,"ResultStatus":"True","UserKey":"100320AB12CD34EF","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"203.0.113.66:51020","ObjectId":"finance","UserId":"A.Lund@example.com","AppId":"00000002-0000-0ff1-ce00-000000000000","ExternalAccess":false,"OrganizationName":"example.onmicrosoft.com","Parameters":[{{"Name":"Identity","Value":"finance@example.com"}},{{"Name":"User","Value":"a.lund@example.com"}},{{"Name":"AccessRights","Value":"FullAccess"}}],"SessionId":"0a0b0c0d-1111-2222-3333-444455556666"}}"#,
        n % 60
    )
}

fn guid(n: u32) -> String {
    format!("5f0f6a51-0c11-4d9a-9d0a-{n:012x}")
}

fn csv(delimiter: char, date: &str, records: &[&str]) -> String {
    let d = delimiter;
    let mut out = format!("RecordId{d}CreationDate{d}RecordType{d}Operation{d}UserId{d}AuditData\r\n");
    for (n, record) in records.iter().enumerate() {
        let cell = record.replace('"', "\"\"");
        out.push_str(&format!("{}{d}{date}{d}1{d}Add-MailboxPermission{d}a.lund@example.com{d}\"{cell}\"\r\n", guid(n as u32)));
    }
    out
}

fn notes(report: &FileReport) -> String {
    report.sources.iter().flat_map(|s| &s.notes).map(|n| n.en.clone()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_detail_cut_at_any_place_keeps_what_the_envelope_says() {
    let whole = right(0, &guid(0));
    for cut in (1..whole.len()).step_by(7) {
        let mut bench = Bench::new(1);
        let after = right(1, &guid(1));
        let report = bench.text("cut.csv", &csv(',', "2026-02-03T08:00:00.0000000Z", &[&whole[..cut], &after]));
        assert_eq!(total(&report).kept, 2, "cut at {cut}");
        let rows = bench.rows("ual_event");
        assert_eq!(rows[0]["creation_time"], "2026-02-03T08:00:00Z", "cut at {cut}");
        assert_eq!(rows[0]["operation_key"], "add-mailboxpermission");
        assert_eq!(rows[0]["actor_upn"], "a.lund@example.com");
        assert_eq!(rows[0]["flags"], "[truncated_json]", "cut at {cut}");
        assert!(!rows[1].contains_key("flags"), "the one after it is whole");
        assert!(notes(&report).contains("1 record(s) whose detail is cut or unreadable"), "{}", notes(&report));
        assert!(notes(&report).contains("Add-MailboxPermission (1)"));
    }
}

#[test]
fn a_log_that_went_through_excel_is_said_to_have() {
    let long = right(0, &guid(0)).replace("\"Value\":\"FullAccess\"", &format!("\"Value\":\"{}\"", "é".repeat(40_000)));
    let cell: String = long.chars().take(32_767).collect();
    let mut bench = Bench::new(1);
    let mut text = csv(';', "2026-02-03T08:00:00.0000000Z ", &[&right(1, &guid(9)), &cell, &right(2, &guid(8))]);
    text.push_str(";;;;;\r\n \r\n;;;;;;;\r\n\"\";\"\"\r\n");
    let report = bench.text("saved again.csv", &format!("\u{feff}{text}"));
    assert_eq!(total(&report), RowCount { read: 3, kept: 3, duplicate: 0, rejected: 0 }, "a line of blanks is no row");
    assert!(notes(&report).contains("went through Excel"), "{}", notes(&report));
    let flagged: Vec<bool> = bench.rows("ual_event").iter().map(|r| r.contains_key("flags")).collect();
    assert_eq!(flagged, [false, true, false]);
    let semicolons = Bench::new(1).text("x.csv", &csv(';', "2026-02-03T08:00:00Z", &[&right(1, &guid(9))]));
    assert!(notes(&semicolons).contains("probably saved again by a spreadsheet"), "{}", notes(&semicolons));
}

#[test]
fn lists_that_became_text_are_lost_detail() {
    let list = r#"[{"Name":"Identity","Value":"finance@example.com"},{"Name":"User","Value":"a.lund@example.com"},{"Name":"AccessRights","Value":"FullAccess"}]"#;
    for instead in [r#""System.Object[]""#, r#"["@{Name=Identity; Value=finance}","@{Name=User; Value=a.lund}"]"#] {
        let mut bench = Bench::new(1);
        let report = bench.text("depth.json", &right(0, &guid(0)).replace(list, instead));
        assert_eq!(bench.rows("ual_event")[0]["flags"], "[depth_loss]", "{instead}");
        assert!(notes(&report).contains("flattened"), "{}", notes(&report));
    }
    let signin = r#"{"id":"a1","createdDateTime":"2026-02-03T08:00:00Z","userPrincipalName":"a@example.com","appDisplayName":"x","ipAddress":"203.0.113.9","status":"@{errorCode=50126; failureReason=x}","isInteractive":true}"#;
    let mut bench = Bench::new(1);
    bench.text("signin.json", signin);
    let row = &bench.rows("signin")[0];
    assert_eq!(row["flags"], "[depth_loss]");
    assert!(!row.contains_key("result"), "what is lost is no failure: {row:?}");
    let audit = r#"{"id":"b1","activityDateTime":"2026-02-03T08:00:00Z","activityDisplayName":"Add member to role","initiatedBy":{"user":{"userPrincipalName":"a@example.com"}},"targetResources":[{"id":"t","modifiedProperties":"System.Object[]"}]}"#;
    bench.text("audit.json", audit);
    assert_eq!(bench.rows("directory_audit")[0]["flags"], "[depth_loss]");
}

#[test]
fn the_first_date_that_can_be_read_counts_and_none_at_all_is_told() {
    let mut bench = Bench::new(1);
    let envelope = |created: &str, time: &str, n: u32| {
        format!(
            r#"{{"time":"{time}","category":"SignInLogs","tenantId":"{TENANT}","resultType":"0","callerIpAddress":"203.0.113.9","properties":{{"id":"{}","createdDateTime":"{created}","userPrincipalName":"a@example.com","appId":"x","ipAddress":"203.0.113.9","status":{{"errorCode":0}},"isInteractive":true}}}}"#,
            guid(n)
        )
    };
    let lines = [
        envelope("2026-02-03T08:41:22.1234567+00:00", "2/3/2026 8:41:22 AM", 1),
        envelope("not-a-date", "2026-02-03T16:01:07.2208816Z", 2),
        envelope("not-a-date", "2/3/2026 3:03:58 PM", 3),
        envelope("soon", "later", 4),
    ];
    let report = bench.text("PT1H.json", &lines.join("\n"));
    assert_eq!(total(&report).kept, 4);
    let times: Vec<String> = bench.column("signin", "created_date_time");
    assert_eq!(times, ["2026-02-03T08:41:22.123456Z", "2026-02-03T16:01:07.220881Z", "2026-02-03T15:03:58Z", ""]);
    let issues = bench.rows("ingest_issue");
    assert_eq!(issues.len(), 1);
    assert_eq!(
        (issues[0]["code"].as_str(), issues[0]["src_line"].as_str(), issues[0]["message"].as_str()),
        ("date_unreadable", "4", "soon")
    );
    assert_eq!(bench.rows("signin")[3]["flags"], "[date_unreadable]");
    assert_eq!(report.sources[0].to.unwrap().to_string(), "2026-02-03T16:01:07.220881Z");
    assert!(notes(&report).contains("without a date"), "{}", notes(&report));
    let redacted = Bench::new(1).text("r.csv", &csv(',', "4/1/2026 [REDACTED_IP] AM", &[&right(5, &guid(5))]));
    assert_eq!(redacted.sources[0].from.unwrap().to_string(), "2026-02-03T08:05:00Z", "the record's own date");
}

#[test]
fn one_date_in_the_future_does_not_move_the_period_of_a_file() {
    let mut bench = Bench::new(1);
    let mut lines: Vec<String> = (0..5).map(|n| right(n, &guid(n))).collect();
    lines.push(right(7, &guid(7)).replace("2026-02-03T08:07:00", "2099-01-01T00:00:00"));
    let report = bench.text("future.json", &lines.join("\n"));
    assert_eq!((total(&report).kept, report.sources[0].to.unwrap().to_string().as_str()), (6, "2026-02-03T08:04:00Z"));
    let coverage = bench.rows("coverage");
    assert_eq!(coverage[0]["time_to"], "2026-02-03T08:04:00Z", "what is covered does not reach there either");
}

#[test]
fn ids_that_are_no_ids_fold_nothing_and_tie_nothing() {
    for id in ["[REDACTED_ID]", "REDACTED", "00000000-0000-0000-0000-000000000000", "c0ffee00-1111-2222-3333-444455556666"] {
        let mut bench = Bench::new(1);
        let mut lines: Vec<String> = (0..5).map(|n| right(n, id)).collect();
        lines.push(lines[4].clone());
        let text = lines
            .join("\n")
            .replace("0a0b0c0d-1111-2222-3333-444455556666", id)
            .replace(TENANT, id)
            .replace("203.0.113.66:51020", "[REDACTED_IP]");
        let report = bench.text("redacted.json", &text);
        let counts = total(&report);
        assert_eq!((counts.kept, counts.duplicate), (5, 1), "{id}: only a whole repeat is one");
        let rows = bench.rows("ual_event");
        assert!(rows.iter().all(|r| !r.contains_key("client_ip")), "{id}: a placeholder is no address");
        if id.starts_with('c') {
            assert!(notes(&report).contains("have the id of the one before"), "{}", notes(&report));
        } else {
            assert!(
                rows.iter().all(|r| !r.contains_key("session_id") && !r.contains_key("id") && !r.contains_key("tenant_id")),
                "{id}"
            );
            assert!(notes(&report).contains("the id is not an id"), "{}", notes(&report));
            assert_eq!(report.sources[0].tenants.keys().collect::<Vec<_>>(), [""], "{id}: no tenant is named");
        }
    }
}

#[test]
fn a_record_without_id_becomes_the_same_rows() {
    let logon = format!(
        r#"{{"CreationTime":"2026-02-03T08:00:00","Id":"{}","Operation":"UserLoggedIn","OrganizationId":"{TENANT}","RecordType":15,"ResultStatus":"Success","UserKey":"x","UserType":0,"Workload":"AzureActiveDirectory","UserId":"a@example.com","ClientIP":"203.0.113.9","ErrorNumber":"0"}}"#,
        guid(1)
    );
    let role = logon.replace("UserLoggedIn", "Add member to role.").replace("\"RecordType\":15", "\"RecordType\":8");
    let both = format!("{logon}\n{role}\n");
    let without = both.replace(&format!(r#""Id":"{}","#, guid(1)), "");
    let tables = |text: &str| {
        let mut bench = Bench::new(1);
        bench.text("x.json", text);
        ["signin", "directory_audit"].map(|t| {
            let mut rows = bench.rows(t);
            rows.iter_mut().for_each(|r| ["id", "src_offset", "src_length"].iter().for_each(|c| drop(r.remove(*c))));
            rows
        })
    };
    assert_eq!(tables(&both), tables(&without));
    assert_eq!(tables(&without).map(|t| t.len()), [1, 1]);
}

#[test]
fn diagnostic_records_as_they_really_arrive() {
    let flat = format!(
        r#"{{"AADTenantId":"{TENANT}","AppId":"08bb2028-cd8d-4c48-9635-f0716a3dfe43","Category":"ServicePrincipalSignInLogs","CorrelationId":"907f6085-a8f5-4e23-b7dd-b56441a81490","CreatedDateTime":"2026-02-03T11:45:17.5824212Z","IPAddress":"203.0.113.80","Id":"2d90fe01-606c-4351-96a5-0459621e1360","ResultType":"0","ServicePrincipalId":"c6610000-de6d-4344-8660-ac57a96e030a","ServicePrincipalName":"backup"}}"#
    );
    let federated = format!(
        r#"{{"time":"2/3/2026 3:03:58 PM","category":"ADFSSignInLogs","tenantId":"{TENANT}","resultType":"0","durationMs":"0","properties":{{"id":"554949ef-e35f-4d0d-93f6-a1e7b1243c1b","createdDateTime":"2026-02-03T14:56:31+00:00","userPrincipalName":"a@example.com","appId":"x","ipAddress":"10.1.2.3","status":{{"errorCode":0}},"isInteractive":true}}}}"#
    );
    let audit = format!(
        r#"{{"time":"2026-02-03T16:20:00Z","category":"AuditLogs","tenantId":"{TENANT}","callerIpAddress":"::2001:db8:add:4002:91f2:a9b2:e09a:6fc6","properties":{{"id":"Directory_71e1bdc4-6624-4e43-ac1c-040a67eea237_XY8DD_960663887","activityDisplayName":"Add member to role","activityDateTime":"2026-02-03T16:20:00Z","initiatedBy":{{"user":{{"userPrincipalName":"a@example.com"}}}},"targetResources":[]}}}}"#
    );
    let mut bench = Bench::new(1);
    let report = bench.text("PT1H.json", &[flat, federated, audit].join("\n"));
    assert_eq!(total(&report), RowCount { read: 3, kept: 3, duplicate: 0, rejected: 0 });
    assert_eq!(bench.column("signin", "sign_in_class"), ["service_principal", "adfs"]);
    assert_eq!(bench.column("signin", "created_date_time"), ["2026-02-03T11:45:17.582421Z", "2026-02-03T14:56:31Z"]);
    let audit = &bench.rows("directory_audit")[0];
    assert_eq!(audit["ip"], "::2001:db8:add:4002:91f2:a9b2:e09a:6fc6", "kept as it is written");
    assert_eq!(audit["flags"], "[ip_invalid]");
}

#[test]
fn a_file_of_copies_names_its_tenant_and_what_it_repeats() {
    let mut bench = Bench::new(1);
    bench.text("first.json", &right(1, &guid(1)));
    let report = bench.text("second.json", &format!("[{}]", right(1, &guid(1))));
    assert_eq!((total(&report).kept, total(&report).duplicate), (0, 1));
    assert_eq!(report.sources[0].tenants.keys().collect::<Vec<_>>(), [TENANT]);
    assert_eq!(report.repeats.into_iter().collect::<Vec<_>>(), [(1, 1)]);
}

#[test]
fn a_row_that_is_rejected_takes_away_from_what_its_table_covers() {
    let mut bench = Bench::new(1);
    let cut = format!("{}\n{}", right(1, &guid(1)), &right(2, &guid(2))[..200]);
    let report = bench.text("cut.json", &cut);
    assert_eq!(total(&report).rejected, 1);
    let lost: Vec<_> = bench.rows("coverage").into_iter().filter(|r| r.contains_key("lost")).collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(
        (lost[0]["table_name"].as_str(), lost[0]["lost"].as_str(), lost[0]["reason"].as_str()),
        ("ual_event", "1", "rows_rejected")
    );
}

#[test]
fn an_answer_that_is_none_proves_nothing_and_says_why() {
    let mut bench = Bench::new(1);
    let refusal = r#"{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"Neither tenant is B2C or tenant doesn't have premium license"}}"#;
    for (text, words) in
        [(refusal, "premium license"), ("[]", "proves nothing"), ("", "proves nothing"), ("[ ]\r\n[ ]", "proves nothing")]
    {
        match bench.bytes("x.json", text.as_bytes()) {
            Outcome::Unrecognised { reason, harmless, .. } => {
                assert!(!harmless && reason.en.contains(words), "{text}: {}", reason.en)
            }
            Outcome::Recognised(_) => panic!("{text}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// However the details are cut and the ids replaced, every row of a CSV is one record: none is folded into another.
    #[test]
    fn every_row_stays_one(cuts in proptest::collection::vec(0usize..900, 1..12), redact in any::<bool>()) {
        let records: Vec<String> = cuts.iter().enumerate().map(|(n, cut)| {
            let id = if redact { "[REDACTED_ID]".to_owned() } else { guid(n as u32) };
            let whole = right(n as u32, &id);
            whole.chars().take(*cut).collect()
        }).collect();
        let rows: Vec<&str> = records.iter().map(String::as_str).collect();
        let mut text = csv(',', "2026-02-03T08:00:00Z", &rows);
        if redact {
            (0..rows.len()).for_each(|n| text = text.replace(&guid(n as u32), "[REDACTED_ID]"));
        }
        let mut bench = Bench::new(1);
        let report = bench.text("x.csv", &text);
        let counts = total(&report);
        let different: BTreeSet<&str> = rows.iter().copied().collect();
        prop_assert_eq!(counts.rejected, 0);
        prop_assert_eq!(counts.kept, if redact { different.len() } else { rows.len() } as u64);
    }
}
