-- The feeds of Atom Hopper's table: how many rows each has, the checksum of their numbers, and when its newest one was
-- updated, in microseconds since 1970 (server/commands/atom_hopper_source.cc).
select coalesce(feed, ''), count(*), mod(sum(id), 1000000000000000000)::bigint,
       round(extract(epoch from max(datelastupdated)) * 1000000)::bigint
from entries group by feed order by feed nulls first
