//! Is the case folder copied to a cloud by itself? A case that the compromised tenant synchronises can be read, changed and
//! deleted by the attacker. Looks at names, variables and markers only; opens nothing and asks nobody.
use std::{
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

use reflexe_model::Text;

/// Marker files that synchronising programs leave in their folders.
const MARKERS: [(&str, &str); 4] = [
    (".849C9593-D756-4E56-8D6E-42412F2A707B", "OneDrive / SharePoint"),
    (".dropbox", "Dropbox"),
    (".dropbox.cache", "Dropbox"),
    (".tmp.drivedownload", "Google Drive"),
];

/// Why a case should not stand in this folder; `None` if nothing speaks against it. `dir` is absolute; `env` is the process's
/// environment.
pub fn warning(dir: &Path, env: impl IntoIterator<Item = (OsString, OsString)>) -> Option<Text> {
    let (service, why) = by_variable(dir, env).or_else(|| by_name(dir)).or_else(|| by_marker(dir))?;
    let d = dir.display();
    Some(Text::new(
        format!(
            "Le dossier {d} semble synchronisé par {service} ({}). Si le tenant est compromis, l’attaquant peut lire et effacer ce dossier. Placez-le sur un disque local ou une clé chiffrée.",
            why.display()
        ),
        format!(
            "The folder {d} seems to be synchronised by {service} ({}). If the tenant is compromised, the attacker can read and delete this case. Put it on a local disk or an encrypted stick.",
            why.display()
        ),
    ))
}

fn by_variable(dir: &Path, env: impl IntoIterator<Item = (OsString, OsString)>) -> Option<(&'static str, PathBuf)> {
    env.into_iter().find_map(|(name, value)| {
        let root = PathBuf::from(value);
        let named = name.to_str().is_some_and(|n| n.to_ascii_lowercase().starts_with("onedrive"));
        // An empty or relative value would contain everything.
        (named && root.is_absolute() && root.components().count() > 1 && dir.starts_with(&root))
            .then_some(("OneDrive / SharePoint", root))
    })
}

fn by_name(dir: &Path) -> Option<(&'static str, PathBuf)> {
    let mut so_far = PathBuf::new();
    for part in dir.components() {
        so_far.push(part);
        let Component::Normal(name) = part else { continue };
        let name = name.to_string_lossy().to_lowercase();
        let is = |word: &str| name == word || name.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '-', '_', '(']));
        let service = if is("onedrive") || is("sharepoint") {
            "OneDrive / SharePoint"
        } else if is("dropbox") {
            "Dropbox"
        } else if is("google drive") || is("googledrive") {
            "Google Drive"
        } else if name == "com~apple~clouddocs" || name == "mobile documents" || is("icloud drive") || is("iclouddrive") {
            "iCloud"
        } else if is("nextcloud") {
            "Nextcloud"
        } else if name == "cloudstorage" && so_far.parent().is_some_and(|p| p.ends_with("Library")) {
            // macOS puts every provider's folder there.
            "un service de fichiers en ligne / a cloud storage provider"
        } else {
            continue;
        };
        return Some((service, so_far));
    }
    // A mounted SharePoint or OneDrive library: \\tenant.sharepoint.com@SSL\DavWWWRoot\…
    let whole = dir.to_string_lossy().to_lowercase();
    let mounted = [".sharepoint.com", "d.docs.live.net"].iter().any(|host| whole.contains(host));
    mounted.then(|| ("OneDrive / SharePoint", dir.to_owned()))
}

fn by_marker(dir: &Path) -> Option<(&'static str, PathBuf)> {
    dir.ancestors().find_map(|folder| {
        let found = MARKERS.iter().find(|(name, _)| folder.join(name).symlink_metadata().is_ok());
        found.map(|(name, service)| (*service, folder.join(name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Vec<(OsString, OsString)> {
        Vec::new()
    }

    #[test]
    fn synchronised_folders_are_known_by_name_variable_and_marker() {
        for path in [
            "/home/a/OneDrive - Example/case",
            "/home/a/OneDrive/case",
            "/Users/a/Library/CloudStorage/X/case",
            "/mnt/example.sharepoint.com@SSL/case",
        ] {
            let text = warning(Path::new(path), none()).unwrap_or_else(|| panic!("{path}"));
            assert!(text.fr.contains("synchronisé") && text.en.contains("synchronised"));
        }
        for path in ["/home/a/onedriver/case", "/home/a/case", "/srv/my-dropboxes/case"] {
            assert_eq!(warning(Path::new(path), none()), None, "{path}");
        }
        let env = |value: &str| vec![(OsString::from("OneDriveCommercial"), OsString::from(value))];
        assert!(warning(Path::new("/data/sync/case"), env("/data/sync")).is_some());
        for value in ["", "/", "data", "/data/syn"] {
            assert_eq!(warning(Path::new("/data/sync/case"), env(value)), None, "{value}");
        }
        let dir = tempfile::tempdir().unwrap();
        let case = dir.path().join("a/case");
        std::fs::create_dir_all(&case).unwrap();
        assert_eq!(warning(&case, none()), None);
        std::fs::write(dir.path().join(MARKERS[0].0), "").unwrap();
        assert!(warning(&case, none()).is_some());
    }
}
