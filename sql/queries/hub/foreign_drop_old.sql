-- Of another server's topic the newest documents are kept, so many and so long together, the last one in any case
-- (hub/foreign_store.cc).
delete from foreign_documents d
using (select position, row_number() over newest as nth, sum(octet_length(body)) over newest as bytes
       from foreign_documents where topic = $1::bigint
       window newest as (order by position desc)) kept
where d.topic = $1::bigint and d.position = kept.position
  and (kept.nth > $2::bigint or (kept.bytes > $3::bigint and kept.nth > 1))
