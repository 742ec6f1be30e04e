//! A unified audit record into `ual_event`, `ual_property`, and its derived sign-in or directory change.
use std::borrow::Cow;

use super::{
    address::address,
    bags,
    columns::{Property, Ual},
    identity::{ActorFacts, actor_class, is_guid, is_id, record_keys, upn_of},
    lost::{CUT, DEPTH, LOST, UNDATED, shallow},
    names,
    sink::{FileFacts, PROPERTY, Place, Reject, Sink, UAL},
    time,
};
use crate::reader::{
    keys::{Key, Object},
    scan,
    value::{Raw, elements, member},
};

/// Longest JSON kept in column `data`: what a check reads of an alert, never a whole record.
const DATA: usize = 16 << 10;

/// Ids of the parties in `Actor` or `Target`: a list of typed ids of one principal.
#[derive(Debug, Default)]
pub(super) struct Party {
    pub object_id: Option<String>,
    pub app_id: Option<String>,
    pub upn: Option<String>,
    pub name: Option<String>,
    /// `User`, `Application`, `ServicePrincipal`, `Group` …
    pub kind: Option<String>,
}

impl Party {
    pub fn read(list: Option<Raw<'_>>) -> Self {
        let mut party = Self::default();
        let Some(list) = list.and_then(Raw::nested) else { return party };
        let mut bare = Vec::new();
        for entry in elements(&list) {
            let (mut id, mut kind) = (None, None);
            let _ = scan::object(entry.raw.as_bytes(), 0, |name, a, z| match name {
                b"ID" | b"Id" => id = Raw::json(&entry.raw[a..z]).text(),
                b"Type" => kind = Raw::json(&entry.raw[a..z]).int(),
                _ => {}
            });
            let Some(id) = id else { continue };
            match kind {
                Some(5) => party.upn = Some(id.into_owned()),
                Some(1) => party.name = Some(id.into_owned()),
                Some(0 | 2) => match id.split_once('_').filter(|(_, guid)| is_guid(guid)) {
                    Some((kind, guid)) => {
                        party.kind = Some(kind.to_owned());
                        party.object_id = Some(guid.to_owned());
                    }
                    None if is_guid(&id) => bare.push(id.into_owned()),
                    None if party.kind.is_none() && id.bytes().all(|c| c.is_ascii_alphabetic()) => {
                        party.kind = Some(id.into_owned())
                    }
                    None => {}
                },
                _ => {}
            }
        }
        // `User_<guid>` names the object; another bare GUID beside it is the application that was used
        match &party.object_id {
            Some(id) => party.app_id = bare.into_iter().find(|g| g != id),
            None => party.object_id = bare.into_iter().next(),
        }
        party
    }
}

/// What an audit record says of a device and a client, in the lists of a logon.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub user_agent: Option<String>,
    pub request_type: Option<String>,
    pub device_id: Option<String>,
    pub device_name: Option<String>,
    pub os: Option<String>,
    pub browser: Option<String>,
    pub compliant: Option<bool>,
    pub managed: Option<bool>,
    pub trust_type: Option<String>,
    pub session_id: Option<String>,
    pub details: Option<String>,
    pub category: Option<String>,
}

impl Client {
    fn read(o: &Object<'_>) -> Self {
        let mut client = Self::default();
        let own = |v: Option<&str>| v.filter(|v| !v.is_empty()).map(str::to_owned);
        if let Some(list) = o.get(Key::ExtendedProperties) {
            bags::pairs(list, |name, value, _| match name {
                "UserAgent" => client.user_agent = own(value),
                "RequestType" => client.request_type = own(value),
                "extendedAuditEventCategory" => client.category = own(value),
                "additionalDetails" => {
                    let agent = value.and_then(|v| member(v, "User-Agent")).and_then(Raw::text).map(Cow::into_owned);
                    client.user_agent = agent.or(client.user_agent.take());
                    client.details = own(value);
                }
                _ => {}
            });
        }
        if let Some(list) = o.get(Key::DeviceProperties) {
            let truth = |v: Option<&str>| v.and_then(|v| Raw { raw: v, plain: true }.boolean());
            bags::pairs(list, |name, value, _| match name {
                "Id" => client.device_id = own(value).filter(|id| is_id(id)),
                "DisplayName" => client.device_name = own(value),
                "OS" => client.os = own(value),
                "BrowserType" => client.browser = own(value),
                "IsCompliant" => client.compliant = truth(value),
                "IsCompliantAndManaged" => {
                    client.managed = truth(value);
                    client.compliant = client.compliant.or(truth(value).filter(|both| *both));
                }
                "TrustType" => client.trust_type = own(value),
                "SessionId" => client.session_id = own(value).filter(|id| is_id(id)),
                _ => {}
            });
        }
        client
    }
}

