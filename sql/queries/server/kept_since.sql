-- Until when a feed's entries were dropped by retention (server/commands/importer.cc). No row: none were, or its times do not go
-- on from there, as in a feed that was deleted and has taken older history since.
select f.floor_recorded from feeds f
left join entries e on e.lane = f.lane and e.feed = f.feed and e.position = f.floor_position + 1
where f.lane = $1::smallint and f.feed = $2::bigint and f.floor_position > 0
      and (e.updated is null or e.updated >= f.floor_recorded)
