//! A sign-in record of any wrapping into `signin`, and the sign-in that a logon of the unified audit log stands for.
use std::borrow::Cow;

use super::{
    address::address,
    columns::Signin,
    identity::{is_guid, record_keys},
    lost::{DEPTH, LOST, UNDATED, shallow},
    sink::{FileFacts, Place, Reject, SIGNIN, Sink},
    time,
    ual::Facts,
};
use crate::reader::{
    keys::{Key, Object},
    scan,
    value::{Raw, elements, member},
};

/// Error codes that mean "go on", not "no" (the portal calls such a sign-in interrupted).
const INTERRUPTS: &[i32] =
    &[16000, 16001, 50055, 50058, 50072, 50074, 50076, 50079, 50097, 50125, 50127, 50129, 50140, 50143, 50144, 51006, 65001];

fn outcome(code: i32) -> &'static str {
    if code == 0 {
        "success"
    } else if INTERRUPTS.contains(&code) {
        "interrupted"
    } else {
        "failure"
    }
}

/// The class that a word of the export means.
fn class_of(word: &str) -> Option<&'static str> {
    let word = word.trim().to_ascii_lowercase();
    let class = match word.as_str() {
        "interactiveuser" | "signinlogs" => "interactive",
        "noninteractiveuser" | "noninteractiveusersigninlogs" | "aadnoninteractiveusersigninlogs" => "non_interactive",
        "serviceprincipal"
        | "serviceprincipalsigninlogs"
        | "aadserviceprincipalsigninlogs"
        | "microsoftserviceprincipalsigninlogs" => "service_principal",
        "managedidentity" | "managedidentitysigninlogs" | "aadmanagedidentitysigninlogs" => "managed_identity",
        "adfssigninlogs" => "adfs",
        _ => return None,
    };
    Some(class)
}

/// The class that the name of a file or its folder says; never more than a hint.
pub(crate) fn class_of_name(path: &str) -> Option<&'static str> {
    let parts: Vec<String> = path.rsplit(['/', '\\', '!']).take(2).map(str::to_ascii_lowercase).collect();
    parts.iter().find_map(|part| {
        let has = |word: &str| part.contains(word);
        if has("noninteractive") && (has("interactiveuser &") || has("interactiveuser_&")) {
            None
        } else if has("noninteractive") {
            Some("non_interactive")
        } else if has("interactivesignin") || has("interactiveuser") {
            Some("interactive")
        } else if has("applicationsignins") || has("serviceprincipal") {
            Some("service_principal")
        } else if has("msisignins") || has("managedidentity") {
            Some("managed_identity")
        } else {
            None
        }
    })
}

