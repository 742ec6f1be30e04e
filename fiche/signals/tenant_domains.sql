-- One row: was the list of the tenant's own domains exported whole? If not, "outside" is judged by the domains of its users.
select coalesce(bool_or(complete), false) as listed from coverage
where table_name = 'accepted_domain' and coalesce(operation, '*') = '*' and coalesce(subject, '*') = '*'
