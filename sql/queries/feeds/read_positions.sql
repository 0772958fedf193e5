-- Entries by their positions, newest first (feeds/filtered.cc). At most $4 bytes of them, but one at least; what is left
-- out is the oldest, or the newest where $5.
select position, kind, id, updated, needs_alternate, salt, leaf, chain, xml, recorded, expires
from (select x.*, sum(x.size) over kept as bytes, row_number() over kept as number
      from entries x
      where x.lane = $1::smallint and x.feed = $2::bigint and x.position = any ($3::bigint[])
      window kept as (order by case when $5::boolean then x.position else -x.position end)) sized
where bytes <= $4::bigint or number = 1
order by position desc
