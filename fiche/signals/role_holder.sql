-- Who holds which role, groups opened one level (role-assignable groups cannot nest); people under the one id that they have (signal.principal).
-- A group whose members were not exported stays as one row of principal_type 'group': the reader sees that somebody is missing.
with assigned as (
  select coalesce(lower(principal_id), lower(principal_upn)) as principal, lower(principal_type) as principal_type, lower(principal_upn) as upn,
         role_template_id, state, lower(via_group_id) as via_group_id, row_id
  from role_assignment
), member as (
  select lower(group_id) as group_id, coalesce(lower(member_id), lower(member_upn)) as principal, lower(member_type) as principal_type, lower(member_upn) as upn, row_id from group_member
), every as (
  select a.principal, a.principal_type, a.upn, a.role_template_id, a.state, a.via_group_id, make_array(a.row_id) as rows
  from assigned a left join (select group_id from member group by group_id) m on a.principal_type = 'group' and m.group_id = a.principal
  where m.group_id is null
  union all
  select m.principal, m.principal_type, m.upn, a.role_template_id, a.state, a.principal as via_group_id, make_array(a.row_id, m.row_id) as rows
  from assigned a join member m on a.principal_type = 'group' and m.group_id = a.principal
)
select coalesce(p.id, e.principal) as principal_id, e.principal_type, coalesce(p.upn, e.upn) as principal_upn, e.role_template_id, e.state, e.via_group_id, e.rows
from every e left join signal.principal p on p.name = e.principal and coalesce(e.principal_type, 'user') = 'user'
