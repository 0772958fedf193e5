-- Where a log ends and begins: its head with the chain there, and what retention has dropped; the index (archive/index.cc).
select coalesce(e.position, f.floor_position), coalesce(e.chain, f.floor_chain), f.floor_position, f.floor_chain,
       (select generation from log_facts)
from feeds f
left join lateral (select x.position, x.chain from entries x where x.lane = f.lane and x.feed = f.feed
                   order by x.position desc limit 1) e on true
where f.lane = $1::smallint and f.feed = $2::bigint and f.deleted is null
