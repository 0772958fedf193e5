-- What the last fetches of another server's topic held; no row: somebody has stored another one (hub/foreign_store.cc).
select known from foreign_topics where topic = $1::bigint and fetches = $2::bigint
