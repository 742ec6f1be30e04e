with held as (          -- roles and groups of each privileged person, for the scope of the policies
  select h.principal_id as id, array_agg(h.role_template_id) as roles from signal.role_holder h where h.principal_type = 'user' group by h.principal_id
), joined as (
  select member_id as id, array_agg(group_id) as groups from group_member group by member_id
), admin as (
  select p.id, p.upn, p.tier, p.rows, p.user_rows, h.roles, coalesce(j.groups, make_array('')) as groups
  from signal.privileged_user p join held h on h.id = p.id left join joined j on j.id = p.id
), rule as (            -- an enabled policy that asks for it on every application; report-only does not count, nor a policy for risky sign-ins only
  select row_id, include_users, include_roles, include_groups, exclude_users, exclude_roles, exclude_groups from ca_policy
  where state = 'enabled' and array_has(include_applications, 'All')
    and (coalesce(array_has(built_in_controls, 'mfa'), false) or authentication_strength is not null)
    and coalesce(cardinality(user_risk_levels), 0) = 0 and coalesce(cardinality(sign_in_risk_levels), 0) = 0
    and (coalesce(cardinality(client_app_types), 0) = 0 or array_has(client_app_types, 'all'))
), required as (
  select a.id, array_agg(p.row_id) as rows
  from admin a cross join rule p
  where (coalesce(array_has(p.include_users, 'All'), false) or coalesce(array_has(p.include_users, a.id), false)
      or coalesce(array_has_any(p.include_roles, a.roles), false) or coalesce(array_has_any(p.include_groups, a.groups), false))
    and not coalesce(array_has(p.exclude_users, a.id), false) and not coalesce(array_has_any(p.exclude_roles, a.roles), false)
    and not coalesce(array_has_any(p.exclude_groups, a.groups), false)
  group by a.id
), closed as (          -- a policy for a group whose members nobody exported
  select count(*) > 0 as some_ from (select unnest(include_groups) as group_id from rule) g
  left join (select group_id from group_member group by group_id) m on m.group_id = g.group_id where m.group_id is null
), defaults as (        -- security defaults and policies exclude each other
  select coalesce(bool_or(security_defaults_enabled), case when (select count(*) from ca_policy where state = 'enabled') > 0 then false end) as on_for_all,
         array_agg(row_id) as rows from tenant_policy
), method as (
  select user_id, unnest(methods_registered) as name from user_auth_registration
), strength as (        -- a name that we do not know is not held against anybody
  select m.user_id, bool_or(r.strength = 'phone') as phone, bool_or(coalesce(r.strength, 'strong') = 'strong') as strong
  from method m left join ref.auth_method r on r.method = m.name group by m.user_id
), one_factor as (
  select v.admin, array_agg(v.row_id) as rows, bool_or(coalesce(v.new_country, false) or coalesce(v.new_network, false)) as new_place
  from signal.admin_visit v
  where v.got_in and v.sign_in_class = 'interactive' and lower(v.authentication_requirement) = 'singlefactorauthentication'
    and not v.known_device and coalesce(lower(v.incoming_token_type), 'none') not like '%primaryrefreshtoken%'
  group by v.admin
)
select a.upn as subject, array_concat(a.rows, a.user_rows, make_array(g.row_id), q.rows, d.rows, f.rows) as rows,
       not coalesce(g.is_mfa_registered, s.phone or s.strong) as not_registered,       -- no row for the account: NULL, so unknown
       case when g.user_id is null or g.methods_registered is null then not g.is_mfa_registered and false
            else coalesce(s.phone, false) and not coalesce(s.strong, false) end as phone_only,
       case when q.id is not null or d.on_for_all or lower(coalesce(g.per_user_mfa_state, '')) in ('enforced', 'enabled') then false
            when not c.some_ then not d.on_for_all end as not_required,
       coalesce(f.new_place, false) as one_factor_new_place,
       f.admin is not null as one_factor
from admin a
cross join defaults d
cross join closed c
left join user_auth_registration g on g.user_id = a.id
left join strength s on s.user_id = a.id
left join required q on q.id = a.id
left join one_factor f on f.admin = a.upn
union all
select group_id, rows, false, cast(null as boolean), false, false, false from signal.closed_role_group
