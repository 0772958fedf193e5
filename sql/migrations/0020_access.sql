-- Who may do what: bearer tokens, of which only the hash is kept (access/token.h).
create table access_tokens (
  token bigint primary key generated always as identity,
  name text not null,                   -- for people; given again only after the one of before was revoked
  hash bytea not null unique,           -- SHA-256
  scopes text not null,                 -- "read,publish"
  feeds text not null,                  -- patterns: "demo/*,news/events"
  filter text not null default '',      -- canonical: all that its holder sees or publishes matches it; '': no such bound
  created timestamptz not null,
  expires timestamptz,
  revoked timestamptz
);
create unique index access_tokens_by_name on access_tokens (name) where revoked is null;

create table access_facts (revision bigint not null);  -- grows with every change of what tokens may do
insert into access_facts (revision) values (1);

-- Whoever changes a token, also by hand: every server hears of it at once, and finds it when it looks.
create function note_access() returns trigger language plpgsql as $$
begin
  update access_facts set revision = revision + 1;
  perform pg_notify('courant_access', '');
  return null;
end $$;
create trigger access_tokens_changed after insert or update or delete on access_tokens
  for each statement execute function note_access();
