select mailbox as subject, holder as key, rows, actor, at as first_seen, holder, mailboxes,
       shared_mailbox, to_himself, new_holder, outside_holder, everyone, many_mailboxes, taken_back
from signal.send_right where "right" = 'send_as'
