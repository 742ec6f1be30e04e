//! Directory changes: one event, written as Microsoft Graph's `directoryAudits` has it and as the unified audit log has it.
use serde_json::{Value, json};

use crate::rng::Guid;
use crate::tenant::{Network, Tenant};
use crate::text::{Iso, Seconds};

/// Who made a change.
pub struct Actor<'a> {
    /// Index of the person.
    pub user: usize,
    /// From where.
    pub place: &'a Network,
    /// Browser.
    pub user_agent: &'a str,
}

/// What was changed.
pub enum Target<'a> {
    /// A person.
    User(usize),
    /// A registration: object id, name.
    Application(Guid, &'a str),
    /// A service principal: object id, name, its names as the log joins them.
    ServicePrincipal(Guid, &'a str, &'a str),
    /// A conditional access policy: id, name.
    Policy(&'a str, &'a str),
}

/// A changed property. The two logs encode its values differently.
pub struct Change {
    name: &'static str,
    new: Option<Value>,
    old: Option<Value>,
    /// Whether the unified audit log shows the value as indented JSON, as it does for attributes of objects.
    as_list: bool,
}

impl Change {
    /// A plain text, written as such in the unified audit log.
    pub fn text(name: &'static str, new: impl Into<String>) -> Self {
        Change { name, new: Some(Value::String(new.into())), old: None, as_list: false }
    }

    /// An attribute of an object: a list, before and after.
    pub fn list(name: &'static str, new: Value, old: Value) -> Self {
        Change { name, new: Some(new), old: Some(old), as_list: true }
    }

    /// A document, before and after.
    pub fn document(name: &'static str, new: &Value, old: &Value) -> Self {
        Change { name, new: Some(json!(new.to_string())), old: Some(json!(old.to_string())), as_list: false }
    }

    fn graph(&self) -> Value {
        let encode = |v: &Option<Value>| v.as_ref().map_or(Value::Null, |v| Value::String(v.to_string()));
        json!({ "displayName": self.name, "oldValue": encode(&self.old), "newValue": encode(&self.new) })
    }

    fn unified(&self) -> Value {
        let encode = |v: &Option<Value>| match v {
            Some(Value::String(text)) => text.clone(),
            Some(other) => windows_json(other),
            None if self.as_list => "[]".to_owned(),
            None => String::new(),
        };
        json!({ "Name": self.name, "NewValue": encode(&self.new), "OldValue": encode(&self.old) })
    }
}

/// JSON with two-space indent and Windows line ends, as attribute values come in the unified audit log.
fn windows_json(value: &Value) -> String {
    if value.as_array().is_some_and(Vec::is_empty) {
        return "[]".to_owned();
    }
    format!("{value:#}").replace('\n', "\r\n")
}

/// A directory change in both forms.
pub struct Pair {
    /// The record of the unified audit log.
    pub unified: Value,
    /// Id in the directory audit log.
    pub graph_id: String,
    /// The record of the directory audit log.
    pub graph: Value,
}

/// What happened, in the words of the directory.
pub struct Activity<'a> {
    /// Activity as Graph names it; the unified audit log adds a full stop.
    pub name: &'a str,
    /// Category.
    pub category: &'a str,
    /// Service.
    pub service: &'a str,
    /// `Add`, `Update`, `Delete`, `Assign`.
    pub kind: &'a str,
    /// Why, where the service says it.
    pub reason: &'a str,
    /// Category of the unified audit log.
    pub unified_category: &'a str,
}

