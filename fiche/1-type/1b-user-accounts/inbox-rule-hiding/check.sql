with rule as (          -- folder names are compared whole, without case or accents: "Notes de frais" is not "Notes"
  select r.*, translate(lower(r.folder), 'àâäéèêëîïôöùûüç’', 'aaaeeeeiioouuuc''') as plain_folder, odd_name(r.folder) as odd_folder
  from signal.inbox_rule r where not r.removes
), placed as (
  select r.*, coalesce(a.word is not null or r.odd_folder, false) as unread_folder, coalesce(b.word is not null, false) as aside_folder
  from rule r
  left join ref.word a on a.list = 'hide_folder_a' and a.word = r.plain_folder
  left join ref.word b on b.list = 'hide_folder_b' and b.word = r.plain_folder
), judged as (
  select p.*, p.deletes or p.unread_folder or p.aside_folder or (p.marks_read and p.moves) as out_of_sight,
         coalesce(has_word(p.words, 'sec') or has_word(p.senders, 'sec'), false) as warning_words
  from placed p
), touched as (         -- rules that the log saw written during the window
  select mailbox, key from signal.inbox_rule where at between $window_from and $window_to and not removes group by mailbox, key
), pace as (
  select row_id, count(*) over (partition by mailbox order by at range between interval '1 hour' preceding and interval '1 hour' following) as near
  from (select row_id, mailbox, at from judged where out_of_sight and at is not null) j
)
select j.mailbox as subject, j.key, j.row_id as rows, j.actor, j.at as first_seen, nullif(j.name, '') as name, j.folder,
       j.out_of_sight,
       j.deletes or j.unread_folder as nobody_reads,
       j.deletes_for_good,
       j.out_of_sight and j.marks_read as marks_read,
       j.out_of_sight and j.stops as stops,
       j.out_of_sight and coalesce(odd_name(j.name), false) as odd_name,
       coalesce(has_word(j.words, 'fin'), false) as money_words,
       j.warning_words,
       coalesce(has_word(j.words, 'share'), false) as lure_words,
       j.out_of_sight and not j.has_condition as takes_all,
       j.catches_all,
       coalesce(j.actor <> j.mailbox, false) as other_hand,
       coalesce(p.near >= 2, false) as several,
       j.in_state and t.key is null as untouched,
       j.moves and not j.unread_folder and not j.aside_folder and coalesce(character_length(j.name) >= 6, false) as ordinary_folder,
       not j.warning_words and coalesce(regexp_like(lower(concat_ws(' ', j.senders, j.words)), '(no-?reply|ne-?pas-?repondre|newsletter|notification|infolettre)'), false) as newsletter
from judged j
left join pace p on p.row_id = j.row_id
left join touched t on t.mailbox = j.mailbox and t.key = j.key
where j.deletes or j.moves or j.marks_read or exists (select 1 from judged o where o.mailbox = j.mailbox and o.key = j.key and (o.deletes or o.moves))
