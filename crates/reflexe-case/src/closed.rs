//! Files that are not read and need something done first: empty files, archives, workbooks. Told from their first bytes.
use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use reflexe_model::Text;

/// Why a file is not handed to the readers, if it is not.
pub(crate) fn reason(path: &Path, shown: &str) -> io::Result<Option<Text>> {
    let mut head = Vec::new();
    File::open(path)?.take(262).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(Some(Text::new(
            "Fichier vide (0 octet) : l’export a échoué ou n’avait rien à écrire. Refaites-le.",
            "Empty file (0 bytes): the export failed or had nothing to write. Run it again.",
        )));
    }
    Ok(kind(&head, shown).map(|kind| match kind {
        Closed::Archive(name) => Text::new(
            format!("Archive {name} : cette version ne lit pas les archives. Décompressez-la et importez le dossier obtenu."),
            format!("{name} archive: this version does not read archives. Unpack it and import the folder."),
        ),
        Closed::Workbook => Text::new(
            "Classeur de tableur : cette version ne lit pas ce format. Reprenez l’export d’origine (CSV ou JSON), ou enregistrez chaque feuille en CSV UTF-8.",
            "Spreadsheet workbook: this version does not read it. Use the original export (CSV or JSON), or save each sheet as CSV UTF-8.",
        ),
    }))
}

#[derive(Debug, PartialEq, Eq)]
enum Closed {
    Archive(&'static str),
    Workbook,
}

fn kind(head: &[u8], shown: &str) -> Option<Closed> {
    const SIGNS: [(usize, &[u8], &str); 8] = [
        (0, b"PK\x03\x04", "zip"),
        (0, b"\x1f\x8b", "gzip"),
        (0, b"7z\xbc\xaf\x27\x1c", "7z"),
        (0, b"Rar!\x1a\x07", "rar"),
        (0, b"\xfd7zXZ\x00", "xz"),
        (0, b"\x28\xb5\x2f\xfd", "zstd"),
        (0, b"BZh", "bzip2"),
        (257, b"ustar", "tar"),
    ];
    let sign = SIGNS.iter().find(|(at, sign, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(sign)))?;
    // A workbook is a zip too; the name only chooses the advice.
    let name = shown.to_lowercase();
    let workbook = sign.2 == "zip" && [".xlsx", ".xlsm", ".xlsb", ".ods"].iter().any(|end| name.ends_with(end));
    Some(if workbook { Closed::Workbook } else { Closed::Archive(sign.2) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_from_their_bytes() {
        let mut tar = vec![0; 257];
        tar.extend(b"ustar\x0000");
        for (head, name, expected) in [
            (b"PK\x03\x04....".as_slice(), "logs.csv", Some(Closed::Archive("zip"))),
            (b"PK\x03\x04....", "Export.XLSX", Some(Closed::Workbook)),
            (b"\x1f\x8b\x08", "logs.json", Some(Closed::Archive("gzip"))),
            (&tar, "all.tar", Some(Closed::Archive("tar"))),
            (b"RecordId,CreationDate", "logs.zip", None),
            (b"{", "a.json", None),
        ] {
            assert_eq!(kind(head, name), expected, "{name}");
        }
    }

    #[test]
    fn an_empty_file_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = reason(file.path(), "a.csv").unwrap().unwrap();
        assert!(text.en.contains("0 bytes") && text.fr.contains("0 octet"));
    }
}
