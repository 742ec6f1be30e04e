//! Forward and backward: whoever repairs, whoever was robbed and whoever arrives is innocent; what the intruder did is
//! found act by act. Two weeks of an invented tenant, in three logs.
#![recursion_limit = "256"] // records have many members
mod common;
mod made;

use std::path::Path;

use common::{list, proposed, rank};
use made::{
    audit::{self, Via, from, id},
    directory::{self, Act, By},
    forms,
    judged::{all_told, blames, cited, citing, gravity, innocent, judge, told},
    signin,
    who::{self, OFFICE, Person, STRANGER},
};
use serde_json::{Value, json};

/// A directory record about a person, without more.
fn about(at: &str, by: By<'_>, category: &str, name: &str, on: Person, list: &[directory::Change<'_>]) -> Value {
    let act = Act { at, by, service: "Core Directory", category, name, kind: "Update", link: "" };
    directory::record(&act, vec![directory::user(on, list)], json!([]))
}

/// The logs of a scenario: unified audit log, directory audit, sign-ins.
#[derive(Default)]
struct Logs {
    unified: Vec<Value>,
    directory: Vec<Value>,
    signins: Vec<Value>,
}

impl Logs {
    fn write(&self, folder: &Path) {
        forms::cmdlet_csv(&folder.join("UAL.csv"), &self.unified);
        forms::graph(&folder.join("directoryAudits.json"), "auditLogs/directoryAudits", &self.directory);
        forms::graph(&folder.join("signIns.json"), "auditLogs/signIns", &self.signins);
    }

    /// Ordinary days of somebody at the office, in the logs that tell them.
    fn days(&mut self, who: Person, from_day: &str, days: usize) {
        self.unified.extend(audit::mornings(who, from_day, days, OFFICE));
        for day in who::workdays(from_day, days) {
            self.signins.push(signin::person(&format!("{day}T08:{:02}:11", who::hash(who.0) % 50), who, from(OFFICE), true));
        }
    }
}

