-- The oldest entries in the positions ($3, $4] that match the filter $5, of the candidates with one of the terms $6 (null:
-- of all): at most $7 of them, and no more than $8 candidates are looked at (feeds/filtered.cc). Each row: its position; how
-- far was looked, and whether the candidates have been exhausted; the head and the floor. One row at least.
with bounds as (
  select coalesce((select x.position from entries x where x.lane = f.lane and x.feed = f.feed
                   order by x.position desc limit 1), f.floor_position) as head, f.floor_position
  from feeds f where f.lane = $1::smallint and f.feed = $2::bigint and f.deleted is null),
candidates as (
  select distinct position from (
    select x.position from unnest($6::text[]) t (term) cross join lateral (
      select y.position from entry_terms y
      where y.lane = $1::smallint and y.feed = $2::bigint and y.term = t.term
            and y.position > greatest($3::bigint, (select b.floor_position from bounds b)) and y.position <= $4::bigint
      order by y.position asc limit $8::bigint) x
    union all
    (select y.position from entries y
     where $6::text[] is null and y.lane = $1::smallint and y.feed = $2::bigint
           and y.position > greatest($3::bigint, (select b.floor_position from bounds b)) and y.position <= $4::bigint
     order by y.position asc limit $8::bigint)) every
  order by position asc limit $8::bigint),
matching as (
  select c.position from candidates c
  join entries e on e.lane = $1::smallint and e.feed = $2::bigint and e.position = c.position
  where to_jsonb(e.terms) @@ $5::jsonpath
  order by c.position asc limit $7::bigint)
select m.position, (select max(position) from candidates),
       (select count(*) from candidates) < $8::bigint, b.head, b.floor_position
from bounds b left join matching m on true
order by m.position desc
