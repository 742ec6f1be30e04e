-- Groups that carry a role, from the exported state and from the log, with the rows that say so. A group that may carry roles, and of which
-- nobody knows which one, has a NULL role.
with made as (          -- the log says that a group was made to carry roles
  select lower(coalesce(target_of(a.targets, 'Group', 'id'), a.target1_id)) as group_id, max(coalesce(target_of(a.targets, 'Group', 'name'), a.target1_name)) as name, array_agg(a.row_id) as rows,
         bool_or(c.assignable) as assignable
  from directory_audit a left join (
    select place, bool_or(strpos(lower(new_value), 'true') > 0) as assignable from directory_audit_change where property = 'IsAssignableToRole' group by place) c on c.place = a.place
  where a.activity_key = 'add group' and coalesce(target_of(a.targets, 'Group', 'id'), a.target1_id) is not null
  group by lower(coalesce(target_of(a.targets, 'Group', 'id'), a.target1_id))
), carrier as (
  select lower(principal_id) as group_id, max(principal_display_name) as name, role_template_id as role_id, role_name, array_agg(row_id) as rows from role_assignment
  where lower(principal_type) = 'group' group by lower(principal_id), role_template_id, role_name
  union all
  select lower(via_group_id), max(via_group_name), role_template_id, role_name, array_agg(row_id) from role_assignment where via_group_id is not null group by lower(via_group_id), role_template_id, role_name
  union all
  select holder_id, max(holder), role_id, role_name, flatten(array_agg(rows)) from signal.role_change where holder_type = 'group' and holder_id is not null group by holder_id, role_id, role_name
), folded as (
  select group_id, coalesce(role_id, lower(role_name)) as role_key, max(role_id) as role_id, max(name) as name, max(role_name) as role_name, flatten(array_agg(rows)) as rows
  from carrier where group_id is not null group by group_id, coalesce(role_id, lower(role_name))
), assignable as (
  select group_id, max(name) as name from (select group_id, name from made where assignable union all select lower(id), display_name from entra_group where is_assignable_to_role) every
  where group_id is not null group by group_id
)
select coalesce(f.group_id, g.group_id) as group_id, f.role_key, f.role_id, coalesce(r.name, f.role_name) as role_name, r.tier, coalesce(g.name, f.name, m.name) as group_name, f.role_key is not null as known,
       array_concat(f.rows, m.rows) as rows
from folded f full join assignable g on g.group_id = f.group_id
left join made m on m.group_id = coalesce(f.group_id, g.group_id)
left join ref.role r on r.template_id = f.role_id
