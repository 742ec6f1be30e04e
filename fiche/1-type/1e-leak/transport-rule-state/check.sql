with rule as (          -- an export that holds neither actions nor conditions (names only) cannot say where mail goes
  select t.*, lower(coalesce(t.last_modified_by, t.created_by)) as author_name,
         concat_ws(' ', array_to_string(t.redirect_to, ' '), array_to_string(t.bcc_to, ' '), array_to_string(t.copy_to, ' '), array_to_string(t.add_to, ' ')) as target,
         t.actions is null and t.conditions is null and t.redirect_to is null and t.bcc_to is null and t.copy_to is null and t.add_to is null as body_missing
  from transport_rule t
), addressed as (       -- a rule with no address keeps its row
  select row_id, unnest(case when array_length(addresses(target)) > 0 then addresses(target) else make_array(cast(null as varchar)) end) as destination
  from rule
)
select 'tenant' as subject, lower(r.name) as key, r.row_id as rows, coalesce(w.address, r.author_name) as actor, r.when_changed as first_seen,
       r.name, a.destination, r.outbound_connector as connector, r.state, r.mode,
       case when a.destination is not null then is_external(a.destination) when not r.body_missing then false end as sends_out,
       coalesce(is_external(a.destination) and not d.listed, false) as by_users_domains,
       coalesce(is_freemail(a.destination), false) as freemail,
       coalesce(has_word(r.conditions, 'fin') or has_word(r.conditions, 'sec'), false) as money_or_warning_words,
       trim(r.conditions) in ('', '{}', '[]', 'null') and (a.destination is not null or coalesce(r.delete_message, false)) as takes_all,
       coalesce(odd_name(r.name), false) as odd_name,
       coalesce(r.delete_message, false) or coalesce(r.quarantine, false) as destroys,
       coalesce(r.outbound_connector, '') <> '' as other_route,
       coalesce(r.state = 'Disabled' or r.mode <> 'Enforce', false) as switched_off
from rule r join addressed a on a.row_id = r.row_id cross join signal.tenant_domains d
left join signal.recipient w on w.name = r.author_name
