//! Mailboxes: rules made in Outlook and taken away again, forwards judged outside from the log alone, a burst of rules
//! and what its session did.
#![recursion_limit = "256"] // records have many members
mod common;
mod made;

use common::{list, proposed, rank};
use made::{
    audit::{self, Via, from, id},
    forms,
    judged::{all_told, blames, cited, citing, found, gravity, innocent, judge, quiet, stories_of, told},
    who::{self, OFFICE, Person, STRANGER},
};
use serde_json::{Value, json};

/// Made in Outlook, used for an hour, removed: the rule of that hour is found, in both forms of the log, its removal
/// is no rule, and a colleague's ordinary rule made the same way is silent.
#[test]
fn a_rule_that_lived_for_an_hour_is_found() {
    let (victim, colleague) = (Person("m.aubert"), Person("o.girard"));
    let session = who::guid("stolen");
    let via = Via { session: &session, agent: who::AXIOS, ..from(STRANGER) };
    let mut records = audit::mornings(victim, "2026-02-09", 12, OFFICE);
    records.extend(audit::mornings(colleague, "2026-02-09", 12, OFFICE));
    let entry = audit::logon("2026-02-24T19:02:00", victim, via);
    let outlook = audit::outlook_rule(
        "2026-02-24T19:10:00",
        victim,
        via,
        "AddMailboxRule",
        ",",
        &json!([{ "ActionType": "Forward", "Recipients": ["depot.compta@example.net"], "ForwardFlags": "None" }, { "ActionType": "Delete" }]),
    );
    let web = audit::rule(
        "2026-02-24T19:12:30",
        victim,
        via,
        "//",
        &[("MoveToFolder", "Conversation History"), ("SubjectOrBodyContainsWords", "virement;rib;iban"), ("MarkAsRead", "True")],
    );
    let gone = [
        audit::outlook_rule("2026-02-24T20:15:00", victim, via, "RemoveMailboxRule", ",", &Value::Null),
        audit::cmdlet(
            "2026-02-24T20:16:00",
            victim,
            via,
            "Remove-InboxRule",
            "m.aubert\\//",
            &[("Identity", "m.aubert\\1530098127643090945"), ("Force", "True")],
        ),
    ];
    let tidy = audit::outlook_rule(
        "2026-02-24T10:30:00",
        colleague,
        from(OFFICE),
        "AddMailboxRule",
        "Fournisseurs",
        &json!([{ "ActionType": "Move", "FolderName": "Fournisseurs" }]),
    );
    records.extend([entry, outlook.clone(), web.clone(), tidy.clone()]);
    records.extend(gone.iter().cloned());
    let dir = tempfile::tempdir().expect("a folder");
    for form in ["array", "csv"] {
        let folder = dir.path().join(form);
        match form {
            "array" => forms::array(&folder.join("Audit.Exchange.json"), &records),
            _ => forms::cmdlet_csv(&folder.join("AuditRecords.csv"), &records),
        }
        let answer = judge(&folder, &[]);
        let forward = found(&answer, "1b.inbox-rule-forward", &id(&outlook), "compromise");
        assert!(forward["text"]["en"].to_string().contains("depot.compta@example.net"), "where it goes: {forward}");
        found(&answer, "1b.inbox-rule-hiding", &id(&web), "suspicious");
        assert_eq!(proposed(&answer, "1.b"), "confirmed", "{}", all_told(&answer));
        for record in &gone {
            // A removal may be told with the rule that it removed; alone it hides nothing.
            for f in citing(&answer, &id(record)).into_iter().filter(|f| blames(f)) {
                assert!(common::cites(f, &id(&outlook)) || common::cites(f, &id(&web)), "a removal is no rule: {f}");
            }
        }
        let stories: Vec<&Value> =
            list(&answer, "stories").iter().filter(|s| s["subject"].to_string().contains(victim.0)).collect();
        assert_eq!(stories.len(), 1, "one story of the victim");
        quiet(&answer, &id(&tidy));
        innocent(&answer, colleague);
    }
}

