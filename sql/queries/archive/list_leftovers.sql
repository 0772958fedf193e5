-- The feeds with rows behind their floor (archive/janitor.cc).
select f.lane, f.feed from feeds f
where f.floor_position > 0
      and exists (select from entries e where e.lane = f.lane and e.feed = f.feed and e.position <= f.floor_position)
