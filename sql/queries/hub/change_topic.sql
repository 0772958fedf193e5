-- A subscription goes on with another topic of its feed, in the shard and with the key of that; whoever owns that shard
-- is told. A renewal of the hub's own that waits is asked for again then. No row: there is another subscription of that
-- topic and callback, or the shard has another owner now (hub/owner_store.cc).
with owned as (
  select shard from hub_shards where shard = $1::smallint and owner = $3::text and epoch = $4::bigint for share),
moving as (
  select s.shard, s.subscription, s.key from subscriptions s
  where s.shard in (select shard from owned) and s.subscription = $2::bigint
        and not exists (select from subscriptions o where o.shard = $5::smallint and o.key = $6::bytea)),
moved as (
  update subscriptions s set shard = $5::smallint, key = $6::bytea, topic = $7::text, self = $8::text,
                             watch = null
  from moving m where s.shard = m.shard and s.subscription = m.subscription
  returning s.shard, s.subscription),
forgotten as (
  delete from hub_requests r using moving m where r.key = m.key and r.client = '')
insert into hub_changes (shard, subscription, kind) select shard, subscription, 'arrival' from moved
on conflict (shard, subscription, kind) do update set change = default
returning change
