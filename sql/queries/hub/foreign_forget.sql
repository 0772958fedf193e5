-- Topics of other servers that nobody subscribes to, and that were not fetched for an hour, are forgotten (hub/foreign_store.cc).
delete from foreign_topics t
where t.next_fetch < clock_timestamp() - interval '1 hour'
  and not exists (select from subscriptions s where s.topic = t.url)
  and not exists (select from hub_requests r where r.topic = t.url)
