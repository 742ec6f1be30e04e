with act as (
  select row_id, creation_time as at, lower(mailbox_owner_upn) as mailbox, lower(actor_upn) as who, client_ip as ip, session_id, client_info_string as client, item_folder_path as folder
  from ual_event
  where operation_key = 'mailitemsaccessed' and lower(mail_access_type) = 'sync' and mailbox_owner_upn is not null and coalesce(actor_class, '') <> 'system'
    and strpos(coalesce(client_info_string, ''), 'Client=RESTSystem') = 0
), place as (           -- one row per mailbox and address: a whole folder is copied, so folders count and records do not
  select mailbox, coalesce(ip, '') as ip, array_agg(row_id) as rows, min(at) as first_seen, max(at) as last_seen, min(who) as who,
         array_agg(distinct folder) filter (where folder is not null and folder <> 'Not Available') as folders, array_agg(distinct client order by client) as clients,
         bool_or(strpos(lower(client), 'client=imap') = 1 or strpos(lower(client), 'client=pop') = 1 or strpos(lower(client), 'bav2ropc') > 0) as old_client
  from act group by mailbox, coalesce(ip, '')
), owner as (           -- what the log shows of this person: any successful act, from any address
  select lower(actor_upn) as who, client_ip as ip, min(creation_time) as since from ual_event where actor_upn is not null and client_ip is not null and coalesce(success, true) group by lower(actor_upn), client_ip
), history as (
  select who, min(since) as since from owner group by who
), step as (            -- one session synchronising from two addresses within an hour: two neighbours in time that differ
  select mailbox, ip, at, lag(ip) over one_session as ip_before, lag(at) over one_session as at_before
  from act where session_id is not null and ip is not null
  window one_session as (partition by mailbox, session_id order by at, row_id)
), split as (
  select distinct mailbox, unnest(make_array(ip, ip_before)) as split_ip from step where ip <> ip_before and at <= at_before + interval '60 minutes'
)
select p.mailbox as subject, p.ip as key, p.rows, p.first_seen, p.last_seen, p.who as actor, nullif(p.ip, '') as address, p.folders, p.clients,
       p.old_client, s.split_ip is not null as split_session, p.who is not null and p.who <> p.mailbox as other_person,
       case when h.since <= p.first_seen - interval '7 days' then o.since > p.first_seen - interval '24 hours' and e.ip is null end as new_address
from place p
left join history h on h.who = p.mailbox
left join owner o on o.who = p.mailbox and o.ip = p.ip
left join (select distinct ip from input.egress) e on e.ip = p.ip
left join split s on s.mailbox = p.mailbox and s.split_ip = p.ip