/// What the derived rows need of the audit record.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub id: Option<&'a str>,
    pub time: Option<i64>,
    pub operation: &'a str,
    pub success: Option<bool>,
    pub user_id: &'a str,
    pub upn: Option<&'a str>,
    pub actor: &'a Party,
    pub class: &'static str,
    pub ip: Option<&'a super::address::Address>,
    pub user_agent: Option<&'a str>,
    pub client: &'a Client,
    pub session: Option<&'a str>,
    pub token: Option<&'a str>,
    pub flags: &'a [&'a str],
}

impl Sink {
    /// Takes an audit record. `outer` is what it came in.
    pub(super) fn ual(
        &mut self,
        o: &Object<'_>,
        outer: Option<&Object<'_>>,
        file: &FileFacts,
        place: Place<'_>,
        damaged: bool,
    ) -> Result<(), Reject> {
        use Key as K;
        let wrapper = |keys: &[Key]| outer.and_then(|w| w.first(keys));
        let mut flags = file.flags.clone();
        if damaged {
            flags.push(CUT);
        }

        let id = o.first_id(&[K::OfficeId, K::Id]).or_else(|| outer.and_then(|w| w.first_id(&[K::Identity, K::RecordId, K::Id])));
        if id.is_none() && o.first(&[K::OfficeId, K::Id]).or_else(|| wrapper(&[K::Identity, K::RecordId, K::Id])).is_some() {
            self.counts.tally.entry(place.source).or_default().no_id += 1;
        }
        let order = file.order.unwrap_or_default();
        // the record's own date, else the date of what it came in: the first that can be read
        let mut dates = [K::CreationTime, K::TimeGenerated].into_iter().filter_map(|k| o.text(k));
        let mut when = dates.find_map(|t| time::micros(&t, order));
        if when.is_none() {
            for text in [K::CreationDate, K::CreatedDateTime, K::TimeGenerated, K::Time].iter().filter_map(|k| wrapper(&[*k])) {
                when = time::micros(&text, order);
                if when.is_some() {
                    if file.order.is_none() && time::iso(text.trim()).is_none() {
                        flags.push("date_ambiguous");
                    }
                    break;
                }
            }
        }
        if when.is_none() {
            flags.push(UNDATED);
        }
        let Some(operation) = o.text(K::Operation).or_else(|| wrapper(&[K::Operations, K::Operation])) else {
            return Err(Reject::new("record_unknown", "no operation"));
        };
        let record_type = o.text(K::RecordType).or_else(|| wrapper(&[K::RecordType])).and_then(|t| names::record_type(&t));
        let user_id = o.text(K::UserId).or_else(|| wrapper(&[K::UserIds, K::UserId])).unwrap_or_default();
        let organization = o.id(K::OrganizationId).or_else(|| outer.and_then(|w| w.first_id(&[K::OrganizationId, K::TenantId])));
        let place = Place { tenant: organization.as_deref().map(str::trim), ..place };

        let mut key = std::mem::take(&mut self.scratch.key);
        names::operation_key(&operation, &mut key);

        let logon = matches!(record_type, Some(9 | 15));
        let directory = record_type == Some(8);
        let lists = bags::rule(record_type, &key).bags.iter().map(|(list, _)| *list);
        if !damaged
            && lists.chain((logon || directory).then_some([K::Actor, K::Target]).into_iter().flatten()).any(|k| shallow(o.get(k)))
        {
            flags.push(DEPTH);
        }
        let actor = if logon || directory { Party::read(o.get(K::Actor)) } else { Party::default() };
        let client = if logon || directory { Client::read(o) } else { Client::default() };
        let upn = upn_of(&user_id).or_else(|| actor.upn.as_deref().and_then(upn_of));
        let address = o
            .first(&[K::ActorIpAddress])
            .or_else(|| o.text(K::ClientIPAddress))
            .or_else(|| o.text(K::ClientIP))
            .or_else(|| wrapper(&[K::ClientIP]))
            .and_then(|t| address(&t));
        if address.as_ref().is_some_and(|a| a.kind == "invalid") {
            flags.push("ip_invalid");
        }

        let mut session = o.id(K::SessionId).map(Cow::into_owned);
        let mut token = o.id(K::UniqueTokenId).map(Cow::into_owned);
        let (mut access_session, mut access_client) = (None, None);
        if let Some(context) = o.get(K::AppAccessContext).and_then(Raw::nested) {
            let _ = scan::object(context.as_bytes(), 0, |name, a, z| {
                let value = || Raw::json(&context[a..z]).text().filter(|t| is_id(t)).map(Cow::into_owned);
                match name {
                    b"AADSessionId" => access_session = value(),
                    b"UniqueTokenId" => token = value().or(token.take()),
                    b"ClientAppId" => access_client = value(),
                    _ => {}
                }
            });
        }
        session = session.or_else(|| access_session.clone()).or_else(|| client.session_id.clone());

        let status = o.text(K::ResultStatus);
        let error = o.get(K::ErrorNumber).and_then(Raw::int32);
        let workload = o.text(K::Workload).or_else(|| wrapper(&[K::Workload]));
        let success = succeeded(logon, &key, status.as_deref(), error, workload.as_deref());
        let user_type = o.text(K::UserType).or_else(|| wrapper(&[K::UserType])).and_then(|t| names::user_type(&t));
        let logon_type = o.text(K::LogonType).and_then(|t| names::logon_type(&t));
        let external = o.get(K::ExternalAccess).and_then(Raw::boolean);
        let org_name = o.text(K::OrganizationName).unwrap_or_default();
        let owner = o.text(K::MailboxOwnerUPN);
        let object = o.text(K::ObjectId).or_else(|| wrapper(&[K::ObjectId]));
        let home = o.text(K::ActorContextId);
        let abroad =
            home.as_deref().zip(place.tenant).is_some_and(|(a, b)| is_guid(a) && is_guid(b) && !a.eq_ignore_ascii_case(b));
        let class = actor_class(&ActorFacts {
            abroad,
            logon,
            user_id: &user_id,
            upn: upn.as_deref(),
            user_type,
            logon_type,
            external,
            organization: &org_name,
            owner: owner.as_deref().unwrap_or_default(),
            cmdlet: record_type == Some(1),
            object: object.as_deref().unwrap_or_default(),
            operation: &key,
        });
        self.domain(&org_name);

        let c = Ual::get();
        let t = self.row(UAL, file, place, &flags);
        t.opt_text(c.id, id.as_deref());
        if let Some(when) = when {
            t.ts(c.creation_time, when);
        }
        if let Some(n) = record_type {
            t.i32(c.record_type, n);
            t.opt_text(c.record_type_name, names::record_type_name(n));
        }
        t.opt_text(c.workload, workload.as_deref());
        t.text(c.operation, &operation);
        t.text(c.operation_key, &key);
        t.opt_text(c.result_status, status.as_deref());
        if let Some(success) = success {
            t.bool(c.success, success);
        }
        t.opt_text(c.user_id, Some(user_id.as_ref()).filter(|u| !u.is_empty()));
        t.opt_text(c.user_key, o.id(K::UserKey).as_deref());
        if let Some(n) = user_type {
            t.i32(c.user_type, n);
        }
        let guid_of = |text: &str| -> Option<String> {
            let text = text.rsplit_once('_').map_or(text, |(_, guid)| guid);
            is_guid(text).then(|| text.to_lowercase())
        };
        let actor_id =
            actor.object_id.clone().or_else(|| guid_of(&user_id)).or_else(|| o.text(K::UserKey).and_then(|k| guid_of(&k)));
        t.opt_text(c.actor_object_id, actor_id.as_deref());
        t.opt_text(c.actor_upn, upn.as_deref());
        t.text(c.actor_class, class);
        let client_app = o.id(K::ClientAppId).or_else(|| access_client.map(Cow::Owned));
        let app = o.id(K::AppId);
        if class == "app" || (directory && actor.app_id.is_some()) {
            t.opt_text(c.actor_app_id, actor.app_id.as_deref().or(client_app.as_deref()).or(app.as_deref()));
        }
        t.opt_text(c.object_id, object.as_deref());
        if let Some(a) = &address {
            t.text(c.client_ip, &a.ip);
            t.text(c.ip_kind, a.kind);
            if let Some(port) = a.port {
                t.i32(c.client_port, port);
            }
        }
        let user_agent = o.text(K::UserAgent).or_else(|| client.user_agent.as_deref().map(Cow::Borrowed));
        t.opt_text(c.user_agent, user_agent.as_deref().or(o.text(K::ActorInfoString).as_deref()));
        t.opt_text(c.client_info_string, o.text(K::ClientInfoString).as_deref());
        t.opt_text(c.app_id, app.as_deref());
        t.opt_text(c.client_app_id, client_app.as_deref());
        t.opt_text(c.application_id, o.id(K::ApplicationId).as_deref());
        if let Some(n) = logon_type {
            t.i32(c.logon_type, n);
        }
        t.opt_text(c.mailbox_owner_upn, owner.as_deref());
        t.opt_text(c.mailbox_guid, o.id(K::MailboxGuid).as_deref());
        t.opt_text(c.session_id, session.as_deref());
        t.opt_text(c.unique_token_identifier, token.as_deref());
        t.opt_text(c.app_access_session_id, access_session.as_deref());
        t.opt_text(c.inter_systems_id, o.id(K::InterSystemsId).as_deref());
        t.opt_text(c.intra_system_id, o.id(K::IntraSystemId).as_deref());
        if let Some(n) = error {
            t.i32(c.error_number, n);
        }
        t.opt_text(c.logon_error, o.text(K::LogonError).as_deref());
        if let Some(n) = o.get(K::OperationCount).and_then(Raw::int) {
            t.i64(c.operation_count, n);
        }
        if matches!(record_type, Some(2 | 3 | 50)) {
            if let Some(list) = o.get(K::OperationProperties) {
                bags::pairs(list, |name, value, _| match (name, value) {
                    ("MailAccessType", Some(v)) if !v.is_empty() && !t.is_set(c.mail_access_type) => {
                        t.text(c.mail_access_type, v)
                    }
                    ("IsThrottled", Some(v)) if !t.is_set(c.is_throttled) => {
                        if let Some(b) = (Raw { raw: v, plain: true }).boolean() {
                            t.bool(c.is_throttled, b);
                        }
                    }
                    _ => {}
                });
            }
            items(o, t, c);
        }
        t.opt_text(c.site_url, o.text(K::SiteUrl).as_deref());
        t.opt_text(c.file_name, o.text(K::SourceFileName).as_deref());
        t.opt_text(c.target_user, o.text(K::TargetUserOrGroupName).as_deref());
        t.opt_text(c.sharing_id, o.id(K::UniqueSharingId).as_deref());
        t.opt_text(c.device_id, client.device_id.as_deref().or(o.id(K::DeviceId).as_deref()));
        if let Some(b) = external {
            t.bool(c.external_access, b);
        }
        t.opt_text(c.organization_id, place.tenant);
        t.opt_text(c.data, o.text(K::Data).as_deref().filter(|d| d.len() <= DATA));
        t.opt_text(c.organization_name, Some(org_name.as_ref()).filter(|n| n.contains('.')));
        let richness = t.richness();

        self.properties(o, file, place, id.as_deref(), record_type, &key, &flags);
        if logon || directory {
            let facts = Facts {
                id: id.as_deref(),
                time: when,
                operation: &operation,
                success,
                user_id: &user_id,
                upn: upn.as_deref(),
                actor: &actor,
                class,
                ip: address.as_ref(),
                user_agent: user_agent.as_deref(),
                client: &client,
                session: session.as_deref(),
                token: token.as_deref(),
                flags: &flags,
            };
            if logon {
                self.derived_signin(o, &facts, file, place);
            } else {
                self.derived_audit(o, &facts, &key, file, place);
            }
        }
        if let Some(count) = wrapper(&[K::ResultCount]).and_then(|n| n.parse::<u64>().ok())
            && (self.counts.result_counts.len() < 10_000 || self.counts.result_counts.contains_key(&count))
        {
            *self.counts.result_counts.entry(count).or_default() += 1;
        }
        let keys = record_keys(id.as_deref(), when, &key, &user_id, o.text.as_bytes());
        self.record(UAL, keys, richness, place, when);
        for flag in LOST.into_iter().filter(|flag| flags.contains(flag)) {
            let date = o.text(K::CreationTime).or_else(|| wrapper(&[K::CreationDate, K::CreatedDateTime, K::Time]));
            self.lost(flag, &operation, &date.unwrap_or_default(), file, place);
        }
        self.scratch.key = key;
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "one caller")]
    fn properties(
        &mut self,
        o: &Object<'_>,
        file: &FileFacts,
        place: Place<'_>,
        id: Option<&str>,
        record_type: Option<i32>,
        operation_key: &str,
        flags: &[&str],
    ) {
        let rule = bags::rule(record_type, operation_key);
        let c = Property::get();
        let mut add = |bag: &str, name: &str, value: Option<&str>, old: Option<&str>| {
            let t = self.row(PROPERTY, file, place, flags);
            t.opt_text(c.event_id, id);
            t.text(c.bag, bag);
            t.text(c.name, name);
            t.opt_text(c.value, value);
            t.opt_text(c.old_value, old);
        };
        for (key, bag) in rule.bags {
            if let Some(list) = o.get(*key) {
                bags::pairs(list, |name, value, old| add(bag, name, value, old));
            }
        }
        for key in rule.members {
            let Some(value) = o.get(*key) else { continue };
            if *key == Key::Members {
                // who was added to a team: name and role
                for person in value.nested().as_deref().map(elements).unwrap_or_default() {
                    let upn = member(person.raw, "UPN").and_then(Raw::text);
                    add("extended", "Members.UPN", upn.as_deref(), None);
                }
            } else if let Some(text) = value.text().filter(|t| t.len() <= DATA) {
                add("extended", &format!("{key:?}"), Some(&text), None);
            }
        }
    }
}

