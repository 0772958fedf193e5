-- A feed by its name, with where it stands; the directory (feeds/directory.cc).
select f.feed, f.uri, f.page_size, f.settings, f.revision, f.created, f.floor_position, f.redactions,
       coalesce((select e.position from entries e where e.lane = f.lane and e.feed = f.feed
                 order by e.position desc limit 1), f.floor_position),
       (select generation from log_facts)
from feeds f
where f.lane = $1::smallint and f.workspace = $2::text and f.name = $3::text and f.deleted is null
