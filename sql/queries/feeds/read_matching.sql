-- The entries in the positions ($3, $4] that match a filter, newest first, from one snapshot (feeds/filtered.cc); $5 to $10 as
-- match_entries explains them. At most $11 bytes, but one at least; what is left out is the oldest, or the newest where
-- not $5. Every row says where the feed stands and how far was looked, and of the snapshot what feeds/feed_snapshot.h
-- says; a null position: nothing matches. $12: the renderer.
select m.head, m.floor_position, m.looked_to, m.is_exhausted, cardinality(m.positions), e.position, e.kind, e.id,
       e.updated, e.needs_alternate, e.salt, e.leaf, e.chain, e.xml, e.recorded, e.expires,
       e.media, e.content_type, e.trace, f.redactions, (select generation from log_facts), f.revision, f.modified,
       (select g.modified from log_facts g where g.renderer = $12::integer),
       (select y.recorded from entries y
        where y.lane = $1::smallint and y.feed = $2::bigint order by y.position desc limit 1),
       clock_timestamp()
from match_entries($1::smallint, $2::bigint, $3::bigint, $4::bigint, $5::boolean, $6::text[], $7::bigint[],
                   $8::jsonpath, $9::bigint, $10::bigint) m
join feeds f on f.lane = $1::smallint and f.feed = $2::bigint
left join lateral (
  select * from (
    select x.*, sum(x.size) over kept as bytes, row_number() over kept as number
    from entries x
    where x.lane = $1::smallint and x.feed = $2::bigint and x.position = any (m.positions)
    window kept as (order by case when $5::boolean then -x.position else x.position end)) sized
  where sized.bytes <= $11::bigint or sized.number = 1) e on true
order by e.position desc
