with scope as (         -- one row per record and scope; a refused consent also tells what was asked for
  select row_id, unnest(scopes) as scope from signal.consent_event where scopes is not null
), strength as (
  select s.row_id, array_agg(distinct s.scope order by s.scope) as scopes,
         bool_or(p.category in ('mail', 'files', 'teams') and p.tier <= 1) as mail_or_files,
         bool_or(p.category = 'takeover' or p.tier = 0) as directory,
         bool_or(s.scope = 'offline_access') as stays,
         bool_or(s.scope like 'Mail.Send%') and bool_or(s.scope like 'Mail.Read%') and bool_or(s.scope like 'Contacts.Read%') as fraud_kit
  from scope s left join ref.permission p on p.permission = s.scope and p.type = 'delegated'
  group by s.row_id
), act as (             -- one row per person and application
  select e.app, e.who, max(e.name) as name, min(e.at) as first_seen, max(e.at) as last_seen, array_agg(e.row_id) as rows, flatten(array_agg(s.scopes)) as scopes,
         bool_or(e.for_everybody and e.done) as for_everybody, bool_or(e.done) as done, bool_or(e.called_risky) as called_risky,
         coalesce(bool_or(s.mail_or_files), false) as mail_or_files, coalesce(bool_or(s.directory), false) as directory,
         coalesce(bool_or(s.stays), false) as stays, coalesce(bool_or(s.fraud_kit), false) as fraud_kit
  from signal.consent_event e left join strength s on s.row_id = e.row_id
  group by e.app, e.who
), pace as (            -- how many people consented to this application within seven days
  select app, count(distinct who) over (partition by app order by at range between interval '7 days' preceding and current row) as people
  from signal.consent_event where done and not for_everybody
), crowd as (
  select app, max(people) as people from pace group by app
), name as (
  select app, max(near) as near, flatten(array_agg(rows)) as rows from signal.deceptive_name where exact_name or same_skeleton or one_letter_off or tool_name group by app
), sp as (
  select lower(app_id) as app, bool_or(is_microsoft) as is_microsoft, bool_or(verified_publisher_id is null) as unverified, array_agg(row_id) as rows from service_principal group by lower(app_id)
), vip as (
  select distinct lower(principal) as who from input.vip
), rogue as (
  select distinct app_id from ref.rogue_app
)
select a.app as subject, a.who as key, a.who as actor, a.first_seen, a.last_seen, coalesce(a.name, a.app) as name, a.scopes, n.near,
       array_concat(a.rows, sp.rows) as rows,
       f.app_id is not null or coalesce(sp.is_microsoft, false) as first_party,
       case when a.scopes is not null then not (a.mail_or_files or a.directory or a.called_risky or n.app is not null or r.app_id is not null) end as harmless,
       not a.done as refused,
       a.for_everybody, a.mail_or_files, a.directory, a.fraud_kit, a.stays and (a.mail_or_files or a.directory) as stays, a.called_risky,
       n.app is not null as deceptive, sp.unverified and sp.app is not null as unverified, coalesce(c.people, 0) >= $crowd as crowd,
       v.who is not null as vip, r.app_id is not null as rogue
from act a
left join crowd c on c.app = a.app
left join name n on n.app = a.app
left join sp on sp.app = a.app
left join ref.first_party_app f on f.app_id = a.app
left join rogue r on r.app_id = a.app
left join vip v on v.who = a.who
