with membership as (    -- who came into a group: before or after the group got its role, both make him its holder
  select a.row_id, a.place, a.activity_date_time as t, a.correlation_id, a.actor_id, lower(a.actor_upn) as actor_upn,
         lower(coalesce(a.actor_upn, a.actor_display_name, a.actor_id)) as actor,
         a.actor_upn is null and (a.actor_app_id is not null or a.actor_sp_id is not null) as by_application,
         coalesce(target_of(a.targets, 'User ServicePrincipal', 'type'), a.target1_type) as holder_type,
         lower(coalesce(target_of(a.targets, 'User ServicePrincipal', 'id'), a.target1_id)) as holder_id,
         lower(coalesce(target_of(a.targets, 'User', 'upn'), target_of(a.targets, 'User ServicePrincipal', 'name'), a.target1_upn, a.target1_name, a.target1_id)) as holder,
         lower(coalesce(c.group_id, target_of(a.targets, 'Group', 'id'))) as group_id
  from directory_audit a
  left join (select place, max(nullif(btrim(coalesce(nullif(new_value, ''), old_value), '" '), '')) as group_id
             from directory_audit_change where property = 'Group.ObjectID' group by place) c on c.place = a.place
  left join ref.first_party_app f on f.app_id = a.actor_app_id and a.actor_upn is null
  where lower(a.result) in ('success', 'succeeded')
    and coalesce(a.actor_class, '') <> 'system' and f.app_id is null
    and regexp_like(a.activity_key, '^add (eligible )?(member|owner) to group') and not regexp_like(a.activity_key, 'request|approv|denied|cancel|failed')
), granted as (
  select r.what as say, r.t, r.correlation_id, r.actor, r.actor_id, r.actor_upn, r.holder, r.holder_id, r.holder_type, r.role_key, r.role_id, r.role_name, r.tier, r.administers,
         cast(null as varchar) as group_name, r.by_application, r.named_like_service, r.taken_back, r.rows
  from signal.role_change r
  union all
  select 'granted', m.t, m.correlation_id, m.actor, m.actor_id, m.actor_upn, m.holder, m.holder_id, m.holder_type, coalesce(g.role_key, g.group_id), g.role_id, g.role_name, g.tier,
         coalesce(g.tier <= 1, false), coalesce(g.group_name, g.group_id), m.by_application, false, cast(null as bigint), array_concat(make_array(m.row_id), g.rows)
  from membership m join signal.role_group g on g.group_id = m.group_id
), born as (            -- the log itself says when an account was made
  select lower(target1_id) as id, min(t) as t, min(row_id) as row_id from signal.directory_change where activity = 'add user' and target1_id is not null group by lower(target1_id)
), told as (
  select g.*, case when g.say = 'activated' then 'activated' when g.say = 'eligible' then 'eligible' when g.group_name is not null then 'through_group' else 'found' end as worded,
         g.say = 'activated' as activation,
         coalesce(g.actor_id = g.holder_id, false) or coalesce(g.actor_upn = g.holder, false) as own,
         case when b.t <= g.t and b.t > g.t - interval '24 hours' then b.row_id end as born_row,
         u.created_date_time > g.t - interval '24 hours' as young, u.user_type = 'Guest' as guest
  from granted g
  left join born b on b.id = g.holder_id
  left join (select lower(id) as id, min(created_date_time) as created_date_time, max(user_type) as user_type from entra_user where id is not null group by lower(id)) u on u.id = g.holder_id
), spaced as (          -- one click, or one after the other: acts of one actor on one holder, at most five minutes apart
  select *, case when t - lag(t) over (partition by actor, holder, worded order by t) <= interval '5 minutes' then 0 else 1 end as opens from told
), counted as (
  select *, sum(opens) over (partition by actor, holder, worded order by t) as sitting from spaced
), bundle as (
  select actor, holder, worded, sitting, min(link) as link, count(*) as roles, sum(administers) as administering, substr(min(rank_name), 2) as gravest
  from (select actor, holder, worded, sitting, role_key, min(correlation_id) as link, max(case when administers then 1 else 0 end) as administers,
               min(concat(cast(coalesce(tier, 3) as varchar), role_name)) as rank_name
        from counted group by actor, holder, worded, sitting, role_key) one
  group by actor, holder, worded, sitting
)
select g.holder as subject, g.role_key as key, g.worded as say, g.holder, case when g.activation then g.role_name else b.gravest end as role, g.group_name, g.actor, g.t as first_seen,
       case when b.roles > 1 and not g.activation then b.roles - 1 end as others, case when b.roles > 1 and not g.activation then g.role_name end as roles,
       case when g.activation then concat('activation ', g.role_key) else b.link end as link,
       array_concat(g.rows, make_array(g.taken_back, g.born_row)) as rows,
       not g.activation and case when g.tier is not null then g.tier = 0 when lower(g.role_name) = 'company administrator' then true when g.role_id is not null then false end as tier0,
       not g.activation and case when g.role_id is null or g.tier is not null then false else regexp_like(lower(d.rights), $takeover) end as own_role,
       not g.activation and coalesce(g.tier = 1, false) as tier1,
       g.group_name is not null as through_group,
       not g.activation and g.own as to_himself,
       not g.activation and (g.born_row is not null or g.young) as new_account,
       not g.activation and g.guest as guest,
       not g.activation and lower(g.holder_type) = 'serviceprincipal' as application,
       not g.activation and case when g.named_like_service then cast(null as boolean) else g.by_application end as by_application,
       not g.activation and g.taken_back is not null as taken_back,
       not g.activation and b.administering >= 3 as many_roles,
       not g.activation and coalesce(g.tier > 1, false) and b.administering = 0 as lesser_role,
       g.activation
from counted g join bundle b on (b.actor is not distinct from g.actor) and b.holder = g.holder and b.worded = g.worded and b.sitting = g.sitting
left join (select template_id, max(rights) as rights from role_definition where template_id is not null group by template_id) d on d.template_id = g.role_id and g.tier is null