impl Sink {
    /// Takes a sign-in. `envelope` is what its `properties` came in.
    pub(super) fn signin(
        &mut self,
        o: &Object<'_>,
        envelope: Option<&Object<'_>>,
        file: &FileFacts,
        place: Place<'_>,
    ) -> Result<(), Reject> {
        use Key as K;
        let around = |key| envelope.and_then(|e| e.text(key));
        let mut flags = file.flags.clone();
        let id = o.id(K::Id);
        if id.is_none() && o.text(K::Id).is_some() {
            self.counts.tally.entry(place.source).or_default().no_id += 1;
        }
        let order = file.order.unwrap_or_default();
        // the record's own date, else the date of what it came in: the first that can be read
        let dates =
            || [o.text(K::CreatedDateTime), o.text(K::TimeGenerated), o.text(K::Time), around(K::Time)].into_iter().flatten();
        let when = dates().find_map(|t| time::micros(&t, order));
        if when.is_none() {
            flags.push(UNDATED);
        }
        if [K::Status, K::DeviceDetail, K::Location, K::AuthenticationDetails].into_iter().any(|k| shallow(o.get(k))) {
            flags.push(DEPTH);
        }
        let (home, resource_tenant) = (o.id(K::HomeTenantId), o.id(K::ResourceTenantId));
        // the log's own tenant: said by the envelope or the workspace, or shown by home and resource being one
        let log_tenant = o.id(K::AadTenantId);
        let agreed = home.as_deref().filter(|h| Some(*h) == resource_tenant.as_deref());
        let tenant = place.tenant.map(str::to_owned).or_else(|| log_tenant.as_deref().or(agreed).map(str::to_owned));
        let place = Place { tenant: tenant.as_deref(), ..place };

        let types = o.get(K::SignInEventTypes).and_then(Raw::nested);
        let said = types.as_deref().and_then(|t| elements(t).first().copied()).and_then(Raw::text).and_then(|t| class_of(&t));
        // a service principal's sign-in may arrive without envelope, its category among its own members
        let words = [around(K::Category), o.text(K::Category), o.text(K::Type)];
        let category = words.into_iter().flatten().find_map(|word| class_of(&word));
        let principal = o.text(K::ServicePrincipalId);
        let class = said.or(category).or_else(|| {
            if let Some(class) = file.class_of_name {
                flags.push("from_name");
                return Some(class);
            }
            let user = o.text(K::UserId).is_some_and(|u| !u.starts_with("00000000-0000-0000-0000-0000000000"));
            match o.get(K::IsInteractive).and_then(Raw::boolean) {
                Some(true) => Some("interactive"),
                Some(false) if principal.is_some() && !user => Some("service_principal"),
                Some(false) => Some("non_interactive"),
                None => None,
            }
        });

        let status = o.get(K::Status).and_then(Raw::nested);
        let of_status = |name| status.as_deref().and_then(|s| member(s, name));
        let code = of_status("errorCode")
            .and_then(Raw::int32)
            .or_else(|| o.get(K::SignInErrorCode).and_then(Raw::int32))
            .or_else(|| o.get(K::ResultType).and_then(Raw::int32))
            .or_else(|| envelope.and_then(|e| e.get(K::ResultType)).and_then(Raw::int32));
        let reason = of_status("failureReason")
            .and_then(Raw::text)
            .or_else(|| o.text(K::FailureReason))
            .or_else(|| o.text(K::ResultDescription))
            .or_else(|| around(K::ResultDescription))
            .filter(|r| !r.eq_ignore_ascii_case("other."));
        let address = o.text(K::IpAddress).or_else(|| around(K::CallerIpAddress)).and_then(|t| address(&t));
        if address.as_ref().is_some_and(|a| a.kind == "invalid") {
            flags.push("ip_invalid");
        }

        let c = Signin::get();
        let t = self.row(SIGNIN, file, place, &flags);
        t.opt_text(c.id, id.as_deref());
        if let Some(when) = when {
            t.ts(c.created_date_time, when);
        }
        t.text(c.sign_in_class, class.unwrap_or("unknown"));
        t.bool(c.derived, false);
        let upn = o.text(K::UserPrincipalName).map(|u| u.trim().to_lowercase());
        t.opt_text(c.user_id, o.text(K::UserId).as_deref());
        t.opt_text(c.user_principal_name, upn.as_deref());
        for (column, key) in [
            (c.user_display_name, K::UserDisplayName),
            (c.user_type, K::UserType),
            (c.service_principal_name, K::ServicePrincipalName),
            (c.credential_thumbprint, K::ServicePrincipalCredentialThumbprint),
            (c.app_display_name, K::AppDisplayName),
            (c.resource_display_name, K::ResourceDisplayName),
            (c.client_app_used, K::ClientAppUsed),
            (c.authentication_protocol, K::AuthenticationProtocol),
            (c.original_transfer_method, K::OriginalTransferMethod),
            (c.incoming_token_type, K::IncomingTokenType),
            (c.authentication_requirement, K::AuthenticationRequirement),
            (c.conditional_access_status, K::ConditionalAccessStatus),
            (c.risk_level_during_sign_in, K::RiskLevelDuringSignIn),
            (c.risk_level_aggregated, K::RiskLevelAggregated),
            (c.risk_state, K::RiskState),
            (c.risk_detail, K::RiskDetail),
            (c.cross_tenant_access_type, K::CrossTenantAccessType),
            (c.user_agent, K::UserAgent),
            (c.ip_from_resource, K::IpAddressFromResourceProvider),
        ] {
            t.opt_text(column, o.text(key).as_deref());
        }
        for (column, key) in [
            (c.service_principal_id, K::ServicePrincipalId),
            (c.credential_key_id, K::ServicePrincipalCredentialKeyId),
            (c.app_id, K::AppId),
            (c.home_tenant_id, K::HomeTenantId),
            (c.resource_tenant_id, K::ResourceTenantId),
            (c.session_id, K::SessionId),
            (c.unique_token_identifier, K::UniqueTokenIdentifier),
            (c.correlation_id, K::CorrelationId),
        ] {
            t.opt_text(column, o.id(key).as_deref());
        }
        t.opt_text(c.correlation_id, around(K::CorrelationId).as_deref());
        // in Log Analytics ResourceId is a path of Azure, not the application that was reached
        let resource = o.text(K::ResourceIdentity).or_else(|| o.text(K::ResourceId)).filter(|r| !r.starts_with('/'));
        t.opt_text(c.resource_id, resource.as_deref());
        if let Some(a) = &address {
            t.text(c.ip, &a.ip);
            t.text(c.ip_kind, a.kind);
        }
        if let Some(asn) = o.get(K::AutonomousSystemNumber).and_then(Raw::int).filter(|n| *n > 0) {
            t.i64(c.asn, asn);
        }
        place_of(o, t, c);
        if let Some(code) = code {
            t.i32(c.error_code, code);
            t.text(c.result, outcome(code));
        } else if let (None, Some(word)) = (&status, o.text(K::Status).filter(|_| !shallow(o.get(K::Status)))) {
            let word = word.to_lowercase();
            let result = ["success", "succ", "réussi"].iter().any(|w| word.starts_with(w));
            t.text(
                c.result,
                if result {
                    "success"
                } else if word.starts_with("interr") {
                    "interrupted"
                } else {
                    "failure"
                },
            );
        }
        t.opt_text(c.failure_reason, reason.as_deref().filter(|_| code != Some(0)));
        authentication(o, code, t, c);
        if let Some(types) = o.get(K::RiskEventTypes).and_then(Raw::nested) {
            let list = elements(&types).into_iter().filter_map(Raw::text).collect::<Vec<_>>();
            t.list(c.risk_event_types, list.iter().map(AsRef::as_ref));
        }
        device(o, t, c);
        if let Some(b) = o.get(K::FlaggedForReview).and_then(Raw::boolean) {
            t.bool(c.flagged_for_review, b);
        }
        let richness = t.richness();
        let user = upn.as_deref().or(o.text(K::ServicePrincipalId).as_deref()).unwrap_or_default().to_owned();
        self.record(SIGNIN, record_keys(id.as_deref(), when, "", &user, o.text.as_bytes()), richness, place, when);
        for flag in LOST.into_iter().filter(|flag| flags.contains(flag)) {
            self.lost(flag, class.unwrap_or("unknown"), &dates().next().unwrap_or_default(), file, place);
        }
        self.counts.tally.entry(place.source).or_default().classes.insert(class.unwrap_or("unknown"));
        Ok(())
    }

