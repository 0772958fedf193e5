-- Lets retention pass everything up to a position, by whole archive pages; gives the floor (archive/janitor.cc).
select raise_floor($1::smallint, $2::bigint, $3::bigint, $4::timestamptz)
