//! A case in one encrypted file (`.rfx`): a zip archive inside the age format, opened with a passphrase. Any age tool opens it too.
use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write as _},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use age::{Decryptor, Encryptor, scrypt, secrecy::SecretString};
use rusqlite::{Connection, backup::Backup};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{chain, device::random, verify};
use crate::{
    error::{BundleFault, Doing, Error},
    folder::{self, Case},
    manifest,
};

/// Shortest passphrase, in characters.
const PASSPHRASE: usize = 12;
/// Cost of guessing a passphrase: 2^18 rounds, about a second a try.
const WORK: u8 = 18;
/// Most work that unpacking accepts; a hostile bundle could ask for hours.
const MOST_WORK: u8 = 20;

/// How much a bundle may hold when it is unpacked.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files.
    pub files: usize,
    /// Bytes, all together.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 200_000, bytes: 1 << 40 }
    }
}

/// Writes a case into a new file, encrypted. Holds the case's lock through `case`, so that no import changes it meanwhile.
///
/// # Errors
/// When the passphrase is shorter than twelve characters, the file is there already, or something cannot be read or written.
pub fn pack(case: &Case, out: &Path, passphrase: &str) -> Result<(), Error> {
    case.writable()?;
    pack_with(case, out, passphrase, WORK)
}

fn pack_with(case: &Case, out: &Path, passphrase: &str, work: u8) -> Result<(), Error> {
    if passphrase.chars().count() < PASSPHRASE {
        return Err(Error::Bundle { path: out.to_owned(), why: BundleFault::ShortPassphrase });
    }
    let copy = case.staging_dir().join("bundle.sqlite");
    folder::remove(&copy)?;
    let back_up = || -> rusqlite::Result<()> {
        let mut target = Connection::open(&copy)?;
        Backup::new(&case.db, &mut target)?.run_to_completion(1024, Duration::ZERO, None)
    };
    back_up().map_err(case.database())?;
    let staged = out.with_extension(format!("rfx.{}", chain::hex(&random::<4>()?)));
    let write = || -> io::Result<()> {
        let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
        recipient.set_work_factor(work);
        let encryptor =
            Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient)).map_err(io::Error::other)?;
        let target = BufWriter::new(File::create_new(&staged)?);
        let mut zip = ZipWriter::new_stream(encryptor.wrap_output(target)?);
        put(&mut zip, "case.sqlite", &copy)?;
        for path in files(case.dir()).map_err(io::Error::other)? {
            put(&mut zip, &folder::relative(case.dir(), &path), &path)?;
        }
        let encrypted = zip.finish().map_err(io::Error::other)?.into_inner();
        encrypted.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        // Never over a file that is there.
        if out.exists() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        fs::rename(&staged, out)
    };
    let result = write().map_err(Error::io(Doing::Writing, out));
    folder::remove(&copy)?;
    if result.is_err() {
        folder::remove(&staged)?;
    }
    result
}

fn put<W: io::Write + io::Seek>(zip: &mut ZipWriter<W>, name: &str, path: &Path) -> io::Result<()> {
    // Parquet is compressed already.
    let method = if name.ends_with(".parquet") { CompressionMethod::Stored } else { CompressionMethod::Deflated };
    zip.start_file(name, SimpleFileOptions::default().compression_method(method).large_file(true)).map_err(io::Error::other)?;
    io::copy(&mut BufReader::new(File::open(path)?), zip)?;
    Ok(())
}

/// What goes into a bundle beside the manifest.
fn files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut todo: Vec<PathBuf> = FOLDERS.iter().map(|f| dir.join(f)).collect();
    while let Some(folder) = todo.pop() {
        for path in folder::entries(&folder)? {
            let kind = fs::symlink_metadata(&path).map_err(Error::io(Doing::Reading, &path))?;
            if kind.is_dir() {
                todo.push(path);
            } else if kind.is_file() && allowed(&folder::relative(dir, &path)) {
                found.push(path);
            }
        }
    }
    found.extend(folder::entries(dir)?.into_iter().filter(|p| p.is_file() && at_root(&folder::name(p))));
    found.sort();
    Ok(found)
}

const FOLDERS: [&str; 6] = ["evidence", "tables", "attachments", "reports", "index", "preparation"];

/// Files that stand in the case folder itself and go along, beside the older manifests.
const FILES: [&str; 1] = ["judgement.json"];

/// Whether a file of the case folder itself goes along.
fn at_root(name: &str) -> bool {
    FILES.contains(&name) || (name.starts_with("case.format-") && name.ends_with(".sqlite"))
}

