//! Exports as they really arrive: through Excel, through diagnostic settings, refused, redacted, without ids, with
//! impossible dates, with copies.
#![recursion_limit = "256"] // records have many members
mod common;
mod made;

use std::{fs, path::Path};

use common::{list, rank, verdict};
use made::{
    audit::{self, Via, from, id},
    directory::{self, By},
    forms,
    judged::{all_told, blames, cited, citing, found, judge, judge_all, whole},
    signin,
    who::{self, OFFICE, Person, STRANGER},
};
use serde_json::{Value, json};

/// The sums over all evidence files.
fn rows(answer: &Value, key: &str) -> u64 {
    list(answer, "evidence").iter().map(|e| e["rows"][key].as_u64().expect("a number")).sum()
}

/// What is said about the evidence, in English: notes and reasons.
fn said(answer: &Value) -> String {
    let notes = list(answer, "evidence").iter().flat_map(|e| list(e, "notes")).map(Value::to_string);
    let reasons = list(answer, "unrecognised").iter().map(Value::to_string);
    notes.chain(reasons).collect::<Vec<_>>().join("\n")
}

/// How the missing evidence of a check is obtained.
fn missing<'a>(answer: &'a Value, check: &str) -> &'a Vec<Value> {
    let found = list(answer, "checks").iter().find(|c| c["id"] == check).expect("the check is listed");
    list(found, "missing")
}

/// Saved again by a spreadsheet with the separators of this country: long cells are cut at 32,767 characters, blank
/// lines stand at the end. Nothing is lost but the detail, and that is said; the record after the cut one is read.
#[test]
fn an_audit_log_that_went_through_a_spreadsheet() {
    let (admin, who) = (Person("h.moulin"), Person("e.nicolas"));
    let mut records = audit::mornings(who, "2026-03-02", 5, OFFICE);
    let long = "x".repeat(40_000);
    let cut = audit::rule(
        "2026-03-09T09:00:00",
        who,
        from(OFFICE),
        "Archive",
        &[("BodyContainsWords", long.as_str()), ("ForwardTo", "loin@example.org")],
    );
    let after = audit::cmdlet(
        "2026-03-09T23:10:00",
        admin,
        from(STRANGER),
        "New-TransportRule",
        "...",
        &[("Name", "..."), ("SubjectOrBodyContainsWords", "iban;virement"), ("BlindCopyTo", "copie.carbone@example.org")],
    );
    records.extend([cut.clone(), after.clone()]);
    let n = records.len() as u64;
    let date = |r: &Value| r["CreationTime"].as_str().expect("a time").to_owned() + ".0000000Z ";
    let cell = |r: &Value| -> String { r.to_string().chars().take(32_767).collect() };
    let mut bytes = vec![0xef, 0xbb, 0xbf];
    bytes.extend(forms::purview(&records, b';', date, cell));
    bytes.extend(b";;;;;;;\r\n;;;;;;;\r\n");
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("excel");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("Journal (enregistré sous).csv"), bytes).expect("written");
    let answer = judge(&folder, &whole("2026-03-02T00:00:00Z", "2026-03-10T00:00:00Z"));

    assert_eq!(rows(&answer, "kept"), n, "every record is kept, the cut one by its columns");
    assert_eq!(
        rows(&answer, "read"),
        rows(&answer, "kept") + rows(&answer, "rejected"),
        "a line of blanks is no record, or is rejected"
    );
    found(&answer, "1e.transport-rule-change", &id(&after), "suspicious");
    // What the cut rule does is not known: the operation is not covered, and a person can see why.
    for check in ["1b.inbox-rule-forward", "1b.inbox-rule-hiding", "1b.internal-forwarding"] {
        assert_ne!(verdict(&answer, "checks", check), "ok", "{check}");
    }
    let said = said(&answer).to_lowercase();
    assert!(said.contains("excel") || said.contains("32,767") || said.contains("32767"), "through Excel: {said}");
    assert!(said.contains("new-inboxrule"), "the operation that lost its detail is named: {said}");
    assert!(!citing(&answer, &id(&cut)).is_empty(), "an act of unknown content is listed");
}

