-- Stores an archive page; whoever comes second stores nothing and reads the first one's bytes (archive/pages.cc).
insert into archive_pages (lane, feed, page, last_position, size, rendered, chain, sha256, gzip_sha256, gzip)
values ($1::smallint, $2::bigint, $3::bigint, $4::bigint, $5::integer, $6::timestamptz, $7::bytea, $8::bytea, $9::bytea, $10::bytea)
on conflict do nothing
