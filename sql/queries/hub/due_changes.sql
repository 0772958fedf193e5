-- What was asked for of subscriptions of the given shards. Changes of filters wait for their position, and hide nothing
-- (hub/owner_store.cc).
select change, shard, subscription, kind, position, topic, self
from hub_changes
where shard = any ($1::bigint[])
order by kind = 'filter', change
limit 5000
