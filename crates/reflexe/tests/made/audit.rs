//! Records of the unified audit log (`AuditData`), as the Management API gives them.
use serde_json::{Map, Value, json};

use super::who::{EDGE, INITIAL, Person, TENANT, guid};

/// What most records do not need to say: the session, the browser, the error.
#[derive(Clone, Copy)]
pub struct Via<'a> {
    pub ip: &'a str,
    pub session: &'a str,
    pub agent: &'a str,
    pub error: u32,
}

/// From an address, with the office's browser.
pub fn from(ip: &str) -> Via<'_> {
    Via { ip, session: "", agent: EDGE, error: 0 }
}

/// The record's own id.
pub fn id(record: &Value) -> String {
    record["Id"].as_str().or(record["id"].as_str()).expect("a record has its id").to_owned()
}

fn record(at: &str, operation: &str, kind: u32, workload: &str, user: &str, more: Value) -> Value {
    let mut out = Map::new();
    out.insert("CreationTime".into(), json!(at));
    out.insert("Id".into(), json!(guid(&format!("{operation} {at} {user} {more}"))));
    out.insert("Operation".into(), json!(operation));
    out.insert("OrganizationId".into(), json!(TENANT));
    out.insert("RecordType".into(), json!(kind));
    out.insert("Version".into(), json!(1));
    out.insert("Workload".into(), json!(workload));
    out.insert("UserId".into(), json!(user));
    let Value::Object(more) = more else { panic!("an object") };
    out.extend(more);
    Value::Object(out)
}

/// A sign-in (`UserLoggedIn`, or `UserLoginFailed` with an error).
pub fn logon(at: &str, who: Person, via: Via<'_>) -> Value {
    let failed = via.error != 0;
    let session = if via.session.is_empty() { guid(&format!("session {} {at}", who.0)) } else { via.session.to_owned() };
    let mut more = json!({
        "ResultStatus": if failed { "Failed" } else { "Success" },
        "UserKey": who.id(),
        "UserType": 0,
        "ClientIP": via.ip,
        "ObjectId": "00000003-0000-0000-c000-000000000000",
        "AzureActiveDirectoryEventType": 1,
        "ExtendedProperties": [
            { "Name": "ResultStatusDetail", "Value": if failed { "UserError" } else { "Success" } },
            { "Name": "UserAgent", "Value": via.agent },
            { "Name": "UserAuthenticationMethod", "Value": "1" },
            { "Name": "RequestType", "Value": "OAuth2:Authorize" },
        ],
        "ModifiedProperties": [],
        "Actor": [{ "ID": who.id(), "Type": 0 }, { "ID": who.upn(), "Type": 5 }],
        "ActorContextId": TENANT,
        "ActorIpAddress": via.ip,
        "InterSystemsId": guid(&format!("inter {} {at}", who.0)),
        "IntraSystemId": guid(&format!("intra {} {at}", who.0)),
        "SupportTicketId": "",
        "Target": [{ "ID": "00000003-0000-0000-c000-000000000000", "Type": 0 }],
        "TargetContextId": TENANT,
        "ApplicationId": "4765445b-32c6-49b0-83e6-1d93765276ca",
        "DeviceProperties": [
            { "Name": "OS", "Value": "Windows10" },
            { "Name": "BrowserType", "Value": "Edge" },
            { "Name": "IsCompliantAndManaged", "Value": "False" },
            { "Name": "SessionId", "Value": session },
        ],
        "ErrorNumber": via.error.to_string(),
    });
    if failed {
        more["LogonError"] = json!("InvalidUserNameOrPassword");
    }
    record(at, if failed { "UserLoginFailed" } else { "UserLoggedIn" }, 15, "AzureActiveDirectory", &who.upn(), more)
}

/// An Exchange cmdlet, by a person.
pub fn cmdlet(at: &str, who: Person, via: Via<'_>, name: &str, object: &str, parameters: &[(&str, &str)]) -> Value {
    let mut more = json!({
        "ResultStatus": "True",
        "UserKey": who.puid(),
        "UserType": 2,
        "ClientIP": format!("{}:51020", via.ip),
        "ObjectId": object,
        "AppId": "fb78d390-0c51-40cd-8e17-fdbfab77341b",
        "AppPoolName": "MSExchangeAdminApiNetCore",
        "ClientAppId": "",
        "CorrelationID": "",
        "ExternalAccess": false,
        "OrganizationName": INITIAL,
        "OriginatingServer": "PAXP195MB0001 (15.20.9542.010)",
        "Parameters": parameters.iter().map(|(n, v)| json!({ "Name": n, "Value": v })).collect::<Value>(),
        "RequestId": guid(&format!("request {at} {name} {object}")),
    });
    if !via.session.is_empty() {
        more["SessionId"] = json!(via.session);
        more["AppAccessContext"] = json!({ "AADSessionId": via.session, "UniqueTokenId": &guid(via.session)[..22] });
    }
    record(at, name, 1, "Exchange", &who.upn(), more)
}

