-- All feeds, with where they stand, as in find_feed; at the start, so that the directory knows them
-- (feeds/directory.cc).
select f.feed, f.uri, f.page_size, f.settings, f.revision, f.created, f.floor_position, f.redactions,
       coalesce((select e.position from entries e where e.lane = f.lane and e.feed = f.feed
                 order by e.position desc limit 1), f.floor_position),
       (select generation from log_facts), f.lane, f.workspace, f.name
from feeds f
where f.deleted is null
