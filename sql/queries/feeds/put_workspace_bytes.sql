-- Writes down what a workspace holds: the bytes counted of its feeds and $2 of media (feeds/quotas.cc).
insert into workspace_bytes (workspace, bytes, counted)
select $1::text, coalesce(sum(b.bytes), 0) + $2::bigint, clock_timestamp()
from feeds f join feed_bytes b on b.lane = f.lane and b.feed = f.feed
where f.workspace = $1::text
on conflict (workspace) do update set bytes = excluded.bytes, counted = excluded.counted
