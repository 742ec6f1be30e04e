//! The kinds of act that a story is made of. An act writes its records into the logs and changes the tenant's state,
//! so that the settings collected at the end agree with what the log tells.
mod apps;
mod directory;
mod mail;

use serde::Serialize;
use serde_json::Value;

use crate::Error;
use crate::audit::{self, Activity, Actor, Change, Target};
use crate::rng::Guid;
use crate::signin::{self, AppUse, Logon};
use crate::story::{Scenario, Step};
use crate::tenant::{Network, Tenant};
use crate::text::{DAY, Seconds};
use crate::ual::Wrapper;

/// Browser of the intruder's relay, and of the intruder.
pub const RELAY_AGENT: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.0.0 Safari/537.36";
/// Browser of the intruder after the theft.
pub const INTRUDER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.0.0 Safari/537.36";

/// Log that a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Log {
    /// Unified audit log.
    UalEvent,
    /// Sign-ins of people.
    Signin,
    /// Sign-ins of applications.
    SigninServicePrincipal,
    /// Directory audit.
    DirectoryAudit,
}

/// A record of an act, ready to be merged into its log.
pub struct Event {
    /// Time.
    pub at: Seconds,
    /// Index of the step that it belongs to; `None` for everyday events.
    pub step: Option<usize>,
    /// Log.
    pub log: Log,
    /// The source's own id.
    pub id: String,
    /// The record on one line.
    pub line: Vec<u8>,
    /// Wrapper columns (unified audit log only).
    pub wrapper: Wrapper,
}

/// What the acts of a scenario write.
pub struct Stage {
    /// The tenant, whose state the acts change.
    pub tenant: Tenant,
    /// Records.
    pub events: Vec<Event>,
    end: Seconds,
    step: usize,
    serial: u64,
}

/// Plays all the steps of a scenario.
pub fn play(tenant: Tenant, scenario: &Scenario, start: Seconds, end: Seconds) -> Result<Stage, Error> {
    let mut stage = Stage { tenant, events: Vec::new(), end, step: 0, serial: 0 };
    let mut order: Vec<(Seconds, usize)> = Vec::new();
    for (n, step) in scenario.step.iter().enumerate() {
        order.push((stage.time(step)?, n));
    }
    order.sort_unstable();
    for (at, n) in order {
        stage.step = n;
        let step = &scenario.step[n];
        stage.act(step, at)?;
    }
    // What was done before the log begins is seen in the state alone.
    stage.events.retain(|e| e.at >= start);
    stage.events.sort_by(|a, b| (a.at, a.log, &a.id).cmp(&(b.at, b.log, &b.id)));
    Ok(stage)
}

impl Stage {
    fn act(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        match step.act.as_str() {
            "spray" => self.spray(step, at),
            "lure_read" => self.lure_read(step, at),
            "aitm_signin" => self.aitm_signin(step, at),
            "travel_signin" => self.travel_signin(step, at),
            "security_info" => self.security_info(step, at),
            "password_reset" => self.password_reset(step, at),
            "user_added" => self.user_added(step, at),
            "role_granted" => self.role_granted(step, at),
            "ca_policy_disabled" => self.ca_policy_disabled(step, at),
            "app_created" => self.app_created(step, at),
            "app_secret" => self.app_secret(step, at),
            "app_owner" => self.app_owner(step, at),
            "consent_all" => self.consent_all(step, at),
            "app_permission" => self.app_permission(step, at),
            "app_sign_in" => self.app_sign_in(step, at),
            "inbox_rule" => self.inbox_rule(step, at),
            "forwarding" => self.forwarding(step, at),
            "mailbox_permission" => self.mailbox_permission(step, at),
            "send_as_permission" => self.send_as_permission(step, at),
            "transport_rule" => self.transport_rule(step, at),
            "app_mail_access" => self.app_mail_access(step, at),
            "mail_sync" => self.mail_sync(step, at),
            "anonymous_links" => self.anonymous_links(step, at),
            "fraud_send" => self.fraud_send(step, at),
            "alert" => self.alert(step, at),
            other => Err(Error::Scenario(format!("step {}: no act is called `{other}`", step.id))),
        }
    }

