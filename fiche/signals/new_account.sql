-- Accounts and when they were created: from the exported users and mailboxes, else from the log.
select address, min(created) as created, array_agg(row_id) as rows
from (
  select lower(user_principal_name) as address, created_date_time as created, row_id from entra_user where created_date_time is not null
  union all
  select lower(coalesce(user_principal_name, primary_smtp_address)), when_created_utc, row_id from mailbox where when_created_utc is not null
  union all
  select lower(object_id), creation_time, row_id from ual_event where operation_key in ('add user', 'invite external user') and object_id like '%@%'
) a group by address
