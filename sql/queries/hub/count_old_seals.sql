-- How many secrets there are whose seals do not begin as those of the newest key do, in one snapshot (hub/resealing.cc).
select (select count(*) from subscriptions where substr(secret, 1, length($1::bytea)) <> $1::bytea)
       + (select count(*) from subscriptions where substr(old_secret, 1, length($1::bytea)) <> $1::bytea)
       + (select count(*) from hub_requests where substr(secret, 1, length($1::bytea)) <> $1::bytea)
       + (select count(*) from hub_facts where substr(key_check, 1, length($1::bytea)) <> $1::bytea)