/// The same by the service itself.
pub fn service(at: &str, name: &str, object: &str, parameters: &[(&str, &str)]) -> Value {
    const SYSTEM: &str = "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)";
    let more = json!({
        "ResultStatus": "True",
        "UserKey": SYSTEM,
        "UserType": 3,
        "ObjectId": object,
        "AppId": "",
        "ClientAppId": "",
        "ExternalAccess": true,
        "OrganizationName": INITIAL,
        "OriginatingServer": "PAXP195MB0001 (15.20.9542.010)",
        "Parameters": parameters.iter().map(|(n, v)| json!({ "Name": n, "Value": v })).collect::<Value>(),
    });
    record(at, name, 1, "Exchange", SYSTEM, more)
}

/// A rule of one's own mailbox, made in Outlook on the web.
pub fn rule(at: &str, who: Person, via: Via<'_>, name: &str, parameters: &[(&str, &str)]) -> Value {
    let object = format!("EURP195A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/{INITIAL}/{}\\{name}", who.0);
    let all: Vec<(&str, &str)> = [("AlwaysDeleteOutlookRulesBlob", "False"), ("Force", "False"), ("Name", name)]
        .into_iter()
        .chain(parameters.iter().copied())
        .collect();
    cmdlet(at, who, via, "New-InboxRule", &object, &all)
}

fn mailbox(who: Person, via: Via<'_>, client: &str, owner: Person) -> Value {
    json!({
        "ResultStatus": "Succeeded",
        "UserKey": who.puid(),
        "UserType": 0,
        "ClientIP": via.ip,
        "AppId": "00000002-0000-0ff1-ce00-000000000000",
        "ClientIPAddress": via.ip,
        "ClientInfoString": client,
        "ExternalAccess": false,
        "InternalLogonType": 0,
        "LogonType": if who.0 == owner.0 { 0 } else { 2 },
        "LogonUserSid": who.sid(),
        "MailboxGuid": guid(&format!("mailbox {}", owner.0)),
        "MailboxOwnerSid": owner.sid(),
        "MailboxOwnerUPN": owner.upn(),
        "OrganizationName": INITIAL,
        "OriginatingServer": "PAXP195MB0001 (15.20.4200.000)\r\n",
    })
}

/// A rule made, changed or removed in desktop Outlook: `UpdateInboxRules`, without `Parameters`.
pub fn outlook_rule(at: &str, who: Person, via: Via<'_>, act: &str, name: &str, actions: &Value) -> Value {
    let mut more = mailbox(who, via, "Client=MSExchangeRPC", who);
    let property = |n: &str, v: &str| json!({ "Name": n, "Value": v });
    let mut properties = vec![property("RuleOperation", act), property("RuleId", "0")];
    if act == "RemoveMailboxRule" {
        properties.push(property("RuleName", ""));
    } else {
        properties.extend([
            property("RuleState", "Enabled, ExitAfterExecution"),
            property("RuleCondition", "{}"),
            property("RuleName", name),
            property("RuleProvider", "RuleOrganizer"),
            property("RuleActions", &actions.to_string()),
        ]);
    }
    more["ClientProcessName"] = json!("OUTLOOK.EXE");
    more["ClientVersion"] = json!("16.0.18925.20158");
    more["OperationProperties"] = json!(properties);
    if !via.session.is_empty() {
        more["SessionId"] = json!(via.session);
    }
    more["Item"] = json!({ "Id": "LgAAAAB2c", "ParentFolder": { "Id": "LgAAAAB", "Name": "Inbox", "Path": "\\Inbox" } });
    record(at, "UpdateInboxRules", 2, "Exchange", &who.upn(), more)
}

/// Mail read, in one's own mailbox or another's.
pub fn mail_read(at: &str, who: Person, owner: Person, via: Via<'_>) -> Value {
    let mut more = mailbox(who, via, "Client=OWA;Action=ViaProxy", owner);
    more["OperationProperties"] =
        json!([{ "Name": "MailAccessType", "Value": "Bind" }, { "Name": "IsThrottled", "Value": "False" }]);
    more["Folders"] = json!([{ "Id": "LgAAAAD", "Path": "\\Inbox", "FolderItems": [{ "InternetMessageId": format!("<{}@{INITIAL}>", guid(at)), "SizeInBytes": 8123 }] }]);
    more["OperationCount"] = json!(1);
    if !via.session.is_empty() {
        more["SessionId"] = json!(via.session);
    }
    record(at, "MailItemsAccessed", 50, "Exchange", &who.upn(), more)
}

