-- How many rows a feed has up to a place, and the checksum of their numbers (server/commands/atom_hopper_source.cc).
select count(*), mod(coalesce(sum(id), 0), 1000000000000000000)::bigint from entries
where feed = $1::text
      and (datelastupdated, id) <= (timestamp 'epoch' + $2::bigint * interval '1 microsecond', $3::bigint)
