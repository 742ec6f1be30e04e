-- For each record that sets a rule, the removal that follows it. Outlook writes some removals without the rule's name: then one rule of the mailbox
-- was removed, and the log does not say which.
with next as (
  select row_id, mailbox, key, removes,
         min(case when removes then at end) over (partition by mailbox, key order by at, row_id rows between 1 following and unbounded following) as gone,
         min(case when removes and name is null then at end) over (partition by mailbox order by at, row_id rows between 1 following and unbounded following) as one_gone
  from signal.inbox_rule where at is not null
), removal as (
  select mailbox, key, name, at, min(row_id) as row_id from signal.inbox_rule where removes group by mailbox, key, name, at
), named as (
  select mailbox, key, at, min(row_id) as row_id from removal group by mailbox, key, at
), nameless as (
  select mailbox, at, min(row_id) as row_id from removal where name is null group by mailbox, at
)
select n.row_id, n.gone, case when n.gone is null then n.one_gone end as one_gone, coalesce(r.row_id, o.row_id) as end_row
from next n
left join named r on r.mailbox = n.mailbox and r.key = n.key and r.at = n.gone
left join nameless o on n.gone is null and o.mailbox = n.mailbox and o.at = n.one_gone
where not n.removes and coalesce(n.gone, n.one_gone) is not null
