-- What the server has to say of itself, until it is published in a feed of its own (feeds/chronicler.h).
create table notices (
  number bigint generated always as identity primary key,
  feed text not null,                   -- of the workspace _courant
  recorded timestamptz not null,
  event_type text not null,             -- as a CloudEvent has it
  subject text not null,
  data jsonb not null
);
