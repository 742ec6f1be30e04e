-- Sign-ins refused for a reason that says something of the password, responder's own exits left out.
select s.row_id, s.created_date_time, s.ip, s.user_id, lower(s.user_principal_name) as upn, c.class
from signin s join ref.signin_code c on c.code = s.error_code
where c.class in ('bad_password', 'lockout', 'unknown_user', 'disabled') and s.ip is not null and s.user_principal_name is not null
  and not exists (select 1 from input.egress e where e.ip = s.ip)
