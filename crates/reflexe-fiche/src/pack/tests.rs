//! A pack written, filled in, read, and what it gives to the checks, clocks and questions.
use std::fs;

use jiff::civil::date;

use super::*;

fn filled() -> (tempfile::TempDir, Response) {
    let (dir, response) = (tempfile::tempdir().unwrap(), Response::load().unwrap());
    Pack::create(dir.path(), &response, Lang::Fr).unwrap();
    let append = |name: &str, rows: &str| {
        let path = dir.path().join(name);
        fs::write(&path, fs::read_to_string(&path).unwrap() + rows).unwrap();
    };
    append(
        "egress.csv",
        "203.0.113.8/30;bureau;Paris;;rssi@example.com;2026-11-01\n2001:db8::/32;VPN;;;rssi@example.com;2026-11-01\n198.51.100.7;déplacement;;2026-10-01;rssi@example.com;2026-11-01\n300.1.1.1;;;;rssi@example.com;2026-11-01\n",
    );
    append("vips.csv", "Boss@example.com;A. Boss;direction;rssi@example.com;2026-01-01\n");
    append("forwards.csv", "transfert;Box@example.com;Tax@example.org;paie;;rssi@example.com;2026-11-01\n");
    append("administrators.csv", "adm@example.com;B. Adm;tenant;;non;;;;rssi@example.com;2026-11-01\n");
    append(
        "activities.csv",
        "Urgences;01;forte;2;papier;dsi@example.com;2026-11-01\nPaie;02;aucune;72;;dsi@example.com;2026-11-01\n",
    );
    append(
        "backups.csv",
        "configuration;coffre;2026-11-01;2026-06-01;dsi@example.com;2026-11-01\ncourrier;coffre;2026-11-01;;dsi@example.com;2026-11-01\n",
    );
    append(
        "contacts.csv",
        "Prestataire;;Infog;01 00 00 00 00;;help@example.org;lun-ven 09:00-18:00;C-1;infogérance;dsi@example.com;2026-11-01\n",
    );
    (dir, response)
}

#[test]
fn an_empty_pack_is_whole_and_scores_zero() {
    let response = Response::load().unwrap();
    for lang in [Lang::Fr, Lang::En] {
        let dir = tempfile::tempdir().unwrap();
        Pack::create(dir.path(), &response, lang).unwrap();
        let (pack, faults) = Pack::load(dir.path(), &response).unwrap();
        assert_eq!(faults, []);
        assert!(pack.profile.statuses.is_empty(), "nothing is claimed");
        let fresh = pack.freshness(date(2026, 11, 22));
        assert_eq!((fresh.score, fresh.tables.iter().filter(|t| t.unknown.is_some()).count()), (0, response.pack.len()));
        assert!(matches!(Pack::create(dir.path(), &response, lang), Err(PackError::Exists { .. })));
    }
    assert!(matches!(Pack::load(Path::new("/nowhere"), &response), Err(PackError::NotAPack { .. })));
}

#[test]
fn faults_name_file_and_line() {
    let (dir, response) = filled();
    let (_, faults) = Pack::load(dir.path(), &response).unwrap();
    assert_eq!(faults.len(), 1, "{faults:?}");
    let lines = fs::read_to_string(dir.path().join("egress.csv")).unwrap();
    let line = lines.lines().position(|l| l.starts_with("300.")).unwrap() as u64 + 1;
    assert_eq!((faults[0].file.as_str(), faults[0].line), ("egress.csv", Some(line)));
    assert!(faults[0].text.fr.contains("300.1.1.1") && faults[0].text.en.contains("range"));
}

#[test]
fn inputs_for_the_checks() {
    let (dir, response) = filled();
    let (pack, _) = Pack::load(dir.path(), &response).unwrap();
    let today = date(2026, 11, 22);
    assert_eq!(pack.vips(), ["boss@example.com"]);
    let egress = pack.egress(today);
    assert!(egress.covers("203.0.113.9".parse().unwrap()) && egress.covers("2001:db8::1".parse().unwrap()));
    assert!(!egress.covers("198.51.100.7".parse().unwrap()), "the journey is over");
    let (written, left) = egress.addresses();
    assert_eq!(written, ["203.0.113.8", "203.0.113.9", "203.0.113.10", "203.0.113.11"]);
    assert_eq!(left.len(), 1, "a range too large is told, not dropped");
    let legit = pack.legit(today);
    assert_eq!(legit[0].object, "box@example.com/tax@example.org");
    assert!(legit.iter().all(|l| !l.object.starts_with("adm@")), "a known administrator may still be stolen");
}

#[test]
fn proposals_never_claim_what_was_not_tested() {
    let (dir, response) = filled();
    let (pack, _) = Pack::load(dir.path(), &response).unwrap();
    let all = pack.prefill();
    let of = |q: &str| all.iter().find(|p| p.question == q);
    assert_eq!(of("Q.3a.05").unwrap().value.list.as_deref(), Some(&["Urgences".to_owned()][..]));
    assert_eq!(of("Q.3b.02").unwrap().value.date.as_deref(), Some("2026-06-01"));
    assert_eq!(of("Q.3b.03"), None, "a backup that was never restored proves nothing");
    assert!(of("Q.3c.01").unwrap().choices_only);
    assert!(of("Q.0.07").unwrap().value.choice.is_none());
}

#[test]
fn old_rows_say_what_is_unknown() {
    let (dir, response) = filled();
    let (pack, _) = Pack::load(dir.path(), &response).unwrap();
    let fresh = pack.freshness(date(2026, 11, 22));
    let of = |t: &str| fresh.tables.iter().find(|f| f.table == t).unwrap();
    assert_eq!((of("vips").fresh, of("vips").old.len()), (0, 1));
    assert!(of("vips").unknown.is_some() && of("egress").unknown.is_none());
    assert_eq!(of("egress").next_check, Some(date(2027, 1, 30)));
    assert_eq!(fresh.reminder, Some(date(2026, 11, 22)));
}

#[test]
fn contacts_know_their_hours_and_clocks_their_contracts() {
    let (dir, response) = filled();
    let (mut pack, _) = Pack::load(dir.path(), &response).unwrap();
    let sunday = "2026-11-22T14:00:00Z".parse().unwrap();
    assert!(matches!(pack.contacts()[0].badge(sunday), Ok(crate::contacts::Badge::ClosedNow(Some(_)))));
    pack.profile.insurer.notice_hours = Some(24);
    assert_eq!(pack.contract_hours().get("D.INS"), Some(&24));
}

#[test]
fn an_administrator_that_nobody_wrote_down_is_doubtful_and_a_finding_speaks_first() {
    let (dir, response) = filled();
    let (pack, _) = Pack::load(dir.path(), &response).unwrap();
    let holders = ["adm@example.com", "New@example.com", "11111111-0000-4000-8000-000000000001"].map(str::to_owned).into();
    let proposed = pack.administrators(&holders, &Default::default());
    assert_eq!(proposed.len(), 1, "no guest among them");
    assert_eq!(pack.administrators(&holders, &["Q.1a.04".to_owned()].into()), []);
    assert_eq!((proposed[0].question.as_str(), proposed[0].value.choice.as_deref()), ("Q.1a.04", Some("doubtful")));
    assert_eq!(proposed[0].value.list.as_deref(), Some(&["new@example.com".to_owned()][..]));
    let known = ["ADM@example.com".to_owned()].into();
    assert_eq!(pack.administrators(&known, &Default::default()), [], "a known account may still be stolen: nothing is cleared");
    assert_eq!(Pack::default().administrators(&holders, &Default::default()), [], "no list, no strangers");
}
