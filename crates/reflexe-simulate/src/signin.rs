//! Sign-ins: one event, written as the unified audit log has it and as Microsoft Graph (beta) has it.
use crate::rng::Guid;
use crate::tenant::{App, Network, Tenant};
use crate::text::{Iso, Seconds, put};

/// Browser of the organisation's computers.
pub const USER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36 Edg/122.0.0.0";

/// An application that signs in, with the resource that it asks for.
#[derive(Debug, Clone, Copy)]
pub struct AppUse {
    /// Client application id.
    pub id: &'static str,
    /// Client name.
    pub name: &'static str,
    /// Resource application id.
    pub resource: &'static str,
    /// Resource name.
    pub resource_name: &'static str,
}

/// OfficeHome, the first page of an adversary-in-the-middle kit.
pub const OFFICE_HOME: AppUse = AppUse {
    id: "4765445b-32c6-49b0-83e6-1d93765276ca",
    name: "OfficeHome",
    resource: "4765445b-32c6-49b0-83e6-1d93765276ca",
    resource_name: "OfficeHome",
};
/// Outlook on the web.
pub const OUTLOOK_WEB: AppUse = AppUse {
    id: "9199bf20-a13f-4107-85dc-02114787ef48",
    name: "One Outlook Web",
    resource: "00000002-0000-0ff1-ce00-000000000000",
    resource_name: "Office 365 Exchange Online",
};
/// The security info page.
pub const MY_SIGNINS: AppUse = AppUse {
    id: "19db86c3-b2b9-44cc-b339-36da233a3be2",
    name: "My Signins",
    resource: "00000002-0000-0000-c000-000000000000",
    resource_name: "Windows Azure Active Directory",
};
/// The Azure portal.
pub const AZURE_PORTAL: AppUse = AppUse {
    id: "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    name: "Azure Portal",
    resource: "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    resource_name: "Windows Azure Service Management API",
};

/// Applications of an ordinary day.
pub const APPS: [AppUse; 6] = [
    OUTLOOK_WEB,
    AppUse {
        id: "d3590ed6-52b3-4102-aeff-aad2292ab01c",
        name: "Microsoft Office",
        resource: "00000002-0000-0ff1-ce00-000000000000",
        resource_name: "Office 365 Exchange Online",
    },
    AppUse {
        id: "1fec8e78-bce4-4aaf-ab1b-5451cc387264",
        name: "Microsoft Teams",
        resource: "00000003-0000-0000-c000-000000000000",
        resource_name: "Microsoft Graph",
    },
    AppUse {
        id: "00000003-0000-0ff1-ce00-000000000000",
        name: "Office 365 SharePoint Online",
        resource: "00000003-0000-0ff1-ce00-000000000000",
        resource_name: "Office 365 SharePoint Online",
    },
    AppUse {
        id: "ab9b8c07-8f02-4f72-87fa-80105867a763",
        name: "OneDrive SyncEngine",
        resource: "00000003-0000-0ff1-ce00-000000000000",
        resource_name: "Office 365 SharePoint Online",
    },
    AppUse {
        id: "27922004-5251-4030-b22d-91ecd9a37ea4",
        name: "Outlook Mobile",
        resource: "00000002-0000-0ff1-ce00-000000000000",
        resource_name: "Office 365 Exchange Online",
    },
];

/// One sign-in of a person.
pub struct Logon<'a> {
    /// Request id, the same in both logs.
    pub id: Guid,
    /// Time.
    pub at: Seconds,
    /// Who.
    pub user: usize,
    /// From where.
    pub place: &'a Network,
    /// Session.
    pub session: Guid,
    /// Whether it comes from the person's own managed device.
    pub device: bool,
    /// Whether the person acted.
    pub interactive: bool,
    /// 0, or the error.
    pub error: u64,
    /// Application.
    pub app: AppUse,
    /// Browser.
    pub user_agent: &'a str,
}

fn wording(error: u64) -> (&'static str, &'static str) {
    match error {
        50126 => ("InvalidUserNameOrPassword", "Error validating credentials due to invalid username or password."),
        50053 => ("IdsLocked", "Sign-in was blocked because it came from an IP address with malicious activity"),
        50140 => ("KmsiInterrupt", "This occurred due to 'Keep me signed in' interrupt when the user was signing in."),
        50074 => ("UserStrongAuthClientAuthNRequiredInterrupt", "Strong Authentication is required."),
        _ => ("", "Other."),
    }
}

