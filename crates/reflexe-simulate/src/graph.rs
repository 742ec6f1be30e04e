//! The directory's state as Microsoft Graph gives it: one page a kind, `@odata.context` and `value`, no further page.
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;
use crate::output::write_json;
use crate::rng::Guid;
use crate::tenant::{EXCHANGE_ADMIN, GLOBAL_ADMIN, HELPDESK_ADMIN, Tenant};
use crate::text::{DAY, Seconds, zulu};

/// Application id of Microsoft Graph.
pub const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// Tenant that owns Microsoft's own applications.
const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// Id of a delegated grant, made of client and resource.
pub fn grant_id(client: Guid, resource: Guid) -> String {
    format!("{}{}", &client.to_string().replace('-', "")[..22], &resource.to_string().replace('-', "")[..21])
}

/// Conditional access as recommended: a second factor for everybody, old protocols refused.
pub fn default_policies(tenant: &Tenant, start: Seconds) -> Vec<Value> {
    let policy = |n: u64, name: &str, users: Value, client_apps: Value, grant: Value| {
        json!({
            "id": Guid::of(tenant.seed, "ca", n).to_string(),
            "displayName": name,
            "createdDateTime": zulu(start - 300 * DAY),
            "modifiedDateTime": null,
            "state": "enabled",
            "conditions": {
                "userRiskLevels": [], "signInRiskLevels": [], "clientAppTypes": client_apps,
                "applications": { "includeApplications": ["All"], "excludeApplications": [], "includeUserActions": [], "includeAuthenticationContextClassReferences": [] },
                "users": users, "platforms": null, "locations": null, "devices": null,
            },
            "grantControls": grant,
            "sessionControls": null,
        })
    };
    let everybody = json!({ "includeUsers": ["All"], "excludeUsers": [], "includeGroups": [], "excludeGroups": [], "includeRoles": [], "excludeRoles": [] });
    let admins = json!({ "includeUsers": [], "excludeUsers": [], "includeGroups": [], "excludeGroups": [], "includeRoles": [GLOBAL_ADMIN, EXCHANGE_ADMIN, HELPDESK_ADMIN], "excludeRoles": [] });
    let control = |kind: &str| json!({ "operator": "OR", "builtInControls": [kind], "customAuthenticationFactors": [], "termsOfUse": [], "authenticationStrength": null });
    vec![
        policy(0, "MFA pour tous", everybody.clone(), json!(["all"]), control("mfa")),
        policy(1, "Bloquer les protocoles anciens", everybody, json!(["exchangeActiveSync", "other"]), control("block")),
        policy(2, "MFA des administrateurs", admins, json!(["all"]), control("mfa")),
    ]
}

