with change as (
  select * from signal.mailbox_right where not in_state
), grants as (          -- rights to send have checks of their own (1b.sendas, 1b.sendonbehalf): one act must not count twice
  select c.*, count(distinct mailbox) over (partition by actor order by at range between interval '24 hours' preceding and interval '24 hours' following) as mailboxes
  from change c where not removes
), taken as (
  select g.row_id, array_agg(x.row_id) as rows
  from grants g join change x on x.removes and x.mailbox = g.mailbox and x.holder = g.holder and x."right" = g."right" and x.at >= g.at and x.at <= g.at + interval '24 hours'
  group by g.row_id
)
select g.mailbox as subject, concat(g.holder, ' ', g."right", case when g.folder <> '' then concat(' ', g.folder) else '' end) as key,
       array_concat(make_array(g.row_id), t.rows, case when n.created > g.at - interval '30 days' then n.rows end) as rows,
       g.actor, g.at as first_seen, g.holder, g."right", case when g.folder <> '' then g.folder end as folder, g.mailboxes,
       coalesce(g.holder = g.actor, false) as to_himself,
       g."right" = 'impersonation' as every_mailbox,
       n.created > g.at - interval '30 days' as new_holder,
       g.mailboxes >= 3 as many_mailboxes,
       t.rows is not null as taken_back,
       g.not_shown
from grants g
left join taken t on t.row_id = g.row_id
left join signal.new_account n on n.address = g.holder
where g."right" in ('full_access', 'folder', 'impersonation')
