-- One row per session of a privileged account that is used from two networks within a day, at least one of them new to the account,
-- unless it is one and the same device (a laptop that travels, a VPN that toggles).
-- Every use is compared with the session's first thirty [J], and a long use cites its first hundred sign-ins [J]: a session that somebody
-- leads through thousands of addresses must cost thousands of comparisons, not millions.
with visit as (
  select v.*, row_number() over (partition by admin, session_id, network, country, browser, system, device_id order by t, row_id) as n
  from signal.admin_visit v where got_in and session_id is not null and asn is not null
), leg as (
  select admin, session_id, network, country, browser, system, device_id, min(t) as since, max(t) as until,
         bool_or(new_network) as new_network, array_agg(row_id) filter (where n <= 100) as rows
  from visit group by admin, session_id, network, country, browser, system, device_id
), numbered as (
  select l.*, row_number() over (partition by admin, session_id order by since, network, country, browser, system, device_id) as leg_no from leg l
)
select a.admin, a.session_id, case when b.new_network or not coalesce(a.new_network, false) then b.network else a.network end as network,
       a.country as from_country, b.country as to_country, b.since as t,
       coalesce(a.new_network, false) or coalesce(b.new_network, false) as sure,
       a.browser <> b.browser or a.system <> b.system as other_agent,
       coalesce(a.country <> b.country, false) and (a.browser <> b.browser or a.system <> b.system) as far,
       array_concat(a.rows, b.rows) as rows
from numbered a join numbered b on b.admin = a.admin and b.session_id = a.session_id and b.network <> a.network and b.since >= a.since
where a.leg_no <= 30 and b.since <= a.until + interval '24 hours'
  and (coalesce(a.new_network, true) or coalesce(b.new_network, true))
  and not coalesce(a.device_id = b.device_id, false)
  and (a.country <> b.country or a.browser <> b.browser or a.system <> b.system)
