-- Stores a piece of an upload; with the first one, that the upload is in doubt until an entry names it
-- (feeds/media_store.cc). Only the first piece and the last ($7) wait for the disk: then all before them is there too.
-- The last says how many there are before it, since those that did not wait may have been lost with the database's memory.
with durability as (
  select set_config('synchronous_commit',
                    case when $4::integer = 0 or $7::boolean
                         then current_setting('synchronous_commit') else 'off' end, true)),
doubt as (
  insert into media_doubts (due, feed, lane, media)
  select $6::timestamptz, $2::bigint, $1::smallint, $3::uuid where $4::integer = 0)
insert into media_pieces (lane, feed, media, piece, bytes)
select $1::smallint, $2::bigint, $3::uuid, $4::integer, $5::bytea from durability
returning case when $7::boolean
               then (select count(*) from media_pieces p
                     where p.lane = $1::smallint and p.feed = $2::bigint and p.media = $3::uuid) end
