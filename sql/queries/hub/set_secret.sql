-- A new secret ($2), or none; the one before signs beside it until $3, null: no longer. The process that owns the
-- subscription is told (hub/owner_store.cc).
with changed as (
  update subscriptions
  set secret = $2::bytea, old_secret = case when $3::timestamptz is not null then secret end,
      old_secret_until = case when secret is not null then $3::timestamptz end
  where capability = $1::bytea returning shard, subscription)
insert into hub_changes (shard, subscription, kind) select shard, subscription, 'settings' from changed
on conflict (shard, subscription, kind) do update set change = default
returning change
