-- How many mailboxes send their mail to one address.
select destination, count(*) as mailboxes from (select destination, mailbox from signal.forward group by destination, mailbox) f group by destination
