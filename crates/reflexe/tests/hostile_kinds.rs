//! What an unlucky or hostile export does: an application or a group that nobody exported, a date in the future, dates
//! that nobody can read, one person told by several exports. Simulated tenants, changed by hand.
mod common;
#[path = "silence/world.rs"]
mod world;

use std::{fs, path::Path};

use common::{list, rank, verdict};
use serde_json::{Value, json};
use world::World;

fn edit(file: &Path, change: impl FnOnce(&mut Vec<Value>)) {
    let mut page: Value = serde_json::from_str(&fs::read_to_string(file).expect("readable")).expect("JSON");
    change(page["value"].as_array_mut().expect("a page"));
    fs::remove_file(file).expect("removed"); // the copy is a hard link
    fs::write(file, page.to_string()).expect("written");
}

fn missing(answer: &Value, check: &str) -> usize {
    let found = list(answer, "checks").iter().find(|c| c["id"] == check).expect("the check is listed");
    list(found, "missing").len()
}

/// Checks that read the holders of roles, as their needs say.
fn on_administrators() -> Vec<String> {
    let catalogue = reflexe_fiche::Catalogue::embedded().expect("well formed");
    let ids: Vec<String> =
        catalogue.checks.iter().filter(|c| c.def.needs.contains_key("role_assignment")).map(|c| c.def.id.clone()).collect();
    assert!(ids.len() >= 4, "{ids:?}");
    ids
}

/// An application with a name made to deceive is seen in the list of applications alone. Without the list nobody can
/// say that there is none: consents name applications by their number.
#[test]
fn without_the_list_of_applications_no_name_is_cleared() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "clean", 902);
    let spoilt = |folder: &Path| {
        edit(&folder.join("graph/servicePrincipals.json"), |list| {
            let mut rogue = list.last().expect("an application").clone();
            for (key, value) in [
                ("id", json!("aaaaaaaa-0000-4000-8000-000000000902")),
                ("appId", json!("bbbbbbbb-0000-4000-8000-000000000902")),
                ("displayName", json!("Micros\u{43e}ft 365 Archive")), // a Cyrillic letter
                ("appDisplayName", json!("Micros\u{43e}ft 365 Archive")),
                ("appOwnerOrganizationId", json!("99999999-0000-4000-8000-000000000902")),
                ("servicePrincipalNames", json!(["bbbbbbbb-0000-4000-8000-000000000902"])),
                ("tags", json!([])),
            ] {
                rogue[key] = value;
            }
            list.push(rogue);
        });
    };
    let with = world.with("with", spoilt);
    assert!(rank(verdict(&with, "checks", "1d.name-lookalike")) >= rank("weakness"), "the name is seen");
    let without = world.with("without", |folder| fs::remove_file(folder.join("graph/servicePrincipals.json")).expect("removed"));
    for (kind, id) in [("checks", "1d.name-lookalike"), ("items", "1.d.10")] {
        assert_eq!(verdict(&without, kind, id), "unknown", "{id} without the list of applications");
    }
    assert!(missing(&without, "1d.name-lookalike") > 0, "how to get it");
}

/// The tool's own log says how many records it wrote; half of the file is there. Nothing that it does not show is cleared, whoever
/// declares that the export was whole.
#[test]
fn fewer_records_than_the_tool_announces_prove_no_absence() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "clean", 905);
    let half = world.with("half", |folder| {
        let file = world::files(folder)
            .into_iter()
            .find(|f| f.file_name().is_some_and(|n| n.to_string_lossy().starts_with("UAL-")))
            .expect("the audit log");
        let text = fs::read_to_string(&file).expect("readable");
        let lines: Vec<&str> = text.lines().collect();
        fs::remove_file(&file).expect("removed"); // the copy is a hard link
        fs::write(&file, lines[..lines.len() / 2].join("\n")).expect("written");
    });
    for check in ["1b.mbx-delegation-change", "1e.mail-sync", "1b.inbox-rule-forward"] {
        assert_eq!(verdict(&world.base, "checks", check), "ok", "{check}: the whole log clears it");
        assert_eq!(verdict(&half, "checks", check), "unknown", "{check}: half of the log does not");
    }
    let why = list(&half, "checks").iter().filter_map(|c| c["reasons"].as_array()).flatten();
    let said = why.map(|w| w["en"].to_string()).any(|why| why.contains("announces more records"));
    assert!(said, "the reason is told");
}

