-- History of another server can be put in with the times that it has there: publish() has more parameters. A new
-- database has none yet here.
do $$
declare
  v_signature text;
begin
  for v_signature in select p.oid::regprocedure from pg_proc p
                     where p.proname = 'publish' and p.pronamespace = current_schema()::regnamespace loop
    execute 'drop function ' || v_signature;
  end loop;
end $$;

-- How far an import has come, written in the transaction that stores the entries.
create table import_places (
  source text not null,               -- the database that is read: its cluster, name and number
  source_feed text not null,          -- as the source names it
  feed_created timestamptz not null,  -- of the feed here: one that was deleted and made again begins anew
  last_updated bigint not null,       -- of the last row that was taken: microseconds since 1970 ...
  last_id bigint not null,            -- ... and its number; rows are taken in this order
  checksum bigint not null,           -- of the numbers of the rows up to there: server/commands/atom_hopper_source.h
  imported bigint not null,           -- rows up to there: stored,
  present bigint not null,            -- ... there before,
  refused bigint not null,            -- ... or not taken
  primary key (source, source_feed)
);
