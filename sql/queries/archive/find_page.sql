-- A stored archive page; every GET of it (archive/pages.cc).
select sha256, gzip_sha256, gzip, chain from archive_pages where lane = $1::smallint and feed = $2::bigint and page = $3::bigint
