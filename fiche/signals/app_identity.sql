-- Which application an object of the directory belongs to: read from the exported state and from what the audit log says of it.
with said as (          -- the log names an application by its object, and somewhere beside it by its id
  select place, lower(property) as property,
         lower((regexp_match(coalesce(new_value, old_value), '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'))[1]) as guid,
         nullif(btrim(new_value, '" '), '') as text
  from directory_audit_change
  where lower(property) in ('targetid.serviceprincipalnames', 'appid', 'appprincipalid', 'application.objectid', 'application.appid', 'application.displayname',
                            'serviceprincipal.objectid', 'serviceprincipal.appid', 'serviceprincipal.displayname')
), wide as (
  select place,
         max(case when property in ('targetid.serviceprincipalnames', 'appid', 'appprincipalid') then guid end) as target_app,
         max(case when property = 'application.objectid' then guid end) as app_object, max(case when property = 'application.appid' then guid end) as app_app,
         max(case when property = 'application.displayname' then text end) as app_name,
         max(case when property = 'serviceprincipal.objectid' then guid end) as sp_object, max(case when property = 'serviceprincipal.appid' then guid end) as sp_app,
         max(case when property = 'serviceprincipal.displayname' then text end) as sp_name
  from said group by place
), every as (
  select lower(id) as object_id, lower(app_id) as app, display_name as name from service_principal
  union all select lower(id), lower(app_id), display_name from application
  union all
  select lower((regexp_match(a.target1_id, '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'))[1]), w.target_app, a.target1_name
  from directory_audit a join wide w on w.place = a.place
  where w.target_app is not null
    and a.activity_key in ('consent to application', 'add application', 'add service principal', 'update application', 'update service principal', 'add service principal credentials')
  union all select app_object, app_app, app_name from wide
  union all select sp_object, sp_app, sp_name from wide
)
select object_id, max(app) as app, max(name) as name from every where object_id is not null and app is not null group by object_id
