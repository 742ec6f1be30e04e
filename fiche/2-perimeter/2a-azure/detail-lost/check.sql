-- Acts, not visits: a sign-in that lost something makes its class unknown, and there may be a million of them.
with act as (
  select row_id, lower(coalesce(actor_upn, user_id, 'unknown')) as actor, operation_key as operation, creation_time as t, flags from ual_event
  where flags is not null and coalesce(record_type, 0) not in (9, 15)
  union all
  select row_id, lower(coalesce(actor_upn, actor_display_name, actor_id, 'unknown')), activity_key, activity_date_time, flags from directory_audit
  where flags is not null and not coalesce(derived, false)
)
select actor as subject, operation as key, row_id as rows, actor, operation, t as first_seen, t as last_seen
from act where array_has(flags, 'truncated_json') or array_has(flags, 'depth_loss')
