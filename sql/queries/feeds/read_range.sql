-- The head of a feed and its rows in the positions ($3, $4], newest first, from one snapshot; pages and archives.
-- A row with a null position says that the range is empty; every row carries the head.
select h.head, h.floor_position, e.position, e.kind, e.id, e.updated, e.needs_alternate, e.salt, e.leaf, e.chain, e.xml,
       e.recorded, h.redactions, h.revision
from (select coalesce((select x.position from entries x where x.lane = f.lane and x.feed = f.feed
                       order by x.position desc limit 1), f.floor_position) as head,
             f.floor_position, f.redactions, f.revision, f.lane, f.feed
      from feeds f where f.lane = $1::smallint and f.feed = $2::bigint and f.deleted is null) h
left join lateral (select x.* from entries x
                   where x.lane = h.lane and x.feed = h.feed and x.position > $3::bigint and x.position <= $4::bigint
                   order by x.position desc limit $5::bigint) e on true
order by e.position desc
