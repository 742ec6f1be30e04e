with change as (
  select e.row_id, e.operation_key as operation, lower(e.actor_upn) as actor, e.creation_time,
         coalesce(max(case when lower(p.name) in ('name', 'identity') then p.value end), max(e.object_id)) as name,
         array_to_string(array_sort(array_agg(p.value) filter (where lower(p.name) in ('blindcopyto', 'copyto', 'redirectmessageto', 'addtorecipients', 'moderatemessagebyuser', 'generateincidentreport'))), ' ') as target,
         array_to_string(array_sort(array_agg(p.value) filter (where lower(p.name) like '%words' or lower(p.name) like '%patterns')), ' ') as words,
         bool_or(lower(p.name) = 'setauditseverity' and p.value = 'DoNotAudit') as not_audited,
         bool_or(lower(p.name) in ('deletemessage', 'quarantine') and lower(p.value) <> 'false') as destroys
  from ual_event e left join ual_property p on p.place = e.place and p.bag = 'parameters'
  where e.operation_key in ('new-transportrule', 'set-transportrule', 'enable-transportrule', 'disable-transportrule', 'remove-transportrule')
    and coalesce(e.actor_class, '') <> 'system'
  group by e.row_id, e.operation_key, e.actor_upn, e.creation_time
), addressed as (       -- a rule with no address keeps its row
  select row_id, unnest(case when coalesce(array_length(addresses(target)), 0) > 0 then addresses(target) else make_array(cast(null as varchar)) end) as destination
  from change
)
select 'tenant' as subject, lower(c.name) as key, make_array(c.row_id, t.row_id) as rows, c.actor, c.creation_time as first_seen,
       c.name, c.operation, a.destination,
       case when a.destination is null then false else is_external(a.destination) end as sends_out,
       coalesce(is_external(a.destination) and not d.listed, false) as by_users_domains,
       coalesce(is_freemail(a.destination), false) as freemail,
       coalesce(has_word(c.words, 'fin') or has_word(c.words, 'sec'), false) as money_or_warning_words,
       coalesce(odd_name(c.name), false) as odd_name, coalesce(c.not_audited, false) as not_audited, coalesce(c.destroys, false) as destroys,
       c.operation in ('disable-transportrule', 'remove-transportrule')      -- unknown if the export does not hold the rule
         and (t.delete_message or t.quarantine or regexp_like(t.actions, 'Reject|Delete|Quarantine|PrependSubject')) as unprotects,
       coalesce(t.state = 'Disabled', false) and c.operation <> 'disable-transportrule' as switched_off
from change c join addressed a on a.row_id = c.row_id cross join signal.tenant_domains d
left join transport_rule t on lower(t.name) = lower(c.name)
