-- Empty in the directory export means "never synchronised", but only where the evidence shows that the question was asked:
-- another account carries an answer, the organisation itself says that it does not synchronise, or the tool always writes the anchor of a synchronised account.
with asked as (
  select coalesce((select count(*) from entra_user where on_premises_sync_enabled is not null) > 0, false)
      or coalesce((select count(*) from tenant where not coalesce(on_premises_sync_enabled, false)) > 0, false) as of_all
), account as (
  select p.id, p.upn, p.tier, p.rows, u.row_id as user_row, u.account_enabled,
         coalesce(u.on_premises_sync_enabled, case when u.on_premises_immutable_id is not null then true
           when u.id is not null and (a.of_all or u.source_kind like 'scubagear%') then false end) as synced,
         u.created_date_time
  from signal.privileged_user p cross join asked a left join entra_user u on u.id = p.id
), read as (
  select count(*) as people, count(*) filter (where synced) as synced, count(*) filter (where synced is null) as doubtful,
         array_concat(flatten(array_agg(rows)), array_agg(user_row)) as rows from account
)
select upn as subject, 'account' as say, array_concat(rows, make_array(user_row)) as rows, cast(null as bigint) as people,
       synced and coalesce(account_enabled, true) and tier = 0 as tier0_synced,
       synced and coalesce(account_enabled, true) and tier > 0 as tier1_synced,
       synced and created_date_time between $window_from and $window_to as made_in_window,
       false as unread_group, false as none_among_read
from account
union all
select group_id, 'group', rows, cast(null as bigint), false, false, false, cast(null as boolean), false from signal.closed_role_group
union all
select 'tenant', 'read', rows, people, false, false, false, false, people > 0 and synced = 0 and doubtful < people from read where people > 0