    /// The sign-in that a logon record stands for.
    pub(super) fn derived_signin(&mut self, o: &Object<'_>, f: &Facts<'_>, file: &FileFacts, place: Place<'_>) {
        let c = Signin::get();
        let t = self.row(SIGNIN, file, place, f.flags);
        t.opt_text(c.id, f.id);
        if let Some(when) = f.time {
            t.ts(c.created_date_time, when);
        }
        t.text(c.sign_in_class, "unknown");
        t.bool(c.derived, true);
        t.opt_text(c.intra_system_id, o.id(Key::IntraSystemId).as_deref());
        let user_key = o.text(Key::UserKey).filter(|k| is_guid(k));
        t.opt_text(c.user_id, f.actor.object_id.as_deref().or(user_key.as_deref()));
        t.opt_text(c.user_principal_name, f.upn.or(Some(f.user_id).filter(|u| !u.is_empty())));
        if f.class == "guest" {
            t.text(c.user_type, "guest");
        }
        t.opt_text(c.app_id, o.id(Key::ApplicationId).as_deref());
        t.opt_text(c.resource_id, o.text(Key::ObjectId).as_deref());
        if let Some(a) = f.ip {
            t.text(c.ip, &a.ip);
            t.text(c.ip_kind, a.kind);
        }
        let code = o.get(Key::ErrorNumber).and_then(Raw::int32).or((f.success == Some(true)).then_some(0));
        if let Some(code) = code {
            t.i32(c.error_code, code);
        }
        match (f.success, code) {
            (Some(true), _) => t.text(c.result, "success"),
            // a failure without a number, or with number 0, stays a failure
            (Some(false), None | Some(0)) => t.text(c.result, "failure"),
            (_, Some(code)) => t.text(c.result, outcome(code)),
            (None, None) => {}
        }
        t.opt_text(c.failure_reason, o.text(Key::LogonError).as_deref());
        t.opt_text(c.user_agent, f.user_agent);
        t.opt_text(c.browser, f.client.browser.as_deref());
        t.opt_text(c.operating_system, f.client.os.as_deref());
        t.opt_text(c.device_id, f.client.device_id.as_deref());
        t.opt_text(c.device_name, f.client.device_name.as_deref());
        if let Some(b) = f.client.compliant {
            t.bool(c.is_compliant, b);
        }
        if let Some(b) = f.client.managed {
            t.bool(c.is_managed, b);
        }
        t.opt_text(c.trust_type, f.client.trust_type.as_deref());
        t.opt_text(c.session_id, f.session);
        t.opt_text(c.unique_token_identifier, f.token);
        t.opt_text(c.correlation_id, o.id(Key::InterSystemsId).as_deref());
        let protocol = f.client.request_type.as_deref().filter(|r| r.eq_ignore_ascii_case("Cmsi:Cmsi")).map(|_| "deviceCode");
        t.opt_text(c.authentication_protocol, protocol);
    }
}

