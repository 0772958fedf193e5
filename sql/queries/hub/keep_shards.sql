-- A heartbeat: which shards this process owns from now on (hub/shards.cc).
select shard, epoch, fair from keep_shards($1::text, make_interval(secs => $2::bigint / 1000.0))
