-- A verified request becomes a subscription, or renews one, which keeps its cursor, and its client, token and secrets
-- where the hub itself renews it. No row: the request was replaced by a newer one, or the shard has another owner now (hub/store.cc).
with owned as (
  select shard from hub_shards where shard = $2::smallint and owner = $3::text and epoch = $4::bigint for share),
request as (
  delete from hub_requests where request = $1::bigint and shard in (select shard from owned) returning *)
insert into subscriptions as s (shard, key, lane, feed, topic, self, callback, callback_host, secret, identity, renews,
                                verified, lease_until, cursor, callback_domain, client, capability,
                                verify_token)
select shard, key, lane, feed, topic, self, callback, callback_host, secret, identity, renews, $5::timestamptz,
       $6::timestamptz, $7::bigint, callback_domain, client, $8::bytea, verify_token
from request
on conflict (shard, key) do update
  set self = excluded.self, identity = excluded.identity, renews = excluded.renews, verified = excluded.verified,
      lease_until = excluded.lease_until, callback_domain = excluded.callback_domain, capability = excluded.capability,
      client = case excluded.client when '' then s.client else excluded.client end,
      verify_token = case excluded.client when '' then s.verify_token else excluded.verify_token end,
      secret = case excluded.client when '' then s.secret else excluded.secret end,
      old_secret = case excluded.client when '' then s.old_secret end,
      old_secret_until = case excluded.client when '' then s.old_secret_until end
returning s.shard, s.subscription, s.lane, s.feed, s.topic, s.self, s.callback, s.callback_host, s.secret, s.renews,
          s.verified, s.lease_until, s.cursor, s.frozen, s.failures, s.next_attempt, s.told,
          s.record, s.watch, s.is_paused,
          s.documents_per_minute, s.gather_seconds, s.old_secret, s.old_secret_until,
          (select c.position from hub_changes c
           where c.shard = s.shard and c.subscription = s.subscription and c.kind = 'filter'), s.identity
