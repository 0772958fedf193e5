-- What waits to be published in feeds of the server's own, the oldest first (feeds/chronicler.cc).
select number, feed, recorded, event_type, subject, data::text from notices order by number limit $1::bigint
