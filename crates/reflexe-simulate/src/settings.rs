//! Exchange and Teams settings as `ConvertTo-Json` writes what the cmdlets return.
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;
use crate::output::write_json;
use crate::rng::Guid;
use crate::tenant::Tenant;
use crate::text::{DAY, Seconds, zulu};

/// Form of dates: PowerShell 7 writes ISO, Windows PowerShell `/Date(…)/`.
pub type DateForm = fn(Seconds) -> String;

/// Writes the files; gives each with the tables that it fills.
pub fn write(tenant: &Tenant, end: Seconds, exchange: &Path, teams: &Path) -> Result<Vec<(String, Vec<&'static str>)>, Error> {
    let files = [
        (exchange, "Get-Mailbox.json", Value::Array(mailboxes(tenant, end)), "mailbox"),
        (exchange, "Get-InboxRule.json", Value::Array(tenant.inbox_rules.clone()), "inbox_rule"),
        (exchange, "Get-MailboxPermission.json", Value::Array(mailbox_permissions(tenant)), "mailbox_permission"),
        (exchange, "Get-RecipientPermission.json", Value::Array(recipient_permissions(tenant)), "mailbox_permission"),
        (exchange, "Get-TransportRule.json", Value::Array(tenant.transport_rules.clone()), "transport_rule"),
        (exchange, "Get-RemoteDomain.json", remote_domain(tenant, end, zulu), "remote_domain"),
        (exchange, "Get-AcceptedDomain.json", Value::Array(accepted_domains(tenant, end, zulu)), "accepted_domain"),
        (teams, "Get-CsTeamsClientConfiguration.json", teams_client(tenant), "teams_client_config"),
        (teams, "Get-CsTeamsMeetingPolicy.json", Value::Array(teams_meetings(tenant)), "teams_meeting_policy"),
    ];
    let mut written = Vec::new();
    for (folder, name, value, table) in files {
        // The cmdlets write nothing when there is nothing, and no list around a single object.
        let value = match value {
            Value::Array(list) if list.is_empty() => continue,
            Value::Array(mut list) if list.len() == 1 => list.remove(0),
            other => other,
        };
        write_json(&folder.join(name), &value)?;
        // Who may send on behalf stands in the list of mailboxes.
        let tables = if table == "mailbox" { vec![table, "mailbox_permission"] } else { vec![table] };
        written.push((name.to_owned(), tables));
    }
    Ok(written)
}

fn mailboxes(tenant: &Tenant, end: Seconds) -> Vec<Value> {
    tenant
        .users
        .iter()
        .enumerate()
        .map(|(n, u)| {
            let (forward, keep) = tenant.forwarding.get(&n).map_or((Value::Null, false), |f| (json!(f.0), f.1));
            json!({
                "ExternalDirectoryObjectId": u.id.to_string(),
                "UserPrincipalName": u.upn,
                "PrimarySmtpAddress": u.upn,
                "DisplayName": u.display,
                "Alias": u.upn.split('@').next(),
                "Name": u.id.to_string(),
                "Identity": u.id.to_string(),
                "ExchangeGuid": u.mailbox.to_string(),
                "RecipientType": "UserMailbox",
                "RecipientTypeDetails": "UserMailbox",
                "HiddenFromAddressListsEnabled": false,
                "ForwardingAddress": null,
                "ForwardingSmtpAddress": forward,
                "DeliverToMailboxAndForward": keep,
                "GrantSendOnBehalfTo": [],
                "AccountDisabled": false,
                "AuditEnabled": true,
                "EmailAddresses": [format!("SMTP:{}", u.upn), format!("SPO:SPO_{}@SPO_{}", u.mailbox, tenant.id)],
                "WhenCreatedUTC": zulu(u.created),
                "WhenChangedUTC": zulu(end - 9 * DAY),
            })
        })
        .collect()
}

fn mailbox_permissions(tenant: &Tenant) -> Vec<Value> {
    let own = tenant.users.iter().map(|u| {
        json!({ "Identity": u.upn, "User": "NT AUTHORITY\\SELF", "AccessRights": ["FullAccess", "ReadPermission"], "IsInherited": false, "Deny": false, "InheritanceType": "All" })
    });
    own.chain(tenant.mailbox_permissions.iter().cloned()).collect()
}

fn recipient_permissions(tenant: &Tenant) -> Vec<Value> {
    let own = tenant.users.iter().map(|u| {
        json!({ "Identity": u.upn, "Trustee": "NT AUTHORITY\\SELF", "AccessControlType": "Allow", "AccessRights": ["SendAs"], "IsInherited": false, "InheritanceType": "None" })
    });
    own.chain(tenant.recipient_permissions.iter().cloned()).collect()
}

