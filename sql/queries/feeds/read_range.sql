-- The head of a feed and its rows in the positions ($3, $4], newest first, from one snapshot; pages and archives.
-- At most $5 rows and $6 bytes of them, but one at least; what is left out is the oldest, or the newest where $7.
-- A row with a null position says that the range is empty; every row carries the head.
select h.head, h.floor_position, e.position, e.kind, e.id, e.updated, e.needs_alternate, e.salt, e.leaf, e.chain, e.xml,
       e.recorded, e.expires, e.media, e.content_type, h.redactions, h.generation
from (select coalesce((select x.position from entries x where x.lane = f.lane and x.feed = f.feed
                       order by x.position desc limit 1), f.floor_position) as head,
             f.floor_position, f.redactions, f.lane, f.feed,
             (select generation from log_facts) as generation
      from feeds f where f.lane = $1::smallint and f.feed = $2::bigint and f.deleted is null) h
left join lateral (
  select * from (
    select x.*, sum(x.size) over kept as bytes, row_number() over kept as number
    from (select y.* from entries y
          where y.lane = h.lane and y.feed = h.feed and y.position > greatest($3::bigint, h.floor_position) and y.position <= $4::bigint
          order by y.position desc limit $5::bigint) x
    window kept as (order by case when $7::boolean then x.position else -x.position end)) sized
  where sized.bytes <= $6::bigint or sized.number = 1) e on true
order by e.position desc
