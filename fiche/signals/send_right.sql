-- A right to send in somebody's name, standing or newly given, with what is known of the mailbox and of the holder.
with sent as (
  select r.*, lower(m.recipient_type_details) in ('sharedmailbox', 'roommailbox', 'equipmentmailbox', 'schedulingmailbox') as shared
  from signal.mailbox_right r left join mailbox m on lower(coalesce(m.user_principal_name, m.primary_smtp_address)) = r.mailbox
  where r."right" in ('send_as', 'send_on_behalf')
), busy as (            -- one person who may write for many others
  select "right", holder, count(*) as mailboxes
  from (select distinct "right", holder, mailbox from sent where in_state and not coalesce(shared, false)) d group by "right", holder
), taken as (
  select g.row_id, min(x.at) as at, array_agg(x.row_id) as rows
  from sent g join sent x on x.removes and x.mailbox = g.mailbox and x.holder = g.holder and x."right" = g."right" and x.at > g.at and x.at <= g.at + interval '24 hours'
  where not g.removes group by g.row_id
)
select s."right", s.mailbox, s.holder, s.actor, s.at, b.mailboxes,
       array_concat(make_array(s.row_id), t.rows, case when n.created > s.at - interval '30 days' then n.rows end) as rows,
       coalesce(s.shared, false) as shared_mailbox,
       coalesce(s.holder = s.actor, false) as to_himself,
       n.created > s.at - interval '30 days' as new_holder,
       coalesce(s.holder like '%#ext#%' or lower(u.user_type) = 'guest', false) or coalesce(case when s.holder like '%@%' and s.holder not like '%#ext#%' then is_external(s.holder) end, false) as outside_holder,
       s.holder in ('everyone', 'tout le monde', 'default', 'par défaut', 'anonymous', 'anonyme', 'authenticated users', 'domain users') as everyone,
       coalesce(b.mailboxes >= 5, false) as many_mailboxes,
       t.at is not null as taken_back
from sent s left join busy b on b."right" = s."right" and b.holder = s.holder
left join taken t on t.row_id = s.row_id
left join signal.new_account n on n.address = s.holder
left join entra_user u on lower(u.user_principal_name) = s.holder
where not s.removes
