-- One row even when nothing was collected: then every sign is NULL, so unknown.
select 'tenant' as subject, array_agg(row_id) as rows,
       bool_or(invites = 'everyone') as everyone,
       bool_or(invites = 'adminsguestinvitersandallmembers') as members_too,
       bool_or(invites not in ('none', 'adminsandguestinviters', 'adminsguestinvitersandallmembers', 'everyone')) as other_setting
from (select row_id, lower(allow_invites_from) as invites from tenant_policy) p
