with document as (      -- a policy or a place before and after; nothing before is an empty document
  select place, max(old_value) as old, max(new_value) as new
  from directory_audit_change where property in ('ConditionalAccessPolicy', 'NamedLocation') group by place
), setting as (         -- properties that stand for themselves: names, dates and the list of what changed are no change
  select place, property, lower(split_part(property, '.', -1)) as name, old_value, new_value,
         coalesce(json_texts(old_value, ''), make_array(lower(old_value))) as old, coalesce(json_texts(new_value, ''), make_array(lower(new_value))) as new
  from directory_audit_change
  where lower(property) not in ('conditionalaccesspolicy', 'namedlocation', 'included updated properties', 'displayname', 'description', 'modifieddatetime', 'user-agent')
    and property not like 'TargetId%' and coalesce(old_value, '') <> coalesce(new_value, '')
), held as (            -- each value that a setting had or has; an empty list is a value too
  select place, name, false as is_new, unnest(case when cardinality(old) = 0 then make_array('-') else old end) as value from setting
  union all
  select place, name, true as is_new, unnest(case when cardinality(new) = 0 then make_array('-') else new end) as value from setting
), rank as (            -- how open it was and is, by the list; a value that the list does not know leaves it open
  select h.place, h.name, max(r.sign) as sign,
         case when count(*) = count(r.rank) then max(case when h.is_new then r.rank end) > max(case when not h.is_new then r.rank end) end as opened
  from held h left join ref.policy_setting r on r.property = h.name and r.value = h.value
  where h.value is not null group by h.place, h.name
), settings as (
  select s.place, coalesce(bool_or(r.opened and r.sign = 'guests_opened'), false) as guests_opened, coalesce(bool_or(r.opened and r.sign = 'consent_opened'), false) as consent_opened,
         coalesce(bool_or(r.opened and r.sign = 'users_opened'), false) as users_opened,
         bool_or(s.name = 'strongauthenticationpolicy') as trusted_addresses, bool_or(s.name like 'trustedcas%') as trusted_authority,
         bool_or(contains(lower(s.new_value), 'false')) as says_false, bool_or(contains(lower(s.new_value), 'true')) as says_true,
         array_agg(distinct s.property order by s.property) as changed, array_agg(distinct s.property order by s.property) filter (where r.opened is null) as unread
  from setting s left join rank r on r.place = s.place and r.name = s.name group by s.place
), change as (
  select d.row_id, d.place, d.activity, d.actor, d.t, d.target1_id, coalesce(d.target1_name, d.target1_upn, d.target1_id) as name, o.old, o.new,
         json_changes(coalesce(o.old, ''), coalesce(o.new, '')) as paths, array_has(json_texts(o.old, 'state'), 'enabled') as was_on, array_has(json_texts(o.new, 'state'), 'enabled') as is_on,
         d.activity like '%conditional access policy' as is_policy, d.activity like '%named location' as is_place
  from signal.directory_change d left join document o on o.place = d.place
  where d.activity like '%conditional access policy' or d.activity like '%named location' or d.activity like '%security defaults'
     or d.activity like 'authentication methods policy %' or d.activity like 'authentication strength %'
     or d.activity in ('set company information', 'disable strong authentication', 'add bypass user', 'post tenantcreatebypasseduser',
                       'add certificationbasedauthconfiguration', 'update authorization policy', 'set password policy')
), place as (           -- one row for each place of the document that differs
  select row_id, is_place, old as old_document, new as new_document, path, json_texts(coalesce(old, '{}'), path) as old, json_texts(coalesce(new, '{}'), path) as new
  from (select row_id, is_place, old, new, unnest(paths) as path from change where is_policy and was_on and is_on or is_place and activity not like 'delete%') c
), meaning as (         -- what the difference does; NULL: not understood
  select row_id, path, case
    when regexp_like(path, '(^|\.)(id|displayname|description|createddatetime|modifieddatetime|deleteddatetime|templateid|@odata\.[a-z]+|[a-z]+@odata\.[a-z]+)$')
         and path not like 'grantcontrols.authenticationstrength.id' then 'same'
    when is_place then case     -- a place matters if it is trusted; a new one that is not is not used yet
      when path = 'istrusted' then case when array_has(new, 'true') then 'trusted_location' else 'same' end
      when old_document is null then 'same'
      when path = 'ipranges' and array_has(json_texts(new_document, 'istrusted'), 'true') then case when cardinality(array_except(new, old)) > 0 then 'trusted_location' else 'same' end end
    when regexp_like(path, '^conditions\.users\.(include|exclude)guestsorexternalusers\.') then case
      when cardinality(old) = 0 then case when path like '%.exclude%' then 'excluded' else 'same' end
      when cardinality(new) = 0 then case when path like '%.include%' then 'narrowed' else 'same' end end
    when regexp_like(path, '^conditions\.users\.exclude(users|groups|roles)$') then case when cardinality(array_except(new, old)) > 0 then 'excluded' else 'same' end
    when regexp_like(path, '^conditions\.(applications|locations|platforms)\.exclude(applications|locations|platforms)$') then case when cardinality(array_except(new, old)) > 0 then 'narrowed' else 'same' end
    -- whom and what it aims at: less of it, unless it now aims at all
    when regexp_like(path, '^conditions\.(users|applications)\.include(users|groups|roles|applications|useractions|authenticationcontextclassreferences)$')
      then case when cardinality(array_except(old, new)) > 0 and not array_has(json_texts(new_document, case when path like '%.users.%' then 'conditions.users.includeUsers'
             else 'conditions.applications.includeApplications' end), 'all') then 'narrowed' else 'same' end
    -- circumstances: none is every circumstance
    when regexp_like(path, '^conditions\.(clientapptypes|(locations|platforms)\.include(locations|platforms)|(user|signin|serviceprincipal|insider)risklevels)$')
      then case when cardinality(new) = 0 or array_has(new, 'all') then 'same'
                when cardinality(old) = 0 or cardinality(array_except(old, new)) > 0 then 'narrowed' else 'same' end
    when path = 'conditions.authenticationflows.transfermethods' then case when cardinality(new) = 0 then 'same' when cardinality(old) = 0 then 'narrowed' end
    when path = 'grantcontrols.builtincontrols' then case
      when array_has(new, 'block') then 'same'
      when cardinality(array_except(old, case when cardinality(json_texts(new_document, 'grantControls.authenticationStrength.id')) > 0 then array_append(new, 'mfa') else new end)) > 0 then 'weakened'
      when cardinality(old) > 0 and cardinality(array_except(new, old)) > 0 and array_has(json_texts(new_document, 'grantControls.operator'), 'or') then 'weakened' else 'same' end   -- one more that is enough
    when regexp_like(path, '^grantcontrols\.(customauthenticationfactors|termsofuse)$') then case when cardinality(array_except(old, new)) > 0 then 'weakened' else 'same' end
    when path = 'grantcontrols.operator' then case when array_has(new, 'or') and array_has(old, 'and') and cardinality(json_texts(new_document, 'grantControls.builtInControls'))
        + cardinality(json_texts(new_document, 'grantControls.customAuthenticationFactors')) + cardinality(json_texts(new_document, 'grantControls.termsOfUse'))
        + cardinality(json_texts(new_document, 'grantControls.authenticationStrength.id')) > 1 then 'weakened' else 'same' end
    when path = 'grantcontrols.authenticationstrength.id' then case when cardinality(new) = 0 then 'weakened' when cardinality(old) = 0 then 'same' end
    when path like 'grantcontrols.authenticationstrength%' and (cardinality(old) = 0 or cardinality(new) = 0) then 'same'   -- the id tells
    when path like 'sessioncontrols.%.isenabled' and array_has(old, 'true') and not array_has(new, 'true') then 'weakened'
    when regexp_like(path, '^sessioncontrols\.(signinfrequency|applicationenforcedrestrictions|cloudappsecurity|securesigninsession)\.')
         and (cardinality(old) = 0 or cardinality(new) = 0) then 'same'
    end as meaning
  from place
), read as (
  select row_id, bool_or(meaning = 'excluded') as excluded, bool_or(meaning = 'weakened') as weakened, bool_or(meaning = 'narrowed') as narrowed,
         bool_or(meaning = 'trusted_location') as trusted_location, array_agg(distinct path order by path) filter (where meaning is null) as unread
  from meaning group by row_id
), lock as (            -- a policy that shuts everybody out of everything; whoever loosens it repairs
  select row_id, bool_or(is_new and everybody) as locks, bool_or(not is_new and everybody) as locked from (
    select row_id, is_new, array_has(json_texts(document, 'conditions.users.includeUsers'), 'all') and array_has(json_texts(document, 'conditions.applications.includeApplications'), 'all')
           and array_has(json_texts(document, 'grantControls.builtInControls'), 'block')
           and (cardinality(json_texts(document, 'conditions.clientAppTypes')) = 0 or array_has(json_texts(document, 'conditions.clientAppTypes'), 'all'))
           and cardinality(array_concat(json_texts(document, 'conditions.locations.includeLocations'), json_texts(document, 'conditions.locations.excludeLocations'),
             json_texts(document, 'conditions.platforms.includePlatforms'), json_texts(document, 'conditions.signInRiskLevels'), json_texts(document, 'conditions.userRiskLevels'),
             json_texts(document, 'conditions.servicePrincipalRiskLevels'), json_texts(document, 'conditions.authenticationFlows.transferMethods'),
             json_texts(document, 'conditions.applications.includeUserActions'), json_texts(document, 'conditions.devices.deviceFilter.rule'))) = 0 as everybody
    from (select row_id, true as is_new, new as document from change where is_policy and is_on union all select row_id, false, old from change where is_policy and was_on) d
  ) e group by row_id
), judged as (
  select c.row_id, c.activity, c.actor, c.t, c.name, c.target1_id, c.is_policy,
         c.activity = 'delete conditional access policy' and coalesce(c.was_on, true) and not coalesce(l.locked, false) as deleted,
         coalesce(c.was_on and not c.is_on and not coalesce(l.locked, false), false) and c.activity like 'update%' as switched_off,
         coalesce(r.excluded and not l.locked, false) as excluded, coalesce(r.weakened and not l.locked, false) as weakened, coalesce(r.narrowed and not l.locked, false) as narrowed,
         coalesce(l.locks, false) as blocks_all,
         coalesce(r.trusted_location, false) as trusted_location,
         c.activity like '%security defaults' and (c.activity like 'disable%' or coalesce(s.says_false, false)) as defaults_off,
         c.activity = 'set company information' and coalesce(s.trusted_addresses, false) as trusted_addresses,
         c.activity = 'set company information' and coalesce(s.trusted_authority, false) or c.activity = 'add certificationbasedauthconfiguration' as trusted_authority,
         c.activity in ('disable strong authentication', 'add bypass user', 'post tenantcreatebypasseduser') as bypass,
         c.activity = 'update authorization policy' and coalesce(s.guests_opened, false) as guests_opened,
         c.activity = 'update authorization policy' and coalesce(s.consent_opened, false) as consent_opened,
         c.activity = 'update authorization policy' and coalesce(s.users_opened, false) as users_opened,
         case when c.is_policy or c.is_place then array_remove(c.paths, 'modifieddatetime') else s.changed end as changed,
         case when c.activity like 'add conditional access policy' or c.activity like 'delete %' then case when c.paths is null then make_array(c.activity) end
              when c.is_policy or c.is_place then case when c.old is null and c.new is null or c.paths is null then make_array(c.activity)
                when c.is_policy and c.is_on is null or c.is_policy and c.was_on is null then make_array('state') else r.unread end
              when c.activity = 'update authorization policy' then case when s.place is null then make_array(c.activity) else s.unread end
              when c.activity like '%security defaults' then case when not (c.activity like 'disable%' or coalesce(s.says_false or s.says_true, false)) then make_array(c.activity) end
              when c.activity like 'authentication %' or c.activity = 'set password policy' then coalesce(s.changed, make_array(c.activity)) end as unread
  from change c left join read r on r.row_id = c.row_id left join lock l on l.row_id = c.row_id left join settings s on s.place = c.place
), told as (
  select *, deleted or switched_off or excluded or weakened or narrowed or blocks_all or trusted_location or defaults_off or trusted_addresses or trusted_authority or bypass
            or guests_opened or consent_opened or users_opened as weaker from judged
)
select case when activity = 'disable strong authentication' then coalesce(lower(name), 'tenant') else 'tenant' end as subject,
       lower(concat_ws(' ', coalesce(target1_id, activity), actor)) as key,      -- two people on one object are two findings
       case when not weaker then case when unread is null then 'harmless' else 'changed' end when is_policy then 'policy' else 'setting' end as say,
       row_id as rows, actor, t as first_seen, coalesce(name, activity) as name, activity, changed, unread,
       deleted, switched_off, excluded, weakened, narrowed, blocks_all, trusted_location, defaults_off, trusted_addresses, trusted_authority, bypass,
       guests_opened, consent_opened, users_opened, not weaker and unread is not null as not_understood
from told
where activity <> 'set company information' or trusted_addresses or trusted_authority
