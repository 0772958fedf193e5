-- Secrets of requests, sealed again; in hexadecimal digits (hub/resealing.cc).
update hub_requests r
set secret = decode(w.secret, 'hex')
from unnest($1::bigint[], $2::text[]) as w (request, secret)
where r.request = w.request
