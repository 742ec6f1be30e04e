//! The key of the device that writes. A signature proves which device wrote, never which person.
//!
//! The key is made at first use, in the user's own configuration folder; `REFLEXE_HOME` names another. A key that is lost or
//! damaged never stops anybody from writing: the device gets a new one and begins a new chain.
use std::{
    env, fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use ed25519_dalek::SigningKey;
use etcetera::BaseStrategy as _;
use reflexe_model::Text;

use super::{
    chain,
    known::{Heads, Memory},
};
use crate::error::{Doing, Error};

/// Name of the key file.
const FILE: &str = "device.key";

/// The writing device.
pub struct Device {
    key: SigningKey,
    host: String,
    /// The folder that holds the key and what the device remembers of cases; none if that is the case itself, or for tests.
    home: Option<PathBuf>,
    /// What the person should know: the key stands in the case, or is new because the old one was damaged.
    pub warning: Option<Text>,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("label", &self.label()).finish_non_exhaustive()
    }
}

impl Device {
    /// The device's key; made if there is none. If no configuration folder can be written the key stands in the case folder,
    /// and [`Device::warning`] says so.
    ///
    /// # Errors
    /// When the system gives no random bytes, or neither place can be written.
    pub fn load(case: &Path) -> Result<Self, Error> {
        let home = home();
        if let Some(home) = &home
            && let Ok(device) = Self::load_from(home)
        {
            return Ok(device);
        }
        let mut device = Self { home: None, ..Self::load_from(case)? };
        let (fr, en) =
            home.map_or((String::new(), String::new()), |h| (format!(" ({})", h.display()), format!(" ({})", h.display())));
        device.warning = Some(Text::new(
            format!(
                "La clé de ce poste n’a pas pu être enregistrée dans la configuration de l’utilisateur{fr} : elle est dans le dossier. Qui copie le dossier peut signer à la place de ce poste. Indiquez un emplacement sûr avec REFLEXE_HOME."
            ),
            format!(
                "The key of this device could not be kept in the user’s configuration{en}: it stands in the case folder. Whoever copies the case can sign in this device’s place. Name a safe place with REFLEXE_HOME."
            ),
        ));
        Ok(device)
    }

    /// The key in this folder; made if there is none.
    ///
    /// # Errors
    /// When it can be neither read nor written.
    pub fn load_from(home: &Path) -> Result<Self, Error> {
        fs::create_dir_all(home).map_err(Error::io(Doing::Writing, home))?;
        let path = home.join(FILE);
        let mut warning = None;
        let seed = match read(&path)? {
            Found::Seed(seed) => seed,
            Found::None => create(&path)?,
            Found::Damaged => {
                // Kept aside: whoever examines the device may want it.
                let aside = (1..).map(|n| home.join(format!("device.damaged-{n}.key"))).find(|p| !p.exists());
                let aside = aside.unwrap_or_else(|| home.join("device.damaged.key"));
                fs::rename(&path, &aside).map_err(Error::io(Doing::Moving, &aside))?;
                let (p, a) = (path.display(), aside.display());
                warning = Some(Text::new(
                    format!(
                        "La clé de ce poste ({p}) est illisible ; une nouvelle la remplace, l’ancienne est gardée sous {a}. Les écritures déjà faites restent valables."
                    ),
                    format!(
                        "The key of this device ({p}) cannot be read; a new one replaces it, the old one is kept as {a}. What was written stays valid."
                    ),
                ));
                create(&path)?
            }
        };
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        Ok(Self { key: SigningKey::from_bytes(&seed), host, home: Some(home.to_owned()), warning })
    }

    /// A device with a given key, for tests and for writers that are no computer.
    pub fn with_key(seed: [u8; 32], host: impl Into<String>) -> Self {
        Self { key: SigningKey::from_bytes(&seed), host: host.into(), home: None, warning: None }
    }

    /// The public key, lower-case hexadecimal: what entries call their writer.
    pub fn writer(&self) -> String {
        chain::hex(self.key.verifying_key().as_bytes())
    }

    /// Where it remembers what it saw.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Where the chains of a case ended when it was seen last.
    pub(crate) fn known(&self, case_id: &str) -> Heads {
        self.home().map(|home| Memory::of(home, case_id).heads()).unwrap_or_default()
    }

    /// The key, for signing.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Short name: `PC-RSSI·7F3A`.
    pub fn label(&self) -> String {
        label(&self.host, &self.writer())
    }
}

/// The folder of the device: named by `REFLEXE_HOME`, else in the user's configuration.
pub(crate) fn home() -> Option<PathBuf> {
    let named = env::var_os("REFLEXE_HOME").filter(|h| !h.is_empty()).map(PathBuf::from);
    named.or_else(|| etcetera::choose_base_strategy().ok().map(|b| b.config_dir().join("reflexe")))
}

/// Short name of a writer.
pub(crate) fn label(host: &str, writer: &str) -> String {
    let name: String = host.split('.').next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(24).collect();
    let name = if name.is_empty() { "?".to_owned() } else { name };
    format!("{name}·{}", writer.get(..4).unwrap_or_default().to_uppercase())
}

enum Found {
    Seed([u8; 32]),
    None,
    Damaged,
}

/// Reads a key. Another process may be writing it at this moment: a file that is not whole is looked at again.
fn read(path: &Path) -> Result<Found, Error> {
    for _ in 0..20 {
        match fs::read_to_string(path) {
            Ok(text) => {
                if let Some(seed) = chain::unhex(text.trim_end()).and_then(|bytes| bytes.try_into().ok()) {
                    return Ok(Found::Seed(seed));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(Found::Damaged),
            Err(error) => return Err(Error::io(Doing::Reading, path)(error)),
        }
        thread::sleep(Duration::from_millis(25));
    }
    Ok(Found::Damaged)
}

/// Makes a key, or takes the one that another process made meanwhile.
fn create(path: &Path) -> Result<[u8; 32], Error> {
    let seed = random()?;
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            let write = file.write_all(format!("{}\n", chain::hex(&seed)).as_bytes()).and_then(|()| file.sync_all());
            write.map_err(Error::io(Doing::Writing, path))?;
            Ok(seed)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match read(path)? {
            Found::Seed(seed) => Ok(seed),
            Found::None | Found::Damaged => Err(Error::io(Doing::Reading, path)(error)),
        },
        Err(error) => Err(Error::io(Doing::Writing, path)(error)),
    }
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|source| Error::Random { why: source.to_string() })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_belongs_to_its_user() {
        let dir = tempfile::tempdir().unwrap();
        let made = Device::load_from(dir.path()).unwrap();
        assert_eq!(Device::load_from(dir.path()).unwrap().writer(), made.writer());
        assert!(made.warning.is_none());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(label("PC-RSSI.example.com", "7f3a00"), "PC-RSSI·7F3A");
    }

    #[test]
    fn a_damaged_key_is_kept_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "no key").unwrap();
        let device = Device::load_from(dir.path()).unwrap();
        assert!(device.warning.is_some());
        assert_eq!(fs::read(dir.path().join("device.damaged-1.key")).unwrap(), b"no key");
        assert_eq!(Device::load_from(dir.path()).unwrap().writer(), device.writer());
    }

    #[test]
    fn several_at_once_end_with_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let writers: Vec<String> = thread::scope(|scope| {
            let each: Vec<_> = (0..8).map(|_| scope.spawn(|| Device::load_from(dir.path()).unwrap().writer())).collect();
            each.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(writers.iter().all(|w| *w == writers[0]), "{writers:?}");
    }
}
