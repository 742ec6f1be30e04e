-- What an application may do that matters, from the exported state and from the grants seen in the log. One row per application.
-- Only the state rows are cited: a row of the log carries the address of whoever gave the right, which is not that of the act under judgement.
with given as (
  select coalesce(i.app, lower(r.principal_id)) as app, r.permission, 'application' as type, r.row_id
  from app_role_assignment r left join signal.app_identity i on i.object_id = lower(r.principal_id)
  union all
  select coalesce(lower(g.client_app_id), i.app), g.scope, 'delegated', g.row_id
  from oauth2_permission_grant g left join signal.app_identity i on i.object_id = lower(g.client_id)
  union all
  select c.app, coalesce(c.role_value, p.permission), 'application', cast(null as bigint)
  from signal.app_change c left join ref.permission p on p.permission_id = c.role_id and p.type = 'application'
  where c.operation = 'add app role assignment to service principal' and c.done
  union all
  select e.app, unnest(e.scopes), 'delegated', cast(null as bigint) from signal.consent_event e where e.done and e.scopes is not null
)
select g.app, bool_or(p.tier = 0) as takeover, bool_or(p.category in ('mail', 'files') and p.tier <= 1) as mail_or_files,
       array_agg(distinct g.permission order by g.permission) as permissions, array_agg(g.row_id) as rows
from given g join ref.permission p on p.permission = g.permission and p.type = g.type
where g.app is not null and (p.tier = 0 or p.category in ('mail', 'files') and p.tier <= 1)
group by g.app
