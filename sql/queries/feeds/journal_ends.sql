-- The last sequence of each lane's journal, 0 where it has none; the follower (feeds/follower.cc). One look into the
-- index for each lane.
select l.lane, coalesce((select j.sequence from journal j where j.lane = l.lane order by j.sequence desc limit 1), 0)
from generate_series(0, (select lanes from log_facts) - 1) as l (lane)
