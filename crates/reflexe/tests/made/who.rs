//! The people, places and days of a fictional tenant.
use jiff::{ToSpan, civil::Date};

/// The tenant's mail domain, initial domain and id.
pub const DOMAIN: &str = "ardoise.example.com";
pub const INITIAL: &str = "ardoiseexample.onmicrosoft.com";
pub const TENANT: &str = "3c5d0a1e-8b27-4f6a-9d41-52e7c0b8a9f3";

/// Where everybody works, and where nobody does.
pub const OFFICE: &str = "192.0.2.10";
pub const STRANGER: &str = "203.0.113.61";

/// Browsers: of the office, and of strangers.
pub const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36 Edg/144.0.0.0";
pub const LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
/// A program library that steals sessions with stolen passwords (public reports of 2025).
pub const AXIOS: &str = "axios/1.7.9";

/// Somebody of the tenant, known by the first part of the address.
#[derive(Clone, Copy)]
pub struct Person(pub &'static str);

impl Person {
    pub fn upn(self) -> String {
        format!("{}@{DOMAIN}", self.0)
    }
    pub fn id(self) -> String {
        guid(&format!("user {}", self.0))
    }
    pub fn puid(self) -> String {
        format!("1003{:012X}", hash(self.0) & 0xffff_ffff_ffff)
    }
    pub fn sid(self) -> String {
        format!("S-1-5-21-1376570662-3565232716-1187618197-{}", hash(self.0) % 90_000_000)
    }
}

/// A role by its name and the id of its template (Microsoft's list of built-in roles).
#[derive(Clone, Copy)]
pub struct Role(pub &'static str, pub &'static str);
pub const GLOBAL: Role = Role("Global Administrator", "62e90394-69f5-4237-9190-012177145e10");
pub const EXCHANGE: Role = Role("Exchange Administrator", "29232cdf-9323-42fd-ade2-1d097af3e4de");
pub const USERS: Role = Role("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1");
pub const HELPDESK: Role = Role("Helpdesk Administrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8");
pub const SHAREPOINT: Role = Role("SharePoint Administrator", "f28a1f50-f6e7-4571-818b-6a12f2af6b6c");
pub const TEAMS: Role = Role("Teams Administrator", "69091246-20e8-4a56-aa4d-066075b2a7a8");
pub const REPORTS: Role = Role("Reports Reader", "4a5d8f65-41da-4de4-8968-e035b65339cf");
pub const APPLICATIONS: Role = Role("Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3");
pub const AUTHENTICATION: Role = Role("Privileged Authentication Administrator", "7be44c8a-adaf-4e2a-84d6-ab2649e08a13");
pub const ROLES: Role = Role("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814");

/// A number that is the same on every machine (FNV-1a).
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// An id in the form of a GUID, always the same for the same text.
pub fn guid(text: &str) -> String {
    let (a, b) = (hash(text), hash(&format!("{text}'")));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        b & 0xfff,
        (b >> 16) & 0xffff_ffff_ffff
    )
}

/// `n` working days from a day on, as dates.
pub fn workdays(from: &str, n: usize) -> Vec<String> {
    let first: Date = from.parse().expect("a date");
    (0..)
        .map(|d: i64| first.checked_add(d.days()).expect("a date"))
        .filter(|d| d.weekday().to_monday_one_offset() < 6)
        .take(n)
        .map(|d| d.to_string())
        .collect()
}
