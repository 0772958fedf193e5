-- A feed's last position; of one that has been deleted, too: it may be made again, and goes on counting (feeds/push.cc).
select greatest(f.floor_position, (select e.position from entries e where e.lane = f.lane and e.feed = f.feed
                                   order by e.position desc limit 1))
from feeds f
where f.lane = $1::smallint and f.feed = $2::bigint
