//! Roles: activated, given by PIM in another order of targets, given in a bundle, given through a group; and the
//! victim who later gives an ordinary role. Each look-alike must stay silent.
#![recursion_limit = "256"] // records have many members
mod common;
mod made;

use common::{list, proposed, rank};
use made::{
    audit::{self, On, Via, from, id},
    directory::{self, Act, By},
    forms,
    judged::{cited, citing, found, gravity, innocent, judge, quiet, stories_of, told},
    who::{self, OFFICE, Person, STRANGER},
};
use serde_json::{Value, json};

/// An activation as three records: asked, done (PIM), and the twin that MS-PIM writes into Core Directory.
fn activation(day: &str, who: Person, role: who::Role, order: &[&str]) -> [Value; 3] {
    let at = |time: &str| format!("{day}T{time}");
    let asked = ("Add member to role requested (PIM activation)", "ActivateRole");
    let done = ("Add member to role completed (PIM activation)", "ActivateRole");
    [
        directory::pim(&at("07:55:01"), who, OFFICE, asked, role, who, order),
        directory::pim(&at("07:55:04"), who, OFFICE, done, role, who, order),
        directory::role_given(&at("07:55:04"), By::App("MS-PIM"), role, who, ""),
    ]
}

/// An administrator activates what he is eligible for every morning: to use a right is not to receive one. At night
/// somebody of the help desk makes himself eligible for the role that gives all roles. The same in both forms of the
/// directory's log, and whatever the order of the targets.
#[test]
fn activations_are_quiet_and_the_one_grant_is_found() {
    let (admin, desk) = (Person("adm.ferrand"), Person("support.niveau1"));
    let dir = tempfile::tempdir().expect("a folder");
    for order in [["Role", "Request", "User", "Provider"], ["User", "Provider", "Role", "Request"]] {
        let mut records = Vec::new();
        for day in who::workdays("2026-03-02", 5) {
            records.extend(activation(&day, admin, who::ROLES, &order));
        }
        let quiet_ids: Vec<String> = records.iter().map(id).collect();
        let grant = directory::pim(
            "2026-03-05T02:41:10",
            desk,
            STRANGER,
            ("Add eligible member to role in PIM completed (timebound)", "CreateRequestEligibleRole"),
            who::ROLES,
            desk,
            &order,
        );
        records.push(grant.clone());
        for form in ["graph", "diagnostics"] {
            let folder = dir.path().join(format!("{form}-{}", order[0]));
            match form {
                "graph" => forms::graph(&folder.join("audits.json"), "auditLogs/directoryAudits", &records),
                _ => forms::diagnostics(&folder.join("PT1H.json"), "AuditLogs", &records),
            }
            let answer = judge(&folder, &[]);
            let f = found(&answer, "1a.role-grants", &id(&grant), "suspicious");
            // Holder and giver are the same man, and neither is the role.
            assert!(f["actor"].to_string().contains(&desk.upn()), "{f}");
            assert!(f["subject"].to_string().contains(desk.0), "the holder, not the role: {f}");
            for record in &quiet_ids {
                quiet(&answer, record);
            }
            innocent(&answer, admin);
        }
    }
}

