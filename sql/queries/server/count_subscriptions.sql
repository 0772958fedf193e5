-- Subscriptions of a workspace's feeds and requests for further ones, counted no further than $2 (server/feed_topics.cc).
select count(*)
from ((select 1 from feeds f join subscriptions s on s.lane = f.lane and s.feed = f.feed where f.workspace = $1::text)
      union all
      (select 1 from feeds f join hub_requests r on r.lane = f.lane and r.feed = f.feed and r.is_subscribe
       where f.workspace = $1::text
             and not exists (select from subscriptions s where s.shard = r.shard and s.key = r.key))
      limit $2::bigint) few
