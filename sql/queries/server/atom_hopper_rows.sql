-- The next rows of feeds ($1) after a place ($2 microseconds since 1970, $3 id), in their order: at most $4, and no more
-- after $5 bytes (server/commands/atom_hopper_source.cc). $6: the time zone of timestamps that are kept without one.
-- $7: what is longer is refused, and need not come whole.
-- A table without the columns of Atom Hopper's prefix map finds their names outside, where they are null.
select e.id, e.entryid, e.feed, round(extract(epoch from e.datelastupdated) * 1000000)::bigint,
       case when pg_typeof(e.creationdate) = 'timestamptz'::regtype then e.creationdate::timestamptz
            else e.creationdate::timestamp at time zone $6::text end,
       case when pg_typeof(e.datelastupdated) = 'timestamptz'::regtype then e.datelastupdated::timestamptz
            else e.datelastupdated::timestamp at time zone $6::text end,
       coalesce(left(e.entrybody, $7::integer), ''), to_json(e.categories), e.eventtype, e.tenantid
from (select null::text as eventtype, null::text as tenantid) absent
cross join lateral (
  select p.*, sum(octet_length(p.entrybody)) over (order by p.datelastupdated, p.id
                                                   rows between unbounded preceding and 1 preceding) as bytes_before
  from (select id, entryid, feed, creationdate, datelastupdated, entrybody, categories, eventtype, tenantid
        from entries
        where feed = any ($1::text[])
              and (datelastupdated, id) > (timestamp 'epoch' + $2::bigint * interval '1 microsecond', $3::bigint)
        order by datelastupdated, id limit $4::bigint) p) e
where coalesce(e.bytes_before, 0) < $5::bigint
order by e.datelastupdated, e.id
