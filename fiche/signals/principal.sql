-- What the exports call a person (object id or sign-in name) and the one person whom it means. A sign-in name that two objects bear
-- (an account made again) brings nothing together.
with known as (
  select nullif(id, '') as id, nullif(upn, '') as upn from (
    select lower(id) as id, lower(user_principal_name) as upn from entra_user
    union all select lower(principal_id), lower(principal_upn) from role_assignment where coalesce(lower(principal_type), 'user') = 'user'
    union all select lower(member_id), lower(member_upn) from group_member where coalesce(lower(member_type), 'user') = 'user') every
  group by nullif(id, ''), nullif(upn, '')
), by_upn as (
  select upn, min(id) as id from known where upn is not null and id is not null group by upn having count(*) = 1
), by_id as (           -- an account that was renamed bears the name of the export of the accounts
  select k.id, coalesce(min(u.upn), min(k.upn)) as upn
  from known k left join (select lower(id) as id, min(lower(user_principal_name)) as upn from entra_user group by lower(id)) u on u.id = k.id
  where k.id is not null group by k.id
)
select id as name, id, coalesce(upn, id) as upn from by_id
union all
select n.upn as name, coalesce(b.id, n.upn) as id, coalesce(i.upn, n.upn) as upn
from (select upn from known where upn is not null group by upn) n left join by_upn b on b.upn = n.upn left join by_id i on i.id = b.id
