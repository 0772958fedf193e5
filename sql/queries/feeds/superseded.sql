-- Of the positions $3, whose entries' ids hash to $4, those that are not the newest of their id (feeds/reader.cc).
select u.position
from unnest($3::bigint[], $4::uuid[]) as u (position, id_hash)
join entry_ids i on i.lane = $1::smallint and i.feed = $2::bigint and i.id_hash = u.id_hash
where i.newest_position <> u.position
