-- A request that is to be verified; it replaces an older one of the same topic and callback (hub/store.cc).
insert into hub_requests (shard, key, is_subscribe, lane, feed, topic, self, callback, callback_host, secret, identity,
                          client, lease_seconds, verify_token, renews, callback_domain, next_attempt)
values ($1::smallint, $2::bytea, $3::boolean, $4::smallint, $5::bigint, $6::text, $7::text, $8::text, $9::text,
        $10::bytea, $11::text, $12::text, $13::bigint, $14::text, $15::boolean, $16::text,
        clock_timestamp())
on conflict (key) do update
  set request = default, is_subscribe = excluded.is_subscribe, self = excluded.self, secret = excluded.secret,
      identity = excluded.identity, client = excluded.client, lease_seconds = excluded.lease_seconds,
      verify_token = excluded.verify_token, renews = excluded.renews, attempts = 0, next_attempt = clock_timestamp()
