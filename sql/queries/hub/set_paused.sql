-- Nothing is sent to a subscription, or again; the process that owns it is told (hub/owner_store.cc).
with changed as (
  update subscriptions set is_paused = $2::boolean
  where capability = $1::bytea returning shard, subscription)
insert into hub_changes (shard, subscription, kind) select shard, subscription, 'settings' from changed
on conflict (shard, subscription, kind) do update set change = default
returning change
