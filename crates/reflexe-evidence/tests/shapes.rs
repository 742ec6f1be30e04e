//! Every wrapping in which an event record may come gives the same rows, and every row is counted.
mod common;

use common::{Bench, total};
use reflexe_evidence::import::Outcome;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// An inbox rule that forwards mail.
fn rule(n: u32) -> String {
    format!(
        r#"{{"CreationTime":"2026-02-03T08:41:22","Id":"5f0f6a51-0c11-4d9a-9d0a-{n:012x}","Operation":"New-InboxRule","OrganizationId":"{TENANT}","RecordType":1,"ResultStatus":"True","UserKey":"100320AB12CD34EF","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"203.0.113.66:51020","ObjectId":"EURP\/Microsoft Exchange Hosted Organizations\/example.onmicrosoft.com\/c.martin\\..","UserId":"C.Martin@example.com","AppId":"00000002-0000-0ff1-ce00-000000000000","ExternalAccess":false,"OrganizationName":"example.onmicrosoft.com","Parameters":[{{"Name":"Name","Value":".."}},{{"Name":"ForwardTo","Value":"smtp:x@example.org"}},{{"Name":"SubjectContainsWords","Value":"été; \"rib\""}}],"SessionId":"0a0b0c0d-1111-2222-3333-444455556666"}}"#
    )
}

fn doubled(json: &str) -> String {
    json.replace('"', "\"\"")
}

#[test]
fn one_record_in_every_wrapping() {
    let record = rule(1);
    let quoted = serde_json::to_string(&record).unwrap();
    let cell = doubled(&record);
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&record).unwrap()).unwrap();
    let indented_cell = doubled(&pretty).replace('\n', "\r\n");
    let raw = doubled(&format!(
        "\"outlook.office365.com\",\"ExchangeAdmin\",\"2/3/2026 8:41:22 AM\",\"C.Martin@example.com\",\"New-InboxRule\",\"{cell}\""
    ));
    let cases: Vec<(&str, &str, String)> = vec![
        ("lines.txt", "ual.auditdata_json", format!("{record}\n")),
        ("no-newline.json", "ual.auditdata_json", record.clone()),
        ("array.csv", "ual.auditdata_json", format!("[{record}]")),
        ("pretty.jsonl", "ual.auditdata_json", format!("[\r\n  {pretty}\r\n]\r\n\r\n")),
        ("mark.json", "ual.auditdata_json", format!("\u{feff}{record}\n")),
        (
            "wrapper-text.json",
            "ual.wrapper_json",
            format!(
                r#"[{{"RecordType":"ExchangeAdmin","CreationDate":"\/Date(1770108082000)\/","UserIds":"C.Martin@example.com","Operations":"New-InboxRule","AuditData":{quoted},"ResultIndex":1,"ResultCount":1,"Identity":"5f0f6a51-0c11-4d9a-9d0a-000000000001"}}]"#
            ),
        ),
        (
            "wrapper-object.json",
            "ual.wrapper_json",
            format!(r#"{{"Operations":"New-InboxRule","UserIds":"x","AuditData":{record}}}"#),
        ),
        (
            "page.json",
            "ual.graph_query",
            format!(
                r#"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#security","value":[{{"id":"5f0f6a51-0c11-4d9a-9d0a-000000000001","createdDateTime":"2026-02-03T08:41:22Z","auditLogRecordType":"exchangeAdmin","operation":"New-InboxRule","auditData":{record}}}],"@odata.nextLink":"https://graph.microsoft.com/x"}}"#
            ),
        ),
        (
            "powershell.csv",
            "ual.powershell_csv",
            format!(
                "#TYPE Selected\r\n\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\"\r\n\"ExchangeAdmin\",\"2/3/2026 8:41:22 AM\",\"C.Martin@example.com\",\"New-InboxRule\",\"{cell}\",\"1\",\"1\",\"5f0f6a51-0c11-4d9a-9d0a-000000000001\"\r\n"
            ),
        ),
        (
            "semicolons.csv",
            "ual.portal_csv",
            format!(
                "CreationDate;UserIds;Operations;AuditData\n03/02/2026 08:41:22;C.Martin@example.com;New-InboxRule;\"{cell}\"\n"
            ),
        ),
        (
            "purview.csv",
            "ual.purview_csv",
            format!(
                "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitsNames\r\n5f0f6a51-0c11-4d9a-9d0a-000000000001,\"2026-02-03T08:41:22.0000000Z \",1,New-InboxRule,c.martin@example.com,\"{cell}\",,\r\n"
            ),
        ),
        (
            "indented.csv",
            "ual.graph_query",
            format!(
                "\"id\",\"createdDateTime\",\"auditLogRecordType\",\"operation\",\"auditData\"\r\n\"5f0f6a51-0c11-4d9a-9d0a-000000000001\",\"2026-02-03\",\"exchangeAdmin\",\"New-InboxRule\",\"{indented_cell}\"\r\n"
            ),
        ),
        ("siem.csv", "ual.siem_csv", format!("_time,host,_raw\n2026-02-03,h,\"{raw}\"\n")),
    ];
    for (name, source, text) in cases {
        let mut bench = Bench::new(1);
        let report = bench.text(name, &text);
        let count = total(&report);
        assert_eq!((count.read, count.kept, count.rejected), (1, 1, 0), "{name}");
        assert_eq!(report.sources[0].source, source, "{name}");
        assert_eq!(report.sources[0].from.unwrap().to_string(), "2026-02-03T08:41:22Z", "{name}");
        assert_eq!(report.sources[0].tenants.get(TENANT), Some(&1), "{name}");
        assert_eq!(report.domains, ["example.onmicrosoft.com"], "{name}");
        let events = bench.rows("ual_event");
        let event = &events[0];
        for (column, want) in [
            ("id", "5f0f6a51-0c11-4d9a-9d0a-000000000001"),
            ("creation_time", "2026-02-03T08:41:22Z"),
            ("record_type_name", "ExchangeAdmin"),
            ("operation_key", "new-inboxrule"),
            ("success", "true"),
            ("actor_upn", "c.martin@example.com"),
            ("actor_class", "owner"),
            ("client_ip", "203.0.113.66"),
            ("client_port", "51020"),
            ("ip_kind", "public"),
            ("evidence_id", "e1"),
            ("source_kind", source),
            ("tenant_id", TENANT),
            ("source_scope", "unknown"),
        ] {
            assert_eq!(event.get(column).map(String::as_str), Some(want), "{name}: {column}");
        }
        let properties = bench.rows("ual_property");
        let values: Vec<_> = properties.iter().map(|p| (p["bag"].as_str(), p["name"].as_str(), p["value"].as_str())).collect();
        let want = [
            ("parameters", "Name", ".."),
            ("parameters", "ForwardTo", "smtp:x@example.org"),
            ("parameters", "SubjectContainsWords", "été; \"rib\""),
        ];
        assert_eq!(values, want, "{name}");
        let coverage = &bench.rows("coverage")[0];
        let next_page = name == "page.json";
        assert_eq!(coverage.get("complete").map(String::as_str), next_page.then_some("false"), "{name}");
        assert_eq!(
            (coverage["table_name"].as_str(), coverage["time_from"].as_str()),
            ("ual_event", "2026-02-03T08:41:22Z"),
            "{name}"
        );
    }
}

