-- Sign-ins of privileged accounts where the password was right, each with what is new about its place for this account.
-- New means: not seen before for the account, after enough history (true), or with too little history to say (NULL).
-- Only sign-ins with a known country are history: else all places would look new on the day when a richer log begins.
with known as (
  select v.*, v.got_in and v.country is not null as placed from signal.admin_signin v
), day as (             -- the first placed sign-in of a day opens it
  select k.*, case when placed and row_number() over (partition by admin, placed, d order by t, row_id) = 1 then 1 else 0 end as opens from known k
), past as (            -- days and sign-ins before this one
  select p.*, coalesce(sum(opens) over earlier, 0) as days, coalesce(sum(case when placed then 1 else 0 end) over earlier, 0) as visits
  from day p window earlier as (partition by admin order by t, row_id rows between unbounded preceding and 1 preceding)
), place as (
  select p.*,
         min(t) over of_network as network_since, min(days) over of_network as network_past_days, min(visits) over of_network as network_past_visits,
         count(distinct case when got_in then d end) over of_network as network_days,
         min(t) over of_country as country_since, min(days) over of_country as country_past_days, min(visits) over of_country as country_past_visits,
         count(distinct case when got_in then d end) over of_country as country_days,
         min(t) over (partition by admin, network, country) as place_since,
         min(case when got_in then t end) over (partition by admin, device_id) as device_since
  from past p window of_network as (partition by admin, network), of_country as (partition by admin, country)
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
            when g.since < p.network_since - interval '7 days' then false
            when p.network_past_days >= 10 or p.network_past_visits >= 20 then true
            when p.network_days >= 3 then false end as new_network,
       case when p.country is null then cast(null as boolean)
            when c.since < p.country_since - interval '7 days' then false
            when p.country_past_days >= 10 or p.country_past_visits >= 20 then true
            when p.country_days >= 3 then false end as new_country,
       p.managed or (p.device_id is not null and coalesce(p.device_since < p.place_since, false)) as known_device
from place p
left join common_asn g on g.asn = p.asn
left join common_country c on c.country = p.country
