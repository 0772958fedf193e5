-- This process fetches these topics of other servers, of which others may have taken some. Should it die, they are due
-- again (hub/foreign_store.cc).
update foreign_topics
set fetching_until = clock_timestamp() + make_interval(secs => $2::bigint / 1000.0),
    due = clock_timestamp() + make_interval(secs => $2::bigint / 1000.0), again = false
where topic in (select topic from foreign_topics
                where topic = any ($1::bigint[]) and due <= clock_timestamp() for update skip locked)
returning topic, url, place, etag, last_modified, attempts, fetches
