//! Who to call: the public contacts and the organisation's own, whether they answer now, and whether they can be reached without
//! the suspect tenant.
use jiff::Timestamp;
use reflexe_model::Text;

use crate::{
    hours::{HoursError, Open, open_at},
    response::def::{ContactDef, HoursDef},
};

/// Somebody to call, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Name, in both languages.
    pub name: Text,
    /// Role or organisation; whom it serves.
    pub whom: Text,
    /// Call for.
    pub call_for: Text,
    /// Telephones.
    pub phones: Vec<String>,
    /// E-mails.
    pub emails: Vec<String>,
    /// Pages, shown as text.
    pub urls: Vec<String>,
    /// Opening hours.
    pub hours: Option<HoursDef>,
    /// Contract or policy number.
    pub contract: String,
    /// Written by the organisation.
    pub own: bool,
    /// Date of the last look; empty: never.
    pub as_of: String,
    /// Whether it was checked.
    pub verified: bool,
}

/// How a contact stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Badge {
    /// Answers now.
    Open,
    /// Closed now; opens then.
    ClosedNow(Option<jiff::Zoned>),
    /// Hours are not known.
    Unknown,
}

impl From<&ContactDef> for Contact {
    fn from(def: &ContactDef) -> Self {
        Self {
            name: def.name.clone(),
            whom: def.whom.clone(),
            call_for: def.call_for.clone(),
            phones: def.phones.clone(),
            emails: def.emails.clone(),
            urls: def.urls.clone(),
            hours: def.hours.clone(),
            contract: String::new(),
            own: def.own,
            as_of: def.as_of.clone(),
            verified: def.verified,
        }
    }
}

impl Contact {
    /// Whether somebody answers at `now`.
    ///
    /// # Errors
    /// When the hours are unreadable.
    pub fn badge(&self, now: Timestamp) -> Result<Badge, HoursError> {
        let Some(hours) = &self.hours else { return Ok(Badge::Unknown) };
        Ok(match open_at(hours, now)? {
            Open::Until(_) => Badge::Open,
            Open::Closed(next) => Badge::ClosedNow(next),
        })
    }

    /// A warning if every e-mail of the contact lies in the suspect tenant's domains and no telephone stands beside, or beside a
    /// telephone that the mail must not be used.
    pub fn tenant_warning(&self, tenant_domains: &[String]) -> Option<Text> {
        let inside = |mail: &String| {
            let domain = mail.rsplit('@').next().unwrap_or_default().to_lowercase();
            tenant_domains.iter().map(|d| d.to_lowercase()).any(|d| domain == d || domain.ends_with(&format!(".{d}")))
        };
        if self.emails.is_empty() || !self.emails.iter().all(inside) {
            return None;
        }
        Some(if self.phones.is_empty() {
            Text::new(
                "Joignable seulement par le tenant soupçonné : trouvez un téléphone.",
                "Reachable only through the suspect tenant: find a telephone.",
            )
        } else {
            Text::new(
                "Adresse dans le tenant soupçonné : appelez, n'écrivez pas.",
                "Address in the suspect tenant: call, do not write.",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Response;

    fn contact(id: &str) -> Contact {
        Contact::from(Response::load().unwrap().contacts.iter().find(|c| c.id == id).unwrap())
    }

    #[test]
    fn closed_now_on_a_sunday_and_never_for_the_night_desk() {
        let sunday = "2026-11-22T14:00:00Z".parse().unwrap();
        let Badge::ClosedNow(Some(next)) = contact("cyberocc").badge(sunday).unwrap() else { panic!("closed") };
        assert_eq!(next.strftime("%a %H:%M").to_string(), "Mon 09:00");
        assert_eq!(contact("17cyber").badge(sunday).unwrap(), Badge::Open);
        assert_eq!(contact("cnil").badge(sunday).unwrap(), Badge::Unknown);
    }

    #[test]
    fn every_contact_has_readable_hours() {
        for c in Response::load().unwrap().contacts {
            Contact::from(&c).badge(Timestamp::UNIX_EPOCH).unwrap();
        }
    }

    #[test]
    fn a_mail_inside_the_suspect_tenant_warns() {
        let mut c = contact("cnil");
        let tenant = ["Example.com".to_owned()];
        assert_eq!(c.tenant_warning(&tenant), None);
        c.emails = vec!["help@sub.example.com".into()];
        assert!(c.tenant_warning(&tenant).unwrap().en.contains("find a telephone"));
        c.phones = vec!["01".into()];
        assert!(c.tenant_warning(&tenant).unwrap().en.contains("do not write"));
        c.emails.push("x@example.org".into());
        assert_eq!(c.tenant_warning(&tenant), None);
    }
}
