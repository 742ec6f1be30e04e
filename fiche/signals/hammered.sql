-- Wrong passwords and locks of one account, many in ten minutes: one row per try of the burst.
with pace as (
  select upn, ip, row_id, created_date_time as t,
         count(*) over (partition by upn order by created_date_time range between interval '10 minutes' preceding and current row) as tries
  from signal.failed_signin where class in ('bad_password', 'lockout')
), burst as (
  select upn, max(tries) as tries, min(t) - interval '10 minutes' as hot_from, max(t) as hot_to from pace where tries >= $brute_tries group by upn
)
select p.upn, p.ip, p.row_id, p.t, b.tries from burst b join pace p on p.upn = b.upn and p.t between b.hot_from and b.hot_to
