-- The last position recorded before an instant; startingAt (feeds/store.cc).
select coalesce((select e.position from entries e
                 where e.lane = $1::smallint and e.feed = $2::bigint and e.recorded < $3::timestamptz
                 order by e.position desc limit 1), 0)
