with gone as (          -- removed or switched off within two days
  select f.row_id, f.destination, array_agg(x.row_id) as rows
  from signal.inbox_rule_forward f join signal.inbox_rule x on x.removes and x.mailbox = f.mailbox and x.key = f.key
   and x.at >= f.at and x.at <= f.at + interval '48 hours'
  group by f.row_id, f.destination
)
select f.mailbox as subject, f.key, array_concat(make_array(f.row_id), g.rows) as rows, f.actor, f.at as first_seen,
       nullif(f.name, '') as name, f.destination,
       is_external(f.destination) as external,
       coalesce(is_external(f.destination) and not d.listed, false) as by_users_domains,
       coalesce(is_freemail(f.destination), false) as freemail,
       coalesce(has_word(f.words, 'fin'), false) as money_words,
       not f.selective as takes_all,
       coalesce(odd_name(f.name), false) as odd_name,
       coalesce(f.hides, false) as hides,
       coalesce(f.actor <> f.mailbox, false) as other_hand,
       coalesce(s.mailboxes >= 2, false) as many_mailboxes,
       g.rows is not null as taken_back,
       coalesce(split_part(f.destination, '@', 1) = split_part(f.mailbox, '@', 1), false) as same_name
from signal.inbox_rule_forward f cross join signal.tenant_domains d
left join gone g on g.row_id = f.row_id and g.destination = f.destination
left join signal.forward_destination s on s.destination = f.destination
