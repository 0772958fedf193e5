-- What came of a fetch of another server's topic: a document where there is news ($8 is not null). Who waits to subscribe
-- to it is asked. No row: somebody has stored another fetch since this one was begun, and nothing is stored
-- (hub/foreign_store.cc).
with before as (
  select topic, is_ready from foreign_topics where topic = $1::bigint and fetches = $2::bigint for update),
stored as (
  update foreign_topics t
  set position = t.position + ($8::text is not null)::integer,
      moved = case when $8::text is null then t.moved else clock_timestamp() end,
      known = coalesce($4::bytea, t.known), place = $5::text, etag = $6::text, last_modified = $7::text,
      next_fetch = clock_timestamp() + make_interval(secs => $3::bigint / 1000.0),
      due = case when t.again then clock_timestamp() + make_interval(secs => $3::bigint / 1000.0) end,
      fetching_until = null, again = false, attempts = 0, fetches = t.fetches + 1, is_ready = true, denied = null
  from before b
  where t.topic = b.topic
  returning t.topic, t.url, t.position, not b.is_ready as has_become_ready),
document as (
  insert into foreign_documents (topic, position, stored, content_type, is_whole, entries, body)
  select topic, position, clock_timestamp(), $8::text, $9::boolean, $10::bigint, $11::bytea
  from stored where $8::text is not null),
released as (
  update hub_requests r set next_attempt = clock_timestamp()
  from stored s where s.has_become_ready and r.topic = s.url and r.next_attempt > clock_timestamp())
select position, has_become_ready from stored
