with pace as (
  select upn, ip, row_id, created_date_time as t,
         count(*) over (partition by upn order by created_date_time range between interval '10 minutes' preceding and current row) as tries
  from signal.failed_signin where class in ('bad_password', 'lockout')
), brute as (
  select upn, max(tries) as tries, min(t) - interval '10 minutes' as hot_from, max(t) as hot_to from pace where tries >= $brute_tries group by upn
), brute_row as (
  select b.upn, b.tries, p.ip, p.row_id, p.t from brute b join pace p on p.upn = b.upn and p.t between b.hot_from and b.hot_to
), touched as (         -- who was tried from where, by either kind of attack
  select upn, ip, min(t) as first_try from (
    select f.upn, f.ip, f.created_date_time as t from signal.failed_signin f join signal.spray c on c.ip = f.ip
    union all select upn, ip, t from brute_row) x group by upn, ip
), usual as (           -- an address from which the account signed in before the first try is his own
  select t.upn, t.ip from touched t join signin s on s.ip = t.ip and lower(s.user_principal_name) = t.upn
   and s.error_code = 0 and s.created_date_time < t.first_try
  group by t.upn, t.ip
), reached as (
  select t.upn, t.ip, s.row_id, s.error_code = 0 as got_in, u.ip is null as new_network
  from touched t left join usual u on u.ip = t.ip and u.upn = t.upn join signin s on s.ip = t.ip and lower(s.user_principal_name) = t.upn
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
select 'tenant' as subject, ip as key, 'campaign' as say, rows, users, tries,
       true as sprayed, false as hammered, false as hammered_from_elsewhere, false as password_known, false as got_in, false as got_in_from_new_network,
       false as flooded, false as gave_way
from signal.spray
union all
select upn, ip, 'reached', make_array(row_id), cast(null as bigint), cast(null as bigint),
       false, false, false, not got_in and new_network, not new_network, got_in and new_network, false, false from reached
union all
select b.upn, '', 'brute', array_agg(b.row_id), cast(null as bigint), b.tries,
       false, true, bool_or(u.ip is null), false, false, false, false, false
from brute_row b left join usual u on u.upn = b.upn and u.ip = b.ip group by b.upn, b.tries
union all
select upn, '', 'flood', array_agg(row_id), cast(null as bigint), prompts, false, false, false, false, false, false, true, false
from flood_row group by upn, prompts
union all
select upn, '', 'flood', make_array(row_id), cast(null as bigint), cast(null as bigint), false, false, false, false, false, false, false, true from gave_way