/// With nothing but the audit log: the tenant's own domains are those of its people who act, and its initial domain. A
/// guest, a stranger's failed sign-in and a destination teach no domain. A free mail service is outside whatever is known.
#[test]
fn outside_is_told_from_the_log_alone() {
    let (actor, admin) = (Person("l.masson"), Person("adm.ferrand"));
    let boxes = [Person("compta"), Person("direction"), Person("achats")];
    let free = "compta-ardoise-relais-0001@gmail.com"; // a form that this service does not give
    let night = from("203.0.113.19");
    let office = from(OFFICE);
    let mut records = Vec::new();
    for who in [actor, Person("e.nicolas"), Person("g.picard")].into_iter().chain(boxes) {
        records.extend(audit::mornings(who, "2026-03-02", 10, OFFICE));
    }
    let forward = |at: &str, who: Person, via: Via<'_>, owner: Person, to: &str| {
        let identity = owner.upn();
        audit::cmdlet(
            at,
            who,
            via,
            "Set-Mailbox",
            owner.0,
            &[("Identity", identity.as_str()), ("ForwardingSmtpAddress", to), ("DeliverToMailboxAndForward", "True")],
        )
    };
    let outside: Vec<Value> = (boxes.iter().enumerate())
        .map(|(n, b)| forward(&format!("2026-03-13T22:0{n}:10"), actor, night, *b, &format!("smtp:{free}")))
        .collect();
    // The partner's domain appears as a failed sign-in of a stranger and as a guest: neither makes it ours.
    let mut stranger = audit::logon("2026-03-12T09:00:00", Person("y.bazin"), Via { error: 50034, ..from("198.51.100.7") });
    stranger["UserId"] = json!("y.bazin@partenaire.example.net");
    let mut guest = audit::logon("2026-03-12T10:00:00", Person("z.petit"), from("198.51.100.7"));
    guest["UserId"] = json!("z.petit_partenaire.example.net#EXT#@ardoiseexample.onmicrosoft.com");
    guest["UserType"] = json!(10);
    let rule = audit::rule(
        "2026-03-12T18:40:00",
        Person("e.nicolas"),
        office,
        "Factures",
        &[("SubjectContainsWords", "facture;paiement"), ("ForwardTo", "suivi@partenaire.example.net")],
    );
    let inside = [
        forward("2026-03-11T10:00:00", admin, office, Person("g.picard"), "smtp:c.blin@ardoise.example.com"),
        forward("2026-03-11T10:05:00", admin, office, Person("f.huet"), "smtp:archives@ardoiseexample.onmicrosoft.com"),
        forward("2026-03-11T10:09:00", admin, office, Person("i.renard"), "smtp:accueil@agence.ardoise.example.com"),
        forward("2026-03-11T10:11:00", admin, office, Person("j.colin"), ""),
    ];
    records.extend(outside.iter().cloned().chain([stranger, guest, rule.clone()]).chain(inside.iter().cloned()));
    let dir = tempfile::tempdir().expect("a folder");
    for form in ["lines", "csv"] {
        let folder = dir.path().join(form);
        match form {
            "lines" => forms::lines(&folder.join("audit.jsonl"), &records),
            _ => forms::purview_csv(&folder.join("export.csv"), &records),
        }
        let answer = judge(&folder, &[]);
        let mut stories: Option<Vec<Value>> = None;
        for record in &outside {
            let f = found(&answer, "1b.external-forwarding", &id(record), "compromise");
            assert_eq!(f["decisive"], true, "three mailboxes to one address outside: {f}");
            let of: Vec<Value> = stories_of(&answer, f).into_iter().map(|s| s["id"].clone()).collect();
            let common = stories.take().map_or(of.clone(), |s| s.into_iter().filter(|id| of.contains(id)).collect());
            assert!(!common.is_empty(), "one campaign, one story");
            stories = Some(common);
        }
        let f = found(&answer, "1b.inbox-rule-forward", &id(&rule), "suspicious");
        assert!(gravity(f) < rank("compromise"), "one rule to an unknown place is to ask: {f}");
        for record in &inside {
            quiet(&answer, &id(record));
        }
        innocent(&answer, admin);
    }
}

