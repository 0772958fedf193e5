-- The bytes of a workspace's media (feeds/quotas.cc). They are stored as they are, so that their length is known unread.
select coalesce(sum(octet_length(m.bytes)), 0)::bigint
from feeds f join media_pieces m on m.lane = f.lane and m.feed = f.feed
where f.workspace = $1::text
