//! Finds the data folders under `evidence/` and embeds them: a new table, source or way to obtain is a new file, nothing else.
use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../evidence");
    let root = root.canonicalize().expect("the folder evidence/ stands beside crates/");
    let mut code = String::new();
    for (name, folder, ext) in [
        ("TABLES", "tables", "toml"),
        ("OBTAIN", "obtain", "toml"),
        ("COVERAGE", "coverage", "toml"),
        ("SOURCES", "sources", "toml"),
        ("REFERENCE", "reference", "csv"),
    ] {
        let mut files = Vec::new();
        walk(&root.join(folder), ext, &mut files);
        files.sort();
        writeln!(code, "/// Embedded files of `evidence/{folder}`: path relative to it, content.").expect("string");
        writeln!(code, "pub static {name}: &[(&str, &str)] = &[").expect("string");
        for file in files {
            let short = file.strip_prefix(root.join(folder)).expect("under root").display().to_string();
            writeln!(code, "    ({short:?}, include_str!({:?})),", file.display().to_string()).expect("string");
        }
        code.push_str("];\n");
    }
    println!("cargo:rerun-if-changed={}", root.display());
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("embedded.rs"), code).expect("OUT_DIR is writable");
}

fn walk(dir: &Path, ext: &str, out: &mut Vec<std::path::PathBuf>) {
    println!("cargo:rerun-if-changed={}", dir.display());
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            // samples are for tests, not for the binary
            if path.file_name().is_some_and(|n| n != "samples") {
                walk(&path, ext, out);
            }
        } else if path.extension().is_some_and(|e| e == ext) {
            out.push(path);
        }
    }
}
