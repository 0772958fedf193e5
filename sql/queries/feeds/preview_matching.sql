-- How many entries in the positions ($3, $4] match a filter, and the ids of the first $9; $5 to $8 as match_entries
-- explains them (feeds/push.cc).
select m.looked_to, m.is_exhausted, cardinality(m.positions),
       array(select e.id from entries e
             where e.lane = $1::smallint and e.feed = $2::bigint and e.position = any (m.positions[1 : $9::integer])
             order by e.position)
from match_entries($1::smallint, $2::bigint, $3::bigint, $4::bigint, false, $5::text[], $6::bigint[], $7::jsonpath,
                   $8::bigint, $8::bigint) m
