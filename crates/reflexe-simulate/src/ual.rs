//! Everyday records of the unified audit log, written piece by piece: this is what gives a simulated log its size.
//!
//! Keys, their order and the form of their values are those of real records of the same operation.
use crate::rng::{Guid, Rng};
use crate::signin;
use crate::tenant::{Network, Tenant};
use crate::text::{DAY, Iso, Seconds, put};

/// Exchange Online.
pub const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// SharePoint Online.
pub const SHAREPOINT: &str = "00000003-0000-0ff1-ce00-000000000000";

/// Mail clients: (client application, what it calls itself).
const CLIENTS: [(&str, &str); 4] = [
    ("9199bf20-a13f-4107-85dc-02114787ef48", "Client=OWA;Action=ViaProxy"),
    ("27922004-5251-4030-b22d-91ecd9a37ea4", "Client=OutlookService;Outlook-iOS/2.0;"),
    ("5d661950-3475-41cd-a2c3-d671a3162bc1", "Client=REST;Client=RESTSystem;;"),
    ("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Client=REST;;"),
];
const FOLDERS: [&str; 6] =
    ["\\\\Inbox", "\\\\Sent Items", "\\\\Inbox\\\\Projets", "\\\\Archive", "\\\\Inbox\\\\Clients", "\\\\Deleted Items"];
