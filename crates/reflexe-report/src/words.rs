//! The product's own words, French and English side by side. Templates and code hold no sentence of their own.
use reflexe_model::{
    ActionState, Confirmation, CoverageLevel, Failure, Impact, Lang, Perimeter, StoryLevel, TenantState, Urgency, Verdict,
};

use crate::show::visible;

/// The words of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words(pub Lang);

macro_rules! words {
    ($($name:ident: $fr:literal, $en:literal;)*) => {
        impl Words {
            $(pub(crate) fn $name(self) -> &'static str { self.pick($fr, $en) })*
        }
    };
}

words! {
    code: "fr", "en";
    // Page
    skip: "Aller au contenu", "Skip to content";
    proposed_by: "Proposé par reflexe, décidé par vous.", "Proposed by reflexe, decided by you.";
    tenant: "tenant", "tenant";
    period: "Période examinée", "Period searched";
    no_period: "aucune (pas de journal fourni)", "none (no log was given)";
    since: "Début supposé", "Suspected start";
    other_tenants: "Autres tenants dans les preuves, jugés à part", "Other tenants in the evidence, judged apart";
    scale_label: "Échelle de gravité", "Severity scale";
    possible: "possible", "possible";
    at_least: "au moins", "at least";
    why: "Pourquoi", "Why";
    contents: "Dans ce rapport", "In this report";
    utc: "Toutes les heures sont en UTC.", "All times are in UTC.";
    act_high: "Agissez comme au niveau supérieur pour trois choses peu coûteuses\u{a0}: les appels, le gel des preuves, les comptes d’administration.", "Act as at the higher level for three cheap things: the calls, the freezing of evidence, the administrator accounts.";
    // Journal
    j_title: "Main courante", "Incident journal";
    j_when: "Date et heure", "Date and time";
    j_who: "Personne", "Person";
    j_what: "Description, comptes et machines", "Description, accounts and devices";
    j_sign: "Visa", "Signature";
    j_by: "noté par", "written by";
    j_targets: "Comptes et machines", "Accounts and devices";
    j_redacted: "contenu retiré", "content removed";
    j_reason: "Raison", "Reason";
    j_conflict: "Corrections concurrentes\u{a0}: personne n’a encore choisi.", "Competing corrections: nobody has chosen yet.";
    j_head: "Empreinte du journal", "Journal fingerprint";
    j_signed: "Chaque écriture est signée par la clé d’un poste\u{a0}: elle prouve quel poste a écrit, pas quelle personne.", "Each entry is signed with the key of a device: it proves which device wrote, not which person.";
    j_broken: "Lancez «\u{a0}reflexe case verify\u{a0}» pour savoir ce qui a changé.", "Run “reflexe case verify” to see what was changed.";
    j_left_out: "Écritures du logiciel non imprimées", "Entries of the product that are not printed";
    // Answers
    answers: "Les quatre réponses", "The four answers";
    box_type: "Confirmé\u{a0}?", "Confirmed?";
    box_perimeter: "Périmètre", "Perimeter";
    box_impact: "Impact", "Impact";
    box_urgency: "Urgence", "Urgency";
    only_person: "Aucun fichier ne le dit\u{a0}: à vous de répondre.", "No file tells: yours to answer.";
    tenant_yes: "L’administration du tenant est à tenir pour compromise.", "The tenant’s administration must be held to be compromised.";
    tenant_no: "L’administration du tenant n’est pas touchée.", "The tenant’s administration is not touched.";
    tenant_unknown: "Administration du tenant\u{a0}: on ne sait pas.", "Tenant administration: not known.";
    perimeter_tenant: "Qui tient l’administration tient tout le tenant.", "Who holds administration holds the whole tenant.";
    unknown_word: "Inconnu", "Unknown";
    unknown_word_f: "Inconnue", "Unknown";
    colon: "\u{a0}: ", ": ";
    semicolon: "\u{a0}; ", "; ";
    or: " ou ", " or ";
    question_is: "La question qui trancherait le plus", "The question that would settle most";
    // Actions
    actions: "Les cinq actions", "The five actions";
    actions_lead: "Ce que la machine propose de conclure. Une personne confirme.", "What the machine proposes to conclude. A person confirms.";
    proposed: "proposé", "proposed";
    answered: "votre réponse", "your answer";
    privileged: "compte ou application à privilèges", "privileged account or application";
    carried_by: "Preuves", "Evidence";
    against: "Plaide contre", "Speaks against";
    // Stories
    stories: "Les récits", "The stories";
    no_story: "Aucun récit\u{a0}: aucune suite de faits suspects dans les preuves fournies.", "No story: no chain of suspicious facts in the evidence given.";
    stories_lead: "Un récit réunit les faits d’un même acteur, dans l’ordre du temps. Le plus grave d’abord.", "A story gathers the facts of one principal, in the order of time. Gravest first.";
    story: "Récit", "Story";
    other_stories: "Autres récits, plus faibles", "Other, weaker stories";
    tied: "Liés à", "Tied to";
    score: "Note", "Score";
    facts_table: "Les mêmes faits en tableau", "The same facts as a table";
    col_time: "Quand", "When";
    col_fact: "Ce qui s’est passé", "What happened";
    col_stage: "Étape", "Stage";
    col_verdict: "Verdict", "Verdict";
    context: "contexte", "context";
    undated: "sans date", "no date";
    strip_scrolls: "Frise, défile en largeur", "Time line, scrolls sideways";
    strip_repeats: "Les mêmes faits sont dans le tableau ci-dessous.", "The same facts are in the table below.";
    // Findings
    findings: "Les preuves, fait par fait", "The evidence, fact by fact";
    findings_lead: "Chaque fait s’ouvre sur ses lignes\u{a0}: fichier, ligne, enregistrement d’origine.", "Each fact opens on its rows: file, line, original record.";
    no_findings: "Aucun fait suspect dans les preuves fournies. Voyez plus bas ce qui n’a pas pu être regardé.", "No suspicious fact in the evidence given. See below what could not be looked at.";
    also_seen: "Faits sans gravité et doutes", "Context and doubts";
    also_seen_lead: "Du contexte, et ce que les preuves ne suffisent pas à juger.", "Context, and what the evidence is not enough to judge.";
    decisive: "décisif", "decisive";
    signs: "Signes", "Signs";
    total: "total", "total";
    actor: "Auteur", "Done by";
    subject: "Sujet", "About";
    seen: "Vu", "Seen";
    stage: "Étape", "Stage";
    attack: "ATT&CK", "ATT&CK";
    could_be: "Pourrait être", "Could be";
    weight: "Gravité si c’est vrai", "Severity if true";
    missing_to_settle: "Manque pour trancher", "Missing to settle it";
    rows: "Lignes de preuve", "Evidence rows";
    line: "ligne", "line";
    record: "enregistrement", "record";
    cut_here: "[coupé ici]", "[cut here]";
    // Unknown
    unknown: "Ce que l’on ne sait pas", "What is not known";
    unknown_none: "Tout ce que la fiche demande aux fichiers a une réponse.", "Everything the sheet asks of files has an answer.";
    fetch_now: "À chercher maintenant", "Fetch this now";
    settles: "règle", "settles";
    helps: "complète", "helps";
    command: "Ou par commande", "Or by command";
    role: "Rôle", "Role";
    licence: "Licence", "Licence";
    min: "min", "min";
    // Hardening
    harden: "À durcir", "To harden";
    harden_lead: "Des réglages faibles, sans trace d’attaquant. À traiter après l’incident.", "Weak settings, no trace of an attacker. For after the incident.";
    // Items
    items: "La fiche, point par point", "The sheet, item by item";
    items_lead: "Chaque point a le pire verdict de ses contrôles. «\u{a0}Sans trace\u{a0}» exige que tout ce qu’il demande ait été regardé ; ce qu’aucun contrôle ne regarde reste à voir par vous.", "Each item has the worst verdict of its checks. “Nothing found” demands that all that it asks for was looked at; what no check looks at remains for you to see.";
    col_item: "Point", "Item";
    col_coverage: "Preuves", "Evidence";
    col_missing: "Ce qui le réglerait", "What would settle it";
    other_items: "Autres points", "Other items";
    no_check: "pas encore de contrôle", "no check yet";
    // Evidence
    evidence: "Les fichiers lus", "The files read";
    evidence_lead: "Lues = gardées + doublons + rejetées. Rien ne se perd.", "Read = kept + duplicates + rejected. Nothing is lost.";
    no_evidence: "Aucun fichier reconnu.", "No file was recognised.";
    col_file: "Fichier", "File";
    col_read: "lues", "read";
    col_kept: "gardées", "kept";
    col_duplicate: "doublons", "duplicates";
    col_rejected: "rejetées", "rejected";
    col_period: "Période", "Period";
    unrecognised: "Non reconnus", "Not recognised";
    not_read_or: "Non lus ou non reconnus", "Not read or not recognised";
    beside: "À côté des preuves, laissés de côté", "Beside the evidence, left aside";
    // Method
    method: "Méthode et limites", "Method and limits";
    m_machine: "reflexe lit des fichiers, hors ligne. Il ne change rien au tenant. La machine propose, une personne confirme.", "reflexe reads files, offline. It changes nothing in the tenant. The machine proposes, a person confirms.";
    m_judgement: "Seuils, points et notes sont des jugements, pas des mesures. Les contrôles les montrent, et vous pouvez les changer.", "Thresholds, points and scores are judgement, not measurement. The checks show them, and you can change them.";
    m_ok: "«\u{a0}Sans trace\u{a0}» vaut pour la période et les fichiers ci-dessus, et pour eux seuls. Ce qui n’est pas journalisé ne se voit pas.", "“Nothing found” holds for the period and the files above, and for them alone. What is not logged is not seen.";
    m_not_looked: "Points de la fiche sans contrôle, donc non regardés", "Items of the sheet without a check, so not looked at";
    m_errors: "Contrôles en échec, tenus pour inconnus", "Checks that failed, held to be unknown";
    m_partial: "Contrôles faits sur des preuves partielles", "Checks made on partial evidence";
    m_severity: "Gravité", "Severity";
    m_answered: "par les seules réponses des personnes", "by people’s answers alone";
    m_rules: "R0, R1 et R6 viennent de la fiche\u{a0}; R2 à R5 sont notre lecture de ses définitions.", "R0, R1 and R6 come from the sheet; R2 to R5 are our reading of its definitions.";
    m_json: "Le fichier JSON garde tous les faits, avec cent lignes au plus pour chacun.", "The JSON file keeps every fact, with at most a hundred rows each.";
    // Terminal
    t_unknown: "CE QUE L’ON NE SAIT PAS", "WHAT IS NOT KNOWN";
    t_actions: "LES CINQ ACTIONS, conclusion proposée, à confirmer par vous", "THE FIVE ACTIONS, proposed conclusion, for you to confirm";
    t_stories: "LES RÉCITS", "THE STORIES";
    t_read: "CE QUI A ÉTÉ LU", "WHAT WAS READ";
    t_left_out: "Hors de la période demandée, donc lus mais pas cherchés", "Outside the period asked for, so read and not searched";
    t_report: "Rapport", "Report";
    t_and: "Et", "And";
    t_whole: "le rapport les a tous", "the report has them all";
}

impl Words {
    /// A sentence in parts that hold together on a line.
    pub(crate) fn joints(self, text: &str) -> Vec<(bool, &str)> {
        crate::show::joints(text)
    }

    /// The word of this language.
    pub(crate) fn pick<T>(self, fr: T, en: T) -> T {
        match self.0 {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    /// A number and its noun: `(singular, plural)` in French and in English.
    pub(crate) fn count(self, n: u64, fr: (&str, &str), en: (&str, &str)) -> String {
        let (one, many) = self.pick(fr, en);
        // French: 0 and 1 are singular; English: 1 only.
        let singular = n == 1 || (n == 0 && self.0 == Lang::Fr);
        format!("{}\u{a0}{}", self.number(n), if singular { one } else { many })
    }

    /// A number with its thousands apart.
    pub(crate) fn number(self, n: u64) -> String {
        let digits = n.to_string();
        let mut out = String::new();
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push(self.pick('\u{202f}', ','));
            }
            out.push(c);
        }
        out
    }

    pub(crate) fn files(self, n: usize) -> String {
        self.count(n as u64, ("fichier", "fichiers"), ("file", "files"))
    }

    pub(crate) fn items_n(self, n: usize) -> String {
        self.count(n as u64, ("point", "points"), ("item", "items"))
    }

    pub(crate) fn facts(self, n: usize) -> String {
        self.count(n as u64, ("fait", "faits"), ("fact", "facts"))
    }

    pub(crate) fn rows_n(self, n: u64) -> String {
        self.count(n, ("ligne de preuve", "lignes de preuve"), ("evidence row", "evidence rows"))
    }

    pub(crate) fn times(self, n: u64) -> String {
        self.count(n, ("fois", "fois"), ("time", "times"))
    }

    pub(crate) fn more(self, n: usize) -> String {
        self.pick(format!("et {} de plus", self.number(n as u64)), format!("and {} more", self.number(n as u64)))
    }

    /// That something failed, on the first screen; nothing if all ran.
    pub(crate) fn failed(self, failures: &[Failure]) -> Option<String> {
        let names: Vec<String> = failures.iter().take(4).map(|f| visible(&f.what, 60)).collect();
        let more = failures.len().saturating_sub(names.len());
        let names = names.join(", ") + &if more > 0 { format!(", +{more}") } else { String::new() };
        let said = match self.0 {
            Lang::Fr => format!(
                "Jugé en partie\u{a0}: {names}. Ce qui a échoué est tenu pour inconnu, ce qui a été trouvé vaut\u{a0}; le motif est en annexe et dans le JSON."
            ),
            Lang::En => format!(
                "Judged in part: {names}. What failed is held to be unknown, what was found stands; the reason is in the annex and in the JSON."
            ),
        };
        (!failures.is_empty()).then_some(said)
    }

    pub(crate) fn more_stories(self, n: usize) -> String {
        self.count(n as u64, ("récit de plus", "récits de plus"), ("more story", "more stories"))
    }

    pub(crate) fn more_rows(self, n: usize) -> String {
        self.count(
            n as u64,
            ("autre ligne, sans son texte", "autres lignes, sans leur texte"),
            ("other row, without its text", "other rows, without their text"),
        )
    }

    pub(crate) fn rows_left(self, n: u64) -> String {
        self.count(
            n,
            ("ligne n’est pas montrée ici.", "lignes ne sont pas montrées ici."),
            ("row is not shown here.", "rows are not shown here."),
        )
    }

    pub(crate) fn unknown_items(self, n: usize, of: usize) -> String {
        self.pick(format!("{} inconnus sur {of}", self.items_n(n)), format!("{} unknown out of {of}", self.items_n(n)))
    }

    /// What the answer rests on, where files were given that could not be read.
    pub(crate) fn rests_on(self, read: usize, unread: usize) -> String {
        let (read, all, unread) = (self.number(read as u64), self.number((read + unread) as u64), self.number(unread as u64));
        self.pick(
            format!("Jugé sur {read} des {all} fichiers donnés\u{a0}: {unread} non lus. Rien ne vaut «\u{a0}entièrement regardé\u{a0}» tant qu’ils manquent."),
            format!("Judged on {read} of the {all} files given: {unread} not read. Nothing counts as wholly looked at while they are missing."),
        )
    }

    /// Lines read and what became of them.
    pub(crate) fn accounting(self, rows: reflexe_model::RowCount) -> String {
        let n = |n| self.number(n);
        self.pick(
            format!(
                "{} lignes lues = {} gardées + {} doublons + {} rejetées",
                n(rows.read),
                n(rows.kept),
                n(rows.duplicate),
                n(rows.rejected)
            ),
            format!(
                "{} rows read = {} kept + {} duplicates + {} rejected",
                n(rows.read),
                n(rows.kept),
                n(rows.duplicate),
                n(rows.rejected)
            ),
        )
    }

    pub(crate) fn beside_n(self, n: usize) -> String {
        self.count(
            n as u64,
            (
                "document à côté, laissé de côté (notice, page, image)",
                "documents à côté, laissés de côté (notices, pages, images)",
            ),
            ("document beside, left aside (notice, page, picture)", "documents beside, left aside (notices, pages, pictures)"),
        )
    }

    /// The word of a verdict.
    pub(crate) fn verdict(self, v: Verdict) -> &'static str {
        match v {
            Verdict::Compromise => self.pick("établi", "established"),
            Verdict::Suspicious => self.pick("suspect", "suspicious"),
            Verdict::Weakness => self.pick("à durcir", "to harden"),
            Verdict::Unknown => self.pick("inconnu", "unknown"),
            Verdict::Info => self.pick("à savoir", "to know"),
            Verdict::Ok => self.pick("sans trace", "nothing found"),
        }
    }

    /// The word of a conclusion.
    pub(crate) fn state(self, s: ActionState) -> &'static str {
        match s {
            ActionState::Confirmed => self.pick("confirmé", "confirmed"),
            ActionState::Suspected => self.pick("suspecté", "suspected"),
            ActionState::NotConfirmed => self.pick("non confirmé", "not confirmed"),
            ActionState::Refuted => self.pick("écarté", "ruled out"),
            ActionState::Unknown => self.pick("inconnu", "unknown"),
        }
    }

    /// The word of a story's strength.
    pub(crate) fn level(self, l: StoryLevel) -> &'static str {
        match l {
            StoryLevel::Compromise => self.pick("établi", "established"),
            StoryLevel::Suspicion => self.pick("suspect", "suspicious"),
            StoryLevel::ToCheck => self.pick("à vérifier", "to check"),
        }
    }

    /// How much was covered.
    pub(crate) fn coverage(self, c: CoverageLevel) -> &'static str {
        match c {
            CoverageLevel::Full => self.pick("complètes", "complete"),
            CoverageLevel::Partial => self.pick("partielles", "partial"),
            CoverageLevel::None => self.pick("absentes", "missing"),
        }
    }

    pub(crate) fn confirmation(self, c: Confirmation) -> &'static str {
        match c {
            Confirmation::Refuted => self.pick("Écarté", "Ruled out"),
            Confirmation::Confirmed => self.pick("Oui, si vous confirmez", "Yes, if you confirm"),
        }
    }

    pub(crate) fn perimeter(self, p: Perimeter) -> &'static str {
        match p {
            Perimeter::Circumscribed => self.pick("Circonscrit", "Circumscribed"),
            Perimeter::Extended => self.pick("Étendu", "Extended"),
        }
    }

    pub(crate) fn impact(self, i: Impact) -> &'static str {
        match i {
            Impact::None => self.pick("Nul", "None"),
            Impact::Moderate => self.pick("Modéré", "Moderate"),
            Impact::Strong => self.pick("Fort", "Strong"),
        }
    }

    pub(crate) fn urgency(self, u: Urgency) -> &'static str {
        match u {
            Urgency::None => self.pick("Aucune", "None"),
            Urgency::Degraded => self.pick("Mode dégradé", "Degraded mode"),
            Urgency::Stopped => self.pick("Activité vitale à l’arrêt", "Vital activity stopped"),
        }
    }

    /// What is said of the tenant's administration.
    pub(crate) fn tenant_state(self, axis: &std::collections::BTreeSet<TenantState>) -> &'static str {
        if axis.contains(&TenantState::No) {
            if axis.len() == 1 { self.tenant_no() } else { self.tenant_unknown() }
        } else {
            self.tenant_yes()
        }
    }

    /// The words of a question of the sheet.
    pub(crate) fn question(self, id: &str) -> Option<&'static str> {
        reflexe_fiche::catalogue::question_text(id).map(|text| text.get(self.0))
    }

    /// What was left out to keep the page readable.
    pub(crate) fn cut(self, findings: usize, rows: u64, raws: usize) -> String {
        let parts = [
            (
                findings as u64,
                self.count(
                    findings as u64,
                    ("fait de moindre poids", "faits de moindre poids"),
                    ("lighter fact", "lighter facts"),
                ),
            ),
            (rows, self.count(rows, ("ligne de preuve", "lignes de preuve"), ("evidence row", "evidence rows"))),
            (
                raws as u64,
                self.count(raws as u64, ("texte d’enregistrement", "textes d’enregistrement"), ("record text", "record texts")),
            ),
        ];
        let left: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(_, words)| words).collect();
        format!(
            "{}{}{}.",
            self.pick("Pour rester lisible, cette page ne montre pas", "To stay readable, this page leaves out"),
            self.colon(),
            left.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_nouns_follow_the_language() {
        let (fr, en) = (Words(Lang::Fr), Words(Lang::En));
        assert_eq!(fr.number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(en.number(48_600), "48,600");
        assert_eq!(fr.files(0), "0\u{a0}fichier");
        assert_eq!(en.files(0), "0\u{a0}files");
        assert_eq!(en.files(1), "1\u{a0}file");
    }
}
