-- Whether there is a subscription of this key (hub/owner_store.cc).
select exists (select from subscriptions where shard = $1::smallint and key = $2::bytea)
