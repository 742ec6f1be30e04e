-- One row per account and place; the places of habit are rows too: the question is "from where", and the reader must recognise each.
select admin as subject, network || coalesce(' ' || country, '') as key, 'found' as say, array_agg(row_id) as rows,
       network, country, count(*) as visits, array_agg(distinct ip) as addresses, min(t) as first_seen, max(t) as last_seen,
       coalesce(bool_or(new_country and not known_device), false) as new_country,
       bool_or(new_country and known_device) as new_country_known_device,
       bool_or(new_network) as new_network,
       bool_or((asn is not null or country is not null) and new_network is null and new_country is null) as thin,
       country is null as no_place,
       coalesce(bool_and(not coalesce(new_network, new_country)), false) as usual
from signal.admin_visit
where got_in
group by admin, network, country
union all
select group_id, '', 'group', rows, cast(null as varchar), cast(null as varchar), cast(null as bigint), cast(null as varchar[]),
       arrow_cast(null, 'Timestamp(Microsecond, Some("UTC"))'), arrow_cast(null, 'Timestamp(Microsecond, Some("UTC"))'),
       cast(null as boolean), false, false, false, false, false
from signal.closed_role_group
