//! Finds the tree `fiche/`, holds it to its rules and embeds it: a new check is a new folder, nothing central to edit.
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

#[allow(dead_code)]
#[path = "src/def.rs"]
mod def;
#[allow(dead_code)]
#[path = "src/response/def.rs"]
mod response;

#[allow(dead_code)]
#[path = "src/question.rs"]
mod question;

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../fiche");
    let root = root.canonicalize().expect("the folder fiche/ stands beside crates/");
    let mut files = BTreeMap::new();
    walk(&root, &root, &mut files);
    let mut faults = check_tree(&files);
    faults.extend(response::faults(&files));
    assert!(faults.is_empty(), "\nfiche/ breaks its own rules:\n  {}\n", faults.join("\n  "));

    let mut code = String::from("/// Files of the tree: path relative to it, content.\npub static FILES: &[(&str, &str)] = &[\n");
    for short in files.keys().filter(|k| !k.ends_with("cases.toml")) {
        let full = root.join(short).display().to_string();
        writeln!(code, "    ({short:?}, include_str!({full:?})),").expect("string");
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("tree.rs"), code).expect("OUT_DIR is writable");
}

fn walk(root: &Path, dir: &Path, out: &mut BTreeMap<String, String>) {
    println!("cargo:rerun-if-changed={}", dir.display());
    let mut entries: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(root, &path, out);
        } else if path.extension().is_some_and(|e| e == "toml" || e == "sql") {
            println!("cargo:rerun-if-changed={}", path.display());
            let short = path.strip_prefix(root).expect("under root").display().to_string();
            out.insert(short, fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())));
        }
    }
}

fn check_tree(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    let items: def::ItemFile = match files.get("items.toml").map(|t| toml::from_str(t)) {
        Some(Ok(items)) => items,
        Some(Err(error)) => return vec![format!("items.toml: {error}")],
        None => return vec!["items.toml is missing".into()],
    };
    let facts = items.item;
    let items: BTreeSet<String> = facts.iter().map(|i| i.id.clone()).collect();
    let mut ids = BTreeSet::new();
    let mut answers = BTreeMap::new();
    let mut questions = Vec::new();
    for (path, text) in files {
        if let Some(folder) = path.strip_suffix("/check.toml") {
            let check: def::CheckDef = match toml::from_str(text) {
                Ok(check) => check,
                Err(error) => {
                    faults.push(format!("{path}: {error}"));
                    continue;
                }
            };
            answers.insert(check.id.clone(), check.items.clone());
            if !ids.insert(check.id.clone()) {
                faults.push(format!("{path}: the id {} is taken", check.id));
            }
            if !files.contains_key(&format!("{folder}/check.sql")) {
                faults.push(format!("{folder}: no check.sql"));
            }
            match files.get(&format!("{folder}/cases.toml")).map(|t| toml::from_str::<def::CaseFile>(t)) {
                Some(Ok(cases)) => faults.extend(def::faults(folder, &check, &cases, &items)),
                Some(Err(error)) => faults.push(format!("{folder}/cases.toml: {error}")),
                None => faults.push(format!("{folder}: no cases.toml")),
            }
        } else if path.ends_with("/questions.toml") {
            match toml::from_str::<question::QuestionFile>(text) {
                Ok(file) => questions.extend(file.question.into_iter().map(|q| (path.clone(), q))),
                Err(error) => faults.push(format!("{path}: {error}")),
            }
        } else if path.ends_with("/action.toml") {
            match toml::from_str::<def::ActionDef>(text) {
                Ok(action) => faults.extend(
                    action.items.iter().filter(|i| !items.contains(*i)).map(|i| format!("{path}: no item {i} in items.toml")),
                ),
                Err(error) => faults.push(format!("{path}: {error}")),
            }
        } else if let Some(name) = path.strip_prefix("signals/").and_then(|p| p.strip_suffix(".sql")) {
            match files.get(&format!("signals/{name}.toml")).map(|t| toml::from_str::<def::SignalDef>(t)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => faults.push(format!("signals/{name}.toml: {error}")),
                None => faults.push(format!("signals/{name}.sql has no {name}.toml")),
            }
        }
    }
    faults.extend(question::question_faults(&questions, &items, &ids));
    let asked = questions.iter().map(|(_, q)| q.id.clone()).collect();
    faults.extend(def::item_faults(&facts, &answers, &asked));
    faults
}
