//! Acts on applications: creation, secrets, owners, consents, permissions, their own sign-ins.
use serde_json::{Value, json};

use super::{Event, Log, Stage};
use crate::Error;
use crate::audit::{Activity, Change, Target};
use crate::graph::{self, GRAPH};
use crate::rng::Guid;
use crate::signin;
use crate::story::Step;
use crate::tenant::{App, Secret};
use crate::text::{DAY, Seconds};
use crate::ual::Wrapper;

/// Names of Microsoft Graph's service principal, as the log joins them.
const GRAPH_NAMES: &str =
    "00000003-0000-0000-c000-000000000000/ags.windows.net;00000003-0000-0000-c000-000000000000;https://graph.microsoft.com";

fn activity<'a>(name: &'a str, kind: &'a str, unified_category: &'a str) -> Activity<'a> {
    Activity { name, category: "ApplicationManagement", service: "Core Directory", kind, reason: "", unified_category }
}

impl Stage {
    fn named_app(&self, step: &Step) -> Result<usize, Error> {
        let key = step.text("app")?;
        self.tenant.app(key).ok_or_else(|| Error::Scenario(format!("step {}: no application `{key}` at that time", step.id)))
    }

    /// A registration with its service principal; the maker becomes its owner.
    pub(super) fn app_created(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let owner = self.actor(step);
        let (object, sp, app_id) = (self.guid("app object"), self.guid("app sp"), self.guid("app id").to_string());
        let name = step.text("name")?.to_owned();
        let correlation = self.guid("app created");
        let none = json!([]);
        let changes = [
            Change::list("AppId", json!([app_id]), none.clone()),
            Change::list("AvailableToOtherTenants", json!([false]), none.clone()),
            Change::list("DisplayName", json!([name]), none.clone()),
            Change::text("Included Updated Properties", "AppId, AvailableToOtherTenants, DisplayName"),
        ];
        self.directory(
            step,
            at,
            correlation,
            &activity("Add application", "Add", "Application"),
            &Target::Application(object, &name),
            &changes,
        );
        let owned = [
            Change::text("Application.ObjectID", object.to_string()),
            Change::text("Application.DisplayName", name.clone()),
            Change::text("Application.AppId", app_id.clone()),
        ];
        self.directory(
            step,
            at,
            correlation,
            &activity("Add owner to application", "Assign", "Application"),
            &Target::User(owner),
            &owned,
        );
        let principal = [
            Change::list("AccountEnabled", json!([true]), none.clone()),
            Change::list("AppPrincipalId", json!([app_id]), none.clone()),
            Change::list("DisplayName", json!([name]), none.clone()),
            Change::list("ServicePrincipalName", json!([app_id]), none),
            Change::text("Included Updated Properties", "AccountEnabled, AppPrincipalId, DisplayName, ServicePrincipalName"),
        ];
        self.directory(
            step,
            at + 1,
            correlation,
            &activity("Add service principal", "Add", "ServicePrincipal"),
            &Target::ServicePrincipal(sp, &name, &app_id),
            &principal,
        );
        self.tenant.apps.push(App {
            key: step.text("app")?.to_owned(),
            name,
            app_id,
            object: Some(object),
            sp,
            owner_tenant: self.tenant.id.to_string(),
            created: at,
            secrets: Vec::new(),
            owners: vec![owner],
            delegated: Vec::new(),
            roles: Vec::new(),
            reply: vec![step.text_or("reply", "https://localhost/").to_owned()],
        });
        Ok(())
    }

    /// A secret added to a registration.
    pub(super) fn app_secret(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let n = self.named_app(step)?;
        let key = self.guid("secret");
        let correlation = self.guid("secret added");
        let label = step.text_or("label", "").to_owned();
        let describe =
            |key: Guid, name: &str| json!(format!("[KeyIdentifier={key},KeyType=Password,KeyUsage=Verify,DisplayName={name}]"));
        let app = &self.tenant.apps[n];
        let old: Vec<Value> = app.secrets.iter().map(|s| describe(s.key, &s.name)).collect();
        let mut new = old.clone();
        new.push(describe(key, &label));
        let (Some(object), name) = (app.object, app.name.clone()) else {
            return Err(Error::Scenario(format!("step {}: the application is not registered here", step.id)));
        };
        let changes = [
            Change::list("KeyDescription", json!(new), json!(old)),
            Change::text("Included Updated Properties", "KeyDescription"),
        ];
        let update = activity("Update application – Certificates and secrets management", "Update", "Application");
        self.directory(step, at, correlation, &update, &Target::Application(object, &name), &changes);
        self.tenant.apps[n].secrets.push(Secret { key, name: label, from: at, to: at + 730 * DAY });
        Ok(())
    }

