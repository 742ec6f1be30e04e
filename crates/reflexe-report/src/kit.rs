//! The print kit: the organisation's own version of the sheet on paper, to be used when nothing else works. One HTML file, no
//! script, A4, black and white: checklist by action with blanks, contact cards, journal sheets, decision table, declarations,
//! complaint aid.
use askama::Template;
use jiff::Timestamp;
use reflexe_fiche::{
    Catalogue,
    contacts::{Badge, Contact},
    interview::who_text,
    pack::Pack,
    question::Who,
    response::{
        Response,
        def::{Duration, LegalStatus},
        facts::{Facts, Tri, holds},
    },
};
use reflexe_model::{Lang, Text};

use crate::{
    ReportError,
    show::{minute, visible},
};

/// Longest shown value of the pack.
const LONG: usize = 160;
/// Blank lines of a journal sheet, which fill a page.
const LINES: usize = 22;

/// What the kit is made from.
#[derive(Debug, Clone, Copy)]
pub struct KitInput<'a> {
    /// Checks, actions and items.
    pub catalogue: &'a Catalogue,
    /// Steps, clocks, contacts.
    pub response: &'a Response,
    /// The organisation's own words.
    pub pack: &'a Pack,
    /// When it is printed; opening hours are told for this moment.
    pub now: Timestamp,
}

/// The print kit in one language.
///
/// # Errors
/// When the template cannot be rendered.
pub fn kit(input: &KitInput<'_>, lang: Lang) -> Result<String, ReportError> {
    Ok(crate::policy::sealed(&Kit::new(input, lang).render()?))
}

struct Action {
    id: String,
    title: String,
    items: Vec<(String, String)>,
    /// What the organisation wrote down for it.
    own: Vec<(String, Vec<String>)>,
}

struct Card {
    name: String,
    whom: String,
    call_for: String,
    phones: String,
    emails: String,
    urls: Vec<String>,
    hours: String,
    contract: String,
    as_of: String,
    own: bool,
}

struct Step {
    id: String,
    title: String,
    why: String,
    roles: String,
}

struct Declaration {
    id: String,
    title: String,
    who: String,
    start: String,
    due: String,
    recipient: String,
    channel: String,
    marks: String,
    maybe: bool,
}

#[derive(Template)]
#[template(path = "kit.html", whitespace = "minimize")]
struct Kit {
    l: KitWords,
    code: &'static str,
    name: String,
    tlp: String,
    printed: String,
    golden: Vec<String>,
    actions: Vec<Action>,
    steps: Vec<Step>,
    cards: Vec<Card>,
    declarations: Vec<Declaration>,
    levels: Vec<(String, String)>,
    complaint: Vec<String>,
    lines: Vec<usize>,
    score: u8,
    unknown: Vec<String>,
}

/// The kit's own words in one language.
struct KitWords(Lang);

impl KitWords {
    fn t(&self, fr: &'static str, en: &'static str) -> &'static str {
        if self.0 == Lang::Fr { fr } else { en }
    }
}