    /// When a step happens.
    fn time(&self, step: &Step) -> Result<Seconds, Error> {
        let at = self.end.div_euclid(DAY) * DAY - step.days_before * DAY + step.second_of_day()?;
        if at > self.end {
            return Err(Error::Scenario(format!("step {}: it happens after the end of the log", step.id)));
        }
        Ok(at)
    }

    /// The person who acts.
    fn actor(&self, step: &Step) -> usize {
        self.tenant.part(&step.actor)
    }

    /// Where the person acts from: the network that the step names, else the usual place of that day.
    fn place(&self, step: &Step, at: Seconds) -> Network {
        match step.from.as_ref().and_then(|name| self.tenant.networks.get(name)) {
            Some(network) => network.clone(),
            None => self.tenant.place(self.actor(step), at.div_euclid(DAY)).clone(),
        }
    }

    fn agent(step: &Step) -> &'static str {
        if step.hostile { INTRUDER_AGENT } else { signin::USER_AGENT }
    }

    /// Session of the acts: the stolen one for an intruder, the day's for others.
    fn session(&self, step: &Step, at: Seconds) -> Guid {
        let user = self.actor(step);
        if step.hostile { self.stolen_session(user) } else { self.tenant.session(user, at.div_euclid(DAY)) }
    }

    /// The session that the intruder stole from a person.
    fn stolen_session(&self, user: usize) -> Guid {
        Guid::of(self.tenant.seed, "stolen session", user as u64)
    }

    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn guid(&mut self, label: &str) -> Guid {
        let n = self.next();
        Guid::of(self.tenant.seed, label, n)
    }

    /// Adds a record of the unified audit log.
    fn unified(&mut self, at: Seconds, record_type: &'static str, record: &Value) {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let wrapper = Wrapper { record_type, operation: text("Operation"), user: text("UserId"), id: text("Id") };
        self.events.push(Event {
            at,
            step: Some(self.step),
            log: Log::UalEvent,
            id: wrapper.id.clone(),
            line: record.to_string().into_bytes(),
            wrapper,
        });
    }

    /// Adds a directory change to both logs.
    fn directory(
        &mut self,
        step: &Step,
        at: Seconds,
        correlation: Guid,
        activity: &Activity<'_>,
        target: &Target<'_>,
        changes: &[Change],
    ) {
        let n = self.next();
        let place = self.place(step, at);
        let actor = Actor { user: self.actor(step), place: &place, user_agent: Self::agent(step) };
        let pair = audit::change(&self.tenant, at, n, correlation, &actor, activity, target, changes);
        // Registrations of security information are told by the directory audit alone.
        if activity.service != "Authentication Methods" {
            self.unified(at, "AzureActiveDirectory", &pair.unified);
        }
        self.events.push(Event {
            at,
            step: Some(self.step),
            log: Log::DirectoryAudit,
            id: pair.graph_id,
            line: pair.graph.to_string().into_bytes(),
            wrapper: Wrapper::default(),
        });
    }

    /// Adds a sign-in of a person to both logs.
    #[allow(clippy::too_many_arguments)] // the facts of one sign-in, named at each call
    fn logon(
        &mut self,
        at: Seconds,
        user: usize,
        place: &Network,
        session: Guid,
        device: bool,
        interactive: bool,
        error: u64,
        app: AppUse,
        agent: &str,
    ) {
        let id = self.guid("logon");
        let correlation = self.guid("logon correlation");
        let token = self.next() << 20;
        let entry = Logon { id, at, user, place, session, device, interactive, error, app, user_agent: agent };
        let (mut unified, mut graph) = (Vec::new(), Vec::new());
        signin::audit_record(&self.tenant, &entry, correlation, &mut unified);
        signin::sign_in_record(&self.tenant, &entry, correlation, token, &mut graph);
        let operation = if error == 0 { "UserLoggedIn" } else { "UserLoginFailed" };
        let wrapper = Wrapper {
            record_type: "AzureActiveDirectoryStsLogon",
            operation: operation.into(),
            user: self.tenant.users[user].upn.clone(),
            id: id.to_string(),
        };
        self.events.push(Event { at, step: Some(self.step), log: Log::UalEvent, id: id.to_string(), line: unified, wrapper });
        self.events.push(Event {
            at,
            step: Some(self.step),
            log: Log::Signin,
            id: id.to_string(),
            line: graph,
            wrapper: Wrapper::default(),
        });
    }
}
