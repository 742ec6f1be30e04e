-- Every change of who holds a role, from the directory's log and the unified one: one row per act, read by names and kinds, never by position.
-- Privileged identity management writes its own record (role first, person third) and has the directory write a second one, by MS-PIM:
-- the second is housekeeping, cited with the first, which may stand under another correlation id. Steps on the way (requested, approved, denied) are no change.
with said as (
  select place,
         max(case when property in ('Role.TemplateId', 'TemplateId', 'RoleDefinitionOriginId') then nullif(btrim(coalesce(nullif(new_value, ''), old_value), '" '), '') end) as template_id,
         max(case when property in ('Role.DisplayName', 'RoleDefinition.DisplayName') then nullif(btrim(coalesce(nullif(new_value, ''), old_value), '" '), '') end) as role_name,
         max(case when property = 'Role.WellKnownObjectName' then nullif(btrim(coalesce(nullif(new_value, ''), old_value), '" '), '') end) as well_known
  from directory_audit_change
  where property in ('Role.TemplateId', 'TemplateId', 'RoleDefinitionOriginId', 'Role.DisplayName', 'RoleDefinition.DisplayName', 'Role.WellKnownObjectName')
  group by place
), act as (
  select a.row_id, a.activity_date_time as t, a.correlation_id, replace(a.activity_key, '.', '') as activity, a.actor_id,
         lower(coalesce(a.actor_upn, a.actor_display_name, a.actor_id)) as actor, lower(a.actor_upn) as actor_upn, lower(a.actor_display_name) as actor_name,
         lower(coalesce(a.actor_app_id, p.app_id)) as actor_app, lower(a.actor_sp_id) as actor_sp,
         a.actor_upn is null and (a.actor_app_id is not null or a.actor_sp_id is not null) as by_application,
         coalesce(lower(a.logged_by_service) = 'pim', false) or regexp_like(a.activity_key, ' in pim |pim activation|outside of pim') as in_pim,
         -- a record whose list of targets was lost still names its first one
         coalesce(target_of(a.targets, 'User ServicePrincipal Group', 'type'), case when lower(a.target1_type) <> 'role' then a.target1_type end) as holder_type,
         lower(coalesce(target_of(a.targets, 'User ServicePrincipal Group', 'id'), case when coalesce(lower(a.target1_type), '') <> 'role' then a.target1_id end)) as holder_id,
         lower(coalesce(target_of(a.targets, 'User', 'upn'), target_of(a.targets, 'User ServicePrincipal Group', 'name'),
                        case when coalesce(lower(a.target1_type), '') <> 'role' then coalesce(a.target1_upn, a.target1_name) end)) as holder_name,
         coalesce(target_of(a.targets, 'Role', 'name'), case when lower(a.target1_type) = 'role' then a.target1_name end) as role_target,
         s.template_id, s.role_name, s.well_known
  from directory_audit a
  left join said s on s.place = a.place
  left join service_principal p on p.id = a.actor_sp_id and a.actor_upn is null and a.actor_app_id is null
  where lower(a.result) in ('success', 'succeeded')
    and coalesce(a.actor_class, '') <> 'system' and coalesce(lower(a.actor_upn), '') not like '%@support.onmicrosoft.com'
    and regexp_like(a.activity_key, 'member (to|from) role|role assignment (to|from) role definition')
    and not regexp_like(a.activity_key, 'request|approv|denied|cancel|failed|reminder')
), named as (
  select a.*, coalesce(a.holder_id, a.holder_name) as holder_key,
         coalesce(a.template_id, n.template_id, case when a.role_name is null and a.role_target is null and a.well_known = 'TenantAdmins' then '62e90394-69f5-4237-9190-012177145e10' end) as role_id,
         coalesce(a.role_name, a.role_target, a.well_known) as said_role,
         case when a.activity like '%expired%' then 'expired' when a.activity like 'remove %' then 'removed' when a.activity like '%pim activation%' then 'activated'
              when a.activity like 'add eligible %' then 'eligible' when a.activity like 'add %' then 'granted' end as what,
         coalesce(a.by_application and a.actor_app = '01fc33a7-78ba-4d2f-a4b7-768e336e890e', false) as by_pim,
         -- some records of Microsoft's services bear no application id, and a name can be borrowed: it is believed only where the records agree
         coalesce(a.by_application and a.actor_app is null and a.actor_name in ('ms-pim', 'azure ad pim', 'microsoft entra pim'), false) as named_pim
  from act a left join (select lower(name) as name, min(template_id) as template_id from ref.role group by lower(name)) n on n.name = lower(coalesce(a.role_name, a.role_target)) and a.template_id is null
  where coalesce(a.holder_id, a.holder_name) is not null
), keyed as (
  select *, coalesce(role_id, lower(said_role), '') as role_key from named where what is not null
), seen as (            -- the record of the service itself beside that of the directory: at most a day before (a start planned for later), ten minutes where only the name speaks [J]
  select *,
         max(case when in_pim and not by_pim and not named_pim and what in ('granted', 'eligible', 'activated') then row_id end)
           over (partition by holder_key, role_key order by t range between interval '24 hours' preceding and interval '10 minutes' following) as pim_day,
         max(case when in_pim and not by_pim and not named_pim and what in ('granted', 'eligible', 'activated') then row_id end)
           over (partition by holder_key, role_key order by t range between interval '10 minutes' preceding and interval '10 minutes' following) as pim_near,
         max(case when not in_pim and not by_pim and not named_pim and what in ('granted', 'eligible') then row_id end)
           over (partition by holder_key, role_key order by t range between interval '60 minutes' preceding and interval '60 minutes' following) as outside_pim,
         min(case when what in ('removed', 'expired') and (by_pim or named_pim or what = 'expired') then t end)
           over (partition by holder_key, role_key order by t range between current row and interval '24 hours' following) as ended_by_pim,
         max(case when what = 'removed' and not by_pim and not named_pim then row_id end)
           over (partition by holder_key, role_key, actor order by t range between current row and interval '24 hours' following) as taken_back -- by the same hand: whoever else removes it repairs
  from keyed
), twin as (
  select *, case when not in_pim and by_pim then pim_day when not in_pim and named_pim then pim_near
                 when activity like '%outside of pim%' then outside_pim end as main
  from seen where what in ('granted', 'eligible', 'activated')
), copies as (
  select main, array_agg(row_id) as rows from twin where main is not null group by main
), proven as (          -- an application named like the service is the service if one of its records stands beside one of the service's own
  select actor_sp from twin where named_pim and main is not null and actor_sp is not null group by actor_sp
), eligible as (
  select lower(principal_id) as principal_id, role_template_id, min(row_id) as row_id from role_assignment where state = 'eligible' group by lower(principal_id), role_template_id
)
select w.row_id, w.t, w.correlation_id, w.actor, w.actor_id, w.actor_upn, lower(w.holder_type) as holder_type, w.holder_id, coalesce(w.holder_name, w.holder_id) as holder,
       w.role_id, coalesce(r.name, w.said_role) as role_name, r.tier, coalesce(r.privileged or r.tier <= 1, false) as administers, w.role_key,
       -- the directory's half of an activation whose other half is not in the evidence: the holder was eligible, or the service took the role back within a day
       case when not w.in_pim and (e.row_id is not null and (w.by_pim or w.named_pim) or w.ended_by_pim is not null and (w.by_pim or v.actor_sp is not null)) then 'activated' else w.what end as what,
       w.by_application and not w.by_pim and v.actor_sp is null as by_application,
       w.named_pim and v.actor_sp is null as named_like_service,
       w.taken_back, array_concat(make_array(w.row_id), c.rows) as rows
from twin w
left join copies c on c.main = w.row_id
left join ref.role r on r.template_id = w.role_id
left join proven v on v.actor_sp = w.actor_sp
left join eligible e on e.principal_id = w.holder_id and e.role_template_id = w.role_id
where w.main is null
