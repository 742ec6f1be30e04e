-- One row per person who holds, or may activate, a role of tier 0 (leads to the whole tenant) or tier 1 (administers a service).
-- The accounts of directory synchronisation are machines: no second factor, one place, judged elsewhere.
select h.principal_id as id, coalesce(max(h.principal_upn), h.principal_id) as upn,
       min(r.tier) as tier, flatten(array_agg(h.rows)) as rows, flatten(array_agg(u.rows)) as user_rows
from signal.role_holder h
join ref.role r on r.template_id = h.role_template_id and (r.privileged or r.tier <= 1)
left join signal.account u on u.id = h.principal_id
where h.principal_type = 'user'
  and h.role_template_id not in ('d29b2b05-8046-44ba-8758-1e26182fcf32', 'a92aed5d-d78a-4d16-b381-09adb37eb3b0')
group by h.principal_id
