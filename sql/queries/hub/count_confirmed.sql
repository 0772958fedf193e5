-- How many live subscriptions of a feed have come past how many of some positions, which ascend; those that share a watch
-- as far as that has come (hub/confirmations.cc).
select width_bucket(greatest(s.cursor, w.position), $3::bigint[])::bigint, count(*)
from subscriptions s
left join hub_watches w on w.shard = s.shard and w.lane = s.lane and w.feed = s.feed and w.watch = s.watch
where s.lane = $1::smallint and s.feed = $2::bigint and s.lease_until > clock_timestamp()
group by 1
