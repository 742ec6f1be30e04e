//! Acts on accounts: sign-ins, security information, passwords, roles, conditional access.
use serde_json::json;

use super::{INTRUDER_AGENT, RELAY_AGENT, Stage};
use crate::Error;
use crate::audit::{Activity, Change, Target};
use crate::rng::Guid;
use crate::signin::{self, AZURE_PORTAL, MY_SIGNINS, OFFICE_HOME, OUTLOOK_WEB};
use crate::story::Step;
use crate::tenant::{self, Assignment, GLOBAL_ADMIN};
use crate::text::{DAY, Seconds, zulu};

/// An activity of the directory itself on users.
fn user_activity<'a>(name: &'a str, kind: &'a str) -> Activity<'a> {
    Activity { name, category: "UserManagement", service: "Core Directory", kind, reason: "", unified_category: "User" }
}

impl Stage {
    /// One wrong password for each of many people, from one address.
    pub(super) fn spray(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let place = self.place(step, at);
        // Enough people to stand out in a large tenant too, each once in fifty minutes.
        let people = self.tenant.everyday;
        let many = (step.number("users", 16) as usize).max(people / 20).min(people);
        for round in 0..step.number("rounds", 2) {
            for user in 0..many {
                let when = at + round * 4_000 + (user * 3_000 / many) as i64;
                let session = self.guid("spray");
                self.logon(when, user, &place, session, false, true, 50126, OUTLOOK_WEB, RELAY_AGENT);
            }
        }
        Ok(())
    }

    /// The sign-in through the intruder's relay, then the stolen session used from another network.
    pub(super) fn aitm_signin(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let user = self.actor(step);
        let relay = self.place(step, at);
        let replay = self
            .tenant
            .networks
            .get(step.text("replay_from")?)
            .cloned()
            .ok_or_else(|| Error::Scenario(format!("step {}: no such `replay_from`", step.id)))?;
        let session = self.stolen_session(user);
        self.logon(at - 25, user, &relay, session, false, true, 50074, OFFICE_HOME, RELAY_AGENT);
        self.logon(at, user, &relay, session, false, true, 0, OFFICE_HOME, RELAY_AGENT);
        for (after, app) in
            [(70, OUTLOOK_WEB), (240, MY_SIGNINS), (900, AZURE_PORTAL), (4200, OUTLOOK_WEB), (86_700, OUTLOOK_WEB)]
        {
            if at + after <= self.end {
                self.logon(at + after, user, &replay, session, false, false, 0, app, INTRUDER_AGENT);
            }
        }
        Ok(())
    }

    /// A person abroad with the usual managed device: the everyday events of those days come from there too.
    pub(super) fn travel_signin(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let user = self.actor(step);
        let place = self.place(step, at);
        let first = at.div_euclid(DAY);
        for day in first..first + step.number("days", 3) {
            self.tenant.travel.insert((user, day), place.clone());
            let when = at + (day - first) * DAY;
            if when <= self.end {
                let session = self.tenant.session(user, day);
                self.logon(when, user, &place, session, true, true, 0, OUTLOOK_WEB, signin::USER_AGENT);
            }
        }
        Ok(())
    }

    /// A new authentication method.
    pub(super) fn security_info(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let user = self.actor(step);
        let device = step.text_or("device", "SM-A546B").to_owned();
        let correlation = self.guid("security info");
        let registered = Activity {
            name: "User registered security info",
            category: "UserManagement",
            service: "Authentication Methods",
            kind: "Add",
            reason: "User registered Authenticator App with Notification and Code",
            unified_category: "User",
        };
        self.directory(step, at, correlation, &registered, &Target::User(user), &[]);
        let method = |id: Guid, name: &str| json!({ "DeviceName": name, "DeviceTag": "SoftwareTokenActivated", "PhoneAppVersion": "6.2402.1617", "Id": id.to_string(), "AuthenticationType": 3, "NotificationType": 4, "AuthenticatorFlavor": "Authenticator" });
        let first = method(Guid::of(self.tenant.seed, "phone", user as u64), "iPhone");
        let second = method(self.guid("phone"), &device);
        let changes = [
            Change::list("StrongAuthenticationPhoneAppDetail", json!([first, second]), json!([first])),
            Change::text("Included Updated Properties", "StrongAuthenticationPhoneAppDetail"),
            Change::text("TargetId.UserType", "Member"),
        ];
        self.directory(step, at + 2, correlation, &user_activity("Update user", "Update"), &Target::User(user), &changes);
        Ok(())
    }

