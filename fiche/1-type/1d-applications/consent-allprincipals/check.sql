with given as (         -- one row per application and scope given on behalf of everybody
  select coalesce(lower(g.client_app_id), i.app, lower(g.client_id)) as app, g.scope, max(coalesce(g.client_display_name, i.name)) as name, array_agg(g.row_id) as rows
  from oauth2_permission_grant g left join signal.app_identity i on i.object_id = lower(g.client_id)
  where lower(g.consent_type) = 'allprincipals'
  group by coalesce(lower(g.client_app_id), i.app, lower(g.client_id)), g.scope
), judged as (
  select g.app, max(g.name) as name, array_agg(g.scope order by g.scope) as scopes, flatten(array_agg(g.rows)) as rows,
         coalesce(bool_or(p.category in ('mail', 'files', 'teams') and p.tier <= 1), false) as mail_or_files,
         coalesce(bool_or(p.category = 'takeover' or p.tier = 0), false) as directory
  from given g left join ref.permission p on p.permission = g.scope and p.type = 'delegated'
  group by g.app
), consent as (         -- the act of consent, where the log has it: its actor and time become the finding's
  select app, array_agg(row_id) as rows, array_agg(distinct who) as who, min(at) as first_seen from signal.consent_event where done and for_everybody group by app
), name as (
  select distinct app from signal.deceptive_name where exact_name or same_skeleton or one_letter_off or tool_name
), sp as (
  select lower(app_id) as app, bool_or(is_microsoft) as is_microsoft, bool_or(verified_publisher_id is null) as unverified,
         bool_or(created_date_time >= $window_from) as young, array_agg(row_id) as rows
  from service_principal group by lower(app_id)
), rogue as (
  select distinct app_id from ref.rogue_app
)
select j.app as subject, '' as key, coalesce(j.name, j.app) as name, j.scopes, c.who as actor, c.first_seen,
       array_concat(j.rows, sp.rows, c.rows) as rows,
       f.app_id is not null or coalesce(sp.is_microsoft, false) as first_party,
       not (j.mail_or_files or j.directory or n.app is not null or r.app_id is not null) as harmless,
       j.mail_or_files, j.directory, n.app is not null as deceptive, r.app_id is not null as rogue,
       case when sp.app is not null then sp.unverified end as unverified, coalesce(sp.young, false) or c.app is not null as young
from judged j
left join sp on sp.app = j.app
left join consent c on c.app = j.app
left join name n on n.app = j.app
left join ref.first_party_app f on f.app_id = j.app
left join rogue r on r.app_id = j.app
