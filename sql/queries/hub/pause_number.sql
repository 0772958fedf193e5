-- An operator pauses a subscription, or resumes it; the process that owns it is told (hub/operator_store.cc).
with changed as (
  update subscriptions set is_paused = $2::boolean
  where subscription = $1::bigint returning shard, subscription)
insert into hub_changes (shard, subscription, kind) select shard, subscription, 'settings' from changed
on conflict (shard, subscription, kind) do update set change = default
returning change
