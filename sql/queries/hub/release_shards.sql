-- Hands shards over: whoever looks next may take them (hub/shards.cc).
update hub_shards set owner = '' where owner = $1::text and shard = any ($2::bigint[])
