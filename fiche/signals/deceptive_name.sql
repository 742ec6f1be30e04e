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
), pair as (            -- a brand within a longer name deceives only when it is disguised ("rnicrosoft backup"); written plainly it says what the application serves
  select m.app, m.name, m.bones, b.name as brand, b.microsoft, b.bones as brand_bones,
         length(b.name) >= 6 and strpos(m.bones, b.bones) > 0 and strpos(lower(m.name), b.name) = 0 as disguised
  from mine m cross join brand b
), near as (            -- an exact name is honest for every other house (the real Zoom is called Zoom), never for Microsoft's
  select app, name, coalesce(min(case when brand_bones = bones or disguised then brand end), min(brand)) as near,
         bool_or(lower(btrim(name)) = brand) as exact, bool_or((brand_bones = bones or disguised) and lower(btrim(name)) <> brand) as same
  from pair
  where (disguised or (levenshtein(brand_bones, bones) <= case when length(brand) >= 8 then 2 when length(brand) >= 6 then 1 else 0 end
                       and abs(length(brand) - length(name)) <= 4))
    and not (lower(btrim(name)) = brand and not microsoft)
  group by app, name
), tool as (
  select m.app, m.name from mine m cross join (select skeleton(token) as bones from ref.offensive_name) o where strpos(m.bones, o.bones) > 0 group by m.app, m.name
)
select m.app, m.name, m.rows, n.near,
       coalesce(n.exact, false) as exact_name, coalesce(n.same and not n.exact, false) as same_skeleton, coalesce(not n.same and not n.exact, false) as one_letter_off,
       odd_name(m.name) as odd_name, t.app is not null as tool_name
from mine m left join near n on n.app = m.app and n.name = m.name left join tool t on t.app = m.app and t.name = m.name