type Builder = crate::write::TableBuilder;

/// Country, region, city and coordinates.
fn place_of(o: &Object<'_>, t: &mut Builder, c: &Signin) {
    let nested = o.get(Key::LocationDetails).and_then(Raw::nested).or_else(|| o.get(Key::Location).and_then(Raw::nested));
    if let Some(location) = nested.as_deref() {
        let text = |name| member(location, name).and_then(Raw::text);
        t.opt_text(c.country, text("countryOrRegion").as_deref());
        t.opt_text(c.state, text("state").as_deref());
        t.opt_text(c.city, text("city").as_deref());
        if let Some(geo) = member(location, "geoCoordinates").and_then(Raw::nested) {
            let number = |name| member(&geo, name).and_then(Raw::float);
            // 0, 0 stands for "no place"
            if let (Some(a), Some(b)) = (number("latitude"), number("longitude"))
                && (a != 0.0 || b != 0.0)
            {
                t.f64(c.latitude, a);
                t.f64(c.longitude, b);
            }
        }
        return;
    }
    // a portal download: `City, Region, CC`, from the right; Log Analytics: the country alone
    if let Some(text) = o.text(Key::Location) {
        let mut parts = text.rsplit(',').map(str::trim).filter(|p| !p.is_empty());
        t.opt_text(c.country, parts.next());
        t.opt_text(c.state, parts.next());
        t.opt_text(c.city, parts.next());
    }
    t.opt_text(c.country, o.text(Key::CountryOrRegion).as_deref());
    t.opt_text(c.city, o.text(Key::City).as_deref());
    t.opt_text(c.state, o.text(Key::State).as_deref());
}

