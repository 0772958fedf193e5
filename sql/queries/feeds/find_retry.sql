-- Where an entry stands that was first stored with this content; a retry of what its feed would not take any more
-- (feeds/posting.cc).
select i.first_position
from entry_ids i
join feeds f on f.lane = i.lane and f.feed = i.feed and f.deleted is null
where i.lane = $1::smallint and i.feed = $2::bigint and i.id_hash = $3::uuid and i.digest = $4::bytea
      and not i.deleted and i.first_position > f.floor_position
