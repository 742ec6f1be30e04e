//! The house keeps its shape: crates know only what stands to their left, files are about one idea, licences are allowed.
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What each crate may know. A crate that is not here may not exist.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("reflexe-model", &[]),
    ("reflexe-evidence", &["reflexe-model"]),
    ("reflexe-fiche", &["reflexe-model"]),
    ("reflexe-engine", &["reflexe-model", "reflexe-evidence", "reflexe-fiche"]),
    ("reflexe-case", &["reflexe-model", "reflexe-evidence"]),
    ("reflexe-report", &["reflexe-model", "reflexe-fiche"]),
    ("reflexe-simulate", &["reflexe-model"]),
    (
        "reflexe",
        &[
            "reflexe-model",
            "reflexe-evidence",
            "reflexe-fiche",
            "reflexe-engine",
            "reflexe-case",
            "reflexe-report",
            "reflexe-simulate",
        ],
    ),
];

/// Longest file. A longer one needs a written reason here.
const LONGEST: usize = 700;
/// Half of the files must be shorter than this.
const MEDIAN: usize = 200;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    files_ending(dir, "rs", out);
}

fn files_ending(dir: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "target") {
            files_ending(&path, ending, out);
        } else if path.extension().is_some_and(|e| e == ending) {
            out.push(path);
        }
    }
}

#[test]
fn crates_know_only_what_stands_to_their_left() {
    for entry in fs::read_dir(root().join("crates")).expect("the crates") {
        let dir = entry.expect("an entry").path();
        let name = dir.file_name().expect("a name").to_string_lossy().into_owned();
        let (_, may) = MAY_KNOW.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("{name} has no place in the house"));
        let manifest: toml::Table =
            toml::from_str(&fs::read_to_string(dir.join("Cargo.toml")).expect("a manifest")).expect("TOML");
        for table in ["dependencies", "build-dependencies"] {
            for known in manifest.get(table).and_then(|d| d.as_table()).into_iter().flat_map(toml::Table::keys) {
                assert!(!known.starts_with("reflexe") || may.contains(&known.as_str()), "{name} must not know {known}");
            }
        }
        if name != "reflexe-engine" {
            let heavy = manifest["dependencies"].as_table().is_some_and(|d| d.contains_key("datafusion"));
            assert!(!heavy, "{name}: only the engine knows DataFusion");
        }
        let mut files = Vec::new();
        rust_files(&dir.join("src"), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).expect("readable");
            for (other, _) in MAY_KNOW.iter().filter(|(o, _)| *o != name && !may.contains(o)) {
                let import = format!("{}::", other.replace('-', "_"));
                let used = text.lines().any(|l| {
                    !l.trim_start().starts_with("//")
                        && l.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').any(|w| w.starts_with(&import))
                });
                assert!(!used, "{} uses {other}", file.display());
            }
        }
    }
}

#[test]
fn files_are_about_one_idea() {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    let mut sizes: Vec<usize> = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("readable");
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", file.display());
        assert!(text.starts_with("//!"), "{} does not say what it is for", file.display());
        sizes.push(lines);
    }
    sizes.sort_unstable();
    assert!(sizes[sizes.len() / 2] < MEDIAN, "half of the files have {} lines or more", sizes[sizes.len() / 2]);
}

/// Exports lose, repeat and redact the ids of records: the parts of a record are found by its place in the evidence.
#[test]
fn no_query_joins_by_the_id_of_a_record() {
    let mut files = Vec::new();
    files_ending(&root().join("fiche"), "sql", &mut files);
    assert!(files.len() > 60, "{} queries", files.len());
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("--").next().unwrap_or_default();
            let named = code
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .find(|w| ["event_id", "audit_id", "record_id"].contains(w));
            assert!(named.is_none(), "{} line {}: {named:?}: join by `place`", file.display(), number + 1);
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    let marks = ["to".to_owned() + "do!(", "unimpl".to_owned() + "emented!("];
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        assert!(!marks.iter().any(|m| text.contains(m.as_str())), "{}", file.display());
    }
}

/// The licences that `deny.toml` allows. Held here too, so that a machine without cargo-deny guards them all the same.
#[test]
fn every_dependency_has_an_allowed_licence() {
    let deny: toml::Table = toml::from_str(&fs::read_to_string(root().join("deny.toml")).expect("deny.toml")).expect("TOML");
    let allowed: Vec<&str> = deny["licenses"]["allow"].as_array().expect("a list").iter().filter_map(|l| l.as_str()).collect();
    let mut command = std::process::Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform"]).arg(host()).current_dir(root());
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "{} packages", packages.len());
    for package in packages {
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(allows(licence, &allowed), "{} {}: licence \"{licence}\"", package["name"], package["version"]);
    }
}

/// Whether an SPDX expression can be satisfied: of alternatives one must be allowed, of parts all.
fn allows(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ");
    let fine = |words: &[&str]| {
        let joined = words.join(" ");
        let text = joined.trim_matches(|c| c == '(' || c == ')' || c == ' ');
        allowed.contains(&text)
    };
    // `(A OR B) AND C` is read as parts whose alternatives stand between brackets
    let parts: Vec<String> = if expression.contains('(') {
        expression.split(" AND ").map(|p| p.trim_matches(|c| c == '(' || c == ')').to_owned()).collect()
    } else {
        return expression.split(" OR ").any(|alternative| alternative.split(" AND ").all(|l| fine(&[l])));
    };
    parts.iter().all(|part| part.split(" OR ").any(|l| fine(&[l])))
}

#[test]
fn licence_expressions_are_read_right() {
    let allowed = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];
    for (expression, want) in [
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("Apache-2.0 AND ISC", true),
        ("GPL-3.0", false),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-2.0", true),
        ("", false),
    ] {
        assert_eq!(allows(expression, &allowed), want, "{expression}");
    }
}

/// The triple of this machine, as the compiler names it.
fn host() -> String {
    let output = std::process::Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|l| l.strip_prefix("host: ")).expect("a host").to_owned()
}
