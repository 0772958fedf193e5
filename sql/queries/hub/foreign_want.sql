-- Another server's topic is said to have news: it is fetched as soon as that is allowed, once more where it is being
-- fetched now, and not at all where nobody subscribes to it. What is planned already is not written again
-- (hub/foreign_store.cc).
with named as (
  select topic, coalesce(fetching_until > clock_timestamp(), false) as is_fetched,
         greatest(clock_timestamp(), next_fetch) as soon
  from foreign_topics where url = $1::text)
update foreign_topics t
set again = n.is_fetched, due = case when n.is_fetched then t.due else n.soon end
from named n
where t.topic = n.topic
  and case when n.is_fetched then not t.again else t.due is null or t.due > n.soon end
  and (exists (select from subscriptions s where s.topic = t.url)
       or exists (select from hub_requests r where r.topic = t.url and r.is_subscribe))
