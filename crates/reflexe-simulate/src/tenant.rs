//! The simulated tenant: its people with their habits, its applications and its settings.
//!
//! People are made from the seed; settings come from the scenario; the steps of the story then change the settings,
//! so that the state written at the end agrees with the log.
use serde_json::Value;

use crate::rng::{Guid, Rng};
use crate::story::Scenario;
use crate::text::Seconds;

/// A place on the network, with what a sign-in record says of it.
#[derive(Debug, Clone)]
pub struct Network {
    /// Address, of a range kept for documentation.
    pub ip: String,
    /// Autonomous system number, of a range kept for documentation.
    pub asn: u64,
    /// ISO country.
    pub country: String,
    /// City.
    pub city: String,
    /// Region.
    pub state: String,
    /// Latitude as text.
    pub latitude: f64,
    /// Longitude as text.
    pub longitude: f64,
}

/// A person.
#[derive(Debug, Clone)]
pub struct User {
    /// Directory object id.
    pub id: Guid,
    /// User principal name and main address.
    pub upn: String,
    /// Display name.
    pub display: String,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Old-style user key of Exchange and SharePoint.
    pub puid: String,
    /// Security identifier of the mailbox.
    pub sid: String,
    /// Mailbox.
    pub mailbox: Guid,
    /// Department.
    pub department: &'static str,
    /// Job title.
    pub title: &'static str,
    /// Whether the account comes from the local directory.
    pub synced: bool,
    /// When the account was created.
    pub created: Seconds,
    /// Home connection.
    pub home: Network,
    /// Device id.
    pub device: Guid,
    /// Device name.
    pub device_name: String,
    /// Authentication methods.
    pub methods: Vec<&'static str>,
}

/// A role held by somebody.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Role template id.
    pub role: &'static str,
    /// English name.
    pub name: &'static str,
    /// Index of the holder.
    pub user: usize,
}

/// A secret of an application.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Key id.
    pub key: Guid,
    /// Name given to it.
    pub name: String,
    /// Valid from.
    pub from: Seconds,
    /// Valid until.
    pub to: Seconds,
}

/// An application with its service principal.
#[derive(Debug, Clone)]
pub struct App {
    /// Key in the scenario.
    pub key: String,
    /// Name.
    pub name: String,
    /// Application (client) id.
    pub app_id: String,
    /// Object id of the registration; `None` for an application of another tenant.
    pub object: Option<Guid>,
    /// Object id of the service principal.
    pub sp: Guid,
    /// Tenant that owns it.
    pub owner_tenant: String,
    /// Created.
    pub created: Seconds,
    /// Secrets.
    pub secrets: Vec<Secret>,
    /// Owners, as indexes of users.
    pub owners: Vec<usize>,
    /// Tenant-wide delegated scopes: (resource app id, scopes).
    pub delegated: Vec<(String, String)>,
    /// Application permissions: (resource app id, role id, role name, since).
    pub roles: Vec<(String, String, String, Seconds)>,
    /// Reply addresses.
    pub reply: Vec<String>,
}

/// Everything that is simulated, before anything is written.
pub struct Tenant {
    /// Seed.
    pub seed: u64,
    /// Tenant id.
    pub id: Guid,
    /// Name of the organisation.
    pub name: String,
    /// Mail domain.
    pub domain: String,
    /// Initial domain.
    pub initial: String,
    /// People; the first ones have the parts named in [`PARTS`].
    pub users: Vec<User>,
    /// Address of the office.
    pub office: Network,
    /// Named networks of the scenario.
    pub networks: std::collections::BTreeMap<String, Network>,
    /// Number of people who worked all the time; newcomers come after them.
    pub everyday: usize,
    /// Journeys: where a person is on a day.
    pub travel: std::collections::BTreeMap<(usize, i64), Network>,
    /// Role holders.
    pub roles: Vec<Assignment>,
    /// Applications.
    pub apps: Vec<App>,
    /// Settings of the scenario.
    pub posture: crate::story::Posture,
    /// Inbox rules as `Get-InboxRule` gives them.
    pub inbox_rules: Vec<Value>,
    /// Transport rules as `Get-TransportRule` gives them.
    pub transport_rules: Vec<Value>,
    /// Mailbox permissions that are not the owner's own.
    pub mailbox_permissions: Vec<Value>,
    /// Send-as permissions that are not the owner's own.
    pub recipient_permissions: Vec<Value>,
    /// Forwarding address by user.
    pub forwarding: std::collections::BTreeMap<usize, (String, bool)>,
    /// Conditional access policies, in Graph form.
    pub policies: Vec<Value>,
}

