select f.mailbox as subject, f.key, array_concat(make_array(f.row_id), make_array(g.end_row)) as rows, f.actor, f.at as first_seen, g.gone, g.one_gone,
       nullif(f.name, '') as name, f.destination,
       is_external(f.destination) as external,
       coalesce(is_external(f.destination) and not d.listed and not is_freemail(f.destination), false) as by_users_domains,
       coalesce(is_freemail(f.destination), false) as freemail,
       coalesce(has_word(f.words, 'fin'), false) as money_words,
       not f.selective as takes_all,
       coalesce(odd_name(f.name), false) as odd_name,
       coalesce(f.hides, false) as hides,
       coalesce(f.actor <> f.mailbox, false) as other_hand,
       coalesce(s.mailboxes >= 2, false) as many_mailboxes,
       coalesce(g.gone <= f.at + interval '48 hours', false) as taken_back,
       coalesce(split_part(f.destination, '@', 1) = split_part(f.mailbox, '@', 1), false) as same_name
from signal.inbox_rule_forward f cross join signal.tenant_domains d
left join signal.inbox_rule_end g on g.row_id = f.row_id
left join signal.forward_destination s on s.destination = f.destination
