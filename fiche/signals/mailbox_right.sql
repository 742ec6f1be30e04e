-- A right on somebody's mailbox, given or taken away (log) or standing (export): one row per (record, mailbox, holder, right).
-- The mailbox's own rights, the service's accounts, inherited and refusing entries are left out.
with parameter as (
  select e.row_id, e.creation_time as at, lower(e.actor_upn) as actor, e.operation_key,
         lower(coalesce(max(case when lower(p.name) = 'identity' then nullif(p.value, '') end), e.object_id)) as identity,
         max(case when lower(p.name) in ('user', 'trustee', 'securitygroup') then p.value end) as trustee,
         max(case when lower(p.name) = 'grantsendonbehalfto' then p.value end) as on_behalf,
         max(case when lower(p.name) = 'accessrights' then lower(p.value) end) as rights,
         bool_or(lower(p.name) = 'automapping' and lower(p.value) = 'false') as not_shown,
         bool_or(lower(p.name) = 'role' and lower(p.value) like '%applicationimpersonation%') as impersonates
  from ual_event e join ual_property p on p.place = e.place and p.bag = 'parameters'
  where e.operation_key in ('add-mailboxpermission', 'remove-mailboxpermission', 'add-recipientpermission', 'remove-recipientpermission', 'set-mailbox',
                            'add-mailboxfolderpermission', 'set-mailboxfolderpermission', 'remove-mailboxfolderpermission', 'new-managementroleassignment')
    and lower(p.name) in ('identity', 'user', 'trustee', 'securitygroup', 'grantsendonbehalfto', 'accessrights', 'automapping', 'role')
    and coalesce(e.actor_class, '') <> 'system' and coalesce(e.success, true)
  group by e.row_id, e.creation_time, e.actor_upn, e.operation_key, e.object_id
), given as (
  select row_id, at, actor, exchange_name(split_part(identity, ':\', 1)) as who, operation_key like 'remove-%' as removes,
         case when operation_key like '%-recipientpermission' then 'send_as' when operation_key like '%folderpermission' then 'folder' else 'full_access' end as "right",
         split_part(identity, ':\', 2) as folder, trustee, coalesce(not_shown, false) as not_shown, false as in_state
  from parameter where operation_key like '%permission' and not (operation_key like '%folderpermission' and coalesce(rights, '') in ('none', 'availabilityonly', 'limiteddetails'))
  union all
  select row_id, at, actor, exchange_name(identity) as who, false as removes, 'send_on_behalf' as "right", '' as folder,
         unnest(string_to_array(replace(on_behalf, ',', ';'), ';')) as trustee, false as not_shown, false as in_state
  from parameter where operation_key = 'set-mailbox' and on_behalf <> ''
  union all             -- a role over every mailbox
  select row_id, at, actor, 'tenant' as who, false as removes, 'impersonation' as "right", '' as folder, trustee, false as not_shown, false as in_state
  from parameter where operation_key = 'new-managementroleassignment' and impersonates
  union all
  select row_id, arrow_cast(null, 'Timestamp(Microsecond, Some("UTC"))') as at, cast(null as varchar) as actor, exchange_name(mailbox_smtp) as who, false as removes, "right",
         coalesce(folder, '') as folder, coalesce(trustee, trustee_id) as trustee, false as not_shown, true as in_state
  from mailbox_permission where not coalesce(deny, false) and not coalesce(is_inherited, false)
  union all
  select row_id, arrow_cast(null, 'Timestamp(Microsecond, Some("UTC"))') as at, cast(null as varchar) as actor, lower(coalesce(user_principal_name, primary_smtp_address)) as who,
         false as removes, 'send_on_behalf' as "right", '' as folder, unnest(grant_send_on_behalf_to) as trustee, false as not_shown, true as in_state
  from mailbox
), kept as (
  select row_id, at, actor, who, removes, "right", folder, not_shown, in_state, trim(trustee) as given, coalesce(exchange_name(trustee), lower(trim(trustee))) as holder
  from given where trim(trustee) <> '' and not regexp_like(lower(trustee), '(nt authority|s-1-5-10$|discovery management|organization management|exchange servers|exchange trusted subsystem|discoverysearchmailbox)')
    and not regexp_like(who, '^(discoverysearchmailbox|systemmailbox|federatedemail|migration\.|healthmailbox)')
)
select k.row_id, k.at, k.actor, coalesce(o.address, k.who) as mailbox, coalesce(h.address, k.holder) as holder, k.given, k.removes, k."right", k.folder, k.not_shown, k.in_state
from kept k left join signal.recipient o on o.name = k.who left join signal.recipient h on h.name = k.holder
where coalesce(h.address, k.holder) <> coalesce(o.address, k.who)
