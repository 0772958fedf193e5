-- An operator asks the process that owns a subscription for something (hub/operator_store.cc).
insert into hub_changes (shard, subscription, kind, position)
select shard, subscription, $2::text, $3::bigint from subscriptions where subscription = $1::bigint
on conflict (shard, subscription, kind) do update set change = default, position = excluded.position
returning change