/// Whether a name is one that a case has: plain parts, below the known folders, or the manifest and its older copies.
fn allowed(name: &str) -> bool {
    let plain = !name.contains(['\\', ':', '\0']) && Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
    let known = match name.split_once('/') {
        None => name == "case.sqlite" || at_root(name),
        Some((folder, rest)) => FOLDERS.contains(&folder) && !rest.is_empty() && rest.split('/').count() <= 4,
    };
    plain && known && !name.split('/').any(|part| part.is_empty() || part == "." || part == "..")
}

/// Opens a bundle into a new or empty folder and verifies the case.
///
/// # Errors
/// When the folder is not empty, the passphrase is wrong, the bundle is damaged, or holds what no case holds.
pub fn unpack(bundle: &Path, dir: &Path, passphrase: &str, limits: Limits) -> Result<verify::Verified, Error> {
    if !folder::entries(dir)?.is_empty() {
        return Err(Error::NotEmpty { dir: dir.to_owned() });
    }
    fs::create_dir_all(dir).map_err(Error::io(Doing::Writing, dir))?;
    let plain = dir.join("unpacking.zip");
    let result = open(bundle, &plain, passphrase, limits).and_then(|()| extract(bundle, &plain, dir, limits));
    folder::remove(&plain)?;
    if let Err(error) = result {
        for path in folder::entries(dir)? {
            folder::remove(&path)?;
        }
        return Err(error);
    }
    let mut case = Case::open(dir)?;
    case.renew_sums()?;
    drop(case);
    verify::verify(dir)
}

/// Decrypts.
fn open(bundle: &Path, plain: &Path, passphrase: &str, limits: Limits) -> Result<(), Error> {
    let fault = |why| Error::Bundle { path: bundle.to_owned(), why };
    let source = File::open(bundle).map_err(Error::io(Doing::Reading, bundle))?;
    let mut identity = scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    identity.set_max_work_factor(MOST_WORK);
    let decryptor = Decryptor::new_buffered(BufReader::new(source)).map_err(|_| fault(BundleFault::Damaged))?;
    let reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(|error| match error {
        age::DecryptError::DecryptionFailed | age::DecryptError::NoMatchingKeys | age::DecryptError::KeyDecryptionFailed => {
            fault(BundleFault::WrongPassphrase)
        }
        _ => fault(BundleFault::Damaged),
    })?;
    let mut target = BufWriter::new(File::create_new(plain).map_err(Error::io(Doing::Writing, plain))?);
    let mut reader = reader.take(limits.bytes);
    let mut buffer = vec![0; 1 << 16];
    loop {
        // Whatever cannot be read here was cut short or changed: every block is authenticated.
        let n = reader.read(&mut buffer).map_err(|_| fault(BundleFault::Damaged))?;
        if n == 0 {
            break;
        }
        target.write_all(&buffer[..n]).map_err(Error::io(Doing::Writing, plain))?;
    }
    target.flush().map_err(Error::io(Doing::Writing, plain))
}

