with touched as (       -- records that list the credentials of an application, after and before; nothing listed counts as one unnamed credential
  select row_id, at, app, name, who, by_application, operation, target_type, user_agent, keys_new, keys_old, federated_new is not null and length(federated_new) > length(coalesce(federated_old, '')) as federated,
         keys_new is null and federated_new is null as unlisted
  from signal.app_change
  where done and (operation in ('update application - certificates and secrets management', 'add service principal credentials') or keys_new is not null or federated_new is not null)
), after as (
  select row_id, unnest(string_to_array(keys_new, 'KeyIdentifier=')) as part from touched where keys_new is not null
), before as (
  select row_id, unnest(string_to_array(keys_old, 'KeyIdentifier=')) as part from touched where keys_old is not null
), fresh as (           -- credentials that stood after and not before
  select a.row_id, lower(left(a.part, 36)) as key_id, nullif((regexp_match(a.part, 'DisplayName=([^\]]*)\]'))[1], '') as label,
         strpos(a.part, 'KeyType=Password') > 0 or strpos(a.part, 'KeyUsage=Sign') = 0 as signs_in
  from after a left join (select row_id, lower(left(part, 36)) as key_id from before) b on b.row_id = a.row_id and b.key_id = lower(left(a.part, 36))
  where b.key_id is null and regexp_like(left(a.part, 36), '^[0-9a-fA-F-]{36}$')
), added as (
  select t.row_id, t.at, t.app, t.name, t.who, t.by_application, t.user_agent, f.key_id, f.label, t.federated,
         -- a portal user puts a secret on the application; on the service principal only a signing certificate (and the password that goes with it) is usual
         (t.operation = 'add service principal credentials' or lower(t.target_type) = 'serviceprincipal') and coalesce(f.signs_in, true)
           and strpos(coalesce(t.keys_new, ''), 'KeyUsage=Sign') = 0 as on_service_principal
  from touched t left join fresh f on f.row_id = t.row_id
  where f.key_id is not null or t.federated or t.unlisted
), known as (           -- who the log knows as creator or owner of the application before
  select app, who, min(at) as since from signal.app_change where done and operation in ('add application', 'add service principal') group by app, who
  union all
  select app, target_person, min(at) from signal.app_change where done and operation in ('add owner to application', 'add owner to service principal') group by app, target_person
), judged as (          -- the log may know the owners (then a stranger stands out) or know nothing of them
  select a.row_id, max(case when k.who = a.who then 1 else 0 end) = 1 as at_home
  from added a join known k on k.app = a.app and k.since <= a.at group by a.row_id
), ending as (          -- a credential that was about to expire is being replaced
  select distinct a.row_id from added a join app_credential c on lower(c.app_id) = a.app
  where c.end_date_time >= a.at and c.end_date_time <= a.at + interval '30 days'
), used as (            -- the new credential signs in within a day from an address that this application never used before
  select a.row_id, array_agg(s.row_id) as rows
  from added a join signin s on lower(s.credential_key_id) = a.key_id and s.error_code = 0 and s.created_date_time between a.at and a.at + interval '24 hours'
  join (select lower(app_id) as app, min(created_date_time) as since from signin where sign_in_class = 'service_principal' and error_code = 0 group by lower(app_id)) h
    on h.app = a.app and h.since < a.at
  left join (select lower(app_id) as app, ip, min(created_date_time) as since from signin where sign_in_class = 'service_principal' and error_code = 0 group by lower(app_id), ip) o
    on o.app = a.app and o.ip = s.ip and o.since < a.at
  where o.app is null and s.ip is not null and s.ip not in (select ip from input.egress where ip is not null)
  group by a.row_id
), tool as (
  select distinct a.row_id from added a join ref.user_agent u on u.class like 'offensive%' and strpos(a.user_agent, lower(u.pattern)) > 0
), owned as (           -- Microsoft's own applications, by the list and by the export
  select app_id as app from ref.first_party_app union select lower(app_id) from service_principal where is_microsoft
)
select a.app as subject, coalesce(a.who, '') as key, a.who as actor, a.at as first_seen, a.at as last_seen, coalesce(a.name, a.app) as name, a.label, p.permissions,
       array_concat(make_array(a.row_id), p.rows, u.rows) as rows,
       f.app is not null as first_party_target,
       a.app in ('981f26a1-7f43-403b-a875-f8b09b8cd720', '00000002-0000-0ff1-ce00-000000000000') as known_connector,
       -- of all this person did to this application: one grave act is enough to make it no longer harmless
       p.app is null and f.app is null and not bool_or(a.on_service_principal or t.row_id is not null or u.row_id is not null) over (partition by a.app, a.who) as harmless,
       p.app is not null as powerful, a.on_service_principal, coalesce(a.federated, false) as federated,
       case when j.row_id is not null then not j.at_home end as stranger,
       a.by_application, coalesce(odd_name(a.label), false) as odd_label, bool_and(e.row_id is not null) over (partition by a.app, a.who) as rotation,
       t.row_id is not null as tool, u.row_id is not null as used_elsewhere
from added a
left join owned f on f.app = a.app
left join signal.app_power p on p.app = a.app
left join judged j on j.row_id = a.row_id
left join ending e on e.row_id = a.row_id
left join used u on u.row_id = a.row_id
left join tool t on t.row_id = a.row_id
