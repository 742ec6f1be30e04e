-- Applications whose name imitates a known brand, says nothing, or is that of a tool of attack. One row per application and name; Microsoft's own leave.
with every as (
  select lower(app_id) as app, display_name as name, row_id from service_principal where not coalesce(is_microsoft, false)
  union all select lower(app_id), display_name, row_id from application
  union all select lower(client_app_id), client_display_name, row_id from oauth2_permission_grant
  union all select app, name, row_id from signal.app_change where operation in ('consent to application', 'add application', 'add owner to application', 'add app role assignment to service principal',
                                                                               'update application - certificates and secrets management', 'add service principal credentials')
), mine as (            -- an application that Microsoft owns is Microsoft's whatever table names it
  select e.app, e.name, skeleton(e.name) as bones, array_agg(e.row_id) as rows
  from every e left join ref.first_party_app f on f.app_id = e.app
  left join (select distinct lower(app_id) as app from service_principal where is_microsoft) o on o.app = e.app
  where f.app_id is null and o.app is null and e.app is not null and e.name is not null
  group by e.app, e.name
), brand as (
  select name, microsoft, skeleton(name) as bones from ref.brand
), near as (            -- an exact name is honest for every other house (the real Zoom is called Zoom), never for Microsoft's
  select m.app, m.name, coalesce(min(case when b.bones = m.bones then b.name end), min(b.name)) as near, bool_or(lower(btrim(m.name)) = b.name) as exact, bool_or(b.bones = m.bones and lower(btrim(m.name)) <> b.name) as same
  from mine m cross join brand b
  where levenshtein(b.bones, m.bones) <= case when length(b.name) >= 8 then 2 when length(b.name) >= 6 then 1 else 0 end
    and abs(length(b.name) - length(m.name)) <= 4
    and not (lower(btrim(m.name)) = b.name and not b.microsoft)
  group by m.app, m.name
), tool as (
  select m.app, m.name from mine m cross join (select skeleton(token) as bones from ref.offensive_name) o where strpos(m.bones, o.bones) > 0 group by m.app, m.name
)
select m.app, m.name, m.rows, n.near,
       coalesce(n.exact, false) as exact_name, coalesce(n.same and not n.exact, false) as same_skeleton, coalesce(not n.same and not n.exact, false) as one_letter_off,
       odd_name(m.name) as odd_name, t.app is not null as tool_name
from mine m left join near n on n.app = m.app and n.name = m.name left join tool t on t.app = m.app and t.name = m.name
