-- Who was tried from where, by a campaign or a burst, and whether the address was the account's own before the first try.
with try as (
  select f.upn, f.ip, f.created_date_time as t from signal.failed_signin f join signal.spray c on c.ip = f.ip
  union all
  select f.upn, f.ip, f.created_date_time from signal.failed_signin f
  join signal.hammered h on h.upn = f.upn and f.created_date_time between h.hot_from and h.hot_to where f.class in ('bad_password', 'lockout')
), pair as (
  select upn, ip, min(t) as first_try from try group by upn, ip
), usual as (
  select p.upn, p.ip from pair p join signin s on s.ip = p.ip and lower(s.user_principal_name) = p.upn
   and s.error_code = 0 and s.created_date_time < p.first_try
  group by p.upn, p.ip
)
select p.upn, p.ip, p.first_try, u.ip is not null as own from pair p left join usual u on u.upn = p.upn and u.ip = p.ip
