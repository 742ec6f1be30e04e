-- What belongs to the account of an intrusion without being a finding: it is cited in a story, never judged.
select row_id, coalesce(actor_upn, target1_upn) as principal, activity_date_time as seen_at,
       concat('appareil enregistré', coalesce(concat(' : ', target1_name), '')) as fr,
       concat('device registered', coalesce(concat(': ', target1_name), '')) as en
from directory_audit
where activity_key in ('add registered owner to device', 'add registered users to device', 'register device', 'add device')
  and lower(coalesce(result, 'success')) = 'success' and coalesce(actor_class, 'user') <> 'system'
  and coalesce(actor_upn, target1_upn) is not null
union all
select row_id, target1_upn, activity_date_time, 'mot de passe changé ou réinitialisé', 'password changed or reset'
from directory_audit
where activity_key in ('reset password (by admin)', 'reset user password', 'change user password', 'change password (self-service)', 'reset password (self-service)')
  and lower(coalesce(result, 'success')) = 'success' and target1_upn is not null
