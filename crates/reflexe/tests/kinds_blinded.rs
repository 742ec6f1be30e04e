//! The audit switched off: the acts are a finding, and from then on silence proves nothing.
#![recursion_limit = "256"] // records have many members
mod common;
mod made;

use common::{list, proposed};
use made::{
    audit::{self, from, id},
    forms,
    judged::{all_told, checks_at, cited, found, innocent, judge, quiet, whole},
    who::{OFFICE, Person, STRANGER},
};
use serde_json::Value;

const FROM: &str = "2026-01-19T00:00:00Z";
const TO: &str = "2026-02-20T00:00:00Z";

fn everyday(people: &[Person], last: usize) -> Vec<Value> {
    people.iter().flat_map(|p| audit::mornings(*p, "2026-01-19", last, OFFICE)).collect()
}

/// Checks that need the unified audit log, over the whole window; taken from the checks themselves.
fn resting_on_the_log() -> Vec<String> {
    let catalogue = reflexe_fiche::Catalogue::embedded().expect("well formed");
    let needs = |c: &&reflexe_fiche::Check| c.def.needs.get("ual_event").is_some_and(|n| n.window && n.or.is_empty());
    let ids: Vec<String> = catalogue.checks.iter().filter(needs).map(|c| c.def.id.clone()).collect();
    assert!(ids.len() >= 8, "{ids:?}");
    ids
}

/// Declared whole and quiet, the log proves what it proves (the counter-proof of the next two tests).
#[test]
fn a_quiet_log_that_was_on_is_an_answer() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("quiet");
    forms::lines(&folder.join("audit.json"), &everyday(&[Person("e.nicolas"), Person("g.picard")], 24));
    let answer = judge(&folder, &whole(FROM, "2026-02-19T23:00:00Z"));
    let ok = checks_at(&answer, "ok");
    assert!(resting_on_the_log().iter().any(|c| ok.contains(&c.as_str())), "{ok:?}");
}

/// Four ways of making the log blind, in eight minutes of a night; nothing after. The service's own set-up is silent.
#[test]
fn what_is_absent_after_the_log_was_blinded_proves_nothing() {
    let (intruder, victim) = (Person("adm.roux"), Person("direction"));
    let night = from(STRANGER);
    let org = "ardoiseexample.onmicrosoft.com";
    let acts = [
        audit::cmdlet(
            "2026-02-05T01:20:00",
            intruder,
            night,
            "Set-Mailbox",
            victim.0,
            &[
                ("Identity", "direction@ardoise.example.com"),
                ("AuditOwner", "-MailItemsAccessed;-SearchQueryInitiated"),
                ("AuditDelegate", "-MailItemsAccessed"),
            ],
        ),
        audit::cmdlet(
            "2026-02-05T01:22:10",
            intruder,
            night,
            "Set-MailboxAuditBypassAssociation",
            "svc.copie",
            &[("Identity", "svc.copie@ardoise.example.com"), ("AuditBypassEnabled", "True")],
        ),
        audit::cmdlet("2026-02-05T01:25:30", intruder, night, "Set-OrganizationConfig", org, &[("AuditDisabled", "True")]),
        audit::cmdlet(
            "2026-02-05T01:28:00",
            intruder,
            night,
            "Set-AdminAuditLogConfig",
            "Admin Audit Log Settings",
            &[("UnifiedAuditLogIngestionEnabled", "False")],
        ),
    ];
    let set_up = audit::service(
        "2026-01-20T21:13:42",
        "Set-AdminAuditLogConfig",
        "Admin Audit Log Settings",
        &[("IgnoreDehydratedFlag", "True"), ("AdminAuditLogEnabled", "True"), ("AdminAuditLogAgeLimit", "90.00:00:00")],
    );
    let mut records = everyday(&[Person("e.nicolas"), Person("g.picard"), victim, intruder], 13);
    records.push(set_up.clone());
    records.extend(acts.iter().cloned());
    let dir = tempfile::tempdir().expect("a folder");
    for form in ["csv", "lines"] {
        let folder = dir.path().join(form);
        match form {
            "csv" => forms::cmdlet_csv(&folder.join("UAL.csv"), &records),
            _ => forms::lines(&folder.join("audit.json"), &records),
        }
        let answer = judge(&folder, &whole(FROM, TO));
        for record in &acts {
            let f = found(&answer, "2a.log-tampering", &id(record), "suspicious");
            assert!(list(f, "items").iter().any(|i| i == "2.a"), "{f}");
            assert!(f["actor"].to_string().contains(intruder.0), "{f}");
        }
        assert!(
            ["suspected", "confirmed"].contains(&proposed(&answer, "1.a")),
            "an administrator's right was used: {}",
            all_told(&answer)
        );
        quiet(&answer, &id(&set_up));
        let ok = checks_at(&answer, "ok");
        for check in resting_on_the_log() {
            assert!(!ok.contains(&check.as_str()), "{check} is ok over a log that was switched off");
        }
    }
}

