with reached as (
  select t.upn, t.ip, s.row_id, s.error_code = 0 as got_in, not t.own as new_network
  from signal.attacked_account t join signin s on s.ip = t.ip and lower(s.user_principal_name) = t.upn
   and s.created_date_time >= t.first_try and s.created_date_time < t.first_try + interval '24 hours'
  join ref.signin_code c on c.code = s.error_code and c.credential_valid
), prompt as (          -- second factor asked and not given
  select lower(s.user_principal_name) as upn, s.ip, s.row_id, s.created_date_time as t,
         count(*) over (partition by lower(s.user_principal_name) order by s.created_date_time range between interval '10 minutes' preceding and current row) as prompts
  from signin s where s.error_code = 500121 and s.user_principal_name is not null
), flood as (
  select upn, max(prompts) as prompts, min(t) - interval '10 minutes' as hot_from, max(t) as hot_to from prompt where prompts >= $flood_prompts group by upn
), flood_row as (
  select f.upn, f.prompts, f.hot_to, p.ip, p.row_id from flood f join prompt p on p.upn = f.upn and p.t between f.hot_from and f.hot_to
), flood_address as (
  select upn, ip, max(hot_to) as hot_to from flood_row where ip is not null group by upn, ip
), gave_way as (
  select a.upn, s.row_id from flood_address a join signin s on s.ip = a.ip and lower(s.user_principal_name) = a.upn
   and s.error_code = 0 and s.created_date_time between a.hot_to and a.hot_to + interval '60 minutes'
)
-- Rows come one by one: a campaign may have a million.
select 'tenant' as subject, c.ip as key, 'campaign' as say, make_array(f.row_id) as rows, c.users, c.tries,
       true as sprayed, false as hammered, false as hammered_from_elsewhere, false as password_known, false as got_in, false as got_in_from_new_network,
       false as flooded, false as gave_way
from signal.spray c join signal.failed_signin f on f.ip = c.ip and f.created_date_time between c.hot_from and c.hot_to
union all
select upn, ip, 'reached', make_array(row_id), cast(null as bigint), cast(null as bigint),
       false, false, false, not got_in and new_network, not new_network, got_in and new_network, false, false from reached
union all
select h.upn, '', 'brute', make_array(f.row_id), cast(null as bigint), h.tries,
       false, true, not a.own, false, false, false, false, false
from signal.hammered h join signal.failed_signin f on f.upn = h.upn and f.created_date_time between h.hot_from and h.hot_to
join signal.attacked_account a on a.upn = f.upn and a.ip = f.ip where f.class in ('bad_password', 'lockout')
union all
select upn, '', 'flood', make_array(row_id), cast(null as bigint), prompts, false, false, false, false, false, false, true, false from flood_row
union all
select upn, '', 'flood', make_array(row_id), cast(null as bigint), cast(null as bigint), false, false, false, false, false, false, false, true from gave_way
