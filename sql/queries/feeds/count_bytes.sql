-- Counts the bytes of what is new in a feed, of at most $3 entries; whether there may be more (feeds/quotas.cc).
select count_bytes($1::smallint, $2::bigint, $3::bigint)
