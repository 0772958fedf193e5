-- How many topics of other servers there are, counted no further than the limit (hub/foreign_store.cc).
select count(*) from (select from foreign_topics limit $1::bigint) few
