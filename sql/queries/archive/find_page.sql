-- A stored archive page and its generation: what is stored is always of the present one; with when it was rendered, and
-- now; every GET of it (archive/pages.cc).
select sha256, gzip_sha256, gzip, chain, (select generation from log_facts), rendered, clock_timestamp()
from archive_pages where lane = $1::smallint and feed = $2::bigint and page = $3::bigint
