-- One row per source address that tried many accounts within a sliding hour (exact: a window, not a bucket).
with staff as (         -- size of the tenant; a partial list of users would make it look small, so only a whole one counts
  select count(*) as n from (select coalesce(lower(id), lower(user_principal_name)) as id from entra_user where account_enabled
    group by coalesce(lower(id), lower(user_principal_name))) u
  where exists (select 1 from coverage where table_name = 'entra_user' and complete
    and coalesce(operation, '*') = '*' and coalesce(subject, '*') = '*')
), threshold as (
  select case when n = 0 then $spray_users when n < 50 then $spray_users_small
              else greatest($spray_users, cast(ceil(n * 0.03) as bigint)) end as least from staff
), busy as (            -- an address that never tried enough accounts did not do so within an hour either
  select b.ip from (select ip, count(*) as users from (select ip, upn from signal.failed_signin group by ip, upn) p group by ip) b
  cross join threshold t where b.users >= t.least
), pace as (
  select f.ip, f.created_date_time as tried, count(distinct f.upn) over one_hour as users, count(*) over one_hour as tries
  from busy b join signal.failed_signin f on f.ip = b.ip
  window one_hour as (partition by f.ip order by f.created_date_time range between interval '60 minutes' preceding and current row)
), hot as (             -- more than ten tries per account is hammering, not spraying
  select p.ip, min(p.tried) - interval '60 minutes' as hot_from, max(p.tried) as hot_to, max(p.users) as users, max(p.tries) as tries
  from pace p cross join threshold t where p.users >= t.least and p.tries <= 10 * p.users group by p.ip
), entered as (         -- an office behind one address: most of its sign-ins succeed
  select h.ip, count(*) as successes from hot h join signin s on s.ip = h.ip and s.error_code = 0
   and s.created_date_time between h.hot_from and h.hot_to
  group by h.ip
)
select h.ip, h.users, h.tries, h.hot_from, h.hot_to
from hot h left join entered e on e.ip = h.ip
where h.tries >= 4 * coalesce(e.successes, 0)
