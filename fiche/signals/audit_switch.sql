-- Every act that changes what is logged, one row for each thing switched. Values decide, not operations: the service itself runs these
-- cmdlets at set-up, and administrators run them to log more.
with parameter as (
  select e.row_id, e.creation_time as at, lower(coalesce(e.actor_upn, e.user_id)) as actor, e.operation_key, e.object_id, lower(p.name) as name, lower(trim(p.value)) as value
  from ual_event e join ual_property p on p.place = e.place and p.bag = 'parameters'
  where e.operation_key in ('set-adminauditlogconfig', 'set-organizationconfig', 'set-mailbox', 'set-mailboxauditbypassassociation')
    and lower(p.name) in ('identity', 'unifiedauditlogingestionenabled', 'adminauditlogenabled', 'auditdisabled', 'auditbypassenabled', 'auditenabled',
                          'auditlogagelimit', 'auditowner', 'auditdelegate', 'auditadmin')
    and coalesce(e.actor_class, '') <> 'system' and coalesce(e.success, true)
), about as (           -- whose logging: the identity that was typed, else the object
  select row_id, lower(split_part(coalesce(max(case when name = 'identity' and value <> '' then value end), max(object_id)), '/', -1)) as who,
         coalesce(bool_or(name = 'auditenabled' and regexp_like(value, '^\$?true$')), false) as turns_on
  from parameter group by row_id
), act as (
  select p.row_id, p.at, p.actor, p.operation_key, p.name, p.value, coalesce(r.address, a.who) as who, a.turns_on
  from parameter p join about a on a.row_id = p.row_id left join signal.recipient r on r.name = a.who
  where p.name <> 'identity'
), audited as (         -- which acts on a mailbox are recorded: "-X" and "@{Remove=X}" take one away, "+X" adds one, a list replaces what was
  select row_id, at, actor, who, turns_on, case when starts_with(value, '@{') then 'remove' when regexp_like(value, '(^|[;,\s])[-+]') then 'signs' else 'list' end as mode,
         string_to_array(trim(regexp_replace(case when starts_with(value, '@{') then coalesce(regexp_match(value, 'remove\s*=\s*([^;}]*)')[1], '') else coalesce(value, '') end,
           '[;,\s''"(){}@]+', ',', 'g'), ','), ',') as words
  from act where name in ('auditowner', 'auditdelegate', 'auditadmin')
), word as (            -- a list that records reading is nobody's blindfold
  select a.row_id, a.at, a.actor, a.who, a.mode, a.turns_on and cardinality(a.words) > 1 as with_list,
         unnest(case when a.mode <> 'list' then a.words when not array_has(a.words, 'mailitemsaccessed') then array_except(o.every, a.words) end) as word
  from audited a cross join (select array_agg(word order by word) as every from ref.word where list = 'mailbox_operation') o
), switched as (
  select row_id, at, actor,
         case name when 'unifiedauditlogingestionenabled' then 'ingestion' when 'adminauditlogenabled' then 'admin_log' when 'auditdisabled' then 'organisation'
                   when 'auditbypassenabled' then 'bypass' when 'auditenabled' then 'mailbox' when 'auditlogagelimit' then 'age' end as kind,
         case when name in ('auditdisabled', 'auditbypassenabled') then regexp_like(value, '^\$?true$')
              -- "30.00:00:00" is thirty days, "12:00:00" is none
              when name = 'auditlogagelimit' then coalesce(try_cast(split_part(case when contains(value, ':') and not contains(value, '.') then '0' else value end, '.', 1) as int) < $least_days, false)
              else regexp_like(value, '^\$?false$') end as off,
         case when name in ('unifiedauditlogingestionenabled', 'adminauditlogenabled', 'auditdisabled') then '*' else who end as who,
         case when name in ('unifiedauditlogingestionenabled', 'adminauditlogenabled') then '*' else 'mailbox' end as operation
  from act where name not in ('auditowner', 'auditdelegate', 'auditadmin')
  union all
  select row_id, at, actor, case when mode = 'list' and with_list then 'list' else 'actions' end as kind, mode <> 'signs' or starts_with(word, '-') as off, who, ltrim(word, '+-') as operation
  from word where ltrim(word, '+-') <> ''
  union all             -- the plan that brings the richer events is taken out of somebody's licence; both logs write it
  select e.row_id, e.creation_time as at, lower(coalesce(e.actor_upn, e.user_id)) as actor, 'plan' as kind, true as off, lower(e.object_id) as who, 'premium' as operation
  from ual_event e join ual_property p on p.place = e.place
  where e.operation_key = 'change user license' and coalesce(e.actor_class, '') <> 'system' and coalesce(e.success, true)
    and (regexp_like(p.value, '(?s)NewValue.*DisabledPlans=\[[^\]]*M365_ADVANCED_AUDITING') and not regexp_like(p.value, '(?s)DisabledPlans=\[[^\]]*M365_ADVANCED_AUDITING.*NewValue')
         or p.bag = 'modified' and regexp_like(p.value, 'DisabledPlans=\[[^\]]*M365_ADVANCED_AUDITING') and not coalesce(regexp_like(p.old_value, 'DisabledPlans=\[[^\]]*M365_ADVANCED_AUDITING'), false))
  union all
  select a.row_id, a.activity_date_time as at, lower(coalesce(a.actor_upn, a.actor_display_name, a.actor_id)) as actor, 'plan' as kind, true as off, lower(a.target1_upn) as who, 'premium' as operation
  from directory_audit a join directory_audit_change c on c.place = a.place
  where a.activity_key = 'change user license' and not coalesce(a.derived, false) and coalesce(a.actor_class, '') <> 'system' and lower(coalesce(a.result, 'success')) = 'success'
    and regexp_like(c.new_value, 'DisabledPlans=\[[^\]]*M365_ADVANCED_AUDITING') and not coalesce(regexp_like(c.old_value, 'DisabledPlans=\[[^\]]*M365_ADVANCED_AUDITING'), false)
  union all             -- [U] the sending of logs to a workspace or a store is deleted: it is written in Azure's own log, and here if an export holds that
  select row_id, creation_time as at, lower(coalesce(actor_upn, user_id)) as actor, case when operation_key like '%diagnosticsettings/delete' then 'diagnostics' else 'retention' end as kind,
         true as off, '*' as who, cast(null as varchar) as operation
  from ual_event where (operation_key like '%diagnosticsettings/delete' or operation_key = 'remove-unifiedauditlogretentionpolicy') and coalesce(actor_class, '') <> 'system' and coalesce(success, true)
  union all
  select row_id, activity_date_time as at, lower(coalesce(actor_upn, actor_display_name, actor_id)) as actor, 'diagnostics' as kind, true as off, '*' as who, cast(null as varchar) as operation
  from directory_audit where (activity_key like '%diagnosticsettings/delete' or activity_key in ('delete diagnostic setting', 'delete diagnostic settings'))
    and not coalesce(derived, false) and coalesce(actor_class, '') <> 'system' and lower(coalesce(result, 'success')) = 'success'
)
select row_id, at, actor, kind, off, coalesce(who, '*') as who, operation from switched where at is not null
