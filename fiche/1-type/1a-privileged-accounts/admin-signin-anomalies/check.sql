with window_visit as (
  select * from signal.admin_visit
), agent as (           -- a row of several patterns counts for the gravest
  select v.row_id, v.admin, v.network, v.known_device, min(a.strength_on_success) as strength
  from window_visit v join ref.user_agent a on v.got_in and a.strength_on_success in ('D', 'H') and
    case a.match when 'equals' then lower(v.user_agent) = lower(a.pattern) when 'prefix' then starts_with(lower(v.user_agent), lower(a.pattern))
      else strpos(lower(v.user_agent), lower(a.pattern)) > 0 end
  group by v.row_id, v.admin, v.network, v.known_device
), relay as (           -- OfficeHome without a device from a network new to the account: what a phishing relay leaves
  select row_id, admin, network, session_id, new_country from window_visit
  where app_id = '4765445b-32c6-49b0-83e6-1d93765276ca' and coalesce(sign_in_class, 'interactive') <> 'non_interactive'
    and error_code in (0, 50074, 50140, 53003) and device_id is null and not known_device and new_network
), split as (
  select * from signal.admin_session_split
), relayed as (
  select r.row_id, r.admin, s.network, s.rows from relay r join split s on s.admin = r.admin and s.session_id = r.session_id and s.other_agent
), stranger as (        -- came in from a network new to the account
  select admin, ip, t, row_id, network from window_visit where got_in and new_network and not known_device
), attempt as (         -- both kinds in one line of time, so that each looks only at the hour beside it
  select admin, ip, t, row_id, network, 0 as refused from stranger
  union all
  select f.upn, f.ip, f.created_date_time, f.row_id, cast(null as varchar), 1 from (select distinct admin, ip from stranger) s
  join signal.failed_signin f on f.upn = s.admin and f.ip = s.ip where f.class = 'bad_password'
), before as (
  select a.*, coalesce(sum(refused) over (partition by admin, ip order by t range between interval '60 minutes' preceding and interval '1 microsecond' preceding), 0) as tries
  from attempt a
), after as (
  select b.*, max(case when refused = 0 and tries >= $guesses then network end)
    over (partition by admin, ip order by t range between interval '1 microsecond' following and interval '60 minutes' following) as led_to
  from before b
), guess as (
  select row_id, admin, case when refused = 0 then network else led_to end as network from after
  where refused = 0 and tries >= $guesses or refused = 1 and led_to is not null
), code as (
  select row_id, admin, network, app_id = '29d9ed98-a469-4536-ade2-f981bc1d605e' as broker, coalesce(new_network, false) as new_network
  from window_visit where got_in and not known_device
    and (lower(authentication_protocol) = 'devicecode' or lower(original_transfer_method) = 'devicecodeflow')
)
select admin as subject, network as key, 'found' as say, make_array(row_id) as rows,
       strength = 'D' as attack_tool, strength = 'H' and not known_device as script_agent,
       false as relay_page, false as relay_session, false as split_session, false as split_far, false as guessed,
       false as stopped_abroad, false as device_code, false as device_code_broker
from agent
union all
select admin, network, 'found', make_array(row_id), false, false, coalesce(new_country, false), false, false, false, false, false, false, false from relay
union all
select admin, network, 'found', array_append(rows, row_id), false, false, false, true, false, false, false, false, false, false from relayed
union all
select admin, network, 'found', rows, false, false, false, false, true, sure and far, false, false, false, false from split where sure or far
union all
select admin, network, 'found', make_array(row_id), false, false, false, false, false, false, true, false, false, false from guess
union all
select admin, network, 'found', make_array(row_id), false, false, false, false, false, false, false, true, false, false
from window_visit where not got_in and class in ('ca_block', 'risk_block') and new_country and not known_device
union all
select admin, network, 'found', make_array(row_id), false, false, false, false, false, false, false, false, new_network, broker from code
union all
select group_id, '', 'group', rows, false, false, false, false, cast(null as boolean), false, false, false, false, false from signal.closed_role_group
