-- Topics of other servers that got a document within the last so many milliseconds, by whichever process
-- (hub/foreign_store.cc).
select topic, position from foreign_topics
where moved >= clock_timestamp() - make_interval(secs => $1::bigint / 1000.0)
