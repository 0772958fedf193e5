-- The first document of another server's topic in the range (from, upto]; of documents that are whole, one after the
-- other, the last one, which replaces them (hub/foreign_store.cc).
select d.position, d.content_type, d.entries, d.body, (select generation from log_facts)
from foreign_documents d
where d.topic = $1::bigint and d.position > $2::bigint and d.position <= $3::bigint
  and not (d.is_whole and exists (
    select from foreign_documents n
    where n.topic = d.topic and n.position = d.position + 1 and n.position <= $3::bigint and n.is_whole))
order by d.position
limit 1
