-- One finding for the tenant: each setting names the policies that have it.
select 'tenant' as subject, row_id as rows,
       allow_anonymous_users_to_join_meeting as can_join, case when allow_anonymous_users_to_join_meeting then identity end as join_policies,
       allow_anonymous_users_to_start_meeting as can_start, case when allow_anonymous_users_to_start_meeting then identity end as start_policies,
       lower(auto_admitted_users) = 'everyone' as no_lobby, case when lower(auto_admitted_users) = 'everyone' then identity end as lobby_policies
from teams_meeting_policy
