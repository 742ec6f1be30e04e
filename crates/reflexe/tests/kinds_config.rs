//! Settings of the tenant: policies weakened in shapes that a comparison does not know, the headline, and two people
//! who change one object.
#![recursion_limit = "256"] // records have many members
mod common;
mod made;

use common::{list, proposed, reflexe, run};
use made::{
    audit::{self, On, from, id},
    directory::{self, By},
    forms,
    judged::{all_told, blames, cited, citing, found, innocent, judge, quiet},
    who::{OFFICE, Person, STRANGER},
};
use serde_json::{Value, json};

const CHECK: &str = "2a.ca-mfa-changes";

/// Weakened in four shapes, and six look-alikes: an order, a name, a date, a stricter value, a new protection.
#[test]
fn what_was_weakened_is_found_in_every_shape() {
    let (intruder, admin) = (Person("h.moulin"), Person("adm.ferrand"));
    let night = || By::Person(intruder, "203.0.113.19");
    let day = || By::Person(admin, OFFICE);
    let all = directory::policy("Second facteur", "enabled", &["All"], &[], &["Mfa"]);
    // The requirement becomes a weaker one: a device that says that it is compliant, or nothing at all.
    let mut bare = all.clone();
    bare["grantControls"] = Value::Null;
    // A strength is asked for beside the list of controls, and is gone.
    let mut strong = directory::policy("Administrateurs", "enabled", &["All"], &[], &[]);
    strong["grantControls"] = json!({ "operator": "OR", "builtInControls": [], "authenticationStrength": { "id": "00000000-0000-0000-0000-000000000004", "displayName": "Phishing-resistant MFA" } });
    let mut weak = strong.clone();
    weak["grantControls"] = json!({ "operator": "OR", "builtInControls": [], "authenticationStrength": null });
    let block = directory::legacy_blocked("Ancien protocole");
    let mut excluded = block.clone();
    excluded["conditions"]["users"]["excludeUsers"] = json!([intruder.id(), Person("ops.temp").id()]);

    let weakened = [
        directory::policy_changed("2026-05-11T21:00:00", night(), &all, &bare),
        directory::policy_changed("2026-05-11T21:02:00", night(), &strong, &weak),
        directory::policy_changed("2026-05-11T21:04:00", night(), &block, &excluded),
        // Whoever may consent again: the right that an illicit application needs.
        directory::authorization(
            "2026-05-11T21:06:00",
            night(),
            "PermissionGrantPolicyIdsAssignedToDefaultUserRole",
            json!([]),
            json!(["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]),
        ),
    ];
    // Guests see what members see: a setting weakened, the sheet asks for the contrary (1.b.3).
    let guests = directory::authorization(
        "2026-05-11T21:08:00",
        night(),
        "GuestUserRoleId",
        json!("2af84b1e-32c8-42b7-82bc-daa82404023b"),
        json!("a0b1b346-4d3e-4e8b-98f8-753987be4970"),
    );

    let two = directory::policy("Bureaux", "enabled", &["All"], &[], &["mfa", "compliantDevice"]);
    let mut reordered = two.clone();
    reordered["grantControls"]["builtInControls"] = json!(["compliantDevice", "Mfa"]);
    reordered["modifiedDateTime"] = json!("2026-05-12T08:00:00.0000000+00:00");
    let mut renamed = two.clone();
    renamed["displayName"] = json!("Bureaux et agences");
    let reporting = directory::policy("Appareils", "enabledForReportingButNotEnforced", &["All"], &[], &["compliantDevice"]);
    let mut enforced = reporting.clone();
    enforced["state"] = json!("enabled");
    let benign = [
        directory::policy_changed("2026-05-12T08:00:00", day(), &two, &reordered),
        directory::policy_changed("2026-05-12T08:05:00", day(), &two, &renamed),
        directory::policy_changed("2026-05-12T08:10:00", day(), &reporting, &enforced),
        directory::policy_changed(
            "2026-05-12T08:15:00",
            day(),
            &Value::Null,
            &directory::policy("Pays", "enabled", &["All"], &[], &["mfa"]),
        ),
        directory::policy_changed("2026-05-12T09:00:00", day(), &bare, &all),
        directory::authorization(
            "2026-05-12T09:05:00",
            day(),
            "AllowInvitesFrom",
            json!("Everyone"),
            json!("AdminsAndGuestInviters"),
        ),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    for form in ["graph", "diagnostics"] {
        let folder = dir.path().join(form);
        let records: Vec<Value> = weakened.iter().chain([&guests]).chain(&benign).cloned().collect();
        match form {
            "graph" => forms::graph(&folder.join("audits.json"), "auditLogs/directoryAudits", &records),
            _ => forms::diagnostics(&folder.join("PT1H.json"), "AuditLogs", &records),
        }
        let answer = judge(&folder, &[]);
        for record in &weakened {
            found(&answer, CHECK, &id(record), "suspicious");
        }
        cited(&answer, &id(&guests), "weakness");
        for record in &benign {
            quiet(&answer, &id(record));
        }
        innocent(&answer, admin);
    }
}

/// A property that nobody understands was changed: it is shown, and nobody may say that nothing is weakened.
#[test]
fn what_is_not_understood_is_not_called_harmless() {
    let by = || By::Person(Person("h.moulin"), "203.0.113.19");
    let old = directory::policy("Second facteur", "enabled", &["All"], &[], &["mfa"]);
    let mut new = old.clone();
    new["conditions"]["insiderRiskLevels"] = json!("elevated");
    let records = [
        directory::policy_changed("2026-05-11T21:00:00", by(), &old, &new),
        directory::authorization("2026-05-11T21:05:00", by(), "SomethingOfNextYear", json!(false), json!(true)),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("unknown");
    forms::graph(&folder.join("audits.json"), "auditLogs/directoryAudits", &records);
    let answer = judge(&folder, &[]);
    for record in &records {
        let all = citing(&answer, &id(record));
        assert!(!all.is_empty(), "the change is shown");
        for f in all {
            let (en, fr) = (f["text"]["en"].as_str().expect("words"), f["text"]["fr"].as_str().expect("words"));
            assert!(!en.contains("nothing is weakened"), "{en}");
            assert!(!fr.contains("rien n’est affaibli") && !fr.contains("rien n'est affaibli"), "{fr}");
        }
    }
}

/// A single suspicious fact of item 2.a, in two shapes: the first sentence must not say that nothing suggests an incident.
#[test]
fn the_headline_does_not_contradict_the_page() {
    let who = Person("h.moulin");
    let old = directory::policy("Second facteur", "enabled", &["All"], &[], &["mfa"]);
    let mut new = old.clone();
    new["state"] = json!("disabled");
    let policy = directory::policy_changed("2026-02-02T12:00:00", By::Person(who, OFFICE), &old, &new);
    let factor = audit::entra(
        "2026-02-02T12:00:00",
        who,
        from(OFFICE),
        "Disable Strong Authentication.",
        &On::User(Person("v.caron")),
        &[("StrongAuthenticationRequirement", "[\r\n  {\r\n    \"RelyingParty\": \"*\",\r\n    \"State\": 1\r\n  }\r\n]", "[]")],
    );
    let dir = tempfile::tempdir().expect("a folder");
    let first = dir.path().join("policy");
    forms::graph(&first.join("audits.json"), "auditLogs/directoryAudits", std::slice::from_ref(&policy));
    let second = dir.path().join("factor");
    forms::lines(&second.join("audit.json"), std::slice::from_ref(&factor));
    for (folder, record) in [(first, policy), (second, factor)] {
        let answer = judge(&folder, &[]);
        let f = found(&answer, CHECK, &id(&record), "suspicious");
        assert!(list(f, "items").iter().any(|i| i == "2.a"), "{f}");
        // The page that a person reads, in both languages.
        for (lang, denial) in [("en", "nor suggest"), ("fr", "ni ne suggèr")] {
            let told =
                run(reflexe().args(["qualify", "--lang", lang]).arg(&folder).arg("--case").arg(folder.with_extension(lang)));
            assert!(!told.out.to_lowercase().contains(denial), "{}", told.out);
        }
    }
}

/// The intruder and the repairer change the same objects. What each did is his own: the repairer's acts are shown, and
/// he is no suspect; the intruder's are found, also the one that the repair undid.
#[test]
fn two_people_one_object() {
    let (intruder, repairer) = (Person("h.moulin"), Person("adm.ferrand"));
    let night = || By::Person(intruder, STRANGER);
    let day = || By::Person(repairer, OFFICE);
    let lock = directory::policy("zz", "enabled", &["All"], &[], &["block"]);
    let mfa = directory::policy("Second facteur", "enabled", &["All"], &[], &["mfa"]);
    let mut off = mfa.clone();
    off["state"] = json!("disabled");
    let bad = [
        directory::policy_changed("2026-05-18T22:00:00", night(), &Value::Null, &lock),
        directory::policy_changed("2026-05-18T22:03:00", night(), &mfa, &off),
        directory::authorization(
            "2026-05-18T22:05:00",
            night(),
            "AllowInvitesFrom",
            json!("AdminsAndGuestInviters"),
            json!("Everyone"),
        ),
    ];
    let good = [
        directory::policy_changed("2026-05-19T07:40:00", day(), &lock, &Value::Null),
        directory::policy_changed("2026-05-19T07:45:00", day(), &off, &mfa),
        directory::authorization("2026-05-19T07:50:00", day(), "AllowInvitesFrom", json!("Everyone"), json!("None")),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    // The order of the rows in the file decides nothing.
    for (name, records) in [
        ("told", bad.iter().chain(&good).cloned().collect::<Vec<Value>>()),
        ("newest-first", good.iter().rev().chain(bad.iter().rev()).cloned().collect()),
    ] {
        let folder = dir.path().join(name);
        forms::graph(&folder.join("audits.json"), "auditLogs/directoryAudits", &records);
        let answer = judge(&folder, &[]);
        let decisive = found(&answer, CHECK, &id(&bad[0]), "compromise");
        assert_eq!(decisive["decisive"], true, "everybody is locked out: {decisive}");
        for record in &bad {
            let f = found(&answer, CHECK, &id(record), "weakness");
            assert!(f["actor"].to_string().contains(intruder.0) && !f["actor"].to_string().contains(repairer.0), "{f}");
        }
        for record in &good {
            quiet(&answer, &id(record));
        }
        innocent(&answer, repairer);
        assert!(["suspected", "confirmed"].contains(&proposed(&answer, "1.a")), "{}", all_told(&answer));
        for f in list(&answer, "findings").iter().filter(|f| blames(f)) {
            assert!(!f["text"]["en"].to_string().contains("nothing is weakened"), "a sentence that denies itself: {f}");
        }
    }
}
