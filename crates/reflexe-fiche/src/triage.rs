//! What people's marks do to findings. A finding that somebody explained is still shown, as information, with the name; it no
//! longer suspects anything. A finding that somebody recognised as the attacker's carries its action, with the name.
use std::collections::BTreeMap;

use reflexe_model::{Finding, Mark, Text, Verdict};

use crate::{answers::Answers, say::clean};

/// Marks of people on findings, by finding id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Explained: (who, why).
    pub dismissed: BTreeMap<String, (String, String)>,
    /// The attacker: who.
    pub malicious: BTreeMap<String, String>,
}

impl Marks {
    /// The marks that stand.
    pub fn of(answers: &Answers) -> Self {
        let malicious = answers.triage.iter().filter(|(_, m)| m.mark == Mark::Malicious);
        Self { dismissed: answers.dismissed(), malicious: malicious.map(|(id, m)| (id.clone(), m.who.clone())).collect() }
    }
}

/// Lowers explained findings to `info` and names in their sentence who explained them. To be applied before stories are built
/// and actions concluded; no finding is added or lost.
pub fn apply(findings: &mut [Finding], marks: &Marks) {
    for f in findings {
        let Some((who, why)) = marks.dismissed.get(&f.id) else { continue };
        f.verdict = f.verdict.min(Verdict::Info);
        f.decisive = false;
        f.could_be = None;
        let why = if why.trim().is_empty() { String::new() } else { format!(" : {}", clean(why)) };
        let en = why.replacen(" : ", ": ", 1);
        f.text = Text::new(
            format!("{} [légitime, selon {}{why}]", f.text.fr, clean(who)),
            format!("{} [legitimate, says {}{en}]", f.text.en, clean(who)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::tests_support::finding;

    #[test]
    fn an_explained_finding_stays_shown_as_information_with_the_name() {
        let mut findings = [finding("f1", "1b.x", "joe@example.com"), finding("f2", "1b.x", "ann@example.com")];
        findings[0].decisive = true;
        let dismissed = BTreeMap::from([("f1".to_owned(), ("Ann\u{202e}".to_owned(), "voulu".to_owned()))]);
        apply(&mut findings, &Marks { dismissed, ..Marks::default() });
        assert_eq!((findings[0].verdict, findings[0].decisive), (Verdict::Info, false));
        assert_eq!(findings[0].text.fr, "1b.x sur joe@example.com [légitime, selon Ann‹U+202E› : voulu]");
        assert_eq!(findings[0].text.en, "1b.x on joe@example.com [legitimate, says Ann‹U+202E›: voulu]");
        assert_eq!(findings[1], finding("f2", "1b.x", "ann@example.com"));
    }
}
