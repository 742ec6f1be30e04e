//! Every case of every check of `fiche/`, through the real engine. `REFLEXE_CHECK=1a.` runs only the checks whose id
//! starts so.
use std::path::Path;

use reflexe_engine::cases;
use reflexe_fiche::Catalogue;

#[test]
fn every_case_of_every_check() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fiche");
    let catalogue = Catalogue::from_dir(&dir).expect("the tree is well formed");
    let only = std::env::var("REFLEXE_CHECK").unwrap_or_default();
    let checks: Vec<_> = catalogue.checks.iter().filter(|c| c.def.id.starts_with(&only)).collect();
    assert!(!checks.is_empty(), "no check starts with {only:?}");
    let next = std::sync::atomic::AtomicUsize::new(0);
    let faults = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(check) = checks.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let file = Catalogue::cases(&dir, check).expect("cases.toml is readable");
                    let mut found = cases::contract(&catalogue, check).expect("the query is planned");
                    found.extend(cases::run_all(&catalogue, check, &file).expect("the engine starts"));
                    faults.lock().expect("no thread panicked").extend(found);
                }
            });
        }
    });
    let mut faults = faults.into_inner().expect("no thread panicked");
    faults.sort();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
