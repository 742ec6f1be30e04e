-- Every place where an inbox rule sends mail on: one row per (rule, address), whichever shape it was written in.
select row_id, at, mailbox, actor, name, key, deletes or marks_read or moves as hides, has_condition and not catches_all as selective, words, in_state,
       unnest(addresses(target)) as destination
from signal.inbox_rule where target is not null and not removes
