-- The exported accounts, one row each however many exports hold them: of two that differ the later one tells how the account is now.
with told as (
  select coalesce(p.id, lower(u.id), lower(u.user_principal_name)) as id, coalesce(p.upn, lower(u.user_principal_name), lower(u.id)) as upn, u.row_id, u.collected_at,
         u.account_enabled, u.user_type, u.created_date_time, coalesce(u.on_premises_sync_enabled, u.on_premises_immutable_id <> '') as synced
  from entra_user u left join signal.principal p on p.name = coalesce(lower(u.id), lower(u.user_principal_name))
), latest as (          -- an export that did not ask for a property says nothing of it
  select id, max(case when account_enabled is not null then collected_at end) as enabled_at, max(case when synced is not null then collected_at end) as synced_at
  from told group by id
)
select t.id, min(t.upn) as upn, max(t.user_type) as user_type, min(t.created_date_time) as created, array_agg(t.row_id) as rows,
       bool_or(case when t.collected_at = l.enabled_at or l.enabled_at is null then t.account_enabled end) as account_enabled,
       bool_or(case when t.collected_at = l.synced_at or l.synced_at is null then t.synced end) as synced
from told t join latest l on l.id = t.id
where t.id is not null
group by t.id
