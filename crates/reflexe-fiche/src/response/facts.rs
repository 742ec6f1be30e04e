//! What is known when steps, clocks and routes are chosen, and whether a clause holds: yes, maybe, no, and why.
use std::collections::{BTreeMap, BTreeSet};

use reflexe_model::{ActionState, Answer, Confidence, Finding, Lang, Qualification, Story, TenantState, Text, Verdict};

use super::def::{AnswerIs, Clause};

/// Everything that clauses look at. Nothing here is guessed: what is not known is absent.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// States of the tenant that are still possible.
    pub tenant: BTreeSet<TenantState>,
    /// Confirmed types (`T1` … `T6`, `TX`).
    pub confirmed: BTreeSet<String>,
    /// Suspected types.
    pub suspected: BTreeSet<String>,
    /// Answers that stand, by question; several are a conflict, and each counts as possible.
    pub answers: BTreeMap<String, Vec<Answer>>,
    /// Findings.
    pub findings: Vec<Finding>,
    /// Stories.
    pub stories: Vec<Story>,
    /// Whether accounts are synchronised from a local directory.
    pub synced: Option<bool>,
    /// Severity, lowest and highest.
    pub severity: (u8, u8),
    /// Statuses of the organisation (`nis2_essential`, `health` …): held or not; absent: not known.
    pub statuses: BTreeMap<String, bool>,
    /// Names of applications, by id: who acts on one must recognise it.
    pub names: BTreeMap<String, String>,
}

impl Facts {
    /// A thing as people recognise it and commands take it: an application by its name, with its id whole.
    pub fn shown(&self, value: &str) -> String {
        match self.names.get(&value.to_lowercase()) {
            Some(name) => format!("{} ({})", crate::say::clean(name), crate::say::clean(value)),
            None => crate::say::clean(value),
        }
    }

    /// From a qualification and the answers that stand. A person's conclusion wins over the proposed one; the statuses come
    /// from the preparation pack; `TX` follows from Q.2a.07.
    pub fn new(q: &Qualification, answers: BTreeMap<String, Vec<Answer>>, statuses: BTreeMap<String, bool>) -> Self {
        let mut facts = Self {
            tenant: q.axes.tenant_compromised.clone(),
            findings: q.findings.clone(),
            stories: q.stories.clone(),
            severity: q.severity.overridden.map_or((q.severity.proposed.low, q.severity.proposed.high), |level| (level, level)),
            statuses,
            answers,
            ..Self::default()
        };
        for action in &q.actions {
            let set = match action.proposed {
                ActionState::Confirmed => &mut facts.confirmed,
                ActionState::Suspected => &mut facts.suspected,
                _ => continue,
            };
            set.extend(action.types.iter().cloned());
        }
        // A person who concluded on a type stands above what is proposed for it, and says nothing of the action's other type.
        for kind in ["T1", "T2", "T3", "T4", "T5", "T6"] {
            let voices: Vec<(Option<&str>, bool)> = facts
                .answers
                .get(&format!("V.{kind}"))
                .into_iter()
                .flatten()
                .map(|a| (a.value.as_ref().and_then(|v| v.choice.as_deref()), a.confidence > Confidence::Low))
                .collect();
            let confirmed = voices.contains(&(Some("confirmed"), true));
            let suspected = voices.iter().any(|(c, _)| matches!(c, Some("confirmed" | "suspected")));
            // One voice, and sure of it: what was proposed no longer counts. Who does not know leaves it.
            if matches!(voices.as_slice(), [(Some(_), true)]) {
                facts.confirmed.remove(kind);
                facts.suspected.remove(kind);
            }
            if confirmed {
                facts.confirmed.insert(kind.to_owned());
            } else if suspected {
                facts.suspected.insert(kind.to_owned());
            }
        }
        // Changed security rules are a type of incident of their own, which no action concludes.
        let changed = AnswerIs { question: "Q.2a.07".into(), choice: vec!["malicious".into()] };
        let doubt = facts.choices("Q.2a.07").iter().any(|c| c == "doubtful");
        match facts.answered(&changed) {
            Tri::Yes => drop(facts.confirmed.insert("TX".into())),
            Tri::Maybe if facts.answers.contains_key("Q.2a.07") => drop(facts.suspected.insert("TX".into())),
            _ if doubt => drop(facts.suspected.insert("TX".into())),
            _ => {}
        }
        if facts.findings.iter().any(|f| f.check == "1a.synced-privileged" && f.verdict >= Verdict::Weakness) {
            facts.synced = Some(true);
        }
        facts
    }

    fn choices(&self, question: &str) -> BTreeSet<String> {
        let values = self.answers.get(question).into_iter().flatten().filter_map(|a| a.value.as_ref());
        values.filter_map(|v| v.choice.clone()).collect()
    }

    /// Categories of data that people named, in any answer.
    fn categories(&self) -> BTreeSet<&str> {
        self.answers.values().flatten().filter_map(|a| a.value.as_ref()).flat_map(|v| &v.categories).map(String::as_str).collect()
    }

