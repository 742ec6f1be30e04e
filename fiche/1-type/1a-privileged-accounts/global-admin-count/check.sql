with holder as (        -- one row per person or application, however many times the role is held
  select h.principal_id, max(h.principal_type) as kind, flatten(array_agg(h.rows)) as rows
  from signal.role_holder h
  where h.role_template_id = '62e90394-69f5-4237-9190-012177145e10'
  group by h.principal_id
), known as (
  select h.rows, u.rows as user_rows, h.kind, h.kind = 'serviceprincipal' as is_app,
         case when h.kind = 'user' then u.account_enabled when h.kind <> 'group' then false end as usable,   -- NULL: not exported
         case when h.kind <> 'user' then false else u.account_enabled and not u.synced end as cloud_only
  from holder h left join signal.account u on u.id = h.principal_id
), total as (
  select count(*) as holders, count(*) filter (where kind = 'user') as people, count(*) filter (where kind = 'group') as closed_groups,
         count(*) filter (where usable) as usable, count(*) filter (where usable is null) as doubtful,
         count(*) filter (where cloud_only) as cloud_only, count(*) filter (where cloud_only is null) as perhaps_cloud_only,
         count(*) filter (where is_app) as apps, array_concat(flatten(array_agg(rows)), flatten(array_agg(user_rows))) as rows
  from known
)
select 'tenant' as subject, rows, holders, people,
       case when people >= $least then false when closed_groups = 0 then true end as too_few,
       case when usable >= $least or people < $least then false when usable + doubtful < $least then true end as too_few_usable,
       case when holders - closed_groups > $most then true when closed_groups = 0 then false end as too_many,
       case when cloud_only > 0 or people = 0 then false when perhaps_cloud_only + closed_groups = 0 then true end as no_cloud_only,
       apps > 0 as held_by_application
from total
