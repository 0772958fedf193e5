-- The lanes whose journal goes on after the sequence that was read; the follower, with each heartbeat
-- (feeds/follower.cc). One look into the index for each lane, however long the journals are.
select k.lane
from unnest($1::smallint[], $2::bigint[]) as k (lane, sequence)
cross join lateral (select 1 from journal j where j.lane = k.lane and j.sequence > k.sequence
                    order by j.sequence limit 1) n
