with gap as (           -- until when the log is proven, for everybody and for one account
  select s.row_id, min(g.time_from) as ended, case when count(*) = count(g.time_to) then max(g.time_to) end as again
  from signal.audit_switch s join signal.audit_gap g on g.kind = s.kind and g.who = s.who and g.who = '*' and g.time_from <= s.at and g.time_from > s.at - interval '1 hour'
  where s.off and s.kind in ('ingestion', 'admin_log') group by s.row_id
), act as (
  select s.row_id, s.at, s.actor, s.kind, s.who, min(g.ended) over (partition by s.actor) as ended,
         case when count(g.ended) over (partition by s.actor) = count(g.again) over (partition by s.actor) then max(g.again) over (partition by s.actor) end as again
  from (select distinct row_id, at, actor, kind, who from signal.audit_switch where off and (kind <> 'list' or operation = 'mailitemsaccessed')) s left join gap g on g.row_id = s.row_id
)
select 'tenant' as subject, a.row_id as rows, a.actor, a.at as first_seen, case when a.who <> '*' then a.who end as whom,
       case when a.again is null then a.ended end as for_good, case when a.again is not null then a.ended end as ended, a.again,
       a.kind = 'ingestion' as ingestion_off,
       a.kind = 'admin_log' as admin_log_off,
       a.kind = 'organisation' as organisation_off,
       a.kind = 'bypass' as bypassed,
       a.kind = 'mailbox' as mailbox_off,
       a.kind = 'age' as kept_shorter,
       a.kind = 'actions' as actions_removed,
       a.kind = 'plan' as plan_off,
       a.kind = 'diagnostics' as sending_deleted,
       a.kind = 'retention' as retention_removed,
       a.kind = 'list' as own_list
from act a
