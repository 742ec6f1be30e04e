//! Records of the directory audit log, as Microsoft Graph gives them (`auditLogs/directoryAudits`).
use serde_json::{Value, json};

use super::who::{Person, Role, guid};

/// Who did it.
pub enum By<'a> {
    Person(Person, &'a str),
    App(&'a str),
}

/// A changed property: name, before, after. Graph writes the values as JSON in a text; `null` is none.
pub type Change<'a> = (&'a str, Value, Value);

fn changes(list: &[Change<'_>]) -> Value {
    let text = |v: &Value| if v.is_null() { Value::Null } else { json!(v.to_string()) };
    list.iter().map(|(n, old, new)| json!({ "displayName": n, "oldValue": text(old), "newValue": text(new) })).collect()
}

/// A target.
pub fn target(kind: Option<&str>, id: &str, name: Option<&str>, upn: Option<&str>, list: &[Change<'_>]) -> Value {
    json!({ "id": id, "displayName": name, "type": kind, "userPrincipalName": upn, "groupType": null, "modifiedProperties": changes(list) })
}

/// A person as target.
pub fn user(who: Person, list: &[Change<'_>]) -> Value {
    target(Some("User"), &who.id(), None, Some(&who.upn()), list)
}

/// The properties by which Core Directory names a role.
pub fn role_properties(role: Role) -> Vec<Change<'static>> {
    vec![
        ("Role.ObjectID", Value::Null, json!(guid(role.0))),
        ("Role.DisplayName", Value::Null, json!(role.0)),
        ("Role.TemplateId", Value::Null, json!(role.1)),
    ]
}

/// A record. `link` tells which records are one act.
pub struct Act<'a> {
    pub at: &'a str,
    pub by: By<'a>,
    pub service: &'a str,
    pub category: &'a str,
    pub name: &'a str,
    pub kind: &'a str,
    pub link: &'a str,
}

pub fn record(act: &Act<'_>, targets: Vec<Value>, details: Value) -> Value {
    let by = match &act.by {
        By::Person(who, ip) => {
            json!({ "app": null, "user": { "id": who.id(), "displayName": null, "userPrincipalName": who.upn(), "ipAddress": ip, "userType": null, "homeTenantId": null, "homeTenantName": null } })
        }
        By::App(name) => {
            json!({ "user": null, "app": { "appId": null, "displayName": name, "servicePrincipalId": guid(name), "servicePrincipalName": null } })
        }
    };
    let correlation = guid(&format!("{} {}", act.link, if act.link.is_empty() { act.at } else { "" }));
    let serial = super::who::hash(&format!("{} {} {:?}", act.at, act.name, targets));
    let prefix = if act.service == "PIM" { "PIM" } else { "Directory" };
    json!({
        "id": format!("{prefix}_{correlation}_{:05X}_{}", serial & 0xfffff, serial >> 36),
        "category": act.category,
        "correlationId": correlation,
        "result": "success",
        "resultReason": "",
        "activityDisplayName": act.name,
        "activityDateTime": format!("{}Z", act.at),
        "loggedByService": act.service,
        "operationType": act.kind,
        "initiatedBy": by,
        "targetResources": targets,
        "additionalDetails": details,
    })
}

/// A role given by Core Directory.
pub fn role_given(at: &str, by: By<'_>, role: Role, to: Person, link: &str) -> Value {
    let act =
        Act { at, by, service: "Core Directory", category: "RoleManagement", name: "Add member to role", kind: "Assign", link };
    let holder = user(to, &role_properties(role));
    record(&act, vec![holder, target(Some("Role"), &guid(role.0), Some(role.0), None, &[])], json!([]))
}

/// A role taken back by Core Directory: the names stand in the old values.
pub fn role_taken(at: &str, by: By<'_>, role: Role, from: Person) -> Value {
    let name = "Remove member from role";
    let act = Act { at, by, service: "Core Directory", category: "RoleManagement", name, kind: "Unassign", link: "" };
    let gone: Vec<Change<'_>> = role_properties(role).into_iter().map(|(n, _, v)| (n, v, Value::Null)).collect();
    record(&act, vec![user(from, &gone), target(Some("Role"), &guid(role.0), Some(role.0), None, &[])], json!([]))
}

/// A record of PIM. Its targets come in the order of kinds that `order` gives: public handlers found no fixed one.
pub fn pim(at: &str, who: Person, ip: &str, activity: (&str, &str), role: Role, holder: Person, order: &[&str]) -> Value {
    let act = Act {
        at,
        by: By::Person(who, ip),
        service: "PIM",
        category: "RoleManagement",
        name: activity.0,
        kind: activity.1,
        link: "",
    };
    let none = json!("");
    let properties = [
        ("RoleDefinitionOriginId", none.clone(), json!(role.1)),
        ("RoleDefinitionOriginType", none.clone(), json!("BuiltInRole")),
        ("TemplateId", none, json!(role.1)),
    ];
    let targets = order
        .iter()
        .map(|kind| match *kind {
            "Role" => target(Some("Role"), role.1, Some(role.0), None, &properties),
            "User" => target(Some("User"), &holder.id(), Some(holder.0), Some(&holder.upn()), &[]),
            "Request" => target(Some("Request"), &guid(&format!("request {at}")), None, None, &[]),
            other => target(Some(other), &guid(other), Some("Microsoft Entra ID"), None, &[]),
        })
        .collect();
    let details = json!([
        { "key": "RoleDefinitionOriginId", "value": role.1 },
        { "key": "RoleDefinitionOriginType", "value": "BuiltInRole" },
        { "key": "TemplateId", "value": role.1 },
        { "key": "StartTime", "value": format!("{at}Z") },
        { "key": "ipaddr", "value": ip },
    ]);
    record(&act, targets, details)
}

/// A conditional access policy as the log quotes it.
pub fn policy(name: &str, state: &str, include: &[&str], exclude: &[&str], controls: &[&str]) -> Value {
    let grant = if controls.is_empty() {
        Value::Null
    } else {
        json!({ "operator": "OR", "builtInControls": controls, "customAuthenticationFactors": [], "termsOfUse": [] })
    };
    json!({
        "id": guid(&format!("policy {name}")),
        "displayName": name,
        "createdDateTime": "2025-06-02T09:00:00.0000000+00:00",
        "state": state,
        "conditions": {
            "applications": { "includeApplications": ["All"], "excludeApplications": [], "includeUserActions": [] },
            "users": { "includeUsers": include, "excludeUsers": exclude, "includeGroups": [], "excludeGroups": [], "includeRoles": [], "excludeRoles": [] },
            "userRiskLevels": [],
            "signInRiskLevels": [],
            "clientAppTypes": ["all"],
        },
        "grantControls": grant,
    })
}

/// The policy that every guide advises: protocols that know no second factor are blocked for everybody.
pub fn legacy_blocked(name: &str) -> Value {
    let mut out = policy(name, "enabled", &["All"], &[], &["block"]);
    out["conditions"]["clientAppTypes"] = json!(["exchangeActiveSync", "other"]);
    out
}

/// A conditional access policy added (`old` null), changed, or deleted (`new` null).
pub fn policy_changed(at: &str, by: By<'_>, old: &Value, new: &Value) -> Value {
    let (name, kind) = match (old.is_null(), new.is_null()) {
        (true, _) => ("Add conditional access policy", "Add"),
        (_, true) => ("Delete conditional access policy", "Delete"),
        _ => ("Update conditional access policy", "Update"),
    };
    let about = if new.is_null() { old } else { new };
    let act = Act { at, by, service: "Conditional Access", category: "Policy", name, kind, link: "" };
    // The log quotes the policy as a document, not as a text that holds one.
    let text = |v: &Value| if v.is_null() { Value::Null } else { json!(v.to_string()) };
    let mut on = target(Some("Policy"), about["id"].as_str().unwrap_or_default(), about["displayName"].as_str(), None, &[]);
    on["modifiedProperties"] =
        json!([{ "displayName": "ConditionalAccessPolicy", "oldValue": text(old), "newValue": text(new) }]);
    record(&act, vec![on], json!([{ "key": "Category", "value": "Conditional Access" }]))
}

/// A setting of the authorization policy changed.
pub fn authorization(at: &str, by: By<'_>, property: &str, old: Value, new: Value) -> Value {
    let act = Act {
        at,
        by,
        service: "Core Directory",
        category: "AuthorizationPolicy",
        name: "Update authorization policy",
        kind: "Update",
        link: "",
    };
    let list = [(property, old, new), ("Included Updated Properties", Value::Null, json!(property))];
    record(&act, vec![target(Some("Other"), &guid("authorization policy"), Some("Authorization Policy"), None, &list)], json!([]))
}
