//! `reflexe check`: one line a check, or some whole, told from the judgement that is kept.
mod common;

use std::{fs, path::Path};

use common::{list, reflexe, run};
use serde_json::Value;

#[test]
fn a_check_is_told_whole_from_the_judgement_that_is_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let (tenant, case) = (dir.path().join("tenant"), dir.path().join("case"));
    let made = run(reflexe().args(["simulate", "aitm-admin"]).arg(&tenant).args(["--users", "12", "--events", "1000"]));
    assert_eq!(made.code, 0, "{}", made.err);
    let qualified = run(reflexe().arg("qualify").arg(tenant.join("evidence")).arg("--case").arg(&case).arg("--json"));
    let answer: Value = serde_json::from_str(&qualified.out).expect("JSON");
    let check = |args: &[&str]| run(reflexe().arg("check").args(args).arg("--case").arg(&case));
    let json = |args: &[&str]| -> Value {
        let done = check(&[args, &["--json"]].concat());
        assert_eq!(done.code, 0, "{}", done.err);
        let told: Value = serde_json::from_str(&done.out).expect("JSON");
        assert_eq!(told["schema"], "reflexe.checks/1");
        list(&told, "tenants")[0].clone()
    };
    assert_eq!(list(&json(&[]), "checks"), list(&answer, "checks"), "the checks of the answer");

    let id = "1b.external-forwarding";
    let told = json(&[id]);
    let [one] = list(&told, "checks").as_slice() else { panic!("{told}") };
    let result = list(&answer, "checks").iter().find(|c| c["id"] == id).expect("the check");
    for key in ["verdict", "coverage", "missing", "missing_tables", "question", "findings"] {
        assert_eq!(one[key], result[key], "{key}");
    }
    let found: Vec<&Value> = list(&answer, "findings").iter().filter(|f| f["check"] == id).collect();
    assert!(!found.is_empty());
    assert_eq!(list(one, "found").iter().collect::<Vec<_>>(), found, "its findings, with their rows");
    assert!(list(one, "signs").iter().any(|s| s["name"] == "in_context"), "{one}");
    assert!(one["sql"].as_str().is_some_and(|s| s.contains("signal.forward")), "{one}");

    // Every check of an item, each once.
    let of_item = json(&["1.b.8", id]);
    let ids: Vec<&str> = list(&of_item, "checks").iter().filter_map(|c| c["id"].as_str()).collect();
    assert!(ids.contains(&id) && ids.len() > 1 && ids.iter().filter(|i| **i == id).count() == 1, "{ids:?}");

    for (lang, words) in [
        ("en", ["How it is judged", "without any sign:", "without these no “ok”:", "SQL"]),
        ("fr", ["Comment c’est jugé", "sans aucun signe :", "sans quoi pas de « ok » :", "SQL"]),
    ] {
        let text = check(&[id, "--lang", lang]).out;
        for word in words {
            assert!(text.contains(word), "{word} in {text}");
        }
        let locator = list(found[0], "rows")[0]["locator"].as_str().expect("a locator");
        assert!(text.contains(locator), "{locator} in {text}");
        let all = check(&["--lang", lang]).out;
        assert!(list(&answer, "checks").iter().all(|c| all.contains(c["id"].as_str().expect("an id"))), "{all}");
    }

    kept_or_again(&case, id);
    for (lang, words) in [("en", "neither a check nor an item"), ("fr", "ni un contrôle ni un point")] {
        let wrong = check(&["1b.nothing", "--lang", lang]);
        assert!(wrong.code == 3 && wrong.err.contains(words), "{} {}", wrong.code, wrong.err);
    }
}

/// Without `--again` nothing is computed: the tables may even be gone. With it, everything is.
fn kept_or_again(case: &Path, id: &str) {
    let tables = case.join("tables");
    fs::rename(&tables, case.join("elsewhere")).expect("moved");
    let kept = run(reflexe().args(["check", id, "--case"]).arg(case));
    assert_eq!(kept.code, 0, "{}", kept.err);
    let again = run(reflexe().args(["check", id, "--again", "--case"]).arg(case));
    assert!(again.code == 3 && again.err.contains("case verify"), "the tables are gone: {} {}", again.out, again.err);
    fs::rename(case.join("elsewhere"), &tables).expect("moved back");
    let again = run(reflexe().args(["check", id, "--again", "--case"]).arg(case));
    assert_eq!((again.code, again.out), (0, kept.out), "{}", again.err);
}