    fn answered(&self, asked: &AnswerIs) -> Tri {
        let standing = self.answers.get(&asked.question).map(Vec::as_slice).unwrap_or_default();
        let mut worst = None;
        for answer in standing {
            let holds = match &answer.value {
                None => Tri::Maybe,
                Some(v) if asked.choice.is_empty() => {
                    let some =
                        v.list.as_ref().is_some_and(|l| !l.is_empty()) || v.text.is_some() || v.count.is_some_and(|c| c.1 > 0);
                    if some { Tri::Yes } else { Tri::No }
                }
                Some(v) if v.choice.as_ref().is_some_and(|c| asked.choice.contains(c)) => Tri::Yes,
                Some(_) => Tri::No,
            };
            let holds = if answer.confidence == Confidence::Low && answer.value.is_some() { Tri::Maybe } else { holds };
            // Answers that contradict each other leave both open.
            worst = Some(match worst {
                None => holds,
                Some(before) if before == holds => holds,
                Some(_) => Tri::Maybe,
            });
        }
        worst.unwrap_or(Tri::Maybe)
    }
}

/// Three values of a clause, in the order of strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tri {
    /// It does not hold.
    No,
    /// Nobody can tell yet.
    Maybe,
    /// It holds.
    Yes,
}

/// Whether a list of clauses holds, and what decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// The value.
    pub value: Tri,
    /// What decided, in words.
    pub because: Vec<Text>,
}

/// Whether one of the clauses holds.
pub fn holds(clauses: &[Clause], facts: &Facts) -> Holds {
    let mut best = Holds { value: Tri::No, because: Vec::new() };
    for clause in clauses {
        let one = clause_holds(clause, facts);
        if one.value > best.value {
            best = one;
        } else if one.value == best.value {
            for reason in one.because {
                if !best.because.contains(&reason) {
                    best.because.push(reason);
                }
            }
        }
    }
    best
}

fn clause_holds(clause: &Clause, facts: &Facts) -> Holds {
    let mut parts: Vec<(Tri, Text)> = Vec::new();
    if clause.always {
        parts.push((Tri::Yes, Text::new("toujours", "always")));
    }
    if !clause.types.is_empty() {
        parts.push(types(&clause.types, facts));
    }
    if !clause.tenant.is_empty() {
        let any = facts.tenant.iter().any(|t| clause.tenant.contains(t));
        let all = !facts.tenant.is_empty() && facts.tenant.iter().all(|t| clause.tenant.contains(t));
        parts.push(match (all, any || facts.tenant.is_empty()) {
            (true, _) => (
                Tri::Yes,
                Text::new("administration du tenant tenue pour compromise", "tenant administration held to be compromised"),
            ),
            (_, true) => (Tri::Maybe, Text::new("administration du tenant : on ne sait pas", "tenant administration: not known")),
            _ => (Tri::No, Text::new("administration du tenant saine", "tenant administration sound")),
        });
    }
    if let Some(asked) = &clause.answer {
        let id = &asked.question;
        parts.push(match facts.answered(asked) {
            Tri::Yes => (Tri::Yes, Text::new(format!("réponse à {id}"), format!("answer to {id}"))),
            Tri::Maybe => (Tri::Maybe, Text::new(format!("{id} reste ouverte"), format!("{id} is still open"))),
            Tri::No => (Tri::No, Text::new(format!("réponse à {id}"), format!("answer to {id}"))),
        });
    }
    if !clause.checks.is_empty() {
        let worst = facts.findings.iter().filter(|f| clause.checks.iter().any(|g| glob(g, &f.check))).max_by_key(|f| f.verdict);
        parts.push(match worst {
            Some(f) if f.verdict == Verdict::Compromise => {
                (Tri::Yes, Text::new(format!("constaté par {}", f.check), format!("found by {}", f.check)))
            }
            Some(f) if f.verdict == Verdict::Suspicious => {
                (Tri::Maybe, Text::new(format!("soupçonné par {}", f.check), format!("suspected by {}", f.check)))
            }
            _ => (Tri::No, Text::new("aucun constat", "nothing found")),
        });
    }
    if clause.synced {
        parts.push(match facts.synced {
            Some(true) => (Tri::Yes, Text::new("comptes synchronisés", "synchronised accounts")),
            Some(false) => (Tri::No, Text::new("aucun compte synchronisé", "no synchronised account")),
            None => (Tri::Maybe, Text::new("synchronisation : on ne sait pas", "synchronisation: not known")),
        });
    }
    if let Some(level) = clause.severity {
        let (low, high) = facts.severity;
        let shown = Text::new(format!("gravité {low} à {high}"), format!("severity {low} to {high}"));
        parts.push((
            if low >= level {
                Tri::Yes
            } else if high >= level {
                Tri::Maybe
            } else {
                Tri::No
            },
            shown,
        ));
    }
    if !clause.status.is_empty() {
        parts.push(statuses(&clause.status, facts));
    }
    if !clause.data.is_empty() {
        let named = facts.categories();
        // A leak that nobody excluded may have touched such data.
        let leak = facts.confirmed.contains("T5") || facts.suspected.contains("T5") || facts.confirmed.contains("T1");
        parts.push(if clause.data.iter().any(|c| named.contains(c.as_str())) {
            (Tri::Yes, Text::new("des données de cette nature sont touchées", "data of this kind is touched"))
        } else if named.is_empty() || leak {
            (Tri::Maybe, Text::new("nature des données : on ne sait pas", "kind of data: not known"))
        } else {
            (Tri::No, Text::new("aucune donnée de cette nature nommée", "no data of this kind named"))
        });
    }
    let value = parts.iter().map(|p| p.0).min().unwrap_or(Tri::No);
    Holds { value, because: parts.into_iter().filter(|p| p.0 == value).map(|p| p.1).collect() }
}

