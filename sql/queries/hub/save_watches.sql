-- How far was looked for subscriptions that share a watch. An owner that lost its shard changes nothing (hub/store.cc).
with wanted as (
  select * from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    as w (shard, epoch, lane, feed, watch, position)),
owned as (
  select h.shard, h.epoch from hub_shards h
  where h.owner = $1::text and h.shard in (select shard from wanted)
  order by h.shard
  for share)
insert into hub_watches (shard, lane, feed, watch, position)
select w.shard, w.lane, w.feed, w.watch, w.position
from wanted w join owned o on o.shard = w.shard and o.epoch = w.epoch
on conflict (shard, lane, feed) do update set watch = excluded.watch, position = excluded.position
