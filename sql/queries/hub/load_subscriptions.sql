-- All subscriptions of a shard (hub/store.cc).
select shard, subscription, lane, feed, topic, self, callback, callback_host, secret, renews, verified, lease_until,
       cursor, frozen, failures, next_attempt, told, record
from subscriptions
where shard = $1::smallint
