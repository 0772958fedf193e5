-- The last position recorded before an instant (archive/janitor.cc).
select position_at($1::smallint, $2::bigint, $3::timestamptz)
