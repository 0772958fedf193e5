-- Brings a feed's settings up to date; true: what is stored differs and is newer, and stays (feeds/configure.cc).
with put as (
  update feeds
  set settings = $3::jsonb, source_time = $4::timestamptz,
      revision = revision + (settings is distinct from $3::jsonb)::integer,
      modified = case when settings is distinct from $3::jsonb then clock_timestamp() else modified end
  where lane = $1::smallint and feed = $2::bigint and source_time <= $4::timestamptz
  returning feed)
select not exists (select from put)
       and exists (select from feeds where lane = $1::smallint and feed = $2::bigint
                                           and settings is distinct from $3::jsonb)
