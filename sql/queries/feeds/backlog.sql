-- Where a feed stands beyond a position: its floor, its last position, and when the first entry after $3 that is kept was
-- recorded (feeds/push.cc).
select f.floor_position,
       greatest(f.floor_position, (select e.position from entries e where e.lane = f.lane and e.feed = f.feed
                                   order by e.position desc limit 1)),
       (select e.recorded from entries e
        where e.lane = f.lane and e.feed = f.feed and e.position > greatest($3::bigint, f.floor_position)
        order by e.position limit 1)
from feeds f
where f.lane = $1::smallint and f.feed = $2::bigint
