-- What the hub's limits are about; each is counted no further than its limit (hub/store.cc).
select (select count(*) from (select from hub_requests where client = $1::text limit $4::bigint) few),
       (select count(*) from (select from subscriptions where topic = $2::text limit $5::bigint) few),
       (select count(*) from (select from subscriptions where callback_host = $3::text limit $6::bigint) few)