/// A file's link: made, or used by somebody who is not known (`who` none).
pub fn link(at: &str, who: Option<Person>, owner: Person, via: Via<'_>, operation: &str, file: &str) -> Value {
    let place = format!("{}_ardoise_example_com", owner.0.replace('.', "_"));
    let site = format!("https://ardoiseexample-my.sharepoint.com/personal/{place}/");
    let key = who.map_or_else(|| guid("anonymous"), |w| format!("i:0h.f|membership|{}@live.com", w.puid().to_lowercase()));
    let mut more = json!({
        "UserKey": key,
        "UserType": 0,
        "ClientIP": via.ip,
        "ObjectId": format!("{site}Documents/{file}"),
        "CorrelationId": guid(&format!("correlation {at} {operation}")),
        "EventSource": "SharePoint",
        "ItemType": "File",
        "ListId": guid("list"),
        "ListItemUniqueId": guid(file),
        "Site": guid("site"),
        "SiteUrl": site,
        "SourceFileExtension": file.rsplit('.').next(),
        "SourceFileName": file,
        "SourceRelativeUrl": "Documents",
        "UserAgent": via.agent,
        "WebId": guid("web"),
        "UniqueSharingId": guid(&format!("sharing {file}")),
    });
    if operation == "AnonymousLinkCreated" {
        more["EventData"] = json!("<Type>Edit</Type>");
    }
    if !via.session.is_empty() {
        more["AppAccessContext"] = json!({ "AADSessionId": via.session, "UniqueTokenId": &guid(via.session)[..22] });
    }
    let user = who.map_or_else(|| "anonymous".to_owned(), Person::upn);
    record(at, operation, 14, "OneDrive", &user, more)
}

/// What a directory change of the unified audit log is about.
pub enum On<'a> {
    User(Person),
    Group(&'a str),
}

/// A directory change as the unified audit log has it (the operation ends with a full stop). Changes are (name, old, new).
pub fn entra(at: &str, who: Person, via: Via<'_>, operation: &str, on: &On<'_>, changes: &[(&str, &str, &str)]) -> Value {
    let (object, target) = match on {
        On::User(p) => (
            p.upn(),
            json!([
                { "ID": format!("User_{}", p.id()), "Type": 2 },
                { "ID": p.id(), "Type": 2 },
                { "ID": "User", "Type": 2 },
                { "ID": p.upn(), "Type": 5 },
                { "ID": p.puid(), "Type": 3 },
            ]),
        ),
        On::Group(name) => {
            let id = guid(&format!("group {name}"));
            (
                format!("Group_{id}"),
                json!([
                    { "ID": format!("Group_{id}"), "Type": 2 },
                    { "ID": id, "Type": 2 },
                    { "ID": "Group", "Type": 2 },
                    { "ID": name, "Type": 1 },
                ]),
            )
        }
    };
    let more = json!({
        "ResultStatus": "Success",
        "UserKey": format!("{}@{}", who.puid(), INITIAL),
        "UserType": 0,
        "ClientIP": via.ip,
        "ObjectId": object,
        "AzureActiveDirectoryEventType": 1,
        "ExtendedProperties": [
            { "Name": "additionalDetails", "Value": json!({ "User-Agent": via.agent }).to_string() },
            { "Name": "extendedAuditEventCategory", "Value": "User" },
        ],
        "ModifiedProperties": changes.iter().map(|(n, old, new)| json!({ "Name": n, "NewValue": new, "OldValue": old })).collect::<Value>(),
        "Actor": [
            { "ID": who.upn(), "Type": 5 },
            { "ID": who.puid(), "Type": 3 },
            { "ID": format!("User_{}", who.id()), "Type": 2 },
            { "ID": who.id(), "Type": 2 },
            { "ID": "User", "Type": 2 },
        ],
        "ActorContextId": TENANT,
        "ActorIpAddress": via.ip,
        "InterSystemsId": guid(&format!("inter {at} {operation} {object}")),
        "IntraSystemId": guid(&format!("intra {at} {operation} {object}")),
        "SupportTicketId": "",
        "Target": target,
        "TargetContextId": TENANT,
    });
    record(at, operation, 8, "AzureActiveDirectory", &who.upn(), more)
}

/// A role given to a person, as the unified audit log has it.
pub fn role_given(at: &str, who: Person, via: Via<'_>, role: super::who::Role, to: Person) -> Value {
    let changes =
        [("Role.ObjectID", "", guid(role.0)), ("Role.DisplayName", "", role.0.into()), ("Role.TemplateId", "", role.1.into())];
    let changes: Vec<(&str, &str, &str)> = changes.iter().map(|(n, o, v)| (*n, *o, v.as_str())).collect();
    entra(at, who, via, "Add member to role.", &On::User(to), &changes)
}

/// Mornings at the office: a sign-in, some mail, every working day.
pub fn mornings(who: Person, from_day: &str, days: usize, ip: &str) -> Vec<Value> {
    let minute = super::who::hash(who.0) % 50;
    super::who::workdays(from_day, days)
        .iter()
        .flat_map(|day| {
            [
                logon(&format!("{day}T08:{minute:02}:11"), who, from(ip)),
                mail_read(&format!("{day}T08:{:02}:40", minute + 4), who, who, from(ip)),
            ]
        })
        .collect()
}
