-- Drops some of what a feed's floor has passed (archive/janitor.cc).
select drop_history($1::smallint, $2::bigint, $3::bigint, $4::bigint)
