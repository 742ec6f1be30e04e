-- A consent to an application, in either of the records the directory writes of it: the consent itself, and the delegated grant beside it.
-- Scopes of the consent are those of its right side and of its own kind (for everybody, or for one person).
select row_id, at, app, name, who, done, correlation_id, coalesce(called_risky, false) as called_risky, coalesce(on_behalf_of_all, false) as for_everybody,
       consent_scopes(permissions, case when on_behalf_of_all then 'AllPrincipals' else 'Principal' end) as scopes
from signal.app_change where operation = 'consent to application'
union all
select row_id, at, app, name, who, done, correlation_id, false, coalesce(consent_type = 'AllPrincipals', false), string_to_array(scope, ' ')
from signal.app_change where operation = 'add delegated permission grant'
