with alert as (         -- one row per record: an alert writes one when raised and one per account, mailbox or message it names
  select e.row_id, e.id, e.operation_key, lower(e.object_id) as object_id,
         max(case when lower(p.name) = 'alertid' then lower(p.value) end) as alert_id,
         max(case when lower(p.name) = 'name' then p.value end) as name,
         max(case when lower(p.name) = 'severity' then lower(p.value) end) as severity,
         max(case when lower(p.name) = 'category' then lower(p.value) end) as category,
         max(case when lower(p.name) = 'entitytype' then lower(p.value) end) as entity_type,
         max(case when lower(p.name) = 'alertentityid' then lower(p.value) end) as entity,
         lower((regexp_match(e.data, '"f3u"\s*:\s*"([^"]+)"'))[1]) as author
  from ual_event e join ual_property p on p.place = e.place and p.bag = 'extended'
  where e.record_type = 40 and e.operation_key in ('alerttriggered', 'alertentitygenerated')
  group by e.row_id, e.id, e.operation_key, e.object_id, e.data
), known as (
  select row_id, name, severity, category, coalesce(alert_id, case when operation_key = 'alerttriggered' then object_id end, lower(id)) as alert_id,
         coalesce(case when entity_type in ('user', 'mailbox', 'recipient') then entity end, case when strpos(author, '@') > 0 then author end) as person
  from alert
), person as (          -- a record that names nobody belongs to the person whom the same alert names elsewhere
  select alert_id, min(person) as person, min(name) as name, min(severity) as severity, min(category) as category from known group by alert_id
), told as (
  select k.row_id, k.alert_id, coalesce(k.person, p.person) as person, coalesce(k.name, p.name) as name,
         coalesce(k.severity, p.severity) as severity, coalesce(k.category, p.category) as category
  from known k join person p on p.alert_id = k.alert_id
), judged as (
select coalesce(person, 'tenant') as subject, alert_id as key, row_id as rows, person as actor, coalesce(name, 'unnamed') as name,
       coalesce(lower(name), '') in ('user restricted from sending email', 'user restricted from sharing forms and collecting responses') as stopped_by_microsoft,
       coalesce(lower(name), '') in ('suspicious email forwarding activity', 'suspicious email sending patterns detected', 'email sending limit exceeded',
         'suspicious inbox forwarding', 'suspicious inbox forwarding rule', 'suspicious inbox manipulation rules', 'suspicious inbox manipulation rule',
         'suspicious email deletion activity', 'suspicious email deletion activity (by user)', 'bec financial fraud',
         'activity from infrequent country', 'impossible travel activity', 'impossible travel', 'suspicious connector activity',
         'suspicious tenant sending patterns observed', 'unusual external user file activity', 'unusual volume of file deletion',
         'unusual volume of external file sharing') as takeover_alert,
       coalesce(severity, '') = 'high' and coalesce(category, '') in ('threatmanagement', 'accessgovernance') as high_threat,
       coalesce(severity, '') = 'medium' and coalesce(category, '') in ('threatmanagement', 'accessgovernance') as medium_threat,
       coalesce(lower(name), '') = 'creation of forwarding/redirect rule' as forward_made
from told
)
select *, not (stopped_by_microsoft or takeover_alert or high_threat or medium_threat or forward_made) as other_alert from judged