/// Writes the pages; gives each file with the tables that it fills.
pub fn write(tenant: &Tenant, end: Seconds, folder: &Path) -> Result<Vec<(String, Vec<&'static str>)>, Error> {
    let page = |context: &str, value: Vec<Value>| json!({ "@odata.context": format!("https://graph.microsoft.com/v1.0/$metadata#{context}"), "value": value });
    let authorization = {
        let p = &tenant.posture;
        json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#policies/authorizationPolicy/$entity",
            "id": "authorizationPolicy",
            "allowInvitesFrom": p.allow_invites_from,
            "allowedToSignUpEmailBasedSubscriptions": true,
            "allowedToUseSSPR": true,
            "allowEmailVerifiedUsersToJoinOrganization": false,
            "allowUserConsentForRiskyApps": false,
            "blockMsolPowerShell": true,
            "description": "Used to manage authorization related settings across the company.",
            "displayName": "Authorization Policy",
            "guestUserRoleId": p.guest_user_role_id,
            "defaultUserRolePermissions": {
                "allowedToCreateApps": p.users_create_apps,
                "allowedToCreateSecurityGroups": false,
                "allowedToCreateTenants": false,
                "allowedToReadBitlockerKeysForOwnedDevice": true,
                "allowedToReadOtherUsers": true,
                "permissionGrantPoliciesAssigned": p.user_consent,
            },
        })
    };
    let files = [
        ("organization.json", page("organization", vec![organization(tenant)]), vec!["tenant"]),
        ("domains.json", page("domains", domains(tenant)), vec!["domain"]),
        ("users.json", page("users", users(tenant, end)), vec!["entra_user"]),
        ("groups.json", page("groups(members())", groups(tenant, end)), vec!["entra_group", "group_member"]),
        ("roleDefinitions.json", page("roleManagement/directory/roleDefinitions", role_definitions()), vec!["role_definition"]),
        (
            "roleAssignments.json",
            page("roleManagement/directory/roleAssignments(principal())", role_assignments(tenant)),
            vec!["role_assignment"],
        ),
        (
            "userRegistrationDetails.json",
            page("reports/authenticationMethods/userRegistrationDetails", registrations(tenant, end)),
            vec!["user_auth_registration"],
        ),
        ("authorizationPolicy.json", authorization, vec!["tenant_policy"]),
        (
            "conditionalAccessPolicies.json",
            page("identity/conditionalAccess/policies", tenant.policies.clone()),
            vec!["ca_policy"],
        ),
        ("applications.json", page("applications(owners())", applications(tenant)), vec!["application", "app_credential"]),
        (
            "servicePrincipals.json",
            page("servicePrincipals", service_principals(tenant)),
            vec!["service_principal", "app_credential"],
        ),
        ("oauth2PermissionGrants.json", page("oauth2PermissionGrants", grants(tenant)), vec!["oauth2_permission_grant"]),
        (
            "appRoleAssignedTo-MicrosoftGraph.json",
            page("servicePrincipals('graph')/appRoleAssignedTo", app_roles(tenant)),
            vec!["app_role_assignment"],
        ),
    ];
    let mut written = Vec::new();
    for (name, value, tables) in files {
        write_json(&folder.join(name), &value)?;
        written.push((name.to_owned(), tables));
    }
    Ok(written)
}

fn organization(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id.to_string(),
        "displayName": tenant.name,
        "createdDateTime": "2019-04-02T08:11:09Z",
        "countryLetterCode": "FR",
        "onPremisesSyncEnabled": true,
        "tenantType": "AAD",
        "verifiedDomains": [
            { "capabilities": "Email, OfficeCommunicationsOnline", "isDefault": true, "isInitial": false, "name": tenant.domain, "type": "Managed" },
            { "capabilities": "Email, OfficeCommunicationsOnline", "isDefault": false, "isInitial": true, "name": tenant.initial, "type": "Managed" },
        ],
    })
}

fn domains(tenant: &Tenant) -> Vec<Value> {
    [(&tenant.domain, true), (&tenant.initial, false)]
        .iter()
        .map(|(name, main)| {
            json!({
                "id": name, "authenticationType": "Managed", "isAdminManaged": true, "isDefault": main, "isInitial": !main, "isRoot": true,
                "isVerified": true, "supportedServices": ["Email", "OfficeCommunicationsOnline"], "passwordValidityPeriodInDays": 2_147_483_647_u64,
            })
        })
        .collect()
}

fn users(tenant: &Tenant, end: Seconds) -> Vec<Value> {
    tenant
        .users
        .iter()
        .map(|u| {
            json!({
                "id": u.id.to_string(),
                "userPrincipalName": u.upn,
                "displayName": u.display,
                "givenName": u.given,
                "surname": u.family,
                "mail": u.upn,
                "userType": "Member",
                "accountEnabled": true,
                "createdDateTime": zulu(u.created),
                "creationType": null,
                "externalUserState": null,
                "department": u.department,
                "jobTitle": u.title,
                "companyName": tenant.name,
                "onPremisesSyncEnabled": if u.synced { json!(true) } else { Value::Null },
                "onPremisesImmutableId": if u.synced { json!(format!("{}==", &u.mailbox.to_string().replace('-', "")[..22])) } else { Value::Null },
                "onPremisesSamAccountName": if u.synced { json!(u.upn.split('@').next()) } else { Value::Null },
                "onPremisesDomainName": if u.synced { json!(format!("ad.{}", tenant.domain)) } else { Value::Null },
                "onPremisesLastSyncDateTime": if u.synced { json!(zulu(end - 1_800)) } else { Value::Null },
                "passwordPolicies": "None",
                "lastPasswordChangeDateTime": zulu(u.created + 30 * DAY),
                "proxyAddresses": [format!("SMTP:{}", u.upn)],
                "otherMails": [],
                "assignedLicenses": [{ "disabledPlans": [], "skuId": "05e9a617-0261-4cee-bb44-138d3ef5d965" }],
                "signInActivity": { "lastSignInDateTime": zulu(end - 7_200), "lastNonInteractiveSignInDateTime": zulu(end - 3_600), "lastSuccessfulSignInDateTime": zulu(end - 3_600) },
            })
        })
        .collect()
}

