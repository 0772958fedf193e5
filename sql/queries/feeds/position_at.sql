-- The last position recorded before an instant; startingAt (feeds/reader.cc) and retention (archive/janitor.cc).
select position_at($1::smallint, $2::bigint, $3::timestamptz)
