//! A directory audit record into `directory_audit` and `directory_audit_change`, and the one that a directory record of
//! the unified audit log stands for.
use serde_json::json;

use super::{
    address::address,
    bags,
    columns::{Audit, Change},
    identity::record_keys,
    lost::{DEPTH, LOST, UNDATED, shallow},
    names,
    sink::{AUDIT, CHANGE, FileFacts, Place, Reject, Sink},
    time,
    ual::{Facts, Party},
};
use crate::reader::{
    keys::{Key, Object},
    scan,
    value::{Raw, elements, member},
};

impl Sink {
    /// Takes a directory audit record. `envelope` is what its `properties` came in.
    pub(super) fn audit(
        &mut self,
        o: &Object<'_>,
        envelope: Option<&Object<'_>>,
        file: &FileFacts,
        place: Place<'_>,
    ) -> Result<(), Reject> {
        use Key as K;
        let around = |key| envelope.and_then(|e| e.text(key));
        let id = o.id(K::Id);
        if id.is_none() && o.text(K::Id).is_some() {
            self.counts.tally.entry(place.source).or_default().no_id += 1;
        }
        // the record's own date, else the date of what it came in: the first that can be read
        let dates = || [o.text(K::ActivityDateTime), o.text(K::TimeGenerated), around(K::Time)].into_iter().flatten();
        let when = dates().find_map(|t| time::micros(&t, file.order.unwrap_or_default()));
        let mut flags = file.flags.clone();
        if when.is_none() {
            flags.push(UNDATED);
        }
        let Some(activity) = o.first(&[K::ActivityDisplayName, K::OperationName]).or_else(|| around(K::OperationName)) else {
            return Err(Reject::new("record_unknown", "no activity"));
        };
        let tenant = place.tenant.map(str::to_owned).or_else(|| o.id(K::AadTenantId).map(std::borrow::Cow::into_owned));
        let place = Place { tenant: tenant.as_deref(), ..place };
        let mut key = String::new();
        names::operation_key(&activity, &mut key);

        let by = o.get(K::InitiatedBy).and_then(Raw::nested);
        let part = |name| by.as_deref().and_then(|b| member(b, name)).and_then(Raw::nested);
        let (user, app) = (part("user"), part("app"));
        let of_user = |name| user.as_deref().and_then(|u| member(u, name)).and_then(Raw::text);
        let of_app = |name| app.as_deref().and_then(|a| member(a, name)).and_then(Raw::text);
        let upn = of_user("userPrincipalName").map(|u| u.trim().to_lowercase());
        let person = user.is_some() && (upn.is_some() || of_user("id").is_some());
        let actor_type = if person {
            "user"
        } else if app.is_some() {
            "app"
        } else {
            "system"
        };
        let class = match actor_type {
            "user" if upn.as_deref().is_some_and(|u| u.contains("#ext#")) => "guest",
            other => other,
        };
        let targets = o.get(K::TargetResources).and_then(Raw::nested);
        let targets: Vec<Raw<'_>> = targets.as_deref().map(elements).unwrap_or_default();
        let details = o.get(K::AdditionalDetails).and_then(Raw::nested);
        let mut agent = o.text(K::UserAgent).map(std::borrow::Cow::into_owned);
        for pair in details.as_deref().map(elements).unwrap_or_default() {
            let text = |name| member(pair.raw, name).and_then(Raw::text);
            if agent.is_none() && text("key").is_some_and(|k| k.eq_ignore_ascii_case("User-Agent")) {
                agent = text("value").map(std::borrow::Cow::into_owned);
            }
        }
        let ip =
            of_user("ipAddress").or_else(|| of_app("ipAddress")).or_else(|| around(K::CallerIpAddress)).and_then(|t| address(&t));

        if ip.as_ref().is_some_and(|a| a.kind == "invalid") {
            flags.push("ip_invalid");
        }
        let changes = targets.iter().map(|t| member(t.raw, "modifiedProperties"));
        if [o.get(K::InitiatedBy), o.get(K::TargetResources)].into_iter().chain(changes).any(shallow) {
            flags.push(DEPTH);
        }
        let actor = upn.clone().or_else(|| of_app("servicePrincipalId").map(std::borrow::Cow::into_owned)).unwrap_or_default();
        let record = record_keys(id.as_deref(), when, &key, &actor, o.text.as_bytes());
        let c = Audit::get();
        let t = self.row(AUDIT, file, place, &flags);
        t.opt_text(c.id, id.as_deref());
        if let Some(when) = when {
            t.ts(c.activity_date_time, when);
        }
        t.text(c.activity_key, &key);
        t.text(c.activity_display_name, &activity);
        t.bool(c.derived, false);
        t.opt_text(c.category, o.text(K::Category).as_deref());
        t.opt_text(c.operation_type, o.text(K::OperationType).as_deref());
        t.opt_text(c.logged_by_service, o.text(K::LoggedByService).as_deref());
        t.opt_text(c.result, o.text(K::Result).as_deref());
        t.opt_text(c.result_reason, o.first(&[K::ResultReason, K::ResultDescription]).as_deref());
        t.opt_text(c.correlation_id, o.id(K::CorrelationId).as_deref());
        t.opt_text(c.correlation_id, around(K::CorrelationId).as_deref());
        t.text(c.actor_type, actor_type);
        t.opt_text(c.actor_id, of_user("id").or_else(|| of_app("servicePrincipalId")).as_deref());
        t.opt_text(c.actor_upn, upn.as_deref());
        t.opt_text(c.actor_display_name, of_user("displayName").or_else(|| of_app("displayName")).as_deref());
        t.opt_text(c.actor_app_id, of_app("appId").as_deref());
        t.opt_text(c.actor_sp_id, of_app("servicePrincipalId").as_deref());
        t.text(c.actor_class, class);
        t.opt_text(c.ip, ip.as_ref().map(|a| a.ip.as_str()));
        t.opt_text(c.user_agent, agent.as_deref());
        let mut shown = Vec::new();
        for (i, target) in targets.iter().enumerate() {
            let text = |name| member(target.raw, name).and_then(Raw::text);
            if i == 0 {
                t.opt_text(c.target1_type, text("type").as_deref());
                t.opt_text(c.target1_id, text("id").as_deref());
                t.opt_text(c.target1_name, text("displayName").as_deref());
                t.opt_text(c.target1_upn, text("userPrincipalName").map(|u| u.to_lowercase()).as_deref());
            }
            shown.push(json!({"type": text("type"), "id": text("id"), "displayName": text("displayName"), "userPrincipalName": text("userPrincipalName")}));
        }
        if !shown.is_empty() {
            t.text(c.targets, &serde_json::Value::Array(shown).to_string());
        }
        t.opt_text(c.additional_details, details.as_deref());
        let richness = t.richness();
        for (ordinal, target) in (1..).zip(&targets) {
            let target_id = member(target.raw, "id").and_then(Raw::text);
            let Some(list) = member(target.raw, "modifiedProperties").and_then(Raw::nested) else { continue };
            for property in elements(&list) {
                let text = |name| member(property.raw, name).and_then(Raw::text_or_empty);
                let Some(name) = text("displayName").or_else(|| text("name")) else { continue };
                self.change(
                    file,
                    place,
                    id.as_deref(),
                    ordinal,
                    target_id.as_deref(),
                    &name,
                    text("oldValue").as_deref(),
                    text("newValue").as_deref(),
                );
            }
        }
        self.record(AUDIT, record, richness, place, when);
        for flag in LOST.into_iter().filter(|flag| flags.contains(flag)) {
            self.lost(flag, &activity, &dates().next().unwrap_or_default(), file, place);
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "the columns of the table")]
    fn change(
        &mut self,
        file: &FileFacts,
        place: Place<'_>,
        id: Option<&str>,
        ordinal: i32,
        target: Option<&str>,
        name: &str,
        old: Option<&str>,
        new: Option<&str>,
    ) {
        let c = Change::get();
        let t = self.row(CHANGE, file, place, &file.flags);
        t.opt_text(c.audit_id, id);
        t.i32(c.target_ordinal, ordinal);
        t.opt_text(c.target_id, target);
        t.text(c.property, name);
        t.opt_text(c.old_value, old.map(bags::decode).as_deref());
        t.opt_text(c.new_value, new.map(bags::decode).as_deref());
    }