    /// A password reset by somebody else.
    pub(super) fn password_reset(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let target = step.part("of", &self.tenant)?;
        let correlation = self.guid("reset");
        self.directory(step, at, correlation, &user_activity("Reset user password", "Update"), &Target::User(target), &[]);
        Ok(())
    }

    /// Somebody is taken on: a new account, made by somebody whose work that is.
    pub(super) fn user_added(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let target = self.tenant.users.len();
        let domain = self.tenant.domain.clone();
        let mut person = tenant::person(target, self.tenant.seed, &domain, at);
        person.created = at;
        person.synced = false;
        let (display, upn) = (person.display.clone(), person.upn.clone());
        self.tenant.users.push(person);
        let nickname = upn.split('@').next().unwrap_or_default().to_owned();
        let correlation = self.guid("add user");
        let none = json!([]);
        let changes = [
            Change::list("AccountEnabled", json!([true]), none.clone()),
            Change::list("DisplayName", json!([display]), none.clone()),
            Change::list("MailNickname", json!([nickname]), none.clone()),
            Change::list("UserPrincipalName", json!([upn]), none.clone()),
            Change::list("UserType", json!(["Member"]), none),
            Change::text("Included Updated Properties", "AccountEnabled, DisplayName, MailNickname, UserPrincipalName, UserType"),
        ];
        self.directory(step, at, correlation, &user_activity("Add user", "Add"), &Target::User(target), &changes);
        Ok(())
    }

    /// A directory role given to an account.
    pub(super) fn role_granted(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let target = step.part("to", &self.tenant)?;
        let correlation = self.guid("role");
        let role_object = Guid::of(self.tenant.seed, "role object", 0).to_string();
        let changes = [
            Change::text("Role.ObjectID", role_object),
            Change::text("Role.DisplayName", "Global Administrator"),
            Change::text("Role.TemplateId", GLOBAL_ADMIN),
            Change::text("Role.WellKnownObjectName", "TenantAdmins"),
        ];
        let activity = Activity {
            name: "Add member to role",
            category: "RoleManagement",
            service: "Core Directory",
            kind: "Assign",
            reason: "",
            unified_category: "Role",
        };
        self.directory(step, at, correlation, &activity, &Target::User(target), &changes);
        self.tenant.roles.push(Assignment { role: GLOBAL_ADMIN, name: "Global Administrator", user: target });
        Ok(())
    }

    /// The policy that asks everybody for a second factor is switched off.
    pub(super) fn ca_policy_disabled(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let correlation = self.guid("policy");
        let old = self.tenant.policies[0].clone();
        let mut new = old.clone();
        new["state"] = json!("disabled");
        new["modifiedDateTime"] = json!(zulu(at));
        let id = old["id"].as_str().unwrap_or_default().to_owned();
        let name = old["displayName"].as_str().unwrap_or_default().to_owned();
        let activity = Activity {
            name: "Update conditional access policy",
            category: "Policy",
            service: "Conditional Access",
            kind: "Update",
            reason: "",
            unified_category: "Policy",
        };
        self.directory(
            step,
            at,
            correlation,
            &activity,
            &Target::Policy(&id, &name),
            &[Change::document("ConditionalAccessPolicy", &new, &old)],
        );
        self.tenant.policies[0] = new;
        Ok(())
    }
}
