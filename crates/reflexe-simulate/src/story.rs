//! A scenario as data: the tenant, its settings, and the steps of the story with what each must prove.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::tenant::{Network, Tenant};

/// The scenarios that come with the product, each in its folder of `scenarios/`.
const BUILT_IN: [(&str, &str); 3] = [
    ("aitm-admin", include_str!("../../../scenarios/aitm-admin/scenario.toml")),
    ("clean", include_str!("../../../scenarios/clean/scenario.toml")),
    ("false-alarm", include_str!("../../../scenarios/false-alarm/scenario.toml")),
];

/// A text in both languages.
#[derive(Debug, Clone, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Both {
    /// French.
    pub fr: String,
    /// English.
    pub en: String,
}

/// A scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name, the same as its folder.
    #[serde(default)]
    pub name: String,
    /// What it is.
    pub title: Both,
    /// What happens, for the one who learns from it.
    pub about: Both,
    /// The organisation.
    pub tenant: TenantSpec,
    /// Its settings.
    pub posture: Posture,
    /// Least state that each action must reach (`suspected`, `confirmed`).
    #[serde(default)]
    pub actions: BTreeMap<String, String>,
    /// The gravest verdict that any check may give, if the tenant was not attacked.
    #[serde(default)]
    pub gravest: Option<String>,
    /// Checks that must see the settings as they are.
    #[serde(default)]
    pub expect: Vec<Expect>,
    /// Networks that the steps name.
    #[serde(default)]
    pub network: BTreeMap<String, NetworkSpec>,
    /// Applications that exist from the start.
    #[serde(default)]
    pub app: Vec<AppSpec>,
    /// Steps, in any order.
    #[serde(default)]
    pub step: Vec<Step>,
}

/// The organisation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSpec {
    /// Name.
    pub name: String,
    /// Mail domain.
    pub domain: String,
    /// Initial domain.
    pub initial_domain: String,
    /// The office's connection.
    pub office: NetworkSpec,
}

/// A network as written in a scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    ip: String,
    asn: u64,
    country: String,
    city: String,
    #[serde(default)]
    state: String,
    latitude: f64,
    longitude: f64,
}

impl NetworkSpec {
    /// The network.
    pub fn network(&self) -> Network {
        Network {
            ip: self.ip.clone(),
            asn: self.asn,
            country: self.country.clone(),
            city: self.city.clone(),
            state: self.state.clone(),
            latitude: self.latitude,
            longitude: self.longitude,
        }
    }
}

/// An application that exists from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSpec {
    /// Name by which steps call it.
    pub key: String,
    /// Display name.
    pub name: String,
    /// Number of secrets, all old.
    #[serde(default)]
    pub secrets: u64,
    /// Delegated scopes of Microsoft Graph granted for everybody.
    #[serde(default)]
    pub delegated: Option<String>,
    /// Application permission of Microsoft Graph: name and id.
    #[serde(default)]
    pub permission: Option<(String, String)>,
}

/// Settings of the tenant; the names are those of the services.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posture {
    /// `guestUserRoleId` of the authorization policy.
    pub guest_user_role_id: String,
    /// `allowInvitesFrom`.
    pub allow_invites_from: String,
    /// Permission grant policies of ordinary users.
    pub user_consent: Vec<String>,
    /// `allowedToCreateApps`.
    pub users_create_apps: bool,
    /// `DeliveryReportEnabled` of the default remote domain.
    pub delivery_report: bool,
    /// `NDREnabled`.
    pub ndr: bool,
    /// `MeetingForwardNotificationEnabled`.
    pub meeting_forward_notification: bool,
    /// `AutoForwardEnabled`.
    pub auto_forward: bool,
    /// The five third-party storage switches of Teams.
    pub teams_storage: bool,
    /// `AllowAnonymousUsersToJoinMeeting`.
    pub anonymous_join: bool,
    /// `AllowAnonymousUsersToStartMeeting`.
    pub anonymous_start: bool,
    /// `AutoAdmittedUsers`.
    pub auto_admitted: String,
    /// SharePoint's `SharingCapability` (0 nobody, 1 guests, 2 anyone).
    pub sharing_capability: u8,
}

