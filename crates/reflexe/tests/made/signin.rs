//! Sign-ins as Microsoft Graph (beta) gives them.
use serde_json::{Value, json};

use super::{
    audit::Via,
    who::{Person, TENANT, guid},
};

/// A sign-in of a person.
pub fn person(at: &str, who: Person, via: Via<'_>, interactive: bool) -> Value {
    let ok = via.error == 0;
    json!({
        "id": guid(&format!("sign-in {at} {} {}", who.0, via.ip)),
        "createdDateTime": format!("{at}Z"),
        "userDisplayName": who.0,
        "userPrincipalName": who.upn(),
        "userId": who.id(),
        "appId": "4765445b-32c6-49b0-83e6-1d93765276ca",
        "appDisplayName": "OfficeHome",
        "ipAddress": via.ip,
        "clientAppUsed": "Browser",
        "userAgent": via.agent,
        "correlationId": guid(&format!("correlation {at} {}", who.0)),
        "conditionalAccessStatus": if ok { "success" } else { "notApplied" },
        "isInteractive": interactive,
        "tokenIssuerName": "",
        "tokenIssuerType": "AzureAD",
        "clientCredentialType": "none",
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": "00000003-0000-0000-c000-000000000000",
        "resourceTenantId": TENANT,
        "homeTenantId": TENANT,
        "authenticationRequirement": "multiFactorAuthentication",
        "signInEventTypes": [if interactive { "interactiveUser" } else { "nonInteractiveUser" }],
        "userType": "Member",
        "autonomousSystemNumber": if via.ip.starts_with("192.0.2.") { 64500 } else { 64511 },
        "crossTenantAccessType": "none",
        "uniqueTokenIdentifier": &guid(&format!("token {at} {}", who.0))[..22],
        "authenticationProtocol": "none",
        "incomingTokenType": "none",
        "originalTransferMethod": "none",
        "sessionId": if via.session.is_empty() { guid(&format!("session {at} {}", who.0)) } else { via.session.to_owned() },
        "status": { "errorCode": via.error, "failureReason": if ok { "Other." } else { "Error validating credentials due to invalid username or password." }, "additionalDetails": null },
        "deviceDetail": { "deviceId": "", "displayName": "", "operatingSystem": "Windows10", "browser": "Edge 144.0.0", "isCompliant": false, "isManaged": false, "trustType": "" },
        "location": if via.ip.starts_with("192.0.2.") {
            json!({ "city": "Lyon", "state": "Rhone", "countryOrRegion": "FR", "geoCoordinates": { "latitude": 45.76, "longitude": 4.83 } })
        } else {
            json!({ "city": "Cluj-Napoca", "state": "", "countryOrRegion": "RO", "geoCoordinates": { "latitude": 46.76, "longitude": 23.6 } })
        },
    })
}
