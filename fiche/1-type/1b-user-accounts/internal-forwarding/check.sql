with recursive edge as (
  select mailbox, destination, actor, min(at) as at, is_external(destination) as outside from signal.forward group by mailbox, destination, actor
), leak as (            -- where the mail of a mailbox ends outside, by way of other mailboxes, five steps at most; who set the last step, and when
  select mailbox, destination as exit, actor as by, at, 1 as steps from edge where outside
  union all
  select e.mailbox, l.exit, l.by, l.at, l.steps + 1 from edge e join leak l on l.mailbox = e.destination where not e.outside and l.steps < 5
), exits as (           -- "by" and "at": of the step out
  select mailbox, exit, by, min(at) as at from leak group by mailbox, exit, by
), outward as (         -- the rows that prove the second step
  select mailbox, array_agg(row_id) as rows from signal.forward group by mailbox
), way as (             -- a way out that one hand laid, or two hands at once; else the owner sends his mail to a colleague, whose own mail another sends out
  select f.*, x.exit, f.actor is null or x.by is null or x.by = f.actor or f.actor <> f.mailbox
                      or coalesce(x.at between f.at - interval '1 hour' and f.at + interval '1 hour', false) as laid
  from signal.forward f left join exits x on x.mailbox = f.destination and x.exit <> f.mailbox
  where not is_external(f.destination) and f.destination <> f.mailbox
)
select f.mailbox as subject, f.destination as key, f.actor, f.at as first_seen, f.destination, f.exit, nullif(f.rule_name, '') as rule_name,
       array_concat(make_array(f.row_id), case when f.exit is not null and f.laid then o.rows end, case when n.created > f.at - interval '30 days' then n.rows end,
                    case when m.hidden_from_address_lists or m.recipient_type_details = 'SharedMailbox' then make_array(m.row_id) end) as rows,
       f.exit is not null and f.laid as ends_outside,
       f.exit is not null and not f.laid as leaks_on,
       m.hidden_from_address_lists as hidden,
       m.recipient_type_details = 'SharedMailbox' and u.account_enabled as open_shared,
       n.created > f.at - interval '30 days' as new_account
from way f
left join outward o on o.mailbox = f.destination
left join mailbox m on lower(coalesce(m.user_principal_name, m.primary_smtp_address)) = f.destination
left join entra_user u on u.id = m.external_directory_object_id
left join signal.new_account n on n.address = f.destination
