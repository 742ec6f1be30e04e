//! Acts on mailboxes, mail flow and shared files, and the alerts that they raise.
use serde_json::{Value, json};

use super::Stage;
use crate::Error;
use crate::rng::Guid;
use crate::story::Step;
use crate::tenant::Network;
use crate::text::{Iso, Seconds, zulu};
use crate::ual::{EXCHANGE, SHAREPOINT, address};

/// A record of Exchange administration: operation, object, parameters.
struct Cmdlet {
    operation: &'static str,
    object: String,
    parameters: Vec<(&'static str, String)>,
}

impl Stage {
    fn cmdlet(&mut self, step: &Step, at: Seconds, what: Cmdlet) {
        let user = self.actor(step);
        let place = self.place(step, at);
        let session = self.session(step, at);
        let id = self.guid(what.operation);
        let who = &self.tenant.users[user];
        let record = json!({
            "CreationTime": Iso(at).to_string(),
            "Id": id.to_string(),
            "Operation": what.operation,
            "OrganizationId": self.tenant.id.to_string(),
            "RecordType": 1,
            "ResultStatus": "True",
            "UserKey": who.puid,
            "UserType": 2,
            "Version": 1,
            "Workload": "Exchange",
            "ClientIP": address(&place, 50_000 + (at as u64 % 9_000)),
            "ObjectId": what.object,
            "UserId": who.upn,
            "AppId": EXCHANGE,
            "ClientAppId": "",
            "ExternalAccess": false,
            "OrganizationName": self.tenant.initial,
            "OriginatingServer": "PAXP195MB4196 (15.20.7316.024)",
            "Parameters": what.parameters.iter().map(|(n, v)| json!({ "Name": n, "Value": v })).collect::<Value>(),
            "SessionId": session.to_string(),
        });
        self.unified(at, "ExchangeAdmin", &record);
    }

    /// The common part of a mailbox record of an act.
    fn mailbox_record(
        &mut self,
        at: Seconds,
        operation: &str,
        record_type: u64,
        actor: usize,
        owner: usize,
        place: &Network,
        session: Guid,
    ) -> Value {
        let id = self.guid(operation);
        let (who, whose) = (&self.tenant.users[actor], &self.tenant.users[owner]);
        json!({
            "CreationTime": Iso(at).to_string(),
            "Id": id.to_string(),
            "Operation": operation,
            "OrganizationId": self.tenant.id.to_string(),
            "RecordType": record_type,
            "ResultStatus": "Succeeded",
            "UserKey": who.puid,
            "UserType": 0,
            "Version": 1,
            "Workload": "Exchange",
            "ClientIP": place.ip,
            "UserId": who.upn,
            "AppId": EXCHANGE,
            "ClientIPAddress": place.ip,
            "ClientInfoString": "Client=OWA;Action=ViaProxy",
            "ExternalAccess": false,
            "InternalLogonType": 0,
            "LogonType": if actor == owner { 0 } else { 2 },
            "LogonUserSid": who.sid,
            "MailboxGuid": whose.mailbox.to_string(),
            "MailboxOwnerSid": whose.sid,
            "MailboxOwnerUPN": whose.upn,
            "OrganizationName": self.tenant.initial,
            "OriginatingServer": "PAXP195MB5056 (15.20.7316.000)\r\n",
            "SessionId": session.to_string(),
        })
    }

    /// The victim opens the lure.
    pub(super) fn lure_read(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let user = self.actor(step);
        let place = self.place(step, at);
        let session = self.tenant.session(user, at.div_euclid(crate::text::DAY));
        let message = format!("<{}@{}>", self.guid("lure"), step.text("sender_domain")?);
        let mut record = self.mailbox_record(at, "MailItemsAccessed", 50, user, user, &place, session);
        bind(&mut record, &[(r"\Inbox", vec![(message, 48_211)])]);
        self.unified(at, "ExchangeItemAggregated", &record);
        Ok(())
    }

