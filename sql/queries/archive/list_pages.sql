-- What is known of the stored pages $3 ... $4, in order; the index (archive/index.cc).
select page, last_position, sha256, chain from archive_pages
where lane = $1::smallint and feed = $2::bigint and page >= $3::bigint and page <= $4::bigint
order by page