/// A group holds the highest role. Who its members are stands in the list of groups alone: without it no check on
/// administrators is `ok`, whatever other export tells of roles.
#[test]
fn without_the_members_of_a_group_no_administrator_is_cleared() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "clean", 906);
    let checks = on_administrators();
    for scuba in [true, false] {
        let answer = world.with(&format!("groups-{scuba}"), |folder| {
            edit(&folder.join("graph/roleAssignments.json"), |list| {
                let id = "cccccccc-0000-4000-8000-000000000906";
                list.push(json!({
                    "id": "held-by-a-group-1", "principalId": id, "resourceScope": "/", "directoryScopeId": "/",
                    "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10",
                    "principal": { "@odata.type": "#microsoft.graph.group", "id": id, "displayName": "Exploitation", "isAssignableToRole": true },
                }));
            });
            fs::remove_file(folder.join("graph/groups.json")).expect("removed");
            if !scuba {
                let baseline = world::files(folder).into_iter().find(|f| f.to_string_lossy().contains("ScubaResults")).expect("the baseline");
                fs::remove_file(baseline).expect("removed");
            }
        });
        // Who became administrator is told by the log, which names whoever is put into a group; all others need the members.
        for check in checks.iter().filter(|c| *c != "1a.role-grants") {
            let before = verdict(&world.base, "checks", check);
            let after = verdict(&answer, "checks", check);
            assert_ne!(after, "ok", "{check} (was {before}): nobody knows who the administrators are");
        }
    }
}

/// The same administrators, told by two exports more: each is one person. No count, verdict or sentence changes.
#[test]
fn an_administrator_is_one_person_whatever_tells_of_him() {
    let dir = tempfile::tempdir().expect("a folder");
    for (scenario, seed) in [("clean", 907), ("aitm-admin", 908)] {
        let world = World::new(dir.path(), scenario, seed);
        let assignments =
            fs::read_to_string(dir.path().join(scenario).join("evidence/graph/roleAssignments.json")).expect("roles");
        let assignments: Value = serde_json::from_str(&assignments).expect("JSON");
        let users: Vec<&Value> =
            list(&assignments, "value").iter().filter(|a| a["principal"]["userPrincipalName"].is_string()).collect();
        let answer = world.with("told-thrice", |folder| {
            // Directory roles with their members, by object id; and a list by name alone, in capitals as a person types.
            let template = "62e90394-69f5-4237-9190-012177145e10";
            let members: Vec<&Value> = users.iter().filter(|a| a["roleDefinitionId"] == template).map(|a| &a["principal"]).collect();
            let roles = json!({
                "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#directoryRoles(members())",
                "value": [{ "id": "dddddddd-0000-4000-8000-000000000907", "displayName": "Global Administrator", "description": "", "roleTemplateId": template, "members": members }],
            });
            fs::write(folder.join("graph/directoryRoles.json"), roles.to_string()).expect("written");
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(["RoleName", "UserPrincipalName", "DisplayName", "AssignmentType", "SourceType", "SourceName", "OnPremisesSynced", "AssignmentStatus", "StartDateTime", "EndDateTime", "DirectoryScopeId"]).expect("written");
            for member in &members {
                let name = member["userPrincipalName"].as_str().expect("a name");
                let name = name[..1].to_uppercase() + &name[1..];
                csv.write_record(["Global Administrator", &name, member["displayName"].as_str().expect("a name"), "PIM Active", "Direct", "", "False", "Provisioned", "", "Permanent", "/"]).expect("written");
            }
            fs::write(folder.join("20260331-PIM-Assignments.csv"), csv.into_inner().expect("flushed")).expect("written");
        });
        for check in on_administrators().iter().map(String::as_str).chain(["1a.global-admin-count"]) {
            assert_eq!(verdict(&answer, "checks", check), verdict(&world.base, "checks", check), "{scenario}: {check}");
        }
        let texts = |a: &Value| -> Vec<String> {
            let mut out: Vec<String> = list(a, "findings")
                .iter()
                .filter(|f| f["check"] == "1a.global-admin-count")
                .map(|f| f["text"]["en"].to_string())
                .collect();
            out.sort();
            out
        };
        assert_eq!(texts(&answer), texts(&world.base), "{scenario}: the number of administrators");
    }
}