/// Names of the people that a story speaks of, in the order of [`Tenant::users`], with department, title and role.
pub const PARTS: [(&str, &str, &str, Option<(&str, &str)>); 9] = [
    ("admin", "Informatique", "Responsable informatique", Some((GLOBAL_ADMIN, "Global Administrator"))),
    ("second_admin", "Informatique", "Administratrice système", Some((GLOBAL_ADMIN, "Global Administrator"))),
    ("exchange_admin", "Informatique", "Administrateur messagerie", Some((EXCHANGE_ADMIN, "Exchange Administrator"))),
    ("helpdesk", "Informatique", "Technicien support", Some((HELPDESK_ADMIN, "Helpdesk Administrator"))),
    ("finance", "Finances", "Directrice financière", None),
    ("accountant", "Finances", "Comptable", None),
    ("assistant", "Direction", "Assistante de direction", None),
    ("director", "Direction", "Directeur général", None),
    ("developer", "Informatique", "Développeuse", None),
];

/// Part of the person who was taken on during the story.
const NEWCOMER: &str = "newcomer";
/// Template id of Global Administrator.
pub const GLOBAL_ADMIN: &str = "62e90394-69f5-4237-9190-012177145e10";
/// Template id of Exchange Administrator.
pub const EXCHANGE_ADMIN: &str = "29232cdf-9323-42fd-ade2-1d097af3e4de";
/// Template id of Helpdesk Administrator.
pub const HELPDESK_ADMIN: &str = "729827e3-9c14-49f7-bb1b-9608f156bbb8";

const GIVEN: [&str; 32] = [
    "Claire",
    "Hélène",
    "Julien",
    "Karim",
    "Sophie",
    "Émile",
    "Nadia",
    "François",
    "Inès",
    "Paul",
    "Lucie",
    "Hugo",
    "Amélie",
    "Théo",
    "Camille",
    "Yanis",
    "Manon",
    "Loïc",
    "Chloé",
    "Rémi",
    "Salomé",
    "Adrien",
    "Zoé",
    "Maxime",
    "Élodie",
    "Bruno",
    "Fatou",
    "Gaël",
    "Irène",
    "Noé",
    "Raphaël",
    "Jeanne",
];
const FAMILY: [&str; 36] = [
    "Vasseur",
    "Marchand",
    "Roussel",
    "Benali",
    "Lemoine",
    "Garnier",
    "Faure",
    "Delmas",
    "Moreau",
    "Chevalier",
    "Perrin",
    "Masson",
    "Collet",
    "Renaud",
    "Bouvier",
    "Aubert",
    "Prévost",
    "Caron",
    "Lefèvre",
    "Hamel",
    "Girard",
    "Brunet",
    "Barbier",
    "Guérin",
    "Nguyen",
    "Diallo",
    "Picard",
    "Legrand",
    "Texier",
    "Besson",
    "Rolland",
    "Maillard",
    "Tessier",
    "Vidal",
    "Bailly",
    "Cordier",
];
const DEPARTMENTS: [(&str, &str); 5] = [
    ("Études", "Ingénieur d'études"),
    ("Commercial", "Chargé de clientèle"),
    ("Production", "Chef de projet"),
    ("Ressources humaines", "Gestionnaire RH"),
    ("Achats", "Acheteur"),
];

