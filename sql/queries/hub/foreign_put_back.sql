-- A fetch of another server's topic came to nothing that counts: it is due again (hub/foreign_store.cc).
update foreign_topics
set due = greatest(next_fetch, clock_timestamp() + make_interval(secs => $2::bigint / 1000.0)), fetching_until = null
where topic = $1::bigint
