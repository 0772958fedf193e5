-- When a position was recorded (archive/janitor.cc).
select recorded from entries where lane = $1::smallint and feed = $2::bigint and position = $3::bigint
