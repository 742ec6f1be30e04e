-- Sign-ins that are an intruder's beyond reasonable doubt: they make their address and session hostile for everything else.
-- Only facts that are decisive by themselves: a session of an administrator that lives in two places with two systems, a known attack
-- program, a password found by trying many accounts from an address that the account had never used.
select v.ip, v.session_id, v.admin as upn, v.t, v.row_id
from signal.admin_visit v join (select distinct admin, session_id from signal.admin_session_split where sure and far) s
  on s.admin = v.admin and s.session_id = v.session_id
where coalesce(v.new_network, false) and not v.known_device and v.got_in
union all
select v.ip, v.session_id, v.admin, v.t, v.row_id
from signal.admin_visit v join ref.user_agent a on a.strength_on_success = 'D' and v.got_in and
  case a.match when 'equals' then lower(v.user_agent) = lower(a.pattern) when 'prefix' then starts_with(lower(v.user_agent), lower(a.pattern))
    else strpos(lower(v.user_agent), lower(a.pattern)) > 0 end
where not v.known_device and coalesce(v.new_network, false)
union all
select s.ip, nullif(s.session_id, ''), t.upn, s.created_date_time, s.row_id
from signal.attacked_account t join signin s on s.ip = t.ip and lower(s.user_principal_name) = t.upn and s.error_code = 0
where not t.own and s.created_date_time >= t.first_try and s.created_date_time < t.first_try + interval '24 hours'