/// Diagnostic settings: American times, AD FS, flat service principals without `time`, a bad `createdDateTime`, an
/// offset, an address of nine groups. All are kept, on their true instants.
#[test]
fn diagnostic_settings_as_they_come() {
    let (giver, holder, who) = (Person("h.moulin"), Person("presta.web"), Person("e.nicolas"));
    let entry = |at: &str| forms::envelope("SignInLogs", &signin::person(at, who, from(OFFICE), true));
    let mut american = entry("2025-12-04T23:05:09");
    american["time"] = json!("12/4/2025 11:05:09 PM");
    let mut federated = entry("2025-12-04T09:12:00");
    federated["category"] = json!("ADFSSignInLogs");
    federated["time"] = json!("12/4/2025 9:12:31 AM");
    federated["durationMs"] = json!("17");
    federated["properties"]["tokenIssuerType"] = json!("ADFederationServices");
    federated["properties"]["ipAddress"] = json!("10.11.12.13");
    let mut undated = entry("2025-12-04T10:00:00");
    undated["properties"]["createdDateTime"] = json!("4 décembre, le matin");
    let mut east = entry("2025-12-04T11:00:00");
    east["time"] = json!("2025-12-04T16:30:00+05:30");
    east["properties"]["createdDateTime"] = json!("2025-12-04T16:30:00.5000000+05:30");
    east["category"] = json!("NonInteractiveUserSignInLogs");
    let flat = json!({
        "AADTenantId": who::TENANT, "AppId": who::guid("app"), "Category": "ServicePrincipalSignInLogs", "CorrelationId": who::guid("flat"),
        "CreatedDateTime": "2025-12-04T12:45:17.5824212Z", "DurationMs": 0, "IPAddress": "192.0.2.80", "Id": who::guid("flat sign-in"), "Location": "FR",
        "LocationDetails": "{\"city\":\"Lyon\",\"countryOrRegion\":\"FR\"}", "OperationName": "Sign-in activity", "ResourceDisplayName": "Microsoft Graph",
        "ResourceIdentity": "00000003-0000-0000-c000-000000000000", "ResultSignature": "SUCCESS", "ResultType": "0", "ServicePrincipalId": who::guid("sp"),
        "ServicePrincipalName": "sauvegarde", "TenantId": who::guid("workspace"), "TimeGenerated": "2025-12-04T12:45:17.5824212Z", "Type": "AADServicePrincipalSignInLogs",
    });
    let nine = "::2001:db8:7:4002:91f2:a9b2:e09a:6fc6";
    let grant = directory::role_given("2025-12-04T17:20:00", By::Person(giver, nine), who::GLOBAL, holder, "");
    let mut given = forms::envelope("AuditLogs", &grant);
    given.as_object_mut().expect("an object").remove("durationMs");
    let all = [american, federated, undated, east, flat, given];
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("insights");
    let path = folder.join("y=2025/m=12/d=04/h=00/m=00/PT1H.json");
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, all.iter().map(|r| format!("{r}\n")).collect::<String>()).expect("written");
    let answer = judge(&folder, &[]);

    assert_eq!((rows(&answer, "read"), rows(&answer, "kept")), (6, 6), "{}", said(&answer));
    found(&answer, "1a.role-grants", &id(&grant), "suspicious");
    let times: Vec<&str> =
        list(&answer, "evidence").iter().flat_map(|e| [e["from"].as_str(), e["to"].as_str()]).flatten().collect();
    assert!(times.iter().all(|t| t.starts_with("2025-12-04")), "{times:?}");
    let case = folder.with_extension("case0");
    let asked = common::run(
        common::reflexe()
            .args(["query", "--format", "csv", "--case"])
            .arg(&case)
            .arg("select cast(created_date_time as varchar) as t from signin order by created_date_time"),
    );
    assert_eq!(asked.code, 0, "{}", asked.err);
    for time in ["09:12", "10:00:00", "11:00:00", "12:45:17", "23:05:09"] {
        assert!(
            asked.out.contains(&format!("2025-12-04T{time}")) || asked.out.contains(&format!("2025-12-04 {time}")),
            "{time}: {}",
            asked.out
        );
    }
}

