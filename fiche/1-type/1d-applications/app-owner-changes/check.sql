with change as (
  select row_id, at, app, name, who, target_person as owner, correlation_id, operation like 'remove %' as removed
  from signal.app_change
  where done and operation in ('add owner to application', 'add owner to service principal', 'remove owner from application', 'remove owner from service principal')
), birth as (           -- the directory makes the creator an owner, within the same act
  select app, correlation_id, min(at) as at from signal.app_change where done and operation in ('add application', 'add service principal') group by app, correlation_id
), followed as (        -- a credential within a day: what an owner may do
  select c.row_id, array_agg(s.row_id) as rows
  from change c join signal.app_change s on s.app = c.app and s.done and s.at between c.at and c.at + interval '24 hours'
   and (s.operation in ('update application - certificates and secrets management', 'add service principal credentials') or s.keys_new is not null)
  where not c.removed
  group by c.row_id
)
select c.app as subject, coalesce(c.owner, '') as key, case when c.removed then 'removed' else 'found' end as say, c.who as actor, c.at as first_seen, c.at as last_seen,
       coalesce(c.name, c.app) as name, c.owner, p.permissions, array_concat(make_array(c.row_id), p.rows, f.rows) as rows,
       bool_and(b.app is not null) over (partition by c.app, c.owner, c.removed) as creator,
       p.app is null as harmless, p.app is not null as powerful,
       strpos(coalesce(c.owner, ''), '#ext#') > 0 as guest, c.owner = c.who and b.app is null as himself, f.row_id is not null as credential_after
from change c
left join birth b on b.app = c.app and b.correlation_id = c.correlation_id
left join signal.app_power p on p.app = c.app
left join followed f on f.row_id = c.row_id
