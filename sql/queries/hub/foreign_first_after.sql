-- When the first document after each position of other servers' topics was stored, in the order of the positions
-- (hub/foreign_store.cc).
select (select d.stored from foreign_documents d
        where d.topic = place.topic and d.position > place.position order by d.position limit 1)
from unnest($1::bigint[], $2::bigint[]) with ordinality as place (topic, position, nth)
order by place.nth