/// Through PIM, the role is a target, the holder another, and no position tells which. The twin of Core Directory is
/// the same act: one finding, not two. A request that nobody approved gives nothing.
#[test]
fn roles_given_through_pim_name_holder_and_role() {
    let (giver, first, second, asker) = (Person("h.moulin"), Person("presta.web"), Person("v.caron"), Person("d.brun"));
    let dir = tempfile::tempdir().expect("a folder");
    let order = ["Request", "Directory", "User", "Other", "Role"];
    let permanent = ("Add member to role in PIM completed (permanent)", "CreateRequestPermanentGrantedRole");
    let eligible = ("Add eligible member to role in PIM completed (permanent)", "CreateRequestPermanentEligibleRole");
    let asked = ("Add member to role requested (PIM activation)", "ActivateRole");
    let given = directory::pim("2026-03-11T21:10:00", giver, "203.0.113.19", permanent, who::AUTHENTICATION, first, &order);
    let twin = directory::role_given("2026-03-11T21:10:02", By::App("MS-PIM"), who::AUTHENTICATION, first, "");
    let made_eligible = directory::pim("2026-03-11T21:12:00", giver, "203.0.113.19", eligible, who::GLOBAL, second, &order);
    let request = directory::pim("2026-03-11T09:00:00", asker, OFFICE, asked, who::EXCHANGE, asker, &order);
    let gone = directory::role_taken("2026-03-12T09:30:00", By::Person(Person("adm.ferrand"), OFFICE), who::TEAMS, asker);
    let records = [given.clone(), twin.clone(), made_eligible.clone(), request.clone(), gone.clone()];
    let folder = dir.path().join("pim");
    forms::graph(&folder.join("directoryAudits.json"), "auditLogs/directoryAudits", &records);
    let answer = judge(&folder, &[]);

    for (record, holder, role) in [(&given, first, who::AUTHENTICATION), (&made_eligible, second, who::GLOBAL)] {
        let f = found(&answer, "1a.role-grants", &id(record), "suspicious");
        assert!(f["subject"].to_string().contains(holder.0), "the holder is {}: {f}", holder.0);
        assert!(f["text"]["en"].to_string().contains(role.0), "the role is {}: {f}", role.0);
    }
    // The twin is not a grant of its own: every finding that cites it above info cites the act itself.
    for f in citing(&answer, &id(&twin)) {
        assert!(gravity(f) <= rank("info") || common::cites(f, &id(&given)), "{f}");
    }
    quiet(&answer, &id(&request));
    quiet(&answer, &id(&gone));
    let grants = list(&answer, "findings").iter().filter(|f| f["check"] == "1a.role-grants" && gravity(f) >= rank("suspicious"));
    assert_eq!(grants.count(), 2, "two acts, two findings");
}

/// Five roles by one click are one act: one finding, five rows, as grave as its gravest role, here the last one.
/// The unified audit log writes no common correlation, Graph does; both are one.
#[test]
fn a_bundle_of_roles_is_one_finding() {
    let (giver, holder, colleague) = (Person("h.moulin"), Person("ops.temp"), Person("w.simon"));
    let roles = [who::REPORTS, who::SHAREPOINT, who::TEAMS, who::EXCHANGE, who::GLOBAL];
    let at = |n: usize| format!("2026-03-10T14:05:{:02}", 3 * n);
    let via = from("203.0.113.19");
    let dir = tempfile::tempdir().expect("a folder");

    let unified: Vec<Value> = roles.iter().enumerate().map(|(n, r)| audit::role_given(&at(n), giver, via, *r, holder)).collect();
    let graph: Vec<Value> = (roles.iter().enumerate())
        .map(|(n, r)| directory::role_given(&at(n), By::Person(giver, "203.0.113.19"), *r, holder, "one click"))
        .collect();
    let alone = audit::role_given("2026-03-10T09:00:00", Person("adm.ferrand"), from(OFFICE), who::REPORTS, colleague);
    let lone =
        directory::role_given("2026-03-10T09:00:00", By::Person(Person("adm.ferrand"), OFFICE), who::REPORTS, colleague, "");
    for (form, bundle, other) in [("unified", unified, alone), ("graph", graph, lone)] {
        let folder = dir.path().join(form);
        let records: Vec<Value> = bundle.iter().chain([&other]).cloned().collect();
        match form {
            "graph" => forms::graph(&folder.join("audits.json"), "auditLogs/directoryAudits", &records),
            _ => forms::purview_csv(&folder.join("export.csv"), &records),
        }
        let answer = judge(&folder, &[]);
        let f = found(&answer, "1a.role-grants", &id(&bundle[4]), "suspicious");
        for record in &bundle {
            assert!(common::cites(f, &id(record)), "{form}: one act cites all its rows: {f}");
            let all = citing(&answer, &id(record));
            let grants: Vec<&Value> = all.into_iter().filter(|f| f["check"] == "1a.role-grants").collect();
            assert_eq!(grants.len(), 1, "{form}: one act is one finding: {}", told(&grants));
        }
        quiet(&answer, &id(&other));
    }
}

