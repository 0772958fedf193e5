-- A stored archive page and its generation: what is stored is always of the present one; with when it was rendered,
-- now, and when its last position was recorded; every GET of it (archive/pages.cc).
select a.sha256, a.gzip_sha256, a.gzip, a.chain, (select generation from log_facts), a.rendered, clock_timestamp(),
       (select e.recorded from entries e where e.lane = a.lane and e.feed = a.feed and e.position <= a.last_position
        order by e.position desc limit 1)  -- by the index, whatever statistics say
from archive_pages a
where a.lane = $1::smallint and a.feed = $2::bigint and a.page = $3::bigint
