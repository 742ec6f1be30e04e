-- Directory changes that succeeded inside the window, made by a person or by an application that is not Microsoft's.
-- Service housekeeping is told by class and by application id, never by display name: a name is chosen by whoever creates the application.
select a.row_id, a.place, a.activity_date_time as t, replace(a.activity_key, '.', '') as activity, a.result_reason, a.correlation_id,
       a.actor_id, a.actor_type, lower(a.actor_upn) as actor_upn, lower(coalesce(a.actor_upn, a.actor_display_name, a.actor_id)) as actor, a.ip,
       a.target1_type, a.target1_id, a.target1_name, a.target1_upn,
       lower(coalesce(a.target1_upn, a.target1_name, a.target1_id)) as target,
       a.actor_upn is null and (a.actor_app_id is not null or a.actor_sp_id is not null) as by_application
from directory_audit a
left join ref.first_party_app f on f.app_id = a.actor_app_id and a.actor_upn is null
where lower(a.result) in ('success', 'succeeded')
  and coalesce(a.actor_class, '') <> 'system' and f.app_id is null
  and coalesce(lower(a.actor_upn), '') not like '%@support.onmicrosoft.com'