/// Switched off for four days and on again by the person who found it out: the four days stay unknown, the repairer is
/// innocent. Look-alikes: a longer limit, auditing turned on, a bypass taken away, the service at set-up.
#[test]
fn switched_on_again_the_gap_stays() {
    let (intruder, repairer) = (Person("h.moulin"), Person("adm.ferrand"));
    let (night, office) = (from(STRANGER), from(OFFICE));
    let config = |at: &str, who, via, value| {
        audit::cmdlet(
            at,
            who,
            via,
            "Set-AdminAuditLogConfig",
            "Admin Audit Log Settings",
            &[("UnifiedAuditLogIngestionEnabled", value)],
        )
    };
    let mailbox = |at: &str, who, via, owner: Person, parameter: (&str, &str)| {
        let identity = owner.upn();
        audit::cmdlet(at, who, via, "Set-Mailbox", owner.0, &[("Identity", identity.as_str()), parameter])
    };
    let off = config("2026-02-02T20:00:00", intruder, night, "False");
    let acts = [
        mailbox("2026-02-02T19:55:00", intruder, night, Person("direction"), ("AuditEnabled", "False")),
        mailbox("2026-02-02T19:57:00", intruder, night, Person("compta"), ("AuditLogAgeLimit", "0.00:00:00")),
        off,
    ];
    let benign = [
        mailbox("2026-01-22T10:00:00", repairer, office, Person("achats"), ("AuditEnabled", "True")),
        mailbox("2026-01-22T10:02:00", repairer, office, Person("achats"), ("AuditLogAgeLimit", "180.00:00:00")),
        audit::cmdlet(
            "2026-01-22T10:04:00",
            repairer,
            office,
            "Set-MailboxAuditBypassAssociation",
            "svc.copie",
            &[("Identity", "svc.copie@ardoise.example.com"), ("AuditBypassEnabled", "False")],
        ),
        audit::service(
            "2026-01-21T03:00:00",
            "Set-AdminAuditLogConfig",
            "Admin Audit Log Settings",
            &[("AdminAuditLogAgeLimit", "90.00:00:00"), ("UnifiedAuditLogIngestionEnabled", "False")],
        ),
        config("2026-02-06T09:00:00", repairer, office, "True"),
        mailbox("2026-02-06T09:05:00", repairer, office, Person("direction"), ("AuditEnabled", "True")),
    ];
    let people = [Person("e.nicolas"), Person("g.picard"), repairer];
    // The log is silent while it is off.
    let mut records: Vec<Value> = everyday(&people, 24)
        .into_iter()
        .filter(|r| {
            let at = r["CreationTime"].as_str().expect("a time");
            !("2026-02-02T20:00:00".."2026-02-06T09:00:00").contains(&at)
        })
        .collect();
    records.extend(acts.iter().chain(&benign).cloned());
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("gap");
    forms::purview_csv(&folder.join("export.csv"), &records);
    let answer = judge(&folder, &whole(FROM, "2026-02-19T23:00:00Z"));
    for record in &acts {
        found(&answer, "2a.log-tampering", &id(record), "suspicious");
    }
    cited(&answer, &id(&acts[0]), "suspicious");
    for record in &benign {
        quiet(&answer, &id(record));
    }
    innocent(&answer, repairer);
    let ok = checks_at(&answer, "ok");
    for check in resting_on_the_log() {
        assert!(!ok.contains(&check.as_str()), "{check} is ok over four days without a log");
    }
}
