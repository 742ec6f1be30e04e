-- Sign-ins of privileged accounts where the password was right, each with what is new about its place for this account.
-- New means: not seen before for the account, after enough history (true), or with too little history to say (NULL).
with day as (           -- history of an account: days and sign-ins with a known place
  select admin, d, count(*) as n from signal.admin_signin where got_in and country is not null group by admin, d
), network as (
  select admin, network, min(t) as since from signal.admin_signin group by admin, network
), network_days as (
  select admin, network, count(*) as days from (select admin, network, d from signal.admin_signin where got_in group by admin, network, d) group by admin, network
), network_past as (
  select n.admin, n.network, count(d.d) as days, coalesce(sum(d.n), 0) as visits
  from network n left join day d on d.admin = n.admin and d.d < date_trunc('day', n.since) group by n.admin, n.network
), country as (
  select admin, country, min(t) as since from signal.admin_signin where country is not null group by admin, country
), country_days as (
  select admin, country, count(*) as days from (select admin, country, d from signal.admin_signin where got_in group by admin, country, d) group by admin, country
), country_past as (
  select c.admin, c.country, count(d.d) as days, coalesce(sum(d.n), 0) as visits
  from country c left join day d on d.admin = c.admin and d.d < date_trunc('day', c.since) group by c.admin, c.country
), first_use as (       -- every account of the tenant: where several people work, nobody is a stranger
  select country, asn, lower(user_principal_name) as upn, min(created_date_time) as since
  from signin where error_code = 0 and country is not null group by country, asn, lower(user_principal_name)
), country_user as (
  select country, upn, min(since) as since from first_use group by country, upn
), common_country as (
  select country, since from (select country, since, row_number() over (partition by country order by since, upn) as k from country_user) x where k = 3
), asn_user as (
  select asn, upn, min(since) as since from first_use where asn is not null group by asn, upn
), common_asn as (
  select 'AS' || cast(asn as varchar) as network, since from (select asn, since, row_number() over (partition by asn order by since, upn) as k from asn_user) x where k = 3
), device as (
  select admin, device_id, min(t) as since from signal.admin_signin where got_in and device_id is not null group by admin, device_id
), place as (
  select admin, network, coalesce(country, '') as country, min(t) as since from signal.admin_signin group by admin, network, coalesce(country, '')
)
select v.*,
       case when v.asn is null then cast(null as boolean)
            when g.since < n.since - interval '7 days' then false
            when np.days >= 10 or np.visits >= 20 then true
            when nd.days >= 3 then false end as new_network,
       case when v.country is null then cast(null as boolean)
            when k.since < c.since - interval '7 days' then false
            when cp.days >= 10 or cp.visits >= 20 then true
            when cd.days >= 3 then false end as new_country,
       v.managed or coalesce(e.since < p.since, false) as known_device
from signal.admin_signin v
join network n on n.admin = v.admin and n.network = v.network
join network_past np on np.admin = v.admin and np.network = v.network
left join network_days nd on nd.admin = v.admin and nd.network = v.network
left join common_asn g on g.network = v.network
left join country c on c.admin = v.admin and c.country = v.country
left join country_past cp on cp.admin = v.admin and cp.country = v.country
left join country_days cd on cd.admin = v.admin and cd.country = v.country
left join common_country k on k.country = v.country
left join device e on e.admin = v.admin and e.device_id = v.device_id
left join place p on p.admin = v.admin and p.network = v.network and p.country = coalesce(v.country, '')
