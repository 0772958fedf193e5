-- Requests of the given shards whose verification is due, some of each callback host (hub/verifier.cc).
select request, shard, is_subscribe, lane, feed, topic, self, callback, callback_host, lease_seconds, verify_token,
       attempts, (select s.subscription from subscriptions s where s.shard = due.shard and s.key = due.key)
from (select *, row_number() over (partition by callback_host order by next_attempt) as turn
      from hub_requests
      where shard = any ($1::bigint[]) and next_attempt <= clock_timestamp()) due
where turn <= $2::bigint
order by next_attempt
limit $3::bigint
