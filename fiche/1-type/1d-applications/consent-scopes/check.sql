with given as (         -- one row per application and delegated scope, whoever gave it
  select coalesce(lower(g.client_app_id), i.app, lower(g.client_id)) as app, g.scope, max(coalesce(g.client_display_name, i.name)) as name, array_agg(g.row_id) as rows
  from oauth2_permission_grant g left join signal.app_identity i on i.object_id = lower(g.client_id)
  group by coalesce(lower(g.client_app_id), i.app, lower(g.client_id)), g.scope
), judged as (
  select g.app, max(g.name) as name, array_agg(g.scope order by g.scope) as scopes, flatten(array_agg(g.rows)) as rows,
         coalesce(bool_or(p.category in ('mail', 'files', 'teams') and p.tier <= 1), false) as mail_or_files,
         coalesce(bool_or(p.category = 'takeover' or p.tier = 0), false) as directory,
         bool_or(g.scope = 'offline_access') as stays, bool_or(g.scope = 'MailboxSettings.ReadWrite') as rules,
         bool_or(g.scope in ('EWS.AccessAsUser.All', 'IMAP.AccessAsUser.All', 'full_access_as_user')) as whole_mailbox,
         bool_or(g.scope like 'Mail.Send%') and bool_or(g.scope like 'Mail.Read%') and bool_or(g.scope like 'Contacts.Read%') as fraud_kit
  from given g left join ref.permission p on p.permission = g.scope and p.type = 'delegated'
  group by g.app
), sp as (
  select lower(app_id) as app, bool_or(is_microsoft) as is_microsoft, bool_or(verified_publisher_id is null) as unverified, array_agg(row_id) as rows
  from service_principal group by lower(app_id)
), rogue as (
  select distinct app_id from ref.rogue_app
)
select j.app as subject, '' as key, coalesce(j.name, j.app) as name, j.scopes, array_concat(j.rows, sp.rows) as rows,
       f.app_id is not null or coalesce(sp.is_microsoft, false) as first_party,
       not (j.mail_or_files or j.directory or r.app_id is not null) as harmless,
       j.mail_or_files, j.directory, j.fraud_kit, j.rules, j.whole_mailbox, j.stays and (j.mail_or_files or j.directory) as stays,
       case when sp.app is not null then sp.unverified end as unverified, r.app_id is not null as rogue
from judged j
left join sp on sp.app = j.app
left join ref.first_party_app f on f.app_id = j.app
left join rogue r on r.app_id = j.app
