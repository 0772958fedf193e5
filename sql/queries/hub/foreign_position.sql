-- The position of the last document of another server's topic (hub/foreign_store.cc).
select position from foreign_topics where topic = $1::bigint