    /// A new inbox rule.
    pub(super) fn inbox_rule(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let user = match step.with.contains_key("of") {
            true => step.part("of", &self.tenant)?,
            false => self.actor(step),
        };
        let name = step.text("name")?.to_owned();
        let mut parameters =
            vec![("AlwaysDeleteOutlookRulesBlob", "False".to_owned()), ("Force", "False".to_owned()), ("Name", name.clone())];
        if user != self.actor(step) {
            parameters.push(("Mailbox", self.tenant.canonical(user)));
        }
        let words = step.text_or("words", "").to_owned();
        let (forward, folder, from) = (
            step.text_or("forward_to", "").to_owned(),
            step.text_or("move_to", "").to_owned(),
            step.text_or("sender", "").to_owned(),
        );
        for (key, value) in [
            ("SubjectOrBodyContainsWords", &words),
            ("ForwardTo", &forward),
            ("MoveToFolder", &folder),
            ("FromAddressContainsWords", &from),
        ] {
            if !value.is_empty() {
                parameters.push((key, value.clone()));
            }
        }
        let flag = |key: &str| step.with.get(key).and_then(toml::Value::as_bool).unwrap_or(false);
        for (key, name) in [("delete", "DeleteMessage"), ("mark_read", "MarkAsRead"), ("stop", "StopProcessingRules")] {
            if flag(key) {
                parameters.push((name, "True".to_owned()));
            }
        }
        let object = format!("{}\\{name}", self.tenant.canonical(user));
        let serial = 1_000_000_000_000_000_000 + self.next() * 7_919;
        let mailbox = self.tenant.users[user].upn.clone();
        let list =
            |text: &str| -> Value { if text.is_empty() { Value::Null } else { text.split(';').map(Value::from).collect() } };
        let target = if forward.is_empty() { Value::Null } else { json!([format!("\"{forward}\" [SMTP:{forward}]")]) };
        self.tenant.inbox_rules.push(json!({
            "MailboxOwnerId": mailbox,
            "RuleIdentity": serial,
            "Identity": format!("{}\\{serial}", self.tenant.users[user].id),
            "Name": name,
            "Enabled": true,
            "Priority": 1,
            "Description": "",
            "InError": false,
            "ErrorType": null,
            "StopProcessingRules": flag("stop"),
            "ForwardTo": target,
            "ForwardAsAttachmentTo": null,
            "RedirectTo": null,
            "CopyToFolder": null,
            "MoveToFolder": if folder.is_empty() { Value::Null } else { json!(folder) },
            "DeleteMessage": flag("delete"),
            "SoftDeleteMessage": false,
            "MarkAsRead": flag("mark_read"),
            "From": null,
            "FromAddressContainsWords": list(&from),
            "SubjectContainsWords": null,
            "SubjectOrBodyContainsWords": list(&words),
            "BodyContainsWords": null,
            "HasAttachment": false,
        }));
        self.cmdlet(step, at, Cmdlet { operation: "New-InboxRule", object, parameters });
        Ok(())
    }

    /// Forwarding set on the mailbox itself.
    pub(super) fn forwarding(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let owner = step.part("of", &self.tenant)?;
        let to = step.text("to")?.to_owned();
        let identity = self.tenant.canonical(owner);
        let parameters = vec![
            ("Identity", identity),
            ("ForwardingSmtpAddress", format!("smtp:{to}")),
            ("DeliverToMailboxAndForward", "True".to_owned()),
        ];
        let object = self.tenant.users[owner].display.clone();
        self.cmdlet(step, at, Cmdlet { operation: "Set-Mailbox", object, parameters });
        self.tenant.forwarding.insert(owner, (format!("smtp:{to}"), true));
        Ok(())
    }

    /// Full access to a mailbox.
    pub(super) fn mailbox_permission(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let (owner, trustee) = (step.part("of", &self.tenant)?, step.part("to", &self.tenant)?);
        let parameters = vec![
            ("Identity", self.tenant.canonical(owner)),
            ("User", self.tenant.users[trustee].upn.clone()),
            ("AccessRights", "FullAccess".to_owned()),
            ("InheritanceType", "All".to_owned()),
        ];
        let object = self.tenant.canonical(owner);
        self.cmdlet(step, at, Cmdlet { operation: "Add-MailboxPermission", object, parameters });
        let (mailbox, user) = (self.tenant.users[owner].upn.clone(), self.tenant.users[trustee].upn.clone());
        self.tenant.mailbox_permissions.push(json!({ "Identity": mailbox, "User": user, "AccessRights": ["FullAccess"], "IsInherited": false, "Deny": false, "InheritanceType": "All" }));
        Ok(())
    }

