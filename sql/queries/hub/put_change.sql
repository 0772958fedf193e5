-- Asks the process that owns a subscription for something; it replaces what was asked for and not taken up
-- (hub/owner_store.cc).
insert into hub_changes (shard, subscription, kind, position, topic, self)
select shard, subscription, $2::text, $3::bigint, $4::text, $5::text from subscriptions where capability = $1::bytea
on conflict (shard, subscription, kind) do update
  set change = default, position = excluded.position, topic = excluded.topic, self = excluded.self
returning change
