with given as (         -- an application permission, or a directory role, given to an application
  select c.row_id, c.at, c.app, c.name, c.who, c.by_application, coalesce(c.role_value, p.permission, r.name, c.role_id, c.directory_role) as permission,
         p.tier = 0 as takeover, p.category in ('mail', 'files', 'teams') and p.tier = 1 as mail_or_files,
         p.tier = 1 and p.category not in ('mail', 'files', 'teams') as other, r.privileged as directory_role,
         -- neither in the list, nor named like one that only reads what everybody may read
         p.permission is null and r.template_id is null and not coalesce(regexp_like(c.role_value, '^[A-Za-z]+\.Read(Basic)?(\.All)?$')
           and not regexp_like(lower(c.role_value), 'mail|file|site|chat|channel|message|note|calendar|contact|directory|team|exchange'), false) as unknown
  from signal.app_change c
  left join ref.permission p on p.type = 'application' and (p.permission_id = c.role_id or c.role_id is null and p.permission = c.role_value)
  left join ref.role r on r.template_id = c.directory_role
  where c.done and (c.operation = 'add app role assignment to service principal' or c.operation = 'add member to role' and lower(c.target_type) = 'serviceprincipal')
), act as (
  select app, who, max(name) as name, min(at) as first_seen, max(at) as last_seen, array_agg(row_id) as rows, array_agg(distinct permission order by permission) as permissions,
         bool_or(by_application) as by_application, coalesce(bool_or(takeover), false) as takeover,
         coalesce(bool_or(mail_or_files), false) as mail_or_files, coalesce(bool_or(other), false) as other, coalesce(bool_or(directory_role), false) as directory_role,
         bool_or(unknown) as not_understood
  from given group by app, who
), name as (
  select distinct app from signal.deceptive_name where exact_name or same_skeleton or one_letter_off or tool_name
)
select a.app as subject, coalesce(a.who, '') as key, a.who as actor, a.first_seen, a.last_seen, coalesce(a.name, a.app) as name, a.permissions, a.rows,
       not (a.takeover or a.mail_or_files or a.directory_role or a.not_understood) as harmless, a.not_understood,
       a.takeover, a.mail_or_files, a.other, a.directory_role, a.by_application, n.app is not null as deceptive
from act a left join name n on n.app = a.app