    /// The right to send as somebody.
    pub(super) fn send_as_permission(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let (owner, trustee) = (step.part("of", &self.tenant)?, step.part("to", &self.tenant)?);
        let parameters = vec![
            ("Identity", self.tenant.canonical(owner)),
            ("Trustee", self.tenant.users[trustee].upn.clone()),
            ("AccessRights", "SendAs".to_owned()),
            ("Confirm", "False".to_owned()),
        ];
        let object = self.tenant.canonical(owner);
        self.cmdlet(step, at, Cmdlet { operation: "Add-RecipientPermission", object, parameters });
        let (mailbox, user) = (self.tenant.users[owner].upn.clone(), self.tenant.users[trustee].upn.clone());
        self.tenant.recipient_permissions.push(json!({ "Identity": mailbox, "Trustee": user, "AccessControlType": "Allow", "AccessRights": ["SendAs"], "IsInherited": false, "InheritanceType": "None" }));
        Ok(())
    }

    /// A transport rule that copies mail to an address outside.
    pub(super) fn transport_rule(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let (name, bcc, words) = (step.text("name")?.to_owned(), step.text("bcc")?.to_owned(), step.text("words")?.to_owned());
        let parameters = vec![
            ("Name", name.clone()),
            ("SubjectOrBodyContainsWords", words.clone()),
            ("BlindCopyTo", bcc.clone()),
            ("Mode", "Enforce".to_owned()),
            ("SetAuditSeverity", "DoNotAudit".to_owned()),
        ];
        let object = format!("{}\\{name}", self.tenant.initial);
        self.cmdlet(step, at, Cmdlet { operation: "New-TransportRule", object, parameters });
        let author = self.tenant.users[self.actor(step)].display.clone();
        let guid = self.guid("transport rule").to_string();
        self.tenant.transport_rules.push(json!({
            "Priority": self.tenant.transport_rules.len(),
            "Comments": null,
            "CreatedBy": author,
            "LastModifiedBy": author,
            "Description": format!("If the message:\r\n\tIncludes these words in the message subject or body: '{}'\r\nTake the following actions:\r\n\tBlind carbon copy (Bcc) the message to '{bcc}'\r\n", words.replace(';', "' or '")),
            "Conditions": ["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.SubjectOrBodyContainsPredicate"],
            "Exceptions": null,
            "Actions": ["Microsoft.Exchange.MessagingPolicies.Rules.Tasks.BlindCopyToAction"],
            "State": "Enabled",
            "Mode": "Enforce",
            "RuleErrorAction": "Ignore",
            "FromScope": null,
            "SentToScope": null,
            "SubjectOrBodyContainsWords": words.split(';').collect::<Vec<_>>(),
            "BlindCopyTo": [bcc],
            "CopyTo": null,
            "RedirectMessageTo": null,
            "AddToRecipients": null,
            "DeleteMessage": false,
            "Quarantine": false,
            "SetSCL": null,
            "SetAuditSeverity": "DoNotAudit",
            "Identity": name,
            "Name": name,
            "Guid": guid,
            "ImmutableId": guid,
            "WhenChanged": zulu(at),
        }));
        Ok(())
    }

    /// Mail of several mailboxes read by an application with its own permission.
    pub(super) fn app_mail_access(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let key = step.text("app")?;
        let n = self.tenant.app(key).ok_or_else(|| Error::Scenario(format!("step {}: no application `{key}`", step.id)))?;
        let place = self.place(step, at);
        let mailboxes = (step.number("mailboxes", 8) as usize).min(self.tenant.users.len());
        for mailbox in 0..mailboxes {
            let when = at + mailbox as i64 * 47;
            let messages: Vec<(String, u64)> =
                (0..6).map(|i| (format!("<{}@{}>", self.guid("read"), self.tenant.domain), 9_000 + i * 731)).collect();
            let mut record = self.mailbox_record(when, "MailItemsAccessed", 50, mailbox, mailbox, &place, Guid([0; 16]));
            let app = &self.tenant.apps[n];
            // An application that acts for itself: user type 5 and its service principal as the actor [unverified form of UserId].
            record["UserKey"] = json!(app.sp.to_string());
            record["UserType"] = json!(5);
            record["UserId"] = json!(format!("ServicePrincipal_{}", app.sp));
            record["AppId"] = json!(app.app_id);
            record["ClientAppId"] = json!(app.app_id);
            record["ClientInfoString"] = json!("Client=REST;;");
            record["LogonType"] = json!(1);
            if let Some(map) = record.as_object_mut() {
                for key in ["SessionId", "ClientIP", "LogonUserSid"] {
                    map.remove(key);
                }
            }
            bind(&mut record, &[(r"\Inbox", messages)]);
            self.unified(when, "ExchangeItemAggregated", &record);
        }
        Ok(())
    }

