//! What people's marks do to findings. A finding that somebody explained is still shown, as information, with the name; it no
//! longer suspects anything. A finding that somebody recognised as the attacker's carries its action, with the name.
use std::collections::BTreeMap;

use reflexe_model::{Finding, Mark, Text, Verdict};

use crate::{answers::Answers, say::clean};

/// Who explained a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// Fingerprint of the finding that was explained; `None` where whatever it holds is meant.
    pub seen: Option<String>,
}

/// Marks of people on findings, by finding id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Findings that somebody explained.
    pub dismissed: BTreeMap<String, Explained>,
    /// The attacker: who.
    pub malicious: BTreeMap<String, String>,
}

impl Marks {
    /// The marks that stand.
    pub fn of(answers: &Answers) -> Self {
        let mut marks = Self::default();
        for (id, m) in &answers.triage {
            match m.mark {
                Mark::Legitimate => {
                    let (who, why) = (m.who.clone(), m.reason.clone());
                    marks.dismissed.insert(id.clone(), Explained { who, why, seen: m.fingerprint.clone() });
                }
                Mark::Malicious => {
                    marks.malicious.insert(id.clone(), m.who.clone());
                }
                Mark::Doubtful => {}
            }
        }
        marks
    }

    /// Whether somebody explained this finding as it stands now.
    pub fn explain(&self, finding: &Finding) -> bool {
        self.dismissed.get(&finding.id).is_some_and(|e| e.seen.as_ref().is_none_or(|seen| *seen == finding.fingerprint))
    }
}

/// Lowers explained findings to `info` and names in their sentence who explained them. What grew since somebody explained it
/// keeps its verdict and says so. To be applied before stories are built and actions concluded; no finding is added or lost.
pub fn apply(findings: &mut [Finding], marks: &Marks) {
    for f in findings {
        let Some(Explained { who, why, .. }) = marks.dismissed.get(&f.id) else { continue };
        if !marks.explain(f) {
            f.text = Text::new(
                format!("{} [{} l'avait jugé légitime ; cela a changé depuis, à juger de nouveau]", f.text.fr, clean(who)),
                format!("{} [{} held it legitimate; it has changed since, judge it again]", f.text.en, clean(who)),
            );
            continue;
        }
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
        let explained = Explained { who: "Ann\u{202e}".to_owned(), why: "voulu".to_owned(), seen: None };
        let dismissed = BTreeMap::from([("f1".to_owned(), explained)]);
        apply(&mut findings, &Marks { dismissed, ..Marks::default() });
        assert_eq!((findings[0].verdict, findings[0].decisive), (Verdict::Info, false));
        assert_eq!(findings[0].text.fr, "1b.x sur joe@example.com [légitime, selon Ann‹U+202E› : voulu]");
        assert_eq!(findings[0].text.en, "1b.x on joe@example.com [legitimate, says Ann‹U+202E›: voulu]");
        assert_eq!(findings[1], finding("f2", "1b.x", "ann@example.com"));
    }

    #[test]
    fn what_grew_since_it_was_explained_is_to_be_judged_again() {
        let mut findings = [finding("f1", "1b.x", "joe@example.com")];
        findings[0].decisive = true;
        let explained = |seen: &str| {
            let e = Explained { who: "Ann".to_owned(), why: "voulu".to_owned(), seen: Some(seen.to_owned()) };
            Marks { dismissed: BTreeMap::from([("f1".to_owned(), e)]), ..Marks::default() }
        };
        let before = findings[0].clone();
        apply(&mut findings, &explained("another"));
        assert_eq!((findings[0].verdict, findings[0].decisive), (before.verdict, true));
        assert!(findings[0].text.en.ends_with("[Ann held it legitimate; it has changed since, judge it again]"));
        let mut same = [before];
        apply(&mut same, &explained("f0"));
        assert_eq!(same[0].verdict, Verdict::Info);
    }
}
