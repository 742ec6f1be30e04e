with ended as (         -- an empty value is a removal: the end of what was set, not a finding
  select s.row_id, min(x.at) as at, array_agg(x.row_id) as rows
  from signal.mailbox_forward s join signal.mailbox_forward x on x.clears and x.mailbox = s.mailbox and x.at >= s.at
  where not s.clears group by s.row_id
)
select f.mailbox as subject, coalesce(f.destination, lower(f.given)) as key, array_concat(make_array(f.row_id), e.rows) as rows,
       f.actor, f.at as first_seen, e.at as ended, coalesce(f.destination, f.given) as destination,
       is_external(f.destination) as external,        -- a name that nothing resolves (a contact?) cannot be told
       coalesce(is_external(f.destination) and not d.listed and not is_freemail(f.destination), false) as by_users_domains,
       coalesce(is_freemail(f.destination), false) as freemail,
       coalesce(f.keeps_no_copy, false) as keeps_no_copy,
       f.in_state as standing,
       coalesce(f.actor <> f.mailbox, false) as other_hand,
       coalesce(s.mailboxes >= 2, false) as many_mailboxes,
       coalesce(e.at <= f.at + interval '48 hours', false) as taken_back,
       coalesce(split_part(f.destination, '@', 1) = split_part(f.mailbox, '@', 1), false) as same_name
from signal.mailbox_forward f cross join signal.tenant_domains d
left join ended e on e.row_id = f.row_id
left join signal.forward_destination s on s.destination = f.destination
where not f.clears
