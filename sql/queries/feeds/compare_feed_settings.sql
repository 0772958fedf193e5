-- Whether a feed's settings are others than these, and whether they are of an older source, or of the same
-- (feeds/configure.cc).
select settings is distinct from $3::jsonb, source_time <= $4::timestamptz
from feeds where lane = $1::smallint and feed = $2::bigint
