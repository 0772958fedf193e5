-- A fetch of another server's topic failed: it is tried again after the pause ($2, or null: once somebody says that it
-- has news), and no sooner than the interval allows. Where it is not tried again, who waits to subscribe is denied it
-- (hub/foreign_store.cc).
with failed as (
  update foreign_topics
  set next_fetch = clock_timestamp() + make_interval(secs => $3::bigint / 1000.0),
      due = clock_timestamp() + make_interval(secs => case
              when again then $3::bigint
              when $2::bigint is not null then greatest($2::bigint, $3::bigint) end / 1000.0),
      denied = case when not is_ready and $2::bigint is null then $4::text end,
      fetching_until = null, again = false, attempts = case when $2::bigint is null then 0 else attempts + 1 end
  where topic = $1::bigint
  returning url, denied),
released as (
  update hub_requests r set next_attempt = clock_timestamp()
  from failed f where f.denied is not null and r.topic = f.url and r.next_attempt > clock_timestamp())
select denied is not null from failed
