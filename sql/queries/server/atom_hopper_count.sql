-- How many rows a feed has up to a place (server/atom_hopper_source.cc).
select count(*) from entries
where feed = $1::text
      and (datelastupdated, id) <= (timestamp 'epoch' + $2::bigint * interval '1 microsecond', $3::bigint)