/// One step of the story.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Stable id within the scenario.
    pub id: String,
    /// Kind of act; [`crate::acts`] writes its records.
    pub act: String,
    /// Days before the end's day (0 = the last day).
    pub days_before: i64,
    /// Time of day, UTC, `HH:MM:SS`.
    pub time: String,
    /// What happens, in plain words.
    pub title: Both,
    /// Whether an intruder did it.
    #[serde(default)]
    pub hostile: bool,
    /// Part that acts.
    pub actor: String,
    /// Network it comes from; the usual one if not said.
    #[serde(default)]
    pub from: Option<String>,
    /// Further particulars of the act.
    #[serde(default)]
    pub with: BTreeMap<String, toml::Value>,
    /// Checks that must see it.
    #[serde(default)]
    pub expect: Vec<Expect>,
    /// For what is harmless: the gravest verdict that any check may give it.
    #[serde(default)]
    pub at_most: Option<String>,
}

/// A check that must see a step.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Check id.
    pub check: String,
    /// Least verdict.
    pub at_least: String,
}

impl Step {
    /// A particular as text.
    pub fn text(&self, key: &str) -> Result<&str, Error> {
        self.with
            .get(key)
            .and_then(toml::Value::as_str)
            .ok_or_else(|| Error::Scenario(format!("step {}: `with.{key}` (a text) is missing", self.id)))
    }

    /// A particular as text, or a default.
    pub fn text_or<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.with.get(key).and_then(toml::Value::as_str).unwrap_or(default)
    }

    /// A particular as number, or a default.
    pub fn number(&self, key: &str, default: i64) -> i64 {
        self.with.get(key).and_then(toml::Value::as_integer).unwrap_or(default)
    }

    /// A particular as part of the cast.
    pub fn part(&self, key: &str, tenant: &Tenant) -> Result<usize, Error> {
        let name = self.text(key)?;
        if !Tenant::knows_part(name) {
            return Err(Error::Scenario(format!("step {}: nobody plays `{name}`", self.id)));
        }
        Ok(tenant.part(name))
    }

    /// Seconds after midnight.
    pub fn second_of_day(&self) -> Result<i64, Error> {
        let mut parts = self.time.split(':').map(|p| p.parse::<i64>().ok());
        match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten(), parts.next()) {
            (Some(h @ 0..=23), Some(m @ 0..=59), Some(s @ 0..=59), None) => Ok(h * 3600 + m * 60 + s),
            _ => Err(Error::Scenario(format!("step {}: time `{}` is not HH:MM:SS", self.id, self.time))),
        }
    }
}

/// Reads a built-in scenario by its name.
pub fn load(name: &str) -> Result<Scenario, Error> {
    let Some((_, text)) = BUILT_IN.iter().find(|(n, _)| *n == name) else {
        return Err(Error::UnknownScenario {
            name: name.to_owned(),
            known: BUILT_IN.iter().map(|(n, _)| *n).collect::<Vec<_>>().join(", "),
        });
    };
    parse(name, text)
}

/// Reads a scenario from its text.
pub fn parse(name: &str, text: &str) -> Result<Scenario, Error> {
    let mut scenario: Scenario = toml::from_str(text).map_err(|e| Error::Scenario(format!("scenario {name}: {e}")))?;
    scenario.name = name.to_owned();
    for step in &scenario.step {
        if !Tenant::knows_part(&step.actor) {
            return Err(Error::Scenario(format!("step {}: nobody plays `{}`", step.id, step.actor)));
        }
        if let Some(net) = &step.from
            && !scenario.network.contains_key(net)
        {
            return Err(Error::Scenario(format!("step {}: no network `{net}`", step.id)));
        }
    }
    Ok(scenario)
}

/// Names and titles of the built-in scenarios.
pub fn list() -> Result<Vec<(String, Both)>, Error> {
    BUILT_IN.iter().map(|(name, text)| Ok(((*name).to_owned(), parse(name, text)?.title))).collect()
}
