-- Removes the bytes of an upload unless the newest revision of an entry that its feed still shows names it, and the doubts
-- about it that are due; gives how many pieces were removed (archive/janitor.cc). Nothing can come to name an upload that
-- has once been named and is not any more.
with naming as (
  select from entries e
  join feeds f on f.lane = e.lane and f.feed = e.feed and e.position > f.floor_position
  join entry_ids i on i.lane = e.lane and i.feed = e.feed and i.newest_position = e.position
                      and i.id_hash = encode(substr(sha256(convert_to(e.id, 'UTF8')), 1, 16), 'hex')::uuid
  where e.lane = $1::smallint and e.feed = $2::bigint and e.media = $3::uuid),
settled as (
  delete from media_doubts
  where lane = $1::smallint and feed = $2::bigint and media = $3::uuid and due <= $4::timestamptz),
gone as (
  delete from media_pieces
  where lane = $1::smallint and feed = $2::bigint and media = $3::uuid and not exists (select from naming)
  returning 1)
select count(*) from gone