/// The collector was refused, or found "0 records" where a live tenant has some every day, or left an empty file:
/// none of them is an answer. A complete export of something that may be empty is one.
#[test]
fn a_refusal_and_an_implausible_zero_prove_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("refused");
    let put = |place: &str, text: &str| {
        let path = folder.join(place);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    put(
        "Output/LogFile.txt",
        "2026-05-04 10:00:00: === Starting Sign-in Log Collection ===\r\n\
         2026-05-04 10:00:00: Start Date: 2026-04-04T10:00:00Z\r\n2026-05-04 10:00:00: End Date: 2026-05-04T10:00:00Z\r\n\
         2026-05-04 10:00:02: [INFO] Acquiring the interactiveUser & nonInteractiveUser sign-in logs\r\n\
         2026-05-04 10:00:09: [INFO] No sign-in logs found for the specified period\r\n\
         2026-05-04 10:00:09: \r\n=== Sign-in Log Collection Summary ===\r\n2026-05-04 10:00:09: Total Records: 0\r\n\
         2026-05-04 10:02:00: === Starting Audit Log Collection ===\r\n\
         2026-05-04 10:02:00: Start Date: 2026-04-04T10:02:00Z\r\n2026-05-04 10:02:00: End Date: 2026-05-04T10:02:00Z\r\n\
         2026-05-04 10:02:17: [ERROR] Failed to acquire logs after 5 attempts. Error: Response status code does not indicate success: Forbidden (Forbidden).\r\n\
         2026-05-04 10:02:17: [ERROR] An error occurred: Response status code does not indicate success: Forbidden (Forbidden).\r\n",
    );
    put("Output/EntraID/20260504100000-SignInLogs/20260504100009-SignInLogs.json", "[]");
    put(
        "Output/EntraID/20260504100200-AuditLogs/20260504100217-AuditLogs.json",
        "{\r\n  \"error\": {\r\n    \"code\": \"Authorization_RequestDenied\",\r\n    \"message\": \"Insufficient privileges to complete the operation.\",\r\n    \"innerError\": { \"date\": \"2026-05-04T10:02:05\" }\r\n  }\r\n}",
    );
    put("Output/Rules/MailboxRules.csv", "");
    for kind in ["users", "directoryRoles", "domains", "servicePrincipals"] {
        forms::graph(&folder.join(format!("graph/{kind}.json")), kind, &[]);
    }
    let lone = audit::mornings(Person("e.nicolas"), "2026-04-06", 3, OFFICE);
    forms::cmdlet_csv(&folder.join("Output/UnifiedAuditLog/20260504101000/UAL.csv"), &lone);
    for declared in [&[][..], &whole("2026-04-06T00:00:00Z", "2026-04-09T00:00:00Z")[..]] {
        let answer = judge(&folder, declared);
        for item in ["1.a.1", "1.a.2", "1.a.3", "1.a.4", "1.a.5", "1.b.2", "1.d.10"] {
            assert_eq!(verdict(&answer, "items", item), "unknown", "{item} with nothing to look at");
        }
        for check in ["1b.inbox-rule-hiding", "1b.inbox-rule-forward"] {
            assert_ne!(verdict(&answer, "checks", check), "ok", "{check} on a file of no byte");
            assert!(!missing(&answer, check).is_empty(), "{check}: how to get it");
        }
        let said = said(&answer).to_lowercase();
        assert!(
            said.contains("refused") || said.contains("403") || said.contains("forbidden"),
            "that the collection was refused: {said}"
        );
        let named = list(&answer, "unrecognised")
            .iter()
            .chain(list(&answer, "evidence"))
            .any(|e| e["path"].to_string().contains("20260504100217-AuditLogs.json"));
        assert!(named, "the file of the refusal is listed");
    }
}