    /// The directory change that a directory record of the unified audit log stands for.
    pub(super) fn derived_audit(&mut self, o: &Object<'_>, f: &Facts<'_>, key: &str, file: &FileFacts, place: Place<'_>) {
        let target = Party::read(o.get(Key::Target));
        let person = f.upn.is_some();
        let actor_type = match (f.class, person) {
            ("system", _) => "system",
            (_, true) => "user",
            (_, false) if f.actor.app_id.is_some() || f.actor.kind.as_deref() == Some("ServicePrincipal") => "app",
            _ => "system",
        };
        // a service that presents a certificate instead of an application id is the directory itself
        let class = if actor_type == "app" && f.class == "user" {
            "app"
        } else if actor_type == "system" {
            "system"
        } else {
            f.class
        };
        let c = Audit::get();
        let t = self.row(AUDIT, file, place, f.flags);
        t.opt_text(c.id, f.id);
        if let Some(when) = f.time {
            t.ts(c.activity_date_time, when);
        }
        t.text(c.activity_key, key);
        t.text(c.activity_display_name, f.operation);
        t.bool(c.derived, true);
        t.opt_text(c.category, f.client.category.as_deref());
        match f.success {
            Some(true) => t.text(c.result, "success"),
            Some(false) => t.text(c.result, "failure"),
            None => {}
        }
        t.opt_text(c.correlation_id, o.id(Key::InterSystemsId).as_deref());
        t.text(c.actor_type, actor_type);
        t.opt_text(c.actor_id, f.actor.object_id.as_deref());
        t.opt_text(c.actor_upn, f.upn);
        t.opt_text(c.actor_display_name, f.actor.name.as_deref());
        t.opt_text(c.actor_app_id, f.actor.app_id.as_deref());
        if f.actor.kind.as_deref() == Some("ServicePrincipal") {
            t.opt_text(c.actor_sp_id, f.actor.object_id.as_deref());
        }
        t.text(c.actor_class, class);
        t.opt_text(c.ip, f.ip.map(|a| a.ip.as_str()));
        t.opt_text(c.user_agent, f.user_agent);
        t.opt_text(c.target1_type, target.kind.as_deref());
        t.opt_text(c.target1_id, target.object_id.as_deref());
        t.opt_text(c.target1_name, target.name.as_deref());
        t.opt_text(c.target1_upn, target.upn.as_deref().map(str::to_lowercase).as_deref());
        t.opt_text(c.targets, o.get(Key::Target).and_then(Raw::nested).as_deref());
        t.opt_text(c.additional_details, f.client.details.as_deref());
        let Some(list) = o.get(Key::ModifiedProperties).and_then(Raw::nested) else { return };
        let mut changes = Vec::new();
        let _ = scan::array(list.as_bytes(), 0, |a, z| changes.push(Raw::json(&list[a..z])));
        for change in changes {
            let text = |name| member(change.raw, name).and_then(Raw::text_or_empty);
            if let Some(name) = text("Name") {
                let (old, new) = (text("OldValue"), text("NewValue"));
                self.change(file, place, f.id, 1, target.object_id.as_deref(), &name, old.as_deref(), new.as_deref());
            }
        }
    }
}
