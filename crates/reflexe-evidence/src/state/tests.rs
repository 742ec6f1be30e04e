//! Real and fictional exports through the engine, into a sink that keeps rows in memory.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, value::RawValue};

use super::{cell::Cell, map::Row, *};
use crate::error::Error;

/// Rows as name → value, per table.
#[derive(Default)]
pub(super) struct Memory {
    pub rows: BTreeMap<String, Vec<BTreeMap<String, Cell>>>,
    pub about: Vec<BTreeMap<String, Cell>>,
    seen: BTreeSet<Vec<u8>>,
}

fn named(row: &Row, origin: &Origin<'_>) -> BTreeMap<String, Cell> {
    let mut cells: BTreeMap<String, Cell> =
        row.cells.iter().map(|(c, v)| (row.table.columns[*c].name.clone(), v.clone())).collect();
    cells.insert("@pointer".into(), Cell::Text(origin.at.pointer.clone().unwrap_or_default()));
    cells.insert("@tenant".into(), Cell::Text(origin.tenant.unwrap_or_default().into()));
    cells.insert("@flags".into(), Cell::List(row.flags.iter().map(|f| (*f).to_owned()).collect()));
    cells
}

impl Sink for Memory {
    fn evidence(&mut self, row: &Row, origin: &Origin<'_>) -> Result<bool, Error> {
        let new = self.seen.insert(row.identity.clone());
        if new {
            self.rows.entry(row.table.name.clone()).or_default().push(named(row, origin));
        }
        Ok(new)
    }

    fn about(&mut self, row: &Row, origin: &Origin<'_>) -> Result<(), Error> {
        self.about.push(named(row, origin));
        Ok(())
    }
}

/// The records of a JSON text in any of its wrappings; for tests only, the program reads them as a stream.
fn records(text: &str) -> (Vec<&RawValue>, Pages) {
    let mut out = Vec::new();
    let mut pages = Pages::default();
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().filter_map(Result::ok) {
        let page: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(value.get()).ok();
        let inner = page.as_ref().and_then(|p| p.get("value")).filter(|v| v.get().starts_with('['));
        if inner.is_some() {
            pages.pages += 1;
            pages.links += u64::from(page.as_ref().is_some_and(|p| p.contains_key("@odata.nextLink")));
        }
        match serde_json::from_str::<Vec<&RawValue>>(inner.unwrap_or(&value).get()) {
            Ok(items) => out.extend(items),
            Err(_) => out.push(value),
        }
    }
    (out, pages)
}

pub(super) fn import_text(text: &str, memory: &mut Memory) -> Option<(&'static Source, Summary)> {
    let (records, pages) = records(text);
    let keys: Vec<Vec<String>> = records.iter().map(|r| document::members(r).into_iter().map(|m| m.0).collect()).collect();
    let source = recognise(&keys, false)?;
    let mut importer = Importer::new(source, false, "2030-01-01T00:00:00Z".parse().unwrap());
    for record in records {
        let offset = (record.get().as_ptr() as usize - text.as_ptr() as usize) as u64;
        let at = At { offset, length: record.get().len() as u64, line: 1, pointer: None };
        let value = serde_json::from_str(record.get()).unwrap_or(Value::Null);
        importer.record(value, Some(record.get()), &at, memory).unwrap();
    }
    Some((source, importer.finish(pages, memory).unwrap()))
}