/// One sign-in of an attacked tenant has a clock of the next year, or of the far future: it is named, the period and
/// every verdict stay.
#[test]
fn a_date_in_the_future_moves_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "aitm-admin", 903);
    for date in ["2027-03-01T00:00:00Z", "2098-12-31T00:00:00Z"] {
        let answer = world.with(&date[..4], |folder| {
            let file = world::files(&folder.join("Output"))
                .into_iter()
                .find(|f| f.to_string_lossy().contains("nonInteractiveUser-SignInLogs"))
                .expect("sign-ins");
            let text = fs::read_to_string(&file).expect("readable");
            let mut value: Value =
                serde_json::Deserializer::from_str(&text).into_iter().next().expect("a sign-in").expect("JSON");
            value["id"] = json!("ffffffff-0000-4000-8000-000000000903");
            value["createdDateTime"] = json!(date);
            fs::remove_file(&file).expect("removed");
            fs::write(&file, format!("{}\n{value}\n", text.trim_end())).expect("written");
        });
        assert_eq!(answer["case"]["window"], world.base["case"]["window"], "{date}");
        for check in list(&world.base, "checks") {
            let id = check["id"].as_str().expect("an id");
            assert_eq!(verdict(&answer, "checks", id), check["verdict"], "{id} with one row of {date}");
        }
        let said: String = list(&answer, "evidence").iter().flat_map(|e| list(e, "notes")).map(|n| n["en"].to_string()).collect();
        assert!(said.contains(&date[..10]), "the row is named: {said}");
    }
}

/// Dates that nobody can read: the rows are told, and what rests on the log is not `ok`, in a clean tenant as in an
/// attacked one.
#[test]
fn unreadable_dates_prove_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let catalogue = reflexe_fiche::Catalogue::embedded().expect("well formed");
    let world = World::new(dir.path(), "clean", 915);
    for (place, key, table) in [
        ("UnifiedAuditLog", "\"CreationTime\":\"", "ual_event"),
        ("EntraID", "\"createdDateTime\":\"", "signin"),
        ("Audit logs", "\"activityDateTime\":\"", "directory_audit"),
    ] {
        let answer = world.with(&format!("dates-{table}"), |folder| {
            for file in world::files(&folder.join("Output"))
                .iter()
                .filter(|f| f.to_string_lossy().contains(place) && f.extension().is_some_and(|e| e == "json"))
            {
                let text = fs::read_to_string(file).expect("readable");
                fs::remove_file(file).expect("removed");
                // A translated date: nobody knows which number is what.
                let damaged = text
                    .split(key)
                    .enumerate()
                    .map(|(n, part)| if n == 0 { part.to_owned() } else { format!("{key}le 3 du mois, vers {part}") });
                fs::write(file, damaged.collect::<String>()).expect("written");
            }
        });
        let needs = |c: &&reflexe_fiche::Check| c.def.needs.get(table).is_some_and(|n| n.window && n.or.is_empty());
        let resting: Vec<&str> = catalogue.checks.iter().filter(needs).map(|c| c.def.id.as_str()).collect();
        for check in &resting {
            assert_ne!(verdict(&answer, "checks", check), "ok", "{check}: no row of {table} has a date");
        }
        let told: u64 = list(&answer, "evidence").iter().filter_map(|e| e["rows"]["rejected"].as_u64()).sum();
        let said: String =
            list(&answer, "evidence").iter().flat_map(|e| list(e, "notes")).map(|n| n["en"].to_string().to_lowercase()).collect();
        assert!(told > 0 || said.contains("date"), "{table}: nobody is told that the dates cannot be read: {said}");
    }
}

/// The unified audit log once more in another form (the cmdlet's CSV): the same records, so nothing changes.
#[test]
fn the_same_log_in_another_form_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let world = World::new(dir.path(), "aitm-admin", 909);
    let answer = world.with("two-forms", |folder| {
        let mut csv = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        csv.write_record(["CreationDate", "UserIds", "Operations", "AuditData"]).expect("written");
        for file in world::files(&folder.join("Output")).iter().filter(|f| f.to_string_lossy().contains("UnifiedAuditLog")) {
            for line in fs::read_to_string(file).expect("readable").lines().filter(|l| l.starts_with('{')) {
                let r: Value = serde_json::from_str(line).expect("JSON");
                let text = |k: &str| r[k].as_str().unwrap_or_default().to_owned();
                csv.write_record([text("CreationTime") + ".0000000Z", text("UserId"), text("Operation"), line.to_owned()])
                    .expect("written");
            }
        }
        fs::write(folder.join("AuditLog.csv"), csv.into_inner().expect("flushed")).expect("written");
    });
    for check in list(&world.base, "checks") {
        let id = check["id"].as_str().expect("an id");
        assert_eq!(verdict(&answer, "checks", id), check["verdict"], "{id} told twice");
    }
    let texts = |a: &Value| {
        let mut out: Vec<String> = list(a, "findings").iter().map(|f| format!("{} {}", f["check"], f["text"]["en"])).collect();
        out.sort();
        out
    };
    assert_eq!(texts(&answer), texts(&world.base));
}
