with held as (          -- roles and groups of each privileged person, for the scope of the policies
  select h.principal_id as id, array_agg(h.role_template_id) as roles from signal.role_holder h where h.principal_type = 'user' group by h.principal_id
), joined as (
  select coalesce(p.id, lower(m.member_id)) as id, array_agg(m.group_id) as groups
  from group_member m left join signal.principal p on p.name = coalesce(lower(m.member_id), lower(m.member_upn)) group by coalesce(p.id, lower(m.member_id))
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
), report as (         -- several reports may tell of one account, each of other things
  select coalesce(p.id, lower(g.user_id), lower(g.user_principal_name)) as id, g.row_id, coalesce(g.last_updated_date_time, g.collected_at) as at,
         g.is_mfa_registered, g.methods_registered, lower(g.per_user_mfa_state) as per_user
  from user_auth_registration g left join signal.principal p on p.name = coalesce(lower(g.user_id), lower(g.user_principal_name))
), newest as (
  select id, max(case when is_mfa_registered is not null then at end) as registered_at, max(case when methods_registered is not null then at end) as methods_at,
         max(case when per_user is not null then at end) as per_user_at
  from report group by id
), said as (            -- of reports that differ the latest counts
  select r.id, array_agg(r.row_id) as rows, bool_and(case when r.at = n.registered_at or n.registered_at is null then r.is_mfa_registered end) as is_mfa_registered,
         bool_or(coalesce((r.at = n.methods_at or n.methods_at is null) and r.methods_registered is not null, false)) as methods_told,
         bool_or(coalesce((r.at = n.per_user_at or n.per_user_at is null) and r.per_user in ('enforced', 'enabled'), false)) as per_user_on
  from report r join newest n on n.id = r.id group by r.id
), method as (
  select r.id, unnest(r.methods_registered) as name from report r join newest n on n.id = r.id and (r.at = n.methods_at or n.methods_at is null)
), strength as (        -- a name that we do not know is not held against anybody
  select m.id, bool_or(r.strength = 'phone') as phone, bool_or(coalesce(r.strength, 'strong') = 'strong') as strong
  from method m left join ref.auth_method r on r.method = m.name group by m.id
), one_factor as (
  select v.admin, array_agg(v.row_id) as rows, bool_or(coalesce(v.new_country, false) or coalesce(v.new_network, false)) as new_place
  from signal.admin_visit v
  where v.got_in and v.sign_in_class = 'interactive' and lower(v.authentication_requirement) = 'singlefactorauthentication'
    and not v.known_device and coalesce(lower(v.incoming_token_type), 'none') not like '%primaryrefreshtoken%'
  group by v.admin
)
select a.upn as subject, array_concat(a.rows, a.user_rows, g.rows, q.rows, d.rows, f.rows) as rows,
       not coalesce(g.is_mfa_registered, s.phone or s.strong) as not_registered,       -- no row for the account: NULL, so unknown
       case when g.id is null or not g.methods_told then not g.is_mfa_registered and false
            else coalesce(s.phone, false) and not coalesce(s.strong, false) end as phone_only,
       case when q.id is not null or d.on_for_all or coalesce(g.per_user_on, false) then false
            when not c.some_ then not d.on_for_all end as not_required,
       coalesce(f.new_place, false) as one_factor_new_place,
       f.admin is not null as one_factor
from admin a
cross join defaults d
cross join closed c
left join said g on g.id = a.id
left join strength s on s.id = a.id
left join required q on q.id = a.id
left join one_factor f on f.admin = a.upn
union all
select group_id, rows, false, cast(null as boolean), false, false, false from signal.closed_role_group