fn extract(bundle: &Path, plain: &Path, dir: &Path, limits: Limits) -> Result<(), Error> {
    let fault = |why| Error::Bundle { path: bundle.to_owned(), why };
    let source = BufReader::new(File::open(plain).map_err(Error::io(Doing::Reading, plain))?);
    let mut zip = ZipArchive::new(source).map_err(|_| fault(BundleFault::Damaged))?;
    if zip.len() > limits.files {
        return Err(fault(BundleFault::TooLarge));
    }
    let mut left = limits.bytes;
    for n in 0..zip.len() {
        let file = zip.by_index(n).map_err(|_| fault(BundleFault::Damaged))?;
        let name = file.name().map_err(|_| fault(BundleFault::ForeignFile))?.into_owned();
        if !allowed(&name) || !file.is_file() || file.is_symlink() {
            return Err(fault(BundleFault::ForeignFile));
        }
        let path = dir.join(&name);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(Error::io(Doing::Writing, parent))?;
        let mut target = File::create_new(&path).map_err(|_| fault(BundleFault::ForeignFile))?;
        // What the archive declares is not believed; what is written is counted.
        let mut bounded = file.take(left.saturating_add(1));
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = bounded.read(&mut buffer).map_err(|_| fault(BundleFault::Damaged))?;
            if n == 0 {
                break;
            }
            left = left.checked_sub(n as u64).ok_or_else(|| fault(BundleFault::TooLarge))?;
            target.write_all(&buffer[..n]).map_err(Error::io(Doing::Writing, &path))?;
        }
        target.sync_all().map_err(Error::io(Doing::Writing, &path))?;
        if let Some(sha256) = name.strip_prefix("evidence/").and_then(|n| n.split('/').nth(1))
            && manifest::original(sha256) != Path::new(&name)
        {
            return Err(fault(BundleFault::ForeignFile));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "quatre mots pour essayer";

    fn zipped(names: &[&str], out: &Path) {
        let mut recipient = scrypt::Recipient::new(SecretString::from(WORDS.to_owned()));
        recipient.set_work_factor(2);
        let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient)).unwrap();
        let mut zip = ZipWriter::new_stream(encryptor.wrap_output(File::create(out).unwrap()).unwrap());
        for name in names {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&[0; 4096]).unwrap();
        }
        zip.finish().unwrap().into_inner().finish().unwrap();
    }

    #[test]
    fn a_case_goes_through_a_bundle_and_verifies() {
        let dir = tempfile::tempdir().unwrap();
        let case = Case::create(&dir.path().join("case")).unwrap();
        let mut journal = super::super::Journal::open(case.dir()).unwrap();
        fs::write(dir.path().join("shot.png"), "picture").unwrap();
        let sha256 = journal.attach(&dir.path().join("shot.png"), 100).unwrap();
        let now = super::super::draft::at(jiff::Timestamp::now());
        let mut draft = super::super::Draft::new(reflexe_model::Kind::Note, now, "Dupont", "Appel");
        draft.attachments.push(sha256);
        journal.add(&draft).unwrap();
        let out = dir.path().join("case.rfx");
        assert!(matches!(pack(&case, &out, "short"), Err(Error::Bundle { why: BundleFault::ShortPassphrase, .. })));
        pack_with(&case, &out, WORDS, 4).unwrap();
        assert!(matches!(pack_with(&case, &out, WORDS, 4), Err(Error::Io { .. })), "never over a file");
        let to = dir.path().join("other");
        let wrong = unpack(&out, &to, "another passphrase", Limits::default()).unwrap_err();
        assert!(matches!(wrong, Error::Bundle { why: BundleFault::WrongPassphrase, .. }), "{wrong:?}");
        let verified = unpack(&out, &to, WORDS, Limits::default()).unwrap();
        assert!(verified.is_intact(), "{:?}", verified.problems);
        assert_eq!(Case::open(&to).unwrap().entries().unwrap(), case.entries().unwrap());
        assert!(matches!(unpack(&out, &to, WORDS, Limits::default()), Err(Error::NotEmpty { .. })));
        // cut short, changed
        let bytes = fs::read(&out).unwrap();
        for (n, damaged) in [bytes[..bytes.len() - 20].to_vec(), {
            let mut b = bytes.clone();
            let last = b.len() - 9;
            b[last] ^= 1;
            b
        }]
        .into_iter()
        .enumerate()
        {
            fs::write(dir.path().join("damaged.rfx"), damaged).unwrap();
            let to = dir.path().join(format!("damaged-{n}"));
            let error = unpack(&dir.path().join("damaged.rfx"), &to, WORDS, Limits::default()).unwrap_err();
            assert!(matches!(error, Error::Bundle { why: BundleFault::Damaged, .. }), "{error:?}");
            assert!(folder::entries(&to).unwrap().is_empty(), "nothing stays");
        }
    }

    #[test]
    fn a_hostile_bundle_writes_nothing_outside() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("x.rfx");
        for name in [
            "../evil",
            "/etc/evil",
            "evidence/../../evil",
            "device.key",
            "case.sqlite-journal",
            "evidence/ab/cd",
            "reports\\evil",
        ] {
            zipped(&[name], &out);
            let to = dir.path().join("to");
            let error = unpack(&out, &to, WORDS, Limits::default()).unwrap_err();
            assert!(matches!(error, Error::Bundle { why: BundleFault::ForeignFile, .. }), "{name}: {error:?}");
            assert!(folder::entries(&to).unwrap().is_empty(), "{name}");
        }
        zipped(&["reports/a", "reports/b"], &out);
        for limits in [Limits { files: 1, bytes: 1 << 20 }, Limits { files: 9, bytes: 5000 }] {
            let error = unpack(&out, &dir.path().join("to"), WORDS, limits).unwrap_err();
            assert!(matches!(error, Error::Bundle { .. }), "{error:?}");
        }
        assert_eq!(folder::entries(dir.path()).unwrap().len(), 2);
    }
}
