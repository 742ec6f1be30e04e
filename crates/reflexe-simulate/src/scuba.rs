//! The results file of ScubaGear: its verdicts, and under `Raw` the settings that it read.
//!
//! Only the products that the sheet asks about are assessed (Entra, Exchange, SharePoint, Teams), as an operator may choose.
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::Error;
use crate::output::write_json;
use crate::rng::Guid;
use crate::settings;
use crate::tenant::{EXCHANGE_ADMIN, GLOBAL_ADMIN, HELPDESK_ADMIN, Tenant};
use crate::text::{DAY, Seconds, slash_date, zulu};

/// Version whose shape is followed.
const VERSION: &str = "1.8.0";
/// Roles that the tool reads: name, template id.
const ROLES: [(&str, &str); 8] = [
    ("Global Administrator", GLOBAL_ADMIN),
    ("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ("SharePoint Administrator", "f28a1f50-f6e7-4571-818b-6a12f2af6b6c"),
    ("Exchange Administrator", EXCHANGE_ADMIN),
    ("Hybrid Identity Administrator", "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2"),
    ("Application Administrator", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"),
    ("Cloud Application Administrator", "158c047a-c907-4556-b7ef-446551a6b5f7"),
];

/// Writes the file; gives its name with the tables that it fills.
pub fn write(tenant: &Tenant, end: Seconds, folder: &Path) -> Result<Vec<(String, Vec<&'static str>)>, Error> {
    let uuid = Guid::of(tenant.seed, "scuba report", 0).to_string();
    let stamp = format!("{}.307Z", zulu(end + 5_400).trim_end_matches('Z'));
    let results = controls(tenant);
    let mut summary = Map::new();
    for (product, list) in &results {
        let count = |result: &str| list.iter().filter(|c| c.2 == result).count();
        summary.insert(
            (*product).to_owned(),
            json!({ "Manual": 0, "Failures": count("Fail"), "Warnings": count("Warning"), "Errors": 0, "Passes": count("Pass"), "Omits": 0, "IncorrectResults": 0 }),
        );
    }
    let groups: Map<String, Value> = results
        .iter()
        .map(|(product, list)| {
            let groups: Vec<Value> = list.iter().map(|c| group(product, c)).collect();
            ((*product).to_owned(), Value::Array(groups))
        })
        .collect();
    let document = json!({
        "MetaData": {
            "TenantId": tenant.id.to_string(),
            "DisplayName": tenant.name,
            "DomainName": tenant.initial,
            "ProductSuite": "Microsoft 365",
            "ProductsAssessed": ["Azure Active Directory", "Exchange Online", "SharePoint Online", "Microsoft Teams"],
            "ProductAbbreviationMapping": { "SharePoint Online": "SharePoint", "Azure Active Directory": "AAD", "Microsoft Teams": "Teams", "Exchange Online": "EXO" },
            "Tool": "ScubaGear",
            "ToolVersion": VERSION,
            "TimestampZulu": stamp,
            "ReportUUID": uuid,
        },
        "Summary": summary,
        "AnnotatedFailedPolicies": {},
        "Results": groups,
        "Raw": raw(tenant, end, &uuid, &stamp),
    });
    let name = format!("ScubaResults_{}.json", &uuid[..18]);
    write_json(&folder.join(&name), &document)?;
    Ok(vec![(
        name,
        vec![
            "tenant",
            "domain",
            "tenant_policy",
            "role_assignment",
            "ca_policy",
            "remote_domain",
            "accepted_domain",
            "transport_rule",
            "connection_filter_policy",
            "teams_client_config",
            "teams_meeting_policy",
            "teams_federation_config",
            "sharepoint_tenant",
            "posture_finding",
        ],
    )])
}

/// Controls by product: id, requirement, result.
fn controls(tenant: &Tenant) -> BTreeMap<&'static str, Vec<(&'static str, &'static str, &'static str)>> {
    let p = &tenant.posture;
    let verdict = |good: bool| if good { "Pass" } else { "Fail" };
    let mfa = tenant.policies.first().is_some_and(|c| c["state"] == "enabled");
    let admins = tenant.roles.iter().filter(|r| r.role == GLOBAL_ADMIN).count();
    BTreeMap::from([
        (
            "AAD",
            vec![
                ("MS.AAD.1.1v1", "Legacy authentication SHALL be blocked.", "Pass"),
                (
                    "MS.AAD.3.2v2",
                    "If phishing-resistant MFA has not been enforced, an alternative MFA method SHALL be enforced for all users.",
                    verdict(mfa),
                ),
                ("MS.AAD.5.1v1", "Only administrators SHALL be allowed to register applications.", verdict(!p.users_create_apps)),
                (
                    "MS.AAD.7.1v1",
                    "A minimum of two users and a maximum of eight users SHALL be provisioned with the Global Administrator role.",
                    verdict((2..=8).contains(&admins)),
                ),
                (
                    "MS.AAD.7.3v1",
                    "Privileged users SHALL be provisioned cloud-only accounts separate from an on-premises directory or other federated identity providers.",
                    "Pass",
                ),
                (
                    "MS.AAD.8.1v1",
                    "Guest users SHOULD have limited or restricted access to Microsoft Entra ID directory objects.",
                    verdict(p.guest_user_role_id != "a0b1b346-4d3e-4e8b-98f8-753987be4970"),
                ),
                (
                    "MS.AAD.8.2v1",
                    "Only users with the Guest Inviter role SHOULD be able to invite guest users.",
                    verdict(p.allow_invites_from == "adminsAndGuestInviters"),
                ),
            ],
        ),
        ("EXO", vec![("MS.EXO.1.1v2", "Automatic forwarding to external domains SHALL be disabled.", verdict(!p.auto_forward))]),
        (
            "SharePoint",
            vec![(
                "MS.SHAREPOINT.1.1v1",
                "External sharing for SharePoint SHALL be limited to Existing guests or Only people in your organization.",
                verdict(p.sharing_capability == 0),
            )],
        ),
        (
            "Teams",
            vec![("MS.TEAMS.1.2v2", "Anonymous users SHALL NOT be enabled to start meetings.", verdict(!p.anonymous_start))],
        ),
    ])
}

fn group(product: &str, control: &(&str, &str, &str)) -> Value {
    let (id, requirement, result) = control;
    let number = id.split('.').nth(2).unwrap_or("1");
    let details = if *result == "Pass" { "Requirement met" } else { "Requirement not met" };
    json!({
        "GroupName": requirement,
        "GroupNumber": number,
        "GroupReferenceURL": format!("https://github.com/cisagov/ScubaGear/blob/v{VERSION}/PowerShell/ScubaGear/baselines/{}.md", product.to_lowercase()),
        "Controls": [{
            "Control ID": id,
            "Requirement": requirement,
            "Result": result,
            "Criticality": if requirement.contains("SHALL") { "Shall" } else { "Should" },
            "Details": details,
            "OmittedEvaluationResult": "N/A",
            "OmittedEvaluationDetails": "N/A",
            "IncorrectResult": "N/A",
            "IncorrectResultDetails": "N/A",
            "OriginalResult": result,
            "OriginalDetails": details,
            "Comments": [],
            "ResolutionDate": null,
        }],
    })
}

fn raw(tenant: &Tenant, end: Seconds, uuid: &str, stamp: &str) -> Value {
    let p = &tenant.posture;
    let mut people: Map<String, Value> = Map::new();
    let mut by_role: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (n, a) in tenant.roles.iter().enumerate().filter(|(_, a)| a.role != HELPDESK_ADMIN) {
        let user = &tenant.users[a.user];
        let entry = people
            .entry(user.id.to_string())
            .or_insert_with(|| json!({ "DisplayName": user.display, "roles": [], "OnPremisesImmutableId": null }));
        if let Some(list) = entry["roles"].as_array_mut() {
            list.push(json!(a.name));
        }
        let id = format!("{}-1", Guid::of(tenant.seed, "role assignment", n as u64).to_string().replace('-', ""));
        by_role.entry(a.role).or_default().push(json!({
            "StartDateTime": null, "RoleAssignmentOriginId": id, "AssignmentType": "Assigned", "DirectoryScopeId": "/", "EndDateTime": null,
            "RoleAssignmentScheduleId": id, "Id": id, "PrincipalId": user.id.to_string(), "AppScopeId": null, "MemberType": "Direct", "RoleDefinitionId": a.role,
        }));
    }
    let roles: Vec<Value> = ROLES
        .iter()
        .map(|(name, id)| json!({ "DisplayName": name, "RoleTemplateId": id, "Assignments": by_role.remove(id).unwrap_or_default(), "Rules": [] }))
        .collect();
    let domains: Vec<Value> = [(&tenant.domain, true), (&tenant.initial, false)]
        .iter()
        .map(|(name, main)| {
            json!({
                "IsRoot": true, "State": null, "IsInitial": !main, "IsDefault": main, "PasswordNotificationWindowInDays": 14, "AuthenticationType": "Managed",
                "Id": name, "SupportedServices": ["Email", "OfficeCommunicationsOnline"], "IsVerified": true, "AvailabilityStatus": null, "IsAdminManaged": true,
                "PasswordValidityPeriodInDays": 2_147_483_647_u64,
            })
        })
        .collect();
    // A rule list without a rule comes as `[null]`; the dates of rules are Windows PowerShell's.
    let rules = if tenant.transport_rules.is_empty() {
        json!([null])
    } else {
        tenant.transport_rules.iter().map(windows_dates).collect()
    };
    let (year, month, day, hour, minute, second) = crate::text::civil(end + 5_400);
    json!({
        "baseline_version": "1",
        "module_version": VERSION,
        "date": format!("{month:02}/{day:02}/{year} {hour:02}:{minute:02}:{second:02} Coordinated Universal Time"),
        "timestamp_zulu": stamp,
        "report_uuid": uuid,
        "tenant_details": [{
            "AADAdditionalData": [{ "State": null, "DisplayName": tenant.name, "CreatedDateTime": slash_date(end - 2_500 * DAY), "DirectorySizeQuota": { "Used": 1831, "Total": 300_000 }, "OnPremisesSyncEnabled": true, "DeletedDateTime": null, "Id": tenant.id.to_string() }],
            "DisplayName": tenant.name, "DomainName": tenant.initial, "TenantId": tenant.id.to_string(),
        }],
        "scuba_config": { "OutFolderName": "M365BaselineConformance", "ProductNames": ["aad", "exo", "sharepoint", "teams"], "M365Environment": "commercial", "LogIn": true },
        "conditional_access_policies": tenant.policies.iter().map(pascal).collect::<Value>(),
        "authorization_policies": [{
            "BlockMsolPowerShell": true,
            "PermissionGrantPolicyIdsAssignedToDefaultUserRole": p.user_consent,
            "GuestUserRoleId": p.guest_user_role_id,
            "Description": "Used to manage authorization related settings across the company.",
            "AllowEmailVerifiedUsersToJoinOrganization": false,
            "AllowedToUseSSPR": true,
            "DefaultUserRolePermissions": { "AllowedToCreateApps": p.users_create_apps, "AllowedToReadBitlockerKeysForOwnedDevice": true, "AllowedToCreateSecurityGroups": false, "AllowedToCreateTenants": false, "AllowedToReadOtherUsers": true },
            "Id": "authorizationPolicy",
            "AllowedToSignUpEmailBasedSubscriptions": true,
            "EnabledPreviewFeatures": [],
            "AllowInvitesFrom": p.allow_invites_from,
            "AllowUserConsentForRiskyApps": false,
            "DisplayName": "Authorization Policy",
        }],
        "privileged_users": people,
        "privileged_service_principals": {},
        "privileged_roles": roles,
        "domain_settings": domains,
        "total_user_count": tenant.users.len(),
        "aad_successful_commands": ["Get-MgBetaIdentityConditionalAccessPolicy", "Get-PrivilegedUser", "Get-PrivilegedRole", "Get-MgBetaUserCount", "Get-MgBetaPolicyAuthorizationPolicy", "Get-MgBetaDomain", "Get-MgBetaOrganization"],
        "aad_unsuccessful_commands": [],
        "remote_domains": settings::remote_domain(tenant, end, slash_date),
        "accepted_domains": settings::accepted_domains(tenant, end, slash_date),
        "transport_rule": rules,
        "conn_filter": [{ "AdminDisplayName": "", "IsDefault": true, "IPAllowList": [], "IPBlockList": [], "EnableSafeList": false, "DirectoryBasedEdgeBlockMode": "Default", "Identity": "Default", "Id": "Default", "IsValid": true, "Name": "Default" }],
        "org_config": [{ "Name": tenant.initial, "DisplayName": tenant.name, "AuditDisabled": false }],
        "exo_successful_commands": ["Get-RemoteDomain", "Get-AcceptedDomain", "Get-TransportRule", "Get-HostedConnectionFilterPolicy", "Get-OrganizationConfig"],
        "exo_unsuccessful_commands": [],
        "SPO_tenant": [{ "SharingCapability": p.sharing_capability, "ODBSharingCapability": p.sharing_capability, "DefaultSharingLinkType": 1, "DefaultLinkPermission": 1, "RequireAnonymousLinksExpireInDays": 30, "LegacyAuthProtocolsEnabled": false }],
        "OneDrive_PnP_Flag": false,
        "SharePoint_successful_commands": ["Get-SPOTenantRest"],
        "SharePoint_unsuccessful_commands": [],
        "meeting_policies": settings::teams_meetings(tenant),
        "federation_configuration": [{ "AllowedDomains": { "AllowedDomain": "Domain=partenaire.example.org" }, "BlockedDomains": [], "AllowFederatedUsers": true, "AllowTeamsConsumer": false, "AllowTeamsConsumerInbound": false, "SharedSipAddressSpace": false, "Identity": "Global" }],
        "client_configuration": settings::teams_client(tenant),
        "teams_successful_commands": ["Get-CsTeamsMeetingPolicy", "Get-CsTenantFederationConfiguration", "Get-CsTeamsClientConfiguration"],
        "teams_unsuccessful_commands": [],
    })
}

/// An object with its ISO dates as Windows PowerShell writes them.
fn windows_dates(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), windows_dates(v))).collect::<Map<String, Value>>().into(),
        Value::String(text) => {
            text.parse::<jiff::Timestamp>().map_or_else(|_| value.clone(), |t| json!(slash_date(t.as_second())))
        }
        other => other.clone(),
    }
}

/// A Graph object as the beta PowerShell module shows it: names with a capital, dates in Windows PowerShell's form.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let mut name = key.clone();
                if let Some(first) = name.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                (name, pascal(value))
            })
            .collect::<Map<String, Value>>()
            .into(),
        Value::Array(list) => list.iter().map(pascal).collect(),
        other => windows_dates(other),
    }
}
