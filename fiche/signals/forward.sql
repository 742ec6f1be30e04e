-- Every way mail of one mailbox is sent on to another address: forwarding of the mailbox, or an inbox rule.
select row_id, at, actor, mailbox, destination, cast(null as varchar) as rule_name, in_state from signal.mailbox_forward where destination is not null
union all
select row_id, at, actor, mailbox, destination, name, in_state from signal.inbox_rule_forward
