-- Groups that carry an administration role and whose members nobody exported: administrators that no check can see.
select h.principal_id as group_id, flatten(array_agg(h.rows)) as rows
from signal.role_holder h join ref.role r on r.template_id = h.role_template_id and (r.privileged or r.tier <= 1)
where h.principal_type = 'group' group by h.principal_id
