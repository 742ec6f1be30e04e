with given as (         -- one row per person, application and scope
  select lower(coalesce(g.principal_upn, g.principal_id)) as who, coalesce(lower(g.client_app_id), i.app, lower(g.client_id)) as app, coalesce(g.client_display_name, i.name) as name, g.scope, g.row_id
  from oauth2_permission_grant g left join signal.app_identity i on i.object_id = lower(g.client_id)
  where coalesce(g.principal_upn, g.principal_id) is not null
), judged as (
  select g.who, g.app, max(g.name) as name, array_agg(distinct g.scope order by g.scope) as scopes, array_agg(g.row_id) as rows,
         coalesce(bool_or(p.category in ('mail', 'files', 'teams') and p.tier <= 1), false) as mail_or_files,
         coalesce(bool_or(p.category = 'takeover' or p.tier = 0), false) as directory
  from given g left join ref.permission p on p.permission = g.scope and p.type = 'delegated'
  group by g.who, g.app
), sp as (
  select lower(app_id) as app, bool_or(is_microsoft) as is_microsoft, bool_or(verified_publisher_id is null) as unverified, array_agg(row_id) as rows
  from service_principal group by lower(app_id)
), vip as (
  select distinct lower(principal) as who from input.vip
), rogue as (
  select distinct app_id from ref.rogue_app
)
select j.who as subject, j.app as key, j.who as actor, coalesce(j.name, j.app) as name, j.scopes, array_concat(j.rows, sp.rows) as rows,
       f.app_id is not null or coalesce(sp.is_microsoft, false) as first_party,
       not (j.mail_or_files or j.directory or r.app_id is not null) as harmless,
       v.who is not null as vip, j.mail_or_files, j.directory, case when sp.app is not null then sp.unverified end as unverified, r.app_id is not null as rogue
from judged j
left join sp on sp.app = j.app
left join ref.first_party_app f on f.app_id = j.app
left join rogue r on r.app_id = j.app
left join vip v on v.who = j.who
