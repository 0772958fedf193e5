-- Moves back from when on an empty feed can have entries; an import (feeds/lifecycle.cc).
update feeds f set floor_recorded = $3::timestamptz
where f.lane = $1::smallint and f.feed = $2::bigint and f.floor_position = 0 and f.floor_recorded > $3::timestamptz
      and not exists (select from entries e where e.lane = f.lane and e.feed = f.feed)
