//! What the pack gives to the checks, the clocks and the questions.
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;
use jiff::civil::Date;
use reflexe_model::{AnswerValue, Text};

use super::{Pack, Row, read};
use crate::contacts::Contact;

/// Largest range that is written out address by address.
const LARGEST: usize = 4096;

/// The organisation's own exits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress {
    /// Addresses and ranges.
    pub ranges: Vec<IpNet>,
}

impl Egress {
    /// Whether an address is the organisation's own.
    pub fn covers(&self, ip: IpAddr) -> bool {
        self.ranges.iter().any(|n| n.contains(&ip))
    }

    /// One address a row, for `input.egress(ip)`, which is matched exactly; and the ranges that are too large to write out, to
    /// be told to the person.
    pub fn addresses(&self) -> (Vec<String>, Vec<IpNet>) {
        let (mut out, mut left) = (Vec::new(), Vec::new());
        for net in &self.ranges {
            let bits = u32::from(net.max_prefix_len() - net.prefix_len());
            if 1_usize.checked_shl(bits).is_none_or(|n| n > LARGEST || n == 0) {
                left.push(*net);
                continue;
            }
            // All of the range, its first and last address too.
            match net {
                IpNet::V4(n) => out
                    .extend((u32::from(n.network())..=u32::from(n.broadcast())).map(|a| std::net::Ipv4Addr::from(a).to_string())),
                IpNet::V6(n) => out.extend(
                    (u128::from(n.network())..=u128::from(n.broadcast())).map(|a| std::net::Ipv6Addr::from(a).to_string()),
                ),
            }
        }
        (out, left)
    }
}

/// Something that a person declared wanted. It lowers findings to `info`, with the name, and hides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legit {
    /// As the checks name it: `subject`, or `subject/key`; lower case.
    pub object: String,
    /// What is claimed: `forward`, `delegation`, `application` …
    pub claim: String,
    /// Who says so: their address if it is written, so that a suspect's word is refused.
    pub who: String,
    /// Wanted until then.
    pub until: Option<Date>,
    /// The checks that it speaks to. Empty: any check, because the object is one precise thing (`subject/key`). An object
    /// without key must reach no other check: a known application may still be given a hostile secret.
    pub checks: Vec<String>,
}

/// A proposal for an answer. A person accepts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefill {
    /// Id of the question.
    pub question: String,
    /// The value.
    pub value: AnswerValue,
    /// Only names to choose from: the pack cannot know which of them are hit.
    pub choices_only: bool,
    /// Where it comes from.
    pub reason: Text,
}

impl Pack {
    /// Sensitive accounts, lower case.
    pub fn vips(&self) -> Vec<String> {
        self.of("vips").iter().map(|r| r.get("account").to_lowercase()).collect()
    }

    /// The organisation's own exits on a day.
    pub fn egress(&self, today: Date) -> Egress {
        let rows = self.of("egress").iter().filter(|r| current(r, today));
        Egress { ranges: rows.filter_map(|r| read::net(r.get("range"))).map(|n| n.trunc()).collect() }
    }

    /// What was declared wanted, on a day. Known administrators are not among it: their account may still be stolen.
    pub fn legit(&self, today: Date) -> Vec<Legit> {
        let mut out = Vec::new();
        for row in self.of("forwards").iter().filter(|r| current(r, today)) {
            let (object, detail) = (row.get("object").to_lowercase(), row.get("detail").to_lowercase());
            out.push(legit(row, format!("{object}/{detail}"), row.get("kind"), &[]));
        }
        for row in self.of("applications").iter().filter(|r| current(r, today)) {
            let checks = ["1d.consent-allprincipals", "1d.consent-scopes", "1d.name-lookalike", "1e.mail-app-access"];
            out.push(legit(row, row.get("app_id").to_lowercase(), "application", &checks));
        }
        out
    }

