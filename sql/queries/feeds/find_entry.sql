-- The newest revision of an entry by its id, with its first position, which may lie behind the floor; entry pages, retries
-- and markers (feeds/reader.cc). When its feed and the log were
-- modified, the latter null where it has another renderer than $4; and now.
select e.position, e.kind, e.id, e.updated, e.needs_alternate, e.salt, e.leaf, e.chain, e.xml, e.recorded, e.expires,
       e.media, e.content_type, e.trace, i.first_position,
       f.modified, (select g.modified from log_facts g where g.renderer = $4::integer), clock_timestamp()
from entry_ids i
join entries e on e.lane = i.lane and e.feed = i.feed and e.position = i.newest_position
join feeds f on f.lane = i.lane and f.feed = i.feed and f.deleted is null
where i.newest_position > f.floor_position and i.lane = $1::smallint and i.feed = $2::bigint and i.id_hash = $3::uuid
