-- How far subscriptions have come, and what became of their deliveries. An owner that lost its shard changes nothing (hub/store.cc).
with wanted as (
  select * from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                       $8::bigint[], $9::timestamptz[], $10::jsonb[], $11::bigint[])
    as w (shard, epoch, subscription, cursor, told, frozen, failures, next_attempt, record, watch)),
owned as (
  select h.shard, h.epoch from hub_shards h
  where h.owner = $1::text and h.shard in (select shard from wanted)
  order by h.shard
  for share)
update subscriptions s
set cursor = w.cursor, told = w.told, frozen = nullif(w.frozen, 0), failures = w.failures,
    next_attempt = w.next_attempt, record = w.record, watch = nullif(w.watch, 0)
from wanted w join owned o on o.shard = w.shard and o.epoch = w.epoch
where s.shard = w.shard and s.subscription = w.subscription
