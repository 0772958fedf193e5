-- The terms of a feed's entries after position $3, oldest first: of at most $4 of them, and of no more than have $5 terms
-- together, but of one at least; for readers that wait on filters.
select position, terms
from (select position, terms, sum(cardinality(terms)) over (order by position) as count,
             row_number() over (order by position) as number
      from (select position, terms from entries
            where lane = $1::smallint and feed = $2::bigint and position > $3::bigint
            order by position limit $4::bigint) few) counted
where count <= $5::bigint or number = 1
order by position
