-- What belongs to the account of an intrusion without being a finding: it is cited in a story, never judged.
-- A device is registered by a service on behalf of its owner: the owner is the target.
with device as (
  select place, max(btrim(new_value, '" ')) as name from directory_audit_change
  where property = 'Device.DisplayName' group by place
)
select a.row_id, coalesce(a.target1_upn, a.actor_upn) as principal, a.activity_date_time as seen_at,
       concat('appareil enregistré', coalesce(concat(' : ', d.name), '')) as fr,
       concat('device registered', coalesce(concat(': ', d.name), '')) as en
from directory_audit a left join device d on d.place = a.place
where a.activity_key = 'add registered owner to device' and lower(coalesce(a.result, 'success')) = 'success'
  and coalesce(a.target1_upn, a.actor_upn) is not null
union all
select row_id, target1_upn, activity_date_time, 'mot de passe changé ou réinitialisé', 'password changed or reset'
from directory_audit
where activity_key in ('reset password (by admin)', 'reset user password', 'change user password', 'change password (self-service)', 'reset password (self-service)')
  and lower(coalesce(result, 'success')) = 'success' and target1_upn is not null