/// The built-in remote domain.
pub fn remote_domain(tenant: &Tenant, end: Seconds, date: DateForm) -> Value {
    let p = &tenant.posture;
    json!([{
        "DomainName": "*",
        "IsInternal": false,
        "TargetDeliveryDomain": false,
        "ByteEncoderTypeFor7BitCharsets": "Undefined",
        "CharacterSet": "iso-8859-1",
        "NonMimeCharacterSet": "iso-8859-1",
        "AllowedOOFType": "External",
        "AutoReplyEnabled": true,
        "AutoForwardEnabled": p.auto_forward,
        "DeliveryReportEnabled": p.delivery_report,
        "NDREnabled": p.ndr,
        "MeetingForwardNotificationEnabled": p.meeting_forward_notification,
        "ContentType": "MimeHtmlText",
        "DisplaySenderName": true,
        "TNEFEnabled": false,
        "LineWrapSize": "Unlimited",
        "TrustedMailOutboundEnabled": false,
        "TrustedMailInboundEnabled": false,
        "UseSimpleDisplayName": false,
        "Name": "Default",
        "Identity": "Default",
        "WhenChanged": date(end - 380 * DAY),
        "WhenCreated": date(end - 2500 * DAY),
        "WhenChangedUTC": date(end - 380 * DAY),
        "WhenCreatedUTC": date(end - 2500 * DAY),
        "Id": "Default",
        "Guid": Guid::of(tenant.seed, "remote domain", 0).to_string(),
        "IsValid": true,
        "ObjectState": "Unchanged",
    }])
}

/// The tenant's own domains.
pub fn accepted_domains(tenant: &Tenant, end: Seconds, date: DateForm) -> Vec<Value> {
    [(&tenant.domain, true), (&tenant.initial, false)]
        .iter()
        .enumerate()
        .map(|(n, (name, main))| {
            json!({
                "DomainName": name,
                "CatchAllRecipientID": null,
                "DomainType": "Authoritative",
                "MatchSubDomains": false,
                "AddressBookEnabled": true,
                "Default": main,
                "EmailOnly": false,
                "ExternallyManaged": false,
                "AuthenticationType": "Managed",
                "OutboundOnly": false,
                "InitialDomain": !main,
                "Name": name,
                "Identity": name,
                "WhenChanged": date(end - 900 * DAY),
                "WhenChangedUTC": date(end - 900 * DAY),
                "Id": name,
                "Guid": Guid::of(tenant.seed, "accepted domain", n as u64).to_string(),
                "IsValid": true,
            })
        })
        .collect()
}

/// Teams: storage of third parties.
pub fn teams_client(tenant: &Tenant) -> Value {
    let open = tenant.posture.teams_storage;
    json!([{
        "Identity": "Global",
        "AllowEmailIntoChannel": false,
        "RestrictedSenderList": null,
        "AllowDropBox": open,
        "AllowBox": open,
        "AllowGoogleDrive": open,
        "AllowShareFile": open,
        "AllowEgnyte": open,
        "AllowOrganizationTab": true,
        "AllowSkypeBusinessInterop": true,
        "ContentPin": "RequiredOutsideScheduleMeeting",
        "AllowResourceAccountSendMessage": true,
        "ResourceAccountContentAccess": "NoAccess",
        "AllowGuestUser": true,
        "AllowScopedPeopleSearchandAccess": false,
        "AllowRoleBasedChatPermissions": false,
    }])
}

/// Teams: who may join and start meetings.
pub fn teams_meetings(tenant: &Tenant) -> Vec<Value> {
    let p = &tenant.posture;
    vec![json!({
        "Identity": "Global",
        "Description": null,
        "AllowChannelMeetingScheduling": true,
        "AllowMeetNow": true,
        "MeetingChatEnabledType": "Enabled",
        "AllowExternalNonTrustedMeetingChat": false,
        "DesignatedPresenterRoleMode": "EveryoneInCompanyUserOverride",
        "AllowAnonymousUsersToDialOut": false,
        "AllowAnonymousUsersToStartMeeting": p.anonymous_start,
        "AllowAnonymousUsersToJoinMeeting": p.anonymous_join,
        "BlockedAnonymousJoinClientTypes": null,
        "AutoAdmittedUsers": p.auto_admitted,
        "AllowPSTNUsersToBypassLobby": false,
        "AllowExternalParticipantGiveRequestControl": false,
        "AllowCloudRecording": false,
    })]
}
