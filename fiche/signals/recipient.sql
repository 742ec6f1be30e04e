-- What a name used in Exchange stands for: the last part of a path, an alias, a display name, an object id → one address.
-- A name that could be two people stands for nobody, and is left out.
with known as (
  select lower(coalesce(user_principal_name, primary_smtp_address)) as address,
         unnest(make_array(lower(user_principal_name), lower(primary_smtp_address), lower(external_directory_object_id), lower(display_name),
                           split_part(lower(user_principal_name), '@', 1), split_part(lower(primary_smtp_address), '@', 1))) as name
  from mailbox
  union all
  select lower(user_principal_name),
         unnest(make_array(lower(user_principal_name), lower(id), lower(display_name), split_part(lower(user_principal_name), '@', 1)))
  from entra_user
  union all             -- nobody exported the mailboxes: the people who appear in the log are known by the part before the @ and by their object id
  select a.upn, unnest(make_array(a.upn, split_part(a.upn, '@', 1), a.id))
  from (select distinct lower(actor_upn) as upn, lower(actor_object_id) as id from ual_event
        -- a stranger who tries a name does not make it ambiguous
        where actor_upn like '%@%' and coalesce(success, true) and coalesce(actor_class, '') not in ('system', 'partner', 'guest', 'app')) a
  union all
  select o.upn, o.id from (select distinct lower(mailbox_owner_upn) as upn, lower(mailbox_guid) as id from ual_event where mailbox_owner_upn like '%@%') o
  union all             -- a contact made in the log: an outside address behind an inside name
  select c.address, unnest(make_array(c.name, c.address))
  from (select p.place, max(case when lower(p.name) = 'name' then lower(p.value) end) as name,
               max(case when lower(p.name) = 'externalemailaddress' then addresses(p.value)[1] end) as address
        from ual_event e join ual_property p on p.place = e.place and p.bag = 'parameters'
        where e.operation_key in ('new-mailcontact', 'set-mailcontact', 'new-mailuser')
        group by p.place) c
  where c.address is not null
)
select name, min(address) as address from known where name <> '' and address is not null group by name having min(address) = max(address)
