-- One subscription (hub/store.cc).
select s.shard, s.subscription, s.lane, s.feed, s.topic, s.self, s.callback, s.callback_host, s.secret, s.renews,
       s.verified, s.lease_until, greatest(s.cursor, w.position) as reached, s.frozen, s.failures, s.next_attempt,
       coalesce(s.told, s.cursor), s.record, w.watch, s.is_paused,
       s.documents_per_minute, s.gather_seconds, s.old_secret, s.old_secret_until,
       (select c.position from hub_changes c
        where c.shard = s.shard and c.subscription = s.subscription and c.kind = 'filter'), s.identity
from subscriptions s
left join hub_watches w on w.shard = s.shard and w.lane = s.lane and w.feed = s.feed and w.watch = s.watch
where s.shard = $1::smallint and s.subscription = $2::bigint
