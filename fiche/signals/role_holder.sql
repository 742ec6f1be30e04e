-- Who holds which role, groups opened one level (role-assignable groups cannot nest).
-- A group whose members were not exported stays as one row of principal_type 'group': the reader sees that somebody is missing.
select a.principal_id, lower(a.principal_type) as principal_type, lower(a.principal_upn) as principal_upn, a.role_template_id, a.state,
       a.via_group_id, make_array(a.row_id) as rows
from role_assignment a left join group_member m on lower(a.principal_type) = 'group' and m.group_id = a.principal_id
where m.group_id is null
union all
select m.member_id, lower(m.member_type), lower(m.member_upn), a.role_template_id, a.state,
       a.principal_id, make_array(a.row_id, m.row_id)
from role_assignment a join group_member m on lower(a.principal_type) = 'group' and m.group_id = a.principal_id
