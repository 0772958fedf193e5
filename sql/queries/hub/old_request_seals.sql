-- The same of requests that wait for their verification (hub/resealing.cc).
select request, secret
from hub_requests
where request > $1::bigint and substr(secret, 1, length($2::bytea)) <> $2::bytea
order by request
limit $3::bigint
for update skip locked
