//! Marks of people on findings, through the binary: one finding, all of a person's, and what grew since.
mod common;

use std::path::Path;

use common::{Run, list, reflexe, run};
use serde_json::Value;

const TENANT: &str = "bbbbbbbb-0000-4000-8000-000000000009";

/// A mailbox whose owner forwards it to `destination`, as the unified audit log tells it.
fn forward(n: u32, owner: &str, destination: &str) -> String {
    serde_json::json!({
        "CreationTime": format!("2026-03-04T10:{n:02}:00"), "Id": format!("00000000-0000-4000-8000-0000000000{n:02}"),
        "Operation": "Set-Mailbox", "OrganizationId": TENANT, "RecordType": 1, "ResultStatus": "True", "UserType": 0,
        "Version": 1, "Workload": "Exchange", "UserId": owner, "UserKey": owner, "ObjectId": owner, "ClientIP": "192.0.2.4:443",
        "Parameters": [{"Name": "Identity", "Value": owner},
                       {"Name": "ForwardingSmtpAddress", "Value": format!("smtp:{destination}")},
                       {"Name": "DeliverToMailboxAndForward", "Value": "True"}],
    })
    .to_string()
}

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder") }
    }

    fn run(&self, args: &[&str]) -> Run {
        let case = self.dir.path().join("case");
        let done = run(reflexe()
            .env("REFLEXE_HOME", self.dir.path().join("home"))
            .env("REFLEXE_ME", "A. Martin")
            .args(&args[..1])
            .arg("--case")
            .arg(&case)
            .args(&args[1..]));
        assert!(done.code < 2, "{args:?}: {}{}", done.out, done.err);
        done
    }

    fn import(&self, name: &str, lines: &[String]) {
        let path = self.dir.path().join(name);
        std::fs::write(&path, lines.join("\n") + "\n").expect("written");
        self.run(&["import", Path::new(&path).to_str().expect("UTF-8")]);
    }

    fn listed(&self) -> Value {
        serde_json::from_str(&self.run(&["triage", "--json"]).out).expect("JSON")
    }
}

fn of<'a>(listed: &'a Value, subject: &str) -> Vec<&'a Value> {
    list(listed, "findings").iter().filter(|f| f["subject"] == subject && f["check"] == "1b.external-forwarding").collect()
}

#[test]
fn a_mark_holds_for_what_was_judged_and_asks_again_when_it_grew() {
    let bench = Bench::new();
    let (anna, boris) = ("anna@example.com", "boris@example.com");
    bench.import(
        "one.jsonl",
        &[forward(1, anna, "a@example.org"), forward(2, anna, "b@example.org"), forward(3, boris, "a@example.org")],
    );
    let before = bench.listed();
    let ids: Vec<&str> = of(&before, anna).iter().map(|f| f["id"].as_str().expect("an id")).collect();
    assert!(ids.len() == 2 && of(&before, anna).iter().all(|f| f["asks"] == true && f["triage"].is_null()), "{before:#}");

    // Nobody gave the tenant's domains: it is outside by what the log knows of its users, and that is said.
    assert!(of(&before, anna).iter().all(|f| f["text"]["en"].to_string().contains("domains is missing")), "{before:#}");

    // One call to Anna settles all that is hers, and nothing of Boris's.
    let told = bench.run(&["triage", anna, "legitimate", "--because", "holiday cover"]);
    assert!(ids.iter().all(|id| told.out.contains(id)), "{}", told.out);
    let after = bench.listed();
    for f in of(&after, anna) {
        assert_eq!((f["verdict"].as_str(), f["asks"].as_bool()), (Some("info"), Some(false)), "{f:#}");
        assert_eq!((f["triage"]["who"].as_str(), f["triage"]["mark"].as_str()), (Some("A. Martin"), Some("legitimate")));
    }
    assert_eq!(of(&before, boris), of(&after, boris));
    let again = run(reflexe()
        .env("REFLEXE_HOME", bench.dir.path().join("home"))
        .args(["triage", anna, "malicious", "--case"])
        .arg(bench.dir.path().join("case")));
    assert!(again.code == 3 && again.err.contains("judged already"), "{}{}", again.out, again.err);

    // The same record in another export changes nothing; one more act does.
    bench.import("same.jsonl", &[forward(1, anna, "a@example.org")]);
    assert!(of(&bench.listed(), anna).iter().all(|f| f["verdict"] == "info"));
    bench.import("more.jsonl", &[forward(9, anna, "a@example.org")]);
    let grown = bench.listed();
    let (changed, kept): (Vec<&Value>, Vec<&Value>) = of(&grown, anna).into_iter().partition(|f| f["asks"] == true);
    assert_eq!((changed.len(), kept.len()), (1, 1), "{grown:#}");
    assert_ne!(changed[0]["verdict"], "info");
    assert!(changed[0]["text"]["en"].as_str().expect("a sentence").contains("changed since"), "{}", changed[0]);
    assert_eq!(changed[0]["triage"]["outdated"], true);
    let shown = bench.run(&["triage"]).out;
    assert!(shown.contains("[ ]") && shown.contains("[×]") && shown.contains("holiday cover"), "{shown}");
}
