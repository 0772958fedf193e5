-- Secrets of subscriptions, sealed again; in hexadecimal digits (hub/resealing.cc).
update subscriptions s
set secret = decode(w.secret, 'hex'), old_secret = decode(w.old_secret, 'hex')
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) as w (shard, subscription, secret, old_secret)
where s.shard = w.shard and s.subscription = w.subscription