/// A night of an intruder, the morning of the repair, and the day of the victim.
#[test]
fn repair_and_ordinary_acts_of_a_victim_are_innocent() {
    let (stolen, repairer, victim) = (Person("h.moulin"), Person("adm.ferrand"), Person("s.perrot"));
    let (assistant, helped, colleague) = (Person("e.nicolas"), Person("presta.web"), Person("o.girard"));
    let mut logs = Logs::default();
    for who in [stolen, repairer, victim, assistant, colleague] {
        logs.days(who, "2026-05-18", 20);
    }
    let session = who::guid("night");
    let via = Via { session: &session, agent: who::LINUX, ..from(STRANGER) };
    let (night, day) = (|| By::Person(stolen, STRANGER), || By::Person(repairer, OFFICE));
    let mfa = directory::policy("Second facteur", "enabled", &["All"], &[], &["mfa"]);
    let mut off = mfa.clone();
    off["state"] = json!("disabled");
    let block = directory::legacy_blocked("Ancien protocole");

    let bad_directory = [
        directory::policy_changed("2026-06-09T01:10:00", night(), &mfa, &off),
        directory::policy_changed("2026-06-09T01:12:00", night(), &block, &Value::Null),
        directory::authorization(
            "2026-06-09T01:14:00",
            night(),
            "AllowInvitesFrom",
            json!("AdminsAndGuestInviters"),
            json!("Everyone"),
        ),
        directory::role_given("2026-06-09T01:20:00", night(), who::GLOBAL, helped, ""),
        directory::role_given("2026-06-09T01:24:00", By::Person(helped, STRANGER), who::AUTHENTICATION, stolen, ""),
    ];
    let bad_unified = [
        audit::cmdlet(
            "2026-06-09T01:30:00",
            stolen,
            via,
            "Set-Mailbox",
            victim.0,
            &[("Identity", "s.perrot@ardoise.example.com"), ("AuditEnabled", "False")],
        ),
        audit::cmdlet(
            "2026-06-09T01:33:00",
            stolen,
            via,
            "Add-MailboxPermission",
            victim.0,
            &[
                ("Identity", "s.perrot@ardoise.example.com"),
                ("User", "h.moulin@ardoise.example.com"),
                ("AccessRights", "FullAccess"),
                ("AutoMapping", "False"),
            ],
        ),
    ];
    logs.unified.push(audit::logon("2026-06-09T01:05:00", stolen, via));
    logs.signins.push(signin::person("2026-06-09T01:05:00", stolen, via, true));
    logs.unified.push(audit::mail_read("2026-06-09T01:40:00", stolen, victim, via));

    // The repair: each act reversed, and some strengthened.
    let good_directory = [
        directory::policy_changed("2026-06-09T08:30:00", day(), &off, &mfa),
        directory::policy_changed("2026-06-09T08:32:00", day(), &Value::Null, &block),
        directory::authorization(
            "2026-06-09T08:34:00",
            day(),
            "AllowInvitesFrom",
            json!("Everyone"),
            json!("AdminsAndGuestInviters"),
        ),
        directory::role_taken("2026-06-09T08:36:00", day(), who::GLOBAL, helped),
        directory::role_taken("2026-06-09T08:37:00", day(), who::AUTHENTICATION, stolen),
        about("2026-06-09T08:40:00", day(), "UserManagement", "Reset user password", victim, &[]),
        about("2026-06-09T08:41:00", day(), "UserManagement", "Reset user password", stolen, &[]),
        about(
            "2026-06-09T08:42:00",
            day(),
            "UserManagement",
            "Disable account",
            helped,
            &[("AccountEnabled", json!([true]), json!([false]))],
        ),
        about(
            "2026-06-09T08:43:00",
            day(),
            "UserManagement",
            "Update StsRefreshTokenValidFrom Timestamp",
            stolen,
            &[("StsRefreshTokensValidFrom", json!(["2026-05-01T00:00:00Z"]), json!(["2026-06-09T08:43:00Z"]))],
        ),
    ];
    let office = from(OFFICE);
    let good_unified = [
        audit::cmdlet(
            "2026-06-09T08:50:00",
            repairer,
            office,
            "Set-Mailbox",
            victim.0,
            &[("Identity", "s.perrot@ardoise.example.com"), ("AuditEnabled", "True")],
        ),
        audit::cmdlet(
            "2026-06-09T08:52:00",
            repairer,
            office,
            "Remove-MailboxPermission",
            victim.0,
            &[
                ("Identity", "s.perrot@ardoise.example.com"),
                ("User", "h.moulin@ardoise.example.com"),
                ("AccessRights", "FullAccess"),
            ],
        ),
        // The victim goes on with the day.
        audit::rule(
            "2026-06-09T10:00:00",
            victim,
            office,
            "Chantier Tilleuls",
            &[("SubjectContainsWords", "tilleuls"), ("MoveToFolder", "Chantier Tilleuls")],
        ),
        audit::cmdlet(
            "2026-06-09T10:20:00",
            victim,
            office,
            "Add-MailboxFolderPermission",
            "s.perrot:\\Calendar",
            &[
                ("Identity", "s.perrot@ardoise.example.com:\\Calendar"),
                ("User", "e.nicolas@ardoise.example.com"),
                ("AccessRights", "Editor"),
            ],
        ),
        with(
            audit::link("2026-06-09T11:00:00", Some(victim), victim, office, "AddedToSecureLink", "Planning.xlsx"),
            &[("TargetUserOrGroupName", "o.girard@ardoise.example.com"), ("TargetUserOrGroupType", "Member")],
        ),
        audit::logon("2026-06-09T09:55:00", victim, office),
    ];
    logs.directory.extend(bad_directory.iter().chain(&good_directory).cloned());
    logs.unified.extend(bad_unified.iter().chain(&good_unified).cloned());
    for who in [repairer, victim, assistant, colleague] {
        logs.days(who, "2026-06-10", 4);
    }
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("night");
    logs.write(&folder);
    let answer = judge(&folder, &[]);

    for record in bad_directory.iter().chain(&bad_unified) {
        cited(&answer, &id(record), "weakness");
    }
    for record in [&bad_directory[0], &bad_directory[3], &bad_directory[4], &bad_unified[1]] {
        cited(&answer, &id(record), "suspicious");
    }
    let bad: Vec<String> = bad_directory.iter().chain(&bad_unified).map(id).collect();
    for record in good_directory.iter().chain(&good_unified) {
        // The intruder's finding may tell how it ended; nothing else rests on a repair or on an ordinary act.
        let mut all = citing(&answer, &id(record));
        all.retain(|f| blames(f) && !bad.iter().any(|b| common::cites(f, b)));
        assert!(all.is_empty(), "innocent: {}", told(&all));
    }
    for who in [repairer, victim, assistant, colleague] {
        innocent(&answer, who);
    }
    let of_repairer: Vec<&Value> =
        list(&answer, "stories").iter().filter(|s| s["subject"].to_string().contains(repairer.0)).collect();
    assert!(of_repairer.is_empty(), "no story of the one who repairs: {of_repairer:?}");
    assert!(["suspected", "confirmed"].contains(&proposed(&answer, "1.a")), "{}", all_told(&answer));
}

