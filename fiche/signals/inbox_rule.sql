-- Every inbox rule seen, in one shape, whoever wrote it: cmdlet parameters (New-, Set-, Remove-InboxRule), UpdateInboxRules in its
-- EWS and MAPI forms, and the exported rules. One row per record: a rule created, changed, then exported is three rows of one key.
-- Texts are gathered, then sorted: an aggregate that orders by itself holds some 30 KB for each rule.
with parameter as (     -- one property per cmdlet parameter; Set- logs only what changed: what it does not say stays NULL
  select e.row_id, e.creation_time as at, e.operation_key, e.actor_upn, coalesce(e.app_access_session_id, e.session_id) as session,
         e.operation_key in ('remove-inboxrule', 'disable-inboxrule') as removes,
         coalesce(nullif(e.mailbox_owner_upn, ''), max(case when lower(p.name) = 'mailbox' then nullif(p.value, '') end)) as owner,
         case when strpos(e.object_id, '\') > 0 then split_part(e.object_id, '\', 1) end as path,
         coalesce(max(case when lower(p.name) = 'name' then coalesce(p.value, '') end),
                  case when strpos(e.object_id, '\') > 0 then split_part(e.object_id, '\', -1) end) as name,
         cast(null as varchar) as rule_id,
         array_to_string(array_sort(array_agg(p.value) filter (where lower(p.name) in ('forwardto', 'redirectto', 'forwardasattachmentto'))), ' ') as target,
         bool_or(lower(p.name) in ('deletemessage', 'softdeletemessage') and lower(p.value) = 'true') as deletes,
         false as deletes_for_good,
         max(case when lower(p.name) = 'movetofolder' then nullif(p.value, '') end) as folder,
         bool_or(lower(p.name) = 'movetofolder' and p.value <> '') as moves,
         bool_or(lower(p.name) = 'markasread' and lower(p.value) = 'true') as marks_read,
         bool_or(lower(p.name) = 'stopprocessingrules' and lower(p.value) = 'true') as stops,
         case when bool_or(regexp_like(lower(p.name), '^(subject|body|header|from|sentto|sentonly|has|my|received|within|withimp|withsens|messagetype|flagged|recipient)') and p.value <> '' and lower(p.value) <> 'false') then true
              when e.operation_key = 'new-inboxrule' then false end as has_condition,
         coalesce(bool_or(lower(p.name) = 'withinsizerangeminimum' and regexp_like(p.value, '^([0-9]{1,3}|10[01][0-9]|102[0-3])( ?[Bb].*)?$')
                   or lower(p.name) like '%words' and regexp_like(p.value, '(^|[;,])\s*[@.]\s*([;,]|$)')), false) as catches_all,
         array_to_string(array_sort(array_agg(p.value) filter (where lower(p.name) like '%words')), ' ') as words,
         array_to_string(array_sort(array_agg(p.value) filter (where lower(p.name) in ('from', 'fromaddresscontainswords'))), ' ') as senders
  from ual_event e join ual_property p on p.place = e.place and p.bag = 'parameters'
  where e.operation_key in ('new-inboxrule', 'set-inboxrule', 'enable-inboxrule', 'remove-inboxrule', 'disable-inboxrule')
    and coalesce(e.actor_class, '') <> 'system'
  group by e.row_id, e.creation_time, e.operation_key, e.actor_upn, e.mailbox_owner_upn, e.object_id, e.app_access_session_id, e.session_id
), operation as (       -- UpdateInboxRules: JSON or text inside a value; the EWS form has Name, Actions, ServerRule, the MAPI form RuleName, RuleActions
  select e.row_id, e.creation_time as at, e.operation_key, e.actor_upn, coalesce(e.app_access_session_id, e.session_id) as session, nullif(e.mailbox_owner_upn, '') as owner,
         coalesce(bool_or(lower(p.name) = 'ruleoperation' and regexp_like(lower(p.value), '^(remove|delete)')), false) as removes,
         coalesce(bool_or(lower(p.name) = 'ruleoperation' and regexp_like(lower(p.value), '^(add|create)')), false) as creates,
         -- a blank name in a MAPI change is a name that was not logged, not a blank name
         max(case when lower(p.name) = 'name' then p.value when lower(p.name) = 'rulename' then nullif(p.value, '') end) as name,
         max(case when lower(p.name) = 'ruleid' then p.value end) as rule_id,
         array_to_string(array_sort(array_agg(case when lower(p.name) = 'serverrule' then split_part(split_part(p.value, '"Actions"', 2), '"Conditions"', 1) else p.value end)
           filter (where lower(p.name) in ('actions', 'ruleactions', 'serverrule'))), ' ') as actions,
         array_to_string(array_sort(array_agg(p.value) filter (where lower(p.name) in ('conditions', 'rulecondition'))), ' ') as conditions
  from ual_event e join ual_property p on p.place = e.place and p.bag = 'operation'
  where e.operation_key = 'updateinboxrules' and coalesce(e.actor_class, '') <> 'system'
  group by e.row_id, e.creation_time, e.operation_key, e.actor_upn, e.mailbox_owner_upn, e.app_access_session_id, e.session_id
), every as (
  select row_id, at, actor_upn, session, owner, path, removes, name, rule_id, target, deletes, deletes_for_good, folder, moves, marks_read, stops,
         has_condition, catches_all, words, senders, false as in_state from parameter
  union all
  select row_id, at, actor_upn, session, owner, cast(null as varchar) as path, removes, name, rule_id,
         case when regexp_like(actions, 'Forward|Redirect') then actions end as target,
         regexp_like(actions, 'Delete') as deletes, regexp_like(actions, 'PermanentDelete') as deletes_for_good,
         regexp_match(actions, '(?i)"[a-z]*folder[a-z]*"\s*:\s*"([^"]*)"')[1] as folder, regexp_like(actions, 'Move') as moves,
         regexp_like(actions, 'MarkAsRead') as marks_read, regexp_like(actions, 'StopProcessing') as stops,
         case when conditions is not null then regexp_replace(conditions, '[\s\[\]{}()&|]', '', 'g') <> '' when creates then false end as has_condition,
         coalesce(regexp_like(conditions, '^[{(\s]*Exists\(ItemClass\)[\s)}]*$'), false) as catches_all,   -- every message has a class
         conditions as words, array_to_string(addresses(conditions), ' ') as senders, false as in_state from operation
  union all
  select row_id, arrow_cast(null, 'Timestamp(Microsecond, Some("UTC"))') as at, cast(null as varchar) as actor_upn, cast(null as varchar) as session, mailbox_smtp as owner, cast(null as varchar) as path,
         false as removes, coalesce(name, '') as name, rule_id,
         concat_ws(' ', array_to_string(forward_to, ' '), array_to_string(redirect_to, ' '), array_to_string(forward_as_attachment_to, ' ')) as target,
         coalesce(delete_message, false) or coalesce(soft_delete, false) as deletes, false as deletes_for_good,
         nullif(move_to_folder, '') as folder, nullif(move_to_folder, '') is not null as moves, mark_as_read as marks_read, stop_processing as stops,
         case when conditions is not null then trim(conditions) not in ('', '{}', '[]', 'null') when array_length(keywords) > 0 then true end as has_condition,
         coalesce(regexp_like(array_to_string(keywords, ';'), '(^|;)\s*[@.]\s*(;|$)'), false) as catches_all,
         concat_ws(' ', array_to_string(keywords, ' '), conditions) as words, array_to_string(addresses(conditions), ' ') as senders, true as in_state
  from inbox_rule
), named as (           -- whose mailbox: the owner in the record, else the path of the rule if it names somebody, else the actor's own
  select v.*, exchange_name(coalesce(v.owner, v.path)) as who from every v
)
select n.row_id, n.at, coalesce(r.address, lower(n.owner), lower(n.actor_upn)) as mailbox, lower(n.actor_upn) as actor, n.session,
       trim(n.name) as name, coalesce(lower(trim(n.name)), n.rule_id, '') as key, n.removes, n.target,
       coalesce(n.deletes, false) as deletes, coalesce(n.deletes_for_good, false) as deletes_for_good, trim(split_part(split_part(n.folder, '\', -1), '/', -1)) as folder,
       coalesce(n.moves, false) as moves, coalesce(n.marks_read, false) as marks_read, coalesce(n.stops, false) as stops,
       n.has_condition, n.catches_all, n.words, n.senders, n.in_state
from named n left join signal.recipient r on r.name = n.who