/// A group is made able to hold roles, receives one, and only then its members: all three acts make administrators.
/// The ordinary group beside it makes none.
#[test]
fn a_role_through_a_group_is_found_from_the_log_alone() {
    let (giver, second, first, last) = (Person("h.moulin"), Person("ops.temp"), Person("v.caron"), Person("w.simon"));
    let (via, office) = (from("203.0.113.19"), from(OFFICE));
    let group = "Projet Migration";
    let group_id = who::guid(&format!("group {group}"));
    let other_id = who::guid("group Chorale");
    let into = |at: &str, by: Person, via: Via<'_>, who: Person, id: &str, name: &str| {
        let changes = [("Group.ObjectID", "", id), ("Group.DisplayName", "", name)];
        audit::entra(at, by, via, "Add member to group.", &On::User(who), &changes)
    };
    let bundle = audit::role_given("2026-03-10T13:50:00", giver, via, who::ROLES, second);
    let made = audit::entra(
        "2026-03-10T14:00:00",
        second,
        via,
        "Add group.",
        &On::Group(group),
        &[("DisplayName", "[]", "[\r\n  \"Projet Migration\"\r\n]"), ("IsAssignableToRole", "[]", "[\r\n  true\r\n]")],
    );
    let role = audit::entra(
        "2026-03-10T14:00:20",
        second,
        via,
        "Add member to role.",
        &On::Group(group),
        &[("Role.DisplayName", "", who::GLOBAL.0), ("Role.TemplateId", "", who::GLOBAL.1)],
    );
    let members = [
        into("2026-03-10T14:01:00", second, via, first, &group_id, group),
        into("2026-03-10T14:01:05", second, via, last, &group_id, group),
    ];
    let ordinary = [
        audit::entra(
            "2026-03-10T10:00:00",
            Person("adm.ferrand"),
            office,
            "Add group.",
            &On::Group("Chorale"),
            &[("DisplayName", "[]", "[\r\n  \"Chorale\"\r\n]"), ("IsAssignableToRole", "[]", "[\r\n  false\r\n]")],
        ),
        into("2026-03-10T10:01:00", Person("adm.ferrand"), office, Person("c.blin"), &other_id, "Chorale"),
    ];
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("group");
    let records: Vec<Value> = [&bundle, &made, &role].into_iter().chain(&members).chain(&ordinary).cloned().collect();
    forms::lines(&folder.join("audit.json"), &records);
    let answer = judge(&folder, &[]);

    let given = found(&answer, "1a.role-grants", &id(&bundle), "suspicious");
    for (record, who) in members.iter().zip([first, last]) {
        let f = found(&answer, "1a.role-grants", &id(record), "suspicious");
        assert!(
            f["subject"].to_string().contains(who.0) || f["text"]["en"].to_string().contains(who.0),
            "who became administrator: {f}"
        );
        // From the first giver to the last beneficiary it is one story.
        let together = stories_of(&answer, f).iter().any(|s| list(s, "findings").contains(&given["id"]));
        assert!(together, "one story from {} to {}", giver.0, who.0);
    }
    cited(&answer, &id(&made), "suspicious");
    cited(&answer, &id(&role), "suspicious");
    for record in &ordinary {
        quiet(&answer, &id(record));
    }
}