fn browser(user_agent: &str) -> (&'static str, &'static str, &'static str) {
    if user_agent.contains("Edg/") {
        ("Windows10", "Edge 122.0.0", "Edge")
    } else if user_agent.contains("Macintosh") {
        ("MacOs", "Chrome 121.0.0", "Chrome")
    } else if user_agent.contains("Linux") {
        ("Linux", "Chrome 121.0.0", "Chrome")
    } else {
        ("Windows10", "Chrome 121.0.0", "Chrome")
    }
}

/// The record of the unified audit log (record type 15).
pub fn audit_record(tenant: &Tenant, l: &Logon<'_>, correlation: Guid, out: &mut Vec<u8>) {
    let u = &tenant.users[l.user];
    let (os, _, family) = browser(l.user_agent);
    let failed = l.error != 0;
    put!(
        out,
        "{\"CreationTime\":\"",
        Iso(l.at),
        "\",\"Id\":\"",
        l.id,
        "\",\"Operation\":\"",
        if failed { "UserLoginFailed" } else { "UserLoggedIn" },
        "\",\"OrganizationId\":\"",
        tenant.id,
        "\",\"RecordType\":15,\"ResultStatus\":\"",
        if failed { "Failed" } else { "Success" },
        "\",\"UserKey\":\"",
        u.id,
        "\",\"UserType\":0,\"Version\":1,\"Workload\":\"AzureActiveDirectory\",\"ClientIP\":\"",
        l.place.ip,
        "\",\"ObjectId\":\"",
        l.app.resource,
        "\",\"UserId\":\"",
        u.upn,
        "\",\"AzureActiveDirectoryEventType\":1,\"ExtendedProperties\":[{\"Name\":\"ResultStatusDetail\",\"Value\":\"",
        if failed { "UserError" } else { "Success" },
        "\"},{\"Name\":\"UserAgent\",\"Value\":\"",
        l.user_agent,
        "\"},{\"Name\":\"UserAuthenticationMethod\",\"Value\":\"1\"},{\"Name\":\"RequestType\",\"Value\":\"",
        if l.interactive { "Login:login" } else { "OAuth2:Token" },
        "\"}],\"ModifiedProperties\":[],\"Actor\":[{\"ID\":\"",
        u.id,
        "\",\"Type\":0},{\"ID\":\"",
        u.upn,
        "\",\"Type\":5}],\"ActorContextId\":\"",
        tenant.id,
        "\",\"ActorIpAddress\":\"",
        l.place.ip,
        "\",\"InterSystemsId\":\"",
        correlation,
        "\",\"IntraSystemId\":\"",
        l.id,
        "\",\"SupportTicketId\":\"\",\"Target\":[{\"ID\":\"",
        l.app.resource,
        "\",\"Type\":0}],\"TargetContextId\":\"",
        tenant.id,
        "\",\"ApplicationId\":\"",
        l.app.id,
        "\",\"DeviceProperties\":["
    );
    if l.device {
        put!(out, "{\"Name\":\"Id\",\"Value\":\"", u.device, "\"},{\"Name\":\"DisplayName\",\"Value\":\"", u.device_name, "\"},");
    }
    put!(out, "{\"Name\":\"OS\",\"Value\":\"", os, "\"},{\"Name\":\"BrowserType\",\"Value\":\"", family, "\"},");
    if l.device {
        put!(out, "{\"Name\":\"TrustType\",\"Value\":\"2\"},");
    }
    put!(
        out,
        "{\"Name\":\"IsCompliantAndManaged\",\"Value\":\"",
        if l.device { "True" } else { "False" },
        "\"},{\"Name\":\"SessionId\",\"Value\":\"",
        l.session,
        "\"}],\"ErrorNumber\":\"",
        l.error,
        "\""
    );
    if failed {
        put!(out, ",\"LogonError\":\"", wording(l.error).0, "\"");
    }
    put!(out, "}");
}

