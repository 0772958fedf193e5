-- Ends a subscription whose lease is over by then; a row tells that it was ended (hub/store.cc).
with owned as (
  select shard from hub_shards where shard = $1::smallint and owner = $3::text and epoch = $4::bigint for share)
delete from subscriptions
where shard in (select shard from owned) and subscription = $2::bigint and lease_until <= $5::timestamptz
returning subscription
