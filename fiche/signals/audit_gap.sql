-- From when to when the audit log proves no absence, by whom and of which operation. It begins with the act that switched the logging off and ends when it
-- is switched on again, or when the log speaks again: a switch may take an hour to work (learn.microsoft.com, "Turn auditing on or off") [M], so what is
-- written in the first hour shows nothing. Acts of one hour are one: an intruder who repeats himself a hundred thousand times makes no more gaps than hours.
with off as (
  select kind, who, operation, min(at) as at, max(at) as last from signal.audit_switch where off and operation is not null group by kind, who, operation, date_trunc('hour', at)
), back as (
  select kind, who, operation, min(at) as at, max(at) as last from signal.audit_switch where not off group by kind, who, operation, date_trunc('hour', at)
), minute as (          -- the last record of each minute that has one
  select date_trunc('hour', creation_time) as hour, max(creation_time) as at from ual_event group by date_trunc('hour', creation_time), date_trunc('minute', creation_time)
), hour as (            -- and the first of each hour
  select date_trunc('hour', creation_time) as hour, min(creation_time) as at from ual_event group by date_trunc('hour', creation_time)
), silent as (
  select kind, who, operation, at, last + interval '60 minutes' as last, date_trunc('hour', last + interval '60 minutes') as hour from off where operation = '*'
), mail as (            -- acts on a mailbox show that its logging works; those of an exempted account, that the exemption has ended
  select lower(e.mailbox_owner_upn) as who, cast(null as varchar) as by, e.operation_key, date_trunc('hour', e.creation_time) as hour, max(e.creation_time) as at
  from ual_event e join (select distinct who from off where who <> '*') o on o.who = lower(e.mailbox_owner_upn) join ref.word w on w.list = 'mailbox_operation' and w.word = e.operation_key
  group by lower(e.mailbox_owner_upn), e.operation_key, date_trunc('hour', e.creation_time)
  union all
  select cast(null as varchar), lower(e.actor_upn), e.operation_key, date_trunc('hour', e.creation_time) as hour, max(e.creation_time)
  from ual_event e join (select distinct who from off where kind = 'bypass') o on o.who = lower(e.actor_upn) join ref.word w on w.list = 'mailbox_operation' and w.word = e.operation_key
  group by lower(e.actor_upn), e.operation_key, date_trunc('hour', e.creation_time)
  union all
  select '*', cast(null as varchar), e.operation_key, date_trunc('hour', e.creation_time) as hour, max(e.creation_time)
  from ual_event e join (select distinct operation from off where kind = 'organisation') o on o.operation = 'mailbox' join ref.word w on w.list = 'mailbox_operation' and w.word = e.operation_key
  group by e.operation_key, date_trunc('hour', e.creation_time)
), ends as (
  select o.kind, o.who, o.operation, o.at, case when b.at > o.last then b.at else b.last end as until
  from off o join back b on b.kind = o.kind and b.who = o.who and b.operation = o.operation and b.last > o.last
  union all
  select o.kind, o.who, o.operation, o.at, m.at from silent o join minute m on m.hour = o.hour and m.at > o.last
  union all             -- hours against hours: few, whatever the log holds
  select o.kind, o.who, o.operation, o.at, min(h.at) from silent o join hour h on h.hour > o.hour group by o.kind, o.who, o.operation, o.at
  union all
  select o.kind, o.who, o.operation, o.at, m.at from off o join mail m on m.who = o.who and m.at > o.last + interval '60 minutes'
  where o.kind in ('organisation', 'mailbox', 'age') or o.operation = m.operation_key or o.operation = 'premium' and m.operation_key in ('mailitemsaccessed', 'send', 'searchqueryinitiatedexchange')
  union all
  select o.kind, o.who, o.operation, o.at, m.at from off o join mail m on m.by = o.who and m.at > o.last + interval '60 minutes' where o.kind = 'bypass'
), ended as (
  select o.kind, o.who, o.operation, o.at, min(e.until) as until
  from off o left join ends e on e.kind = o.kind and e.who = o.who and e.operation = o.operation and e.at = o.at group by o.kind, o.who, o.operation, o.at
)                       -- the words for many operations become the operations
select 'ual_event' as table_name, e.kind, e.who,
       case e.operation when 'mailbox' then m.every when 'premium' then make_array('mailitemsaccessed', 'send', 'searchqueryinitiatedexchange') else make_array(e.operation) end as operations,
       e.at as time_from, e.until as time_to
from ended e cross join (select array_agg(word order by word) as every from ref.word where list = 'mailbox_operation') m
