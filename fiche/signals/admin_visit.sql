-- Sign-ins of privileged accounts where the password was right, each with what is new about its place for this account.
-- New means: not seen before for the account, after enough history (true), or with too little history to say (NULL).
-- Only sign-ins with a known country are history: else all places would look new on the day when a richer log begins.
-- What is remembered is remembered by place, not by sign-in: an account may have a million.
with known as (
  select row_id, admin, t, d, network, coalesce(country, '') as country, device_id, got_in, got_in and country is not null as placed from signal.admin_signin
), day as (             -- the first placed sign-in of a day opens it
  select k.*, case when placed and row_number() over (partition by admin, placed, d order by t, row_id) = 1 then 1 else 0 end as opens from known k
), past as (            -- days and sign-ins before this one
  select admin, network, country, t, coalesce(sum(opens) over earlier, 0) as days, coalesce(sum(case when placed then 1 else 0 end) over earlier, 0) as visits
  from day window earlier as (partition by admin order by t, row_id rows between unbounded preceding and 1 preceding)
), of_network as (
  select admin, network, min(t) as since, min(days) as past_days, min(visits) as past_visits from past group by admin, network
), network_days as (
  select admin, network, count(*) as days from (select admin, network, d from known where got_in group by admin, network, d) x group by admin, network
), of_country as (
  select admin, country, min(t) as since, min(days) as past_days, min(visits) as past_visits from past group by admin, country
), country_days as (
  select admin, country, count(*) as days from (select admin, country, d from known where got_in group by admin, country, d) x group by admin, country
), of_place as (
  select admin, network, country, min(t) as since from known group by admin, network, country
), of_device as (
  select admin, device_id, min(t) as since from known where got_in and device_id is not null group by admin, device_id
), first_use as (       -- every account of the tenant: where several people work, nobody is a stranger
  select country, asn, lower(user_principal_name) as upn, min(created_date_time) as since
  from signin where error_code = 0 and country is not null group by country, asn, lower(user_principal_name)
), common_country as (
  select country, since from (
    select country, since, row_number() over (partition by country order by since, upn) as k
    from (select country, upn, min(since) as since from first_use group by country, upn) x) y where k = 3
), common_asn as (
  select asn, since from (
    select asn, since, row_number() over (partition by asn order by since, upn) as k
    from (select asn, upn, min(since) as since from first_use where asn is not null group by asn, upn) x) y where k = 3
)
select p.row_id, p.admin, p.t, p.d, p.sign_in_class, p.error_code, p.got_in, p.class, p.ip, p.asn, p.country, p.network, p.session_id, p.device_id,
       p.browser, p.system, p.app_id, p.user_agent, p.authentication_protocol, p.original_transfer_method, p.authentication_requirement, p.incoming_token_type,
       case when p.asn is null then cast(null as boolean)
            when g.since < n.since - interval '7 days' then false
            when n.past_days >= 10 or n.past_visits >= 20 then true
            when nd.days >= 3 then false end as new_network,
       case when p.country is null then cast(null as boolean)
            when c.since < o.since - interval '7 days' then false
            when o.past_days >= 10 or o.past_visits >= 20 then true
            when cd.days >= 3 then false end as new_country,
       p.managed or (p.device_id is not null and coalesce(dv.since < l.since, false)) as known_device
from signal.admin_signin p
join of_network n on n.admin = p.admin and n.network = p.network
join of_country o on o.admin = p.admin and o.country = coalesce(p.country, '')
join of_place l on l.admin = p.admin and l.network = p.network and l.country = coalesce(p.country, '')
left join network_days nd on nd.admin = p.admin and nd.network = p.network
left join country_days cd on cd.admin = p.admin and cd.country = coalesce(p.country, '')
left join of_device dv on dv.admin = p.admin and dv.device_id = p.device_id
left join common_asn g on g.asn = p.asn
left join common_country c on c.country = p.country
