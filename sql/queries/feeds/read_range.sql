-- The head of a feed and its rows in the positions ($3, $4], newest first, from one snapshot; pages and archives.
-- At most $5 rows and $6 bytes of them, but one at least; what is left out is the oldest, or the newest where $7.
-- A row with a null position says that the range is empty; every row carries the head, and of the snapshot what
-- feeds/feed_snapshot.h says. $8: the renderer.
select h.head, h.floor_position, e.position, e.kind, e.id, e.updated, e.needs_alternate, e.salt, e.leaf, e.chain, e.xml,
       e.recorded, e.expires, e.media, e.content_type, e.trace, h.redactions, h.generation,
       h.revision, h.modified,
       (select g.modified from log_facts g where g.renderer = $8::integer), h.head_recorded, clock_timestamp()
from (select coalesce(x.position, f.floor_position) as head, x.recorded as head_recorded,
             f.floor_position, f.redactions, f.revision, f.modified, f.lane, f.feed,
             (select generation from log_facts) as generation
      from feeds f
      left join lateral (select y.position, y.recorded from entries y where y.lane = f.lane and y.feed = f.feed
                         order by y.position desc limit 1) x on true
      where f.lane = $1::smallint and f.feed = $2::bigint and f.deleted is null) h
left join lateral (
  select * from (
    select x.*, sum(x.size) over kept as bytes, row_number() over kept as number
    from (select y.* from entries y
          where y.lane = h.lane and y.feed = h.feed and y.position > greatest($3::bigint, h.floor_position) and y.position <= $4::bigint
          order by y.position desc limit $5::bigint) x
    window kept as (order by case when $7::boolean then x.position else -x.position end)) sized
  where sized.bytes <= $6::bigint or sized.number = 1) e on true
order by e.position desc
