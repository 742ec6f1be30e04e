with sent as (          -- one finding per sender and session (or address): what one hand wrote in one sitting
  select e.row_id, lower(coalesce(nullif(e.mailbox_owner_upn, ''), e.actor_upn)) as sender, lower(e.actor_upn) as actor, e.creation_time,
         coalesce(nullif(e.session_id, ''), nullif(e.app_access_session_id, ''), e.client_ip, '') as sitting, e.item_subject, e.item_message_id,
         coalesce(has_word(e.item_subject, 'fin'), false) as about_money,
         coalesce(regexp_like(lower(e.item_subject), '^\s*(re|rép|rep|tr|fw|fwd|aw|wg)\s*:'), false) as in_thread
  from ual_event e
  where e.operation_key in ('send', 'sendas', 'sendonbehalf') and coalesce(e.actor_class, '') <> 'system'
), wiped as (           -- the very message, or its subject out of the sent items, deleted within half an hour
  select s.row_id, array_agg(d.row_id) as rows
  from sent s join ual_event d on lower(coalesce(nullif(d.mailbox_owner_upn, ''), d.actor_upn)) = s.sender
   and d.creation_time >= s.creation_time and d.creation_time <= s.creation_time + interval '30 minutes'
   and (d.item_message_id = s.item_message_id
        or d.item_subject = s.item_subject and regexp_like(lower(d.item_folder_path), '(sent|envoy)'))
  where d.operation_key in ('harddelete', 'softdelete', 'movetodeleteditems') and s.about_money
  group by s.row_id
)
select s.sender as subject, s.sitting as key, array_concat(make_array(s.row_id), w.rows) as rows, s.actor, s.creation_time as first_seen,
       case when s.about_money then s.item_subject end as topic,
       s.about_money as money_words,
       s.about_money and s.in_thread as in_thread,
       w.rows is not null as wiped
from sent s left join wiped w on w.row_id = s.row_id
