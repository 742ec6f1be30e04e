with change as (        -- old and new values of a grant, by name and never by position
  select c.place,
         max(case when c.property = 'Role.TemplateId' then trim(both '"' from coalesce(nullif(c.new_value, ''), c.old_value)) end) as template_id,
         max(case when c.property = 'Role.DisplayName' then trim(both '"' from coalesce(nullif(c.new_value, ''), c.old_value)) end) as role_name,
         max(case when c.property = 'Role.WellKnownObjectName' then trim(both '"' from coalesce(nullif(c.new_value, ''), c.old_value)) end) as well_known,
         max(case when c.property = 'Group.ObjectID' then trim(both '"' from coalesce(nullif(c.new_value, ''), c.old_value)) end) as group_id
  from directory_audit_change c group by c.place
), activation as (      -- privileged identity management writes each activation twice, one correlation id
  select correlation_id from signal.directory_change where activity like '%pim activation%' and correlation_id is not null group by correlation_id
), carrier as (         -- groups known to carry a role; the role may be unknown
  select principal_id as group_id, role_template_id, role_name, row_id from role_assignment where lower(principal_type) = 'group'
  union all
  select via_group_id, role_template_id, role_name, row_id from role_assignment where via_group_id is not null
), group_role as (
  select coalesce(c.group_id, g.id) as group_id, c.role_template_id, c.role_name, c.row_id
  from carrier c full join (select id from entra_group where is_assignable_to_role) g on g.id = c.group_id
), granted as (
  select a.row_id, a.activity, a.activity like '%pim activation%' or n.correlation_id is not null as activation, a.t, a.actor, a.actor_id, a.by_application,
         a.target1_id, a.target1_type, coalesce(a.target1_upn, a.target1_name, a.target1_id) as holder,
         case when c.well_known = 'TenantAdmins' and c.template_id is null then '62e90394-69f5-4237-9190-012177145e10' else c.template_id end as template_id,
         c.role_name, false as through_group, cast(null as bigint) as group_row
  from signal.directory_change a join change c on c.place = a.place left join activation n on n.correlation_id = a.correlation_id
  where a.activity like 'add %member to role%' or a.activity like 'add member to role%' or a.activity like 'add role assignment to role definition%'
  union all
  select a.row_id, a.activity, false, a.t, a.actor, a.actor_id, a.by_application,
         a.target1_id, a.target1_type, coalesce(a.target1_upn, a.target1_name, a.target1_id),
         g.role_template_id, coalesce(g.role_name, g.group_id), true, g.row_id
  from signal.directory_change a join change c on c.place = a.place join group_role g on g.group_id = c.group_id
  where a.activity in ('add member to group', 'add owner to group')
), removed as (
  select a.row_id, a.target1_id, c.template_id, a.t
  from signal.directory_change a join change c on c.place = a.place where a.activity like 'remove %member from role%'
), born as (            -- the log itself says when an account was made
  select target1_id, row_id, t from signal.directory_change where activity = 'add user' and target1_id is not null
)
select lower(g.holder) as subject, coalesce(g.template_id, lower(g.role_name)) as key, case when g.activation then 'activated' else 'found' end as say,
       g.holder, coalesce(r.name, g.role_name) as role, g.actor, g.t as first_seen,
       make_array(g.row_id, g.group_row, d.row_id, b.row_id) as rows,
       not g.activation and case when g.template_id is not null then coalesce(r.tier = 0, false) when g.through_group then cast(null as boolean)
         else g.role_name in ('Global Administrator', 'Company Administrator') end as tier0,
       not g.activation and coalesce(r.tier = 1, false) as tier1,
       g.through_group,
       not g.activation and coalesce(g.actor_id = g.target1_id, false) as to_himself,
       not g.activation and (b.row_id is not null or u.created_date_time > g.t - interval '24 hours') as new_account,
       not g.activation and u.user_type = 'Guest' as guest,
       not g.activation and lower(g.target1_type) = 'serviceprincipal' as application,
       not g.activation and g.by_application as by_application,
       not g.activation and d.row_id is not null as taken_back,
       g.activation
from granted g
left join ref.role r on r.template_id = g.template_id
left join entra_user u on u.id = g.target1_id
left join born b on b.target1_id = g.target1_id and b.t <= g.t and b.t > g.t - interval '24 hours'
left join removed d on d.target1_id = g.target1_id and d.template_id = g.template_id and d.t > g.t and d.t < g.t + interval '24 hours'
