-- The distinct terms of a feed in their order, at most $3, each found by one look into the index (feeds/categories.cc).
with recursive found (term) as (
  (select t.term from entry_terms t where t.lane = $1::smallint and t.feed = $2::bigint order by t.term limit 1)
  union all
  select (select t.term from entry_terms t
          where t.lane = $1::smallint and t.feed = $2::bigint and t.term > f.term order by t.term limit 1)
  from found f where f.term is not null)
select term from found where term is not null limit $3::bigint