fn groups(tenant: &Tenant, end: Seconds) -> Vec<Value> {
    let member = |n: usize| {
        let u = &tenant.users[n];
        json!({ "@odata.type": "#microsoft.graph.user", "id": u.id.to_string(), "displayName": u.display, "userPrincipalName": u.upn, "mail": u.upn })
    };
    let group = |n: u64, name: &str, members: Vec<Value>| {
        json!({
            "id": Guid::of(tenant.seed, "group", n).to_string(),
            "displayName": name,
            "description": null,
            "mail": null,
            "mailEnabled": false,
            "mailNickname": format!("groupe{n}"),
            "securityEnabled": true,
            "groupTypes": [],
            "isAssignableToRole": false,
            "membershipRule": null,
            "onPremisesSyncEnabled": null,
            "createdDateTime": zulu(end - 700 * DAY),
            "visibility": "Private",
            "proxyAddresses": [],
            "members": members,
        })
    };
    let all = tenant.users.len();
    vec![
        group(0, "Tous les salariés", (0..all).map(member).collect()),
        group(1, "Finances", (4..6.min(all)).map(member).collect()),
        group(2, "Projet Horizon", (8..12.min(all)).map(member).collect()),
    ]
}

fn role_definitions() -> Vec<Value> {
    [(GLOBAL_ADMIN, "Global Administrator"), (EXCHANGE_ADMIN, "Exchange Administrator"), (HELPDESK_ADMIN, "Helpdesk Administrator")]
        .iter()
        .map(|(id, name)| {
            json!({ "id": id, "templateId": id, "displayName": name, "description": name, "isBuiltIn": true, "isEnabled": true, "resourceScopes": ["/"], "rolePermissions": [], "version": "1" })
        })
        .collect()
}

fn role_assignments(tenant: &Tenant) -> Vec<Value> {
    tenant
        .roles
        .iter()
        .enumerate()
        .map(|(n, a)| {
            let u = &tenant.users[a.user];
            json!({
                "id": format!("{}-1", Guid::of(tenant.seed, "role assignment", n as u64).to_string().replace('-', "")),
                "principalId": u.id.to_string(),
                "resourceScope": "/",
                "directoryScopeId": "/",
                "roleDefinitionId": a.role,
                "principal": {
                    "@odata.type": "#microsoft.graph.user",
                    "id": u.id.to_string(),
                    "displayName": u.display,
                    "userPrincipalName": u.upn,
                    "mail": u.upn,
                },
            })
        })
        .collect()
}

fn registrations(tenant: &Tenant, end: Seconds) -> Vec<Value> {
    tenant
        .users
        .iter()
        .enumerate()
        .map(|(n, u)| {
            json!({
                "id": u.id.to_string(),
                "userPrincipalName": u.upn,
                "userDisplayName": u.display,
                "userType": "member",
                "isAdmin": tenant.roles.iter().any(|r| r.user == n),
                "isSsprRegistered": true,
                "isSsprEnabled": true,
                "isSsprCapable": true,
                "isMfaRegistered": true,
                "isMfaCapable": true,
                "isPasswordlessCapable": u.methods.contains(&"fido2SecurityKey"),
                "methodsRegistered": u.methods,
                "isSystemPreferredAuthenticationMethodEnabled": true,
                "systemPreferredAuthenticationMethods": ["PhoneAppNotification"],
                "userPreferredMethodForSecondaryAuthentication": "push",
                "lastUpdatedDateTime": zulu(end - 6 * 3600),
            })
        })
        .collect()
}

