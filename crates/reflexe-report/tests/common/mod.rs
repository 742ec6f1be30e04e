//! A fictional answer: a session stolen from an administrator, an application, a hidden rule, a false invoice.
//! Everything in it is invented; names and addresses are of documentation ranges.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses a part, and a test may stop

use reflexe_fiche::severity;
use reflexe_model::*;
use reflexe_report::ObtainText;

pub fn time(text: &str) -> Option<jiff::Timestamp> {
    Some(text.parse().unwrap())
}

fn row(line: i64, record: &str) -> RowRef {
    RowRef {
        table: "ual_event".into(),
        file: "evidence/AuditLog_2026-11.csv".into(),
        locator: format!("e1@{}+812:{line}", line * 900),
        line,
        record_id: Some(record.into()),
    }
}

struct Seen<'a> {
    id: &'a str,
    check: &'a str,
    item: &'a str,
    verdict: Verdict,
    stage: &'a str,
    subject: &'a str,
    at: Option<&'a str>,
    fr: &'a str,
    en: &'a str,
}

fn finding(s: Seen) -> Finding {
    let grave = s.verdict >= Verdict::Suspicious;
    Finding {
        id: s.id.into(),
        check: s.check.into(),
        items: vec![s.item.into()],
        verdict: s.verdict,
        decisive: s.verdict == Verdict::Compromise,
        weight: if grave { 80 } else { 0 },
        stage: s.stage.into(),
        subject: s.subject.into(),
        key: String::new(),
        actor: grave.then(|| "p.renaud@example.com".into()),
        first_seen: s.at.and_then(time),
        last_seen: s.at.and_then(time),
        count: 1,
        text: Text::new(s.fr, s.en),
        attack: if grave { vec!["T1114.003".into()] } else { Vec::new() },
        signs: if grave {
            vec![
                SignShown {
                    name: "in_context".into(),
                    text: Text::new("depuis une session ou une adresse hostile", "from a hostile session or address"),
                    points: Some(40),
                },
                SignShown {
                    name: "money_words".into(),
                    text: Text::new("objet de facture ou de paiement", "subject about an invoice or a payment"),
                    points: Some(25),
                },
            ]
        } else {
            Vec::new()
        },
        points: if grave { 65 } else { 0 },
        could_be: (s.verdict == Verdict::Unknown).then_some(Verdict::Suspicious),
        missing: if s.verdict == Verdict::Unknown { vec!["signin_service_principal".into()] } else { Vec::new() },
        links: vec![Link { kind: "ip".into(), value: "203.0.113.77".into() }],
        in_context: grave,
        class: "event".into(),
        also_suspects: None,
        beneficiaries: vec![],
        fingerprint: "f0".into(),
        rows_total: 2,
        rows: vec![row(1204, "5f1d0f6e-0000-4000-8000-000000000001"), row(1310, "5f1d0f6e-0000-4000-8000-000000000002")],
    }
}

fn item(
    id: &str,
    fr: &str,
    en: &str,
    verdict: Verdict,
    coverage: CoverageLevel,
    checks: &[&str],
    missing: &[&str],
) -> ItemResult {
    let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    ItemResult {
        id: id.into(),
        title: Text::new(fr, en),
        verdict,
        coverage,
        missing: own(missing),
        checks: own(checks),
        open: if id == "1.b.6" { vec![standing_rights()] } else { Vec::new() },
    }
}

/// What the item 1.b.6 asks for and no check looks at.
fn standing_rights() -> OpenFact {
    OpenFact {
        text: Text::new(
            "les droits en place sur les boîtes des comptes suspects",
            "rights that stand on the suspected accounts' mailboxes",
        ),
        question: Some("Q.1b.12".into()),
    }
}

fn action(id: &str, fr: &str, en: &str, proposed: ActionState, reason: Text, because: &[&str]) -> ActionResult {
    ActionResult {
        id: id.into(),
        title: Text::new(fr, en),
        types: vec!["T2".into()],
        proposed,
        privileged: id == "1.a",
        rule: "decisive".into(),
        reason,
        because: because.iter().map(|s| (*s).to_owned()).collect(),
        against: Vec::new(),
        answer: None,
    }
}

