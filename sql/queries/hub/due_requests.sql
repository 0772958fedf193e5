-- Requests of the given shards whose verification is due, some of each registrable domain of callbacks. Domains and
-- clients take turns, so that one with many does not hide the others (hub/verifier.cc).
select request, shard, is_subscribe, lane, feed, topic, self, callback, callback_host, lease_seconds, verify_token,
       attempts, callback_domain, client,
       (select s.subscription from subscriptions s where s.shard = due.shard and s.key = due.key),
       identity
from (select *, row_number() over (partition by callback_domain order by next_attempt, request) as turn,
             row_number() over (partition by client order by next_attempt, request) as turn_of_client
      from hub_requests
      where shard = any ($1::bigint[]) and next_attempt <= clock_timestamp()) due
where turn <= $2::bigint
order by greatest(turn, turn_of_client), next_attempt
limit $3::bigint
