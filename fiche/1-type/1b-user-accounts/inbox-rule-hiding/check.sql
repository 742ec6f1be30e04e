with rule as (          -- folder names are compared whole, without case or accents: "Notes de frais" is not "Notes"
  select r.*, translate(lower(r.folder), 'àâäéèêëîïôöùûüç’', 'aaaeeeeiioouuuc''') as plain_folder, odd_name(r.folder) and not regexp_like(r.folder, '[[:alnum:]]{2}') as odd_folder
  from signal.inbox_rule r where not r.removes
), placed as (
  select r.*, coalesce(a.word is not null or r.odd_folder, false) as unread_folder, coalesce(b.word is not null, false) as aside_folder
  from rule r
  left join ref.word a on a.list = 'hide_folder_a' and a.word = r.plain_folder
  left join ref.word b on b.list = 'hide_folder_b' and b.word = r.plain_folder
), judged as (          -- a rule named after the folder that it fills has a name in earnest, unless neither has a letter
  select p.*, p.deletes or p.unread_folder or p.aside_folder or (p.marks_read and p.moves) as out_of_sight,
         coalesce(odd_name(p.name), false) and not coalesce(lower(p.name) = lower(p.folder) and regexp_like(p.folder, '[[:alnum:]]'), false) as odd,
         coalesce(has_word(p.words, 'sec') or has_word(p.senders, 'sec'), false) as warning_words
  from placed p
), touched as (         -- rules that the log saw written
  select mailbox, key from signal.inbox_rule where at is not null and not removes group by mailbox, key
), filing as (          -- rules that some record says to delete or move
  select mailbox, key from judged where deletes or moves group by mailbox, key
), pace as (            -- rules of one hand within the hour; who files mail in ordinary folders does not count
  select row_id, count(distinct key) over (partition by mailbox, actor order by at range between interval '1 hour' preceding and interval '1 hour' following) as near,
         count(distinct odd_key) over (partition by mailbox, actor order by at range between interval '1 hour' preceding and interval '1 hour' following) as odd_near
  from (select row_id, mailbox, actor, at, key, case when odd then key end as odd_key from judged
        where at is not null and (deletes or unread_folder or aside_folder or out_of_sight and odd)) j
)
select j.mailbox as subject, j.key, array_concat(make_array(j.row_id), make_array(e.end_row)) as rows, j.actor, j.session, j.at as first_seen, nullif(j.name, '') as name, j.folder, e.gone, e.one_gone,
       j.out_of_sight,
       j.deletes or j.unread_folder as nobody_reads,
       j.deletes_for_good,
       j.out_of_sight and j.marks_read as marks_read,
       j.out_of_sight and j.stops as stops,
       j.out_of_sight and j.odd as odd_name,
       coalesce(has_word(j.words, 'fin'), false) as money_words,
       j.warning_words,
       coalesce(has_word(j.words, 'share'), false) as lure_words,
       j.out_of_sight and not j.has_condition as takes_all,
       j.catches_all,
       coalesce(j.actor <> j.mailbox, false) as other_hand,
       coalesce(p.near >= 2, false) as several,
       coalesce(p.near >= 3, false) as many,
       coalesce(p.odd_near >= $burst, false) as burst,
       j.in_state and t.key is null as untouched,
       j.moves and not j.unread_folder and not j.aside_folder and coalesce(character_length(j.name) >= 6, false) as ordinary_folder,
       not j.warning_words and coalesce(regexp_like(lower(concat_ws(' ', j.senders, j.words)), '(no-?reply|ne-?pas-?repondre|newsletter|notification|infolettre)'), false) as newsletter
from judged j
left join pace p on p.row_id = j.row_id
left join touched t on t.mailbox = j.mailbox and t.key = j.key
left join filing f on f.mailbox = j.mailbox and f.key = j.key
left join signal.inbox_rule_end e on e.row_id = j.row_id
where j.deletes or j.moves or j.marks_read or f.key is not null
