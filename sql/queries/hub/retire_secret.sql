-- The secret of before signs no longer; the process that owns the subscription is told (hub/owner_store.cc).
with changed as (
  update subscriptions set old_secret = null, old_secret_until = null
  where capability = $1::bytea returning shard, subscription)
insert into hub_changes (shard, subscription, kind) select shard, subscription, 'settings' from changed
on conflict (shard, subscription, kind) do update set change = default
returning change