fn secrets(tenant: &crate::tenant::App) -> Vec<Value> {
    tenant
        .secrets
        .iter()
        .map(|s| {
            json!({
                "customKeyIdentifier": null, "displayName": s.name, "endDateTime": zulu(s.to), "hint": &s.key.to_string()[..3], "keyId": s.key.to_string(), "secretText": null, "startDateTime": zulu(s.from),
            })
        })
        .collect()
}

fn applications(tenant: &Tenant) -> Vec<Value> {
    tenant
        .apps
        .iter()
        .filter_map(|a| {
            let object = a.object?;
            Some(json!({
                "id": object.to_string(),
                "appId": a.app_id,
                "displayName": a.name,
                "createdDateTime": zulu(a.created),
                "publisherDomain": tenant.domain,
                "signInAudience": "AzureADMyOrg",
                "verifiedPublisher": { "displayName": null, "verifiedPublisherId": null, "addedDateTime": null },
                "keyCredentials": [],
                "passwordCredentials": secrets(a),
                "requiredResourceAccess": [],
                "web": { "redirectUris": a.reply, "homePageUrl": null, "logoutUrl": null },
                "tags": [],
                "owners": a.owners.iter().map(|n| json!({ "@odata.type": "#microsoft.graph.user", "id": tenant.users[*n].id.to_string(), "displayName": tenant.users[*n].display, "userPrincipalName": tenant.users[*n].upn })).collect::<Value>(),
            }))
        })
        .collect()
}

fn service_principals(tenant: &Tenant) -> Vec<Value> {
    let one = |id: Guid, app_id: &str, name: &str, owner: &str, created: Seconds, reply: &[String]| {
        json!({
            "id": id.to_string(),
            "appId": app_id,
            "displayName": name,
            "appDisplayName": name,
            "servicePrincipalType": "Application",
            "accountEnabled": true,
            "appOwnerOrganizationId": owner,
            "appRoleAssignmentRequired": false,
            "createdDateTime": zulu(created),
            "keyCredentials": [],
            "passwordCredentials": [],
            "replyUrls": reply,
            "servicePrincipalNames": [app_id],
            "signInAudience": if owner == MICROSOFT { "AzureADMultipleOrgs" } else { "AzureADMyOrg" },
            "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
            "verifiedPublisher": { "displayName": null, "verifiedPublisherId": null, "addedDateTime": null },
        })
    };
    let mut list: Vec<Value> = [
        (GRAPH, "Microsoft Graph"),
        (crate::ual::EXCHANGE, "Office 365 Exchange Online"),
        (crate::ual::SHAREPOINT, "Office 365 SharePoint Online"),
    ]
    .iter()
    .map(|(app_id, name)| one(Guid::of(tenant.seed, app_id, 0), app_id, name, MICROSOFT, 1_554_192_669, &[]))
    .collect();
    list.extend(tenant.apps.iter().map(|a| one(a.sp, &a.app_id, &a.name, &a.owner_tenant, a.created, &a.reply)));
    list
}

fn grants(tenant: &Tenant) -> Vec<Value> {
    let mut list = Vec::new();
    for app in &tenant.apps {
        for (resource, scopes) in &app.delegated {
            let resource = Guid::of(tenant.seed, resource, 0);
            list.push(json!({
                "clientId": app.sp.to_string(), "consentType": "AllPrincipals", "id": grant_id(app.sp, resource), "principalId": null, "resourceId": resource.to_string(), "scope": scopes,
            }));
        }
    }
    list
}

fn app_roles(tenant: &Tenant) -> Vec<Value> {
    let mut list = Vec::new();
    for app in &tenant.apps {
        for (resource, id, _, since) in &app.roles {
            list.push(json!({
                "id": format!("{}", Guid::of(tenant.seed, id, *since as u64)).replace('-', ""),
                "deletedDateTime": null,
                "appRoleId": id,
                "createdDateTime": zulu(*since),
                "principalDisplayName": app.name,
                "principalId": app.sp.to_string(),
                "principalType": "ServicePrincipal",
                "resourceDisplayName": "Microsoft Graph",
                "resourceId": Guid::of(tenant.seed, resource, 0).to_string(),
            }));
        }
    }
    list
}