/// Eight rules in four minutes that hide one sender, a link by the same session, another account from the same address.
/// One finding, a hostile session, one story; the sorter beside it does the same number of rules and is silent.
#[test]
fn a_burst_of_rules_and_its_session() {
    let (victim, sorter, next) = (Person("m.aubert"), Person("d.brun"), Person("c.blin"));
    let address = "203.0.113.88";
    let session = who::guid("burst");
    let via = Via { session: &session, agent: who::LINUX, ..from(address) };
    let mut records = Vec::new();
    for who in [victim, sorter, next] {
        records.extend(audit::mornings(who, "2026-05-25", 15, OFFICE));
    }
    let wrong = audit::logon("2026-06-16T05:28:00", victim, Via { error: 50126, ..via });
    let entries = [audit::logon("2026-06-16T05:29:10", victim, via), audit::logon("2026-06-16T05:31:00", victim, via)];
    let names = [".", ",", ";", "..", "'", "-", "_", ",,"];
    let rules: Vec<Value> = (names.iter().enumerate())
        .map(|(n, name)| {
            let words = format!("relance {n};echeance {n}");
            audit::rule(
                &format!("2026-06-16T05:3{}:{:02}", 3 + n / 2, 30 * (n % 2) + 5),
                victim,
                via,
                name,
                &[
                    ("From", "comptabilite@fournisseur.example.net"),
                    ("SubjectContainsWords", words.as_str()),
                    ("MoveToFolder", "Conversation History"),
                    ("MarkAsRead", "True"),
                ],
            )
        })
        .collect();
    let link =
        audit::link("2026-06-16T05:41:00", Some(victim), victim, via, "AnonymousLinkCreated", "Coordonnees bancaires.xlsx");
    let opened = audit::link(
        "2026-06-16T05:42:00",
        None,
        victim,
        Via { session: "", ..via },
        "AnonymousLinkUsed",
        "Coordonnees bancaires.xlsx",
    );
    let other = audit::logon("2026-06-16T05:48:00", next, Via { session: "", ..via });
    let tidy: Vec<Value> = [
        ("Direction", "DG"),
        ("DG", "DG"),
        ("Chantiers", "Chantiers"),
        ("Banque", "Banque"),
        ("Presse", "Presse"),
        ("Voyages", "Voyages"),
        ("Salle", "Logistique"),
        ("Syndicat", "Divers"),
    ]
    .iter()
    .enumerate()
    .map(|(n, (name, folder))| {
        audit::rule(
            &format!("2026-06-15T14:{:02}:00", 4 * n),
            sorter,
            from(OFFICE),
            name,
            &[("From", "lettre@revue.example.org"), ("MoveToFolder", folder)],
        )
    })
    .collect();
    records.extend([&wrong, &entries[0], &entries[1], &link, &opened, &other].into_iter().chain(&rules).chain(&tidy).cloned());
    let dir = tempfile::tempdir().expect("a folder");
    for form in ["lines", "csv"] {
        let folder = dir.path().join(form);
        match form {
            "lines" => forms::lines(&folder.join("audit.json"), &records),
            _ => forms::cmdlet_csv(&folder.join("AuditRecords.csv"), &records),
        }
        let answer = judge(&folder, &[]);
        let f = found(&answer, "1b.inbox-rule-hiding", &id(&rules[0]), "compromise");
        assert_eq!(f["decisive"], true, "{f}");
        for record in &rules {
            let all: Vec<&Value> =
                citing(&answer, &id(record)).into_iter().filter(|f| f["check"] == "1b.inbox-rule-hiding").collect();
            assert!(all.len() == 1 && all[0]["id"] == f["id"], "one burst is one finding: {}", told(&all));
        }
        // The session of a decisive act is hostile: what else it did is judged by it. (Its sign-ins, and the next account
        // from that address, belong to the checks on every account's sign-ins.)
        cited(&answer, &id(&link), "compromise");
        let story = *stories_of(&answer, f).first().expect("a story");
        for stage in ["S4", "S6"] {
            assert!(list(story, "stages").iter().any(|s| s == stage), "mail foothold, data out: {story}");
        }
        assert_eq!(story["level"], "compromise", "never below its gravest fact");
        assert!(["suspected", "confirmed"].contains(&proposed(&answer, "1.e")), "a file went out");
        assert_eq!(proposed(&answer, "1.b"), "confirmed");
        for record in &tidy {
            quiet(&answer, &id(record));
        }
        innocent(&answer, sorter);
    }
}