    /// A new owner of a registration.
    pub(super) fn app_owner(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let n = self.named_app(step)?;
        let owner = step.part("owner", &self.tenant)?;
        let correlation = self.guid("owner");
        let app = &self.tenant.apps[n];
        let changes = [
            Change::text("Application.ObjectID", app.object.map(|o| o.to_string()).unwrap_or_default()),
            Change::text("Application.DisplayName", app.name.clone()),
            Change::text("Application.AppId", app.app_id.clone()),
        ];
        self.directory(
            step,
            at,
            correlation,
            &activity("Add owner to application", "Assign", "Application"),
            &Target::User(owner),
            &changes,
        );
        self.tenant.apps[n].owners.push(owner);
        Ok(())
    }

    /// An administrator's consent for everybody.
    pub(super) fn consent_all(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let n = self.named_app(step)?;
        let scopes = step.text("scopes")?.to_owned();
        let correlation = self.guid("consent");
        let resource = Guid::of(self.tenant.seed, GRAPH, 0);
        let app = &self.tenant.apps[n];
        let (sp, name, app_id) = (app.sp, app.name.clone(), app.app_id.clone());
        let grant = graph::grant_id(sp, resource);
        let permissions = format!(
            "[] => [[Id: {grant}, ClientId: {sp}, PrincipalId: , ResourceId: {resource}, ConsentType: AllPrincipals, Scope: {scopes}, CreatedDateTime: , LastModifiedDateTime ]]; "
        );
        let granted = [
            Change::text("DelegatedPermissionGrant.Scope", scopes.clone()),
            Change::text("DelegatedPermissionGrant.ConsentType", "AllPrincipals"),
            Change::text("ServicePrincipal.ObjectID", sp.to_string()),
            Change::text("ServicePrincipal.DisplayName", ""),
            Change::text("ServicePrincipal.AppId", ""),
            Change::text("ServicePrincipal.Name", ""),
            Change::text("TargetId.ServicePrincipalNames", GRAPH_NAMES),
        ];
        self.directory(
            step,
            at,
            correlation,
            &activity("Add delegated permission grant", "Assign", "ServicePrincipal"),
            &Target::ServicePrincipal(resource, "Microsoft Graph", GRAPH_NAMES),
            &granted,
        );
        let consent = [
            Change::text("ConsentContext.IsAdminConsent", "True"),
            Change::text("ConsentContext.IsAppOnly", "False"),
            Change::text("ConsentContext.OnBehalfOfAll", "True"),
            Change::text("ConsentContext.Tags", "WindowsAzureActiveDirectoryIntegratedApp"),
            Change::text("ConsentAction.Permissions", permissions),
            Change::text("TargetId.ServicePrincipalNames", app_id.clone()),
        ];
        self.directory(
            step,
            at,
            correlation,
            &activity("Consent to application", "Assign", "ServicePrincipal"),
            &Target::ServicePrincipal(sp, &name, &app_id),
            &consent,
        );
        self.tenant.apps[n].delegated.push((GRAPH.to_owned(), scopes));
        Ok(())
    }

    /// An application permission given to a service principal.
    pub(super) fn app_permission(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let n = self.named_app(step)?;
        let (role, id) = (step.text("permission")?.to_owned(), step.text("permission_id")?.to_owned());
        let correlation = self.guid("permission");
        let resource = Guid::of(self.tenant.seed, GRAPH, 0);
        let app = &self.tenant.apps[n];
        let changes = [
            Change::text("AppRole.Id", id.clone()),
            Change::text("AppRole.Value", role.clone()),
            Change::text("AppRole.DisplayName", step.text_or("display", "").to_owned()),
            Change::text("AppRoleAssignment.CreatedDateTime", crate::text::zulu(at)),
            Change::text("AppRoleAssignment.LastModifiedDateTime", crate::text::zulu(at)),
            Change::text("ServicePrincipal.ObjectID", app.sp.to_string()),
            Change::text("ServicePrincipal.DisplayName", app.name.clone()),
            Change::text("ServicePrincipal.AppId", app.app_id.clone()),
            Change::text("ServicePrincipal.Name", app.app_id.clone()),
            Change::text("TargetId.ServicePrincipalNames", GRAPH_NAMES),
        ];
        self.directory(
            step,
            at,
            correlation,
            &activity("Add app role assignment to service principal", "Assign", "ServicePrincipal"),
            &Target::ServicePrincipal(resource, "Microsoft Graph", GRAPH_NAMES),
            &changes,
        );
        self.tenant.apps[n].roles.push((GRAPH.to_owned(), id, role, at));
        Ok(())
    }

    /// Sign-ins of an application with its secret.
    pub(super) fn app_sign_in(&mut self, step: &Step, at: Seconds) -> Result<(), Error> {
        let n = self.named_app(step)?;
        let place = self.place(step, at);
        for visit in 0..step.number("times", 4) {
            let when = at + visit * 3600;
            if when > self.end {
                break;
            }
            let id = self.guid("app sign-in");
            let mut line = Vec::new();
            signin::app_sign_in(&self.tenant, &self.tenant.apps[n], when, &place, id, &mut line);
            self.events.push(Event {
                at: when,
                step: Some(self.step),
                log: Log::SigninServicePrincipal,
                id: id.to_string(),
                line,
                wrapper: Wrapper::default(),
            });
        }
        Ok(())
    }
}
