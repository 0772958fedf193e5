-- Somebody asks for a subscription of another server's topic: it is fetched before he is asked whether he wants it,
-- unless others subscribe already, or it was fetched just now (hub/foreign_store.cc).
insert into foreign_topics as t (url, host, next_fetch, due)
values ($1::text, $2::text, clock_timestamp(), clock_timestamp())
on conflict (url) do update
  set is_ready = false, denied = null, due = least(t.due, clock_timestamp())
  where t.next_fetch <= clock_timestamp() and coalesce(t.fetching_until <= clock_timestamp(), true)
    and not exists (select from subscriptions s where s.topic = t.url)
