-- Stores an archive page; whoever comes second stores nothing and reads the first one's bytes (archive/pages.cc). Only
-- where nothing has been redacted since its entries were read, retention has not passed it and the generation is the one
-- of its links; holding both rows, so that a redaction or a rise of the floor that comes now finds the page.
insert into archive_pages (lane, feed, page, last_position, size, rendered, chain, sha256, gzip_sha256, gzip)
select $1::smallint, $2::bigint, $3::bigint, $4::bigint, $5::integer, $6::timestamptz, $7::bytea, $8::bytea, $9::bytea,
       $10::bytea
from (select from feeds where lane = $1::smallint and feed = $2::bigint and redactions = $11::bigint
                              and floor_position < $4::bigint for share) f,
     (select from log_facts where generation = $12::bigint for share) g
on conflict do nothing
