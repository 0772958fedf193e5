-- Hands shards over: whoever looks next may take them (hub/shards.cc).
update hub_shards set owner = '', expires = '-infinity' where owner = $1::text and shard = any ($2::bigint[])
