-- One row even when nothing was collected: then every sign is NULL, so unknown.
select 'tenant' as subject, array_agg(row_id) as rows,
       bool_or(guest_user_role_id = 'a0b1b346-4d3e-4e8b-98f8-753987be4970') as like_members,
       bool_or(guest_user_role_id = '10dae51f-b6af-4016-8d66-8c2a99b929b3') as limited,
       bool_or(guest_user_role_id not in ('a0b1b346-4d3e-4e8b-98f8-753987be4970', '10dae51f-b6af-4016-8d66-8c2a99b929b3', '2af84b1e-32c8-42b7-82bc-daa82404023b')) as other_level
from (select row_id, lower(guest_user_role_id) as guest_user_role_id from tenant_policy) p
