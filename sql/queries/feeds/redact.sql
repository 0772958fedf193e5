-- Redacts an entry (feeds/lifecycle.cc).
select outcome, record, erased
from redact($1::smallint, $2::bigint, $3::text, $4::bytea, $5::text, $6::text, $7::text, $8::timestamptz)