const SUBJECTS: [&str; 8] = [
    "Compte rendu de la réunion de lundi",
    "RE: planning du chantier",
    "Ordre du jour",
    "Merci pour votre visite",
    "TR: plan de charge",
    "Question sur le dossier",
    "RE: déjeuner jeudi ?",
    "Support de présentation",
];
const FILES: [(&str, &str); 8] = [
    ("Plan de charge", "xlsx"),
    ("Compte rendu", "docx"),
    ("Note de cadrage", "docx"),
    ("Présentation client", "pptx"),
    ("Photo chantier", "jpg"),
    ("Schéma réseau", "pdf"),
    ("Suivi des heures", "xlsx"),
    ("Guide utilisateur", "pdf"),
];
const SITES: [&str; 5] = ["Etudes", "Commercial", "Production", "RH", "Achats"];
/// Housekeeping of the service itself: (operation, object, parameters).
const HOUSEKEEPING: [(&str, &str, &str); 8] = [
    (
        "Set-Mailbox",
        "QuarantineOrgShard{368F7EFB-D8B2-448B-A304-41EA44801476}",
        r#"{"Name":"RecoverableItemsQuota","Value":"30 GB (32,212,254,720 bytes)"},{"Name":"Force","Value":"True"},{"Name":"Arbitration","Value":"True"},{"Name":"QuarantineMessageStore","Value":"True"},{"Name":"HiddenFromAddressListsEnabled","Value":"True"},{"Name":"SCLJunkEnabled","Value":"False"}"#,
    ),
    (
        "Set-MailboxPlan",
        "ExchangeOnlineEnterprise-0527a260-bea3-46a3-9f4f-215fdd24f4d9",
        r#"{"Name":"ProhibitSendReceiveQuota","Value":"100 GB (107,374,182,400 bytes)"},{"Name":"Force","Value":"True"}"#,
    ),
    (
        "Set-Mailbox",
        "DiscoverySearchMailbox{D919BA05-46A6-415f-80AD-7E09334BB852}",
        r#"{"Name":"Force","Value":"True"},{"Name":"HiddenFromAddressListsEnabled","Value":"True"}"#,
    ),
    (
        "Set-TransportConfig",
        "Transport Settings",
        r#"{"Name":"TransportRuleSizeLimit","Value":"8 KB (8,192 bytes)"},{"Name":"Force","Value":"True"}"#,
    ),
    (
        "Add-MailboxPermission",
        "DiscoverySearchMailbox{D919BA05-46A6-415f-80AD-7E09334BB852}",
        r#"{"Name":"DomainController","Value":""},{"Name":"User","Value":"Discovery Management"},{"Name":"AccessRights","Value":"FullAccess"}"#,
    ),
    ("Set-OwaMailboxPolicy", "OwaMailboxPolicy-Default", r#"{"Name":"InstantMessagingType","Value":"Ocs"}"#),
    ("Set-AdminAuditLogConfig", "Admin Audit Log Settings", r#"{"Name":"AdminAuditLogAgeLimit","Value":"90.00:00:00"}"#),
    (
        "Set-User",
        "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}",
        r#"{"Name":"Arbitration","Value":"True"},{"Name":"Force","Value":"True"}"#,
    ),
];

/// What the background writer needs of the moment.
pub struct Background<'a> {
    tenant: &'a Tenant,
    /// Number of people who work, newcomers and strangers excluded.
    people: u64,
    /// Time of the last wrong password, so that they stay rare however large the log is.
    last_failure: Seconds,
}

/// Wrapper columns of a record, for the CSV form.
#[derive(Debug, Clone, Default)]
pub struct Wrapper {
    /// Record type by name.
    pub record_type: &'static str,
    /// Operation.
    pub operation: String,
    /// Actor.
    pub user: String,
    /// `AuditData.Id`.
    pub id: String,
}

impl<'a> Background<'a> {
    /// A background for a tenant.
    pub fn new(tenant: &'a Tenant) -> Self {
        Background { tenant, people: tenant.everyday as u64, last_failure: i64::MIN / 2 }
    }

    /// Writes one record; a logon also goes, under the same id, to the sign-in log.
    pub fn record(&mut self, at: Seconds, rng: &mut Rng, out: &mut Vec<u8>, logon: &mut Vec<u8>) -> Wrapper {
        let user = rng.below(self.people) as usize;
        match rng.below(1000) {
            0..=399 => self.mail_bind(at, user, rng, out),
            400..=419 => self.mail_sync(at, user, rng, out),
            420..=699 => self.file(at, user, rng, out),
            700..=929 => self.logon(at, user, rng, out, logon),
            930..=969 => self.housekeeping(at, rng, out),
            970..=989 => self.send(at, user, rng, out),
            _ => self.tidy(at, user, rng, out),
        }
    }

    fn session(&self, user: usize, at: Seconds) -> Guid {
        self.tenant.session(user, at.div_euclid(DAY))
    }

    fn wrapper(&self, record_type: &'static str, operation: &str, user: usize, id: Guid) -> Wrapper {
        Wrapper { record_type, operation: operation.to_owned(), user: self.tenant.users[user].upn.clone(), id: id.to_string() }
    }

    /// The first part of a mailbox record, up to the organisation's name.
    fn mailbox_head(&self, at: Seconds, user: usize, what: (&str, u64, Guid), client: (&str, &str), ip: &str, out: &mut Vec<u8>) {
        let u = &self.tenant.users[user];
        let (operation, record_type, id) = what;
        put!(
            out,
            "{\"CreationTime\":\"",
            Iso(at),
            "\",\"Id\":\"",
            id,
            "\",\"Operation\":\"",
            operation,
            "\",\"OrganizationId\":\"",
            self.tenant.id,
            "\",\"RecordType\":",
            record_type,
            ",\"ResultStatus\":\"Succeeded\",\"UserKey\":\"",
            u.puid,
            "\",\"UserType\":0,\"Version\":1,\"Workload\":\"Exchange\",\"UserId\":\"",
            u.upn,
            "\",\"AppId\":\"",
            EXCHANGE,
            "\",\"ClientAppId\":\"",
            client.0,
            "\",\"ClientIPAddress\":\"",
            ip,
            "\",\"ClientInfoString\":\"",
            client.1,
            "\",\"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":0,\"LogonUserSid\":\"",
            u.sid,
            "\",\"MailboxGuid\":\"",
            u.mailbox,
            "\",\"MailboxOwnerSid\":\"",
            u.sid,
            "\",\"MailboxOwnerUPN\":\"",
            u.upn,
            "\""
        );
    }

    fn mailbox_tail(&self, user: usize, at: Seconds, out: &mut Vec<u8>) {
        put!(
            out,
            ",\"OrganizationName\":\"",
            self.tenant.initial,
            "\",\"OriginatingServer\":\"PAXP195MB",
            1000 + user as u64 % 9000,
            " (15.20.4200.000)\\r\\n\",\"SessionId\":\"",
            self.session(user, at),
            "\""
        );
    }

    fn mail_bind(&self, at: Seconds, user: usize, rng: &mut Rng, out: &mut Vec<u8>) -> Wrapper {
        let id = rng.guid();
        let client = *rng.pick(&CLIENTS);
        let ip = &self.tenant.place(user, at.div_euclid(DAY)).ip;
        self.mailbox_head(at, user, ("MailItemsAccessed", 50, id), client, ip, out);
        put!(
            out,
            ",\"OperationProperties\":[{\"Name\":\"MailAccessType\",\"Value\":\"Bind\"},{\"Name\":\"IsThrottled\",\"Value\":\"False\"}]"
        );
        self.mailbox_tail(user, at, out);
        put!(out, ",\"Folders\":[");
        let mut items = 0u64;
        for folder in 0..1 + rng.below(2) {
            if folder > 0 {
                put!(out, ",");
            }
            put!(out, "{\"FolderItems\":[");
            for item in 0..2 + rng.below(7) {
                if item > 0 {
                    put!(out, ",");
                }
                items += 1;
                put!(
                    out,
                    "{\"InternetMessageId\":\"<",
                    rng.guid(),
                    "@",
                    self.tenant.domain,
                    ">\",\"SizeInBytes\":",
                    4_000 + rng.below(400_000),
                    "}"
                );
            }
            put!(out, "],\"Id\":\"LgAAAAD", rng.guid(), "AQB", rng.next(), "AAAB\",\"Path\":\"", *rng.pick(&FOLDERS), "\"}");
        }
        put!(out, "],\"OperationCount\":", items, "}");
        self.wrapper("ExchangeItemAggregated", "MailItemsAccessed", user, id)
    }

    fn mail_sync(&self, at: Seconds, user: usize, rng: &mut Rng, out: &mut Vec<u8>) -> Wrapper {
        let id = rng.guid();
        let u = &self.tenant.users[user];
        let ip = &self.tenant.place(user, at.div_euclid(DAY)).ip;
        put!(
            out,
            "{\"CreationTime\":\"",
            Iso(at),
            "\",\"Id\":\"",
            id,
            "\",\"Operation\":\"MailItemsAccessed\",\"OrganizationId\":\"",
            self.tenant.id,
            "\",\"RecordType\":2,\"ResultStatus\":\"Succeeded\",\"UserKey\":\"",
            u.puid,
            "\",\"UserType\":0,\"Version\":1,\"Workload\":\"Exchange\",\"ClientIP\":\"",
            ip,
            "\",\"UserId\":\"",
            u.upn,
            "\",\"ClientIPAddress\":\"",
            ip,
            "\",\"ClientInfoString\":\"Client=MSExchangeRPC\",\"ClientProcessName\":\"OUTLOOK.EXE\",\"ClientVersion\":\"16.0.17328.20206\",\"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":0,\"LogonUserSid\":\"",
            u.sid,
            "\",\"MailboxGuid\":\"",
            u.mailbox,
            "\",\"MailboxOwnerSid\":\"",
            u.sid,
            "\",\"MailboxOwnerUPN\":\"",
            u.upn,
            "\",\"OperationProperties\":[{\"Name\":\"MailAccessType\",\"Value\":\"Sync\"},{\"Name\":\"IsThrottled\",\"Value\":\"False\"}]"
        );
        self.mailbox_tail(user, at, out);
        let folder = rng.guid();
        put!(
            out,
            ",\"Item\":{\"Id\":\"LgAAAAD",
            folder,
            "AAAB\",\"ParentFolder\":{\"Id\":\"LgAAAAD",
            folder,
            "AAAB\",\"Name\":\"Inbox\",\"Path\":\"",
            FOLDERS[0],
            "\"}}}"
        );
        self.wrapper("ExchangeItem", "MailItemsAccessed", user, id)
    }

    fn send(&self, at: Seconds, user: usize, rng: &mut Rng, out: &mut Vec<u8>) -> Wrapper {
        let id = rng.guid();
        let u = &self.tenant.users[user];
        let ip = &self.tenant.place(user, at.div_euclid(DAY)).ip;
        put!(
            out,
            "{\"CreationTime\":\"",
            Iso(at),
            "\",\"Id\":\"",
            id,
            "\",\"Operation\":\"Send\",\"OrganizationId\":\"",
            self.tenant.id,
            "\",\"RecordType\":2,\"ResultStatus\":\"Succeeded\",\"UserKey\":\"",
            u.puid,
            "\",\"UserType\":0,\"Version\":1,\"Workload\":\"Exchange\",\"ClientIP\":\"",
            ip,
            "\",\"UserId\":\"",
            u.upn,
            "\",\"AppId\":\"",
            EXCHANGE,
            "\",\"ClientIPAddress\":\"",
            ip,
            "\",\"ClientInfoString\":\"Client=OWA;Action=ViaProxy\",\"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":0,\"LogonUserSid\":\"",
            u.sid,
            "\",\"MailboxGuid\":\"",
            u.mailbox,
            "\",\"MailboxOwnerSid\":\"",
            u.sid,
            "\",\"MailboxOwnerUPN\":\"",
            u.upn,
            "\""
        );
        self.mailbox_tail(user, at, out);
        put!(
            out,
            ",\"Item\":{\"Id\":\"RgAAAAD",
            rng.guid(),
            "AAAJ\",\"InternetMessageId\":\"<",
            rng.guid(),
            "@",
            self.tenant.domain,
            ">\",\"ParentFolder\":{\"Id\":\"LgAAAAD",
            rng.guid(),
            "AAAB\",\"Path\":\"\\\\Drafts\"},\"SizeInBytes\":",
            3_000 + rng.below(90_000),
            ",\"Subject\":\"",
            *rng.pick(&SUBJECTS),
            "\"}}"
        );
        self.wrapper("ExchangeItem", "Send", user, id)
    }

    fn tidy(&self, at: Seconds, user: usize, rng: &mut Rng, out: &mut Vec<u8>) -> Wrapper {
        let id = rng.guid();
        let u = &self.tenant.users[user];
        let ip = &self.tenant.place(user, at.div_euclid(DAY)).ip;
        put!(
            out,
            "{\"CreationTime\":\"",
            Iso(at),
            "\",\"Id\":\"",
            id,
            "\",\"Operation\":\"SoftDelete\",\"OrganizationId\":\"",
            self.tenant.id,
            "\",\"RecordType\":3,\"ResultStatus\":\"Succeeded\",\"UserKey\":\"",
            u.puid,
            "\",\"UserType\":0,\"Version\":1,\"Workload\":\"Exchange\",\"ClientIP\":\"",
            ip,
            "\",\"UserId\":\"",
            u.upn,
            "\",\"ClientIPAddress\":\"",
            ip,
            "\",\"ClientInfoString\":\"Client=MSExchangeRPC\",\"ClientProcessName\":\"OUTLOOK.EXE\",\"ClientVersion\":\"16.0.17328.20206\",\"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":0,\"LogonUserSid\":\"",
            u.sid,
            "\",\"MailboxGuid\":\"",
            u.mailbox,
            "\",\"MailboxOwnerSid\":\"",
            u.sid,
            "\",\"MailboxOwnerUPN\":\"",
            u.upn,
            "\""
        );
        self.mailbox_tail(user, at, out);
        let folder = rng.guid();
        put!(
            out,
            ",\"AffectedItems\":[{\"Id\":\"RgAAAAD",
            rng.guid(),
            "AAAJ\",\"ParentFolder\":{\"Id\":\"LgAAAAD",
            folder,
            "AAAB\",\"Path\":\"\\\\Inbox\"}}],\"CrossMailboxOperation\":false,\"Folder\":{\"Id\":\"LgAAAAD",
            folder,
            "AAAB\",\"Path\":\"\\\\Inbox\"}}"
        );
        self.wrapper("ExchangeItemGroup", "SoftDelete", user, id)
    }

    fn file(&self, at: Seconds, user: usize, rng: &mut Rng, out: &mut Vec<u8>) -> Wrapper {
        let id = rng.guid();
        let u = &self.tenant.users[user];
        let operation = *rng.pick(&[
            "FileAccessed",
            "FileAccessed",
            "FileAccessed",
            "FileModified",
            "FilePreviewed",
            "FileDownloaded",
            "FileUploaded",
        ]);
        let (name, extension) = *rng.pick(&FILES);
        let number = rng.below(400);
        let site = *rng.pick(&SITES);
        let host = self.tenant.initial.split('.').next().unwrap_or_default();
        let correlation = rng.guid();
        put!(
            out,
            "{\"AppAccessContext\":{\"AADSessionId\":\"",
            self.session(user, at),
            "\",\"CorrelationId\":\"",
            correlation,
            "\",\"UniqueTokenId\":\"",
            rng.next(),
            "\"},\"CreationTime\":\"",
            Iso(at),
            "\",\"Id\":\"",
            id,
            "\",\"Operation\":\"",
            operation,
            "\",\"OrganizationId\":\"",
            self.tenant.id,
            "\",\"RecordType\":6,\"UserKey\":\"i:0h.f|membership|",
            u.puid,
            "@live.com\",\"UserType\":0,\"Version\":1,\"Workload\":\"SharePoint\",\"ClientIP\":\"",
            self.tenant.place(user, at.div_euclid(DAY)).ip,
            "\",\"UserId\":\"",
            u.upn,
            "\",\"AuthenticationType\":\"OAuth\",\"BrowserName\":\"Edge\",\"BrowserVersion\":\"122.0.0.0\",\"CorrelationId\":\"",
            correlation,
            "\",\"EventSource\":\"SharePoint\",\"IsManagedDevice\":true,\"ItemType\":\"File\",\"ListId\":\"",
            rng.guid(),
            "\",\"ListItemUniqueId\":\"",
            rng.guid(),
            "\",\"Platform\":\"WinDesktop\",\"Site\":\"",
            Guid::of(self.tenant.seed, site, 0),
            "\",\"UserAgent\":\"",
            signin::USER_AGENT,
            "\",\"WebId\":\"",
            Guid::of(self.tenant.seed, site, 1),
            "\",\"DeviceDisplayName\":\"",
            u.device_name,
            "\",\"FileSizeBytes\":",
            9_000 + rng.below(9_000_000),
            ",\"HighPriorityMediaProcessing\":false,\"ListBaseType\":1,\"ListServerTemplate\":101,\"SourceFileExtension\":\"",
            extension,
            "\",\"SiteUrl\":\"https://",
            host,
            ".sharepoint.com/sites/",
            site,
            "/\",\"SourceRelativeUrl\":\"Documents partages/General\",\"SourceFileName\":\"",
            name,
            " ",
            number,
            ".",
            extension,
            "\",\"ApplicationDisplayName\":\"Microsoft Edge\",\"ObjectId\":\"https://",
            host,
            ".sharepoint.com/sites/",
            site,
            "/Documents partages/General/",
            name,
            " ",
            number,
            ".",
            extension,
            "\"}"
        );
        self.wrapper("SharePointFileOperation", operation, user, id)
    }

    fn housekeeping(&self, at: Seconds, rng: &mut Rng, out: &mut Vec<u8>) -> Wrapper {
        let id = rng.guid();
        let (operation, object, parameters) = *rng.pick(&HOUSEKEEPING);
        const ACTOR: &str = "NT AUTHORITY\\\\SYSTEM (Microsoft.Exchange.ServiceHost)";
        let org = &self.tenant.initial;
        put!(
            out,
            "{\"CreationTime\":\"",
            Iso(at),
            "\",\"Id\":\"",
            id,
            "\",\"Operation\":\"",
            operation,
            "\",\"OrganizationId\":\"",
            self.tenant.id,
            "\",\"RecordType\":1,\"ResultStatus\":\"True\",\"UserKey\":\"",
            ACTOR,
            "\",\"UserType\":3,\"Version\":1,\"Workload\":\"Exchange\",\"ObjectId\":\"EURP195A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/",
            org,
            "/",
            object,
            "\",\"UserId\":\"",
            ACTOR,
            "\",\"AppId\":\"\",\"ClientAppId\":\"\",\"ExternalAccess\":true,\"OrganizationName\":\"",
            org,
            "\",\"OriginatingServer\":\"PAXP195MB3206 (15.20.4129.032)\",\"Parameters\":[",
            parameters,
            ",{\"Name\":\"Identity\",\"Value\":\"EURP195A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/",
            org,
            "/",
            object,
            "\"}]}"
        );
        Wrapper {
            record_type: "ExchangeAdmin",
            operation: operation.into(),
            user: ACTOR.replace("\\\\", "\\"),
            id: id.to_string(),
        }
    }

    fn logon(&mut self, at: Seconds, user: usize, rng: &mut Rng, out: &mut Vec<u8>, logon: &mut Vec<u8>) -> Wrapper {
        let place = self.tenant.place(user, at.div_euclid(DAY));
        // A mistyped password now and then: one in the tenant within two hours, however large the log is.
        let failed = rng.chance(10) && at - self.last_failure > 7200;
        if failed {
            self.last_failure = at;
        }
        let entry = signin::Logon {
            id: rng.guid(),
            at,
            user,
            place,
            session: self.session(user, at),
            device: true,
            interactive: failed || rng.chance(250),
            error: if failed { 50126 } else { 0 },
            app: *rng.pick(&signin::APPS),
            user_agent: signin::USER_AGENT,
        };
        let correlation = rng.guid();
        signin::audit_record(self.tenant, &entry, correlation, out);
        signin::sign_in_record(self.tenant, &entry, correlation, rng.next(), logon);
        let operation = if failed { "UserLoginFailed" } else { "UserLoggedIn" };
        self.wrapper("AzureActiveDirectoryStsLogon", operation, user, entry.id)
    }
}

/// Where a network stands in the records of an act.
pub fn address(network: &Network, port: u64) -> String {
    if network.ip.contains(':') { format!("[{}]:{port}", network.ip) } else { format!("{}:{port}", network.ip) }
}