/// The intruder gives himself the right to send as the victim and to read the mailbox. In the afternoon the victim,
/// at the office, gives a colleague a harmless role and the delegation that they had agreed on: the victim is not the author.
#[test]
fn a_victim_is_not_an_author() {
    let (intruder, victim, colleague, other) = (Person("l.masson"), Person("s.perrot"), Person("e.nicolas"), Person("a.royer"));
    let mut records = Vec::new();
    for who in [intruder, victim, colleague] {
        records.extend(audit::mornings(who, "2026-05-04", 12, OFFICE));
    }
    // Twelve names are tried, one is right: the address was never seen for the account.
    let names = [
        "a.royer",
        "b.gauthier",
        "c.blin",
        "d.brun",
        "e.nicolas",
        "f.huet",
        "g.picard",
        "h.moulin",
        "i.renard",
        "j.colin",
        "k.lambert",
        "l.masson",
    ];
    for (n, name) in names.into_iter().enumerate() {
        let via = Via { error: 50126, agent: who::LINUX, ..from(STRANGER) };
        records.push(audit::logon(&format!("2026-05-20T03:1{}:{:02}", n / 6, 9 * (n % 6)), Person(name), via));
    }
    let session = who::guid("the intruder's session");
    let via = Via { agent: who::LINUX, session: &session, ..from(STRANGER) };
    let entry = audit::logon("2026-05-20T03:14:00", intruder, via);
    let full = audit::cmdlet(
        "2026-05-20T03:20:00",
        intruder,
        via,
        "Add-MailboxPermission",
        "s.perrot",
        &[
            ("Identity", "s.perrot@ardoise.example.com"),
            ("User", "l.masson@ardoise.example.com"),
            ("AccessRights", "FullAccess"),
            ("InheritanceType", "All"),
        ],
    );
    let read = audit::mail_read("2026-05-20T03:31:00", intruder, victim, via);
    let desk = from(OFFICE);
    let own = [
        audit::role_given("2026-05-20T14:05:00", victim, desk, who::REPORTS, colleague),
        audit::cmdlet(
            "2026-05-20T14:20:00",
            victim,
            desk,
            "Add-MailboxFolderPermission",
            "s.perrot:\\Calendar",
            &[
                ("Identity", "s.perrot@ardoise.example.com:\\Calendar"),
                ("User", "e.nicolas@ardoise.example.com"),
                ("AccessRights", "Reviewer"),
            ],
        ),
        audit::logon("2026-05-20T13:58:00", victim, desk),
    ];
    records.extend([entry.clone(), full.clone(), read]);
    records.extend(own.iter().cloned());
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("victim");
    forms::cmdlet_csv(&folder.join("AuditRecords.csv"), &records);
    let answer = judge(&folder, &[]);

    assert_eq!(proposed(&answer, "1.b"), "confirmed", "the intruder was in");
    cited(&answer, &id(&entry), "compromise");
    let opened = cited(&answer, &id(&full), "suspicious");
    assert!(opened.to_string().contains(victim.0), "the victim is named: {opened}");
    assert_ne!(proposed(&answer, "1.a"), "confirmed", "rights over mailboxes are not an administrator");
    for record in &own {
        quiet(&answer, &id(record));
    }
    for who in [victim, colleague, other] {
        innocent(&answer, who);
    }
    let named: Vec<&Value> = list(&answer, "stories").iter().filter(|s| s["subject"].to_string().contains(colleague.0)).collect();
    assert!(named.is_empty(), "who received a harmless role has no story: {named:?}");
}

/// A role without name or template: the act is said, never dropped, and 1.a.2 is not `ok` (its content is unknown).
#[test]
fn a_role_that_nobody_can_name_is_not_harmless() {
    let act = Act {
        at: "2026-03-11T21:10:00",
        by: By::Person(Person("h.moulin"), "203.0.113.19"),
        service: "Core Directory",
        category: "RoleManagement",
        name: "Add member to role",
        kind: "Assign",
        link: "",
    };
    let record = directory::record(&act, vec![directory::user(Person("presta.web"), &[])], json!([]));
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("unnamed");
    forms::graph(&folder.join("audits.json"), "auditLogs/directoryAudits", std::slice::from_ref(&record));
    let answer = judge(&folder, &made::judged::whole("2026-03-11T00:00:00Z", "2026-03-12T00:00:00Z"));
    assert_ne!(common::verdict(&answer, "items", "1.a.2"), "ok", "a role was given");
    assert!(!citing(&answer, &id(&record)).is_empty(), "the act is listed");
}
