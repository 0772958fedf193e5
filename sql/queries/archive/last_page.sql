-- The last stored page of a feed, 0 where there is none; the closer (archive/closer.cc).
select coalesce((select page from archive_pages where lane = $1::smallint and feed = $2::bigint
                 order by page desc limit 1), 0)
