-- A verified request ends a subscription; the row tells which one, or null where there was none. No row: the request
-- was replaced by a newer one, or the shard has another owner now (hub/store.cc).
with owned as (
  select shard from hub_shards where shard = $2::smallint and owner = $3::text and epoch = $4::bigint for share),
request as (
  delete from hub_requests where request = $1::bigint and shard in (select shard from owned) returning shard, key),
ended as (
  delete from subscriptions s using request r where s.shard = r.shard and s.key = r.key returning s.subscription)
select (select subscription from ended) from request
