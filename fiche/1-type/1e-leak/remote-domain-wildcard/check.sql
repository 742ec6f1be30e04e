with state as (
  select row_id, lower(coalesce(name, domain_name)) as name, lower(domain_name) as domain, auto_forward_enabled as auto_forward, when_changed
  from remote_domain
), change as (          -- New-/Set-RemoteDomain by a person: the domain stands in the parameters, or in the state under the same name
  select e.row_id, max(e.creation_time) as at, max(lower(e.actor_upn)) as who,
         lower(coalesce(max(case when lower(p.name) = 'name' then p.value end), max(case when lower(p.name) = 'identity' then p.value end), max(e.object_id))) as name,
         max(case when lower(p.name) = 'domainname' then lower(p.value) end) as domain,
         bool_or(lower(p.name) = 'autoforwardenabled' and lower(p.value) in ('true', '1')) as opens
  from ual_event e join ual_property p on p.place = e.place and p.bag = 'parameters'
  where e.operation_key in ('new-remotedomain', 'set-remotedomain') and coalesce(e.actor_class, '') <> 'system'
  group by e.row_id
), every as (
  select s.domain, s.row_id, s.auto_forward, s.when_changed >= $window_from as moved, cast(null as varchar) as who from state s
  union all
  select coalesce(c.domain, s.domain, c.name), c.row_id, case when c.opens then true end, true, c.who from change c left join state s on s.name = c.name
), folded as (
  select domain, array_agg(row_id) as rows, coalesce(bool_or(auto_forward), false) as auto_forward, coalesce(bool_or(moved), false) as moved, array_agg(distinct who order by who) filter (where who is not null) as who
  from every where domain is not null group by domain
), closed as (          -- is automatic forwarding shut for everybody else?
  select coalesce(bool_or(auto_forward is false), false) as shut from state where domain = '*'
)
select 'tenant' as subject, f.domain as key, f.rows, f.domain, f.who as actor,
       f.domain = '*' as built_in, f.domain <> '*' and strpos(f.domain, '*') > 0 as extra_wildcard,
       f.domain <> '*' and strpos(f.domain, '*') > 0 and f.moved as fresh_wildcard,
       f.domain <> '*' and f.auto_forward and c.shut as hole, f.domain <> '*' and f.auto_forward and c.shut and is_freemail('x@' || ltrim(f.domain, '*.')) as freemail_hole
from folded f cross join closed c
