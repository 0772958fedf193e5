-- The terms of a feed's entries after a position, oldest first, at most $4; for readers that wait on filters.
select position, terms, expires
from entries
where lane = $1::smallint and feed = $2::bigint and position > $3::bigint
order by position
limit $4::bigint
