-- Whether another server's topic can be subscribed to, and why not (hub/foreign_store.cc).
select is_ready, denied from foreign_topics where topic = $1::bigint
