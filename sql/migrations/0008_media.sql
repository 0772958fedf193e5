-- Media resources (RFC 5023 section 9.6): their bytes in pieces, and which revision of an entry names which of them.
-- Pieces are written first, then the entry is published; so bytes may be there that no entry names.
create table media_pieces (
  lane smallint not null,
  feed bigint not null,
  media uuid not null,                -- of one upload: other bytes are another one
  piece integer not null,             -- from 0; all but the last are as long as feeds/media_store.h says
  bytes bytea not null,
  primary key (lane, feed, media, piece)
);
alter table media_pieces alter column bytes set storage external;
alter table media_pieces set (vacuum_truncate = off);

-- Uploads that perhaps no entry names (any more): each is looked at when it is due, once for every row.
create table media_doubts (
  due timestamptz not null,
  feed bigint not null,
  lane smallint not null,
  media uuid not null
);
create index media_doubts_due on media_doubts (due);

alter table entries add column media uuid;  -- null: the entry is no media link entry
create index entries_media on entries (lane, feed, media) where media is not null;

-- publish() gets one parameter more: the functions as they are now are made after all migrations.
do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid from pg_proc p where p.proname = 'publish' and p.pronamespace = current_schema()::regnamespace loop
    execute 'drop function ' || v_function;
  end loop;
end $$;