fn with(mut record: Value, more: &[(&str, &str)]) -> Value {
    for (key, value) in more {
        record[*key] = json!(value);
    }
    record
}

/// A week in which a new administrator and three colleagues arrive. The roles given at once are to be asked about (as
/// every bundle is), and nothing else: nobody is a suspect, no other action is suspected.
#[test]
fn an_onboarding_week_is_innocent() {
    let (admin, newcomer, traveller) = (Person("adm.ferrand"), Person("adm.lacroix"), Person("t.voisin"));
    let arriving = [Person("n.arnaud"), Person("n.besson"), Person("n.collet")];
    let mut logs = Logs::default();
    for who in [admin, traveller, Person("e.nicolas"), Person("g.picard")] {
        logs.days(who, "2026-08-24", 20);
    }
    let day = || By::Person(admin, OFFICE);
    let office = from(OFFICE);
    let order = ["Role", "Request", "User", "Provider", "Other"];
    // Each morning the administrator activates what he may.
    let mut benign: Vec<Value> = Vec::new();
    for date in who::workdays("2026-09-21", 5) {
        let asked = ("Add member to role requested (PIM activation)", "ActivateRole");
        let done = ("Add member to role completed (PIM activation)", "ActivateRole");
        benign.push(directory::pim(&format!("{date}T08:10:00"), admin, OFFICE, asked, who::GLOBAL, admin, &order));
        benign.push(directory::pim(&format!("{date}T08:10:03"), admin, OFFICE, done, who::GLOBAL, admin, &order));
        benign.push(directory::role_given(&format!("{date}T08:10:03"), By::App("MS-PIM"), who::GLOBAL, admin, ""));
    }
    for (n, who) in arriving.iter().chain([&newcomer]).enumerate() {
        benign.push(about(
            &format!("2026-09-21T09:0{n}:00"),
            day(),
            "UserManagement",
            "Add user",
            *who,
            &[("AccountEnabled", json!([]), json!([true])), ("UserPrincipalName", json!([]), json!([who.upn()]))],
        ));
        let own = By::Person(*who, OFFICE);
        let act = Act {
            at: &format!("2026-09-21T10:1{n}:00"),
            by: own,
            service: "Authentication Methods",
            category: "UserManagement",
            name: "User registered security info",
            kind: "Add",
            link: "",
        };
        benign.push(directory::record(&act, vec![directory::user(*who, &[])], json!([])));
        logs.days(*who, "2026-09-21", 5);
    }
    let bundle: Vec<Value> = [who::USERS, who::HELPDESK, who::EXCHANGE, who::SHAREPOINT]
        .iter()
        .enumerate()
        .map(|(n, role)| directory::role_given(&format!("2026-09-21T11:00:{:02}", 2 * n), day(), *role, newcomer, "onboarding"))
        .collect();
    // A known tool, with the right to know who signs in and no other.
    let consent = {
        let act = Act {
            at: "2026-09-22T10:00:00",
            by: day(),
            service: "Core Directory",
            category: "ApplicationManagement",
            name: "Consent to application",
            kind: "Assign",
            link: "",
        };
        let permissions = format!(
            "[] => [[Id: x1, ClientId: {}, PrincipalId: , ResourceId: {}, ConsentType: AllPrincipals, Scope:  openid profile User.Read, CreatedDateTime: , LastModifiedDateTime ]]; ",
            who::guid("sp zoom"),
            who::guid("sp graph")
        );
        let list = [
            ("ConsentContext.IsAdminConsent", Value::Null, json!("True")),
            ("ConsentContext.IsAppOnly", Value::Null, json!("False")),
            ("ConsentContext.OnBehalfOfAll", Value::Null, json!("True")),
            ("ConsentAction.Permissions", Value::Null, json!(permissions)),
            (
                "TargetId.ServicePrincipalNames",
                Value::Null,
                json!("fc108d3f-543d-4374-bbff-c7c51f651fe5;https://zoom.example.org"),
            ),
        ];
        directory::record(
            &act,
            vec![directory::target(Some("ServicePrincipal"), &who::guid("sp zoom"), Some("Zoom"), None, &list)],
            json!([]),
        )
    };
    benign.push(consent);
    let shared = [
        audit::cmdlet(
            "2026-09-22T14:00:00",
            admin,
            office,
            "New-Mailbox",
            "accueil",
            &[("Name", "accueil"), ("Shared", "True"), ("PrimarySmtpAddress", "accueil@ardoise.example.com")],
        ),
        audit::cmdlet(
            "2026-09-22T14:02:00",
            admin,
            office,
            "Add-MailboxPermission",
            "accueil",
            &[
                ("Identity", "accueil@ardoise.example.com"),
                ("User", "n.arnaud@ardoise.example.com"),
                ("AccessRights", "FullAccess"),
            ],
        ),
        audit::cmdlet(
            "2026-09-22T14:03:00",
            admin,
            office,
            "Add-MailboxPermission",
            "accueil",
            &[
                ("Identity", "accueil@ardoise.example.com"),
                ("User", "n.besson@ardoise.example.com"),
                ("AccessRights", "FullAccess"),
            ],
        ),
        audit::cmdlet(
            "2026-09-22T14:04:00",
            admin,
            office,
            "Add-RecipientPermission",
            "accueil",
            &[
                ("Identity", "accueil@ardoise.example.com"),
                ("Trustee", "n.arnaud@ardoise.example.com"),
                ("AccessRights", "SendAs"),
            ],
        ),
        audit::mail_read("2026-09-23T09:12:00", Person("n.arnaud"), Person("accueil"), office),
    ];
    // Two days at a hotel, the same browser, the second factor each time; then home.
    let hotel = from("198.51.100.77");
    for (n, at) in ["2026-09-22T19:40:00", "2026-09-23T07:20:00", "2026-09-23T20:05:00"].iter().enumerate() {
        let entry = signin::person(at, traveller, hotel, true);
        if n == 0 {
            logs.unified.push(audit::mail_read("2026-09-22T19:44:00", traveller, traveller, hotel));
        }
        logs.unified.push(audit::logon(at, traveller, hotel));
        benign.push(entry.clone());
        logs.signins.push(entry);
    }
    logs.directory.extend(benign.iter().filter(|r| r.get("activityDisplayName").is_some()).chain(&bundle).cloned());
    logs.unified.extend(shared.iter().cloned());
    logs.unified.extend(audit::mornings(traveller, "2026-09-25", 3, OFFICE));
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("week");
    logs.write(&folder);
    let answer = judge(&folder, &[]);

    for record in &bundle {
        for f in citing(&answer, &id(record)) {
            assert!(gravity(f) <= rank("suspicious") && f["check"] == "1a.role-grants", "to ask at most: {f}");
        }
    }
    let bundled = |f: &&Value| bundle.iter().any(|r| common::cites(f, &id(r)));
    for record in benign.iter().chain(&shared) {
        // The bundle may say that its holder's account is of the same morning; nothing else rests on an ordinary act.
        let loud: Vec<&Value> = citing(&answer, &id(record)).into_iter().filter(|f| blames(f) && !bundled(f)).collect();
        assert!(loud.is_empty(), "an ordinary act: {}", told(&loud));
    }
    let loud: Vec<&Value> = list(&answer, "findings").iter().filter(|f| blames(f) && !bundled(f)).collect();
    assert!(loud.is_empty(), "an ordinary week: {}", told(&loud));
    for f in list(&answer, "findings") {
        assert!(!f["signs"].to_string().contains("actor_is_suspect"), "nobody is a suspect: {f}");
    }
    for who in arriving.iter().chain([&newcomer, &traveller]) {
        innocent(&answer, *who);
    }
    for action in ["1.b", "1.c", "1.d", "1.e"] {
        assert!(["not_confirmed", "unknown"].contains(&proposed(&answer, action)), "{action}");
    }
    assert_ne!(proposed(&answer, "1.a"), "confirmed");
}
