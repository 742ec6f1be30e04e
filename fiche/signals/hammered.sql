-- Wrong passwords and locks of one account, many in ten minutes: one row per account, from its first burst to the last.
with busy as (          -- an account that was never tried so often was not tried so in ten minutes either
  select upn from signal.failed_signin where class in ('bad_password', 'lockout') group by upn having count(*) >= $brute_tries
), pace as (
  select f.upn, f.created_date_time as t,
         count(*) over (partition by f.upn order by f.created_date_time range between interval '10 minutes' preceding and current row) as tries
  from busy b join signal.failed_signin f on f.upn = b.upn where f.class in ('bad_password', 'lockout')
)
select upn, max(tries) as tries, min(t) - interval '10 minutes' as hot_from, max(t) as hot_to from pace where tries >= $brute_tries group by upn
