-- The terms of a feed's entries after position $3, of the oldest $4 of them and of no more than have $5 terms together, but
-- of one at least; and how far that is: at least to the feed's floor, up to which everything has been dropped
-- (feeds/push.cc).
with floor as (
  select max(floor_position) as position from feeds where lane = $1::smallint and feed = $2::bigint),
looked as materialized (
  select position, terms
  from (select position, terms, sum(cardinality(terms)) over (order by position) as count,
               row_number() over (order by position) as number
        from (select position, terms from entries
              where lane = $1::smallint and feed = $2::bigint
                    and position > greatest($3::bigint, (select position from floor))
              order by position limit $4::bigint) few) counted
  where count <= $5::bigint or number = 1)
select greatest($3::bigint, (select position from floor), (select max(position) from looked)),
       array(select distinct t.term from looked l cross join lateral unnest(l.terms) as t (term))
