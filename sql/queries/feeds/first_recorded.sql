-- When what stands first after each of some places was committed; null: nothing does (feeds/push.cc).
select (select e.recorded from entries e
        where e.lane = w.lane::smallint and e.feed = w.feed and e.position > w.position
        order by e.position limit 1)
from unnest($1::bigint[], $2::bigint[], $3::bigint[]) with ordinality as w (lane, feed, position, place)
order by w.place