fn file(id: &str, path: &str, source: &str, rows: (u64, u64, u64, u64), sha: char) -> EvidenceInfo {
    EvidenceInfo {
        id: id.into(),
        path: path.into(),
        sha256: Some(sha.to_string().repeat(64)),
        blake3: Some("b3".repeat(32)),
        source: source.into(),
        rows: RowCount { read: rows.0, kept: rows.1, duplicate: rows.2, rejected: rows.3 },
        from: time("2026-10-03T00:00:12Z"),
        to: time("2026-11-19T08:05:00Z"),
        notes: if rows.3 > 0 {
            vec![Text::new(
                "3 lignes coupées en leur milieu, rejetées ; les lignes d'avant et d'après sont gardées.",
                "3 rows cut in the middle, rejected; the rows before and after are kept.",
            )]
        } else {
            Vec::new()
        },
    }
}

fn export(id: &str, fr: &str, en: &str, settles: &[&str], helps: &[&str], minutes: u32) -> NextExport {
    let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    NextExport { obtain: id.into(), title: Text::new(fr, en), settles: own(settles), helps: own(helps), minutes }
}

/// The whole sample.
pub fn sample() -> Qualification {
    let admin = "p.renaud@example.com";
    let findings = vec![
        finding(Seen {
            id: "aa01",
            check: "1d.consent-allprincipals",
            item: "1.d.7",
            verdict: Verdict::Compromise,
            stage: "S2",
            subject: "micr\u{43e}soft mail archive ",
            at: Some("2026-11-18T05:58:11Z"),
            fr: "Application « Micrоsoft Mail Archive » acceptée pour tout le tenant par p.renaud@example.com : nom trompeur (+40) ; depuis une session hostile (+40).",
            en: "Application “Micrоsoft Mail Archive” consented to for the whole tenant by p.renaud@example.com: deceptive name (+40); from a hostile session (+40).",
        }),
        finding(Seen {
            id: "aa02",
            check: "1e.fraud-send",
            item: "1.e.1",
            verdict: Verdict::Compromise,
            stage: "S7",
            subject: admin,
            at: Some("2026-11-18T15:32:40Z"),
            fr: "p.renaud@example.com : 3 lignes du journal sur du courrier envoyé, objet « RE: FA-2026-1187 changement de RIB » : objet de facture ou de paiement (+25) ; depuis une session hostile (+40).",
            en: "p.renaud@example.com: 3 log lines about mail sent, subject “RE: FA-2026-1187 changement de RIB”: subject about an invoice or a payment (+25); from a hostile session (+40).",
        }),
        finding(Seen {
            id: "aa03",
            check: "1a.admin-mfa-changes",
            item: "1.a.3",
            verdict: Verdict::Compromise,
            stage: "S2",
            subject: admin,
            at: Some("2026-11-17T14:21:05Z"),
            fr: "Moyen de connexion ajouté à p.renaud@example.com depuis 203.0.113.77, 14 minutes après la session volée.",
            en: "Sign-in method added to p.renaud@example.com from 203.0.113.77, 14 minutes after the stolen session.",
        }),
        finding(Seen {
            id: "aa04",
            check: "1b.inbox-rule-hiding",
            item: "1.b.8",
            verdict: Verdict::Suspicious,
            stage: "S4",
            subject: admin,
            at: Some("2026-11-18T06:10:00Z"),
            fr: "Règle de boîte « . » : range sans les lire les messages qui parlent de facture.",
            en: "Inbox rule “.”: files away unread the messages about invoices.",
        }),
        finding(Seen {
            id: "aa05",
            check: "1a.admin-signin-anomalies",
            item: "1.a.4",
            verdict: Verdict::Suspicious,
            stage: "S1",
            subject: admin,
            at: Some("2026-11-17T14:07:00Z"),
            fr: "Session de p.renaud@example.com reprise depuis 203.0.113.77, réseau jamais vu.",
            en: "Session of p.renaud@example.com taken up from 203.0.113.77, a network never seen.",
        }),
        finding(Seen {
            id: "aa06",
            check: "1e.anonymous-links",
            item: "1.e.3",
            verdict: Verdict::Suspicious,
            stage: "S6",
            subject: "n.roche@example.com",
            at: Some("2026-11-12T09:16:00Z"),
            fr: "Lien anonyme créé par n.roche@example.com vers le dossier « Direction ».",
            en: "Anonymous link created by n.roche@example.com to the folder “Direction”.",
        }),
        finding(Seen {
            id: "aa07",
            check: "1b.guest-access-level",
            item: "1.b.3",
            verdict: Verdict::Weakness,
            stage: "",
            subject: "example.com",
            at: None,
            fr: "Les invités voient l'annuaire comme les membres.",
            en: "Guests see the directory as members do.",
        }),
        finding(Seen {
            id: "aa08",
            check: "1a.admin-signin-sources",
            item: "1.a.4",
            verdict: Verdict::Unknown,
            stage: "S1",
            subject: "y.legoff@example.com",
            at: None,
            fr: "y.legoff@example.com : impossible de dire si l'adresse est nouvelle (manque : signin).",
            en: "y.legoff@example.com: cannot tell whether the address is new (missing: signin).",
        }),
    ];
    let because = vec![
        SeverityReason {
            rule: "R0".into(),
            text: Text::new(
                "Qui tient l'administration tient tout : le périmètre est le tenant entier.",
                "Who holds the administration holds everything: the perimeter is the whole tenant.",
            ),
        },
        SeverityReason {
            rule: "R6".into(),
            text: Text::new(
                "Un tenant compromis est une menace grave : majeur au moins.",
                "A compromised tenant is a serious threat: major at least.",
            ),
        },
    ];
    let exports = vec![
        export(
            "signin_service_principal",
            "Connexions des principaux de service",
            "Service principal sign-ins",
            &["1.d.6"],
            &["1.d.2"],
            5,
        ),
        export(
            "antispam",
            "Réglages antispam et liste d'usurpation",
            "Anti-spam settings and spoof list",
            &["1.c.1", "1.c.2"],
            &[],
            4,
        ),
        export("mailboxes", "Boîtes aux lettres et délégations", "Mailboxes and delegations", &["1.b.6", "1.b.7"], &["1.e.1"], 8),
    ];
    Qualification {
        schema: SCHEMA.into(),
        case: CaseInfo {
            id: "7f3a19c2".into(),
            title: "Ateliers Valmont".into(),
            tenant: TenantInfo { id: Some("00000000-0000-4000-8000-00000000cafe".into()), domains: vec!["example.com".into()] },
            window: Some(Window { from: time("2026-05-23T08:05:00Z").unwrap(), to: time("2026-11-19T08:05:00Z").unwrap() }),
            since: time("2026-11-17T14:07:00Z"),
            other_tenants: vec!["00000000-0000-4000-8000-00000000beef".into()],
            left_out: std::collections::BTreeMap::new(),
        },
        evidence: vec![
            file("e1", "evidence/AuditLog_2026-11.csv", "ual.powershell_csv", (8750, 3895, 4852, 3), 'a'),
            file("e2", "evidence/users.json", "graph.users", (214, 214, 0, 0), 'b'),
        ],
        unrecognised: vec![
            Unrecognised {
                path: "evidence/notes-reunion.xlsx".into(),
                reason: Text::new("classeur : exportez la feuille en CSV", "workbook: export the sheet as CSV"),
                harmless: false,
                unread: false,
            },
            Unrecognised {
                path: "evidence/README.md".into(),
                reason: Text::new("document à lire", "a document to read"),
                harmless: true,
                unread: false,
            },
        ],
        items: vec![
            item(
                "1.a.1",
                "Au moins deux administrateurs généraux",
                "At least two Global Administrators",
                Verdict::Ok,
                CoverageLevel::Full,
                &["1a.global-admin-count"],
                &[],
            ),
            item(
                "1.a.3",
                "Tous ont une authentification multifacteur",
                "All of them have multi-factor authentication",
                Verdict::Compromise,
                CoverageLevel::Full,
                &["1a.admin-mfa-changes"],
                &[],
            ),
            item(
                "1.b.3",
                "Accès des invités restreint",
                "Guest access restricted",
                Verdict::Weakness,
                CoverageLevel::Full,
                &["1b.guest-access-level"],
                &[],
            ),
            item(
                "1.b.6",
                "Délégations des boîtes",
                "Mailbox delegations",
                Verdict::Unknown,
                CoverageLevel::Partial,
                &["1b.mbx-delegation-change"],
                &["mailboxes"],
            ),
            item(
                "1.c.1",
                "Expéditeurs autorisés ou bloqués",
                "Allowed and blocked senders",
                Verdict::Unknown,
                CoverageLevel::None,
                &[],
                &["antispam"],
            ),
            item(
                "1.d.6",
                "Connexions des applications",
                "Sign-ins of applications",
                Verdict::Unknown,
                CoverageLevel::None,
                &[],
                &["signin_service_principal"],
            ),
            item(
                "1.d.7",
                "Consentements pour tout le tenant",
                "Consents for the whole tenant",
                Verdict::Compromise,
                CoverageLevel::Full,
                &["1d.consent-allprincipals"],
                &[],
            ),
            item(
                "1.e.1",
                "Transferts et envois frauduleux",
                "Forwarding and fraudulent mail",
                Verdict::Compromise,
                CoverageLevel::Partial,
                &["1e.fraud-send"],
                &["mailboxes"],
            ),
        ],
        failures: vec![Failure { what: "1a.admin-mfa".into(), error: "memory limit reached after 512 MB".into() }],
        checks: vec![
            CheckResult {
                id: "1e.fraud-send".into(),
                question: Text::new(
                    "Du courrier frauduleux est-il parti d'une boîte de l'organisation ?",
                    "Was fraudulent mail sent from a mailbox of the organisation?",
                ),
                verdict: Verdict::Compromise,
                coverage: CoverageLevel::Partial,
                missing: vec!["mailboxes".into()],
                missing_tables: vec!["mailbox".into()],
                reasons: Vec::new(),
                findings: 1,
                examined: 41,
                error: None,
            },
            CheckResult {
                id: "1d.consent-allprincipals".into(),
                question: Text::new(
                    "Une application est-elle acceptée pour tout le tenant ?",
                    "Is an application consented to for the whole tenant?",
                ),
                verdict: Verdict::Compromise,
                coverage: CoverageLevel::Full,
                missing: vec![],
                missing_tables: vec![],
                reasons: Vec::new(),
                findings: 1,
                examined: 12,
                error: None,
            },
            CheckResult {
                id: "1a.admin-mfa".into(),
                question: Text::new(
                    "Chaque administrateur a-t-il une authentification multifacteur ?",
                    "Does each administrator have multi-factor authentication?",
                ),
                verdict: Verdict::Unknown,
                coverage: CoverageLevel::None,
                missing: vec![],
                missing_tables: vec![],
                reasons: Vec::new(),
                findings: 0,
                examined: 0,
                error: Some("memory limit reached after 512 MB".into()),
            },
        ],
        stories: vec![
            Story {
                id: "s1".into(),
                subject: admin.into(),
                name: None,
                score: 100,
                level: StoryLevel::Compromise,
                stages: ["S1", "S2", "S4", "S7"].map(String::from).into(),
                from: time("2026-11-17T14:07:00Z"),
                to: time("2026-11-18T15:32:40Z"),
                findings: ["aa05", "aa03", "aa01", "aa04", "aa02"].map(String::from).into(),
                title: Text::new("Détournement d'un fil de paiement", "Payment thread hijacked"),
                pattern: Some("BEC-1".into()),
                text: Text::new(
                    "Du 17/11/2026 14:07:00 UTC au 18/11/2026 15:32:40 UTC (UTC) : 5 faits sur 4 étapes (accès, ancrage de l'identité, ancrage dans la messagerie, abus), p.renaud@example.com. Établi : une fausse facture est partie.",
                    "From 2026-11-17 14:07:00 UTC to 2026-11-18 15:32:40 UTC (UTC): 5 facts over 4 stages (access, identity foothold, mail foothold, abuse), p.renaud@example.com. Established: a false invoice left.",
                ),
                breakdown: Text::new("100 = S1 25 + S2 20 + S4 25 + S7 30", "100 = S1 25 + S2 20 + S4 25 + S7 30"),
                principals: vec!["micr\u{43e}soft mail archive\u{200b}".into()],
                victims: vec![],
                context: vec![StoryFact {
                    time: time("2026-11-17T14:30:00Z"),
                    text: Text::new("Appareil enregistré : DESKTOP-7Q2.", "Device registered: DESKTOP-7Q2."),
                    rows: vec![row(1250, "5f1d0f6e-0000-4000-8000-000000000009")],
                }],
            },
            Story {
                id: "s2".into(),
                subject: "n.roche@example.com".into(),
                name: None,
                score: 24,
                level: StoryLevel::ToCheck,
                stages: ["S6"].map(String::from).into(),
                from: time("2026-11-12T09:16:00Z"),
                to: time("2026-11-12T09:16:00Z"),
                findings: vec!["aa06".into()],
                title: Text::new("À vérifier", "To check"),
                pattern: None,
                text: Text::new(
                    "Le 12/11/2026 : un lien anonyme vers le dossier « Direction ».",
                    "On 2026-11-12: an anonymous link to the folder “Direction”.",
                ),
                breakdown: Text::new("24 = S6 20 + 4", "24 = S6 20 + 4"),
                principals: vec![],
                victims: vec![],
                context: vec![],
            },
        ],
        actions: vec![
            action(
                "1.a",
                "Comptes à privilèges",
                "Privileged accounts",
                ActionState::Confirmed,
                Text::new(
                    "1 fait l'établit à lui seul : p.renaud@example.com.",
                    "1 fact establishes it alone: p.renaud@example.com.",
                ),
                &["aa03", "aa05"],
            ),
            action(
                "1.b",
                "Comptes utilisateurs",
                "User accounts",
                ActionState::Suspected,
                Text::new(
                    "1 fait suspect à vérifier : p.renaud@example.com.",
                    "1 suspicious fact to check: p.renaud@example.com.",
                ),
                &["aa04"],
            ),
            action(
                "1.c",
                "Relais malveillant",
                "Malicious relay",
                ActionState::Unknown,
                Text::new("Preuves insuffisantes pour conclure.", "Not enough evidence to conclude."),
                &[],
            ),
            action(
                "1.d",
                "Applications",
                "Applications",
                ActionState::Confirmed,
                Text::new(
                    "1 fait l'établit à lui seul : micrоsoft mail archive.",
                    "1 fact establishes it alone: micrоsoft mail archive.",
                ),
                &["aa01"],
            ),
            action(
                "1.e",
                "Fuite de données, y compris la fraude par courriel",
                "Data leak, mail fraud included",
                ActionState::Confirmed,
                Text::new(
                    "1 acte l'établit à lui seul : p.renaud@example.com.",
                    "1 act establishes it alone: p.renaud@example.com.",
                ),
                &["aa02"],
            ),
        ],
        axes: Axes {
            confirmation: [Confirmation::Confirmed].into(),
            tenant_compromised: [TenantState::Yes].into(),
            perimeter: [Perimeter::Extended].into(),
            impact: [Impact::Moderate, Impact::Strong].into(),
            urgency: [Urgency::None, Urgency::Degraded, Urgency::Stopped].into(),
        },
        severity: Severity {
            proposed: SeverityRange { low: 3, high: 4, because },
            answered: SeverityRange { low: 1, high: 4, because: vec![] },
            overridden: None,
        },
        next_question: Some("Q.4b.01".into()),
        next_export: exports.first().cloned(),
        exports,
        findings,
    }
}

