//! The case with the real readers: what only shows when both work together.
#![allow(clippy::unwrap_used)]
mod common;

use std::{fs, path::Path};

use common::{A, column, put};
use reflexe_case::{Case, FileOutcome, ImportOptions, import};
use reflexe_model::Place;

/// Records whose values do not compress well.
fn records(count: u64) -> String {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    (0..count)
        .map(|id| {
            format!(
                "{{\"CreationTime\":\"2026-03-01T10:00:00\",\"Id\":\"{:08x}-0000-4000-8000-{id:012}\",\"Operation\":\"New-InboxRule\",\
                 \"OrganizationId\":\"{A}\",\"RecordType\":1,\"UserType\":0,\"Version\":1,\"Workload\":\"Exchange\",\
                 \"UserId\":\"{:016x}{:016x}@example.com\",\"ObjectId\":\"é{:016x}\"}}\n",
                next() as u32,
                next(),
                next(),
                next()
            )
        })
        .collect()
}

/// Tables that do not fit stop the import; the originals stay in place, so that only tables need room.
#[cfg(target_os = "linux")]
#[test]
fn tables_on_a_disk_that_is_really_full() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount =
        |args: &[&str]| std::process::Command::new("mount").args(args).arg(&disk).output().is_ok_and(|o| o.status.success());
    if !mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
        eprintln!("skipped: mounting a small disk is not allowed here");
        return;
    }
    let given = dir.path().join("given");
    put(&given, "a.json", &records(10));
    put(&given, "b.json", &records(30_000));
    let options = ImportOptions { in_place: true, ..ImportOptions::default() };
    let mut case = Case::create(&disk.join("case")).unwrap();
    let report = import(&mut case, std::slice::from_ref(&given), &options);
    let dir_after = common::tree(&disk.join("case/staging"));
    let kept = case.evidence().unwrap().len();
    drop(case);
    let again = Case::open(&disk.join("case")).map(|c| c.evidence().unwrap().len());
    assert!(std::process::Command::new("umount").arg(&disk).status().is_ok_and(|s| s.success()));
    let report = report.unwrap();
    assert!(dir_after.is_empty(), "nothing waits: {:?}", dir_after.keys());
    assert!(report.stopped.as_ref().is_some_and(|t| t.en.contains("full") && t.fr.contains("plein")), "{report:?}");
    assert_eq!((kept, report.not_tried.len(), again.unwrap()), (1, 1, 1));
}

#[test]
fn every_row_opens_on_its_bytes_whatever_the_encoding() {
    let dir = tempfile::tempdir().unwrap();
    let given = dir.path().join("given");
    fs::create_dir(&given).unwrap();
    let text = records(50);
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    fs::write(given.join("wide.json"), utf16).unwrap();
    let other = text.replace("-0000-4000-", "-1111-4000-");
    fs::write(given.join("latin.json"), encoding_rs::WINDOWS_1252.encode(&other).0).unwrap();
    put(&given, "plain.json", &text.replace("-0000-4000-", "-2222-4000-"));
    let mut case = Case::create(&dir.path().join("case")).unwrap();
    let report = import(&mut case, &[given], &ImportOptions::default()).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.rows().kept, 150);
    let files = case.table_files("ual_event").unwrap();
    let columns = ["evidence_id", "src_member", "src_offset", "src_length", "id", "object_id"].map(|name| column(&files, name));
    let mut members = std::collections::BTreeSet::new();
    for i in 0..150 {
        let [evidence_id, member, offset, length, id, object] = columns.each_ref().map(|values| values[i].clone());
        members.insert(member.clone());
        let row = Place {
            evidence_id: evidence_id.unwrap(),
            member,
            offset: offset.unwrap().parse().unwrap(),
            length: length.unwrap().parse().unwrap(),
            ..Place::default()
        };
        let raw = String::from_utf8(case.raw_record(&row, 4096).unwrap().bytes).unwrap();
        let parsed: serde_json::Value = serde_json::from_str(&raw).unwrap_or_else(|e| panic!("{e}: {raw}"));
        assert_eq!((parsed["Id"].as_str(), parsed["ObjectId"].as_str()), (id.as_deref(), object.as_deref()));
    }
    assert!(members.contains(&Some("utf8:".into())) && members.contains(&None), "{members:?}");
}

/// Real exports of two tenants (not part of this repository).
#[test]
fn two_real_tenants() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let (ual, scuba) = (data.join("ual-dutchmasterz"), data.join("scubagear-1.8.0"));
    if !ual.is_dir() || !scuba.is_dir() {
        eprintln!("skipped: ../shared/data is absent");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut case = Case::create(&dir.path().join("case")).unwrap();
    let report =
        import(&mut case, std::slice::from_ref(&ual), &ImportOptions { in_place: true, ..ImportOptions::default() }).unwrap();
    let rows = report.rows();
    assert_eq!((rows.read, rows.kept, rows.duplicate, rows.rejected), (8750, 3898, 4852, 0), "{report:?}");
    assert_eq!(case.tenants().unwrap().len(), 1);
    let report = import(&mut case, &[ual, scuba], &ImportOptions { in_place: true, ..ImportOptions::default() }).unwrap();
    let known = report.files.iter().filter(|f| matches!(f.outcome, FileOutcome::AlreadyImported { .. })).count();
    assert_eq!(known, 3, "the audit log is known by its bytes: {report:?}");
    let tenants = case.tenants().unwrap();
    assert_eq!(tenants.len(), 2, "{tenants:?}");
    assert!(tenants.iter().all(|t| t.id.is_some()), "{tenants:?}");
}

/// A file of copies that names no tenant belongs to the tenant of the rows that it repeats.
#[test]
fn a_file_of_copies_makes_no_tenant_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let given = dir.path().join("given");
    let domains = |more: &str| {
        format!(
            "[{{\"Name\":\"example.com\",\"DomainName\":\"example.com\",\"DomainType\":\"Authoritative\",\"Default\":true,\"MatchSubDomains\":false,\"InitialDomain\":false}}]{more}"
        )
    };
    put(&given, "a/log.json", &records(2));
    put(&given, "a/domains.json", &domains(""));
    put(&given, "b/log.json", &records(1).replace(A, common::B).replace("2026-03-01", "2026-03-02"));
    put(&given, "c/domains.json", &domains("\n"));
    let mut case = Case::create(&dir.path().join("case")).unwrap();
    import(&mut case, std::slice::from_ref(&given), &ImportOptions::default()).unwrap();
    let tenants = case.tenants().unwrap();
    let of: Vec<(Option<&str>, usize)> = tenants.iter().map(|t| (t.id.as_deref(), t.evidence.len())).collect();
    assert_eq!(of, [(Some(A), 3), (Some(common::B), 1)]);
}
