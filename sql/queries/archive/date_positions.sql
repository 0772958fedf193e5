-- When each of the positions was recorded, in their order, null where it is not kept any more; the index for people
-- (archive/index.cc).
select (select e.recorded from entries e where e.lane = $1::smallint and e.feed = $2::bigint and e.position = p.position)
from unnest($3::bigint[]) with ordinality as p (position, place)
order by p.place