#[test]
fn utf16_and_windows_1252() {
    let text = format!("[\r\n{},\r\n{}\r\n]", rule(1), rule(2));
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (name, bytes, member, flags) in
        [("utf16.json", utf16, Some("utf8:"), None), ("latin.json", latin, Some("utf8:"), Some("[encoding_guessed]"))]
    {
        let mut bench = Bench::new(1);
        let Outcome::Recognised(report) = bench.bytes(name, &bytes) else { panic!("{name}") };
        assert_eq!(total(&report).kept, 2, "{name}");
        let row = &bench.rows("ual_event")[1];
        assert_eq!((row.get("src_member").map(String::as_str), row.get("flags").map(String::as_str)), (member, flags), "{name}");
        assert!(bench.column("ual_property", "value").contains(&"été; \"rib\"".to_owned()), "{name}");
        assert_eq!(row["src_line"], "3");
    }
}

#[test]
fn sign_ins_and_directory_audits_in_every_wrapping() {
    let signin = r#"{"id":"66ea54eb-6301-4ee5-be62-ff5a759b0100","createdDateTime":"2026-02-03T07:58:10.1234567Z","userDisplayName":"Camille Martin","userPrincipalName":"C.Martin@example.com","userId":"99999999-8888-7777-6666-555555555551","appId":"4765445b-32c6-49b0-83e6-1d93765276ca","appDisplayName":"OfficeHome","ipAddress":"203.0.113.66","clientAppUsed":"Browser","correlationId":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeee1","conditionalAccessStatus":"notApplied","isInteractive":true,"riskState":"none","riskEventTypes_v2":["unfamiliarFeatures"],"resourceDisplayName":"Office","homeTenantId":"11111111-2222-3333-4444-555555555555","resourceTenantId":"11111111-2222-3333-4444-555555555555","status":{"errorCode":50126,"failureReason":"Error validating credentials","additionalDetails":null},"deviceDetail":{"deviceId":"","displayName":"PC-1","operatingSystem":"Windows10","browser":"Edge 138","isCompliant":false,"isManaged":null,"trustType":""},"location":{"city":"Lyon","state":"Rhone","countryOrRegion":"FR","geoCoordinates":{"altitude":null,"latitude":45.75,"longitude":4.85}},"authenticationRequirement":"singleFactorAuthentication","authenticationDetails":[{"authenticationMethod":"Password","succeeded":false}],"autonomousSystemNumber":64500,"signInEventTypes":["nonInteractiveUser"]}"#;
    let audit = r#"{"id":"Directory_aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee_ABCDE_12345","category":"RoleManagement","correlationId":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeee2","result":"success","resultReason":"","activityDisplayName":"Add member to role","activityDateTime":"2026-02-03T09:12:00.1Z","loggedByService":"Core Directory","operationType":"Assign","initiatedBy":{"app":null,"user":{"id":"99999999-8888-7777-6666-555555555551","userPrincipalName":"C.Martin@example.com","ipAddress":"203.0.113.66"}},"targetResources":[{"id":"12121212-3434-5656-7878-909090909090","displayName":null,"type":"User","userPrincipalName":"New@example.com","modifiedProperties":[{"displayName":"Role.DisplayName","oldValue":null,"newValue":"\"Global Administrator\""},{"displayName":"KeyDescription","oldValue":"[]","newValue":"[\"[KeyIdentifier=1,KeyType=Password]\"]"}]}],"additionalDetails":[{"key":"User-Agent","value":"python-requests/2.31"}]}"#;
    let in_envelope = |category: &str, record: &str| {
        format!(
            r#"{{"time":"2026-02-03T10:00:00Z","category":"{category}","tenantId":"{TENANT}","callerIpAddress":"203.0.113.66","correlationId":"x","properties":{record}}}"#
        )
    };
    let analytics = |s: &str| {
        s.replace("\"createdDateTime\"", "\"TimeGenerated\":\"2026-02-03T07:58:10.1234567Z\",\"createdDateTime\"")
            .replace("{\"id\":\"Directory", "{\"TimeGenerated\":\"2026-02-03T09:12:00.1Z\",\"id\":\"Directory")
    };
    for (name, source, text) in [
        ("page", "graph_json", format!(r#"{{"@odata.context":"c","value":[{signin},{audit}]}}"#)),
        ("array", "graph_json", format!("[\n{signin},\n{audit}\n]\n")),
        ("arrays", "graph_json", format!("[{signin}]\n\n[{audit}]\n")),
        ("lines", "graph_json", format!("{signin}\n{audit}\n")),
        (
            "envelope",
            "diagnostics",
            format!("{}\n{}\n", in_envelope("NonInteractiveUserSignInLogs", signin), in_envelope("AuditLogs", audit)),
        ),
        (
            "hub",
            "diagnostics",
            format!(
                r#"{{"records":[{},{}]}}"#,
                in_envelope("NonInteractiveUserSignInLogs", signin),
                in_envelope("AuditLogs", audit)
            ),
        ),
        ("analytics", "log_analytics", format!("{}\n{}\n", analytics(signin), analytics(audit))),
    ] {
        let mut bench = Bench::new(1);
        let report = bench.text(&format!("{name}.json"), &text);
        let sources: Vec<&str> = report.sources.iter().map(|s| s.source.as_str()).collect();
        assert_eq!(sources, [format!("signin.{source}"), format!("directory_audit.{source}")], "{name}");
        assert_eq!(total(&report).kept, 2, "{name}");
        let row = &bench.rows("signin")[0];
        for (column, want) in [
            ("created_date_time", "2026-02-03T07:58:10.123456Z"),
            ("sign_in_class", "non_interactive"),
            ("derived", "false"),
            ("user_principal_name", "c.martin@example.com"),
            ("error_code", "50126"),
            ("result", "failure"),
            ("failure_reason", "Error validating credentials"),
            ("country", "FR"),
            ("city", "Lyon"),
            ("latitude", "45.75"),
            ("asn", "64500"),
            ("operating_system", "Windows10"),
            ("device_name", "PC-1"),
            ("is_compliant", "false"),
            ("auth_methods", "[Password]"),
            ("risk_event_types", "[unfamiliarFeatures]"),
            ("tenant_id", TENANT),
        ] {
            assert_eq!(row.get(column).map(String::as_str), Some(want), "{name}: {column}");
        }
        for column in ["is_managed", "device_id", "trust_type", "mfa_satisfied"] {
            assert_eq!(row.get(column), None, "{name}: {column}");
        }
        let row = &bench.rows("directory_audit")[0];
        for (column, want) in [
            ("activity_key", "add member to role"),
            ("activity_date_time", "2026-02-03T09:12:00.1Z"),
            ("actor_type", "user"),
            ("actor_class", "user"),
            ("actor_upn", "c.martin@example.com"),
            ("ip", "203.0.113.66"),
            ("user_agent", "python-requests/2.31"),
            ("target1_type", "User"),
            ("target1_upn", "new@example.com"),
            ("result", "success"),
        ] {
            assert_eq!(row.get(column).map(String::as_str), Some(want), "{name}: {column}");
        }
        let changes = bench.rows("directory_audit_change");
        let values: Vec<_> = changes
            .iter()
            .map(|c| (c["property"].as_str(), c.get("old_value").map(String::as_str), c["new_value"].as_str()))
            .collect();
        let want = [
            ("Role.DisplayName", None, "Global Administrator"),
            ("KeyDescription", Some("[]"), "[KeyIdentifier=1,KeyType=Password]"),
        ];
        assert_eq!(values, want, "{name}");
    }
}

#[test]
fn portal_sign_ins_in_french() {
    let text = "\"Date (UTC)\",\"ID de requête\",\"Agent utilisateur\",\"Utilisateur\",\"Nom d’utilisateur\",\"Application\",\"Adresse IP\",\"Emplacement\",\"Statut\",\"Code d’erreur de connexion\",\"Raison de l’échec\"\r\n\"2026-02-03T07:58:10Z\",\"66ea54eb-6301-4ee5-be62-ff5a759b0100\",\"Mozilla/5.0\",\"Camille Martin\",\"C.Martin@example.com\",\"OfficeHome\",\"203.0.113.66\",\"Lyon, Rhône, FR\",\"Échec\",\"50126\",\"Mot de passe\"\r\n";
    let mut bench = Bench::new(1);
    let report = bench.text("NonInteractiveSignIns_2026-02-03.csv", text);
    assert_eq!(report.sources[0].source, "signin.portal_csv");
    let row = &bench.rows("signin")[0];
    for (column, want) in [
        ("sign_in_class", "non_interactive"),
        ("flags", "[from_name]"),
        ("user_principal_name", "c.martin@example.com"),
        ("user_display_name", "Camille Martin"),
        ("country", "FR"),
        ("city", "Lyon"),
        ("error_code", "50126"),
        ("app_display_name", "OfficeHome"),
    ] {
        assert_eq!(row.get(column).map(String::as_str), Some(want), "{column}");
    }
}

#[test]
fn day_and_month_are_settled_per_file() {
    let cut = "{\"\"Id\"\":\"\"5f0f6a51-0c11-4d9a-9d0a-";
    let row = |date: &str, n: u32| {
        format!(
            "\"ExchangeAdmin\",\"{date}\",\"a@example.com\",\"Set-Mailbox\",\"{cut}\",\"5f0f6a51-0c11-4d9a-9d0a-{n:012x}\"\r\n"
        )
    };
    let header = "\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"Identity\"\r\n";
    for (dates, want, flags) in [
        (["03/04/2026 05:06:07", "18/04/2026 05:06:07"], "2026-04-03T05:06:07Z", "[truncated_json]"),
        (["3/4/2026 5:06:07 AM", "3/5/2026 5:06:07 AM"], "2026-03-04T05:06:07Z", "[truncated_json]"),
        (["03/04/2026 05:06:07", "03/05/2026 05:06:07"], "2026-03-04T05:06:07Z", "[truncated_json, date_ambiguous]"),
    ] {
        let mut bench = Bench::new(1);
        let report = bench.text("x.csv", &format!("{header}{}{}", row(dates[0], 1), row(dates[1], 2)));
        assert_eq!(total(&report).kept, 2);
        let first = &bench.rows("ual_event")[0];
        assert_eq!((first["creation_time"].as_str(), first["flags"].as_str()), (want, flags));
        assert_eq!(first["id"], "5f0f6a51-0c11-4d9a-9d0a-000000000001", "the wrapper's id stands in");
    }
}

#[test]
fn caps_and_gaps_deny_completeness() {
    let header = "\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\"\r\n";
    let file = |rows: u32, announced: u32| {
        let body: String = (1..=rows)
            .map(|n| format!("\"ExchangeAdmin\",\"2/13/2026\",\"a\",\"New-InboxRule\",\"{}\",\"{n}\",\"{announced}\",\"5f0f6a51-0c11-4d9a-9d0a-{n:012x}\"\r\n", doubled(&rule(n))))
            .collect();
        format!("{header}{body}")
    };
    for (rows, announced, reason) in
        [(3, 3, "unknown whether filtered"), (3, 7, "result_gap"), (100, 100, "default_cap"), (3, 50_000, "session_cap")]
    {
        let mut bench = Bench::new(1);
        let report = bench.text("x.csv", &file(rows, announced));
        let coverage = &bench.rows("coverage")[0];
        assert_eq!(coverage["reason"], reason);
        let capped = reason != "unknown whether filtered";
        assert_eq!(coverage.get("complete").map(String::as_str), capped.then_some("false"));
        assert_eq!(!report.sources[0].notes.is_empty(), capped);
    }
}

#[test]
fn what_is_not_evidence_is_named() {
    for (name, text, word, harmless) in [
        ("empty.json", "", "empty", false),
        (
            "listing.json",
            r#"[{"contentUri":"https://manage.office.com/x","contentId":"1","contentType":"Audit.Exchange"}]"#,
            "contentUri",
            false,
        ),
        (
            "refused.json",
            r#"{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"no"}}"#,
            "refused",
            false,
        ),
        ("page.html", "<!DOCTYPE html><html></html>", "HTML", true),
        ("README.md", "# Notes\nnothing here\n", "known source", true),
        ("other.json", r#"{"hello":"world"}"#, "known source", false),
    ] {
        let mut bench = Bench::new(1);
        let Outcome::Unrecognised { reason, harmless: got, blake3, size } = bench.bytes(name, text.as_bytes()) else {
            panic!("{name}")
        };
        assert!(reason.en.contains(word), "{name}: {}", reason.en);
        assert_eq!((got, size, blake3.len()), (harmless, text.len() as u64, 64), "{name}");
    }
}

#[test]
fn a_richer_copy_replaces_the_first() {
    let mut bench = Bench::new(1);
    let header = "\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"Identity\"\r\n";
    let poor = format!(
        "{header}\"ExchangeAdmin\",\"2/3/2026 8:41:22 AM\",\"c.martin@example.com\",\"New-InboxRule\",\"\",\"5f0f6a51-0c11-4d9a-9d0a-000000000001\"\r\n"
    );
    let first = bench.text("a.csv", &poor);
    assert_eq!((total(&first).kept, first.superseded.len()), (1, 0));
    let second = bench.text("b.json", &rule(1));
    let count = total(&second);
    assert_eq!((count.kept, count.duplicate), (0, 1), "the case still holds one record");
    assert_eq!(second.superseded.iter().map(|r| (r.table(), r.file(), r.row())).collect::<Vec<_>>(), [(1, 1, 0)]);
    assert_eq!(bench.rows("ual_event").len(), 2);
    let third = bench.text("c.json", &rule(1));
    assert_eq!((total(&third).duplicate, third.superseded.len()), (1, 0));
    assert_eq!(bench.column("row_copy", "record_id"), ["5f0f6a51-0c11-4d9a-9d0a-000000000001"]);
}

/// A script re-shaped the export and lost the ids: what a record stands for beside itself is derived all the same.
#[test]
fn a_record_without_an_id_keeps_its_parts_and_what_it_stands_for() {
    let given = |role: &str, minute: u32| {
        format!(
            r#"{{"CreationTime":"2026-02-03T08:{minute}:00","Operation":"Add member to role.","OrganizationId":"{TENANT}","RecordType":8,"ResultStatus":"Success","Workload":"AzureActiveDirectory","UserId":"c.martin@example.com","Actor":[{{"ID":"c.martin@example.com","Type":5}}],"Target":[{{"ID":"l.petit@example.com","Type":5}}],"ModifiedProperties":[{{"Name":"Role.DisplayName","NewValue":"{role}","OldValue":""}}]}}"#
        )
    };
    let mut bench = Bench::new(1);
    let report = bench.text("a.jsonl", &format!("{}\n{}\n", given("Global Administrator", 41), given("Reports Reader", 42)));
    assert_eq!(total(&report).kept, 2);
    let place = |row: &std::collections::BTreeMap<String, String>| row["src_offset"].clone();
    let records: Vec<String> = bench.rows("ual_event").iter().map(place).collect();
    assert_ne!(records[0], records[1]);
    assert_eq!(bench.rows("directory_audit").iter().map(place).collect::<Vec<_>>(), records);
    let roles: Vec<(String, String)> =
        bench.rows("directory_audit_change").iter().map(|c| (place(c), c["new_value"].clone())).collect();
    let want = ["Global Administrator", "Reports Reader"].map(str::to_owned);
    assert_eq!(roles, records.into_iter().zip(want).collect::<Vec<_>>());
}
