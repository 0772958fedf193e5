-- Brings a feed's settings up to date. First: what is stored differs and is newer, and stays; second: it was changed
-- (feeds/configure.cc).
with known as (
  select settings from feeds where lane = $1::smallint and feed = $2::bigint),
put as (
  update feeds
  set settings = $3::jsonb, source_time = $4::timestamptz,
      revision = revision + (settings is distinct from $3::jsonb)::integer,
      modified = case when settings is distinct from $3::jsonb then clock_timestamp() else modified end
  where lane = $1::smallint and feed = $2::bigint and source_time <= $4::timestamptz
  returning feed)
select not exists (select from put)
       and exists (select from feeds where lane = $1::smallint and feed = $2::bigint
                                           and settings is distinct from $3::jsonb),
       exists (select from put) and not exists (select from known where settings = $3::jsonb)
