with act as (           -- mail read or sent through an application that is not Microsoft's; the service's own housekeeping (RESTSystem) is left out
  select row_id, creation_time as at, lower(coalesce(client_app_id, app_id)) as app, lower(coalesce(mailbox_owner_upn, actor_upn)) as mailbox,
         coalesce(operation_count, 1) as items, operation_key = 'send' as sent
  from ual_event
  where operation_key in ('mailitemsaccessed', 'send') and coalesce(client_app_id, app_id) is not null and coalesce(actor_class, '') <> 'system'
    and strpos(coalesce(client_info_string, ''), 'Client=RESTSystem') = 0
), owned as (
  select app_id as app from ref.first_party_app union select lower(app_id) from service_principal where is_microsoft
), foreign_act as (
  select a.row_id, a.at, a.app, a.mailbox, a.items, a.sent from act a left join owned o on o.app = a.app where o.app is null and a.mailbox is not null
), pace as (
  select app, count(distinct mailbox) over (partition by app order by at range between interval '10 minutes' preceding and current row) as mailboxes from foreign_act
), burst as (
  select app, max(mailboxes) as mailboxes from pace group by app
), total as (
  select app, array_agg(row_id) as rows, array_agg(distinct mailbox order by mailbox) as mailboxes, count(distinct mailbox) as n, sum(items) as items, bool_or(sent) as sent, min(at) as first_seen, max(at) as last_seen
  from foreign_act group by app
), consent as (         -- when the log first saw somebody let this application in
  select app, min(at) as since, max(name) as name, bool_or(called_risky) as called_risky from signal.consent_event where done group by app
), kit as (
  select e.app, bool_or(array_has(e.scopes, 'Mail.Send')) and bool_or(array_has(e.scopes, 'Contacts.Read')) as fraud_kit from signal.consent_event e where e.done group by e.app
), name as (
  select app, max(name) as name from signal.deceptive_name where exact_name or same_skeleton or one_letter_off or tool_name group by app
), known as (
  select app, max(name) as name from signal.app_identity group by app
), rogue as (
  select app_id as app, max(name) as name from ref.rogue_app group by app_id
)
select t.app as subject, '' as key, t.rows, t.first_seen, t.last_seen, coalesce(n.name, c.name, k.name, r.name, t.app) as name, t.mailboxes, t.n, t.items,
       r.app is not null as rogue, b.mailboxes >= $mailboxes as many, n.app is not null as deceptive,
       coalesce(c.since <= t.first_seen and t.first_seen <= c.since + interval '14 days', false) as fresh,
       coalesce(c.called_risky, false) as called_risky, coalesce(f.fraud_kit, false) as fraud_kit, t.sent
from total t join burst b on b.app = t.app
left join consent c on c.app = t.app left join kit f on f.app = t.app left join name n on n.app = t.app left join known k on k.app = t.app left join rogue r on r.app = t.app
