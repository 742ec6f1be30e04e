-- Forwarding set on a mailbox itself: one row per (record, destination), from the log and from the exported mailboxes.
-- A destination given as a name is resolved; a name that nothing resolves keeps a NULL destination and its given name.
with parameter as (
  select e.row_id, e.creation_time as at, lower(e.actor_upn) as actor,
         exchange_name(coalesce(max(case when lower(p.name) = 'identity' then nullif(p.value, '') end), e.object_id)) as who,
         max(case when lower(p.name) = 'forwardingsmtpaddress' then p.value end) as smtp,
         max(case when lower(p.name) = 'forwardingaddress' then p.value end) as recipient,
         bool_or(lower(p.name) in ('forwardingsmtpaddress', 'forwardingaddress') and coalesce(p.value, '') = '') as clears,
         bool_or(lower(p.name) = 'delivertomailboxandforward' and lower(p.value) = 'false') as keeps_no_copy
  from ual_event e join ual_property p on p.place = e.place and p.bag = 'parameters'
  where e.operation_key in ('set-mailbox', 'set-mailuser', 'set-remotemailbox', 'enable-remotemailbox')
    and lower(p.name) in ('identity', 'forwardingsmtpaddress', 'forwardingaddress', 'delivertomailboxandforward')
    and coalesce(e.actor_class, '') <> 'system' and coalesce(e.success, true)
  group by e.row_id, e.creation_time, e.actor_upn, e.object_id
), every as (
  select row_id, at, actor, who, smtp, recipient, coalesce(keeps_no_copy, false) as keeps_no_copy,
         clears and coalesce(smtp, '') = '' and coalesce(recipient, '') = '' as clears, false as in_state
  from parameter where smtp is not null or recipient is not null or clears
  union all
  select row_id, arrow_cast(null, 'Timestamp(Microsecond, Some("UTC"))') as at, cast(null as varchar) as actor, lower(coalesce(user_principal_name, primary_smtp_address)) as who,
         forwarding_smtp_address as smtp, forwarding_address as recipient, not deliver_to_mailbox_and_forward as keeps_no_copy, false as clears, true as in_state
  from mailbox where coalesce(forwarding_smtp_address, '') <> '' or coalesce(forwarding_address, '') <> ''
), target as (          -- both kinds may stand at once: two destinations
  select row_id, at, actor, who, keeps_no_copy, clears, in_state, smtp as given, addresses(smtp)[1] as address from every where smtp <> ''
  union all
  select row_id, at, actor, who, keeps_no_copy, clears, in_state, recipient as given, addresses(recipient)[1] as address from every where recipient <> ''
  union all
  select row_id, at, actor, who, keeps_no_copy, clears, in_state, cast(null as varchar) as given, cast(null as varchar) as address from every where clears
)
select t.row_id, t.at, t.actor, coalesce(o.address, t.who) as mailbox, t.clears, t.keeps_no_copy, t.in_state,
       split_part(t.given, '/', -1) as given, coalesce(d.address, t.address) as destination
from target t left join signal.recipient o on o.name = t.who
left join signal.recipient d on d.name = exchange_name(coalesce(t.address, t.given))