fn types(wanted: &[String], facts: &Facts) -> (Tri, Text) {
    let among = |set: &BTreeSet<String>, lang: Lang| {
        let named = wanted.iter().filter(|t| set.contains(*t));
        named.map(|t| type_name(t).map_or_else(|| t.clone(), |name| name.get(lang).to_owned())).collect::<Vec<_>>().join(", ")
    };
    let both = |set: &BTreeSet<String>| (among(set, Lang::Fr), among(set, Lang::En));
    let ((fr, en), (fr_maybe, en_maybe)) = (both(&facts.confirmed), both(&facts.suspected));
    if !en.is_empty() {
        (Tri::Yes, Text::new(format!("confirmé : {fr}"), format!("confirmed: {en}")))
    } else if !en_maybe.is_empty() {
        (Tri::Maybe, Text::new(format!("soupçonné : {fr_maybe}"), format!("suspected: {en_maybe}")))
    } else {
        (Tri::No, Text::new("ni confirmé ni soupçonné", "neither confirmed nor suspected"))
    }
}

/// A type of incident in words.
fn type_name(id: &str) -> Option<Text> {
    Some(match id {
        "T1" => Text::new("compte utilisateur (T1)", "user account (T1)"),
        "T2" => Text::new("compte à privilèges de Microsoft 365 (T2)", "privileged account of Microsoft 365 (T2)"),
        "T3" => Text::new("compte à privilèges d'Entra ID (T3)", "privileged account of Entra ID (T3)"),
        "T4" => Text::new("relais de courrier (T4)", "mail relay (T4)"),
        "T5" => Text::new("fuite de données (T5)", "data leak (T5)"),
        "T6" => Text::new("application (T6)", "application (T6)"),
        "TX" => Text::new("règles de sécurité changées (TX)", "security rules changed (TX)"),
        _ => return None,
    })
}

fn statuses(wanted: &[String], facts: &Facts) -> (Tri, Text) {
    let known: Vec<Option<bool>> = wanted.iter().map(|s| facts.statuses.get(s).copied()).collect();
    if known.contains(&Some(true)) {
        (Tri::Yes, Text::new("statut de l'organisation", "status of the organisation"))
    } else if known.contains(&None) {
        (Tri::Maybe, Text::new("statut de l'organisation non renseigné", "status of the organisation not stated"))
    } else {
        (Tri::No, Text::new("l'organisation n'a pas ce statut", "the organisation does not have this status"))
    }
}

/// Whether a name matches a pattern with at most one `*` at its end.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{answers::tests::chosen, propose::tests::attacked};

    fn facts(answers: Vec<Answer>) -> Facts {
        let answers = answers.into_iter().map(|a| (a.question.clone(), vec![a])).collect();
        Facts::new(&attacked(), answers, BTreeMap::new())
    }

    #[test]
    fn a_conclusion_on_one_type_says_nothing_of_the_other() {
        let proposed = facts(vec![]);
        let sure = facts(vec![chosen("V.T3", "confirmed", &[])]);
        assert!(sure.confirmed.contains("T3") && !sure.suspected.contains("T3"));
        for kind in ["T1", "T2", "T4", "T5", "T6"] {
            assert_eq!(sure.confirmed.contains(kind), proposed.confirmed.contains(kind), "{kind} stands as proposed");
        }
        let refuted = facts(vec![chosen("V.T3", "refuted", &[])]);
        assert!(!refuted.confirmed.contains("T3") && !refuted.suspected.contains("T3"));
        let unsure = facts(vec![Answer { confidence: Confidence::Low, ..chosen("V.T5", "confirmed", &[]) }]);
        assert!(unsure.suspected.contains("T5") && unsure.confirmed.contains("T5") == proposed.confirmed.contains("T5"));
    }

    #[test]
    fn changed_rules_are_a_type_of_their_own() {
        assert!(facts(vec![chosen("Q.2a.07", "malicious", &[])]).confirmed.contains("TX"));
        assert!(facts(vec![chosen("Q.2a.07", "doubtful", &[])]).suspected.contains("TX"));
        let wanted = facts(vec![chosen("Q.2a.07", "legitimate", &[])]);
        assert!(!wanted.confirmed.contains("TX") && !wanted.suspected.contains("TX"));
    }
}
