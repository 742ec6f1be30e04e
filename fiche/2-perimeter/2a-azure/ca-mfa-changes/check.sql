with document as (      -- a policy before and after, as JSON text; one log quotes the quotes once more than the other
  select place,
         max(replace(replace(old_value, '\', ''), ' ', '')) as old, max(replace(replace(new_value, '\', ''), ' ', '')) as new
  from directory_audit_change where property in ('ConditionalAccessPolicy', 'NamedLocation', 'SecurityDefaults', 'IdentitySecurityDefaultsEnforcementPolicy', 'IsEnabled')
  group by place
), company as (         -- settings of the whole organisation
  select place, bool_or(property = 'StrongAuthenticationPolicy' and coalesce(new_value, '') <> coalesce(old_value, '')) as trusted_addresses,
         bool_or(property like 'TrustedCAs%' and coalesce(new_value, '') <> coalesce(old_value, '')) as trusted_authority
  from directory_audit_change group by place
), change as (
  select d.row_id, d.activity, d.actor, d.t, d.target1_id, coalesce(d.target1_name, d.target1_upn, d.target1_id) as name, o.old, o.new,
         coalesce(c.trusted_addresses, false) as trusted_addresses, coalesce(c.trusted_authority, false) as trusted_authority
  from signal.directory_change d
  left join document o on o.place = d.place left join company c on c.place = d.place
  where d.activity like '%conditional access policy' or d.activity like '%named location' or d.activity like '%security defaults'
     or d.activity like 'authentication methods policy %' or d.activity like 'authentication strength %'
     or d.activity in ('set company information', 'disable strong authentication', 'add bypass user', 'post tenantcreatebypasseduser',
                       'add certificationbasedauthconfiguration', 'update authorization policy', 'set password policy')
), policy as (
  select row_id, regexp_like(old, '"state":"enabled"') as was_on, regexp_like(new, '"state":"enabled"') as is_on,
         string_to_array((regexp_match(old, '"excludeUsers":\[([^\]]*)\]'))[1] || ',' || coalesce((regexp_match(old, '"excludeGroups":\[([^\]]*)\]'))[1], '') || ',' || coalesce((regexp_match(old, '"excludeRoles":\[([^\]]*)\]'))[1], ''), ',') as old_out,
         string_to_array((regexp_match(new, '"excludeUsers":\[([^\]]*)\]'))[1] || ',' || coalesce((regexp_match(new, '"excludeGroups":\[([^\]]*)\]'))[1], '') || ',' || coalesce((regexp_match(new, '"excludeRoles":\[([^\]]*)\]'))[1], ''), ',') as new_out,
         coalesce((regexp_match(old, '"builtInControls":\[([^\]]*)\]'))[1], '') as old_controls, coalesce((regexp_match(new, '"builtInControls":\[([^\]]*)\]'))[1], '') as new_controls,
         regexp_like(old, '"authenticationStrength":\{') as old_strength, regexp_like(new, '"authenticationStrength":\{') as new_strength,
         regexp_like(old, '"operator":"AND"') and regexp_like(new, '"operator":"OR"') as looser,
         regexp_like(old, '"includeUsers":\["All"') and not regexp_like(new, '"includeUsers":\["All"') as fewer_users,
         regexp_like(old, '"includeApplications":\["All"') and not regexp_like(new, '"includeApplications":\["All"') as fewer_apps,
         regexp_like(new, '"includeUsers":\["All"') and regexp_like(new, '"includeApplications":\["All"') and regexp_like(new, '"builtInControls":\["block"')
           and not regexp_like(new, '"clientAppTypes":\["(exchangeActiveSync|other|mobileAppsAndDesktopClients|browser)"')
           and not regexp_like(new, '"include(Locations|Platforms)":\[') and not regexp_like(new, '"(signInRiskLevels|userRiskLevels|servicePrincipalRiskLevels)":\["')
           and not regexp_like(new, '"transferMethods":"[a-zA-Z]') and not regexp_like(new, '"includeUserActions":\["') as blocks_all
  from change where activity like '%conditional access policy'
), judged as (
  select c.row_id, c.activity, c.actor, c.t, c.name, c.target1_id, c.activity = 'delete conditional access policy' as deleted,
         coalesce(not p.was_on, false) as slept,
         coalesce(p.was_on and not p.is_on, false) as switched_off,
         coalesce(p.was_on and p.is_on and cardinality(array_except(p.new_out, array_append(p.old_out, ''))) > 0, false) as excluded,
         coalesce(p.was_on and p.is_on and (p.looser or (p.old_strength and not p.new_strength)
           or (strpos(p.old_controls, 'mfa') > 0 and strpos(p.new_controls, 'mfa') = 0 and not p.new_strength)
           or (strpos(p.old_controls, 'compliantDevice') > 0 and strpos(p.new_controls, 'compliantDevice') = 0)
           or (strpos(p.old_controls, 'block') > 0 and strpos(p.new_controls, 'block') = 0)), false) as weakened,
         coalesce(p.was_on and p.is_on and (p.fewer_users or p.fewer_apps), false) as narrowed,
         coalesce(p.is_on and p.blocks_all, false) as blocks_all,
         coalesce(c.activity like '%named location' and regexp_like(c.new, '"isTrusted":true') and c.new <> coalesce(c.old, ''), false) as trusted_location,
         coalesce(c.activity like '%security defaults' and (c.activity like 'disable%' or regexp_like(lower(c.new), 'false')), false) as defaults_off,
         c.trusted_addresses, c.trusted_authority or c.activity = 'add certificationbasedauthconfiguration' as trusted_authority,
         c.activity in ('disable strong authentication', 'add bypass user', 'post tenantcreatebypasseduser') as bypass,
         c.activity like 'authentication methods policy %' or c.activity like 'authentication strength %' as methods_changed
  from change c left join policy p on p.row_id = c.row_id
)
select case when activity = 'disable strong authentication' then lower(name) else 'tenant' end as subject, lower(coalesce(target1_id, activity)) as key,
       case when not (coalesce(deleted and not slept, false) or switched_off or excluded or weakened or narrowed or blocks_all or trusted_location or defaults_off
                      or trusted_addresses or trusted_authority or bypass or methods_changed) then 'harmless'
            when activity like '%conditional access policy' then 'policy' else 'setting' end as say,
       row_id as rows, actor, t as first_seen, coalesce(name, activity) as name, activity,
       deleted and not slept as deleted, switched_off, excluded, weakened, narrowed, blocks_all, trusted_location, defaults_off,
       trusted_addresses, trusted_authority, bypass, methods_changed
from judged
where activity <> 'set company information' or trusted_addresses or trusted_authority
