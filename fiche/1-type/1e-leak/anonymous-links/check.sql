with link as (          -- a link made by a person; two records may tell of one link, so links are counted by what they open
  select row_id, creation_time as at, lower(actor_upn) as who, coalesce(sharing_id, object_id, file_name, id) as link, object_id, file_name
  from ual_event
  where operation_key in ('anonymouslinkcreated', 'sharinglinkcreated', 'addedtosecurelink') and actor_upn is not null and coalesce(actor_class, '') <> 'system'
    and (operation_key <> 'addedtosecurelink' or target_user is null or coalesce(is_external(target_user), true))
), pace as (
  select who, count(distinct link) over (partition by who order by at range between interval '60 minutes' preceding and current row) as links from link
), burst as (
  select who, max(links) as links from pace group by who
), visit as (           -- somebody unknown opened it
  select row_id, sharing_id, object_id, client_ip as ip from ual_event where operation_key = 'anonymouslinkused'
), used as (            -- OR in a join does not scale: two joins, one by the share, one by the file
  select l.who, v.row_id, v.ip from visit v join (select distinct who, link from link) l on l.link = v.sharing_id
  union
  select l.who, v.row_id, v.ip from visit v join (select distinct who, object_id from link where object_id is not null) l on l.object_id = v.object_id
), own as (             -- addresses from which the maker acts: who opens from there is no stranger
  select lower(e.actor_upn) as who, e.client_ip as ip from ual_event e join (select distinct who from link) l on l.who = lower(e.actor_upn)
  where e.client_ip is not null group by lower(e.actor_upn), e.client_ip
), opening as (
  select u.who, u.row_id, u.ip, o.ip is not null as by_maker from used u left join own o on o.who = u.who and o.ip = u.ip
  where u.ip is null or u.ip not in (select ip from input.egress where ip is not null)
), opened as (
  select who, array_agg(row_id) as rows, count(distinct case when not by_maker then ip end) as addresses, bool_or(by_maker) as by_maker, bool_or(not by_maker) as by_stranger
  from opening group by who
), total as (
  select who, array_agg(row_id) as rows, count(distinct link) as n, array_agg(distinct file_name order by file_name) filter (where file_name is not null) as files,
         coalesce(bool_or(has_word(file_name, 'fin')), false) as money_words, min(at) as first_seen, max(at) as last_seen
  from link group by who
)
select t.who as subject, '' as key, t.who as actor, t.first_seen, t.last_seen, t.n, t.files, nullif(o.addresses, 0) as addresses, array_concat(t.rows, o.rows) as rows,
       b.links >= $links as burst, t.money_words, coalesce(o.by_stranger, false) as used, coalesce(o.by_maker, false) as used_by_maker,
       coalesce(o.addresses, 0) >= 3 as used_widely, not coalesce(o.by_stranger, false) as unused
from total t join burst b on b.who = t.who left join opened o on o.who = t.who