/// The sentence that opens it.
pub fn sentence() -> Text {
    let q = sample();
    let say = |lang, rest: &str| {
        let range = severity::display(&q.severity.proposed, lang);
        let mut chars = range.chars();
        let first = chars.next().unwrap().to_uppercase();
        format!("{first}{}{rest}", chars.as_str())
    };
    Text::new(
        say(
            Lang::Fr,
            ", si vous confirmez qu'un compte à privilèges est compromis (p.renaud@example.com), qu'une application est malveillante ou détournée et que des informations ont fui.",
        ),
        say(
            Lang::En,
            ", if you confirm that a privileged account is compromised (p.renaud@example.com), that an application is malicious or hijacked and that information has leaked.",
        ),
    )
}

/// How to obtain what the sample lacks.
pub fn obtains(id: &str) -> Option<ObtainText> {
    (id == "signin_service_principal").then(|| ObtainText {
        id: id.into(),
        title: Text::new("Connexions des principaux de service", "Service principal sign-ins"),
        portal: Some(Text::new(
            "entra.microsoft.com › Surveillance › Journaux de connexion › Service principal sign-ins › 30 derniers jours › Télécharger › JSON",
            "entra.microsoft.com › Monitoring › Sign-in logs › Service principal sign-ins › Last 30 days › Download › JSON",
        )),
        command: Some("Get-MgBetaAuditLogSignIn -All -Filter \"signInEventTypes/any(t: t eq 'servicePrincipal')\" | ConvertTo-Json -Depth 8 | Set-Content ApplicationSignIns.json".into()),
        role: Some(Text::new("Reports Reader", "Reports Reader")),
        licence: Some(Text::new("Entra ID P1", "Entra ID P1")),
        minutes: 5,
        note: None,
    })
}

/// The original record of a row, when it is there.
pub fn raw(row: &RowRef) -> Result<String, Text> {
    let gone =
        || Text::new("L’original de e1 n’est plus à /preuves/ual.csv.", "The original of e1 is no longer at /evidence/ual.csv.");
    if row.line == 1310 {
        Err(gone())
    } else {
        Ok(format!(
            "\"11/18/2026 3:32:40 PM\",\"p.renaud@example.com\",\"Send\",\"{{\"\"Id\"\":\"\"{}\"\",\"\"ClientIPAddress\"\":\"\"203.0.113.77\"\",\"\"Item\"\":{{\"\"Subject\"\":\"\"RE: FA-2026-1187 changement de RIB\"\"}}}}\"",
            row.record_id.as_deref().unwrap_or("")
        ))
    }
}
