with entry as (         -- "Update user" tells by its properties whether a method came or went; each entry of a list names itself once
  select c.place, c.property, coalesce(c.old_value, '') as old, coalesce(c.new_value, '') as new,
         case c.property when 'StrongAuthenticationPhoneAppDetail' then 'DeviceName' when 'StrongAuthenticationMethod' then 'MethodType'
                         when 'StrongAuthenticationUserDetails' then '[0-9]{4,}' else '$^' end as mark
  from directory_audit_change c where c.property like 'StrongAuthentication%'
), method as (
  select place, bool_or(regexp_count(new, mark) > regexp_count(old, mark) or (property = 'StrongAuthenticationUserDetails' and new <> old and regexp_count(new, mark) > 0)) as came,
         bool_or(regexp_count(new, mark) < regexp_count(old, mark)
           or (property = 'StrongAuthenticationRequirement' and regexp_like(replace(new, '\', ''), '"State"\s*:\s*0'))) as went
  from entry group by place
), event as (
  select d.row_id, d.t, d.ip, d.actor, d.actor_upn, coalesce(a.upn, b.upn) as admin,
         case when d.activity like '%temporary access pass%' or lower(d.result_reason) like '%temporary access pass%' then 'pass'
              when d.activity like '% deleted security info' or (d.activity like 'delete %' and regexp_like(d.activity, 'security key|credential|passkey'))
                or d.activity in ('disable strong authentication', 'remove users strong authentication phone app detail') or (d.activity = 'update user' and m.went) then 'removed'
              when d.activity like '% registered%security info' or d.activity in ('user changed default security info', 'user updated security info', 'admin updated security info')
                or (d.activity like 'add %' and regexp_like(d.activity, 'security key|sign-in credential|hello for business credential|passkey')) or (d.activity = 'update user' and m.came) then 'added' end as say,
         not (coalesce(d.actor_id = d.target1_id, false) or coalesce(d.actor_upn = d.target, false)) as by_other
  from signal.directory_change d
  left join method m on m.place = d.place
  left join signal.privileged_user a on a.id = lower(d.target1_id)
  left join signal.privileged_user b on b.upn = d.target
  where coalesce(a.upn, b.upn) is not null
), change as (
  select * from event where say is not null
), habit as (           -- an address from which the account has signed in on three earlier days is its own
  select c.row_id from change c
  join (select admin, ip, d from signal.admin_visit where got_in group by admin, ip, d) v on v.admin = c.admin and v.ip = c.ip and v.d < date_trunc('day', c.t)
  group by c.row_id having count(*) >= 3
), hand as (            -- whose sign-ins count: the actor's; a colleague who takes away what an intruder added is not the intruder
  select row_id, t, ip, coalesce(actor_upn, admin) as admin from change
), strange as (
  select h.row_id, array_agg(v.row_id) as rows from hand h
  join signal.admin_visit v on v.admin = h.admin and v.got_in and not v.known_device and v.t <= h.t + interval '10 minutes' and v.t > h.t - interval '24 hours'
  where v.new_country or (v.new_network and v.ip = h.ip)
  group by h.row_id
), split as (
  select h.row_id, flatten(array_agg(s.rows)) as rows from hand h
  join signal.admin_session_split s on s.admin = h.admin and (s.sure or s.far) and s.t <= h.t + interval '10 minutes' and s.t > h.t - interval '24 hours'
  group by h.row_id
), told as (
  select c.*, h.row_id is not null and not c.by_other as usual from change c left join habit h on h.row_id = c.row_id
)
select c.admin as subject, c.say as key, c.say, c.actor, c.t as first_seen, array_concat(make_array(c.row_id), s.rows, p.rows) as rows,
       c.say = 'added' and not c.usual as added, c.say = 'removed' and not c.usual as removed, c.say = 'pass' as access_pass,
       c.usual as usual_place, c.by_other, s.row_id is not null or p.row_id is not null as after_strange_signin
from told c
left join strange s on s.row_id = c.row_id
left join split p on p.row_id = c.row_id
union all
select group_id, '', 'group', cast(null as varchar), arrow_cast(null, 'Timestamp(Microsecond, Some("UTC"))'), rows, cast(null as boolean), false, false, false, false, false
from signal.closed_role_group
