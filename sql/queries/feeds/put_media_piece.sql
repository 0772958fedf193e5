-- Stores a piece of an upload; with the first one, that the upload is in doubt until an entry names it (feeds/media.cc).
with doubt as (
  insert into media_doubts (due, feed, lane, media)
  select $6::timestamptz, $2::bigint, $1::smallint, $3::uuid where $4::integer = 0)
insert into media_pieces (lane, feed, media, piece, bytes)
values ($1::smallint, $2::bigint, $3::uuid, $4::integer, $5::bytea)
