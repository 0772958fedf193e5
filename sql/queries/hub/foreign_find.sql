-- The number of another server's topic (hub/foreign_store.cc).
select topic from foreign_topics where url = $1::text