/// The record of `auditLogs/signIns` (Graph beta).
pub fn sign_in_record(tenant: &Tenant, l: &Logon<'_>, correlation: Guid, token: u64, out: &mut Vec<u8>) {
    let u = &tenant.users[l.user];
    let (os, browser, _) = browser(l.user_agent);
    let flag = |on: bool| if on { "true" } else { "false" };
    put!(
        out,
        "{\"id\":\"",
        l.id,
        "\",\"createdDateTime\":\"",
        Iso(l.at),
        "Z\",\"userDisplayName\":\"",
        u.display,
        "\",\"userPrincipalName\":\"",
        u.upn,
        "\",\"userId\":\"",
        u.id,
        "\",\"appId\":\"",
        l.app.id,
        "\",\"appDisplayName\":\"",
        l.app.name,
        "\",\"ipAddress\":\"",
        l.place.ip,
        "\",\"status\":{\"errorCode\":",
        l.error
    );
    if l.error != 0 {
        put!(out, ",\"failureReason\":\"", wording(l.error).1, "\",\"additionalDetails\":null}");
    } else {
        put!(out, ",\"failureReason\":\"Other.\",\"additionalDetails\":\"MFA requirement satisfied by claim in the token\"}");
    }
    let kind = if l.app.name == "Outlook Mobile" || l.app.name == "OneDrive SyncEngine" {
        "Mobile Apps and Desktop clients"
    } else {
        "Browser"
    };
    put!(out, ",\"clientAppUsed\":\"", kind, "\",\"userAgent\":\"", l.user_agent, "\",\"deviceDetail\":");
    if l.device {
        put!(
            out,
            "{\"deviceId\":\"",
            u.device,
            "\",\"displayName\":\"",
            u.device_name,
            "\",\"operatingSystem\":\"",
            os,
            "\",\"browser\":\"",
            browser,
            "\",\"isCompliant\":true,\"isManaged\":true,\"trustType\":\"Azure AD joined\"}"
        );
    } else {
        put!(
            out,
            "{\"deviceId\":\"\",\"displayName\":\"\",\"operatingSystem\":\"",
            os,
            "\",\"browser\":\"",
            browser,
            "\",\"isCompliant\":false,\"isManaged\":false,\"trustType\":\"\"}"
        );
    }
    location(l.place, out);
    put!(
        out,
        ",\"correlationId\":\"",
        correlation,
        "\",\"conditionalAccessStatus\":\"",
        if l.error == 0 { "success" } else { "notApplied" },
        "\",\"appliedConditionalAccessPolicies\":["
    );
    for (n, policy) in tenant.policies.iter().enumerate() {
        let result = if n == 0 && l.error == 0 { "success" } else { "notApplied" };
        put!(
            out,
            if n > 0 { "," } else { "" },
            "{\"id\":\"",
            policy["id"].as_str().unwrap_or_default(),
            "\",\"displayName\":\"",
            policy["displayName"].as_str().unwrap_or_default(),
            "\",\"enforcedGrantControls\":[",
            if n == 0 { "\"Mfa\"" } else { "" },
            "],\"enforcedSessionControls\":[],\"result\":\"",
            result,
            "\"}"
        );
    }
    put!(
        out,
        "],\"authenticationContextClassReferences\":[],\"originalRequestId\":\"",
        l.id,
        "\",\"isInteractive\":",
        flag(l.interactive),
        ",\"tokenIssuerName\":\"\",\"tokenIssuerType\":\"AzureAD\",\"networkLocationDetails\":[],\"clientCredentialType\":\"none\",\"processingTimeInMilliseconds\":",
        80 + token % 200,
        ",\"riskDetail\":\"none\",\"riskLevelAggregated\":\"none\",\"riskLevelDuringSignIn\":\"none\",\"riskState\":\"none\",\"riskEventTypes\":[],\"riskEventTypes_v2\":[],\"resourceDisplayName\":\"",
        l.app.resource_name,
        "\",\"resourceId\":\"",
        l.app.resource,
        "\",\"resourceTenantId\":\"",
        tenant.id,
        "\",\"homeTenantId\":\"",
        tenant.id,
        "\",\"authenticationDetails\":["
    );
    if l.error == 0 && l.interactive {
        put!(
            out,
            "{\"authenticationStepDateTime\":\"",
            Iso(l.at),
            "Z\",\"authenticationMethod\":\"Password\",\"authenticationMethodDetail\":\"Password in the cloud\",\"succeeded\":true,\"authenticationStepResultDetail\":\"Correct password\",\"authenticationStepRequirement\":\"Primary authentication\"},{\"authenticationStepDateTime\":\"",
            Iso(l.at),
            "Z\",\"authenticationMethod\":\"Mobile app notification\",\"authenticationMethodDetail\":null,\"succeeded\":true,\"authenticationStepResultDetail\":\"MFA successfully completed\",\"authenticationStepRequirement\":\"\"}"
        );
    } else if l.error == 0 {
        put!(
            out,
            "{\"authenticationStepDateTime\":\"",
            Iso(l.at),
            "Z\",\"authenticationMethod\":\"Previously satisfied\",\"authenticationMethodDetail\":null,\"succeeded\":true,\"authenticationStepResultDetail\":\"MFA requirement satisfied by claim in the token\",\"authenticationStepRequirement\":\"\"}"
        );
    } else {
        put!(
            out,
            "{\"authenticationStepDateTime\":\"",
            Iso(l.at),
            "Z\",\"authenticationMethod\":\"Password\",\"authenticationMethodDetail\":\"Password in the cloud\",\"succeeded\":false,\"authenticationStepResultDetail\":\"Invalid username or password or Invalid on-premise username or password.\",\"authenticationStepRequirement\":\"Primary authentication\"}"
        );
    }
    let requirement = if l.error == 0 { "multiFactorAuthentication" } else { "singleFactorAuthentication" };
    put!(
        out,
        "],\"authenticationRequirementPolicies\":[],\"sessionLifetimePolicies\":[],\"authenticationRequirement\":\"",
        requirement,
        "\",\"servicePrincipalId\":\"\",\"userType\":\"Member\",\"flaggedForReview\":false,\"isTenantRestricted\":false,\"autonomousSystemNumber\":",
        l.place.asn,
        ",\"crossTenantAccessType\":\"none\",\"privateLinkDetails\":{},\"ssoExtensionVersion\":\"\",\"uniqueTokenIdentifier\":\"",
        token,
        "\",\"incomingTokenType\":\"",
        if l.interactive { "none" } else { "refreshToken" },
        "\",\"authenticationProtocol\":\"none\",\"appServicePrincipalId\":null,\"resourceServicePrincipalId\":\"",
        Guid::of(tenant.seed, l.app.resource, 0),
        "\",\"originalTransferMethod\":\"none\",\"signInTokenProtectionStatus\":\"none\",\"sessionId\":\"",
        l.session,
        "\",\"signInEventTypes\":[\"",
        if l.interactive { "interactiveUser" } else { "nonInteractiveUser" },
        "\"],\"authenticationMethodsUsed\":[]}"
    );
}

