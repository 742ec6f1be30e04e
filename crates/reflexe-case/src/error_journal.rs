//! The sentences for what can go wrong with the journal, a merge, a bundle or notes.
use reflexe_model::Text;

use crate::error::{BundleFault, Error};

/// Most problems that one error tells.
const FOUND: usize = 5;

/// The sentence of an error of the journal.
pub(crate) fn text(error: &Error) -> Text {
    match error {
        Error::NoTitle => Text::new(
            "Une écriture demande au moins quelques mots : que s’est-il passé ?",
            "An entry needs at least a few words: what happened?",
        ),
        Error::LongTitle { most } => Text::new(
            format!("Le titre dépasse {most} caractères : mettez la suite dans le texte."),
            format!("The title is longer than {most} characters: put the rest into the text."),
        ),
        Error::NoReason => {
            Text::new("Corriger ou retirer une écriture demande une raison.", "Correcting or removing an entry needs a reason.")
        }
        Error::NotByAdd => Text::new(
            "Une correction ou un retrait désigne l’écriture concernée.",
            "A correction or a removal names the entry it concerns.",
        ),
        Error::NoSuchEntry { id } => Text::new(
            format!("Aucune écriture « {id} », ou plusieurs commencent ainsi. Donnez l’identifiant entier."),
            format!("No entry “{id}”, or several begin so. Give the whole id."),
        ),
        Error::AlreadyRedacted { id } => Text::new(
            format!("Le contenu de l’écriture {id} a déjà été retiré."),
            format!("The content of entry {id} was removed already."),
        ),
        Error::NotCorrectable { id } => Text::new(
            format!(
                "L’écriture {id} ne se corrige pas : ce qu’elle fixe (réponse, état, fait du logiciel) se change par une nouvelle écriture."
            ),
            format!(
                "Entry {id} is not corrected: what it sets (an answer, a state, a fact of the product) is changed by a new entry."
            ),
        ),
        Error::NoSuchAttachment { path } => Text::new(
            format!("La pièce jointe {} n’est pas dans le dossier. Joignez-la de nouveau.", path.display()),
            format!("The attachment {} is not in the case. Attach it again.", path.display()),
        ),
        Error::LargeAttachment { path, limit } => Text::new(
            format!("{} dépasse {} Mio : gardez-le à côté du dossier et notez où il est.", path.display(), limit >> 20),
            format!("{} is larger than {} MiB: keep it beside the case and note where it is.", path.display(), limit >> 20),
        ),
        Error::Entry { id, what } => Text::new(
            format!("L’écriture {id} est illisible ({what}). Lancez « reflexe case verify » et repartez d’une copie du dossier."),
            format!("Entry {id} cannot be read ({what}). Run “reflexe case verify” and start again from a copy of the case."),
        ),
        Error::Journal { source } => Text::new(
            format!("Le journal ne peut pas être lu ou écrit : {source}. Vérifiez le disque et les droits, puis recommencez."),
            format!("The journal cannot be read or written: {source}. Check the disk and the permissions, then try again."),
        ),
        Error::Random { why } => Text::new(
            format!("Le système ne fournit pas d’octets aléatoires ({why}) : aucune clé ne peut être créée."),
            format!("The system gives no random bytes ({why}): no key can be made."),
        ),
        Error::OtherCase { dir, exercise: true } => Text::new(
            format!("{} et ce dossier ne se fusionnent pas : l’un est un exercice, l’autre non.", dir.display()),
            format!("{} and this case are not merged: one is an exercise, the other is not.", dir.display()),
        ),
        Error::OtherCase { dir, exercise: false } => Text::new(
            format!(
                "{} est un autre dossier, pas une copie de celui-ci : ils ne se fusionnent pas. Importez ses preuves si besoin.",
                dir.display()
            ),
            format!(
                "{} is another case, no copy of this one: they are not merged. Import its evidence if needed.",
                dir.display()
            ),
        ),
        Error::Tampered { found } => {
            let list =
                |each: fn(&Text) -> &String| found.iter().take(FOUND).map(|t| each(t).as_str()).collect::<Vec<_>>().join("\n");
            Text::new(
                format!(
                    "{}\nRien n’est jugé ni montré à partir de ces données. « reflexe case verify » dit tout.",
                    list(|t| &t.fr)
                ),
                format!("{}\nNothing is judged or shown out of these data. “reflexe case verify” tells all.", list(|t| &t.en)),
            )
        }
        Error::ReadOtherwise { id } => Text::new(
            format!(
                "L’index ne peut pas être refait : cette version lit {id} autrement que celle qui l’a importé. Importez les preuves dans un nouveau dossier."
            ),
            format!(
                "The index cannot be made again: this version reads {id} otherwise than the one that imported it. Import the evidence into a new case."
            ),
        ),
        Error::Bundle { path, why } => bundle(&path.display().to_string(), *why),
        Error::Notes { path, what } => Text::new(
            format!(
                "Les notes {} ne peuvent pas être lues : {what}. Enregistrez-les en CSV (UTF-8) et recommencez.",
                path.display()
            ),
            format!("The notes {} cannot be read: {what}. Save them as CSV (UTF-8) and try again.", path.display()),
        ),
        // Every other error has its sentence in `error.rs`.
        other => Text::new(format!("{other:?}"), format!("{other:?}")),
    }
}

fn bundle(path: &str, why: BundleFault) -> Text {
    match why {
        BundleFault::ShortPassphrase => Text::new(
            "La phrase de passe est trop courte : au moins douze caractères, quatre mots par exemple.",
            "The passphrase is too short: at least twelve characters, four words for instance.",
        ),
        BundleFault::WrongPassphrase => Text::new(
            format!("{path} ne s’ouvre pas avec cette phrase de passe. Vérifiez-la ; rien n’a été écrit."),
            format!("{path} does not open with this passphrase. Check it; nothing was written."),
        ),
        BundleFault::Damaged => Text::new(
            format!("{path} est endommagé, incomplet, ou n’est pas un dossier chiffré par reflexe. Demandez-le de nouveau."),
            format!("{path} is damaged, cut short, or no case encrypted by reflexe. Ask for it again."),
        ),
        BundleFault::ForeignFile => Text::new(
            format!(
                "{path} contient un fichier qu’un dossier reflexe ne contient pas : il n’est pas ouvert. Ne vous y fiez pas."
            ),
            format!("{path} holds a file that no case holds: it is not opened. Do not trust it."),
        ),
        BundleFault::TooLarge => Text::new(
            format!("{path} contient plus que ce que reflexe déballe. Vérifiez d’où il vient."),
            format!("{path} holds more than reflexe unpacks. Check where it comes from."),
        ),
    }
}