impl Kit {
    fn new(input: &KitInput<'_>, lang: Lang) -> Self {
        let pack = input.pack;
        let say = |t: &Text| spaced(t.get(lang), lang);
        let own = |t: &str| visible(t, LONG);
        let zone = jiff::tz::TimeZone::get(&pack.profile.zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let fresh = pack.freshness(input.now.to_zoned(zone).date());
        let column = |table: &str, columns: &[&str]| -> Vec<String> {
            let shown = |r: &reflexe_fiche::pack::Row| {
                columns.iter().map(|c| own(r.get(c))).filter(|c| !c.is_empty()).collect::<Vec<_>>().join(" · ")
            };
            pack.of(table).iter().map(shown).collect()
        };
        let title = |table: &str| pack.tables.iter().find(|t| t.id == table).map(|t| say(&t.title)).unwrap_or_default();
        let of_action = |id: &str| -> Vec<(String, Vec<String>)> {
            let tables: &[(&str, &[&str])] = match id {
                "1.a" => {
                    &[("administrators", &["account", "person", "purpose", "provider"]), ("egress", &["range", "kind", "place"])]
                }
                "1.b" => &[("vips", &["account", "person", "reason"])],
                "1.c" | "1.e" => &[("forwards", &["kind", "object", "detail", "until"])],
                "1.d" => &[("applications", &["name", "app_id", "permissions"])],
                _ => &[],
            };
            tables.iter().map(|(t, columns)| (title(t), column(t, columns))).collect()
        };
        let items = |ids: &[String]| -> Vec<(String, String)> {
            let known = |id: &String| input.catalogue.items.iter().find(|i| i.id == *id).map(|i| (id.clone(), say(&i.title)));
            ids.iter().filter_map(known).collect()
        };
        let mut actions: Vec<Action> = input
            .catalogue
            .actions
            .iter()
            .map(|a| Action { id: a.id.clone(), title: say(&a.title), items: items(&a.items), own: of_action(&a.id) })
            .collect();
        let business = [
            ("activities", &["name", "phone", "tolerable_hours", "degraded_mode"][..]),
            ("backups", &["what", "where", "last_restore_test"]),
            ("partners", &["name", "kind", "phone"]),
        ];
        actions.push(Action {
            id: "2–4".into(),
            title: say(&Text::new("Périmètre, impact, urgence", "Perimeter, impact, urgency")),
            items: Vec::new(),
            own: business.iter().map(|(t, columns)| (title(t), column(t, columns))).collect(),
        });
        let mut cards: Vec<Card> = pack.contacts().iter().map(|c| card(c, input.now, lang)).collect();
        cards.extend(input.response.contacts.iter().map(|c| card(&Contact::from(c), input.now, lang)));
        // The organisation's own first, then the blanks to fill in, then the public ones.
        cards.sort_by_key(|c| !c.own);
        let facts = Facts {
            confirmed: ["T1", "T2", "T3", "T4", "T5", "T6"].iter().map(|t| (*t).to_owned()).collect(),
            statuses: pack.statuses(),
            ..Facts::default()
        };
        let hours = pack.contract_hours();
        let declarations = input
            .response
            .clocks
            .iter()
            .filter(|c| !c.not_evaluated)
            .map(|c| (c, holds(&c.when, &facts).value))
            .filter(|(_, value)| *value > Tri::No)
            .map(|(c, value)| Declaration {
                id: c.id.clone(),
                title: say(&c.title),
                who: say(&c.who),
                start: say(&c.trigger.ask),
                due: due_words(c.duration, hours.get(&c.id).copied(), c.cap.as_ref().map(|k| k.hours), lang),
                recipient: say(&c.recipient),
                channel: say(&c.channel),
                marks: marks(c.status, c.verified, &c.as_of, lang),
                maybe: value == Tri::Maybe,
            })
            .collect();
        let complaint =
            input.response.clock("D.LOPMI").map(|c| c.checklist.iter().map(|n| say(&n.text())).collect()).unwrap_or_default();
        let levels = [
            (
                "1",
                "Anomalie courante : pas de menace sérieuse, pas d’effet notable.",
                "Common anomaly: no serious threat, no notable effect.",
            ),
            (
                "2",
                "Incident mineur : menace limitée, effet modéré, actuel ou possible.",
                "Minor incident: limited threat, moderate effect, present or possible.",
            ),
            (
                "3",
                "Incident majeur : menace grave ou administration perdue, effet fort, actuel ou possible.",
                "Major incident: serious threat or lost administration, strong effect, present or possible.",
            ),
            (
                "4",
                "Crise cyber : périmètre étendu, effet fort et activité vitale à l’arrêt, les trois ensemble.",
                "Cyber crisis: extended perimeter, strong effect and a vital activity stopped, all three.",
            ),
        ];
        Self {
            code: if lang == Lang::Fr { "fr" } else { "en" },
            name: own(&pack.profile.name),
            tlp: if pack.profile.tlp.is_empty() { "TLP:AMBER+STRICT".into() } else { own(&pack.profile.tlp) },
            printed: minute(input.now, lang),
            golden: input.response.golden.iter().map(|n| say(&n.text())).collect(),
            steps: input
                .response
                .steps
                .iter()
                .map(|s| Step { id: s.id.clone(), title: say(&s.title), why: say(&s.why), roles: roles(&s.roles, lang) })
                .collect(),
            levels: levels.iter().map(|(n, fr, en)| ((*n).to_owned(), say(&Text::new(*fr, *en)))).collect(),
            lines: (1..=LINES).collect(),
            score: fresh.score,
            unknown: fresh.tables.iter().filter_map(|t| t.unknown.as_ref()).map(say).collect(),
            l: KitWords(lang),
            actions,
            cards,
            declarations,
            complaint,
        }
    }
}

fn card(c: &Contact, now: Timestamp, lang: Lang) -> Card {
    let own = |t: &str| visible(t, LONG);
    let word = |fr: &str, en: &str| if lang == Lang::Fr { fr.to_owned() } else { en.to_owned() };
    let hours = match (&c.hours, c.badge(now)) {
        (None, _) | (Some(_), Ok(Badge::Unknown)) => String::new(),
        (Some(_), Err(error)) => error.to_string(),
        (Some(h), Ok(_)) => {
            let names = [
                ("mon", "lun", "Mon"),
                ("tue", "mar", "Tue"),
                ("wed", "mer", "Wed"),
                ("thu", "jeu", "Thu"),
                ("fri", "ven", "Fri"),
                ("sat", "sam", "Sat"),
                ("sun", "dim", "Sun"),
            ];
            if h.week.len() == 7 && h.week.values().all(|s| s == &["00:00-24:00"]) {
                word("jour et nuit", "day and night")
            } else {
                // Days with the same slots stand together.
                let mut groups: Vec<(String, String, &[String])> = Vec::new();
                for (day, fr, en) in names {
                    let Some(slots) = h.week.get(day) else { continue };
                    let name = word(fr, en);
                    match groups.last_mut() {
                        Some(last) if last.2 == slots.as_slice() => last.1 = name,
                        _ => groups.push((name.clone(), name, slots)),
                    }
                }
                let span = |a: &str, b: &str| if a == b { a.to_owned() } else { format!("{a}–{b}") };
                let shown = groups.iter().map(|(a, b, slots)| format!("{} {}", span(a, b), slots.join(", ")));
                format!("{} ({})", shown.collect::<Vec<_>>().join(" ; "), h.zone)
            }
        }
    };
    // A card with blanks is the organisation's to fill in: there is nothing that was seen.
    let blank = c.own && c.phones.is_empty();
    let mut as_of = if blank { String::new() } else { own(&c.as_of) };
    if !c.verified && !blank {
        as_of.push_str(&word(" · à vérifier", " · to be verified"));
    }
    Card {
        name: spaced(&own(c.name.get(lang)), lang),
        whom: spaced(&own(c.whom.get(lang)), lang),
        call_for: spaced(&own(c.call_for.get(lang)), lang),
        phones: own(&c.phones.join(" · ")),
        emails: own(&c.emails.join(" · ")),
        urls: c.urls.iter().map(|u| own(u.trim_start_matches("https://"))).collect(),
        contract: own(&c.contract),
        own: c.own,
        hours: spaced(&hours, lang),
        as_of,
    }
}

/// Who does it, in words.
fn roles(codes: &[String], lang: Lang) -> String {
    let word = |code: &String| {
        let who: Option<Who> = serde_json::from_value(code.as_str().into()).ok();
        who.map_or_else(|| code.clone(), |w| who_text(w).get(lang).to_owned())
    };
    spaced(&codes.iter().map(word).collect::<Vec<_>>().join(", "), lang)
}

/// French signs do not begin a line.
fn spaced(text: &str, lang: Lang) -> String {
    if lang == Lang::En {
        return text.to_owned();
    }
    let mut out = text.replace("« ", "«\u{a0}");
    for sign in [";", ":", "?", "!", "»"] {
        out = out.replace(&format!(" {sign}"), &format!("\u{a0}{sign}"));
    }
    out
}

fn due_words(duration: Duration, contract: Option<u32>, cap: Option<u32>, lang: Lang) -> String {
    let fr = lang == Lang::Fr;
    let hours = |n: u32| format!("{n}\u{a0}{}", if fr { "heures" } else { "hours" });
    match (duration, contract) {
        (Duration::Hours(n), _) => match cap {
            Some(c) if fr => format!("{}, et {} au plus après la connaissance", hours(n), hours(c)),
            Some(c) => format!("{}, and at most {} after awareness", hours(n), hours(c)),
            None => hours(n),
        },
        (Duration::CalendarMonths(n), _) => format!(
            "{n}\u{a0}{}",
            if fr {
                "mois"
            } else if n == 1 {
                "month"
            } else {
                "months"
            }
        ),
        (Duration::WithoutDelay, _) => (if fr { "au plus tôt" } else { "as soon as possible" }).to_owned(),
        (Duration::Contract, Some(n)) => hours(n),
        (Duration::Contract, None) => (if fr { "selon le contrat : ……" } else { "by the contract: ……" }).to_owned(),
    }
}

fn marks(status: LegalStatus, verified: bool, as_of: &str, lang: Lang) -> String {
    let fr = lang == Lang::Fr;
    let mut out = match (status, fr) {
        (LegalStatus::InForce, true) => "en vigueur",
        (LegalStatus::InForce, false) => "in force",
        (LegalStatus::Pending, true) => "pas encore appliqué en France",
        (LegalStatus::Pending, false) => "not yet applied in France",
        (LegalStatus::Proposed, true) => "proposition",
        (LegalStatus::Proposed, false) => "proposal",
    }
    .to_owned();
    out.push_str(&format!(", {as_of}"));
    if !verified {
        out.push_str(if fr { ", à vérifier" } else { ", to be verified" });
    }
    out
}
