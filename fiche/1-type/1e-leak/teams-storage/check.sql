with config as (
  select row_id, lower(coalesce(identity, '')) as policy, make_array('Dropbox', 'Box', 'Google Drive', 'ShareFile', 'Egnyte') as providers,
         make_array(allow_drop_box, allow_box, allow_google_drive, allow_share_file, allow_egnyte) as settings
  from teams_client_config
), every as (
  select row_id, policy, unnest(providers) as provider, unnest(settings) as allowed from config
)
select 'tenant' as subject, policy as key, row_id as rows, case when allowed then provider end as provider, allowed from every