/// Redacted by another hand: every id is the same row of signs, every address a star. Nothing folds, nothing is shared,
/// parameters stay with their own record.
#[test]
fn a_redacted_log_neither_folds_nor_mixes() {
    let (victim, colleague, admin, other) = (Person("m.aubert"), Person("o.girard"), Person("adm.roux"), Person("g.picard"));
    let via = Via { agent: who::AXIOS, ..from(STRANGER) };
    let hostile = audit::logon("2026-04-01T21:00:00", victim, via);
    let forward = audit::rule(
        "2026-04-01T21:04:00",
        victim,
        from(STRANGER),
        ";",
        &[("ForwardTo", "puits@example.net"), ("DeleteMessage", "True")],
    );
    let inside = audit::rule(
        "2026-04-02T09:00:00",
        colleague,
        from(OFFICE),
        "Astreinte",
        &[("ForwardTo", "e.nicolas@ardoise.example.com"), ("From", "alerte@example.com")],
    );
    let mailbox = audit::cmdlet(
        "2026-04-02T02:10:00",
        admin,
        from(STRANGER),
        "Set-Mailbox",
        "g.picard",
        &[("Identity", "g.picard@ardoise.example.com"), ("ForwardingSmtpAddress", "smtp:releve@example.net")],
    );
    let mut records: Vec<Value> =
        [victim, colleague, admin, other].into_iter().map(|p| audit::logon("2026-04-01T07:58:00", p, from(OFFICE))).collect();
    records.push(records[1].clone()); // a real repeat
    records.extend([hostile, forward, inside, mailbox]);
    let n = records.len() as u64;
    let hidden = |text: &str| {
        let bytes: Vec<char> = text.chars().collect();
        let mut out = String::new();
        let mut at = 0;
        while at < bytes.len() {
            let guid: String = bytes[at..bytes.len().min(at + 36)].iter().collect();
            let is_guid = guid.len() == 36
                && guid.char_indices().all(|(n, c)| if [8, 13, 18, 23].contains(&n) { c == '-' } else { c.is_ascii_hexdigit() });
            if is_guid {
                out.push_str("(expurgé)");
                at += 36;
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        out.replace(OFFICE, "***").replace(STRANGER, "***")
    };
    let redacted: Vec<Value> =
        records.iter().map(|r| serde_json::from_str(&hidden(&r.to_string())).expect("still JSON")).collect();
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("redacted");
    fs::create_dir_all(&folder).expect("made");
    let date = |r: &Value| forms::american(r["CreationTime"].as_str().expect("a time")).replace(':', "*");
    fs::write(folder.join("Records.csv"), forms::purview(&redacted, b',', date, Value::to_string)).expect("written");
    let answer = judge(&folder, &[]);

    assert_eq!(rows(&answer, "read"), n);
    assert_eq!(rows(&answer, "rejected"), 0, "{}", said(&answer));
    assert!(rows(&answer, "kept") >= n - 1 && rows(&answer, "duplicate") <= 1, "one real repeat: {:?}", answer["evidence"]);
    let about = |check: &str, who: Person| -> Vec<&Value> {
        list(&answer, "findings").iter().filter(|f| f["check"] == check && f["subject"].to_string().contains(who.0)).collect()
    };
    let best = |all: &[&Value]| all.iter().map(|f| made::judged::gravity(f)).max();
    assert!(best(&about("1b.inbox-rule-forward", victim)) >= Some(rank("suspicious")), "{}", all_told(&answer));
    assert!(best(&about("1b.external-forwarding", other)) >= Some(rank("suspicious")), "{}", all_told(&answer));
    for f in list(&answer, "findings") {
        let own = |who: Person| f["subject"].to_string().contains(who.0);
        assert!(!f.to_string().contains("puits@example.net") || own(victim), "a destination of another record: {f}");
        assert!(!f.to_string().contains("releve@example.net") || own(other), "a destination of another record: {f}");
        assert!(!(blames(f) && own(colleague)), "{} only shares a redacted address: {f}", colleague.upn());
    }
}

fn perm_records() -> [Value; 4] {
    let (admin, who) = (Person("adm.roux"), Person("presta.web"));
    let night = from(STRANGER);
    [
        audit::logon("2026-02-03T02:50:00", Person("e.nicolas"), from(OFFICE)),
        audit::cmdlet(
            "2026-02-03T03:00:00",
            admin,
            night,
            "Add-MailboxPermission",
            "compta",
            &[
                ("Identity", "compta@ardoise.example.com"),
                ("User", "adm.roux@ardoise.example.com"),
                ("AccessRights", "FullAccess"),
            ],
        ),
        audit::role_given("2026-02-03T03:10:00", admin, night, who::ROLES, who),
        audit::logon("2026-02-03T03:20:00", Person("g.picard"), from(OFFICE)),
    ]
}

/// Without ids, with one id for all, with empty ids: the same findings as with ids. Detail cut: said, never `ok`.
#[test]
fn ids_decide_nothing_and_cut_detail_is_no_absence() {
    let window = whole("2026-02-03T00:00:00Z", "2026-02-04T00:00:00Z");
    let dir = tempfile::tempdir().expect("a folder");
    let told = |answer: &Value| -> Vec<(String, String, String)> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let mut out: Vec<_> =
            list(answer, "findings").iter().map(|f| (text(&f["check"]), text(&f["verdict"]), text(&f["text"]["en"]))).collect();
        out.sort();
        out
    };
    let mut with: Option<Vec<(String, String, String)>> = None;
    for kind in ["whole", "none", "same", "empty"] {
        let mut records = perm_records();
        for r in records.iter_mut().filter(|_| kind != "whole") {
            let object = r.as_object_mut().expect("an object");
            match kind {
                "none" => drop(object.remove("Id")),
                "same" => drop(object.insert("Id".into(), json!("--------"))),
                _ => drop(object.insert("Id".into(), json!(""))),
            }
        }
        let folder = dir.path().join(kind);
        forms::lines(&folder.join("audit.json"), &records);
        let answer = judge(&folder, &window);
        assert_eq!(rows(&answer, "kept"), 4, "{kind}");
        assert_eq!(verdict(&answer, "items", "1.a.2"), "suspicious", "{kind}");
        assert!(rank(verdict(&answer, "items", "1.b.6")) >= rank("suspicious"), "{kind}");
        let these = told(&answer);
        assert_eq!(with.get_or_insert_with(|| these.clone()), &these, "{kind}: ids changed a finding");
    }
    let folder = dir.path().join("cut");
    // Cut in the middle of the parameters, or of the changed properties: the columns still say what was done.
    forms::cmdlet_csv_with(&folder.join("AuditRecords.csv"), &perm_records(), |r| {
        let whole = r.to_string();
        let half = whole.find("\"Parameters\"").or(whole.find("\"ModifiedProperties\":[{")).map_or(whole.len(), |n| n + 20);
        whole[..half].to_owned()
    });
    let answer = judge(&folder, &window);
    assert_eq!(rows(&answer, "kept"), 4);
    for (item, check) in [("1.a.2", "1a.role-grants"), ("1.b.6", "1b.mbx-delegation-change")] {
        assert_ne!(verdict(&answer, "items", item), "ok", "{item}");
        assert_ne!(verdict(&answer, "checks", check), "ok", "{check}");
    }
    let said = said(&answer).to_lowercase();
    for operation in ["add-mailboxpermission", "add member to role"] {
        assert!(said.contains(operation), "{operation} lost its detail, and nobody says so: {said}");
    }
    for record in &perm_records()[1..3] {
        assert!(!citing(&answer, &id(record)).is_empty(), "the act is listed with unknown content");
    }
}

/// An act of eleven months ago is found without being asked for; a date in the future moves nothing and is named; the
/// act of that row is judged all the same.
#[test]
fn the_period_is_what_the_evidence_holds() {
    let (admin, made, who) = (Person("h.moulin"), Person("svc.relais"), Person("e.nicolas"));
    let dir = tempfile::tempdir().expect("a folder");
    let role = |at: &str| audit::role_given(at, admin, from(STRANGER), who::GLOBAL, made);
    let flow = |at: &str| {
        audit::cmdlet(
            at,
            made,
            from(STRANGER),
            "New-TransportRule",
            ".",
            &[("Name", "."), ("BlindCopyTo", "copie@example.net"), ("SubjectOrBodyContainsWords", "iban")],
        )
    };
    // Kept for a year: the acts at its beginning, ordinary mornings until its end.
    let old = [role("2025-09-01T20:01:35"), flow("2025-09-01T20:09:00")];
    let mut records: Vec<Value> = old.to_vec();
    for month in ["2025-09-08", "2025-12-01", "2026-02-02", "2026-04-06", "2026-06-01", "2026-07-27"] {
        records.extend(audit::mornings(who, month, 2, OFFICE));
    }
    let folder = dir.path().join("old");
    forms::cmdlet_csv(&folder.join("AuditRecords.csv"), &records);
    let answer = judge(&folder, &[]);
    found(&answer, "1a.role-grants", &id(&old[0]), "suspicious");
    found(&answer, "1e.transport-rule-change", &id(&old[1]), "suspicious");
    assert!(
        answer["case"]["window"]["from"].as_str().is_some_and(|t| t.starts_with("2025-09-01")),
        "{}",
        answer["case"]["window"]
    );

    // One clock is wrong: the act of July, and an ordinary sign-in of the next year (the day and the month exchanged).
    let near = role("2026-07-28T20:00:00");
    let ahead = audit::logon("2027-06-07T08:00:00", who, from(OFFICE));
    let mut records = audit::mornings(who, "2026-07-20", 7, OFFICE);
    records.extend([near.clone(), ahead.clone()]);
    let folder = dir.path().join("clock");
    forms::lines(&folder.join("audit.json"), &records);
    let answer = judge(&folder, &[]);
    found(&answer, "1a.role-grants", &id(&near), "suspicious");
    let window = &answer["case"]["window"];
    assert!(window["from"].as_str().is_some_and(|t| t.starts_with("2026-07-20")), "{window}");
    assert!(window["to"].as_str().is_some_and(|t| t.starts_with("2026-07-28")), "{window}");
    assert!(said(&answer).contains("2027-06-07"), "the row is named: {}", said(&answer));

    // The wrong clock on the act itself: it is judged.
    let odd = role("2027-06-07T20:00:00");
    let mut records = audit::mornings(who, "2026-07-20", 7, OFFICE);
    records.push(odd.clone());
    let folder = dir.path().join("odd");
    forms::lines(&folder.join("audit.json"), &records);
    cited(&judge(&folder, &[]), &id(&odd), "suspicious");
    // What an option leaves out is said.
    let folder = dir.path().join("old");
    let narrow = judge(&folder, &["--from", "2026-01-01T00:00:00Z"]);
    assert!(citing(&narrow, &id(&old[0])).into_iter().all(|f| !blames(f)) || !said(&narrow).is_empty());
    assert!(said(&narrow).to_lowercase().contains("outside"), "how many records the option leaves out: {}", said(&narrow));
}

/// Two exports of one tenant, one of them nothing but copies, and one record of another tenant: two tenants.
#[test]
fn copies_are_no_tenant() {
    let who = Person("e.nicolas");
    let records = audit::mornings(who, "2026-02-02", 3, OFFICE);
    let mut foreign = audit::logon("2026-02-02T09:00:00", Person("x.ailleurs"), from("198.51.100.9"));
    for key in ["OrganizationId", "ActorContextId", "TargetContextId"] {
        foreign[key] = json!(who::guid("another tenant"));
    }
    foreign["UserId"] = json!("x.ailleurs@autre.example.org");
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("copies");
    forms::array(&folder.join("a.json"), &records);
    forms::purview_csv(&folder.join("b.csv"), &records[1..3]);
    forms::cmdlet_csv(&folder.join("c.csv"), &records[..1]);
    forms::lines(&folder.join("d.json"), &[foreign]);
    let (_, answers) = judge_all(&folder, &[]);
    let ids: Vec<&str> = answers.iter().filter_map(|a| a["case"]["tenant"]["id"].as_str()).collect();
    assert_eq!(answers.len(), 2, "{ids:?}");
    assert!(ids.contains(&who::TENANT), "{ids:?}");
    let own = answers.iter().find(|a| a["case"]["tenant"]["id"] == who::TENANT).expect("ours");
    let held: Vec<String> = list(own, "evidence")
        .iter()
        .filter_map(|e| Path::new(e["path"].as_str()?).file_name())
        .map(|n| n.to_string_lossy().into_owned())
        .collect();
    for name in ["a.json", "b.csv", "c.csv"] {
        assert!(held.iter().any(|h| h == name), "{name} belongs to the tenant whose rows it repeats: {held:?}");
    }
}
