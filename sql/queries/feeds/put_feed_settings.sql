-- Brings a feed's settings up to date (feeds/configure.cc).
update feeds
set settings = $3::jsonb, source_time = $4::timestamptz,
    revision = revision + (settings is distinct from $3::jsonb)::integer,
    modified = case when settings is distinct from $3::jsonb then clock_timestamp() else modified end
where lane = $1::smallint and feed = $2::bigint