/// Methods used, and whether a second factor was satisfied.
fn authentication(o: &Object<'_>, code: Option<i32>, t: &mut Builder, c: &Signin) {
    let mut methods: Vec<String> = Vec::new();
    let mut second = None;
    if let Some(steps) = o.get(Key::AuthenticationDetails).and_then(Raw::nested) {
        for step in elements(&steps) {
            let text = |name| member(step.raw, name).and_then(Raw::text);
            let method = text("authenticationMethod");
            let detail = text("authenticationStepResultDetail").unwrap_or_default().to_ascii_lowercase();
            let requirement = text("authenticationStepRequirement").unwrap_or_default().to_ascii_lowercase();
            let done = member(step.raw, "succeeded").and_then(Raw::boolean);
            if detail.contains("mfa requirement satisfied") || (done == Some(true) && requirement.contains("multi")) {
                second = Some(true);
            }
            if let Some(method) = method
                && !methods.iter().any(|m| *m == method)
            {
                methods.push(method.into_owned());
            }
        }
    }
    if let Some(detail) = o.get(Key::MfaDetail).and_then(Raw::nested)
        && let Some(method) = member(&detail, "authMethod").and_then(Raw::text)
        && !methods.iter().any(|m| *m == method)
    {
        methods.push(method.into_owned());
    }
    if let Some(method) = o.text(Key::MfaMethod) {
        methods.push(method.into_owned());
    }
    if let Some(used) = o.get(Key::AuthenticationMethodsUsed).and_then(Raw::nested).filter(|_| methods.is_empty()) {
        methods.extend(elements(&used).into_iter().filter_map(Raw::text).map(Cow::into_owned));
    }
    if !methods.is_empty() {
        t.list(c.auth_methods, methods.iter().map(String::as_str));
    }
    let required = o.text(Key::AuthenticationRequirement).map(|r| r.to_ascii_lowercase());
    let satisfied = match (second, required.as_deref(), code) {
        (Some(done), ..) => Some(done),
        // Entra lets nobody in whose required second factor is missing
        (None, Some(r), Some(0)) if r.starts_with("multi") => Some(true),
        (None, Some(r), Some(0)) if r.starts_with("single") => Some(false),
        _ => None,
    };
    if let Some(satisfied) = satisfied {
        t.bool(c.mfa_satisfied, satisfied);
    }
}

fn device(o: &Object<'_>, t: &mut Builder, c: &Signin) {
    if let Some(device) = o.get(Key::DeviceDetail).and_then(Raw::nested) {
        let _ = scan::object(device.as_bytes(), 0, |name, a, z| {
            let value = Raw::json(&device[a..z]);
            let text = || value.text();
            match name {
                b"deviceId" | b"DeviceId" => t.opt_text(c.device_id, text().as_deref()),
                b"displayName" | b"DisplayName" => t.opt_text(c.device_name, text().as_deref()),
                b"operatingSystem" | b"OperatingSystem" => t.opt_text(c.operating_system, text().as_deref()),
                b"browser" | b"Browser" => t.opt_text(c.browser, text().as_deref()),
                b"trustType" | b"TrustType" => t.opt_text(c.trust_type, text().as_deref()),
                b"isCompliant" | b"IsCompliant" => value.boolean().into_iter().for_each(|b| t.bool(c.is_compliant, b)),
                b"isManaged" | b"IsManaged" => value.boolean().into_iter().for_each(|b| t.bool(c.is_managed, b)),
                _ => {}
            }
        });
    }
    t.opt_text(c.device_id, o.text(Key::DeviceId).as_deref());
    t.opt_text(c.browser, o.text(Key::Browser).as_deref());
    t.opt_text(c.operating_system, o.text(Key::OperatingSystem).as_deref());
    t.opt_text(c.trust_type, o.text(Key::TrustType).as_deref());
    if let Some(b) = o.get(Key::IsCompliant).and_then(Raw::boolean) {
        t.bool(c.is_compliant, b);
    }
    if let Some(b) = o.get(Key::IsManaged).and_then(Raw::boolean) {
        t.bool(c.is_managed, b);
    }
}

#[cfg(test)]
mod tests {
    use super::class_of_name;

    #[test]
    fn a_name_is_a_hint() {
        for (path, want) in [
            ("x/InteractiveSignIns_2026-01-01.csv", Some("interactive")),
            ("x/NonInteractiveSignIns_2026-01-01.json", Some("non_interactive")),
            ("ApplicationSignIns_a.json", Some("service_principal")),
            ("MSISignIns_a.json", Some("managed_identity")),
            ("SignInLogs/interactiveUser & nonInteractiveUser/20260101-SignInLogs.json", None),
            ("SignInLogs/servicePrincipal/20260101-SignInLogs.json", Some("service_principal")),
            ("export.json", None),
        ] {
            assert_eq!(class_of_name(path), want, "{path}");
        }
    }
}
