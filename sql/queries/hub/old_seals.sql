-- Some subscriptions behind a place with a secret whose seal does not begin as those of the newest key do; they stay as they
-- are until the transaction ends. What others are changing is passed over, so that nobody waits here for one who waits
-- (hub/resealing.cc).
select shard, subscription, secret, old_secret
from subscriptions
where (shard, subscription) > ($1::smallint, $2::bigint)
  and (substr(secret, 1, length($3::bytea)) <> $3::bytea or substr(old_secret, 1, length($3::bytea)) <> $3::bytea)
order by shard, subscription
limit $4::bigint
for update skip locked
