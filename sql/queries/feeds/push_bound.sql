-- How far one document after position $3 may reach: at most $5 entries and $6 bytes of them, but one entry at least;
-- for the hub (feeds/push.cc). Null: there is nothing after $3. With the feed's floor: nothing up to there is shown.
select (select max(position)
        from (select position, sum(size) over (order by position) as bytes, row_number() over (order by position) as number
              from (select position, size from entries
                    where lane = $1::smallint and feed = $2::bigint and position > greatest($3::bigint, f.floor_position)
                          and position <= $4::bigint
                    order by position limit $5::bigint) few) sized
        where bytes <= $6::bigint or number = 1), f.floor_position
from feeds f where f.lane = $1::smallint and f.feed = $2::bigint
