-- Somebody waits to hear how far the subscriptions of a feed have come (hub/confirmations.cc).
with over as (
  delete from hub_asked
  where until < clock_timestamp() - interval '1 minute' and (lane, feed) <> ($1::smallint, $2::bigint))
insert into hub_asked as a (lane, feed, until)
values ($1::smallint, $2::bigint, clock_timestamp() + interval '10 seconds')
on conflict (lane, feed) do update set until = excluded.until
  where a.until < clock_timestamp() + interval '5 seconds'
