-- How often a subscription is sent something (0: as often as there is something), and how long entries are gathered; the
-- process that owns it is told (hub/owner_store.cc).
with changed as (
  update subscriptions set documents_per_minute = nullif($2::bigint, 0), gather_seconds = $3::bigint
  where capability = $1::bytea returning shard, subscription)
insert into hub_changes (shard, subscription, kind) select shard, subscription, 'settings' from changed
on conflict (shard, subscription, kind) do update set change = default
returning change
