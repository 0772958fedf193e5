-- The feeds of a workspace in which nothing was stored since an instant (archive/janitor.cc).
select f.lane, f.feed, f.name from feeds f
where f.workspace = $1::text and f.deleted is null and f.created < $2::timestamptz and f.floor_recorded < $2::timestamptz
      and coalesce((select e.recorded from entries e where e.lane = f.lane and e.feed = f.feed
                    order by e.position desc limit 1), f.created) < $2::timestamptz