fn import_csv(text: &str, memory: &mut Memory) -> Option<(&'static Source, Summary)> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let source = recognise(std::slice::from_ref(&header), true)?;
    let mut importer = Importer::new(source, true, "2030-01-01T00:00:00Z".parse().unwrap());
    for row in reader.records() {
        let fields = row.unwrap();
        let cell = |v: &str| if v.is_empty() { Value::Null } else { Value::from(v) };
        let value = header.iter().zip(fields.iter()).map(|(k, v)| (k.clone(), cell(v))).collect();
        importer.record(Value::Object(value), None, &At::default(), memory).unwrap();
    }
    Some((source, importer.finish(Pages::default(), memory).unwrap()))
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    if let Some(utf16) = bytes.strip_prefix(b"\xff\xfe") {
        let units: Vec<u16> = utf16.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
        return String::from_utf16(&units).unwrap();
    }
    String::from_utf8(bytes).unwrap().trim_start_matches('\u{feff}').to_owned()
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

fn balanced(summary: &Summary) {
    let r = &summary.rows;
    assert_eq!(r.read, r.kept + r.duplicate + r.rejected);
    assert!(r.read > 0);
}

#[test]
fn scubagear_1_8_0() {
    let Some(dir) = shared("scubagear-1.8.0") else { return };
    let mut m = Memory::default();
    let (source, summary) = import_text(&read(&dir.join("ScubaResults_fa5589b7-d528-4f80.json")), &mut m).unwrap();
    assert_eq!(source.id, "scubagear.results_json");
    balanced(&summary);
    assert_eq!(summary.rows.rejected, 0);
    let role = "62e90394-69f5-4237-9190-012177145e10";
    let global = m.rows["role_assignment"].iter().filter(|r| r.get("role_template_id") == Some(&text(role)));
    assert_eq!(global.filter(|r| r["principal_type"] == text("user")).count(), 2);
    assert!(m.rows["role_assignment"].iter().all(|r| r.contains_key("role_template_id")));
    let apps = m.rows["role_assignment"].iter().filter(|r| r["principal_type"] == text("servicePrincipal"));
    assert_eq!(apps.count(), 3);
    let policy = &m.rows["tenant_policy"][0];
    assert_eq!(policy["guest_user_role_id"], text("10dae51f-b6af-4016-8d66-8c2a99b929b3"));
    assert_eq!(policy["allow_invites_from"], text("adminsAndGuestInviters"));
    assert_eq!(policy["@tenant"], text("ca08493a-c9c8-4db0-a9e8-d3b4bafac269"));
    assert_eq!(m.rows["transport_rule"].len(), 1);
    assert_eq!(m.rows["transport_rule"][0]["conditions"], text(r#"{"FromScope":"NotInOrganization"}"#));
    assert_eq!(m.rows["transport_rule"][0]["actions"], text(r#"{"PrependSubject":"[External]"}"#));
    let remote = &m.rows["remote_domain"][0];
    assert_eq!(remote["domain_name"], text("*"));
    for (column, value) in [
        ("is_default", true),
        ("delivery_report_enabled", false),
        ("ndr_enabled", true),
        ("meeting_forward_notification_enabled", true),
        ("auto_forward_enabled", false),
    ] {
        assert_eq!(remote[column], Cell::Bool(value), "{column}");
    }
    let teams = &m.rows["teams_client_config"][0];
    for column in ["allow_drop_box", "allow_box", "allow_google_drive", "allow_share_file", "allow_egnyte"] {
        assert_eq!(teams[column], Cell::Bool(true), "{column}");
    }
    assert_eq!(m.rows["ca_policy"].len(), 7);
    assert_eq!(m.rows["teams_meeting_policy"].len(), 11);
    assert_eq!(m.rows["domain"].len(), 1);
    assert_eq!(m.rows["accepted_domain"].len(), 7);
    assert_eq!(m.rows["posture_finding"].len(), 92);
    assert_eq!(m.rows["posture_finding"][0]["tool_version"], text("1.8.0"));
    assert_eq!(m.rows["entra_user"][0]["on_premises_immutable_id"], text(""));
    assert_eq!(m.rows["sharepoint_tenant"][0]["sharing_capability"], text("Disabled"));
    assert_eq!(m.rows["org_audit_config"][0]["unified_audit_log_ingestion_enabled"], Cell::Bool(true));
    assert!(m.about.iter().any(|r| r.get("code") == Some(&text("role_holder_unmatched"))));
    assert!(m.rows.values().flatten().all(|r| r["@flags"] == Cell::List(vec![])), "no value was doubtful");
    assert!(summary.domains.contains("tqhjy.onmicrosoft.com"));
    // the other files of the folder say the same things again
    let before: usize = m.rows.values().map(Vec::len).sum();
    let (source, again) = import_text(&read(&dir.join("ProviderSettingsExport.json")), &mut m).unwrap();
    assert_eq!(source.id, "scubagear.provider_json");
    balanced(&again);
    assert_eq!(again.rows.kept, 0, "{again:?}");
    for report in fs::read_dir(dir.join("IndividualReports")).unwrap() {
        let (source, s) = import_text(&read(&report.unwrap().path()), &mut m).unwrap();
        assert_eq!(source.id, "scubagear.report_json");
        assert_eq!((s.rows.kept, s.rows.rejected), (0, 0));
        balanced(&s);
    }
    for table in ["ScubaResults.csv", "ActionPlan.csv"] {
        let (_, s) = import_csv(&read(&dir.join(table)), &mut m).unwrap();
        assert_eq!((s.rows.kept, s.rows.rejected), (0, 0), "{table}");
        balanced(&s);
    }
    let (_, tests) = import_text(&read(&dir.join("TestResults.json")), &mut m).unwrap();
    balanced(&tests);
    // one control of the engine never reaches the report
    assert_eq!((tests.rows.read, tests.rows.kept), (93, 1));
    assert_eq!(m.rows.values().map(Vec::len).sum::<usize>(), before + 1);
}

#[test]
fn scubagear_1_3_0_lacks_what_it_did_not_collect() {
    let Some(dir) = shared("scubagear-1.3.0") else { return };
    let mut m = Memory::default();
    let (source, summary) = import_text(&read(&dir.join("ProviderSettingsExport.json")), &mut m).unwrap();
    assert_eq!(source.id, "scubagear.provider_json");
    balanced(&summary);
    assert_eq!(m.rows["transport_rule"].len(), 2);
    assert_eq!(m.rows["ca_policy"].len(), 14);
    assert!(!m.rows.contains_key("accepted_domain"));
    assert_eq!(m.rows["tenant_policy"][0]["users_can_create_apps"], Cell::Bool(false));
    assert!(!m.rows["org_audit_config"][0].contains_key("unified_audit_log_ingestion_enabled"), "false is not believed");
    let covered = |table: &str, operation: &str, subject: &str| {
        let row = m.about.iter().find(|r| {
            r.get("table_name") == Some(&text(table))
                && r.get("operation") == Some(&text(operation))
                && r.get("subject") == Some(&text(subject))
        });
        row.map(|r| (r.get("complete").cloned(), r["reason"].clone()))
    };
    let (yes, no) = (Some(Cell::Bool(true)), Some(Cell::Bool(false)));
    assert_eq!(covered("remote_domain", "*", "*"), Some((yes.clone(), text("command_succeeded"))));
    assert_eq!(covered("accepted_domain", "*", "*"), Some((no.clone(), text("not_collected"))));
    let role = "62e90394-69f5-4237-9190-012177145e10";
    assert_eq!(covered("role_assignment", role, "user"), Some((yes, text("command_succeeded"))));
    // this version does not look at applications that hold a role
    assert_eq!(covered("role_assignment", role, "*"), Some((no.clone(), text("not_collected"))));
    assert_eq!(covered("role_assignment", "*", "*"), Some((no, text("eight_roles_only"))));
}

fn shown(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Bool(value) => Value::from(*value),
        Cell::Int(value) => Value::from(*value),
        Cell::Ts(us) => Value::from(jiff::Timestamp::from_microsecond(*us).unwrap().to_string()),
        Cell::List(items) => Value::from(items.clone()),
    }
}

/// What a sample gives, as its `.rows.json` beside it says. `REFLEXE_BLESS=1` rewrites it; the difference is the review.
#[test]
fn samples_give_the_rows_beside_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evidence/sources");
    let mut met = BTreeSet::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|e| e.unwrap().path().join("samples")).collect();
    folders.sort();
    // the event sources are read by code, and tested with it
    let declared = |f: &PathBuf| f.is_dir() && f.with_file_name("source.toml").exists();
    for folder in folders.into_iter().filter(declared) {
        let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|f| !f.to_string_lossy().ends_with(".rows.json")) {
            let mut m = Memory::default();
            let content = read(file);
            let csv = file.extension().is_some_and(|e| e == "csv");
            let done = if csv { import_csv(&content, &mut m) } else { import_text(&content, &mut m) };
            let (source, summary) = done.unwrap_or_else(|| panic!("{}: not recognised", file.display()));
            let own = folder.parent().unwrap().join("source.toml");
            assert!(
                fs::read_to_string(&own).unwrap().contains(&format!("id = \"{}\"", source.id)),
                "{}: taken for {}",
                file.display(),
                source.id
            );
            balanced(&summary);
            met.insert(&source.id);
            let rows = |rows: &Vec<BTreeMap<String, Cell>>| -> Value {
                let line = |r: &BTreeMap<String, Cell>| -> Value {
                    let says = |(k, v): &(&String, &Cell)| {
                        !k.starts_with('@') || (**v != Cell::List(vec![]) && **v != Cell::Text(String::new()))
                    };
                    r.iter().filter(says).map(|(k, v)| (k.clone(), shown(v))).collect::<serde_json::Map<_, _>>().into()
                };
                rows.iter().map(line).collect()
            };
            let mut got: serde_json::Map<String, Value> = m.rows.iter().map(|(t, r)| (t.clone(), rows(r))).collect();
            got.insert("@about".into(), rows(&m.about));
            got.insert("@notes".into(), summary.notes.iter().map(|n| n.en.clone()).collect());
            let expected =
                file.with_extension("").to_string_lossy().into_owned() + if csv { ".csv.rows.json" } else { ".rows.json" };
            if std::env::var_os("REFLEXE_BLESS").is_some() {
                fs::write(&expected, serde_json::to_string_pretty(&got).unwrap() + "\n").unwrap();
            }
            let expected: Value = serde_json::from_str(&fs::read_to_string(&expected).unwrap_or_default()).unwrap_or_default();
            assert_eq!(Value::Object(got), expected, "{}", file.display());
        }
    }
    let without: Vec<&String> = sources()
        .iter()
        .map(|s| &s.id)
        .filter(|id| !met.contains(id) && !["scubagear.results_json", "scubagear.report_json"].contains(&id.as_str()))
        .collect();
    assert!(without.is_empty(), "no sample: {without:?}");
}

#[test]
fn an_empty_page_proves_that_there_was_nothing() {
    let page =
        |context: &str| format!(r#"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#{context}","value":[]}}"#);
    let id = |text: &str| super::recognise::recognise_empty(text.as_bytes()).map(|s| s.id.as_str());
    assert_eq!(id(&page("oauth2PermissionGrants")), Some("entra.oauth2_grants.graph_json"));
    assert_eq!(id(&page("users(id,displayName)")), Some("entra.users.graph_json"));
    assert_eq!(id(&page("roleManagement/directory/roleAssignments(principal())")), Some("entra.role_assignments.graph_json"));
    assert_eq!(id(&page("teams")), None);
    assert_eq!(id("[]"), None);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// Whatever an attacker makes of a sample: no panic, and every record is counted.
    #[test]
    fn mutated_exports_never_panic(which in 0_usize..64, cuts in proptest::collection::vec((0_usize..4000, 0_usize..8), 1..6)) {
        let pieces = ["null", "[null]", "{}", "[]", "\"System.Object[]\"", "1e999", "\"/Date(99999999999999999)/\"", "\\u0000"];
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evidence/sources");
        let mut files: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path().join("samples"))
            .filter(|d| d.with_file_name("source.toml").exists()).filter_map(|d| fs::read_dir(d).ok()).flatten().map(|e| e.unwrap().path())
            .filter(|p| p.to_string_lossy().ends_with(".json") && !p.to_string_lossy().ends_with(".rows.json")).collect();
        files.sort();
        let mut content = read(&files[which % files.len()]);
        for (at, piece) in cuts {
            // replaces a value, so that most of what comes out is still JSON
            let colons: Vec<usize> = content.match_indices(": ").map(|(n, _)| n + 2).collect();
            let Some(start) = colons.get(at % colons.len().max(1)).copied() else { break };
            let end = content[start..].find([',', '\n']).map_or(content.len(), |n| start + n);
            content.replace_range(start..end, pieces[piece]);
        }
        let mut m = Memory::default();
        if let Some((_, s)) = import_text(&content, &mut m) {
            proptest::prop_assert_eq!(s.rows.read, s.rows.kept + s.rows.duplicate + s.rows.rejected);
        }
    }
}

#[test]
fn a_list_as_long_as_the_service_allows_may_go_on() {
    let group = |members: usize| {
        let members: Vec<String> = (0..members).map(|n| format!(r#"{{"id":"m{n}"}}"#)).collect();
        format!(r#"{{"value":[{{"id":"g","displayName":"G","securityEnabled":true,"members":[{}]}}]}}"#, members.join(","))
    };
    let complete = |members: usize| {
        let mut m = Memory::default();
        import_text(&group(members), &mut m).unwrap();
        let row = m.about.iter().find(|r| r.get("table_name") == Some(&text("group_member"))).unwrap();
        row.get("complete").cloned()
    };
    assert_eq!(complete(19), Some(Cell::Bool(true)));
    assert_eq!(complete(20), None);
    assert_eq!(complete(21), Some(Cell::Bool(true)));
}