/// Writes a change in both forms. `n` tells apart the changes of one second.
pub fn change(
    tenant: &Tenant,
    at: Seconds,
    n: u64,
    correlation: Guid,
    actor: &Actor<'_>,
    activity: &Activity<'_>,
    target: &Target<'_>,
    changes: &[Change],
) -> Pair {
    let who = &tenant.users[actor.user];
    let salt = (at as u64).wrapping_mul(1000).wrapping_add(n);
    let unified_id = Guid::of(tenant.seed, activity.name, salt).to_string();
    let serial = Guid::of(tenant.seed, "audit", salt).to_string();
    let graph_id = format!("Directory_{correlation}_{}_{}", serial[..5].to_uppercase(), 10_000_000 + salt % 90_000_000);
    let operation =
        if activity.name.ends_with("secrets management") { format!("{} ", activity.name) } else { format!("{}.", activity.name) };
    let (object, unified_target, graph_target) = target_forms(tenant, target);
    let mut graph_target = graph_target;
    graph_target["modifiedProperties"] = changes.iter().map(Change::graph).collect();
    let details = json!([{ "key": "User-Agent", "value": actor.user_agent }]);
    let unified = json!({
        "CreationTime": Iso(at).to_string(),
        "Id": unified_id,
        "Operation": operation,
        "OrganizationId": tenant.id.to_string(),
        "RecordType": 8,
        "ResultStatus": "Success",
        "UserKey": format!("{}@{}", who.puid, tenant.initial),
        "UserType": 0,
        "Version": 1,
        "Workload": "AzureActiveDirectory",
        "ObjectId": object,
        "UserId": who.upn,
        "AzureActiveDirectoryEventType": 1,
        "ExtendedProperties": [
            { "Name": "additionalDetails", "Value": json!({ "User-Agent": actor.user_agent }).to_string() },
            { "Name": "extendedAuditEventCategory", "Value": activity.unified_category },
        ],
        "ModifiedProperties": changes.iter().map(Change::unified).collect::<Value>(),
        "Actor": [
            { "ID": who.upn, "Type": 5 },
            { "ID": who.puid, "Type": 3 },
            { "ID": "18ed3507-a475-4ccb-b669-d66bc9f2a36e", "Type": 2 },
            { "ID": format!("User_{}", who.id), "Type": 2 },
            { "ID": who.id.to_string(), "Type": 2 },
            { "ID": "User", "Type": 2 },
        ],
        "ActorContextId": tenant.id.to_string(),
        "InterSystemsId": correlation.to_string(),
        "IntraSystemId": Guid::of(tenant.seed, "intra", salt).to_string(),
        "SupportTicketId": "",
        "Target": unified_target,
        "TargetContextId": tenant.id.to_string(),
    });
    let graph = json!({
        "id": graph_id,
        "category": activity.category,
        "correlationId": correlation.to_string(),
        "result": "success",
        "resultReason": activity.reason,
        "activityDisplayName": activity.name,
        "activityDateTime": format!("{}Z", Iso(at)),
        "loggedByService": activity.service,
        "operationType": activity.kind,
        "initiatedBy": {
            "app": null,
            "user": {
                "id": who.id.to_string(),
                "displayName": null,
                "userPrincipalName": who.upn,
                "ipAddress": actor.place.ip,
                "userType": null,
                "homeTenantId": null,
                "homeTenantName": null,
            },
        },
        "targetResources": [graph_target],
        "additionalDetails": details,
    });
    Pair { unified, graph_id, graph }
}

/// Object id, targets in the unified form, target in the Graph form.
fn target_forms(tenant: &Tenant, target: &Target<'_>) -> (String, Value, Value) {
    let graph = |id: String, name: Option<&str>, kind: &str, upn: Option<&str>| json!({ "id": id, "displayName": name, "type": kind, "userPrincipalName": upn, "groupType": null, "modifiedProperties": [] });
    match target {
        Target::User(n) => {
            let u = &tenant.users[*n];
            (
                u.upn.clone(),
                json!([
                    { "ID": format!("User_{}", u.id), "Type": 2 },
                    { "ID": u.id.to_string(), "Type": 2 },
                    { "ID": "User", "Type": 2 },
                    { "ID": u.upn, "Type": 5 },
                    { "ID": u.puid, "Type": 3 },
                ]),
                graph(u.id.to_string(), Some(&u.display), "User", Some(&u.upn)),
            )
        }
        Target::Application(id, name) => (
            format!("Application_{id}"),
            json!([
                { "ID": format!("Application_{id}"), "Type": 2 },
                { "ID": id.to_string(), "Type": 2 },
                { "ID": "Application", "Type": 2 },
                { "ID": name, "Type": 1 },
            ]),
            graph(id.to_string(), Some(name), "Application", None),
        ),
        Target::ServicePrincipal(id, name, names) => (
            (*names).to_owned(),
            json!([
                { "ID": format!("ServicePrincipal_{id}"), "Type": 2 },
                { "ID": id.to_string(), "Type": 2 },
                { "ID": "ServicePrincipal", "Type": 2 },
                { "ID": name, "Type": 1 },
                { "ID": names.split(';').next().unwrap_or_default(), "Type": 2 },
                { "ID": names, "Type": 4 },
            ]),
            graph(id.to_string(), Some(name), "ServicePrincipal", None),
        ),
        Target::Policy(id, name) => (
            (*id).to_owned(),
            json!([
                { "ID": format!("Policy_{id}"), "Type": 2 },
                { "ID": id, "Type": 2 },
                { "ID": "Policy", "Type": 2 },
                { "ID": name, "Type": 1 },
            ]),
            graph((*id).to_owned(), Some(name), "Policy", None),
        ),
    }
}