    /// What the list of known administrators proposes to answer, given who holds a privileged role by the evidence: holders that
    /// nobody wrote down are doubtful, guests among them for the providers' directory too. It speaks only where no finding does (`found`: the
    /// questions that findings propose an answer to), and never says that all is well: a known account may still be stolen.
    pub fn administrators(&self, privileged: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<Prefill> {
        let rows = self.of("administrators");
        if rows.is_empty() {
            return Vec::new();
        }
        let known: BTreeSet<String> = rows.iter().map(|r| r.get("account").to_lowercase()).collect();
        let holders = privileged.iter().map(|p| p.to_lowercase()).filter(|p| p.contains('@'));
        let strangers: Vec<String> = holders.filter(|p| !known.contains(p)).collect();
        let propose = |question: &str, named: Vec<String>| {
            let n = named.len();
            let reason = Text::new(
                format!("titulaires d'un rôle privilégié absents de administrators.csv : {n}"),
                format!("holders of a privileged role that are not in administrators.csv: {n}"),
            );
            let value = AnswerValue { choice: Some("doubtful".into()), list: Some(named), ..AnswerValue::default() };
            (n > 0 && !found.contains(question)).then(|| Prefill {
                question: question.to_owned(),
                value,
                choices_only: false,
                reason,
            })
        };
        // Guests with a role are a provider's accounts more often than not.
        let guests = strangers.iter().filter(|p| p.contains("#ext#")).cloned().collect();
        [propose("Q.1a.04", strangers), propose("Q.1a.05", guests)].into_iter().flatten().collect()
    }

    /// Statuses held or not, for the facts.
    pub fn statuses(&self) -> BTreeMap<String, bool> {
        self.profile.statuses.clone()
    }

    /// Hours that contracts give, by clock.
    pub fn contract_hours(&self) -> BTreeMap<String, u32> {
        let mut out = self.profile.contract_hours.clone();
        if let Some(hours) = self.profile.insurer.notice_hours {
            out.entry("D.INS".to_owned()).or_insert(hours);
        }
        out
    }

    /// The organisation's own contacts, the insurer among them.
    pub fn contacts(&self) -> Vec<Contact> {
        let zone = if self.profile.zone.is_empty() { "Europe/Paris" } else { &self.profile.zone };
        let both = |t: &str| Text::new(t, t);
        let own = |r: &Row| Contact {
            name: both(r.get("name")),
            whom: both(
                &[r.get("role"), r.get("organisation")].into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", "),
            ),
            call_for: both(r.get("call_for")),
            phones: ["phone", "phone2"].iter().map(|c| r.get(c).to_owned()).filter(|p| !p.is_empty()).collect(),
            emails: Some(r.get("email").to_owned()).filter(|e| !e.is_empty()).into_iter().collect(),
            urls: Vec::new(),
            hours: read::hours(r.get("hours"), zone),
            contract: r.get("contract").to_owned(),
            own: true,
            as_of: r.get("last_checked").to_owned(),
            verified: true,
        };
        let mut out: Vec<Contact> = self.of("contacts").iter().map(own).collect();
        let insurer = &self.profile.insurer;
        if !insurer.name.is_empty() {
            out.push(Contact {
                name: both(&insurer.name),
                whom: Text::new("Assureur", "Insurer"),
                call_for: Text::new("Déclaration, prestataires mandatés", "Notice, appointed providers"),
                phones: Some(insurer.phone.clone()).filter(|p| !p.is_empty()).into_iter().collect(),
                emails: Vec::new(),
                urls: Vec::new(),
                hours: None,
                contract: insurer.policy.clone(),
                own: true,
                as_of: String::new(),
                verified: true,
            });
        }
        out
    }

    /// Proposals for answers.
    pub fn prefill(&self) -> Vec<Prefill> {
        let mut out = Vec::new();
        let mut add = |question: &str, value: AnswerValue, choices_only: bool, file: &str| {
            let reason = Text::new(format!("dossier de préparation, {file}"), format!("preparation pack, {file}"));
            out.push(Prefill { question: question.to_owned(), value, choices_only, reason });
        };
        let choice =
            |c: &str, list: Option<Vec<String>>| AnswerValue { choice: Some(c.to_owned()), list, ..AnswerValue::default() };
        let names = |rows: Vec<&Row>| rows.iter().map(|r| r.get("name").to_owned()).collect::<Vec<_>>();
        let activities = self.of("activities");
        if !activities.is_empty() {
            let all = names(activities.iter().collect());
            add("Q.0.05", choice("yes", Some(all.clone())), false, "activities.csv");
            let says = |r: &Row, words: &[&str]| words.contains(&r.get("depends").to_lowercase().as_str());
            let strong = names(activities.iter().filter(|r| says(r, &["forte", "strong"])).collect());
            if !strong.is_empty() {
                add("Q.3a.05", choice("yes", Some(strong)), false, "activities.csv");
            } else if activities.iter().all(|r| says(r, &["aucune", "none"])) {
                add("Q.3a.05", choice("no", None), false, "activities.csv");
            }
            add("Q.3c.01", AnswerValue { list: Some(all), ..AnswerValue::default() }, true, "activities.csv");
        }
        if !self.of("contacts").is_empty() {
            add("Q.0.06", choice("yes", None), false, "contacts.csv");
        }
        let outsourced = |r: &&Row| ["infogérance", "outsourcing"].iter().any(|w| r.get("call_for").to_lowercase().contains(w));
        if let Some(r) = self.of("contacts").iter().find(outsourced) {
            let who = format!("{}, {}", r.get("name"), r.get("phone"));
            add("Q.0.07", AnswerValue { text: Some(who), ..AnswerValue::default() }, true, "contacts.csv");
        }
        for (question, kinds) in
            [("Q.3b.02", &["configuration"][..]), ("Q.3b.03", &["courrier", "mail", "onedrive", "teams"][..])]
        {
            let rows = self.of("backups").iter().filter(|r| kinds.contains(&r.get("what").to_lowercase().as_str()));
            // Only a backup that was restored once counts; the oldest test is the honest date.
            let dated: Option<Vec<Date>> = rows.map(|r| r.date("last_restore_test")).collect();
            if let Some(oldest) = dated.and_then(|d| d.into_iter().min()) {
                let value = AnswerValue { date: Some(oldest.to_string()), ..choice("yes", None) };
                add(question, value, false, "backups.csv");
            }
        }
        out
    }
}

fn current(row: &Row, today: Date) -> bool {
    row.date("until").is_none_or(|d| d >= today)
}

fn legit(row: &Row, object: String, claim: &str, checks: &[&str]) -> Legit {
    Legit {
        object,
        claim: claim.to_owned(),
        who: row.get("owner").to_owned(),
        until: row.date("until"),
        checks: checks.iter().map(|c| (*c).to_owned()).collect(),
    }
}
