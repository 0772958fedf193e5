-- An operator ends a subscription; the process that owns it is told to forget it (hub/operator_store.cc).
with gone as (
  delete from subscriptions where subscription = $1::bigint returning shard, subscription)
insert into hub_changes (shard, subscription, kind) select shard, subscription, 'end' from gone
on conflict (shard, subscription, kind) do update set change = default
returning change
