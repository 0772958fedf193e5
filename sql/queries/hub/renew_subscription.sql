-- Asks for a subscription to be verified again, with the token that its subscriber gave, unless a request of its
-- subscriber waits already (hub/store.cc).
insert into hub_requests (shard, key, is_subscribe, lane, feed, topic, self, callback, callback_host, secret, identity,
                          client, lease_seconds, verify_token, renews, callback_domain, next_attempt)
select shard, key, true, lane, feed, topic, self, callback, callback_host, secret, identity, '',
       extract(epoch from lease_until - verified)::bigint, verify_token, true, callback_domain, clock_timestamp()
from subscriptions
where shard = $1::smallint and subscription = $2::bigint
on conflict (key) do nothing
