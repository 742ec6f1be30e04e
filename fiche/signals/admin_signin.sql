-- Sign-ins of privileged accounts where the password was right. The organisation's declared exits are no place; Microsoft's own
-- networks on non-interactive rows are hops of the service.
select s.row_id, coalesce(a.upn, b.upn) as admin, s.created_date_time as t, date_trunc('day', s.created_date_time) as d,
       s.sign_in_class, s.error_code, s.error_code = 0 as got_in, c.class, s.ip, s.asn, s.country,
       coalesce('AS' || cast(s.asn as varchar), s.ip) as network, nullif(s.session_id, '') as session_id, nullif(s.device_id, '') as device_id,
       coalesce(s.is_managed, false) or coalesce(s.is_compliant, false) as managed,
       split_part(lower(s.browser), ' ', 1) as browser, regexp_replace(lower(s.operating_system), '[^a-z]', '', 'g') as system,
       s.app_id, s.app_display_name, s.user_agent, s.authentication_protocol, s.original_transfer_method, s.authentication_requirement,
       s.incoming_token_type
from signin s
join ref.signin_code c on c.code = s.error_code and c.credential_valid
left join signal.privileged_user a on a.id = lower(s.user_id)
left join signal.privileged_user b on b.upn = lower(s.user_principal_name)
where coalesce(a.upn, b.upn) is not null and s.ip is not null
  and not exists (select 1 from input.egress e where e.ip = s.ip)
  and not (coalesce(s.sign_in_class, '') = 'non_interactive' and (coalesce(s.asn, 0) between 8068 and 8075 or coalesce(s.asn, 0) in (3598, 12076)))
