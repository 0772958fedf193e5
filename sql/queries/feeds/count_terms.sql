-- How frequent terms are in a feed, counted no further than $4; where a filter looks first (feeds/filtered.cc).
select t.number, (select count(*) from (select from entry_terms x
                                        where x.lane = $1::smallint and x.feed = $2::bigint and x.term = t.term
                                        limit $4::bigint) few)
from unnest($3::text[]) with ordinality as t (term, number)
