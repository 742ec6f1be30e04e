//! Every case of every check of `fiche/`, through the real engine. `REFLEXE_CHECK=1a.` runs only the checks whose id
//! starts so. `reflexe cases` runs the same without compiling.
use std::{path::Path, sync::Mutex};

use reflexe_engine::cases;

#[test]
fn every_case_of_every_check() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fiche");
    let only: Vec<String> = std::env::var("REFLEXE_CHECK").into_iter().collect();
    let all = Mutex::new(Vec::new());
    cases::run_folder(&dir, &only, &|_, faults| all.lock().expect("no thread panicked").extend_from_slice(faults))
        .expect("the tree is well formed and the engine starts");
    let faults = all.into_inner().expect("no thread panicked");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
