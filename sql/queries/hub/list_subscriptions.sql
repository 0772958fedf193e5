-- Subscriptions after a number, in its order: all, or those of a topic or a feed, in a state; $5: one alone
-- (hub/operator_store.cc).
select s.subscription, f.workspace || '/' || f.name, s.self, s.callback, s.identity, s.verified, s.lease_until,
       greatest(s.cursor, w.position), s.failures, s.next_attempt, s.is_paused,
       coalesce((select e.position from entries e where e.lane = s.lane and e.feed = s.feed
                 order by e.position desc limit 1), f.floor_position), f.floor_position
from subscriptions s
left join feeds f on f.lane = s.lane and f.feed = s.feed and f.deleted is null
left join hub_watches w on w.shard = s.shard and w.lane = s.lane and w.feed = s.feed and w.watch = s.watch
where s.subscription > $1::bigint
      and ($2::text = '' or s.self = $2::text or s.topic = $2::text or f.workspace || '/' || f.name = $2::text)
      and ($3::text = '' or $3::text = case when s.is_paused then 'paused'
                                            when s.failures > 0 then 'failing' else 'delivering' end)
      and ($5::bigint = 0 or s.subscription = $5::bigint)
order by s.subscription
limit $4::bigint
