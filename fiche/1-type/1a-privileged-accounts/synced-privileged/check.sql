-- NULL: the export did not ask whether the account is synchronised. An empty anchor, or false: it never was.
with account as (
  select p.id, p.upn, p.tier, array_concat(p.rows, p.user_rows) as rows, u.account_enabled, u.created, u.synced
  from signal.privileged_user p left join signal.account u on u.id = p.id
), read as (
  select count(*) as people, count(*) filter (where synced) as synced, count(*) filter (where synced is null) as doubtful,
         flatten(array_agg(rows)) as rows from account
)
select upn as subject, 'account' as say, rows, cast(null as bigint) as people,
       case when synced is null then coalesce(account_enabled, true) and null else synced and coalesce(account_enabled, true) and tier = 0 end as tier0_synced,
       coalesce(synced, false) and coalesce(account_enabled, true) and tier > 0 as tier1_synced,
       synced and created between $window_from and $window_to as made_in_window,
       false as none_among_read
from account
union all
select group_id, 'group', rows, cast(null as bigint), false, cast(null as boolean), false, false from signal.closed_role_group
union all
select 'tenant', 'read', rows, people, false, false, false, people > 0 and synced = 0 and doubtful < people from read where people > 0