/// Whether the act succeeded; `None` where the record does not say.
fn succeeded(logon: bool, key: &str, status: Option<&str>, error: Option<i32>, workload: Option<&str>) -> Option<bool> {
    if logon {
        // ResultStatus says `Success` for most failed logons: only the operation and the error number tell
        return match key {
            "userloggedin" => Some(matches!(error, None | Some(0))),
            "userloginfailed" => Some(false),
            _ => error.map(|e| e == 0),
        };
    }
    let Some(status) = status else {
        // these workloads log a status only on failure
        return matches!(workload, Some("SharePoint" | "OneDrive" | "MicrosoftTeams")).then_some(true);
    };
    let is = |words: &[&str]| words.iter().any(|w| status.eq_ignore_ascii_case(w));
    if is(&["true", "success", "succeeded", "partiallysucceeded"]) {
        Some(true)
    } else if is(&["false", "failure", "failed"]) {
        Some(false)
    } else {
        None
    }
}

/// The mail item that a mailbox record is about, and how many it touches.
fn items(o: &Object<'_>, t: &mut crate::write::TableBuilder, c: &Ual) {
    let many = o.get(Key::AffectedItems).and_then(Raw::nested);
    let affected = many.as_deref().map(elements).unwrap_or_default();
    if many.is_some() {
        t.i64(c.affected_count, affected.len() as i64);
    }
    let single = o.get(Key::Item).and_then(Raw::nested);
    let item = single.as_deref().or_else(|| affected.first().map(|v| v.raw));
    let folder_path = |folder: &str| member(folder, "Path").and_then(Raw::text).map(Cow::into_owned);
    let mut path = None;
    if let Some(item) = item {
        let _ = scan::object(item.as_bytes(), 0, |name, a, z| {
            let value = Raw::json(&item[a..z]);
            match name {
                b"Subject" => t.opt_text(c.item_subject, value.text().as_deref().filter(|_| !t.is_set(c.item_subject))),
                b"InternetMessageId" => {
                    t.opt_text(c.item_message_id, value.text().as_deref().filter(|_| !t.is_set(c.item_message_id)))
                }
                b"ParentFolder" => path = value.nested().and_then(|f| folder_path(&f)),
                _ => {}
            }
        });
    }
    path = path.or_else(|| o.get(Key::Folder).and_then(Raw::nested).and_then(|f| folder_path(&f)));
    t.opt_text(c.item_folder_path, path.as_deref());
}