fn plain(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .map(|c| match c {
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'à' | 'â' => 'a',
            'î' | 'ï' => 'i',
            'ô' => 'o',
            'ç' => 'c',
            'û' | 'ù' => 'u',
            other => other,
        })
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

/// Makes the tenant of a scenario: people and settings, before any step of the story.
pub fn build(scenario: &Scenario, users: u32, seed: u64, start: Seconds) -> Tenant {
    let id = Guid::of(seed, "tenant", 0);
    let domain = scenario.tenant.domain.clone();
    let people = (0..users as usize).map(|n| person(n, seed, &domain, start)).collect::<Vec<_>>();
    let mut tenant = Tenant {
        seed,
        id,
        name: scenario.tenant.name.clone(),
        domain,
        initial: scenario.tenant.initial_domain.clone(),
        users: people,
        everyday: users as usize,
        travel: Default::default(),
        office: scenario.tenant.office.network(),
        networks: scenario.network.iter().map(|(k, n)| (k.clone(), n.network())).collect(),
        roles: PARTS
            .iter()
            .enumerate()
            .filter_map(|(user, part)| part.3.map(|(role, name)| Assignment { role, name, user }))
            .collect(),
        apps: Vec::new(),
        posture: scenario.posture.clone(),
        inbox_rules: Vec::new(),
        transport_rules: Vec::new(),
        mailbox_permissions: Vec::new(),
        recipient_permissions: Vec::new(),
        forwarding: Default::default(),
        policies: Vec::new(),
    };
    tenant.policies = crate::graph::default_policies(&tenant, start);
    for app in &scenario.app {
        tenant.apps.push(App {
            key: app.key.clone(),
            name: app.name.clone(),
            app_id: Guid::of(seed, "app-id", tenant.apps.len() as u64).to_string(),
            object: Some(Guid::of(seed, "app-object", tenant.apps.len() as u64)),
            sp: Guid::of(seed, "app-sp", tenant.apps.len() as u64),
            owner_tenant: id.to_string(),
            created: start - 400 * crate::text::DAY,
            secrets: (0..app.secrets)
                .map(|n| Secret {
                    key: Guid::of(seed, &app.key, n),
                    name: format!("{} {}", app.name, n + 1),
                    from: start - 300 * crate::text::DAY,
                    to: start + 400 * crate::text::DAY,
                })
                .collect(),
            owners: vec![tenant.part("developer")],
            delegated: app.delegated.iter().map(|s| (crate::graph::GRAPH.to_owned(), s.clone())).collect(),
            roles: app
                .permission
                .iter()
                .map(|(name, id)| (crate::graph::GRAPH.to_owned(), id.clone(), name.clone(), start - 400 * crate::text::DAY))
                .collect(),
            reply: vec![format!("https://{}.{}/auth", plain(&app.key), tenant.domain)],
        });
    }
    tenant
}

/// The person of a number.
pub fn person(n: usize, seed: u64, domain: &str, start: Seconds) -> User {
    let mut rng = Rng::of(seed, "user", n as u64);
    let given = GIVEN[n % GIVEN.len()];
    let family = FAMILY[(n * 7 + n / GIVEN.len()) % FAMILY.len()];
    let number = n / (GIVEN.len() * FAMILY.len() / 4);
    let suffix = if number == 0 { String::new() } else { number.to_string() };
    let local = format!("{}.{}{suffix}", plain(given), plain(family));
    // The same pair of names may come twice: the number keeps the address unique.
    let local = if n < GIVEN.len() { local } else { format!("{local}{n}") };
    let (department, title) = match PARTS.get(n) {
        Some(part) => (part.1, part.2),
        None => DEPARTMENTS[n % DEPARTMENTS.len()],
    };
    let administers = PARTS.get(n).is_some_and(|p| p.3.is_some());
    let home = Network {
        ip: if n < 200 {
            format!("198.51.100.{}", n + 10)
        } else {
            format!("2001:db8:{:x}:{:x}::{:x}", n >> 12, n & 0xfff, 16 + n % 200)
        },
        asn: 64_497 + (n % 3) as u64,
        country: "FR".into(),
        city: ["Lyon", "Villeurbanne", "Saint-Étienne"][n % 3].into(),
        state: ["Rhone", "Rhone", "Loire"][n % 3].into(),
        latitude: [45.764, 45.7719, 45.4397][n % 3],
        longitude: [4.8357, 4.8902, 4.3872][n % 3],
    };
    User {
        id: rng.guid(),
        upn: format!("{local}@{domain}"),
        display: format!("{given} {family}"),
        given: given.into(),
        family: family.into(),
        puid: format!("10032001{:08X}", rng.next() as u32),
        sid: format!("S-1-5-21-{}-{}-{}-{}", rng.next() as u32, rng.next() as u32, rng.next() as u32, 20_000_000 + n),
        mailbox: rng.guid(),
        department,
        title,
        synced: !administers && n.is_multiple_of(2),
        created: start - (400 + rng.below(1500) as i64) * crate::text::DAY,
        home,
        device: rng.guid(),
        device_name: format!("HEL-{:04}", 1000 + n),
        methods: if administers {
            vec!["fido2SecurityKey", "microsoftAuthenticatorPush", "softwareOneTimePasscode"]
        } else {
            vec!["microsoftAuthenticatorPush", "softwareOneTimePasscode"]
        },
    }
}

impl Tenant {
    /// Index of the person who plays a part; `user11` names one of the others, `newcomer` who came last.
    pub fn part(&self, name: &str) -> usize {
        if name == NEWCOMER {
            return self.users.len() - 1;
        }
        PARTS
            .iter()
            .position(|p| p.0 == name)
            .or_else(|| name.strip_prefix("user").and_then(|n| n.parse().ok()))
            .unwrap_or(PARTS.len())
            .min(self.users.len() - 1)
    }

    /// Whether a name is a part that [`Tenant::part`] knows in the smallest tenant.
    pub fn knows_part(name: &str) -> bool {
        name == NEWCOMER
            || PARTS.iter().any(|p| p.0 == name)
            || name.strip_prefix("user").is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n < crate::LEAST_USERS))
    }

    /// Exchange's canonical name of a mailbox.
    pub fn canonical(&self, user: usize) -> String {
        format!("EURP195A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/{}/{}", self.initial, self.users[user].id)
    }

    /// Application of a key of the scenario.
    pub fn app(&self, key: &str) -> Option<usize> {
        self.apps.iter().position(|a| a.key == key)
    }

    /// Session of a person on a day.
    pub fn session(&self, user: usize, day: i64) -> Guid {
        Guid::of(self.seed ^ ((user as u64) << 32), "session", day as u64)
    }

    /// Where a person works on a day: on a journey, else two days in five at home, else at the office.
    pub fn place(&self, user: usize, day: i64) -> &Network {
        if let Some(network) = self.travel.get(&(user, day)) {
            return network;
        }
        let mut rng = Rng::of(self.seed ^ ((user as u64) << 32), "place", day as u64);
        if rng.below(5) < 2 { &self.users[user].home } else { &self.office }
    }
}