    /// Whole folders of a mailbox synchronised by the intruder's client.
    pub(super) fn mail_sync(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let (user, owner) = (self.actor(step), step.part("of", &self.tenant)?);
        let place = self.place(step, at);
        let session = self.session(step, at);
        for (n, folder) in ["Inbox", "Sent Items", "Archive", "Drafts"].iter().enumerate() {
            let when = at + n as i64 * 31;
            let mut record = self.mailbox_record(when, "MailItemsAccessed", 2, user, owner, &place, session);
            let id = format!("LgAAAAD{}AAAB", self.guid("folder"));
            record["ClientInfoString"] = json!("Client=MSExchangeRPC");
            record["ClientProcessName"] = json!("OUTLOOK.EXE");
            record["ClientVersion"] = json!("16.0.13929.20206");
            record["OperationProperties"] =
                json!([{ "Name": "MailAccessType", "Value": "Sync" }, { "Name": "IsThrottled", "Value": "False" }]);
            record["Item"] = json!({ "Id": id, "ParentFolder": { "Id": id, "Name": folder, "Path": format!("\\{folder}") } });
            if let Some(map) = record.as_object_mut() {
                map.remove("AppId");
            }
            self.unified(when, "ExchangeItem", &record);
        }
        Ok(())
    }

    /// A burst of links that need no account, some of them then used.
    pub(super) fn anonymous_links(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let user = self.actor(step);
        let place = self.place(step, at);
        let visitor = self.tenant.networks.get(step.text("used_from")?).cloned();
        let host = self.tenant.initial.split('.').next().unwrap_or_default().to_owned();
        let site = format!("https://{host}-my.sharepoint.com/personal/{}/", self.tenant.users[user].upn.replace(['@', '.'], "_"));
        for n in 0..step.number("links", 14) {
            let when = at + n * 55;
            let file = format!("Contrat {}.pdf", 2_000 + n);
            let sharing = self.guid("sharing").to_string();
            let mut record = self.link(when, "AnonymousLinkCreated", user, &place, &site, &file, &sharing);
            self.unified(when, "SharePointSharingOperation", &record);
            if let Some(visitor) = visitor.as_ref().filter(|_| n % 4 == 0) {
                let used = when + 3_000;
                record = self.link(used, "AnonymousLinkUsed", user, visitor, &site, &file, &sharing);
                record["UserId"] = json!("anonymous");
                record["UserKey"] = json!("anonymous");
                self.unified(used, "SharePointSharingOperation", &record);
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // the facts of one sharing record, named at each call
    fn link(
        &mut self,
        at: Seconds,
        operation: &str,
        user: usize,
        place: &Network,
        site: &str,
        file: &str,
        sharing: &str,
    ) -> Value {
        let id = self.guid(operation);
        let who = &self.tenant.users[user];
        let seed = self.tenant.seed;
        json!({
            "CreationTime": Iso(at).to_string(),
            "Id": id.to_string(),
            "Operation": operation,
            "OrganizationId": self.tenant.id.to_string(),
            "RecordType": 14,
            "UserKey": format!("i:0h.f|membership|{}@live.com", who.puid.to_lowercase()),
            "UserType": 0,
            "Version": 1,
            "Workload": "OneDrive",
            "ClientIP": place.ip,
            "ObjectId": format!("{site}Documents/{file}"),
            "UserId": who.upn,
            "ApplicationId": SHAREPOINT,
            "CorrelationId": Guid::of(seed, "sharing correlation", at as u64).to_string(),
            "EventSource": "SharePoint",
            "ItemType": "File",
            "ListId": Guid::of(seed, site, 2).to_string(),
            "ListItemUniqueId": Guid::of(seed, file, 3).to_string(),
            "Site": Guid::of(seed, site, 0).to_string(),
            "UserAgent": super::INTRUDER_AGENT,
            "WebId": Guid::of(seed, site, 1).to_string(),
            "UniqueSharingId": sharing,
            "EventData": "<Type>Edit</Type><MembersCanShareApplied>False</MembersCanShareApplied>",
            "SourceFileExtension": "pdf",
            "SiteUrl": site,
            "SourceFileName": file,
            "SourceRelativeUrl": "Documents",
        })
    }

    /// Fraudulent mail from a mailbox, by its stolen session or by somebody who may send as its owner.
    pub(super) fn fraud_send(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let (user, owner) = (self.actor(step), step.part("of", &self.tenant)?);
        let place = self.place(step, at);
        let session = self.session(step, at);
        let operation = if user == owner { "Send" } else { "SendAs" };
        let subject = step.text("subject")?.to_owned();
        for n in 0..step.number("messages", 1) {
            let when = at + n * 140;
            let mut record = self.mailbox_record(when, operation, 2, user, owner, &place, session);
            let message = format!("<{}@{}>", self.guid("fraud"), self.tenant.domain);
            let folder = self.guid("drafts");
            record["Item"] = json!({
                "Id": format!("RgAAAAD{}AAAJ", self.guid("item")),
                "InternetMessageId": message,
                "ParentFolder": { "Id": format!("LgAAAAD{folder}AAAB"), "Path": "\\Drafts" },
                "SizeInBytes": 41_360 + n,
                "Subject": subject,
            });
            if operation == "SendAs" {
                record["SendAsUserSmtp"] = json!(self.tenant.users[owner].upn);
                record["SendAsUserMailboxGuid"] = json!(self.tenant.users[owner].mailbox.to_string());
            }
            self.unified(when, "ExchangeItem", &record);
        }
        Ok(())
    }

    /// An alert of the service about a person.
    pub(super) fn alert(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let about = self.tenant.users[self.actor(step)].upn.clone();
        let (name, severity) = (step.text("name")?.to_owned(), step.text("severity")?.to_owned());
        let alert = self.guid("alert").to_string();
        let policy = Guid::of(self.tenant.seed, &name, 0).to_string();
        let moment = |at: Seconds| format!("{}.0000000Z", Iso(at));
        let tenant = self.tenant.id.to_string();
        let triggered = json!({ "f3u": about, "ts": moment(at - 60), "te": moment(at), "op": "MailRedirect", "wl": "Exchange", "tid": tenant, "tdc": "1", "rid": alert, "cid": policy, "ad": name, "lon": "MailRedirect", "an": name, "sev": severity });
        let entity = json!({ "etype": "User", "eid": about, "tid": tenant, "ts": moment(at - 60), "te": moment(at), "op": "MailRedirect", "tdc": "1", "suid": about, "ut": "Regular", "lon": "MailRedirect" });
        for (operation, object, data) in
            [("AlertTriggered", alert.clone(), triggered), ("AlertEntityGenerated", about.clone(), entity)]
        {
            let id = self.guid(operation);
            let mut record = json!({
                "CreationTime": Iso(at).to_string(),
                "Id": id.to_string(),
                "Operation": operation,
                "OrganizationId": tenant,
                "RecordType": 40,
                "ResultStatus": "Succeeded",
                "UserKey": "SecurityComplianceAlerts",
                "UserType": 4,
                "Version": 1,
                "Workload": "SecurityComplianceCenter",
                "ObjectId": object,
                "UserId": "SecurityComplianceAlerts",
                "AlertId": alert,
                "AlertLinks": [{ "AlertLinkHref": "" }],
                "AlertType": "System",
                "Category": "ThreatManagement",
                "Comments": "New alert",
                "Data": data.to_string(),
                "Name": name,
                "PolicyId": policy,
                "Severity": severity,
                "Source": "Office 365 Security & Compliance",
                "Status": "Active",
            });
            if operation == "AlertEntityGenerated" {
                record["AlertEntityId"] = json!(about);
                record["EntityType"] = json!("User");
            }
            self.unified(at, "SecurityComplianceAlerts", &record);
        }
        Ok(())
    }
}

/// Adds what a Bind record says of the messages that were opened.
fn bind(record: &mut Value, folders: &[(&str, Vec<(String, u64)>)]) {
    let count: usize = folders.iter().map(|f| f.1.len()).sum();
    if let Some(map) = record.as_object_mut() {
        map.remove("ClientIP");
    }
    record["OperationProperties"] =
        json!([{ "Name": "MailAccessType", "Value": "Bind" }, { "Name": "IsThrottled", "Value": "False" }]);
    record["Folders"] = folders
        .iter()
        .map(|(path, items)| {
            let items: Value = items.iter().map(|(id, size)| json!({ "InternetMessageId": id, "SizeInBytes": size })).collect();
            json!({ "FolderItems": items, "Id": "LgAAAADBwCLOTkcSTpPvPqAu44P4AAAB", "Path": path })
        })
        .collect();
    record["OperationCount"] = json!(count);
}
