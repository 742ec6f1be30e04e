//! The print kit: whole in both languages, honest about what is not verified, and deaf to hostile values.
#![allow(clippy::unwrap_used)]

use std::fs;

use reflexe_fiche::{Catalogue, pack::Pack, response::Response};
use reflexe_model::Lang;
use reflexe_report::{KitInput, kit};

fn rendered(lang: Lang) -> String {
    let (catalogue, response) = (Catalogue::load().unwrap(), Response::load().unwrap());
    let dir = std::env::temp_dir().join(format!("reflexe-kit-{lang:?}-{}", std::process::id()));
    Pack::create(&dir, &response, lang).unwrap();
    let append = |name: &str, rows: &str| {
        let path = dir.join(name);
        fs::write(&path, fs::read_to_string(&path).unwrap() + rows).unwrap();
    };
    append(
        "contacts.csv",
        "<script>alert(1)</script>;RSSI;Exemple;01 00 00 00 00;;help@example.org;24/7;C-1;tout;a@example.org;2026-11-01\n",
    );
    append("administrators.csv", "adm@example.com;B. Adm;tenant;;non;;;;a@example.org;2026-11-01\n");
    append("activities.csv", "Urgences;01 00 00 00 01;forte;2;papier;a@example.org;2026-11-01\n");
    let profile = dir.join("preparation.toml");
    let text = fs::read_to_string(&profile).unwrap().replacen("name = \"\"", "name = \"Exemple SA\"", 1);
    fs::write(&profile, text.replace("# health = false", "health = false")).unwrap();
    let (pack, faults) = Pack::load(&dir, &response).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    assert_eq!(faults, []);
    let now = "2026-11-22T14:00:00Z".parse().unwrap();
    let html = kit(&KitInput { catalogue: &catalogue, response: &response, pack: &pack, now }, lang).unwrap();
    if let Some(out) = std::env::var_os("REFLEXE_KIT_OUT") {
        fs::write(std::path::Path::new(&out).join(format!("kit.{lang:?}.html").to_lowercase()), &html).unwrap();
    }
    html
}

#[test]
fn it_holds_the_whole_sheet_in_both_languages() {
    let catalogue = Catalogue::load().unwrap();
    for (lang, verify) in [(Lang::Fr, "à vérifier"), (Lang::En, "to be verified")] {
        let html = rendered(lang);
        for item in catalogue.actions.iter().flat_map(|a| &a.items) {
            assert!(html.contains(&format!(">{item}<")), "{item}");
        }
        for part in ["Exemple SA", "adm@example.com", "Urgences", "D.GDPR33", verify, "TLP:AMBER+STRICT"] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("D.HEALTH"), "the organisation said that it is not in health");
        assert!(html.contains("D.DORA-I"), "what nobody stated may bind");
    }
}

#[test]
fn a_value_is_never_read_as_a_page() {
    let html = rendered(Lang::En);
    assert!(!html.contains("<script") && html.contains("&#60;script&#62;"));
}
