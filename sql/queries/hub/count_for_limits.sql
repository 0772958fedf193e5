-- What the hub's limits are about; each is counted no further than its limit. The last column: whether the subscription
-- is there already, so that the request adds none (hub/store.cc).
select (select count(*) from (select from hub_requests where client = $1::text limit $7::bigint) few),
       (select count(*) from (select from hub_requests limit $8::bigint) few),
       (select count(*) from (select from subscriptions where topic = $2::text limit $9::bigint) few),
       (select count(*) from (select from subscriptions where callback_host = $3::text limit $10::bigint) few),
       (select count(*) from (select from subscriptions where callback_domain = $4::text limit $11::bigint) few),
       (select count(*) from (select from subscriptions where client = $1::text limit $12::bigint) few),
       exists (select from subscriptions where shard = $5::smallint and key = $6::bytea)
