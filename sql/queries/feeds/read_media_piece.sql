-- A piece of an upload (feeds/media_store.cc).
select bytes from media_pieces
where lane = $1::smallint and feed = $2::bigint and media = $3::uuid and piece = $4::integer