fn location(place: &Network, out: &mut Vec<u8>) {
    put!(
        out,
        ",\"location\":{\"city\":\"",
        place.city,
        "\",\"state\":\"",
        place.state,
        "\",\"countryOrRegion\":\"",
        place.country,
        "\",\"geoCoordinates\":{\"latitude\":",
        place.latitude.to_string(),
        ",\"longitude\":",
        place.longitude.to_string(),
        "}}"
    );
}

/// A sign-in of an application with a secret.
pub fn app_sign_in(tenant: &Tenant, app: &App, at: Seconds, place: &Network, id: Guid, out: &mut Vec<u8>) {
    let key = app.secrets.last().map(|s| s.key.to_string()).unwrap_or_default();
    put!(
        out,
        "{\"id\":\"",
        id,
        "\",\"createdDateTime\":\"",
        Iso(at),
        "Z\",\"userId\":null,\"appId\":\"",
        app.app_id,
        "\",\"appDisplayName\":\"",
        app.name,
        "\",\"ipAddress\":\"",
        place.ip,
        "\",\"status\":{\"errorCode\":0,\"failureReason\":\"Other.\",\"additionalDetails\":null},\"userAgent\":\"python-requests/2.31.0\""
    );
    location(place, out);
    put!(
        out,
        ",\"correlationId\":\"",
        Guid::of(tenant.seed, "app-signin", at as u64),
        "\",\"conditionalAccessStatus\":\"notApplied\",\"appliedConditionalAccessPolicies\":[],\"isInteractive\":false,\"tokenIssuerType\":\"AzureAD\",\"networkLocationDetails\":[],\"clientCredentialType\":\"clientSecret\",\"processingTimeInMilliseconds\":0,\"riskDetail\":\"none\",\"riskLevelAggregated\":\"none\",\"riskLevelDuringSignIn\":\"none\",\"riskState\":\"none\",\"resourceDisplayName\":\"Microsoft Graph\",\"resourceId\":\"00000003-0000-0000-c000-000000000000\",\"servicePrincipalName\":\"",
        app.name,
        "\",\"servicePrincipalId\":\"",
        app.sp,
        "\",\"flaggedForReview\":false,\"isTenantRestricted\":false,\"crossTenantAccessType\":\"none\",\"autonomousSystemNumber\":",
        place.asn,
        ",\"servicePrincipalCredentialKeyId\":\"",
        key,
        "\",\"uniqueTokenIdentifier\":\"",
        Guid::of(tenant.seed, "app-token", at as u64),
        "\",\"incomingTokenType\":\"none\",\"authenticationProtocol\":\"none\",\"appServicePrincipalId\":null,\"resourceServicePrincipalId\":\"",
        Guid::of(tenant.seed, crate::graph::GRAPH, 0),
        "\",\"signInTokenProtectionStatus\":\"none\",\"originalTransferMethod\":\"none\",\"sessionId\":\"",
        Guid::of(tenant.seed, "app-session", at as u64),
        "\",\"resourceTenantId\":\"",
        tenant.id,
        "\",\"homeTenantId\":\"",
        tenant.id,
        "\",\"signInEventTypes\":[\"servicePrincipal\"]}"
    );
}
