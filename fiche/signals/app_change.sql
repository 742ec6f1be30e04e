-- Every act of a person or an application of ours on an application, from the directory audit log: one row per record, its properties beside it.
-- Housekeeping by the service itself (system actors, Microsoft's own applications acting alone) is left out.
with changed as (
  select place,
         max(case when property = 'TargetId.ServicePrincipalNames' then new_value end) as target_names,
         max(case when property in ('AppId', 'AppPrincipalId') then new_value end) as new_app_id,
         max(case when property in ('Application.ObjectID', 'ServicePrincipal.ObjectID') then new_value end) as client_object,
         max(case when property in ('Application.AppId', 'ServicePrincipal.AppId') then new_value end) as client_app,
         max(case when property in ('Application.DisplayName', 'ServicePrincipal.DisplayName') then nullif(btrim(new_value, '" '), '') end) as client_name,
         max(case when property = 'AppRole.Value' then nullif(btrim(new_value, '" '), '') end) as role_value,
         max(case when property = 'AppRole.Id' then lower(btrim(new_value, '" ')) end) as role_id,
         max(case when property = 'DelegatedPermissionGrant.Scope' then btrim(new_value, '" ') end) as scope,
         max(case when property = 'DelegatedPermissionGrant.ConsentType' then btrim(new_value, '" ') end) as consent_type,
         max(case when property = 'ConsentAction.Permissions' then new_value end) as permissions,
         bool_or(property = 'ConsentContext.OnBehalfOfAll' and strpos(lower(new_value), 'true') > 0) as on_behalf_of_all,
         bool_or(property = 'ConsentAction.Reason' and strpos(lower(new_value), 'risky') > 0
                 or property like 'MethodExecutionResult%' and strpos(lower(new_value), 'riskyapp') > 0) as called_risky,
         max(case when property in ('Role.TemplateId', 'Role.ObjectID') then lower(btrim(new_value, '" ')) end) as directory_role,
         max(case when property in ('KeyDescription', 'KeyCredentials', 'PasswordCredentials') then coalesce(new_value, '') end) as keys_new,
         max(case when property in ('KeyDescription', 'KeyCredentials', 'PasswordCredentials') then coalesce(old_value, '') end) as keys_old,
         max(case when property = 'FederatedIdentityCredentials' then coalesce(new_value, '') end) as federated_new,
         max(case when property = 'FederatedIdentityCredentials' then coalesce(old_value, '') end) as federated_old
  from directory_audit_change
  where property in ('TargetId.ServicePrincipalNames', 'AppId', 'AppPrincipalId', 'Application.ObjectID', 'ServicePrincipal.ObjectID', 'Application.AppId', 'ServicePrincipal.AppId',
                     'Application.DisplayName', 'ServicePrincipal.DisplayName', 'AppRole.Value', 'AppRole.Id', 'DelegatedPermissionGrant.Scope', 'DelegatedPermissionGrant.ConsentType',
                     'ConsentAction.Permissions', 'ConsentContext.OnBehalfOfAll', 'ConsentAction.Reason', 'Role.TemplateId', 'Role.ObjectID',
                     'KeyDescription', 'KeyCredentials', 'PasswordCredentials', 'FederatedIdentityCredentials') or property like 'MethodExecutionResult%'
  group by place
), acts as (
  select a.row_id, a.place, a.activity_date_time as at, a.activity_key as operation, lower(a.result) = 'success' as done, a.correlation_id, lower(a.user_agent) as user_agent,
         coalesce(lower(a.actor_upn), lower(a.actor_sp_id), lower(a.actor_app_id), lower(a.actor_id)) as who,
         coalesce(a.actor_upn, '') not like '%@%' and (a.actor_app_id is not null or a.actor_sp_id is not null) as by_application,
         lower((regexp_match(a.target1_id, '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'))[1]) as target_id,
         a.target1_type as target_type, a.target1_name as target_name, lower(coalesce(a.target1_upn, a.target1_id)) as target_person,
         -- grants and owners name somebody else first: the resource, the new owner
         a.activity_key in ('add delegated permission grant', 'add app role assignment to service principal', 'add owner to application', 'add owner to service principal',
                            'remove owner from application', 'remove owner from service principal') as names_other_first
  from directory_audit a left join ref.first_party_app f on f.app_id = lower(a.actor_app_id)
  where a.activity_key in ('consent to application', 'add delegated permission grant', 'add app role assignment to service principal', 'add member to role',
                           'add owner to application', 'add owner to service principal', 'remove owner from application', 'remove owner from service principal',
                           'update application - certificates and secrets management', 'add service principal credentials', 'update application', 'update service principal',
                           'add application', 'add service principal')
    and coalesce(a.actor_class, '') <> 'system'
    and (a.actor_upn like '%@%' or f.app_id is null and (a.actor_app_id is not null or a.actor_sp_id is not null))
), joined as (
  select a.*, c.role_value, c.role_id, c.scope, c.consent_type, c.permissions, c.on_behalf_of_all, c.called_risky, c.directory_role,
         c.keys_new, c.keys_old, c.federated_new, c.federated_old,
         case when a.names_other_first then c.client_name else a.target_name end as said_name,
         lower((regexp_match(case when a.names_other_first then c.client_app else coalesce(c.target_names, c.new_app_id) end, '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'))[1]) as said_app,
         case when a.names_other_first then lower((regexp_match(c.client_object, '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'))[1]) else a.target_id end as object_id
  from acts a left join changed c on c.place = a.place
)
select j.row_id, j.at, j.operation, j.done, j.correlation_id, j.user_agent, j.who, j.by_application, j.target_type, j.target_person,
       -- an export without the ids still has the name; an act on nobody knows what is an act all the same
       coalesce(j.said_app, i.app, j.object_id, nullif(lower(j.said_name), ''), '?') as app, coalesce(j.said_name, i.name) as name,
       j.role_value, j.role_id, j.scope, j.consent_type, j.permissions, j.on_behalf_of_all, j.called_risky, j.directory_role,
       j.keys_new, j.keys_old, j.federated_new, j.federated_old
from joined j left join signal.app_identity i on i.object_id = j.object_id
